"""Whether two answers say the same."""

from __future__ import annotations

from ..types import Answer
from .extract import AnswerReader
from .normalize import Kind

__all__ = ["equivalent"]


def equivalent(a: str | Answer, b: str | Answer, *, kind: Kind = "auto") -> bool:
    """Whether `a` and `b` are one answer, exactly: no tolerance, no rounding.

    Args:
        a, b: Answers, or texts to read them from: model outputs or bare answers.
        kind: How texts are read; an `Answer` keeps the key it has.

    Returns:
        False as soon as one of them abstains: two texts without an answer do not agree.

    Raises:
        InvalidInputError: `kind` is none of `KINDS`.
    """
    reader = AnswerReader(kind=kind)
    first, second = (item if isinstance(item, Answer) else reader.read(item) for item in (a, b))
    return first is not None and second is not None and first.key == second.key
