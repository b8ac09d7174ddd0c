"""What the signs of expressions and templates do to values, any of which may be missing: the same in both."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any

from .equality import equal
from .scanning import LARGEST
from .work import spend

__all__ = ["ARITHMETIC", "COMPARISONS", "NUMBERS", "ORDER", "finite", "negative", "rounded"]

NUMBERS = (int, float)  # a union takes `isinstance` three times as long

LONGEST_TEXT = 4 * 2**20
"""Characters of a text that `+` makes, at most; a longer one is missing."""


def finite(value: Any) -> Any:
    """A number that arithmetic has come to: missing unless it is finite, and a floating-point number where it is too
    large to be told to the unit.
    """
    if value is None:
        return None
    if type(value) is float:
        return value if isfinite(value) else None
    if -LARGEST <= value <= LARGEST:
        return value
    try:
        return finite(float(value))
    except OverflowError:
        return None


def negative(value: Any) -> Any:
    """`-value`."""
    return None if value is None else finite(-value)


def rounded(value: Any, digits: int | None = None) -> Any:
    """A number to so many decimals, half to even; to a whole number without."""
    if finite(value) is None:
        return None
    return finite(round(value) if digits is None else round(value, digits))


# Arithmetic ----------------------------------------------------------------------------------------------


def _arithmetic(
    apply: Callable[[Any, Any], Any], of_others: Callable[[Any, Any], Any] | None = None
) -> Callable[[Any, Any], Any]:
    """`apply` on numbers, and `of_others` on values that are not both numbers."""

    def computed(one: Any, other: Any) -> Any:
        if not (isinstance(one, NUMBERS) and isinstance(other, NUMBERS)):
            # `*` would repeat a text and `%` fill it in
            return None if of_others is None else of_others(one, other)
        try:
            value = apply(one, other)
        except ArithmeticError:
            return None
        # `finite` for most values, without a call of it.
        return value if type(value) is float and isfinite(value) else finite(value)

    return computed


def _joined(one: Any, other: Any) -> Any:
    if not (isinstance(one, str) and isinstance(other, str)):
        return None
    length = len(one) + len(other)
    if length > LONGEST_TEXT:
        return None
    spend(length)
    return one + other


ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "+": _arithmetic(operator.add, _joined),
        "-": _arithmetic(operator.sub),
        "*": _arithmetic(operator.mul),
        "/": _arithmetic(operator.truediv),
        "//": _arithmetic(operator.floordiv),
        "%": _arithmetic(operator.mod),
    }
)
"""For each sign what it makes of two values."""


# Comparisons ---------------------------------------------------------------------------------------------


def _in_order(order: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    return lambda one, other: one is not None and other is not None and order(one, other)


def _unequal(one: Any, other: Any) -> bool:
    return not equal(one, other)


def _within(one: Any, container: Any) -> bool:
    if container is None:
        return False
    if isinstance(container, str):
        spend(len(container))
        return one is not None and one in container
    return any(equal(one, item) for item in container)


def _without(one: Any, container: Any) -> bool:
    return not _within(one, container)


ORDER: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)
"""The signs of order, for two numbers neither of which is missing."""

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        **{sign: _in_order(order) for sign, order in ORDER.items()},
        "==": equal,
        "is": equal,
        "!=": _unequal,
        "is not": _unequal,
        "in": _within,
        "not in": _without,
    }
)
"""For each sign whether it holds between two values. What is missing has no order, and is equal to itself only."""
