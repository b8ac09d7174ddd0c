"""JSON answers: read by the standard library, numbers kept as they were written and compared by value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from .. import _core
from ..errors import InvalidInputError

__all__ = ["ParsedJson", "json_key", "loads_strictly", "parse_json"]


_LONE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Number:
    """A JSON number by its key, so that 1, 1.0 and 1e0 are one and no digit is lost."""

    key: str
    written: str


@dataclass(frozen=True, slots=True)
class ParsedJson:
    """A JSON value, apart from the absence of one; its numbers are kept as they were written."""

    value: Any

    def text(self, *, sorted_names: bool = False) -> str:
        """A string's contents or a number as it was written; for other values their JSON without spaces, in no more
        bytes than were written. Empty for what is nested too deeply.

        Args:
            sorted_names: Whether the names of objects are sorted, so that their order does not tell two apart.
        """
        try:
            return self.value if isinstance(self.value, str) else _written(self.value, sorted_names)
        except RecursionError:
            return ""


def _written(value: Any, sorted_names: bool) -> str:
    match value:
        case _Number(written=written):
            return written
        case Mapping():
            pairs = sorted(value.items()) if sorted_names else value.items()
            return "{" + ",".join(f"{_quoted(k)}:{_written(v, sorted_names)}" for k, v in pairs) + "}"
        case list():
            return "[" + ",".join(map(_written, value, repeat(sorted_names))) + "]"
        case _:
            return _quoted(value)


def _quoted(value: str | bool | None) -> str:
    """A string, or a word of JSON's own; half a surrogate pair, which no bytes stand for, stays an escape."""
    return _LONE.sub(lambda lone: f"\\u{ord(lone[0]):04x}", json.dumps(value, ensure_ascii=False))


def parse_json(text: str) -> ParsedJson | None:
    """The JSON value that `text` is, or None when it is none, or is nested too deeply to read.

    NaN and infinities are not JSON, and an object that has a name twice has no one value: RFC 8259 leaves to each
    reader which of the two counts.
    """
    try:
        return ParsedJson(loads_strictly(text, number=_number))
    except (ValueError, RecursionError):
        return None


def loads_strictly(text: str, *, number: Callable[[str], Any] | None = None) -> Any:
    """`json.loads` without what the standard library reads and JSON has not: NaN, infinities, a name given twice.

    Args:
        text: What was written.
        number: Makes a value of a number as it is written; None for Python's own.

    Raises:
        ValueError: It is not JSON; says why.
        RecursionError: It is nested too deeply.
    """
    return json.loads(
        text, parse_int=number, parse_float=number, parse_constant=_refuse, object_pairs_hook=_object
    )


def _number(written: str) -> _Number:
    return _Number(_core.normalize(written, kind="number"), written)


def _refuse(written: str) -> Any:
    raise ValueError(f"{written} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("an object has a name twice")
    return value


def json_key(value: Any) -> str | None:
    """The key of a JSON value, for answers that are built and not written, such as a tool call's arguments.

    >>> json_key({"unit": "C", "city": "Oslo", "days": 3.0})
    'j:{"city":"Oslo","days":n:3,"unit":"C"}'

    Args:
        value: What `parse_json` gave, or dictionaries with string keys, lists, tuples, strings, finite numbers,
            booleans and None.

    Returns:
        The key, equal to that of the same value's JSON text; None when the value is nested too deeply.

    Raises:
        InvalidInputError: `value` has something in it that JSON has not.
    """
    try:
        return "j:" + _spelled(value)
    except RecursionError:
        return None


def _spelled(value: Any) -> str:
    match value:
        case _Number(key=key):
            return key
        case None | bool() | str():
            return json.dumps(value)
        case int() | float():
            return _spelled_number(value)
        case Mapping():
            if not all(isinstance(name, str) for name in value):
                raise InvalidInputError(f"a JSON object's names are strings: {value!r}")
            return "{" + ",".join(f"{json.dumps(k)}:{_spelled(v)}" for k, v in sorted(value.items())) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_spelled, value)) + "]"
        case _:
            raise InvalidInputError(f"{type(value).__name__} is no JSON value: {value!r}")


def _spelled_number(value: int | float) -> str:
    try:
        return _core.normalize(json.dumps(value, allow_nan=False), kind="number")
    except ValueError as error:  # NaN, an infinity, or more digits than Python prints
        raise InvalidInputError(f"a JSON number is finite and printable: {error}") from error
