"""Diverse verifier tree search: greedy searches side by side. Cost: a call per subtree and step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..search import Search
from ..search.beam import Subtrees, places_for
from .tree_search import TreeSearch

__all__ = ["DiverseVerifierTreeSearch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiverseVerifierTreeSearch(TreeSearch):
    """Searches `n / beam_width` subtrees, each going on with the best of `beam_width` next steps by the verifier.

    With M = beam_width and V the verifier's score of a solution up to the end of a step, each subtree i of n / M is

        y_{i,0} = nothing written
        y_{i,t+1} = argmax of V over M samples of the next step after y_{i,t}

    until it is complete or has `max_steps` steps. Subtrees do not compete, so one that the verifier overrates early
    does not crowd out the others, as it may in a beam. The answer is the complete solution of highest score
    (`choose`), those that a subtree passed over included.

    Equal steps of an expansion are one; subtrees that begin alike go on separately. Where all steps of an expansion
    have been pruned or have failed, the subtree backs up to its best step passed over, within as many calls.

    Source: Beeching, Tunstall and Rush, "Scaling test-time compute with open models", Hugging Face 2024. Differs in
    backing up, and in ending a subtree where its solution states its answer.

    Cost: at most 1 + max_steps * n / beam_width calls, the one that ends the best partial solution where no complete
    one can be read among them. A server that gives one sample a request takes beam_width for each but that one.

    Args:
        n: Solutions under way after each step, a multiple of `beam_width`.
        beam_width: Steps that each subtree chooses from, at least 1.
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

    paper: ClassVar[str] = "Beeching, Tunstall and Rush, Hugging Face 2024"
    cost: ClassVar[str] = "1 + max_steps * n / beam_width"
    pays: ClassVar[str] = "a verifier of steps that can be fooled, a large budget"

    n: int = 16
    beam_width: int = 4

    def __post_init__(self) -> None:
        self.check()
        places_for(self.n, self.beam_width)

    @property
    def most_calls(self) -> int:
        """1 + max_steps * n / beam_width."""
        return 1 + self.max_steps * self.calls_at_once

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return self.n // self.beam_width

    def search(self, seed: int) -> Search:
        """The subtrees, which draw no lots."""
        return Subtrees(n=self.n, beam_width=self.beam_width, max_steps=self.max_steps, prune=self.prune)

    @property
    def expansions_at_most(self) -> tuple[int, int, int]:
        """Steps of the first expansion, expansions after it, and steps of each of these."""
        return self.beam_width, self.max_steps * self.calls_at_once - 1, self.beam_width
