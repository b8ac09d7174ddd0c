"""Average linkage over a matrix of similarities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AverageLink"]


class AverageLink:
    """Joins the most similar clusters while the mean similarity between their members allows it (UPGMA).

    Found by nearest-neighbour chains (Murtagh 1983, "A survey of recent advances in hierarchical clustering
    algorithms"): O(m^2) for `m` items. Average linkage is reducible: a joint cluster is never nearer to a third
    than the nearer of its parts was. So two clusters that are each other's nearest and too far apart stay what
    they are, and the order of joining does not matter but among exactly equal similarities.

    Args:
        similarities: Symmetric, `m` by `m`; larger is more alike. The diagonal is not looked at.
        counts: How many members each item stands for, above 0, `m` of them.
    """

    def __init__(self, similarities: NDArray[Any], counts: Sequence[int]) -> None:
        import numpy

        self._similarity = numpy.array(similarities, dtype=numpy.float64)
        numpy.fill_diagonal(self._similarity, -numpy.inf)
        self._counts = [float(count) for count in counts]
        self._into = list(range(len(counts)))
        self._open = dict.fromkeys(range(len(counts)))

    def cut(self, threshold: float) -> list[int]:
        """The cluster of each item, from 0 in the order of their first item."""
        chain: list[int] = []
        while self._open:
            if not chain:
                chain.append(next(iter(self._open)))
            top, before = chain[-1], chain[-2] if len(chain) > 1 else None
            nearest = self._nearest(top, before)
            if self._similarity[top, nearest] < threshold:  # also where nothing else is left
                self._close(chain.pop())
            elif nearest == before:
                del chain[-2:]
                self._join(min(top, nearest), max(top, nearest))
            else:
                chain.append(nearest)
        numbers: dict[int, int] = {}
        return [numbers.setdefault(self._root(item), len(numbers)) for item in range(len(self._into))]

    def _nearest(self, item: int, before: int | None) -> int:
        """The most similar cluster: among equals the one before it in the chain, so that chains end."""
        row = self._similarity[item]
        nearest = int(row.argmax())
        return before if before is not None and row[before] >= row[nearest] else nearest

    def _join(self, kept: int, gone: int) -> None:
        import numpy

        table, counts = self._similarity, self._counts
        total = counts[kept] + counts[gone]
        row = (counts[kept] * table[kept] + counts[gone] * table[gone]) / total
        row[[kept, gone]] = -numpy.inf
        table[kept], table[:, kept] = row, row
        counts[kept], self._into[gone] = total, kept
        self._close(gone)

    def _close(self, item: int) -> None:
        import numpy

        self._similarity[item], self._similarity[:, item] = -numpy.inf, -numpy.inf
        del self._open[item]

    def _root(self, item: int) -> int:
        while self._into[item] != item:
            item = self._into[item]
        return item
