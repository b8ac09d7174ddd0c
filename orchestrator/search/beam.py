"""Beam search over steps, and the same kept apart in independent subtrees."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ..errors import InvalidInputError
from .base import Expansion, Search, Wanted
from .frontier import Frontier, distinct
from .tree import ROOT

__all__ = ["Beam", "Subtrees", "places_for"]


class Beam(Search):
    """The best `n / beam_width` solutions of each length, each gone on with in `beam_width` ways.

    With k = n / beam_width places in the beam: `n` first steps are drawn; the k best are kept and each is continued
    by `beam_width` steps, of which the k best are kept, and so on for `max_steps` steps. Of equal values the earlier
    node is kept, and one without a value comes last.

    - A complete solution among the kept ones keeps its place to the end; what is left of k goes to the others.
    - Steps that say the same after the same beginning take one place together: the later ones are closed.
    - When no beam is left to go on with (pruned, failed, or all alike and complete) and places are free, the search
      backs up: they go to the best nodes that were passed over, at whatever depth. It expands no more nodes in all
      than k beams of `max_steps` steps would, so backing up spends only what closed and complete beams left.

    A level is decided when all of it is there: the tree is the same whatever is under way at once.

    Args:
        n: Solutions under way after each step, a multiple of `beam_width`.
        beam_width: Continuations of each kept solution, at least 1.
        max_steps: Steps of a solution at most, at least 1.
        prune: New nodes with a value below this are closed; None closes none.
    """

    def __init__(self, *, n: int, beam_width: int, max_steps: int, prune: float | None = None) -> None:
        places = places_for(n, beam_width)
        super().__init__(width=places, prune=prune)
        self._n, self._beam_width, self._max_steps = n, beam_width, max_steps
        self._places = places  # not taken by a complete solution
        self._left = 1 + places * (max_steps - 1)  # expansions the search may still ask for
        self._level: deque[int] = deque([ROOT])  # kept, and not yet gone on from
        self._waiting = 0  # expansions of this level whose results do not count yet
        self._found: list[int] = []  # what this level has found
        self._passed_over = Frontier(self.tree)

    def _next(self) -> Wanted | None:
        if not self._level or not self._left:
            return None
        self._left -= 1
        self._waiting += 1
        node = self._level.popleft()
        return Wanted(node=node, children=self._n if node == ROOT else self._beam_width)

    def _applied(self, expansion: Expansion, nodes: Sequence[int]) -> None:
        self._waiting -= 1
        self._found += [node for node in distinct(self.tree, nodes) if not self.tree.closed(node)]
        if not self._waiting and (not self._level or not self._left):
            self._keep_best()

    def _keep_best(self) -> None:
        """End a level: its best nodes take the places, or where there are none, the best passed over."""
        ranked = sorted(self._found, key=self.tree.rank, reverse=True)
        kept, passed_over = ranked[: self._places], ranked[self._places :]
        self._found = []
        self._places -= sum(self.tree.complete(node) for node in kept)
        self._level.extend(node for node in kept if self.tree.open(node, self._max_steps))
        self._passed_over.add(node for node in passed_over if self.tree.open(node, self._max_steps))
        if not self._level:
            free = min(self._places, len(self._passed_over))
            self._level.extend(self._passed_over.pop() for _ in range(free))


class Subtrees(Search):
    """Independent greedy searches side by side: `n / beam_width` subtrees, each going on with its own best step.

    Each subtree draws `beam_width` steps, goes on from the one of highest value, and so on until that one is complete
    or has `max_steps` steps. Of equal values the earlier node is gone on from, and one without a value comes last.
    Where all steps of an expansion are pruned or the call failed, the subtree backs up to its best node not gone on
    from; each has `max_steps` expansions in all.

    Subtrees know nothing of each other: two of them may begin alike, and then differ by what they draw. Equal steps
    within an expansion are one step; the later ones are closed.

    Args:
        n: Solutions under way after each step, a multiple of `beam_width`.
        beam_width: Steps that each subtree chooses from, at least 1.
        max_steps: Steps of a solution at most, at least 1.
        prune: New nodes with a value below this are closed; None closes none.
    """

    def __init__(self, *, n: int, beam_width: int, max_steps: int, prune: float | None = None) -> None:
        subtrees = places_for(n, beam_width)
        super().__init__(width=subtrees, prune=prune)
        self._beam_width, self._max_steps = beam_width, max_steps
        self._ready = deque((subtree, ROOT) for subtree in range(subtrees))
        self._left = [max_steps] * subtrees  # expansions each may still ask for
        self._passed_over = [Frontier(self.tree) for _ in range(subtrees)]
        self._subtree_of: list[int] = []  # by the number of an expansion

    def _next(self) -> Wanted | None:
        if not self._ready:
            return None
        subtree, node = self._ready.popleft()
        self._left[subtree] -= 1
        self._subtree_of.append(subtree)
        return Wanted(node=node, children=self._beam_width)

    def _applied(self, expansion: Expansion, nodes: Sequence[int]) -> None:
        subtree = self._subtree_of[expansion.number]
        found = [node for node in distinct(self.tree, nodes) if not self.tree.closed(node)]
        best = max(found, key=self.tree.rank, default=None)
        others = self._passed_over[subtree]
        others.add(node for node in found if node != best)
        if best is None and others:
            best = others.pop()
        if best is not None and self.tree.open(best, self._max_steps) and self._left[subtree]:
            self._ready.append((subtree, best))


def places_for(n: int, beam_width: int) -> int:
    """Beams or subtrees for `n` solutions under way.

    Raises:
        InvalidInputError: One is below 1, or `n` is no multiple of `beam_width`.
    """
    if beam_width < 1 or n < 1 or n % beam_width:
        raise InvalidInputError(
            f"n must be a multiple of beam_width, both at least 1, not n={n} and beam_width={beam_width}"
        )
    return n // beam_width
