"""Mistakes in a program file, gathered so that all are reported at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..errors import ProgramFileError
from .document import Document, KeyPath

__all__ = ["Mistakes", "did_you_mean"]

SHOWN_VALUE = 60  # characters

EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
}


def did_you_mean(given: str, known: Iterable[str]) -> str | None:
    """A hint with the closest known word, or None."""
    close = difflib.get_close_matches(given.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None


@dataclass(slots=True)
class Mistakes:
    """What is wrong with `document`, by place."""

    document: Document
    found: list[ProgramFileError] = field(default_factory=list)

    def add(self, path: KeyPath, message: str, *, hint: str | None = None, key: bool = False) -> None:
        """Note that the value (or the key) at `path` is wrong."""
        place = self.document.place(path, key=key)
        self.found.append(
            ProgramFileError(
                message,
                file=self.document.file,
                line=None if place is None else place.line,
                column=None if place is None else place.column,
                hint=hint,
            )
        )

    def add_validation(
        self, error: ValidationError, at: KeyPath, known: Callable[[KeyPath], Iterable[str]]
    ) -> None:
        """Note what pydantic found in the value at `at`; `known(path)` are the keys allowed at `path`."""
        for details in error.errors(include_url=False):
            path = (*at, *(step for step in details["loc"] if not str(step).startswith("<")))
            self._add_detail(details, path, tuple(known(path[:-1])))

    def _add_detail(self, details: ErrorDetails, path: KeyPath, known: tuple[str, ...]) -> None:
        name, kind, context = str(path[-1]) if path else "", details["type"], details.get("ctx", {})
        where = ".".join(str(step) for step in path[:-1])
        if kind == "extra_forbidden":
            hint = KEY_HINTS.get(name) or did_you_mean(name, known)
            expected = f"; expected one of: {', '.join(known)}" if known and hint is None else ""
            self.add(path, f"unknown key `{name}`{_inside(where)}{expected}", hint=hint, key=True)
        elif kind == "missing":
            self.add(path[:-1], f"`{name}` is missing{_inside(where)}")
        elif kind in EXPECTED:
            self.add(path, f"`{name}` must be {EXPECTED[kind]}, not {_shown(details['input'])}")
        elif kind == "literal_error":
            hint = did_you_mean(str(details["input"]), re.findall(r"'([^']+)'", str(context["expected"])))
            self.add(
                path, f"`{name}` must be {context['expected']}, not {_shown(details['input'])}", hint=hint
            )
        elif kind == "value_error":
            self.add(path, f"`{name}`: {context['error']}")
        else:
            said = details["msg"].replace("Input should be", "must be")
            self.add(path, f"`{name}` {said}, not {_shown(details['input'])}")

    def raise_any(self) -> None:
        """Raise what was found, if anything, in the file's order, as one error."""
        if not self.found:
            return
        ordered = sorted(self.found, key=lambda mistake: (mistake.line or 0, mistake.column or 0))
        first, rest = ordered[0], ordered[1:]
        if not rest:
            raise first
        others = "".join(f"\n{mistake}" for mistake in rest)
        hint = "" if first.hint is None else f"\n  hint: {first.hint}"
        raise ProgramFileError(
            f"{first.message}{hint}{others}", file=first.file, line=first.line, column=first.column
        )


NO_KEYS = "never write a key into a file: name an environment variable with `api_key_env`"
KEY_HINTS = {
    "api_key": NO_KEYS,
    "apikey": NO_KEYS,
    "key": NO_KEYS,
    "max_new_tokens": "did you mean `max_tokens`?",
    "url": "did you mean `base_url`?",
}


def _inside(where: str) -> str:
    return f" in `{where}`" if where else ""


def _shown(value: object) -> str:
    text = "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)
    return text if len(text) <= SHOWN_VALUE else text[: SHOWN_VALUE - 1] + "…"
