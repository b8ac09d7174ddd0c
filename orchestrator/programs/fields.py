"""The further fields of problems, of the kinds that a program file declares."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInputError
from ..types import Problem
from .spec import FieldKind

__all__ = ["check_fields", "read_cell"]

NUMBER = re.compile(r"[+-]?(\d+|(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?)", re.ASCII)

LONGEST_SHOWN = 60
"""Characters of a value that is refused."""


def check_fields(fields: Mapping[str, FieldKind], problem: Problem) -> None:
    """Refuse a problem without the fields that are declared.

    Raises:
        InvalidInputError: One is missing, or of another kind.
    """
    for name, kind in fields.items():
        if name not in problem.fields:
            known = ", ".join(problem.fields) or "none"
            raise InvalidInputError(
                f"problem {problem.id!r} has no field `{name}`, which the program declares; its fields: {known}"
            )
        if not _is(kind, problem.fields[name]):
            shown = f"{problem.fields[name]!r:.{LONGEST_SHOWN}}"
            raise InvalidInputError(
                f"problem {problem.id!r}: the field `{name}` must be a {_SAID[kind]}, not {shown}"
            )


def read_cell(name: str, kind: FieldKind, text: str) -> Any:
    """The value of a field in a table, where all cells are texts: of a list it is the JSON.

    Raises:
        InvalidInputError: The cell is none of this kind.
    """
    if kind == "text":
        return text
    given = text.strip()
    try:
        if kind == "list":
            value = json.loads(given)
        elif NUMBER.fullmatch(given) is None:
            value = None
        else:
            value = int(given) if given.lstrip("+-").isdigit() else float(given)
    except (ValueError, RecursionError):  # no JSON, or more digits than can be read
        value = None
    if not _is(kind, value):
        form = ', as JSON such as ["a", "b"]' if kind == "list" else ""
        raise InvalidInputError(
            f"the field `{name}` must be a {_SAID[kind]}{form}, not {text!r:.{LONGEST_SHOWN}}"
        )
    return value


_SAID: Mapping[FieldKind, str] = {"text": "text", "number": "number", "list": "list of texts"}


def _is(kind: FieldKind, value: Any) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind == "list":
        return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)
