"""Which values can be compared with `==`, and when two are equal."""

from __future__ import annotations

from typing import Any

from ..types import Answer
from .reading import says
from .types import ANSWER, TEXT, Type, without_maybe
from .work import spend

__all__ = ["comparable", "equal"]


def comparable(one: Type, other: Type) -> bool:
    """Whether values of two types can be equal: both are of one, or one is an answer and the other a text."""
    one, other = without_maybe(one), without_maybe(other)
    return one == other or {one, other} == {ANSWER, TEXT}


def equal(one: Any, other: Any) -> bool:
    """Whether two values are equal: two answers where their keys are; an answer and a text where the text, read as
    an answer of the same kind by the program's rules, has the answer's key.
    """
    if type(one) is Answer:
        if type(other) is Answer:
            return one.key == other.key
        return isinstance(other, str) and says(other, one)
    if type(other) is Answer:
        return isinstance(one, str) and says(one, other)
    if isinstance(one, str):
        spend(len(one))
    return bool(one == other)
