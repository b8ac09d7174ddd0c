"""One sample. Cost: 1 call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..context import Context
from ..costs import Costing, Spending
from ..types import Outcome, Problem
from .base import Strategy

__all__ = ["Single"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Single(Strategy):
    """Asks once and takes the answer: the baseline every other strategy is measured against.

    Cost: 1 call.

    Args:
        model: Name of the model; None for the first.
        temperature: At least 0; 0 is greedy. None leaves it to the model's settings, and is 0 where these do not say.
        max_tokens: Cap on the answer, in tokens; None leaves it to the model's settings.
    """

    usual_temperature: ClassVar[float] = 0.0
    cost: ClassVar[str] = "1"
    pays: ClassVar[str] = "the baseline"

    @property
    def most_calls(self) -> int:
        """1."""
        return 1

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Ask `ctx`'s model about `problem` once."""
        sample = await self.draw(ctx, ctx.ask(problem, model=self.model)).first()
        candidate = ctx.read(sample)
        return Outcome(
            answer=candidate.answer,
            confidence=0.0 if candidate.answer is None else 1.0,
            candidates=(candidate,),
        )

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        ask = costing.ask(self.model)
        return self._spending(await self._drawing(costing, ask, alike=True, note="1 sample"))
