"""What the signs and filters of templates do: nothing but what is written here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jinja2.runtime import Context, LoopContext

from ..errors import TemplateError
from ..expressions import (
    ARITHMETIC,
    COMPARISONS,
    ITEM,
    NUMBER,
    TRUTH,
    Fault,
    Type,
    as_text,
    calculated,
    compared,
    kind_of,
    negative,
    read_field,
    rounded,
    spend,
)
from .filters import WIDEST_INDENT
from .template import LONGEST_TEXT

__all__ = [
    "INSTEAD_OF_OR",
    "LOOP_FIELDS",
    "MOST_TURNS",
    "OPERATIONS",
    "WORK",
    "Work",
    "items_of",
    "needs",
    "text_of",
]

MOST_TURNS = 10_000
"""Turns of all loops while a template is filled, at most."""

MOST_WORK = 4 * LONGEST_TEXT
"""Characters that operations may go through while a template is filled, at most."""

FIELD_WORK = 50
"""What reading a field counts as."""

INSTEAD_OF_OR = "what stands for a missing value is written `|default('...')`"
"""What is said where `or` is given what is neither true nor false."""

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
        """Note characters that are gone through here."""
        self.count(amount, place)
        spend(amount)

    def count(self, amount: int, place: int | None) -> None:
        """Note characters of which what goes through them tells the program by itself."""
        self.done += amount
        if self.done > MOST_WORK:
            raise TemplateError("filling it takes too much work", offset=place, hint="loop over less")

    def turn(self, count: int, place: int) -> None:
        self.turns += count
        spend(ITEM * count)
        if self.turns > MOST_TURNS:
            raise TemplateError(f"its loops take more than {MOST_TURNS:,} turns", offset=place)


def items_of(value: Any, place: int, needed_by: str = "for") -> Sequence[Any]:
    """What a list holds; a missing one nothing."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise needs(needed_by, "a list", kind_of(value), place)
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
        raise TemplateError(f"{kind_of(value)} has no field `{name}`", offset=place) from None


def _compare(context: Context, value: Any, place: int, *rest: Any) -> bool:
    for sign, other in zip(rest[::2], rest[1::2], strict=True):
        _work(context).count(_length(value) + _length(other), place)
        _accept(compared(sign, kind_of(value), kind_of(other)), sign, (value, other), place)
        if not COMPARISONS[sign](value, other):
            return False
        value = other
    return True


def _operate(context: Context, left: Any, place: int, sign: str, right: Any) -> Any:
    _accept(calculated(sign, kind_of(left), kind_of(right)), sign, (left, right), place)
    _work(context).count(_length(left) + _length(right), place)
    return ARITHMETIC[sign](left, right)


def _accept(fault: Fault | None, sign: str, values: tuple[Any, Any], place: int) -> None:
    if fault is not None:
        raise needs(sign, fault.expected, kind_of(values[fault.side]), place)


def needs(name: str, expected: Type | str, found: Type, place: int, hint: str | None = None) -> TemplateError:
    """The error that a sign or filter is given what it does not take."""
    return TemplateError(f"`{name}` needs {expected}, and this is {found}", offset=place, hint=hint)


def _negate(context: Context, value: Any, place: int) -> Any:
    if value is not None and kind_of(value) != NUMBER:
        raise needs("-", NUMBER, kind_of(value), place)
    return negative(value)


def _truth(context: Context, value: Any, place: int, word: str) -> bool:
    if value is not None and not isinstance(value, bool):
        raise needs(word, TRUTH, kind_of(value), place, INSTEAD_OF_OR if word == "or" else None)
    return bool(value)


def _default(context: Context, value: Any, place: int, text: Any) -> Any:
    return text if value is None else value


def _first(context: Context, value: Any, place: int) -> Any:
    items = items_of(value, place, "first")
    return items[0] if items else None


def _last(context: Context, value: Any, place: int) -> Any:
    items = items_of(value, place, "last")
    return items[-1] if items else None


def _join(context: Context, value: Any, place: int, separator: Any) -> str:
    texts = [text_of(item, place) for item in items_of(value, place, "join")]
    between = text_of(separator, place)
    _work(context).add(sum(map(len, texts)) + len(between) * len(texts), place)
    return between.join(texts)


def _length_of(context: Context, value: Any, place: int) -> int | None:
    if value is None:
        return None
    return len(value if isinstance(value, str) else items_of(value, place, "length"))


def _round(context: Context, value: Any, place: int, digits: Any = None) -> Any:
    if value is None:
        return None
    if kind_of(value) != NUMBER:
        raise needs("round", NUMBER, kind_of(value), place)
    return rounded(value, None if digits is None else _whole(digits, place, "round", 15))


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


def _whole(value: Any, place: int, name: str, most: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise TemplateError(f"`{name}` takes a whole number from 0 to {most:,}", offset=place)
    return value


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 1


OPERATIONS: dict[str, Callable[..., Any]] = {
    "<text>": _inserted,
    "<turns>": _turns,
    "<field>": _field,
    "<compare>": _compare,
    "<negate>": _negate,
    "<operate>": _operate,
    "<truth>": _truth,
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
