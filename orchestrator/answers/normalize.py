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
    u:kind:...      an answer of a kind that another package brings (`AnswerKind`)

A bare list is a set in any order, `2, 1` = `{1,2}`, but for a value written twice in the same way: `1, 1, 2` counts
it twice, `1/2, 0.5` and `\\{1, 1, 2\\}` do not. `x = 1, y = 2` and `x = 1 and y = 2` are one answer and
`x = 1 or y = 2` another; `3 \\pmod 5` is a class and no 3. Units that are dropped cannot disagree: `5 cents` is `$5`
unless `units` is `keep`.

Everything is computed natively but for two things: texts beyond ASCII are brought to Unicode's composed form
and case-folded here, and JSON is parsed by the standard library.
"""

from __future__ import annotations

import unicodedata
from typing import Literal, TypeAlias, get_args

from .. import _core, plugins
from ..errors import InvalidInputError
from .json_values import json_key, parse_json
from .own_kinds import AnswerKind, own_key, own_kind

__all__ = [
    "KINDS",
    "Kind",
    "PercentRule",
    "UnitRule",
    "check_kind",
    "check_rules",
    "fold",
    "kinds",
    "normalize",
    "whole_key",
]

Kind: TypeAlias = Literal[
    "auto", "number", "expression", "math", "choice", "boolean", "date", "text", "whole", "json", "code"
]
"""How answers are read and compared.

`number` drops whatever unit follows and reads `1,5` as 1.5 and `third` as 3; `math` and `auto` drop only units that
cannot be variables and keep formulas; `expression` evaluates the arithmetic a model wrote (`48 - 19 = 31` is 29), for
models that set a problem up better than they calculate; `auto` also knows choice letters and unmistakable dates and
times; `boolean` takes `yes`, `true` and `correct` for one answer; `date` reads 05/01/2021 as May 1, the month first
unless a number above 12 says otherwise (05.01.2021, with points, has the day first); `text` interprets nothing;
`whole` is all that the model wrote after its thinking, equal up to case and white space.
"""

UnitRule: TypeAlias = Literal["by_kind", "drop", "keep"]
"""What becomes of the unit in `5 cm`: dropped as `Kind` says (`by_kind`), dropped even when it is one letter that
could be a variable (`drop`), or shown by the key (`keep`). Units compare by name, whatever their spelling (`cm`,
`centimeters`); nothing is converted: 1 m and 100 cm differ."""

PercentRule: TypeAlias = Literal["fraction", "number"]
"""What `50%` is worth: 1/2, or 50 as in answers to "how many percent?"."""

KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds that are built in."""


def kinds() -> tuple[str, ...]:
    """The names of all kinds there are: the built-in ones, then those that other packages bring."""
    return (*KINDS, *(name for name in plugins.names(plugins.ANSWER_KINDS) if name not in KINDS))


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
        InvalidInputError: `kind`, `units` or `percent` is none of the above, or `text` is no string.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"an answer must be a text, not {type(text).__name__}")
    if kind == "json" or kind == "expression":
        check_rules(units, percent)
        found = _json_text(text) if kind == "json" else _evaluated(text)
        if found is not None:
            return found
        return fold(_core.normalize(text, kind="text"))
    if kind == "whole":
        check_rules(units, percent)
        return whole_key(text)
    try:
        key = _core.normalize(text, kind, units, percent)  # positional: half the time of a short one's key
    except ValueError:
        own = check_kind(kind)
        check_rules(units, percent)
        if own is None:
            raise
        return own_key(kind, own, text) or fold(_core.normalize(text, kind="text"))
    return key if key.isascii() else fold(key)


def _json_text(text: str) -> str | None:
    parsed = parse_json(text)
    return None if parsed is None else json_key(parsed.value)


def _evaluated(text: str) -> str | None:
    found = _core.find_expression(text)
    return None if found is None else f"n:{found[1]}"


def check_kind(kind: str) -> AnswerKind | None:
    """The kind that another package brings under this name; None for a built-in one.

    Raises:
        InvalidInputError: There is no such kind.
    """
    if kind in KINDS:
        return None
    own = own_kind(kind, built_in=KINDS)
    if own is None:
        raise InvalidInputError(f"kind must be one of {', '.join(kinds())}, not {kind!r}")
    return own


def check_rules(units: str, percent: str) -> None:
    """Raises `InvalidInputError` unless `units` is a `UnitRule` and `percent` a `PercentRule`."""
    for name, given, rules in (
        ("units", units, get_args(UnitRule)),
        ("percent", percent, get_args(PercentRule)),
    ):
        if given not in rules:
            raise InvalidInputError(f"{name} must be one of {', '.join(rules)}, not {given!r}")


def whole_key(text: str) -> str:
    """The key of a text as a whole: case and white space alone do not tell two apart."""
    return fold(f"t:{' '.join(text.split()).lower() if text.isascii() else ' '.join(text.split())}")


def fold(key: str) -> str:
    """Composes and case-folds the key of a text beyond ASCII; other keys are final as they are."""
    if key.isascii() or not key.startswith("t:"):
        return key
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", key).casefold())
