"""Which values can be compared with `==`, and when two are equal."""

from __future__ import annotations

from typing import Any

from ..answers import normalize
from ..errors import InvalidInputError
from ..types import Answer
from .types import ANSWER, TEXT, Type, without_maybe
from .work import spend

__all__ = ["comparable", "equal"]


def comparable(one: Type, other: Type) -> bool:
    """Whether values of two types can be equal: both are of one, or one is an answer and the other a text."""
    one, other = without_maybe(one), without_maybe(other)
    return one == other or {one, other} == {ANSWER, TEXT}


def equal(one: Any, other: Any) -> bool:
    """Whether two values are equal: two answers where their keys are; an answer and a text where the text, read as
    an answer of the same kind, has the answer's key.
    """
    if type(one) is Answer:
        if type(other) is Answer:
            return one.key == other.key
        return isinstance(other, str) and _says(other, one)
    if type(other) is Answer:
        return isinstance(one, str) and _says(one, other)
    if isinstance(one, str):
        spend(len(one))
    return bool(one == other)


def _says(text: str, answer: Answer) -> bool:
    try:
        return normalize(text, kind=answer.kind) == answer.key  # type: ignore[arg-type]
    except InvalidInputError:  # a kind of one's own, whose package is not there
        return text.strip() == answer.text
