"""What the signs and filters of templates do: nothing but what is written here."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from jinja2.runtime import Context, LoopContext

from ..errors import TemplateError
from ..expressions import ITEM, as_text, equal, read_field, spend
from .filters import WIDEST_INDENT
from .template import LONGEST_TEXT

__all__ = ["LOOP_FIELDS", "MOST_TURNS", "OPERATIONS", "WORK", "Work", "items_of", "text_of"]

MOST_TURNS = 10_000
"""Turns of all loops while a template is filled, at most."""

MOST_WORK = 4 * LONGEST_TEXT
"""Characters that operations may go through while a template is filled, at most."""

FIELD_WORK = 50
"""What reading a field counts as."""

LARGEST_WHOLE = 2**53
"""Whole numbers beyond it are rounded, as JSON's readers do."""

LOOP_FIELDS = ("index", "first", "last")
"""What is known of a loop inside it."""

WORK = "\0work"
"""Where the context keeps what has been done: no name in a template is spelled so."""


class Work:
    """What filling one template has cost so far."""

    __slots__ = ("done", "turns")

    def __init__(self) -> None:
        self.done = self.turns = 0

    def add(self, amount: int, place: int | None) -> None:
        self.done += amount
        spend(amount)
        if self.done > MOST_WORK:
            raise TemplateError("filling it takes too much work", offset=place, hint="loop over less")

    def turn(self, count: int, place: int) -> None:
        self.turns += count
        spend(ITEM * count)
        if self.turns > MOST_TURNS:
            raise TemplateError(f"its loops take more than {MOST_TURNS:,} turns", offset=place)


def items_of(value: Any, place: int, wanted_by: str = "a loop needs a list") -> Sequence[Any]:
    """What a list holds; a missing one nothing."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise TemplateError(f"{wanted_by}, and this is {_kind(value)}", offset=place)
    return value


def text_of(value: Any, place: int) -> str:
    """A value as it is put into a text."""
    try:
        return as_text(value)
    except TypeError as error:
        raise TemplateError(str(error), offset=place) from None


def _inserted(context: Context, value: Any, place: int) -> str:
    return text_of(value, place)


def _turns(context: Context, value: Any, place: int) -> Sequence[Any]:
    items = items_of(value, place)
    _work(context).turn(len(items), place)
    return items


def _field(context: Context, value: Any, place: int, name: str) -> Any:
    if type(value) is LoopContext and name in LOOP_FIELDS:
        return getattr(value, name)
    _work(context).add(FIELD_WORK, place)
    try:
        return read_field(value, name)
    except KeyError:
        raise TemplateError(f"{_kind(value)} has no field `{name}`", offset=place) from None


_ORDER = {"lt": operator.lt, "lteq": operator.le, "gt": operator.gt, "gteq": operator.ge}


def _compare(context: Context, value: Any, place: int, *rest: Any) -> bool:
    for sign, other in zip(rest[::2], rest[1::2], strict=True):
        _work(context).add(_length(value) + _length(other), place)
        if not _holds(sign, value, other, place):
            return False
        value = other
    return True


def _holds(sign: str, one: Any, other: Any, place: int) -> bool:
    if sign in ("eq", "ne"):
        return equal(one, other) == (sign == "eq")
    if sign in ("in", "notin"):
        return _within(one, other, place) == (sign == "in")
    if one is None or other is None:
        return False
    if isinstance(one, str) != isinstance(other, str) or not isinstance(one, str | int | float):
        raise TemplateError(f"{_kind(one)} and {_kind(other)} have no order", offset=place)
    return bool(_ORDER[sign](one, other))


def _within(one: Any, other: Any, place: int) -> bool:
    if other is None or one is None:
        return False
    if isinstance(other, str) and isinstance(one, str):
        return one in other
    if isinstance(other, list | tuple):
        return any(equal(one, item) for item in other)
    raise TemplateError(f"{_kind(one)} cannot be in {_kind(other)}", offset=place)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _operate(context: Context, left: Any, place: int, sign: str, right: Any) -> Any:
    if left is None or right is None:
        return None
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        _work(context).add(len(left) + len(right), place)
        return left + right
    for side in (left, right):
        if not isinstance(side, int | float):
            raise TemplateError(f"`{sign}` is for numbers, and this is {_kind(side)}", offset=place)
    try:
        result = _ARITHMETIC[sign](left, right)
        if abs(result) > LARGEST_WHOLE:
            result = float(result)
    except (ZeroDivisionError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def _default(context: Context, value: Any, place: int, text: Any) -> Any:
    return text if value is None else value


def _first(context: Context, value: Any, place: int) -> Any:
    items = _items(value, place, "first")
    return items[0] if items else None


def _last(context: Context, value: Any, place: int) -> Any:
    items = _items(value, place, "last")
    return items[-1] if items else None


def _join(context: Context, value: Any, place: int, separator: Any) -> str:
    texts = [text_of(item, place) for item in _items(value, place, "join")]
    between = text_of(separator, place)
    _work(context).add(sum(map(len, texts)) + len(between) * len(texts), place)
    return between.join(texts)


def _length_of(context: Context, value: Any, place: int) -> int | None:
    if value is None:
        return None
    return len(value if isinstance(value, str) else _items(value, place, "length"))


def _round(context: Context, value: Any, place: int, digits: Any = None) -> Any:
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise TemplateError(f"`round` is for numbers, and this is {_kind(value)}", offset=place)
    if not math.isfinite(value):
        return None
    return round(value) if digits is None else round(value, _whole(digits, place, "round", 15))


def _trim(context: Context, value: Any, place: int) -> str:
    return _read(context, value, place).strip()


def _upper(context: Context, value: Any, place: int) -> str:
    return _read(context, value, place).upper()


def _lower_case(context: Context, value: Any, place: int) -> str:
    return _read(context, value, place).lower()


def _truncate(context: Context, value: Any, place: int, length: Any) -> str:
    text, most = _read(context, value, place), _whole(length, place, "truncate", LONGEST_TEXT)
    return text if len(text) <= most else text[: max(most - 1, 0)] + "…"[:most]


def _indent(context: Context, value: Any, place: int, width: Any = 4) -> str:
    space = " " * _whole(width, place, "indent", WIDEST_INDENT)
    first, *lines = _read(context, value, place).split("\n")
    _work(context).add(len(space) * len(lines), place)
    return "\n".join([first, *(space + line if line.strip() else line for line in lines)])


def _work(context: Context) -> Work:
    work: Work = context.parent[WORK]
    return work


def _read(context: Context, value: Any, place: int) -> str:
    text = text_of(value, place)
    _work(context).add(len(text), place)
    return text


def _items(value: Any, place: int, name: str) -> Sequence[Any]:
    return items_of(value, place, f"`{name}` is for lists")


def _whole(value: Any, place: int, name: str, most: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise TemplateError(f"`{name}` takes a whole number from 0 to {most:,}", offset=place)
    return value


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 1


def _kind(value: Any) -> str:
    names = {
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        tuple: "a list",
    }
    return names.get(type(value), f"a {type(value).__name__.lower()}")


OPERATIONS: dict[str, Callable[..., Any]] = {
    "<text>": _inserted,
    "<turns>": _turns,
    "<field>": _field,
    "<compare>": _compare,
    "<operate>": _operate,
    "default": _default,
    "first": _first,
    "indent": _indent,
    "join": _join,
    "last": _last,
    "length": _length_of,
    "lower": _lower_case,
    "round": _round,
    "trim": _trim,
    "truncate": _truncate,
    "upper": _upper,
}
