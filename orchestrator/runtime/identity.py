"""Which program a journal belongs to: a description for people and a hash of what decides its behaviour."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
from typing import Any

__all__ = ["describe", "program_hash"]


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


def _canonical(part: Any) -> str:
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        fields = ",".join(
            f"{field.name}={_canonical(getattr(part, field.name))}"
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


def _source(function: Any) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return str(function.__code__.co_code.hex())


def _qualified_name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"
