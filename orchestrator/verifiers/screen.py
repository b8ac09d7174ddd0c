"""A cheap verifier before a dear one: what the first refuses is not shown to the second. Cost: that of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..context import Context
from ..contracts import Verifier, compares, logprobs_for, name_of
from ..costs import Costing, Size, Spending, total
from ..errors import InvalidInputError
from ..types import LONGEST_REASON, Candidate, Problem, Score
from .composite import score_by_each
from .judging import REMARK

__all__ = ["Screen"]


REFUSED = "refused by "


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Scores by `then` what `first` does not refuse; what it refuses has the value 0.

    `first` refuses a candidate by a score below `at_least`; where it abstains or fails, the candidate passes. So a
    rule that costs nothing keeps a judge from being asked about what cannot be right, and a search that prunes values
    of 0 from going on with it.

    Cost: the calls of `first` for all candidates, those of `then` for the ones that pass.

    Args:
        first: Refuses, usually a rule.
        then: Scores what passes.
        at_least: The score by `first` that passes, in (0, 1].

    Raises:
        InvalidInputError: `at_least` is out of its range.
    """

    name: ClassVar[str] = "screen"

    first: Verifier
    then: Verifier
    at_least: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 < self.at_least <= 1.0:
            raise InvalidInputError(f"at_least must be in (0, 1], not {self.at_least}")

    @property
    def comparative(self) -> bool:
        """Whether a score depends on the other candidates: as soon as one part's does."""
        return compares(self.first, self.then)

    @property
    def logprobs(self) -> int | None:
        """Top log-probabilities the samples must have for both parts; None where neither reads any."""
        return logprobs_for(self.first, self.then)

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order.

        Raises:
            BudgetExceededError, DeadlineExceededError: A part was kept from scoring, and no candidate has a score.
        """
        [looked], limit = await score_by_each([self.first], ctx, problem, candidates)
        scores = [self._refused(score) for score in looked]
        passed = [at for at, score in enumerate(scores) if score is None]
        if passed:
            [judged], later = await score_by_each(
                [self.then], ctx, problem, [candidates[at] for at in passed]
            )
            limit = later or limit
            for at, score in zip(passed, judged, strict=True):
                scores[at] = score
        found = [score for score in scores if score is not None]
        if limit is not None and all(score.value is None for score in found):
            raise limit
        return found

    def _refused(self, score: Score) -> Score | None:
        if score.value is None or score.value >= self.at_least:
            return None
        why = f": {score.reason}" if score.reason else ""
        return Score(value=0.0, reason=f"{REFUSED}{name_of(self.first)}{why}")

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What scoring so many candidates, each of this size, costs at most."""
        parts = [await costing.scoring(part, count, size) for part in (self.first, self.then)]
        refusal = len(REFUSED) + len(name_of(self.first).encode()) + 2 + parts[0].reason
        reason = min(max(refusal, parts[1].reason, REMARK), LONGEST_REASON)
        return Spending(
            label=self.name, kind=self.name, worst=total(parts), parts=tuple(parts), reason=reason
        )
