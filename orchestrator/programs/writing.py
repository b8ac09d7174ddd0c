"""Programs as files: what `load` made, or Python, written so that loading it gives the same again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..answers import AnswerReader
from ..budget import Budget
from ..errors import InvalidInputError
from ..primitives import PRIMITIVES, Primitive, Steps
from ..primitives.base import Block
from ..prompts import Prompt
from .annotations import (
    hint_of,
    is_default,
    is_mapping,
    is_required,
    kinds_of,
    parameters,
    python_only,
    shown_as,
    without_none,
)
from .layout import Collection, Entry, Node, Scalar, emit, key_text, text_scalar
from .loader import Program
from .names import FILLED
from .problems import ProblemFile
from .registries import STRATEGIES, VERIFIERS, Registry, kind_of, registry_of
from .spec import AnswerSpec, ModelSpec, ProblemsSpec, ProgramSpec, PromptSpec

__all__ = ["as_data", "dump", "dump_run"]


def dump(program: Any) -> str:
    """`program` as YAML, in one form: parameters that have their defaults are left out, and none is abbreviated.

    A loaded program gives a whole file. A strategy, or steps, give a file without models: `loads` reads it, and who
    runs it gives the models. A part, such as a verifier, gives what stands under the key that takes it.

    Args:
        program: A loaded program, a strategy, steps, a verifier, or another part that has a key in files.

    Raises:
        InvalidInputError: No file can say it: it holds a function or an object of one's own, and names the parameter;
            or a prompt's system message looks like a template, which a file may not have.
    """
    data = as_data(program)
    if isinstance(data, dict) and "version" in data:
        for prompt in (data.get("prompt", {}), *data.get("prompts", {}).values()):
            if FILLED.search(prompt.get("system", "")):
                raise InvalidInputError("no file can say a prompt whose `system` looks like a template")
    return f"{data}\n" if isinstance(data, str) else emit(_mapping(data))


def as_data(program: Any) -> Any:
    """What `dump` writes, as plain mappings, lists and values."""
    if isinstance(program, Program):
        return _file(program)
    writer = _Writer(folder=Path())
    if isinstance(program, Primitive):
        return writer.step(program, program.key)
    registry = registry_of(type(program))
    if registry is None and not isinstance(program, Steps):
        raise InvalidInputError(f"a {type(program).__name__} has no key in program files, so none can say it")
    data = writer.part(registry or STRATEGIES, program, "")
    if registry not in (None, STRATEGIES):
        return data
    return _in_order({"version": 1, "prompts": writer.said_prompts(), "program": data})


def dump_run(program: Any, *, answers: AnswerReader, prompt: Prompt, models: Mapping[str, Any]) -> str:
    """What decides how `program` solves a problem, with this of its models; what `dump` gives, else.

    Raises:
        InvalidInputError: As `dump`.
    """
    sections = {
        **as_data(program),
        "prompt": _prompt(prompt),
        "answer": _answer(answers),
        "models": {name: _without_points(model) for name, model in models.items()},
    }
    for name in ("version", "budget", "problems"):
        sections.pop(name, None)
    return emit(_mapping(_in_order(sections)))


# Sections ------------------------------------------------------------------------------------------------


def _file(program: Program) -> dict[str, Any]:
    writer = _Writer(folder=Path(program.file).parent)
    checked = program.check is not None
    sections: dict[str, Any] = {
        "version": 1,
        "models": {
            name: writer.model(spec, program.folders.get(name)) for name, spec in program.specs.items()
        },
        "budget": {**_limits(program.budget), "per_problem": _limits(program.per_problem)},
        "problem": {"fields": dict(program.fields)} if program.fields else None,
        "problems": None if program.problems is None else writer.problems(program.problems),
        "prompt": _prompt(program.prompt),
        "answer": _answer(program.answers),
        "check": writer.part(VERIFIERS, program.check, "check") if checked else None,
        "program": writer.part(
            STRATEGIES, program.strategy, "program", keep=("verifier",) if checked else ()
        ),
    }
    sections["prompts"] = writer.said_prompts()
    if not sections["budget"]["per_problem"]:
        del sections["budget"]["per_problem"]
    return _in_order(sections)


def _in_order(sections: Mapping[str, Any]) -> dict[str, Any]:
    """The sections that say something, as a file has them one after the other."""
    return {
        name: sections[name] for name in ProgramSpec.model_fields if sections.get(name) not in (None, {}, [])
    }


def _without_points(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: one if name == "extra" else _without_points(one) for name, one in value.items()}
    return _without_point(value)


def _limits(budget: Budget) -> dict[str, Any]:
    given = {field.name: getattr(budget, field.name) for field in dataclasses.fields(budget)}
    return {name: _number(value) for name, value in given.items() if value is not None}


def _number(value: Any) -> Any:
    return _without_point(float(value)) if isinstance(value, str | Decimal | float) else value


def _prompt(prompt: Prompt) -> dict[str, Any]:
    said = _differing(prompt, PromptSpec)
    if "examples" in said:
        said["examples"] = [{"question": one.question, "answer": one.answer} for one in prompt.examples]
    return said


def _answer(answers: AnswerReader) -> dict[str, Any]:
    if answers.function is not None:
        raise InvalidInputError("`answer.function` is a function of Python, which no file can say")
    said = _differing(answers, AnswerSpec)
    if answers.labels is not None:
        del said["kind"]  # it follows from them
        said["labels"] = list(answers.labels)
    return said


def _differing(value: Any, spec: type[PromptSpec | AnswerSpec]) -> dict[str, Any]:
    default = type(value)()
    return {
        name: getattr(value, name)
        for name in spec.model_fields
        if getattr(value, name, None) != getattr(default, name, None)
    }


# Parts ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(slots=True, kw_only=True)
class _Writer:
    """Turns objects into what a file in `folder` says of them; keeps the prompts that it gives names."""

    folder: Path
    prompts: list[Prompt] = dataclasses.field(default_factory=list)

    def said_prompts(self) -> dict[str, Any]:
        """The section of that name."""
        return {f"prompt_{number}": _prompt(prompt) for number, prompt in enumerate(self.prompts, start=1)}

    def model(self, spec: ModelSpec, folder: Path | None) -> dict[str, Any]:
        """A model; `folder` is that of the file that describes it, where that is another."""
        said: dict[str, Any] = _without_points(spec.model_dump(exclude_defaults=True))
        for key in ("replay", "local"):
            if folder is not None and key in said and (folder / said[key]).is_file():
                said[key] = self._beside(str(folder / said[key]))
        return said

    def problems(self, problems: ProblemFile) -> dict[str, Any]:
        """The section of that name."""
        others = {
            field.name: getattr(problems, field.name)
            for field in dataclasses.fields(problems)
            if field.name in ProblemsSpec.model_fields
            and not is_default(field, getattr(problems, field.name))
        }
        if problems.path is None:
            raise InvalidInputError("problems from standard input have no file to be named")
        return {"file": self._beside(str(problems.path)), **others}

    # Parts -----------------------------------------------------------------------------------------------

    def part(self, registry: Registry, part: Any, at: str, *, keep: Sequence[str] = ()) -> Any:
        """`{key: {parameters}}`, or the key alone where there are none to give."""
        if registry is STRATEGIES and isinstance(part, Steps):
            return self._parameters(part, at, keep=("steps",))
        key = registry.key_of(type(part))
        if key is None:
            what = getattr(part, "__qualname__", type(part).__qualname__)
            raise InvalidInputError(
                f"`{at}` is {what}, which is no {registry.what} of program files: no file can say it"
            )
        given = self._parameters(part, _inside(at, key), keep=keep)
        return {key: given} if given else key

    def _parameters(
        self, part: Any, at: str, *, keep: Sequence[str] = (), only: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """What is given of a part's parameters: those that differ from their defaults, and those in `keep`."""
        kind, given = type(part), {}
        for name, field in parameters(kind).items():
            value, shown = getattr(part, name), shown_as(kind, name)
            if only is not None and name not in only:
                continue
            if isinstance(value, Primitive):  # `return: {vote: {...}}`
                given[value.key] = self._inner(value, _inside(at, value.key))
            elif name in keep or not is_default(field, value):
                given[shown] = self._parameter(kind, name, value, _inside(at, shown))
        return given

    def _parameter(self, part: type, name: str, value: Any, at: str) -> Any:
        inner = without_none(hint_of(part, name))
        if isinstance(value, Prompt) and Prompt in kinds_of(inner):
            return {"use": self._named(value)}
        if inner == Block:
            return self._block(value, at)
        if inner == Mapping[str, Block]:
            return {_key(label, at): self._block(block, f"{at}.{label}") for label, block in value.items()}
        kind = kind_of(part, name)
        if kind is not None:
            if isinstance(value, tuple | list):
                return [self._inside(kind, one, f"{at}[{number}]") for number, one in enumerate(value)]
            return None if value is None else self._inside(kind, value, at)
        if python_only(inner):
            raise InvalidInputError(f"`{at}` is an object of Python, which no file can say")
        if name == "file":
            return self._beside(str(value))
        plain = _plain(value, at)
        return _without_point(plain) if inner is float else plain

    def _named(self, prompt: Prompt) -> str:
        if prompt not in self.prompts:
            self.prompts.append(prompt)
        return f"prompt_{self.prompts.index(prompt) + 1}"

    # Steps -----------------------------------------------------------------------------------------------

    def _block(self, steps: Block, at: str) -> list[Any]:
        return [self.step(step, f"{at}[{number}]") for number, step in enumerate(steps)]

    def step(self, step: Primitive, at: str) -> dict[str, Any]:
        """A step: its `id`, what it does, and what stands beside."""
        kind = type(step)
        if PRIMITIVES.get(getattr(kind, "key", "")) is not kind:
            raise InvalidInputError(f"`{at}` is a {kind.__qualname__}, which is no step of program files")
        named = {} if step.id is None else {"id": step.id}
        beside = self._parameters(step, at, only=kind.beside)
        return {**named, step.key: self._inner(step, f"{at}.{step.key}"), **beside}

    def _inner(self, step: Primitive, at: str) -> Any:
        """What stands behind a step's key: its parameters, or one alone where it takes no more, or needs none."""
        kind = type(step)
        names = [name for name in parameters(kind) if name != "id" and name not in kind.beside]
        given = self._parameters(step, at, only=names)
        first = shown_as(kind, names[0])
        if len(names) == 1 and is_mapping(kind, names[0]):
            return given[first]
        alone = list(given) == [first] and is_required(parameters(kind)[names[0]])
        return given[first] if alone and not isinstance(given[first], dict) else given

    def _inside(self, kind: Registry | type, value: Any, at: str) -> Any:
        if isinstance(kind, Registry):
            return self.part(kind, value, at)
        if not isinstance(value, kind):
            raise InvalidInputError(f"`{at}` must be a {kind.__name__}, not {value!r}")
        inside = getattr(kind, "inline", None)
        if inside is None:
            return self._parameters(value, at)
        registry = kind_of(kind, inside)
        assert isinstance(registry, Registry)
        strategy = self.part(registry, getattr(value, inside), at)
        others = self._parameters(value, at)
        others.pop(inside)
        return strategy if not others else _as_mapping(strategy) | others

    def _beside(self, path: str) -> str:
        """A path as it is written into a file in the folder."""
        try:
            return Path(path).relative_to(self.folder).as_posix()
        except ValueError:
            return path


def _inside(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def _as_mapping(named: Any) -> dict[str, Any]:
    return {named: {}} if isinstance(named, str) else named


def _without_point(value: Any) -> Any:
    """A number for a parameter that is read as a float whichever way it is written: 0 for 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e9 else value


def _plain(value: Any, at: str) -> Any:
    """Texts, numbers, lists and mappings of them; anything else is refused."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInputError(f"`{at}` is {value}, which no file can say")
        return float(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(one, f"{at}[{number}]") for number, one in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(key, at): _plain(one, f"{at}.{key}") for key, one in value.items()}
    raise InvalidInputError(f"`{at}` is a {type(value).__name__}, which no file can say")


def _key(key: Any, at: str) -> str:
    if not isinstance(key, str) or key == "<<":
        raise InvalidInputError(f"`{at}` has the key {key!r}, which no file can say")
    return key


# Layout --------------------------------------------------------------------------------------------------


def _mapping(data: Mapping[str, Any], *, flow: bool = False) -> Collection:
    entries = [Entry(key=key_text(key), value=_node(value)) for key, value in data.items()]
    return Collection(entries=entries, flow=flow)


def _node(value: Any) -> Node:
    match value:
        case dict():
            return _mapping(value, flow=not any(_has_parts(one) for one in value.values()))
        case list():
            flow = not any(_has_parts(one) for one in value)
            items = [_mapping(one) if isinstance(one, dict) else _node(one) for one in value]
            return Collection(entries=[Entry(key=None, value=one) for one in items], is_list=True, flow=flow)
        case str():
            return text_scalar(value)
        case bool() | None:
            return Scalar(text={True: "true", False: "false", None: "null"}[value])
        case _:
            return Scalar(text=repr(value))


def _has_parts(value: Any) -> bool:
    return bool(value) and isinstance(value, dict | list)
