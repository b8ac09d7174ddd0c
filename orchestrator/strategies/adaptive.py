"""Growing self-consistency: few samples where they agree, more where they do not. Cost: at most n calls."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import ClassVar

from ..asking import MOST_CALLS, check_round
from ..context import Context
from ..contracts import logprobs_for
from ..costs import FREE, Costing, Size, Spending, counted
from ..errors import InvalidInputError
from ..types import Outcome, Problem, StopReason
from .acceptance import Acceptance, Agreement, examine, examining, verifier_of
from .attempts import Attempts
from .base import Strategy, at_least, at_most
from .selection import by_vote

__all__ = ["Adaptive"]

LARGEST = 2**53
"""Whole numbers are told apart up to here where they are computed with as others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive(Strategy):
    """Draws `start` samples; while `accept` does not accept their vote, `factor` times as many, up to `n` in all.

    After round i = 0, 1, ... there are min(n, floor(start * factor^i)) samples, at least one more than before.
    Unlike a stopping rule, which is asked after every sample with the rest in flight, a round is drawn side by side
    and asked about once: nothing is cancelled, so nothing is paid for in vain, and `accept` may be a verifier. The
    vote is over all samples so far, ties going to the answer seen first.

    Source: Aggarwal et al., "Let's Sample Step by Step", arXiv 2305.11860, for growing with disagreement; the rounds
    grow geometrically, so that at most about log(n / start) / log(factor) times are waited for.

    Cost: at most n calls, at least start.

    Args:
        n: Samples at most, at least 1, and at most 10,000 in a round.
        start: Samples of the first round, from 1 to `n`.
        factor: By what the number of samples grows from round to round, above 1.
        accept: When the vote is good enough; `Agreement`'s share counts abstentions in the denominator.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.

    The outcome's `detail` has `votes` by cluster, `abstentions`, and the number of samples after each round as
    `rounds`.
    """

    paper: ClassVar[str] = "Aggarwal et al., arXiv 2305.11860"
    cost: ClassVar[str] = "n"
    pays: ClassVar[str] = (
        "problems of very different difficulty, a backend that is charged for cancelled calls"
    )

    n: int = 32
    start: int = 4
    factor: float = 2.0
    accept: Acceptance = field(default_factory=Agreement)

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(1, n=self.n, start=self.start)
        if self.start > self.n:
            raise InvalidInputError(f"start must be at most n = {self.n}, not {self.start}")
        if not 1.0 < self.factor < float("inf"):
            raise InvalidInputError(f"factor must be above 1, not {self.factor}")
        if self.n > MOST_CALLS:
            at_most(LARGEST, n=self.n)
            self._check_rounds()

    @property
    def most_calls(self) -> int:
        """n."""
        return self.n

    @property
    def choice(self) -> str:
        """The vote."""
        return f"the vote of up to {self.n}"

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight in its last round."""
        return max(later - earlier for earlier, later in zip([0, *self.sizes], self.sizes, strict=False))

    def _check_rounds(self) -> None:
        """Refuse rounds of too many calls; the largest is the first, the last, or the one before it."""
        grown = math.floor((math.log(self.n) - math.log(self.start)) / math.log(self.factor))
        last = self.start * self.factor**grown
        check_round(start=self.start)
        if max(int(last) - int(last / self.factor), self.n - int(last)) > MOST_CALLS:
            raise InvalidInputError(
                f"n={self.n} has a round of more than {MOST_CALLS:,} calls; let it grow by a smaller factor"
            )

    @property
    def sizes(self) -> list[int]:
        """How many samples there are after each round, if none is accepted before."""
        sizes = [self.start]
        while sizes[-1] < self.n:
            grown = min(self.n, self.start * self.factor ** len(sizes))  # before int, which knows no infinity
            sizes.append(max(sizes[-1] + 1, int(grown)))
        return sizes

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Vote over as many samples as it takes for `problem`."""
        attempts, rounds = Attempts(), list[int]()
        ask = ctx.ask(problem, model=self.model)
        outcome, accepted = Outcome(), False
        for size in self.sizes:
            more = size - (rounds[-1] if rounds else 0)
            await attempts.draw(ctx, self, ask, n=more, logprobs=logprobs_for(verifier_of(self.accept)))
            rounds.append(size)
            outcome = by_vote(attempts.candidates)
            if attempts.ended or size == self.n:
                break
            verdict = await examine(ctx, problem, outcome, attempts, self.accept)
            outcome, accepted = verdict.outcome, verdict.accepted
            attempts.candidates[:] = outcome.candidates
            ctx.step("accepted" if accepted else "enlarged", verdict.reason)
            if accepted or attempts.ended:
                break
        attempts.raise_if_empty()
        reason = StopReason.DECIDED if accepted else attempts.stop_reason
        return replace(outcome, stop_reason=reason, detail={**outcome.detail, "rounds": rounds})

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        size, sizes = Size(tokens=self.longest_text(costing)), [0, *self.sizes]
        note = f"at most {counted(self.n, 'sample')} in {counted(len(self.sizes), 'round')}"
        drawn = await self._drawing(costing, costing.ask(self.model), n=self.n, note=note)
        examined = [
            await examining(costing, self.accept, later - earlier, size)
            for earlier, later in pairwise(sizes[:-1])
        ]
        return self._spending(drawn, *(one for one in examined if one.worst != FREE))
