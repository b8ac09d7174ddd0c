"""A program file as a control program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from ..answers import KINDS, AnswerReader, kinds
from ..backends.model import Model
from ..budget import Budget
from ..context import Context
from ..contracts import ControlProgram, Verifier, parts_of
from ..costs import FREE, Costing, Spending, limited
from ..errors import BackendError, BudgetExceededError, DeadlineExceededError, InvalidInputError
from ..expressions import TEXT, reading
from ..prompts import Prompt
from ..scores import unscored_by
from ..strategies.attempts import scored
from ..strategies.nested import candidates_of, drawn_on
from ..strategies.selection import all_of, with_all
from ..types import Outcome, Problem, Score
from ..verifiers import GeneratedTests
from .blocks import FIELD_TYPES, reserved
from .document import Document, KeyPath
from .fields import PromptTemplate, check_fields
from .includes import Source, Sources
from .mistakes import Mistakes
from .models import check_backend, check_local, check_replay, make_model
from .names import Names, check_system, is_template, make_prompt
from .parts import build
from .problems import ProblemFile
from .registries import STRATEGIES, VERIFIERS
from .spec import (
    AnswerSpec,
    BackendSpec,
    FieldKind,
    LimitsSpec,
    LocalSpec,
    ModelSpec,
    ProgramSpec,
    ReplaySpec,
    UseSpec,
)

__all__ = ["Program", "load", "loads"]


@dataclass(frozen=True, kw_only=True)
class Program:
    """A loaded program file: a control program with everything it runs on.

    As a part of another program it has that program's models, by their names, and runs inside its limits; what the
    file sets of each problem's limits, the prompt and how answers are read holds there. `budget` is that of a run.

    Attributes:
        strategy: What it does.
        check: Says whether an answer is right where there is no reference, or None; every sample of an
            outcome is scored by it.
        answers: How answers are read.
        prompt: How problems are put to models.
        budget: Limits of the run.
        per_problem: Limits of each problem.
        problems: The problems it names, or None.
        fields: What each problem has beside its text, where the file says so: `text`, `number` or `list`.
        template: The prompt's template, where the file gives one.
        file: Path as it was given.
        specs: The models as the file, and those it includes, describe them.
        folders: What paths in a model's description are meant from, for models of included files.
    """

    is_file: ClassVar[bool] = True
    """Tells it from a strategy with a parameter called `strategy`, where it cannot be imported."""

    strategy: ControlProgram
    check: Verifier | None = None
    answers: AnswerReader = field(default_factory=AnswerReader)
    prompt: Prompt = field(default_factory=Prompt)
    budget: Budget = field(default_factory=Budget, compare=False)
    per_problem: Budget = field(default_factory=Budget, compare=False)
    problems: ProblemFile | None = field(default=None, compare=False)
    fields: Mapping[str, FieldKind] = field(default_factory=dict)
    template: PromptTemplate | None = field(default=None, compare=False, repr=False)
    file: str = field(default="", compare=False)
    specs: Mapping[str, ModelSpec] = field(default_factory=dict, compare=False, repr=False)
    folders: Mapping[str, Path] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The models, ready to be prepared; nothing is started or connected yet.

        Raises:
            InvalidInputError: A key's environment variable is not set, or recorded samples cannot be read.
        """
        return self._models(keyed=True)

    def models_unkeyed(self) -> Mapping[str, Model]:
        """The models as far as costs need them; no key is read, and they are not to be asked anything."""
        return self._models(keyed=False)

    def _models(self, *, keyed: bool) -> Mapping[str, Model]:
        here = Path(self.file).parent
        return {
            name: make_model(spec, folder=self.folders.get(name, here), keyed=keyed)
            for name, spec in self.specs.items()
        }

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most: the strategy, and the check on all that it draws; as a part of another
        program no more than its limits of each problem.
        """
        found = await costing.program(self.strategy, on_branch=False)
        if self.check is not None:
            brought = candidates_of(found, self.strategy, costing)
            checked = await costing.scoring(self.check, brought.count, replace(brought, count=1.0))
            if checked.worst != FREE:
                found = replace(found, worst=found.worst + checked.worst, parts=(*found.parts, checked))
        within = limited(found.worst, self.per_problem) if costing.branched else found.worst
        return found if within == found.worst else replace(found, worst=within, note="at most its budget")

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return int(getattr(self.strategy, "calls_at_once", 1))

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Run the strategy on `problem`, then the check on what it drew.

        On a branch, as a part of another program, it runs under the limits of each problem that the file sets, and as
        `inside` says; for a run of its own these are the controller's.

        Raises:
            InvalidInputError: As `check_problem`.
        """
        self.check_problem(problem)
        if ctx.path:
            ctx = self.inside(ctx)
            if self.per_problem != Budget():
                ctx = ctx.branch(label="program", budget=self.per_problem)
        outcome = await self.strategy(ctx, problem)
        return outcome if self.check is None else await self._checked(self.check, ctx, problem, outcome)

    def check_problem(self, problem: Problem) -> None:
        """Refuse a problem that the program cannot be asked.

        Raises:
            InvalidInputError: It lacks a field that the file declares or a template names, or has one of another
                kind.
        """
        check_fields(self.fields, problem)
        if self.template is not None:
            self.template.check(problem)
        for verifier in self._asking_with_columns:
            named = verifier.columns_named()
            if missing := sorted(named - {*problem.fields}):
                raise InvalidInputError(
                    f"problem {problem.id!r} has no field `{missing[0]}`, which the template of `{verifier.name}` "
                    f"names; its fields: {', '.join(problem.fields) or 'none'}"
                )

    @cached_property
    def _asking_with_columns(self) -> list[GeneratedTests]:
        """The verifiers whose templates name columns of problems."""
        held = [*parts_of(self.strategy), *parts_of(self.check)]
        return [one for one in held if isinstance(one, GeneratedTests) and one.columns_named()]

    def inside(self, ctx: Context) -> Context:
        """`ctx` for this program as a part of another: with the file's prompt and reading of answers, where set."""
        prompt = None if self.prompt == Prompt() else self.prompt
        return ctx.using(prompt=prompt, answers=None if self.answers == AnswerReader() else self.answers)

    def budgets(self) -> Iterator[Budget]:
        """The limits it runs under as a part of another program, but for those its strategy has inside."""
        yield self.per_problem

    async def _checked(self, check: Verifier, ctx: Context, problem: Problem, outcome: Outcome) -> Outcome:
        outcome = replace(outcome, candidates=outcome.candidates or tuple(drawn_on(ctx)))
        candidates, unscored = unscored_by(check, problem, all_of(outcome))
        scores: Sequence[Score] = ()
        # The check is a measure: without it the outcome still stands. Within another program, a limit that it has met
        # ends that one.
        measure = ctx if ctx.path else ctx.using(measuring=True)
        with suppress(BackendError, BudgetExceededError, DeadlineExceededError):
            scores = await measure.score(check, problem, unscored)
        return with_all(outcome, scored(ctx, check, problem, candidates, scores))


def load(file: str | Path, *, allow_outside: bool = False, local_models: bool = False) -> Program:
    """The control program in a YAML file, with its models, budget, prompt and problems.

    Nothing is started, fetched or connected, and no key is read.

    Args:
        file: The file.
        allow_outside: Whether it may include files that are not in its folder or below.
        local_models: Whether models on this machine are looked up: their names must be known here, and their files
            and those of recorded samples be there.

    Raises:
        ProgramFileError: The file is not a program; says where, what was expected, and all mistakes at once.
    """
    sources = Sources(file, allow_outside=allow_outside)
    return _program(sources, needs_models=True, local_models=local_models)


def loads(text: str, *, file: str | Path = "<text>", allow_outside: bool = False) -> Program:
    """The control program in a YAML text, as `load`; one without `models` is run with those the caller gives.

    Args:
        text: What the file says.
        file: What errors call it; the files it names are looked for beside it.
        allow_outside: As in `load`.

    Raises:
        ProgramFileError: As `load`.
    """
    return _program(Sources(file, text=text, allow_outside=allow_outside), needs_models=False)


def _program(sources: Sources, *, needs_models: bool, local_models: bool = False) -> Program:
    names = Names(sources, reserved=reserved(), build=build)
    top = sources.top
    answers = _reader(top.document, top.mistakes)
    with reading(answers):
        strategy, check = _parts(sources)
    prompt, template = _prompt(top, names)
    if "outputs" in top.document.data and not _has_steps(top.document.data):
        top.mistakes.add(("outputs",), "only a `program` made of `steps` has outputs", key=True)
    names.finish()
    if (needs_models and not sources.incomplete) or names.of("models"):
        _check_models(sources, names, local=local_models)
    sources.raise_any()
    spec = top.spec
    assert isinstance(spec, ProgramSpec)
    assert strategy is not None, "a program that cannot be made has a mistake that is noted"
    return Program(
        strategy=strategy,
        check=check,
        answers=answers,
        prompt=prompt,
        budget=_budget(spec.budget),
        per_problem=_budget(spec.budget.per_problem),
        problems=_problems(spec, top.folder),
        fields=spec.problem.fields,
        template=template,
        file=top.document.file,
        specs={name: model for name, model, _ in names.models()},
        folders={name: source.folder for name, _, source in names.models() if source is not top},
    )


def _has_steps(data: Mapping[str, Any]) -> bool:
    program = data.get("program")
    return isinstance(program, dict) and "steps" in program


def _parts(sources: Sources) -> tuple[Any, Any]:
    """The program's strategy and check; None where there are mistakes."""
    data, mistakes = sources.top.document.data, sources.top.mistakes
    check = strategy = None
    if data.get("check") is not None:
        check = build(VERIFIERS, data["check"], ("check",), mistakes)
    if "program" in data:
        defaults = {"verifier": check}
        strategy = build(STRATEGIES, data["program"], ("program",), mistakes, defaults=defaults)
    return strategy, check


def _check_models(sources: Sources, names: Names, *, local: bool) -> None:
    """Note that there are no models, and what is wrong with those of other packages or on this machine."""
    known, top = names.of("models"), sources.top
    if "models" not in top.document.data and not known:
        top.mistakes.add((), "`models` is missing", hint="such as `models: {small: {local: NAME}}`")
    elif top.document.at(("models",)) == {} and not known:
        top.mistakes.add(("models",), "`models` must have at least one model")
    for name, spec, source in names.models():
        if isinstance(spec, BackendSpec):
            check_backend(spec, ("models", name), source.mistakes)
        elif local and isinstance(spec, LocalSpec):
            check_local(spec, source.folder, ("models", name), source.mistakes)
        elif local and isinstance(spec, ReplaySpec):
            check_replay(spec, source.folder, ("models", name), source.mistakes)


LABEL_WORDS = frozenset({"label", "labels", "choices", "class", "category", "enum"})
"""What somebody may take for the kind of an answer that is one of a set of labels."""

LABELS_HINT = "a set of labels is no kind: write `answer: {labels: [LABEL, LABEL]}`"


def _reader(document: Document, mistakes: Mistakes) -> AnswerReader:
    given = document.at(("answer",))
    try:
        spec = AnswerSpec.model_validate({} if given is None else given)
    except ValidationError:
        return AnswerReader()  # the whole file's spec says what is wrong
    options: dict[str, Any] = {name: value for name, value in spec if value is not None}
    if spec.kind not in KINDS and spec.kind not in kinds():
        hint = LABELS_HINT if spec.kind.lower() in LABEL_WORDS else mistakes.closest(spec.kind, kinds())
        mistakes.add(("answer", "kind"), f"`kind` must be one of {', '.join(kinds())}", hint=hint)
        return AnswerReader()
    try:
        return AnswerReader(**options)
    except InvalidInputError as error:
        ways = [name for name in ("labels", "pattern", "field", "tag", "language") if name in options]
        mistakes.add(("answer", ways[0] if ways and spec.kind in KINDS else "kind"), str(error))
        return AnswerReader()


def _prompt(top: Source, names: Names) -> tuple[Prompt, PromptTemplate | None]:
    """The prompt as `prompt` and `problem` say, and its template, where they give one."""
    spec, mistakes = top.spec, top.mistakes
    if not isinstance(spec, ProgramSpec):
        return Prompt(), None
    types = {"problem": TEXT, **{name: FIELD_TYPES[kind] for name, kind in spec.problem.fields.items()}}
    known = types if spec.problem.fields else None
    at: KeyPath = ("prompt", "template")
    if isinstance(spec.prompt, UseSpec):
        prompt = names.prompt({"use": spec.prompt.use}, ("prompt",), mistakes) or Prompt()
        at = ("prompt", "use")
    else:
        prompt = make_prompt(spec.prompt)
        check_system(prompt.system, ("prompt",), mistakes)
    if spec.problem.template is not None:
        if prompt.template != Prompt().template:
            mistakes.add(
                ("problem", "template"), "the prompt has a template already", hint="give one of the two"
            )
        at, prompt = ("problem", "template"), replace(prompt, template=spec.problem.template)
    if prompt.template == Prompt().template or not is_template(prompt.template, at, mistakes, known):
        return prompt, None
    return prompt, PromptTemplate(text=prompt.template, document=top.document, at=at)


def _budget(spec: LimitsSpec) -> Budget:
    return Budget(**{name: value for name, value in spec if name != "per_problem" and value is not None})


def _problems(spec: ProgramSpec, folder: Path) -> ProblemFile | None:
    if spec.problems is None:
        return None
    given = dict(spec.problems)
    return ProblemFile(path=folder / given.pop("file"), **given, fields=spec.problem.fields)
