"""A program file as a control program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..answers import KINDS, AnswerReader
from ..budget import Budget
from ..context import Context
from ..contracts import ControlProgram, Verifier, name_of
from ..costs import FREE, Costing, Size, Spending
from ..errors import BackendError, BudgetExceededError, DeadlineExceededError, InvalidInputError
from ..prompts import Example, Prompt
from ..runtime import Model
from ..strategies.attempts import scored
from ..strategies.nested import longest_text_of
from ..types import Outcome, Problem
from .document import Document, KeyPath, read
from .mistakes import Mistakes, did_you_mean
from .models import make_model
from .parts import STRATEGIES, VERIFIERS, build
from .problems import ProblemFile
from .spec import AnswerSpec, LimitsSpec, ModelSpec, ProblemsSpec, ProgramSpec, PromptSpec, known_keys

__all__ = ["Program", "check_model_names", "load"]


@dataclass(frozen=True, kw_only=True)
class Program:
    """A loaded program file: a control program with everything it runs on.

    Attributes:
        strategy: What it does.
        check: Says whether an answer is right where there is no reference, or None; every sample of an
            outcome is scored by it.
        answers: How answers are read.
        prompt: How problems are put to models.
        budget: Limits of the run.
        per_problem: Limits of each problem.
        problems: The problems it names, or None.
        file: Path as it was given.
        specs: The models as the file describes them.
    """

    strategy: ControlProgram
    check: Verifier | None = None
    answers: AnswerReader = field(default_factory=AnswerReader)
    prompt: Prompt = field(default_factory=Prompt)
    budget: Budget = field(default_factory=Budget, compare=False)
    per_problem: Budget = field(default_factory=Budget, compare=False)
    problems: ProblemFile | None = field(default=None, compare=False)
    file: str = field(default="", compare=False)
    specs: Mapping[str, ModelSpec] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The models, ready to be prepared; nothing is started or connected yet.

        Raises:
            InvalidInputError: A key's environment variable is not set, or recorded samples cannot be read.
        """
        folder = Path(self.file).parent
        return {name: make_model(spec, folder=folder) for name, spec in self.specs.items()}

    def models_unkeyed(self) -> Mapping[str, Model]:
        """The models as far as costs need them; no key is read, and they are not to be asked anything."""
        folder = Path(self.file).parent
        return {name: make_model(spec, folder=folder, keyed=False) for name, spec in self.specs.items()}

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most: the strategy, and the check on all that it draws."""
        found = await costing.program(self.strategy)
        if self.check is None:
            return found
        size = Size(tokens=longest_text_of(self.strategy, costing))
        checked = await costing.scoring(self.check, found.worst.samples, size)
        if checked.worst == FREE:
            return found
        return replace(found, worst=found.worst + checked.worst, parts=(*found.parts, checked))

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return int(getattr(self.strategy, "calls_at_once", 1))

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Run the strategy on `problem`, then the check on what it drew."""
        outcome = await self.strategy(ctx, problem)
        return outcome if self.check is None else await self._checked(self.check, ctx, problem, outcome)

    async def _checked(self, check: Verifier, ctx: Context, problem: Problem, outcome: Outcome) -> Outcome:
        name = name_of(check)
        candidates = outcome.candidates or tuple(ctx.candidates)
        unscored = [candidate for candidate in candidates if name not in candidate.scores]
        try:
            scores = await ctx.score(check, problem, unscored)
        except (BackendError, BudgetExceededError, DeadlineExceededError):
            return outcome  # the check is a measure: without it the outcome still stands
        return replace(outcome, candidates=tuple(scored(candidates, name, scores)))


def load(file: str | Path) -> Program:
    """The control program in a YAML file, with its models, budget, prompt and problems.

    Nothing is started, fetched or connected, and no key is read.

    Raises:
        ProgramFileError: The file is not a program; says where, what was expected, and all mistakes at once.
    """
    document = read(Path(file), file=str(file))
    mistakes = Mistakes(document)
    spec, strategy, check = _checked_parts(document, mistakes)
    answers = _reader(document, mistakes)
    mistakes.raise_any()
    assert spec is not None
    return Program(
        strategy=strategy,
        check=check,
        answers=answers,
        prompt=_prompt(spec.prompt),
        budget=_budget(spec.budget),
        per_problem=_budget(spec.budget.per_problem),
        problems=_problems(spec.problems, Path(file).parent),
        file=str(file),
        specs=spec.models,
    )


def _checked_parts(document: Document, mistakes: Mistakes) -> tuple[ProgramSpec | None, Any, Any]:
    """The file's spec, strategy and check; None where there are mistakes."""
    data = document.data
    if not isinstance(data, dict):
        mistakes.add((), "a program file is a mapping", hint="start with `version: 1`")
        return None, None, None
    spec = None
    try:
        spec = ProgramSpec.model_validate(data)
    except ValidationError as error:
        mistakes.add_validation(error, (), lambda path: known_keys(data, path))
    check = strategy = None
    if data.get("check") is not None:
        check = build(VERIFIERS, data["check"], ("check",), mistakes)
    if "program" in data:
        defaults = {"verifier": check}
        strategy = build(STRATEGIES, data["program"], ("program",), mistakes, defaults=defaults)
    _check_names(document, mistakes)
    return spec, strategy, check


def _check_names(document: Document, mistakes: Mistakes) -> None:
    models = document.at(("models",))
    if isinstance(models, dict):
        for part in ("program", "check"):
            check_model_names(document.at((part,)), (part,), models, mistakes)


def check_model_names(value: Any, at: KeyPath, models: Iterable[str], mistakes: Mistakes) -> None:
    """Note names of models, anywhere in `value`, that are none of `models`.

    Parameters that name models are called `model`, `..._model`, `models` or `..._models`, everywhere but in a
    `protocol`, whose keys are a server's.

    Args:
        value: What a file says.
        at: Where it says it.
        models: The names there are.
        mistakes: Receives what is wrong.
    """
    known = list(models)
    for path, name in _model_names(value, at):
        if name not in known:
            hint = did_you_mean(name, known)
            others = "" if hint else f"; there are: {', '.join(known)}"
            mistakes.add(path, f"no model `{name}`{others}", hint=hint)


def _model_names(value: Any, at: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Where `value` names models, and their names."""
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _model_names(entry, (*at, number))
    if not isinstance(value, dict):
        return
    for key, entry in value.items():
        here = (*at, key)
        if key == "protocol":
            continue
        if isinstance(entry, str) and str(key).endswith("model"):
            yield here, entry
        elif isinstance(entry, list) and str(key).endswith("models"):
            yield from (((*here, n), name) for n, name in enumerate(entry) if isinstance(name, str))
        else:
            yield from _model_names(entry, here)


def _reader(document: Document, mistakes: Mistakes) -> AnswerReader:
    given = document.at(("answer",))
    try:
        spec = AnswerSpec.model_validate({} if given is None else given)
    except ValidationError:
        return AnswerReader()  # the whole file's spec says what is wrong
    options: dict[str, Any] = {name: value for name, value in spec if value is not None}
    if spec.kind not in KINDS:
        hint = did_you_mean(spec.kind, KINDS)
        mistakes.add(("answer", "kind"), f"`kind` must be one of {', '.join(KINDS)}", hint=hint)
        return AnswerReader()
    try:
        return AnswerReader(**options)
    except InvalidInputError as error:
        place = next((name for name in ("pattern", "field", "tag", "language") if name in options), "kind")
        mistakes.add(("answer", place), str(error))
        return AnswerReader()


def _prompt(spec: PromptSpec) -> Prompt:
    given = dict(spec)
    given["examples"] = tuple(Example(question=e.question, answer=e.answer) for e in spec.examples)
    return Prompt(**given)


def _budget(spec: LimitsSpec) -> Budget:
    return Budget(**{name: value for name, value in spec if name != "per_problem" and value is not None})


def _problems(spec: ProblemsSpec | None, folder: Path) -> ProblemFile | None:
    if spec is None:
        return None
    given = dict(spec)
    return ProblemFile(path=folder / given.pop("file"), **given)
