"""The canonical key of an answer: equal answers of one kind have equal keys.

A key begins with what the answer was read as, so that a number never meets a text:

    n:1/2           an exact number: digits, words, fractions, percentages, powers of ten, repeating decimals
    n:5 cm          the same with its unit, when units are kept
    o:3             an ordinal (`third`, `3rd`); under kind `number` it is the number 3
    c:B             a choice's letter
    b:true          a boolean, under kind `boolean` only; elsewhere `yes` and `true` are two texts
    d:2021-05-01    a date; also d:2021-05 (a month), d:--05-01 (a day of a year), d:T10:30 (a time),
                    d:2021-05-01T10:30 (both), and under kind `auto` d:05/01/2021 as it was written
    m:x^2+1         mathematics that is not a number, spelled one way
    t:paris         a text: case folded, spaces collapsed, quotes, emphasis and sentence marks around it taken off
    j:...           a JSON value: keys sorted, numbers by value
    x:...           code: byte for byte, but for spaces at line ends

Everything is computed natively but for two things: texts beyond ASCII are brought to Unicode's composed form
and case-folded here, and JSON is parsed by the standard library.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from .. import _core
from ..errors import InvalidInputError

__all__ = [
    "KINDS",
    "Kind",
    "PercentRule",
    "UnitRule",
    "check_kind",
    "check_rules",
    "fold",
    "json_key",
    "normalize",
    "parse_json",
]

Kind: TypeAlias = Literal[
    "auto", "number", "expression", "math", "choice", "boolean", "date", "text", "json", "code"
]
"""How answers are read and compared.

`number` drops whatever unit follows and reads `1,5` as 1.5 and `third` as 3; `math` and `auto` drop only units that
cannot be variables and keep formulas; `expression` evaluates the arithmetic a model wrote (`48 - 19 = 31` is 29), for
models that set a problem up better than they calculate; `auto` also knows choice letters and unmistakable dates and
times; `boolean` takes `yes`, `true` and `correct` for one answer; `date` reads 05/01/2021 as May 1, the month first
unless a number above 12 says otherwise (05.01.2021, with points, has the day first); `text` interprets nothing.
"""

UnitRule: TypeAlias = Literal["by_kind", "drop", "keep"]
"""What becomes of the unit in `5 cm`: dropped as `Kind` says (`by_kind`), dropped even when it is one letter that
could be a variable (`drop`), or shown by the key (`keep`). Units compare by name, whatever their spelling (`cm`,
`centimeters`); nothing is converted: 1 m and 100 cm differ."""

PercentRule: TypeAlias = Literal["fraction", "number"]
"""What `50%` is worth: 1/2, or 50 as in answers to "how many percent?"."""

KINDS: tuple[Kind, ...] = get_args(Kind)


def normalize(
    text: str, *, kind: Kind = "auto", units: UnitRule = "by_kind", percent: PercentRule = "fraction"
) -> str:
    """The key of a bare answer.

    Args:
        text: The answer alone, not a whole model output (`extract` reads those).
        kind: How to read it.
        units: What becomes of units, for the kinds `number`, `math` and `auto`.
        percent: What percentages are worth, for the same kinds.

    Returns:
        A key with its prefix. What cannot be read as `kind` gets the key of a text, so this never fails.

    Raises:
        InvalidInputError: `kind`, `units` or `percent` is none of the above.
    """
    if kind == "json" or kind == "expression":
        check_rules(units, percent)
        found = _json_text(text) if kind == "json" else _evaluated(text)
        if found is not None:
            return found
        return fold(_core.normalize(text, kind="text"))
    try:
        key = _core.normalize(text, kind, units, percent)  # positional: half the time of a short one's key
    except ValueError:
        check_kind(kind)
        check_rules(units, percent)
        raise
    return key if key.isascii() else fold(key)


def _json_text(text: str) -> str | None:
    parsed = parse_json(text)
    return None if parsed is None else json_key(parsed.value)


def _evaluated(text: str) -> str | None:
    found = _core.find_expression(text)
    return None if found is None else f"n:{found[1]}"


def check_kind(kind: str) -> None:
    """Raises `InvalidInputError` unless `kind` is one of `KINDS`."""
    if kind not in KINDS:
        raise InvalidInputError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")


def check_rules(units: str, percent: str) -> None:
    """Raises `InvalidInputError` unless `units` is a `UnitRule` and `percent` a `PercentRule`."""
    for name, given, rules in (
        ("units", units, get_args(UnitRule)),
        ("percent", percent, get_args(PercentRule)),
    ):
        if given not in rules:
            raise InvalidInputError(f"{name} must be one of {', '.join(rules)}, not {given!r}")


def fold(key: str) -> str:
    """Composes and case-folds the key of a text beyond ASCII; other keys are final as they are."""
    if key.isascii() or not key.startswith("t:"):
        return key
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", key).casefold())


@dataclass(frozen=True, slots=True)
class _Number:
    """A JSON number by its key, so that 1, 1.0 and 1e0 are one and no digit is lost."""

    key: str
    written: str


@dataclass(frozen=True, slots=True)
class ParsedJson:
    """A JSON value, apart from the absence of one; its numbers are kept as they were written."""

    value: Any

    def text(self) -> str:
        """A string's contents or a number as it was written; for other values their JSON."""
        match self.value:
            case str():
                return self.value
            case _Number(written=written):
                return written
            case _:
                return (json_key(self.value) or "").removeprefix("j:")


def parse_json(text: str) -> ParsedJson | None:
    """The JSON value that `text` is, or None when it is none, or is nested too deeply to read.

    NaN and infinities are not JSON, and an object that has a name twice has no one value: RFC 8259 leaves to each
    reader which of the two counts.
    """
    try:
        return ParsedJson(
            json.loads(
                text,
                parse_int=_number,
                parse_float=_number,
                parse_constant=_refuse,
                object_pairs_hook=_object,
            )
        )
    except (ValueError, RecursionError):
        return None


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
