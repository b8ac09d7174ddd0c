"""Breadth-first search with a beam: level by level, the best states of a level are gone on from."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ..errors import InvalidInputError
from .base import Expansion, Search, Wanted
from .tree import ROOT

__all__ = ["BreadthFirst"]


class BreadthFirst(Search):
    """Writes all states of a level, values them together, and keeps the best.

    With S_0 = {root}, the children G(s) of a state and its value V, for t = 1, 2, ..., T:

        S'_t = all s' in G(s) for s in S_(t-1), in that order
        S_t = the b states of S'_t with the highest V, of equal ones those that come first

    Complete states are in S_t as others are, and are not gone on from; pruned ones are not in it. States without a
    value rank last. A level is valued by one expansion with all its states in `judge`, so that they can be compared,
    and its states are written side by side: however many expansions are asked for at a time, the tree is the same.

    Source: Yao et al., arXiv 2305.10601, §3, Algorithm 1 (ToT-BFS). Differs in that complete states may come
    before step T.

    Args:
        breadth: States kept at each level, b, at least 1; so many expansions are under way at most.
        max_steps: Levels below the root, T, at least 1.
        children: Continuations wanted of a state, at least 1.
        prune: States with a value below this are closed; None closes none.
        threshold: A complete state with at least this value ends the search; None for none.

    Attributes:
        levels: The states kept at each level, best first.
    """

    def __init__(
        self,
        *,
        breadth: int = 5,
        max_steps: int = 4,
        children: int = 1,
        prune: float | None = None,
        threshold: float | None = None,
    ) -> None:
        for name, number in (("breadth", breadth), ("max_steps", max_steps), ("children", children)):
            if number < 1:
                raise InvalidInputError(f"{name} must be at least 1, not {number}")
        super().__init__(width=breadth, prune=prune)
        self.breadth, self.max_steps, self.children, self.threshold = breadth, max_steps, children, threshold
        self.levels: list[list[int]] = []
        self._parents = deque([ROOT])
        self._level: list[int] = []  # states of this level, not valued yet
        self._awaited = 0

    def _next(self) -> Wanted | None:
        if self._parents:
            self._awaited += 1
            return Wanted(node=self._parents.popleft(), children=self.children)
        if self._awaited or not self._level:
            return None
        level, self._level = tuple(self._level), []
        self._awaited += 1
        return Wanted(node=ROOT, judge=level)

    def _applied(self, expansion: Expansion, nodes: Sequence[int]) -> None:
        self._awaited -= 1
        if expansion.judge:
            self._keep(nodes)
        else:
            self._level += nodes

    def _keep(self, level: Sequence[int]) -> None:
        tree = self.tree
        kept = [node for node in level if not tree.closed(node)]
        kept.sort(key=tree.rank, reverse=True)  # stable: of equal ones the first
        del kept[self.breadth :]
        self.levels.append(kept)
        self._parents.extend(node for node in kept if tree.open(node, self.max_steps))
        self.decided |= tree.solved(level, self.threshold)
