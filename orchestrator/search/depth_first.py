"""Depth-first search with backtracking: the most promising child first, and back when a way is not worth going on."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ..errors import InvalidInputError
from .base import Expansion, Search, Wanted
from .tree import ROOT

__all__ = ["DepthFirst"]


class DepthFirst(Search):
    """Goes on from the best child of the state it is at, and returns to the next best when a way has ended.

    DFS(s, t): for the children s' of s by falling value V(s'), of equal ones the first: if s' is complete or t = T it
    is an end; else, if V(s') is not below `prune`, DFS(s', t + 1).

    Children are valued together, by one expansion with all of them in `judge`. One without a value comes last and is
    not pruned. Choices that cannot wait for what is under way are made as if the way there had ended: with `width` w
    at most 2 w times as many expansions are made before the same state is reached as one after the other; where
    nothing ends the search early they are the same.

    Source: Yao et al., arXiv 2305.10601, §3, Algorithm 2 (ToT-DFS), where the steps of the search are limited as
    here (§4.3: 100). Differs in that complete states may come before step T, and in `threshold`.

    Args:
        max_steps: Levels below the root, T, at least 1.
        children: Continuations wanted of a state, at least 1.
        max_expansions: States gone on from at most, at least 1.
        prune: V_th: states with a value below this are closed; None closes none.
        threshold: A complete state with at least this value ends the search; None for none.
        width: Expansions under way at most, at least 1.

    Attributes:
        expanded: States gone on from so far.
    """

    def __init__(
        self,
        *,
        max_steps: int = 4,
        children: int = 1,
        max_expansions: int = 100,
        prune: float | None = None,
        threshold: float | None = None,
        width: int = 1,
    ) -> None:
        for name, number in (
            ("max_steps", max_steps),
            ("children", children),
            ("max_expansions", max_expansions),
        ):
            if number < 1:
                raise InvalidInputError(f"{name} must be at least 1, not {number}")
        super().__init__(width=width, prune=prune)
        self.max_steps, self.children, self.max_expansions = max_steps, children, max_expansions
        self.threshold = threshold
        self.expanded = 0
        self._open = [ROOT]  # the next to go on from last
        self._unjudged: deque[tuple[int, ...]] = deque()

    def _next(self) -> Wanted | None:
        if self._unjudged:
            return Wanted(node=ROOT, judge=self._unjudged.popleft())
        if not self._open or self.expanded == self.max_expansions:
            return None
        self.expanded += 1
        return Wanted(node=self._open.pop(), children=self.children)

    def _applied(self, expansion: Expansion, nodes: Sequence[int]) -> None:
        if not expansion.judge:
            if nodes:
                self._unjudged.append(tuple(nodes))
            return
        tree = self.tree
        best_first = sorted(nodes, key=tree.rank, reverse=True)
        self._open += [node for node in reversed(best_first) if tree.open(node, self.max_steps)]
        self.decided |= tree.solved(nodes, self.threshold)
