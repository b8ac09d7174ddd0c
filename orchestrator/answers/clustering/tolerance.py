"""Numbers that differ by no more than a tolerance are one answer."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction

from ...errors import InvalidInputError
from ...types import Answer
from ..quantities import as_written, quantity, within
from .linked import LinkedClusters

__all__ = ["ToleranceClusters", "number_of"]

Number = Fraction | int | float

ROUNDING = 2.0**-50
"""Share of the numbers compared by which floats may err in that: what lies nearer is compared exactly."""


def number_of(answer: Answer) -> Fraction | None:
    """The exact number an answer's key stands for, its unit aside, or None when it is no rational number."""
    found = quantity(answer.key)
    return None if found is None else found[0]


class ToleranceClusters(LinkedClusters):
    """Clusters of numbers `a`, `b` with `|a - b| <= max(absolute, relative * max(|a|, |b|))`, chained.

    Compared exactly, tolerances as the decimals they are written as; numbers of different units never meet. Because a
    chain of small steps joins what is far apart, choose the tolerance well below the distance of answers that differ.
    Answers that are no numbers are compared by key.
    An answer costs O(log m) comparisons among `m` distinct ones. A cluster is represented by its median member.

    Args:
        relative: In [0, 1).
        absolute: At least 0, finite.
        value: The number an answer stands for, or None for none; by default the rational number of its key.

    Raises:
        InvalidInputError: A tolerance is out of its range.
    """

    def __init__(
        self,
        *,
        relative: float = 0.0,
        absolute: float = 0.0,
        value: Callable[[Answer], Number | None] = number_of,
    ) -> None:
        if not 0.0 <= relative < 1.0:
            raise InvalidInputError(f"relative must be in [0, 1), not {relative!r}")
        if not 0.0 <= absolute < math.inf:
            raise InvalidInputError(f"absolute must be at least 0 and finite, not {absolute!r}")
        super().__init__()
        self._relative, self._absolute = as_written(relative), as_written(absolute)
        self._value = value
        self._rounded_relative, self._rounded_absolute = relative, absolute
        self._values: list[Fraction | None] = []  # by node, and after them that of an answer to be added
        # By unit; rounded, exact, node: floats decide nearly all comparisons, and rounding keeps the order.
        self._sorted: defaultdict[str, list[tuple[float, Fraction, int]]] = defaultdict(list)

    def _equal_to(self, answer: Answer) -> list[int]:
        # Closeness is monotone in the distance on either side, so the two neighbours stand for all others.
        value = self._number(answer)
        del self._values[len(self._answers) :]
        self._values.append(value)
        if value is None:
            return []
        one, others = (_rounded(value), value, -1), self._sorted[_unit(answer)]
        at = bisect_left(others, one)
        return [other[2] for other in others[max(0, at - 1) : at + 1] if self._close(one, other)]

    def _close(self, one: tuple[float, Fraction, int], other: tuple[float, Fraction, int]) -> bool:
        size = max(abs(one[0]), abs(other[0]))
        reach = max(self._rounded_absolute, self._rounded_relative * size)
        spare = reach - abs(one[0] - other[0])
        if abs(spare) > ROUNDING * (size + reach) + sys.float_info.min:  # not where both are infinite
            return spare > 0
        return within(one[1], other[1], relative=self._relative, absolute=self._absolute)

    def _joined(self, answer: Answer) -> None:
        node = len(self._answers) - 1
        value = self._values[node]
        if value is not None:
            insort(self._sorted[_unit(answer)], (_rounded(value), value, node))

    def _number(self, answer: Answer) -> Fraction | None:
        value = self._value(answer)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return None
        return value if isinstance(value, Fraction) else Fraction(value)

    def _medoid(self, nodes: Sequence[int], counts: Sequence[int]) -> int:
        # The sum of distances is least where no more than half of the samples lie on either side.
        ranked = sorted(
            (value, node, count)
            for node, count in zip(nodes, counts, strict=True)
            if (value := self._values[node]) is not None
        )
        if not ranked:
            return nodes[0]
        total, below, middle = sum(counts), 0, []
        for _, node, count in ranked:
            if 2 * below <= total and 2 * (total - below - count) <= total:
                middle.append(node)
            below += count
        return min(middle)


def _unit(answer: Answer) -> str:
    found = quantity(answer.key)
    return "" if found is None else found[1]


def _rounded(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
