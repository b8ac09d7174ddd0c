"""The nodes a search may yet go on from, the best one first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from .tree import Tree

__all__ = ["Frontier", "distinct"]


def distinct(tree: Tree, nodes: Iterable[int]) -> list[int]:
    """`nodes` of one parent without those that say the same as an earlier one; these are closed."""
    first: dict[str, int] = {}
    for node in nodes:
        if first.setdefault(tree.spans[node], node) != node:
            tree.close(node)
    return list(first.values())


class Frontier:
    """Nodes that could be gone on from, the best one first: by value, of equals the deepest, then the first."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._heap: list[tuple[float, int, int]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, nodes: Iterable[int]) -> None:
        """Take in those of `nodes` that are neither complete nor closed."""
        for node in nodes:
            if not self._tree.complete(node) and not self._tree.closed(node):
                heapq.heappush(self._heap, (-self._tree.rank(node), -self._tree.depth(node), node))

    def pop(self) -> int:
        """The best node, which is in it no more."""
        return heapq.heappop(self._heap)[2]
