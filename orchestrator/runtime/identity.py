"""Which program a journal belongs to: a text for people, and a hash of what decides its behaviour.

The hash is of the program as an object: comments, the order of keys and short ways of writing leave no trace in it.
The text is the program as a file says it, by which two programs that are not the same are compared.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import hashlib
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import InvalidInputError

__all__ = ["describe", "difference", "program_hash", "program_text"]

LONGEST_DIFFERENCE = 60
"""Lines of a difference that are shown."""

LONGEST_LINE = 200
"""Characters of such a line."""


def describe(program: Any) -> str:
    """`program` on one line."""
    text = repr(program) if dataclasses.is_dataclass(program) else _qualified_name(program)
    return " ".join(text.split())


def program_hash(*parts: Any) -> str:
    """A hash of programs and settings: dataclasses by type and fields, functions by name and source.

    A function whose source cannot be had (typed into a prompt) is known by its name and bytecode. What a function
    closes over is not looked at.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_canonical(part).encode("utf-8", "replace") + b"\x00")
    return digest.hexdigest()


def program_text(program: Any, answers: Any, prompt: Any, models: Sequence[str]) -> str:
    """What `program_hash` is taken of, as a program file says it; an outline of its objects where no file can."""
    from ..programs.writing import (
        dump_run,  # which loads what reads files: only a run with a journal waits for it
    )

    try:
        return dump_run(program, answers=answers, prompt=prompt, models=models)
    except InvalidInputError:
        parts = {"models": list(models), "prompt": prompt, "answer": answers, "program": program}
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


def _canonical(part: Any) -> str:
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        fields = ",".join(
            f"{field.name}={_canonical(_as_declared(field, getattr(part, field.name)))}"
            for field in dataclasses.fields(part)
            if field.compare
        )
        return f"{_qualified_name(type(part))}({fields})"
    if isinstance(part, dict):
        return "{" + ",".join(f"{key!r}:{_canonical(value)}" for key, value in sorted(part.items())) + "}"
    if isinstance(part, list | tuple):
        return "[" + ",".join(_canonical(value) for value in part) + "]"
    if isinstance(part, functools.partial):
        return f"partial({_canonical(part.func)},{_canonical(part.args)},{_canonical(part.keywords)})"
    if inspect.isfunction(part) or inspect.ismethod(part):
        return f"{_qualified_name(part)}:{_source(part)}"
    if isinstance(part, str | int | float | bool | bytes | type(None)):
        return repr(part)
    return _qualified_name(type(part))


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
