"""From a target and flags to a job: a program with its models, problems, budget and settings."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from ..answers import AnswerReader, Kind
from ..backends import Backend, HttpBackend, Model
from ..backends.local import LocalBackend
from ..budget import Budget
from ..contracts import ControlProgram, Verifier
from ..errors import InvalidInputError
from ..programs import ProblemFile, Program, load
from ..programs.models import api_key_from, usual_price
from ..programs.registries import STRATEGIES, key_of
from ..prompts import Prompt
from ..spelling import did_you_mean
from ..types import Problem
from .parameters import adjusted

__all__ = ["Flags", "Job", "count_problems", "make_job", "problem_file"]

NAMED_MODEL = re.compile(r"([A-Za-z_][\w.-]*)=(.+)", re.DOTALL)

STDIN = Path("-")
"""What `--problems` is given for standard input."""

COUNTED_BELOW = 64 * 2**20
"""Bytes of a problem file up to which its problems are counted before the run, for the progress bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What `orchestrator run` was given; None where a flag was not."""

    target: str
    problems: Path | None = None
    prompts: Sequence[str] = ()
    limit: int | None = None
    models: Sequence[str] = ()
    settings: Sequence[str] = ()
    base_url: str | None = None
    api_key_env: str | None = None
    price_in: float | None = None
    price_out: float | None = None
    n: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    kind: Kind | None = None
    budget: Mapping[str, Any] = field(default_factory=dict)
    per_problem: Mapping[str, Any] = field(default_factory=dict)
    allow_outside: bool = False
    costs: bool = False
    """Whether it is only to be worked out what it costs: without problems where there are none."""
    unkeyed: bool = False
    """Whether no model is to be asked anything, so that no keys are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything a run needs.

    Attributes:
        program: The control program.
        models: Its models, ready to be prepared.
        problems: The problems, read as they are needed.
        total: How many, or None when nobody counted.
        budget: Limits of the run.
        per_problem: Limits of each problem.
        answers: How answers are read.
        prompt: How problems are put.
        check: What judges answers without a reference, or None.
    """

    program: ControlProgram
    models: Mapping[str, Model]
    problems: Iterable[Problem]
    total: int | None
    budget: Budget
    per_problem: Budget
    answers: AnswerReader
    prompt: Prompt
    check: Verifier | None


def make_job(flags: Flags) -> Job:
    """The job `flags` describe; flags override what a program file says.

    Raises:
        InvalidInputError: A target, file or flag that does not fit; says which.
    """
    program = _target(flags)
    file = program if isinstance(program, Program) else None
    models = _models(flags, file)
    if file is not None:
        strategy = _adjusted(_unbound(file.strategy, flags, models), flags, models)
        answers = file.answers if flags.kind is None else replace(file.answers, kind=flags.kind)
        program = replace(file, strategy=strategy, answers=answers)
    else:
        program = _adjusted(program, flags, models)
        answers = AnswerReader() if flags.kind is None else AnswerReader(kind=flags.kind)
    problems, total = _problems(flags, file, models)
    return Job(
        program=program,
        models=models if is_dataclass(program) else _with_sampling(models, flags),
        problems=problems,
        total=total,
        budget=replace(file.budget if file else Budget(), **flags.budget),
        per_problem=replace(file.per_problem if file else Budget(), **flags.per_problem),
        answers=answers,
        prompt=file.prompt if file else Prompt(),
        check=file.check if file else None,
    )


# The program ---------------------------------------------------------------------------------------------


def _target(flags: Flags) -> Any:
    target = flags.target
    path, colon, function = target.rpartition(":")
    if colon and path.endswith(".py"):
        return _from_python(Path(path), function)
    if target in STRATEGIES.parts:
        return STRATEGIES.parts[target]
    if Path(target).suffix.lower() in (".yaml", ".yml") or Path(target).is_file():
        if Path(target).suffix == ".py":
            raise InvalidInputError(f"which function of {target}? write {target}:NAME")
        # Models that flags put in their place are not looked up.
        return load(target, allow_outside=flags.allow_outside, local_models=not flags.models)
    if (brought := STRATEGIES.find(target)) is not None:
        return brought
    hint = did_you_mean(target, STRATEGIES.known())
    raise InvalidInputError(
        f"{target!r} is neither a file nor a strategy; "
        + (hint or f"strategies: {', '.join(STRATEGIES.parts)}; programs: FILE.yaml or FILE.py:FUNCTION")
    )


def _from_python(path: Path, name: str) -> ControlProgram:
    """The program called `name` in a Python file, which is imported as a script's neighbour would be."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InvalidInputError(f"there is no file {str(path)!r}")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.parent.absolute()))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InvalidInputError(f"cannot import {path}: {type(error).__name__}: {error}") from error
    program = getattr(module, name, None)
    if not callable(program) or isinstance(program, type):
        public = sorted(
            key
            for key, value in vars(module).items()
            if callable(value) and getattr(value, "__module__", "") == path.stem
        )
        hint = did_you_mean(name, public) or (
            f"it has: {', '.join(public)}" if public else "it has no functions"
        )
        raise InvalidInputError(f"{path} has no control program {name!r}; {hint}")
    return program  # type: ignore[no-any-return]


def _adjusted(program: Any, flags: Flags, models: Mapping[str, Model]) -> Any:
    """`program` with the parameters that flags set."""
    asked = {"n": flags.n, "temperature": flags.temperature, "max_tokens": flags.max_tokens}
    given = {name: value for name, value in asked.items() if value is not None}
    called = flags.target if isinstance(program, type) else key_of(program)
    return adjusted(program, called=called, flags=given, settings=flags.settings, models=tuple(models))


def _unbound(strategy: Any, flags: Flags, models: Mapping[str, Model]) -> Any:
    """A file's strategy, on the first model when `--model` put it there in the place of the one it names."""
    model = getattr(strategy, "model", None)
    if model is None or model == next(iter(models)) or not flags.models or _only(flags) is None:
        return strategy
    return replace(strategy, model=None)


# Models --------------------------------------------------------------------------------------------------


def _models(flags: Flags, file: Program | None) -> Mapping[str, Model]:
    named = _named(flags.models)
    if not named:
        if flags.base_url is not None:
            raise InvalidInputError("--base-url needs --model: the name the server knows the model by")
        if flags.price_in is not None or flags.price_out is not None:
            raise InvalidInputError("--price-in and --price-out are for the model that --base-url names")
        if file is None:
            raise InvalidInputError(
                "which model? --model NAME for one of `orchestrator model list` or a .gguf file, or "
                "--base-url URL --model NAME for an endpoint"
            )
        return file.models_unkeyed() if flags.unkeyed else file.models
    if len(named) > 1 and flags.price_in is not None:
        raise InvalidInputError(
            "--price-in and --price-out are for one model: give several models' prices in a program file"
        )
    if file is None:
        return {name: Model(backend=_backend(flags, model)) for name, model in named.items()}
    return _replaced(flags, file, named)


def _replaced(flags: Flags, file: Program, named: Mapping[str, str]) -> Mapping[str, Model]:
    """The file's models with those that were named in their place: one alone in the place of all."""
    models = file.models_unkeyed() if flags.unkeyed else file.models
    chosen = {
        name: models[name]
        for name, model in named.items()
        if name == model and name in file.specs and flags.base_url is None
    }
    if not chosen and (model := _only(flags)) is not None:
        before = getattr(file.strategy, "model", None) or next(iter(models))
        return {model: Model(backend=_backend(flags, model), sampling=models[before].sampling)}
    given = {
        name: Model(
            backend=_backend(flags, model),
            sampling=models[name].sampling if name in file.specs else {},
        )
        for name, model in named.items()
        if name not in chosen
    }
    return {**chosen, **models, **given}


def _named(given: Sequence[str]) -> dict[str, str]:
    """The models of `--model` by the names strategies know them by: NAME=MODEL, or MODEL under its own."""
    named: dict[str, str] = {}
    for text in given:
        match = NAMED_MODEL.fullmatch(text)
        name, model = (match[1], match[2]) if match else (text, text)
        if name in named:
            raise InvalidInputError(f"--model gives {name!r} twice")
        named[name] = model
    return named


def _only(flags: Flags) -> str | None:
    """The model that was given alone and without a name of its own, or None."""
    [(name, model), *more] = _named(flags.models).items()
    return model if name == model and not more else None


def _backend(flags: Flags, model: str) -> Backend:
    if (flags.price_in is None) != (flags.price_out is None):
        raise InvalidInputError("--price-in and --price-out go together")
    if flags.base_url is None:
        if flags.price_in is not None:
            raise InvalidInputError(
                "a model on this machine costs nothing: leave --price-in and --price-out out"
            )
        return LocalBackend(model)
    return HttpBackend(
        base_url=flags.base_url,
        model=model,
        api_key=None if flags.unkeyed else api_key_from(flags.api_key_env),
        price=_price(flags) or usual_price(model, flags.base_url),
    )


def _price(flags: Flags) -> Mapping[str, float] | None:
    if flags.price_in is None or flags.price_out is None:
        return None
    return {"input": flags.price_in, "output": flags.price_out}


def _with_sampling(models: Mapping[str, Model], flags: Flags) -> Mapping[str, Model]:
    """For a program without parameters of its own, sampling flags are its models' defaults."""
    asked = {"temperature": flags.temperature, "max_tokens": flags.max_tokens}
    given = {name: value for name, value in asked.items() if value is not None}
    return {name: replace(model, sampling={**model.sampling, **given}) for name, model in models.items()}


# Problems ------------------------------------------------------------------------------------------------


def _problems(
    flags: Flags, file: Program | None, models: Mapping[str, Model]
) -> tuple[Iterable[Problem], int | None]:
    if flags.prompts and flags.problems is not None:
        raise InvalidInputError("give problems either with --problems or with -p")
    fields = {} if file is None else file.fields
    if flags.prompts:
        if fields:
            raise InvalidInputError(
                f"-p gives a problem no {_said(fields)}, which the program reads: {_GIVE_FILE}"
            )
        problems = [
            Problem(id=str(number), prompt=text) for number, text in enumerate(flags.prompts, start=1)
        ]
        return problems[: flags.limit], count_problems(problems[: flags.limit], file)
    source = problem_file(flags.problems, file)
    if source is not None:
        source = source if flags.limit is None else replace(source, limit=flags.limit)
        if (
            source.is_read_once
        ):  # whole, before the run: what is in flight does not wait for what comes from a pipe
            problems = list(source)
            return problems, count_problems(problems, file)
        if _is_small(source.path):
            return source, count_problems(source, file)
        count_problems(islice(source, 1), file)
        return source, None
    recorded = _recorded(models)
    count = count_problems(recorded, file)
    if recorded:
        return recorded[: flags.limit], count if flags.limit is None else min(count, flags.limit)
    if fields:
        raise InvalidInputError(f"no problems, and the program reads {_said(fields)} of each: {_GIVE_FILE}")
    if flags.costs:
        return [], 0
    raise InvalidInputError('no problems: give --problems FILE or -p "..."')


def problem_file(given: Path | None, file: Program | None) -> ProblemFile | None:
    """The file of problems: that of the flag `--problems`, or where it is not given, of the program file.

    Another file than the program's has the columns that the program names, and no excerpt is made of it.
    """
    named = None if file is None else file.problems
    if given is None:
        return named
    path = None if given == STDIN else given
    if named is not None:
        return replace(named, path=path, limit=None, offset=0)
    return ProblemFile(path=path, fields={} if file is None else file.fields)


def count_problems(problems: Iterable[Problem], file: Program | None) -> int:
    """How many there are.

    Raises:
        InvalidInputError: The program cannot be asked one of them.
    """
    count = 0
    for problem in problems:
        count += 1
        if file is not None:
            file.check_problem(problem)
    return count


def _is_small(path: Path | None) -> bool:
    try:
        return path is not None and path.stat().st_size <= COUNTED_BELOW
    except OSError:
        return True  # counting it says what is wrong


_GIVE_FILE = "give problems that have it with --problems FILE"


def _said(fields: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in fields)


def _recorded(models: Mapping[str, Model]) -> list[Problem]:
    """The problems of the first model that plays recorded samples."""
    from ..backends import ReplayBackend

    for model in models.values():
        if isinstance(model.backend, ReplayBackend):
            return model.backend.problems()
    return []
