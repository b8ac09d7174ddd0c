"""The further fields of problems: of the kinds that a program file declares, and those that its prompt names."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInputError, ProgramFileError
from ..spelling import did_you_mean
from ..templates import Template
from ..types import Problem
from .document import Document, KeyPath
from .spec import FieldKind

__all__ = ["PromptTemplate", "check_fields", "read_cell"]

NUMBER = re.compile(r"[+-]?(\d+|(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?)", re.ASCII)

LONGEST_SHOWN = 60
"""Characters of a value that is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTemplate:
    """The template that a program file has problems put through, and where it stands.

    Attributes:
        text: The template.
        document: The file.
        at: Where the file says it.
    """

    text: str
    document: Document
    at: KeyPath

    def check(self, problem: Problem) -> None:
        """Refuse a problem without the fields that the template names; a chat is put as it is.

        Raises:
            ProgramFileError: It names one that the problem lacks.
        """
        template, known = Template.of(self.text), {"problem", *problem.fields}
        missing = sorted(template.names - known, key=template.place)
        if not missing or problem.prompt is None:
            return
        offset = template.place(missing[0]) if self.document.at(self.at) == self.text else None
        place = self.document.place(self.at, offset=offset)
        hint = did_you_mean(missing[0], known)
        raise ProgramFileError(
            f"problem {problem.id!r} has no field `{missing[0]}`; there is: {', '.join(sorted(known))}",
            file=self.document.file,
            line=None if place is None else place.line,
            column=None if place is None else place.column,
            hint=hint,
            source=None if place is None else self.document.line(place.line),
        )


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
