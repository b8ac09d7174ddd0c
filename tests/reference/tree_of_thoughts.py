"""Tree of Thoughts as the paper writes it: recursive, one call after the other, no tree kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Thought = tuple[str, float | None, bool]
"""The text up to its end, its value (None: nobody knows), and whether it is a solution."""

Generator = Callable[[str], Sequence[Thought]]


@dataclass
class Found:
    """What a search went on from, in order, and the solutions it met."""

    expanded: list[str]
    solutions: list[str]
    kept: list[list[str]]


def bfs(generate: Generator, *, breadth: int, steps: int, prune: float | None = None) -> Found:
    """Algorithm 1: S'_t = all thoughts after S_(t-1); S_t = the `breadth` best of them."""
    found = Found([], [], [])
    states = [""]
    for _ in range(steps):
        level: list[Thought] = []
        for state in states:
            found.expanded.append(state)
            level.extend(generate(state))
        if not level:
            break
        found.solutions += [text for text, _, complete in level if complete]
        left = [thought for thought in level if not pruned(thought, prune)]
        best: list[Thought] = []
        while left and len(best) < breadth:
            # The first of those that no other is better than.
            winner = next(one for one in left if not any(better(other, one) for other in left))
            left.remove(winner)
            best.append(winner)
        found.kept.append([text for text, _, _ in best])
        states = [text for text, _, complete in best if not complete]
        if not states:
            break
    return found


def dfs(generate: Generator, *, steps: int, most: int, prune: float | None = None) -> Found:
    """Algorithm 2: into the children by falling value, unless they are pruned; back when they are all done."""
    found = Found([], [], [])

    def visit(state: str, depth: int) -> None:
        if len(found.expanded) == most:
            return
        found.expanded.append(state)
        children = list(generate(state))
        found.solutions += [text for text, _, complete in children if complete]
        while children:
            child = next(one for one in children if not any(better(other, one) for other in children))
            children.remove(child)
            text, _, complete = child
            if not complete and depth + 1 < steps and not pruned(child, prune):
                visit(text, depth + 1)

    visit("", 0)
    return found


def better(a: Thought, b: Thought) -> bool:
    if a[1] is None or b[1] is None:
        return a[1] is not None and b[1] is None
    return a[1] > b[1]


def pruned(thought: Thought, prune: float | None) -> bool:
    return prune is not None and thought[1] is not None and thought[1] < prune
