"""The functions of expressions: for each how many arguments it takes, the type of its value, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from ..types import Answer
from .operations import NUMBERS, finite, rounded
from .reading import number_in
from .types import (
    ANSWER,
    NUMBER,
    NUMBER_SIZE,
    TEXT,
    TRUTH,
    TRUTH_SIZE,
    ListOf,
    Maybe,
    Record,
    Size,
    Type,
    maybe,
    read_field,
    without_maybe,
)

__all__ = ["FUNCTIONS", "Argument", "Function", "is_list"]

_MANY = range(1, 201)


class Argument(Protocol):
    """An argument as a function's type rule sees it."""

    @property
    def kind(self) -> Type:
        """Its type."""
        ...

    @property
    def constant(self) -> Any:
        """Its value where it is written out; else None."""
        ...

    def refuse(self, expected: str) -> Exception:
        """The error that something else was expected here."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of the language.

    Attributes:
        arity: How many arguments it takes.
        takes: The same in words.
        kind: The type of its value, from its arguments; raises what an argument's `refuse` returns.
        apply: Its value, from those of its arguments, which may be missing; does not raise on values of types that
            `kind` lets pass.
        size: How long its value can be in a prompt, from the sizes of its arguments.
    """

    arity: Collection[int]
    takes: str
    kind: Callable[[Sequence[Argument]], Type]
    apply: Callable[..., Any]
    size: Callable[[Sequence[Size]], Size]


def is_list(kind: Type) -> bool:
    """Whether values of this type have items."""
    kind = without_maybe(kind)
    return isinstance(kind, ListOf) or (isinstance(kind, Record) and kind.item is not None)


# Types ---------------------------------------------------------------------------------------------------


def _number(argument: Argument) -> Type:
    if without_maybe(argument.kind) != NUMBER:
        raise argument.refuse("a number")
    return argument.kind


def _numbers(arguments: Sequence[Argument]) -> Type:
    if len(arguments) == 1 and without_maybe(arguments[0].kind) != NUMBER:
        _list(arguments[0], NUMBER, "a list of numbers")
        return Maybe(NUMBER)
    kinds = [_number(one) for one in arguments]
    return NUMBER if NUMBER in kinds else Maybe(NUMBER)


def _list(argument: Argument, item: Type, expected: str) -> None:
    kind = without_maybe(argument.kind)
    if not isinstance(kind, ListOf) or without_maybe(kind.item) != item:
        raise argument.refuse(expected)


def _truths(arguments: Sequence[Argument]) -> Type:
    _list(arguments[0], TRUTH, "a list, each item true or false")
    return TRUTH


def _same(arguments: Sequence[Argument]) -> Type:
    return _number(arguments[0])


def _rounded(arguments: Sequence[Argument]) -> Type:
    if len(arguments) == 2:
        digits = arguments[1].constant
        if type(digits) is not int or not 0 <= digits <= 15:
            raise arguments[1].refuse("how many decimals, a whole number from 0 to 15 written out")
    return _number(arguments[0])


def _length(arguments: Sequence[Argument]) -> Type:
    kind = without_maybe(arguments[0].kind)
    if kind == TEXT or is_list(kind):
        return Maybe(NUMBER) if isinstance(arguments[0].kind, Maybe) else NUMBER
    raise arguments[0].refuse("a text or a list")


def _stated(arguments: Sequence[Argument]) -> Type:
    if without_maybe(arguments[0].kind) not in (TEXT, ANSWER):
        raise arguments[0].refuse("a text or an answer")
    return Maybe(NUMBER)


def _answer_kind(arguments: Sequence[Argument]) -> Type:
    kind = without_maybe(arguments[0].kind)
    if kind == ANSWER:
        return maybe(kind)
    if isinstance(kind, Record) and without_maybe(kind.fields.get("answer", TEXT)) == ANSWER:
        return Maybe(ANSWER)
    raise arguments[0].refuse("something with an answer")


# Values --------------------------------------------------------------------------------------------------


def _present(values: tuple[Any, ...]) -> list[Any]:
    """The numbers among arguments or in the only one, a list; without what is missing or not a number."""
    if len(values) == 1:
        only = values[0]
        if only is None:
            return []
        if not isinstance(only, NUMBERS):
            values = only
    return [value for value in values if value is not None and value == value]


def _least(*values: Any) -> Any:
    present = _present(values)
    return finite(min(present)) if present else None


def _greatest(*values: Any) -> Any:
    present = _present(values)
    return finite(max(present)) if present else None


def _absolute(value: Any) -> Any:
    return None if value is None else finite(abs(value))


def _len(value: Any) -> Any:
    return None if value is None else len(value)


def _any(values: Any) -> bool:
    return values is not None and any(values)


def _all(values: Any) -> bool:
    return values is None or all(value is None or value for value in values)


def _stated_number(value: Any) -> Any:
    return None if value is None else finite(number_in(value))


def _answer(value: Any) -> Any:
    return value if value is None or type(value) is Answer else read_field(value, "answer")


# Sizes ---------------------------------------------------------------------------------------------------


def _number_size(arguments: Sequence[Size]) -> Size:
    return NUMBER_SIZE


def _truth_size(arguments: Sequence[Size]) -> Size:
    return TRUTH_SIZE


def _answer_size(arguments: Sequence[Size]) -> Size:
    [of] = arguments
    return of.fields.get("answer", of)


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "min": Function(
            arity=_MANY, takes="a list of numbers, or numbers", kind=_numbers, apply=_least, size=_number_size
        ),
        "max": Function(
            arity=_MANY,
            takes="a list of numbers, or numbers",
            kind=_numbers,
            apply=_greatest,
            size=_number_size,
        ),
        "abs": Function(arity=(1,), takes="one number", kind=_same, apply=_absolute, size=_number_size),
        "len": Function(arity=(1,), takes="one text or list", kind=_length, apply=_len, size=_number_size),
        "round": Function(
            arity=(1, 2),
            takes="a number, and how many decimals",
            kind=_rounded,
            apply=rounded,
            size=_number_size,
        ),
        "any": Function(
            arity=(1,), takes="one list, each item true or false", kind=_truths, apply=_any, size=_truth_size
        ),
        "all": Function(
            arity=(1,), takes="one list, each item true or false", kind=_truths, apply=_all, size=_truth_size
        ),
        "number": Function(
            arity=(1,), takes="one text or answer", kind=_stated, apply=_stated_number, size=_number_size
        ),
        "answer": Function(
            arity=(1,),
            takes="one thing that has an answer",
            kind=_answer_kind,
            apply=_answer,
            size=_answer_size,
        ),
    }
)
