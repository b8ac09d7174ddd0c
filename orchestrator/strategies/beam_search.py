"""Beam search by a verifier of steps. Cost: a call per solution kept and step, and those of the lookahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from ..concurrently import concurrently
from ..context import Context
from ..contracts import logprobs_for
from ..costs import Costing, Spending, repeated
from ..search import Child, Expansion, Search
from ..search.beam import Beam, places_for
from .base import at_least
from .steps import Step
from .tree_search import Choosing, Growth, TreeSearch

__all__ = ["BeamSearch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamSearch(TreeSearch):
    """Writes `n` solutions step by step, going on after each step with the `n / beam_width` the verifier likes best.

    With N = n, M = beam_width, V the verifier's score of a solution up to the end of a step, and y..z for the step z
    after y:

        C_1 = N samples of the first step
        B_t = the N / M of highest V in C_t
        C_{t+1} = M samples of the next step after each of B_t

    until `max_steps` steps or until all in B_t are complete. With `lookahead` = k > 0, V of a new step is the score
    of where k further steps at temperature 0 lead (fewer, where the solution ends before); what they wrote is used
    for nothing else. The answer is the one with the largest sum of scores among complete solutions (`choose`).

    A complete solution in B_t keeps its place to the end. Equal steps after the same beginning take one place. When
    all of C_t have been pruned or have failed, the search backs up to the best steps that were passed over, at
    whatever depth, within the same number of calls.

    Source: Snell et al., "Scaling LLM Test-Time Compute Optimally", arXiv 2408.03314, §5.2 (beam search, lookahead
    search, best-of-N weighted for the answer). Differs in choosing among all complete solutions that were found and
    not only the last N, in telling equal steps apart, and in backing up.

    Cost: at most 2 + (max_steps - 1) * (n / beam_width + n * lookahead) calls, the one that ends the best partial
    solution where no complete one can be read among them. A server that gives fewer samples a request takes as
    many more: of one sample each, n for the first step and beam_width for each later one.

    Args:
        n: Solutions under way after each step, a multiple of `beam_width`.
        beam_width: Continuations drawn for each solution kept, at least 1.
        lookahead: Steps that each new step is rolled out by to value it, at least 0.
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
    the answer was `forced` by ending a partial solution, and that of the choice (`score` and `totals`).
    """

    paper: ClassVar[str] = "Snell et al., arXiv 2408.03314, §5.2"
    cost: ClassVar[str] = "2 + (max_steps - 1) * (n / beam_width + n * lookahead)"
    pays: ClassVar[str] = "a good verifier of steps, hard problems, a small budget"

    n: int = 16
    beam_width: int = 4
    lookahead: int = 0
    choose: Choosing = "weighted"

    def __post_init__(self) -> None:
        self.check()
        at_least(0, lookahead=self.lookahead)
        places_for(self.n, self.beam_width)

    @property
    def most_calls(self) -> int:
        """2 + (max_steps - 1) * (n / beam_width + n * lookahead)."""
        return 2 + (self.max_steps - 1) * (self.n // self.beam_width + self.n * self.lookahead)

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return self.n if self.lookahead else self.n // self.beam_width

    def search(self, seed: int) -> Search:
        """The beam, which draws no lots."""
        return Beam(n=self.n, beam_width=self.beam_width, max_steps=self.max_steps, prune=self.prune)

    async def expand(self, growth: Growth, place: Context, expansion: Expansion) -> list[Child]:
        """Write continuations of a node, and value each by itself or by where it leads."""
        said, steps = await self.drawn(growth, place, expansion)
        if not self.lookahead:
            return await growth.valued(place, said, steps)
        return await growth.valued(place, said, steps, after=await self._ahead(growth, place, said, steps))

    async def _ahead(self, growth: Growth, place: Context, said: str, steps: Sequence[Step]) -> list[str]:
        """For each of `steps` the solution `lookahead` steps further; equal ones are rolled out once."""
        open_ones = dict.fromkeys(said + step.text for step in steps if not step.complete)
        places = [place.branch(label=f"ahead{number}") for number in range(len(open_ones))]
        ends = await concurrently(
            self._rolled_out(growth, branch, text) for branch, text in zip(places, open_ones, strict=True)
        )
        led = dict(zip(open_ones, ends, strict=True))
        return [led.get(text, text) for text in (said + step.text for step in steps)]

    async def _rolled_out(self, growth: Growth, place: Context, text: str) -> str:
        """`text` with the likeliest next steps; as far as they could be had."""
        with growth.attempts.surviving():
            for _ in range(self.lookahead):
                [step] = await self.steps.draw(
                    place, self, growth.ask, text, temperature=0.0, logprobs=logprobs_for(self.verifier)
                )
                text += step.text
                if step.complete:
                    break
        return text

    @property
    def expansions_at_most(self) -> tuple[int, int, int]:
        """Steps of the first expansion, expansions after it, and steps of each of these."""
        return self.n, (self.max_steps - 1) * (self.n // self.beam_width), self.beam_width

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        found = await TreeSearch.worst_case(self, costing)
        if not self.lookahead:
            return found
        first, later, children = self.expansions_at_most
        before = self._text_before(later) + self.longest_step * (1 + (self.lookahead - 1) / 2)
        ahead = await self._stepping(
            costing, costing.ask(self.model).continued("."), n=1, inserted=before, note="ahead"
        )
        ahead = replace(ahead, on_branch=True)
        return self._spending(*found.parts, repeated(ahead, (first + later * children) * self.lookahead))

    @property
    def longest_path(self) -> int:
        """Tokens of a solution at most, what is looked ahead at included."""
        steps = self.max_steps - 1 + self.lookahead
        return steps * self.longest_step + max(self.longest_step, self.steps.rest_tokens)
