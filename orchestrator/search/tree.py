"""The tree of a search: spans of text over rows of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import _core
from ..errors import InvalidInputError
from ..types import Candidate

__all__ = ["ROOT", "Child", "Tree"]

ROOT = 0
"""The node every tree begins with: the problem, with nothing written yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What an expansion found: a node to be.

    Attributes:
        text: What it adds to its parent's text.
        value: How good the text up to its end is, in [0, 1]; None when nobody could say.
        prior: Its weight among its siblings before anything is known of it, finite and at least 0.
        tokens: Completion tokens written for it.
        complete: Whether the text ends with it.
        candidate: The whole text as a candidate for the answer, for complete ones.
        rollouts: Solutions written from here to their end to value it, which are no nodes.
    """

    text: str
    value: float | None = None
    prior: float = 1.0
    tokens: int = 0
    complete: bool = False
    candidate: Candidate | None = None
    rollouts: Sequence[Candidate] = ()


class Tree(_core.Tree):
    """Nodes numbered as they come, a parent always before its children; nothing is ever copied or removed.

    What numbers there are of a node (`parent`, `children`, `depth`, `value`, `prior`, `tokens`, `visits`, `total`,
    `mean`, `pending`, `complete`, `closed`) is asked by its number; its visits and their sum are kept by `begin`,
    `abandon` and `backup`, which go up to the root.

    Attributes:
        spans: What each node adds to the text of its parent, by number.
        candidates: The complete ones' candidates, by number.
        rollouts: Solutions written from a node to value it, by its number; none for most.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[str] = [""]
        self.candidates: dict[int, Candidate] = {}
        self.rollouts: dict[int, Sequence[Candidate]] = {}

    def __repr__(self) -> str:
        return f"Tree(nodes={len(self)}, complete={len(self.candidates)})"

    def grow(self, parent: int, children: Sequence[Child], *, arm: int = 0) -> list[int]:
        """New last children of `parent`; their numbers.

        Raises:
            InvalidInputError: There is no such node, it is complete, or a value or prior is not one.
        """
        nodes = []
        for child in children:
            node = self.add_node(
                parent,
                value=child.value,
                prior=child.prior,
                tokens=child.tokens,
                complete=child.complete,
                arm=arm,
            )
            self.spans.append(child.text)
            if child.candidate is not None:
                self.candidates[node] = child.candidate
            if child.rollouts:
                self.rollouts[node] = child.rollouts
            nodes.append(node)
        return nodes

    def rank(self, node: int) -> float:
        """What `node` is ranked by: its value, and below all values without one."""
        return float("-inf") if (value := self.value(node)) is None else value

    def solved(self, nodes: Sequence[int], threshold: float | None) -> bool:
        """Whether one of `nodes` is a solution of at least this value; never for None."""
        return threshold is not None and any(
            self.solution(node) and self.rank(node) >= threshold for node in nodes
        )

    def open(self, node: int, max_steps: int) -> bool:
        """Whether `node` can be gone on from: it is not closed, not complete, and above the last level."""
        return not (self.closed(node) or self.complete(node) or self.depth(node) >= max_steps)

    def solution(self, node: int) -> bool:
        """Whether `node` has a readable answer; without a candidate, whether it is complete."""
        candidate = self.candidates.get(node)
        return self.complete(node) if candidate is None else candidate.answer is not None

    def judge(self, nodes: Sequence[int], judged: Sequence[Child]) -> None:
        """Give `nodes` the values and candidates of `judged`, in order; those it has none for stay as they are.

        Raises:
            InvalidInputError: There is no such node, a value is not one, or there are more values than nodes.
        """
        if len(judged) > len(nodes):
            raise InvalidInputError(f"{len(judged)} values for {len(nodes)} nodes")
        for node, child in zip(nodes, judged, strict=False):
            self.set_value(node, child.value)
            if child.candidate is not None:
                self.candidates[node] = child.candidate

    def solutions(self, node: int) -> list[Candidate]:
        """What has been written to its end at `node`: itself, where it is complete, and its rollouts."""
        own = self.candidates.get(node)
        return [*([] if own is None else [own]), *self.rollouts.get(node, ())]

    def text(self, node: int) -> str:
        """All that is written from the root to `node`."""
        return "".join([self.spans[at] for at in self.path(node)])
