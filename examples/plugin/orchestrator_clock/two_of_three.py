"""Two samples, and a third where their answers differ. Cost: 2 or 3 calls."""

from dataclasses import dataclass
from typing import ClassVar

from orchestrator import Context, Outcome, Problem, StopReason
from orchestrator.strategies import Strategy
from orchestrator.strategies.attempts import Attempts
from orchestrator.voting import majority_vote

__all__ = ["TwoOfThree"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoOfThree(Strategy):
    """Answers with what two of at most three samples agree on, the first two drawn side by side.

    Cost: 2 or 3 calls.
    """

    cost: ClassVar[str] = "3"
    pays: ClassVar[str] = "short answers that a model mostly gets right"

    @property
    def most_calls(self) -> int:
        """3."""
        return 3

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return 2

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Solve `problem`."""
        attempts = Attempts()
        ask = ctx.ask(problem, model=self.model)
        for n in (2, 1):
            await attempts.draw(ctx, self, ask, n=n)
            vote = majority_vote([candidate.answer for candidate in attempts.candidates])
            if agreed := max(vote.counts, default=0) == 2:
                break
        attempts.raise_if_empty()
        return Outcome(
            answer=vote.answer,
            confidence=vote.confidence,
            tied=vote.tied,
            candidates=tuple(attempts.candidates),
            stop_reason=StopReason.DECIDED if agreed else attempts.stop_reason,
        )
