"""What every search state is: it names the next expansions, and takes what they found in any order."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidInputError
from .tree import Child, Tree

__all__ = ["Expansion", "Search", "Wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a search wants next: `children` continuations of `node`, or the values of the nodes of `judge`.

    Attributes:
        node: What is gone on from.
        children: Continuations wanted, at least 1.
        arm: Which of the models writes them, from 0.
        judge: Nodes to be valued together, for searches that write first and value later. What is told of them is
            as many children in the same order, of which `value` and `candidate` count.
    """

    node: int
    children: int = 1
    arm: int = 0
    judge: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion(Wanted):
    """One thing to do: write and value what a search wants. `number` counts from 0 in the order of asking."""

    number: int


class Search:
    """The root of the search states: synchronous, and without a model in sight.

    `ask(k)` names up to k expansions, `tell` takes what one found: in any order, and a second time to no effect.
    Results count in the order of asking. Expansion j is chosen knowing exactly the results of the expansions before
    j - width + 1, and of further ones only where nothing could be chosen without them: so the tree depends on the
    results alone and not on when they came, a resumed search grows the same one, and `width` expansions can be under
    way at any time. With `width=1` every choice knows all results before it.

    Subclasses say what comes next (`_next`) and what a result changes (`_applied`).

    Args:
        width: Expansions under way at most, at least 1.
        prune: New nodes with a value below this are closed; None closes none.

    Attributes:
        tree: What has been found; results that were told and do not count yet are not in it.
        decided: Whether the search has seen enough: it asks for no more, and what is under way may be called off.
    """

    def __init__(self, *, width: int = 1, prune: float | None = None) -> None:
        if width < 1:
            raise InvalidInputError(f"width must be at least 1, not {width}")
        self.width, self.prune = width, prune
        self.tree = Tree()
        self.decided = False
        self._asked = 0  # expansions asked for so far
        self._under_way: deque[Expansion] = deque()  # those whose results do not count yet
        self._told: dict[int, Sequence[Child]] = {}
        self._counted = 0  # results that are in the tree: those of the expansions before this number
        self._stuck = False  # nothing can be chosen until another result counts

    def __repr__(self) -> str:
        return f"{type(self).__name__}(asked={self._asked}, counted={self._counted}, tree={self.tree!r})"

    @property
    def finished(self) -> bool:
        """Whether nothing is left to ask for, whatever comes."""
        return self.decided or (self._stuck and self._counted == self._asked)

    def ask(self, k: int = 1) -> list[Expansion]:
        """The next expansions, at most `k`; fewer while others must be told first, none when it is finished."""
        asked: list[Expansion] = []
        while len(asked) < k and not self.decided:
            if self._stuck or self._asked - self._counted >= self.width:
                if not self._count_next():
                    break
                continue
            wanted = self._next()
            if wanted is None:
                self._stuck = True
                continue
            expansion = Expansion(
                number=self._asked,
                node=wanted.node,
                children=wanted.children,
                arm=wanted.arm,
                judge=wanted.judge,
            )
            self._asked += 1
            self._under_way.append(expansion)
            asked.append(expansion)
        return asked

    def tell(self, number: int, children: Sequence[Child]) -> None:
        """What expansion `number` found: fewer children than wanted, or none, when calls failed.

        Raises:
            InvalidInputError: It was not asked for.
        """
        if not 0 <= number < self._asked:
            raise InvalidInputError(f"expansion {number} was not asked for; there were {self._asked}")
        if number >= self._counted:
            self._told.setdefault(number, children)

    def settle(self) -> None:
        """Count all that has been told; what has not is as if it had failed. For a search that is stopped.

        One that is decided counts nothing more: what has been told beyond that depends on when it came.
        """
        while self._counted < self._asked and not self.decided:
            self._told.setdefault(self._counted, ())
            self._count_next()

    def _count_next(self) -> bool:
        """Let the next result count, if it is there."""
        if self._counted not in self._told:
            return False
        expansion = self._under_way.popleft()
        children = self._told.pop(self._counted)
        self._counted += 1
        self._stuck = False
        nodes: Sequence[int] = expansion.judge
        if nodes:
            self.tree.judge(nodes, children)
        else:
            nodes = self.tree.grow(expansion.node, children, arm=expansion.arm)
        if self.prune is not None:
            for node in nodes:
                if (value := self.tree.value(node)) is not None and value < self.prune:
                    self.tree.close(node)
        self._applied(expansion, nodes)
        return True

    def _next(self) -> Wanted | None:
        """What to do next, as far as is known; None when that takes further results, or there is nothing left."""
        raise NotImplementedError

    def _applied(self, expansion: Expansion, nodes: Sequence[int]) -> None:
        """`nodes` have been added under the expansion's node, or valued; none were added when it failed."""
        raise NotImplementedError
