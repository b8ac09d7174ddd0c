"""Which types of values the signs take, in expressions and templates alike."""

from __future__ import annotations

from dataclasses import dataclass

from .equality import comparable
from .operations import ORDER
from .types import ANSWER, NOTHING, NUMBER, TEXT, TRUTH, UNKNOWN, ListOf, Type, without_maybe

__all__ = ["Fault", "calculated", "compared"]

_COMPARED = (NUMBER, TEXT, TRUTH, ANSWER)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one operand of a sign.

    Attributes:
        side: 0 for the left one, 1 for the right one.
        expected: What it should be.
    """

    side: int
    expected: Type | str


def compared(sign: str, left: Type, right: Type) -> Fault | None:
    """What is wrong with a comparison of values of two types; nothing where one is not known that decides it."""
    one, other = without_maybe(left), without_maybe(right)
    if sign in ORDER:
        return _either(one, other, NUMBER)
    if sign in ("in", "not in"):
        return _contained(one, other)
    return _equated(one, other)


def calculated(sign: str, left: Type, right: Type) -> Fault | None:
    """What is wrong with arithmetic on values of two types; as `compared`."""
    one, other = without_maybe(left), without_maybe(right)
    if sign != "+":
        return _either(one, other, NUMBER)
    if one not in (NUMBER, TEXT, UNKNOWN):
        return Fault(0, "a number or a text")
    if one == UNKNOWN:
        return None if other in (NUMBER, TEXT, UNKNOWN) else Fault(1, "a number or a text")
    return None if other in (one, UNKNOWN) else Fault(1, one)


def _either(one: Type, other: Type, expected: Type) -> Fault | None:
    for side, kind in enumerate((one, other)):
        if kind not in (expected, UNKNOWN):
            return Fault(side, expected)
    return None


def _contained(one: Type, container: Type) -> Fault | None:
    if container == UNKNOWN:
        return None
    if container == TEXT:
        return None if one in (TEXT, UNKNOWN) else Fault(0, TEXT)
    item = without_maybe(container.item) if isinstance(container, ListOf) else None
    if item is None or item not in (*_COMPARED, UNKNOWN):
        return Fault(1, "a text, or a list of texts, answers or numbers")
    if one in (NOTHING, UNKNOWN) or (item == UNKNOWN and one in _COMPARED) or comparable(one, item):
        return None
    return Fault(0, item)


def _equated(one: Type, other: Type) -> Fault | None:
    if NOTHING in (one, other) or UNKNOWN in (one, other):
        return None
    if one not in _COMPARED:
        return Fault(0, "a number, a text, an answer or true or false")
    return None if comparable(one, other) else Fault(1, one)
