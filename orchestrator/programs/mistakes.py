"""Mistakes in a program file, gathered so that all are reported at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..errors import ProgramFileError
from ..spelling import did_you_mean
from .document import Document, KeyPath
from .layout import is_plain, key_text, quoted
from .spec import SamplingSpec

if TYPE_CHECKING:
    from .names import Names

__all__ = ["SHOWN_VALUE", "Mistakes"]

SHOWN_VALUE = 60  # characters

SHOWN_MISTAKES = 50
"""Mistakes that are told; of the others, only how many there are."""

MOST_HINTS = 2 * SHOWN_MISTAKES
"""Mistakes for which the closest word is looked for, which takes most of the time of a file full of them."""

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


@dataclass(slots=True)
class Mistakes:
    """What is wrong with `document`, by place.

    Attributes:
        document: The file.
        found: The mistakes, in the order they were found; one list for all files of a program.
        names: What the program's files declare by name; None where nothing can be declared.
        models: Names of the models there are; where there are none, they are not known, and any name passes.
        incomplete: Whether a file that is included could not be read, which may declare further names.
    """

    document: Document
    found: list[ProgramFileError] = field(default_factory=list)
    names: Names | None = None
    models: Sequence[str] = ()
    incomplete: bool = False

    def add_unknown(self, path: KeyPath, message: str, *, hint: str | None = None, key: bool = False) -> None:
        """Note that the name at `path` is unknown, unless a file is missing that may declare it."""
        if not self.incomplete:
            self.add(path, message, hint=hint, key=key)

    def add(
        self,
        path: KeyPath,
        message: str,
        *,
        hint: str | None = None,
        key: bool = False,
        offset: int | None = None,
    ) -> None:
        """Note that the value (or the key, or a character of the text) at `path` is wrong."""
        place = self.document.place(path, key=key, offset=offset)
        self.found.append(
            ProgramFileError(
                message,
                file=self.document.file,
                line=None if place is None else place.line,
                column=None if place is None else place.column,
                hint=hint,
                source=None if place is None else self.document.line(place.line),
            )
        )

    def closest(self, given: str, known: Iterable[str]) -> str | None:
        """`did_you_mean`, until so much is wrong that no more hints are shown."""
        return did_you_mean(given, known) if len(self.found) < MOST_HINTS else None

    def add_validation(
        self, error: ValidationError, at: KeyPath, known: Callable[[KeyPath], Iterable[str]], given: Any
    ) -> None:
        """Note what pydantic found in `given`, the value at `at`; `known(path)` are the keys allowed at `path`."""
        expected: dict[KeyPath, list[str]] = {}  # of what can be several things, all
        found = [((*at, *_within(given, details)), details) for details in error.errors(include_url=False)]
        for path, details in found:
            expected.setdefault(path, []).append(EXPECTED.get(details["type"], ""))
        for path, details in found:
            ways = expected.pop(path, None)
            if ways is None and details["type"] in EXPECTED:
                continue
            self._add_detail(details, path, tuple(known(path[:-1])), _either(ways or []))

    def _add_detail(
        self, details: ErrorDetails, path: KeyPath, known: tuple[str, ...], expected: str
    ) -> None:
        name, kind, context = str(path[-1]) if path else "", details["type"], details.get("ctx", {})
        where = ".".join(str(step) for step in path[:-1])
        if kind == "extra_forbidden":
            hint = (
                _strange_hint(name, details["input"], known) or _key_hint(path) or self.closest(name, known)
            )
            expected = f"; expected one of: {', '.join(known)}" if known and hint is None else ""
            said = f"unknown key `{_cut(name)}`{_inside(where)}{expected}"
            self.add(path, said, hint=hint, key=True)
        elif kind == "missing":
            self.add(path[:-1], f"`{name}` is missing{_inside(where)}")
        elif kind in EXPECTED:
            hint = _form(path, details["input"]) or _value_hint(path, kind, details["input"])
            said = f"`{_item(path)}` must be {expected}, not {_shown(details['input'])}"
            self.add(path, said, hint=hint)
        elif kind == "literal_error":
            hint = self.closest(str(details["input"]), re.findall(r"'([^']+)'", str(context["expected"])))
            self.add(
                path, f"`{name}` must be {context['expected']}, not {_shown(details['input'])}", hint=hint
            )
        elif kind == "model_kind":
            self.add(path, f"`{name}` {details['msg']}", hint=_form(path, details["input"]))
        elif kind == "value_error":
            self.add(path, f"`{name}`: {context['error']}")
        elif kind == "string_too_short" and not details["input"]:
            self.add(path, f"`{_item(path)}` must not be empty")
        else:
            said = details["msg"].replace("Input should be", "must be")
            self.add(path, f"`{name}` {said}, not {_shown(details['input'])}")

    def raise_any(self, files: Sequence[str] = ()) -> None:
        """Raise what was found, if anything, as one error: file by file, in the order they are read.

        Args:
            files: The program's files in their order; none where there is just one.
        """
        if not self.found:
            return
        order = {file: number for number, file in enumerate(files)}
        found = {(one.file, one.line, one.column, one.message): one for one in self.found}.values()
        first, *rest = sorted(
            found, key=lambda one: (order.get(one.file, len(order)), one.line or 0, one.column or 0)
        )
        raise ProgramFileError(
            first.message,
            file=first.file,
            line=first.line,
            column=first.column,
            hint=first.hint,
            source=first.source,
            others=tuple(rest[: SHOWN_MISTAKES - 1]),
            unsaid=max(0, len(rest) - (SHOWN_MISTAKES - 1)),
        )


def _within(given: Any, details: ErrorDetails) -> Iterator[str | int]:
    """The steps from `given` to what is wrong; pydantic's names for what a value could be are none."""
    last = len(details["loc"]) - 1
    for number, step in enumerate(details["loc"]):
        if isinstance(step, int) if isinstance(given, list) else isinstance(given, dict) and step in given:
            given = given[step]
            yield step
        elif number == last and details["type"] == "missing":
            yield step


def _either(ways: Sequence[str]) -> str:
    """What could stand somewhere, in words."""
    named = list(dict.fromkeys(filter(None, ways)))
    if EXPECTED["float_type"] in named and EXPECTED["int_type"] in named:
        named.remove(EXPECTED["int_type"])
    return " or ".join(named)


NO_KEYS = "never write a key into a file: name an environment variable with `api_key_env`"
KEY_HINTS = {
    "api_key": NO_KEYS,
    "apikey": NO_KEYS,
    "key": NO_KEYS,
    "max_new_tokens": "did you mean `max_tokens`?",
    "url": "did you mean `base_url`?",
    "id": "`id` stands beside what a step does: `{id: NAME, sample: {...}}`",
}


SAMPLING = tuple(SamplingSpec.model_fields)


def _key_hint(path: KeyPath) -> str | None:
    """What to write instead of an unknown key."""
    name = str(path[-1])
    if path == ("steps",):
        return "put it under `program:`"
    if path[:1] == ("models",) and len(path) == 3 and name in SAMPLING:
        return f"put it under `sampling`: `sampling: {{{name}: ...}}`"
    return KEY_HINTS.get(name)


NAMED = re.compile(r"\s*(\w+)\s*=\s*([\w.]{1,40})\s*")
"""A name that is given a value as in Python."""

FORMS: Mapping[KeyPath, str] = {
    ("answer",): "answer: {{kind: {0}}}",
    ("include",): "include: [{0}]",
    ("models",): "models: {{small: {{local: {0}}}}}",
    ("problems",): "problems: {{file: {0}}}",
    ("prompt",): "prompt: {{template: {0}}}",
}
"""How what is given alone is written in full."""


def _form(path: KeyPath, given: object) -> str | None:
    """How a text is written that is given in the place of a mapping or a list that has it."""
    form = "{name}: {{local: {0}}}" if path[:1] == ("models",) and len(path) == 2 else FORMS.get(path)
    named = NAMED.fullmatch(given) if isinstance(given, str) and path[-1:] in (("let",), ("set",)) else None
    if named is not None:
        return f"write `{path[-1]}: {{{named[1]}: {named[2]}}}`"
    if form is None or not isinstance(given, str) or len(given) > SHOWN_VALUE:
        return None
    name = str(path[-1])
    if not (given + name).isprintable():
        return None
    text = given if is_plain(given, flow=True) else quoted(given)
    return f"write `{form.format(text, name=key_text(name))}`"


def _value_hint(path: KeyPath, kind: str, given: object) -> str | None:
    """What to write for another value than was meant."""
    if path[-2:] == ("return", "value") and isinstance(given, list):
        return "one of several is chosen by a vote: `return: {vote: {of: [...]}}`"
    if kind == "string_type" and isinstance(given, bool | int | float):
        return "put it in quotes"
    if isinstance(given, str) and given.lower() == "none" and kind != "string_type":
        return "where there can be none, it is written `null`"
    return None


def _item(path: KeyPath) -> str:
    """The last key of a path, with the number of what stands there in a list."""
    first = max((number for number, step in enumerate(path) if isinstance(step, str)), default=0)
    return "".join(str(step) if isinstance(step, str) else f"[{step}]" for step in path[first:])


def _inside(where: str) -> str:
    return f" in `{_cut(where)}`" if where else ""


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_VALUE else text[: SHOWN_VALUE - 1] + "…"


def _strange_hint(key: str, given: object, known: Iterable[str]) -> str | None:
    """How YAML makes a key of what was meant as something else."""
    if re.fullmatch(r"[\w.$-]*", key):
        return None
    if given is None and (joined := re.fullmatch(r"([\w.$-]+):(\S.*)", key)):
        return f"put a space behind the colon: `{joined[1]}: {joined[2]}`"
    if (name := key.replace(" ", "_")) in known:
        return f"did you mean `{name}`?"
    if isinstance(given, list) and "when" in known:
        return f"write `{{when: {_cut(key)}, steps: [...]}}`"
    # Between braces YAML cuts texts at commas, and what follows one looks like a key without a value.
    return "between braces, put a text with a comma in it in quotes" if given is None else None


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    return _cut(
        "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)
    )
