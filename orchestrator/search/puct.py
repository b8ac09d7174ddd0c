"""Monte Carlo tree search: simulations guided by values, priors and visits, widened where it has been often."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _core
from ..errors import InvalidInputError
from ..types import Candidate
from .base import Expansion, Search, Wanted

__all__ = ["AnswerMass", "Puct"]


class AnswerMass:
    """How much stands behind each answer, and which of them leads: the first to get there, of equals.

    Attributes:
        by_answer: The mass behind each answer, by its key.
        total: All of it, that of solutions without a readable answer included.
        leader: Key of the leading answer; None where there is none.
    """

    __slots__ = ("by_answer", "leader", "total")

    def __init__(self) -> None:
        self.by_answer: dict[str, int] = {}
        self.total = 0
        self.leader: str | None = None

    def __repr__(self) -> str:
        return f"AnswerMass(leader={self.leader!r}, share={self.share:.2f}, total={self.total})"

    @property
    def share(self) -> float:
        """The leading answer's part of all mass, in [0, 1]; 0 without one."""
        return 0.0 if self.leader is None else self.by_answer[self.leader] / self.total

    def add(self, solution: Candidate | None) -> None:
        """One more for what `solution` answers."""
        self.total += 1
        if solution is None or solution.answer is None:
            return
        key = solution.answer.key
        mass = self.by_answer[key] = self.by_answer.get(key, 0) + 1
        if self.leader is None or mass > self.by_answer[self.leader]:
            self.leader = key


class Puct(Search):
    """Simulations from the root: select, expand, evaluate, back up; see `strategies.MCTS` for the formulas.

    The way down, its statistics and the way back are in C++, over the tree all searches share. A simulation that
    ends at a complete node is over at once and asks for nothing; it counts in `num_simulations` as the others do, so
    the search ends. Those under way count as visits whose value is not known yet, and no node is given more children
    than it may have when all of them have come, so that expansions chosen together keep apart. Of siblings
    with the same text only the first is gone on from; the others keep their places among the children, and what they
    are worth counts.

    Args:
        num_simulations: Simulations in all, at least 1.
        c_puct: Weight of exploration, at least 0.
        branching: Children a node gets at first, and the most one expansion gives it, at least 1.
        widening: A node with N simulations through it may have branching * N^widening children; in [0, 1].
        uniform: Whether siblings are alike before anything is known of them, whatever their priors.
        descend: Whether the best of the new children is expanded next, until it is complete, and not what selection
            from the root comes to.
        steps: Steps of a solution at most, at least 1: while descents are under way, none is begun unless the
            simulations that are left are enough for all of them and for a whole one more. None begins all.
        vote: Whether nodes are valued by their solutions' answers: the share of them that gives the answer leading
            among all solutions when the result counts.
        patience: Simulations that must leave a lead as it is for the search to be decided, at least 1, of those that
            end at solutions; None to go on to the last.
        threshold: The share of the answer mass that makes a lead, in [0, 1].
        width: Expansions under way at most, at least 1.
        prune: New nodes with a value below this are closed; None closes none.

    Attributes:
        simulations: Those begun so far.
        mass: One for every solution found and one for every simulation that came back to it, by answer.
    """

    def __init__(
        self,
        *,
        num_simulations: int,
        c_puct: float = 1.25,
        branching: int = 3,
        widening: float = 0.0,
        uniform: bool = False,
        descend: bool = True,
        steps: int | None = None,
        vote: bool = False,
        patience: int | None = None,
        threshold: float = 0.8,
        width: int = 1,
        prune: float | None = None,
    ) -> None:
        super().__init__(width=width, prune=prune)
        if num_simulations < 1 or (patience is not None and patience < 1):
            raise InvalidInputError(
                f"num_simulations and patience must be at least 1, not {num_simulations} and {patience}"
            )
        if not 0.0 <= threshold <= 1.0:
            raise InvalidInputError(f"threshold must be in [0, 1], not {threshold}")
        if steps is not None and steps < 1:
            raise InvalidInputError(f"steps must be at least 1, not {steps}")
        self.num_simulations, self.vote = num_simulations, vote
        self._steps = steps if descend else None
        self._kept = 0  # simulations that the descents under way may need after what they are at
        self.patience, self.threshold = patience, threshold
        self.simulations = 0
        self.mass = AnswerMass()
        self._found = AnswerMass()  # one for every solution, however often it is come back to
        self._leader: str | None = None
        self._said: set[int] = set()
        self._steady = 0  # simulations at solutions for which `_leader` has led
        try:
            self._puct = _core.Puct(
                c_puct=c_puct, branching=branching, widening=widening, uniform=uniform, descend=descend
            )
        except (ValueError, TypeError) as error:
            raise InvalidInputError(str(error)) from error

    def bytes(self) -> int:
        """Memory of the statistics and the tree's rows, about; texts and solutions excluded."""
        return self.tree.bytes() + self._puct.bytes()

    def estimate(self, node: int) -> float:
        """Q of a node: the mean of its own value and of what the simulations through it found, in [0, 1]."""
        return self._puct.estimate(self.tree, node)

    def normalised(self, q: float) -> float:
        """Q as selection compares it: rescaled by the lowest and highest value seen, 0 where these are equal."""
        return self._puct.normalised(q)

    def _next(self) -> Wanted | None:
        while self.simulations < self.num_simulations and not self.decided:
            selected = self._puct.ask(self.tree, self._descents_alone)
            if selected is None:
                return None
            self.simulations += 1
            node, children = selected
            if children:
                self._kept += self._left_below(node)
                return Wanted(node=node, children=children)
            self.mass.add(self.tree.candidates.get(node))
            self._watch()
        return None

    def _applied(self, expansion: Expansion, nodes: Sequence[int]) -> None:
        tree = self.tree
        self._kept -= self._left_below(expansion.node)
        if tree.candidates or tree.rollouts:
            self._count(nodes)
        self._puct.tell(tree, expansion.node, nodes, self._close_repeats(expansion.node, nodes))

    @property
    def _descents_alone(self) -> bool:
        """Whether another descent could keep those under way from a solution."""
        if self._steps is None or not self._kept:
            return False
        return self.simulations + self._kept + self._steps > self.num_simulations

    def _left_below(self, node: int) -> int:
        """Simulations it takes at most to get from a node's children to a solution."""
        return 0 if self._steps is None else max(0, self._steps - self.tree.depth(node) - 1)

    def _close_repeats(self, parent: int, nodes: Sequence[int]) -> int:
        """Close new nodes that say the same as a sibling, where nothing else has; how many."""
        tree, repeats = self.tree, 0
        for node in nodes:
            # A hash for a node is enough to keep, and the time does not depend on the number of its siblings.
            said = hash((parent, tree.spans[node]))
            if said not in self._said:
                self._said.add(said)
            elif not tree.closed(node):
                tree.close(node)
                repeats += 1
        return repeats

    def _count(self, nodes: Sequence[int]) -> None:
        """Let the solutions of new nodes count."""
        solutions = [self.tree.solutions(node) for node in nodes]
        for found in solutions:
            for solution in found:
                self._found.add(solution)
                self.mass.add(solution)
        if self.vote:
            for node, found in zip(nodes, solutions, strict=True):
                self._vote(node, found)
        if any(solutions):
            self._watch()

    def _vote(self, node: int, found: Sequence[Candidate]) -> None:
        """Value a node by how many of its solutions give the leading answer."""
        if not found:
            return
        leader = self._found.leader
        agreeing = sum(one.answer is not None and one.answer.key == leader for one in found)
        value = agreeing / len(found)
        self.tree.set_value(node, value)
        if self.prune is not None and value < self.prune:
            self.tree.close(node)

    def _watch(self) -> None:
        """A simulation has ended at a solution: has one answer led for long enough?"""
        if self.patience is None:
            return
        leads = self.mass.share >= self.threshold
        self._steady = (self._steady if self.mass.leader == self._leader else 0) + 1 if leads else 0
        self._leader = self.mass.leader
        if self._leader is not None and self._steady >= self.patience:
            self.decided = True
