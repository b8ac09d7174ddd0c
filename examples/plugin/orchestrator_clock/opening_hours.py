"""A verifier: whether a time lies within opening hours. It makes no calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from orchestrator import Candidate, Context, Problem, Score
from orchestrator.errors import InvalidInputError
from orchestrator.verifiers import Free

from .clock_time import minutes

__all__ = ["OpeningHours"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours(Free):
    """Right where the answer is a time from `opens` up to, but not including, `closes`; abstains without a time.

    Args:
        opens: Hour of the day, in 0..23.
        closes: Hour of the day, in 1..24, after `opens`.
    """

    name: ClassVar[str] = "opening_hours"

    opens: int = 9
    closes: int = 17

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= 24:
            raise InvalidInputError(
                f"opens must be before closes, in 0..24, not {self.opens} and {self.closes}"
            )

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score for each candidate."""
        return [self._score(candidate) for candidate in candidates]

    def _score(self, candidate: Candidate) -> Score:
        time = None if candidate.answer is None else minutes(candidate.answer.text)
        if time is None:
            return Score(value=None, reason="no time of day")
        if 60 * self.opens <= time < 60 * self.closes:
            return Score(value=1.0)
        return Score(value=0.0, reason=f"closed then: open from {self.opens} to {self.closes}")
