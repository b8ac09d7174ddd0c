"""Which program a journal belongs to: a text for people, and a hash of what decides its behaviour.

The hash is of the program as an object: comments, the order of keys and short ways of writing leave no trace in it.
The text is the program as a file says it, by which two programs that are not the same are compared.
"""

from __future__ import annotations

import copyreg
import dataclasses
import difflib
import enum
import functools
import hashlib
import inspect
import operator
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..backends.model import Model
from ..budget import Budget
from ..errors import InvalidInputError

__all__ = ["describe", "difference", "models_text", "program_hash", "program_text"]

LONGEST_DIFFERENCE = 60
"""Lines of a difference that are shown."""

LONGEST_LINE = 200
"""Characters of such a line."""


def describe(program: Any) -> str:
    """`program` on one line."""
    text = repr(program) if dataclasses.is_dataclass(program) else _qualified_name(program)
    return " ".join(text.split())


def program_hash(*parts: Any) -> str:
    """A hash of programs and settings.

    Dataclasses by type and fields that are compared; mappings without the order of their keys, unless it is an
    `OrderedDict`'s; functions by name and source, or name and bytecode where no source can be had (typed into a
    prompt); other objects by what they would be pickled by. What a function closes over is not looked at.

    Raises:
        InvalidInputError: Something in it is known by nothing but that it is there, such as a lock or a socket.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_canonical(part).encode("utf-8", "replace") + b"\x00")
    return digest.hexdigest()


def models_text(models: Mapping[str, Model]) -> dict[str, Any]:
    """What of a run's models decides what a program does: their names in order, which is served, how it is sampled.

    Not where it is served, nor its price, key and limits: a server may move.
    """
    return {name: _model_text(name, model) for name, model in models.items()}


def _model_text(name: str, model: Model) -> dict[str, Any]:
    sampling = {
        field: float(value) if type(value) is int else value  # 1 as 1.0, however it was written
        for field, value in model.sampling.items()
        if value is not None
    }
    return {"model": model.backend.name, **({"sampling": sampling} if sampling else {})}


def program_text(program: Any, answers: Any, prompt: Any, models: Mapping[str, Any]) -> str:
    """What `program_hash` is taken of, as a program file says it; an outline of its objects where no file can."""
    from ..programs.writing import (
        dump_run,  # which loads what reads files: only a run with a journal waits for it
    )

    try:
        return dump_run(program, answers=answers, prompt=prompt, models=models)
    except InvalidInputError:
        parts = {"models": OrderedDict(models), "prompt": prompt, "answer": answers, "program": program}
        return "".join(f"{line}\n" for name, part in parts.items() for line in _outline(name, part, ""))


def difference(earlier: str, now: str) -> str:
    """A unified diff of two programs' texts, of bounded length; "" where they are the same."""
    lines = list(
        difflib.unified_diff(
            earlier.splitlines(), now.splitlines(), fromfile="journal", tofile="now", lineterm="", n=2
        )
    )
    shown = [line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…" for line in lines]
    if len(shown) > LONGEST_DIFFERENCE:
        shown[LONGEST_DIFFERENCE:] = [f"… and {len(lines) - LONGEST_DIFFERENCE} lines more"]
    return "".join(f"{line}\n" for line in shown)


def _outline(name: str, part: Any, margin: str) -> Iterator[str]:
    """A line for each part, deeper ones further in; fields that have their defaults are left out."""
    inside = margin + "  "
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        yield f"{margin}{name}: {_qualified_name(type(part))}"
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if field.compare and not _is_default(field, value):
                yield from _outline(field.name, value, inside)
    elif isinstance(part, Mapping) and part:
        yield f"{margin}{name}:"
        for key, value in _items(part):
            yield from _outline(str(key), value, inside)
    elif isinstance(part, list | tuple) and part:
        yield f"{margin}{name}:"
        for value in part:
            yield from _outline("-", value, inside)
    elif inspect.isfunction(part) or inspect.ismethod(part):
        yield f"{margin}{name}: {_qualified_name(part)}"
        yield from (f"{inside}| {line}" for line in _source(part).splitlines())
    else:
        yield f"{margin}{name}: {_canonical(part)}"


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return bool(value is field.default or value == field.default)


def _canonical(part: Any, above: tuple[int, ...] = ()) -> str:
    """A text that two parts have in common when a program does the same with both, as far as can be told.

    `above` are the identities of the objects that `part` is inside of: one that holds itself has no end.
    """
    if id(part) in above:
        return f"<{len(above) - above.index(id(part))} above>"

    def inner(*parts: Any) -> str:
        return ",".join(_canonical(one, (*above, id(part))) for one in parts)

    if isinstance(part, enum.Enum):
        return f"{_qualified_name(type(part))}.{part.name}"
    if isinstance(part, float):
        return repr(float(part))  # also where it is a number of numpy
    if isinstance(part, str | int | bytes | type(None)):
        return repr(part)
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        fields = ",".join(f"{name}={inner(value)}" for name, value in _compared(part))
        return f"{_qualified_name(type(part))}({fields})"
    if isinstance(part, Mapping):
        return "{" + ",".join(f"{inner(key)}:{inner(value)}" for key, value in _items(part)) + "}"
    if isinstance(part, list | tuple):
        return f"[{inner(*part)}]"
    if isinstance(part, set | frozenset):
        return "{" + ",".join(sorted(inner(value) for value in part)) + "}"
    if isinstance(part, functools.partial):
        return f"partial({inner(part.func, part.args, part.keywords)})"
    if inspect.isfunction(part):
        return f"{_qualified_name(part)}:{_source(part)}"
    if inspect.ismethod(part):
        return f"{inner(part.__func__)} of {inner(part.__self__)}"
    if isinstance(part, type) or inspect.isroutine(part) or inspect.ismodule(part):
        return _qualified_name(part)
    return inner(*_pickled_by(part))


def _compared(part: Any) -> Iterator[tuple[str, Any]]:
    """The fields by which a dataclass is told from others, as they are meant."""
    for field in dataclasses.fields(part):
        if field.compare:
            value = getattr(part, field.name)
            if isinstance(part, Budget) and field.name == "usd":
                value = part.picodollars  # however it was written
            yield field.name, _as_declared(field, value)


def _items(part: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """The items of a mapping; sorted, unless their order is said to matter."""
    items = list(part.items())
    return items if isinstance(part, OrderedDict) else sorted(items, key=lambda item: repr(item[0]))


def _pickled_by(part: Any) -> Sequence[Any]:
    """An object's type and what it would be made again of."""
    try:
        how = copyreg.dispatch_table.get(type(part), operator.methodcaller("__reduce_ex__", 4))(part)
    except Exception as error:
        raise InvalidInputError(
            f"a journal must tell its program from others, and a {type(part).__qualname__} in it says nothing by "
            "which it could: make it a dataclass, or leave it out of what is compared (field(compare=False))"
        ) from error
    if isinstance(how, str):
        return _qualified_name(type(part)), how
    makes, arguments, *contents = how
    state, *items = contents or [None]
    return (
        _qualified_name(type(part)),
        getattr(makes, "__qualname__", ""),
        arguments,
        state,
        [list(one) for one in items[:2] if one is not None],
    )


def _as_declared(field: dataclasses.Field[Any], value: Any) -> Any:
    """A whole number that was given for a float, as that: a file that says 1 there means 1.0."""
    words = str(field.type).replace("|", " ").split()
    return float(value) if type(value) is int and "float" in words and "int" not in words else value


def _source(function: Any) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return str(function.__code__.co_code.hex())


def _qualified_name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"
