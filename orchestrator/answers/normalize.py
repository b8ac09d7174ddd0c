"""The canonical key of an answer: equal answers of one kind have equal keys.

A key begins with what the answer was read as, so that a number never meets a text:

    n:1/2       an exact number: integers, decimals, fractions, mixed numbers, percentages, powers of ten, LaTeX
    c:B         a choice's letter
    m:x^2+1     mathematics that is not a number, spelled one way; formulas are not yet compared by value
    t:paris     a text: case folded, spaces collapsed, quotes, emphasis and sentence marks around it taken off
    j:...       a JSON value: keys sorted, numbers by value
    x:...       code: byte for byte, but for spaces at line ends

Everything is computed natively but for two things: texts beyond ASCII are brought to Unicode's composed form
and case-folded here, and JSON is parsed by the standard library.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from .. import _core
from ..errors import InvalidInputError

__all__ = ["KINDS", "Kind", "check_kind", "fold", "json_key", "normalize", "parse_json"]

Kind: TypeAlias = Literal["auto", "number", "expression", "math", "choice", "text", "json", "code"]
"""How answers are read and compared.

`number` drops whatever unit follows and reads `1,5` as 1.5; `math` and `auto` drop only units that cannot be
variables and keep formulas; `expression` evaluates the arithmetic a model wrote (`48 - 19 = 31` is 29), for models
that set a problem up better than they calculate; `auto` also knows choice letters; `text` interprets nothing.
"""

KINDS: tuple[Kind, ...] = get_args(Kind)


def normalize(text: str, *, kind: Kind = "auto") -> str:
    """The key of a bare answer.

    Args:
        text: The answer alone, not a whole model output (`extract` reads those).
        kind: How to read it.

    Returns:
        A key with its prefix. What cannot be read as `kind` gets the key of a text, so this never fails.

    Raises:
        InvalidInputError: `kind` is none of `KINDS`.
    """
    check_kind(kind)
    if kind == "json":
        parsed = parse_json(text)
        key = None if parsed is None else json_key(parsed.value)
        return fold(_core.normalize(text, kind="text")) if key is None else key
    if kind == "expression":
        found = _core.find_expression(text)
        return fold(_core.normalize(text, kind="text")) if found is None else f"n:{found[1]}"
    return fold(_core.normalize(text, kind=kind))


def check_kind(kind: str) -> None:
    """Raises `InvalidInputError` unless `kind` is one of `KINDS`."""
    if kind not in KINDS:
        raise InvalidInputError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")


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
    """The JSON value that `text` is, or None when it is none (or nested too deeply to read)."""
    try:
        return ParsedJson(json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return None


def _number(written: str) -> _Number:
    return _Number(_core.normalize(written, kind="number"), written)


def _refuse(written: str) -> Any:
    raise ValueError(f"{written} is not JSON")


def json_key(value: Any) -> str | None:
    """The key of a value that `parse_json` gave, or None when it is nested too deeply."""
    try:
        return "j:" + _spelled(value)
    except RecursionError:
        return None


def _spelled(value: Any) -> str:
    match value:
        case _Number(key=key):
            return key
        case dict():
            return "{" + ",".join(f"{json.dumps(k)}:{_spelled(v)}" for k, v in sorted(value.items())) + "}"
        case list():
            return "[" + ",".join(map(_spelled, value)) + "]"
        case _:
            return json.dumps(value)
