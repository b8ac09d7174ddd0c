"""Whether two answers say the same."""

from __future__ import annotations

import math
from fractions import Fraction

from ..errors import InvalidInputError
from ..types import Answer
from .extract import AnswerReader
from .normalize import Kind, PercentRule, UnitRule

__all__ = ["equivalent"]


def equivalent(
    a: str | Answer,
    b: str | Answer,
    *,
    kind: Kind = "auto",
    units: UnitRule = "by_kind",
    percent: PercentRule = "fraction",
    tolerance: float | None = None,
) -> bool:
    """Whether `a` and `b` are one answer: exactly, or for numbers within a tolerance.

    Args:
        a, b: Answers, or texts to read them from: model outputs or bare answers.
        kind, units, percent: How texts are read (see `normalize`); an `Answer` keeps the key it has.
        tolerance: Two numbers of one unit are also equal when they differ by at most this share of the larger one,
            |a - b| <= tolerance * max(|a|, |b|); from 0 to below 1, taken as the decimal it is written as and
            compared exactly. Numbers of more than 300 digits, and answers that are no numbers, stay exact.

    Returns:
        False as soon as one of them abstains: two texts without an answer do not agree.

    Raises:
        InvalidInputError: an unknown kind or rule, or a tolerance out of its range.
    """
    if tolerance is not None and not (math.isfinite(tolerance) and 0 <= tolerance < 1):
        raise InvalidInputError(f"tolerance must be at least 0 and below 1, not {tolerance!r}")
    reader = AnswerReader(kind=kind, units=units, percent=percent)
    first, second = (item if isinstance(item, Answer) else reader.read(item) for item in (a, b))
    if first is None or second is None:
        return False
    if first.key == second.key:
        return True
    return tolerance is not None and _close(first.key, second.key, Fraction(str(tolerance)))


def _close(a: str, b: str, tolerance: Fraction) -> bool:
    if not (a.startswith("n:") and b.startswith("n:")):
        return False
    value_a, _, unit_a = a[2:].partition(" ")
    value_b, _, unit_b = b[2:].partition(" ")
    if unit_a != unit_b or "e" in value_a or "e" in value_b:  # 7e999: beyond what is computed with
        return False
    x, y = Fraction(value_a), Fraction(value_b)
    return abs(x - y) <= tolerance * max(abs(x), abs(y))
