"""Best-first search: on from the best partial solution there is. Cost: a call per expansion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..search import Search
from ..search.best_first import BestFirst
from .base import at_least, in_unit
from .tree_search import TreeSearch

__all__ = ["BestFirstSearch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestFirstSearch(TreeSearch):
    """Goes on, at any time, from the partial solution the verifier likes best, wherever in the tree it is.

    With V the verifier's score of a solution up to the end of a step and F the solutions not gone on from yet:

        y* = argmax of V over F        (of equals the longest, then the first)
        F = F - {y*} + `branching` samples of the next step after y*

    for `expansions` rounds, or until F is empty or a complete solution scores at least `threshold`. Backing up is
    part of it: when what follows disappoints, an earlier step is the best again. The answer is the complete solution
    of highest score (`choose`). Equal steps after the same beginning are one. A failed call leaves its node behind.

    Source: Koh et al., "Tree Search for Language Model Agents", arXiv 2407.01476, §3 (`expansions` is their search
    budget c, `branching` their b, `max_steps` their depth d, `threshold` their theta), after Hart, Nilsson and
    Raphael, "A Formal Basis for the Heuristic Determination of Minimum Cost Paths", 1968. Differs in `width`, and
    in that a partial solution cannot end the search by its value.

    Cost: at most expansions + 1 calls, the one that ends the best partial solution where no complete one can be read
    among them. A server that gives one sample a request takes branching for each but that one.

    Args:
        expansions: Partial solutions gone on from, at least 1.
        branching: Next steps drawn for each, at least 1.
        threshold: A score in [0, 1] of a complete solution that is good enough to stop at; None for all expansions.
        width: Expansions under way at once, at least 1; each is chosen without knowing what the width - 1
            before it find.
        verifier: Scores solutions, partial ones too. One that abstains on a solution gives it no value.
        steps: How solutions are cut into steps.
        max_steps: Steps of a solution at most, at least 1; the last one is written to the end of the solution.
        prune: Solutions with a score below this, in [0, 1], are not gone on from; None for all.
        choose: How the answer is chosen among the complete solutions: the best by `score`, the largest sum of
            scores of equal answers (`weighted`), or the most frequent (`vote`).
        finish_tokens: Cap on the call that ends the best partial solution, in tokens, at least 1.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: None: steps have caps of their own.

    The outcome's `detail` has the `nodes` of the tree, how many of them are `complete`, its `depth` in steps, whether
    the answer was `forced` by ending a partial solution, and that of the choice.
    """

    paper: ClassVar[str] = "Koh et al., arXiv 2407.01476, §3"
    cost: ClassVar[str] = "expansions + 1"
    pays: ClassVar[str] = (
        "scores of partial solutions that can be compared across lengths, one good solution wanted"
    )

    expansions: int = 20
    branching: int = 4
    threshold: float | None = 1.0
    width: int = 1

    def __post_init__(self) -> None:
        self.check()
        at_least(1, expansions=self.expansions, branching=self.branching, width=self.width)
        in_unit(threshold=self.threshold)

    @property
    def most_calls(self) -> int:
        """Expansions + 1."""
        return self.expansions + 1

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return min(self.width, self.expansions)

    def search(self, seed: int) -> Search:
        """The search state, which draws no lots."""
        return BestFirst(
            expansions=self.expansions,
            branching=self.branching,
            max_steps=self.max_steps,
            threshold=self.threshold,
            width=self.width,
            prune=self.prune,
        )

    @property
    def expansions_at_most(self) -> tuple[int, int, int]:
        """Steps of the first expansion, expansions after it, and steps of each of these."""
        return self.branching, self.expansions - 1, self.branching
