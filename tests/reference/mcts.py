"""Monte Carlo tree search by its definition: every figure is counted anew from the list of simulations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(eq=False)
class Node:
    text: str
    value: float | None
    prior: float
    complete: bool
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    closed: bool = False
    repeat: bool = False  # closed for saying what an earlier sibling says
    asked: int = 0  # children asked for so far
    empty: int = 0  # expansions without a child, since the last that had one

    def way(self) -> list[Node]:
        """The nodes from here up to the root."""
        return [self] if self.parent is None else [self, *self.parent.way()]

    def below(self) -> list[Node]:
        """The nodes from here down."""
        return [self, *(node for child in self.children for node in child.below())]


class Waits(Exception):
    """The way down leads past what is under way to a solution: better to wait than to go there again."""


@dataclass(eq=False)
class PlainMCTS:
    """`found(text, first, n)` writes up to n children after a text, from the place `first` on."""

    found: Callable[[str, int, int], Sequence[Node]]
    num_simulations: int
    c_puct: float
    branching: int
    widening: float
    uniform: bool
    descend: bool = False
    steps: int | None = None
    prune: float | None = None
    width: int = 1
    root: Node = field(default_factory=lambda: Node("", None, 1.0, complete=False))
    finished: list[tuple[Node, float]] = field(
        default_factory=list
    )  # where simulations ended, what they found
    pending: list[tuple[Node, int, int]] = field(default_factory=list)  # where, first child, how many
    passed: bool = False  # whether the way down has passed by what is under way
    descents: list[Node] = field(default_factory=list)  # expanded before anything is selected
    log: list[tuple[str, int]] = field(
        default_factory=list
    )  # of every simulation: the text, children asked for

    def n(self, node: Node) -> int:
        return sum(node in end.way() for end, _ in self.finished)

    def under_way(self, node: Node) -> int:
        return sum(node in end.way() for end, _, _ in self.pending)

    def visits(self, node: Node) -> int:
        return self.n(node) + self.under_way(node)

    def q(self, node: Node) -> float:
        values = [value for end, value in self.finished if node in end.way()]
        if node.value is not None:
            return (node.value + sum(values)) / (1 + len(values))
        if values:
            return sum(values) / len(values)
        return 0.0 if node.parent is None else self.q(node.parent)

    def normalised(self, q: float) -> float:
        values = [node.value for node in self.root.below() if node.value is not None]
        values += [value for _, value in self.finished]
        if len(set(values)) < 2:
            return 0.0
        return (q - min(values)) / (max(values) - min(values))

    def p(self, node: Node) -> float:
        siblings = [one for one in node.parent.children if not one.closed]
        weight = 0.0 if self.uniform else sum(one.prior for one in siblings)
        return node.prior / weight if weight > 0 else 1 / len(siblings)

    def score(self, node: Node) -> float:
        exploration = self.c_puct * self.p(node) * math.sqrt(self.visits(node.parent))
        return self.normalised(self.q(node)) + exploration / (1 + self.visits(node))

    def room(self, node: Node) -> int:
        if node.empty >= 2:
            return 0
        most = math.floor(self.branching * max(1, self.visits(node)) ** self.widening)
        coming = sum(count for end, _, count in self.pending if end is node)
        open_ones = sum(not child.closed for child in node.children)
        have = coming + (open_ones + sum(child.repeat for child in node.children) if open_ones else 0)
        return max(0, min(self.branching, most - have))

    def leaf(self, node: Node) -> Node | None:
        """Where a simulation through `node` ends; None where all is under way or closed."""
        if node.closed:
            return None
        if node.complete:
            if self.passed and self.pending:
                raise Waits
            return node
        if self.room(node):
            return node
        for child in sorted(node.children, key=lambda one: 0.0 if one.closed else -self.score(one)):
            if (end := self.leaf(child)) is not None:
                return end
            self.passed |= not child.closed
        return None

    def count(self) -> None:
        """The oldest simulation under way finds what it finds."""
        node, first, wanted = self.pending.pop(0)
        new = list(self.found(node.text, first, wanted))
        for child in new:
            child.parent = node
            pruned = self.prune is not None and child.value is not None and child.value < self.prune
            child.repeat = not pruned and any(child.text == other.text for other in node.children)
            child.closed = pruned or child.repeat
            node.children.append(child)
        if new:
            node.empty = 0
            judged = [child.value for child in new if child.value is not None]
            self.finished.append((node, sum(judged) / len(judged) if judged else self.q(node)))
            self.go_on(new)
            return
        node.empty += 1
        for above in node.way():
            coming = any(end is above for end, _, _ in self.pending)
            if above.empty < 2 or coming or any(not child.closed for child in above.children):
                break
            above.closed = True

    def go_on(self, new: Sequence[Node]) -> None:
        """The best of the new nodes is expanded next, unless it is complete."""
        ranked = sorted(
            (child for child in new if not child.closed),
            key=lambda child: (
                child.value is None,
                -(child.value or 0.0),
                0.0 if self.uniform else -child.prior,
            ),
        )
        if self.descend and ranked and not ranked[0].complete:
            self.descents.append(ranked[0])

    def next(self) -> Node | None:
        if self.descents:
            return self.descents.pop(0)
        if self.descend and self.steps is not None:
            kept = sum(max(0, self.steps - len(end.way())) for end, _, _ in self.pending)
            if kept and len(self.log) + kept + self.steps > self.num_simulations:
                return None
        self.passed = False
        try:
            return self.leaf(self.root)
        except Waits:
            return None

    def run(self) -> list[tuple[str, int]]:
        while True:
            if len(self.pending) == self.width:
                self.count()
            end = self.next() if len(self.log) < self.num_simulations else None
            if end is None and self.pending:
                self.count()
            elif end is None:
                return self.log
            elif end.complete:
                self.log.append((end.text, 0))
                self.finished.append((end, end.value if end.value is not None else self.q(end)))
            else:
                room = self.room(end)
                self.log.append((end.text, room))
                self.pending.append((end, end.asked, room))
                end.asked += room
