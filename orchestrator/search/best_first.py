"""Best-first search: always on from the best that is known."""

from __future__ import annotations

from collections.abc import Sequence

from .base import Expansion, Search, Wanted
from .frontier import Frontier, distinct
from .tree import ROOT

__all__ = ["BestFirst"]


class BestFirst(Search):
    """Goes on from the open node of highest value; of equals from the deepest, then from the first.

    Every node is gone on from once, and of steps that say the same after the same beginning only the first; the
    others are closed. It ends after `expansions` expansions, when no node is open, or when a complete solution whose
    answer can be read is worth `threshold`. With a `width` above 1 a node is chosen without what the width - 1
    expansions before it found.

    Args:
        expansions: Expansions in all, at least 1.
        branching: Steps drawn by each, at least 1.
        max_steps: Steps of a solution at most, at least 1.
        threshold: Value of a complete solution that ends the search; None for none.
        width: Expansions under way at most, at least 1.
        prune: New nodes with a value below this are closed; None closes none.
    """

    def __init__(
        self,
        *,
        expansions: int,
        branching: int,
        max_steps: int,
        threshold: float | None = None,
        width: int = 1,
        prune: float | None = None,
    ) -> None:
        super().__init__(width=width, prune=prune)
        self._left, self._branching, self._max_steps = expansions, branching, max_steps
        self._threshold = threshold
        self._open = Frontier(self.tree)
        self._open.add([ROOT])

    def _next(self) -> Wanted | None:
        if not self._left or not self._open:
            return None
        self._left -= 1
        return Wanted(node=self._open.pop(), children=self._branching)

    def _applied(self, expansion: Expansion, nodes: Sequence[int]) -> None:
        tree = self.tree
        new = distinct(tree, nodes)
        self._open.add(node for node in new if tree.depth(node) < self._max_steps)
        self.decided |= tree.solved(new, self._threshold)
