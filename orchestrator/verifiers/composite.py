"""Several verifiers as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

from ..concurrently import concurrently
from ..context import Context
from ..contracts import Verifier, compares, hold_tuples, logprobs_for, name_of
from ..costs import Costing, Size, Spending, total
from ..errors import (
    BackendError,
    BudgetExceededError,
    DeadlineExceededError,
    InvalidInputError,
)
from ..types import LONGEST_REASON, Candidate, Problem, Score
from .judging import because

__all__ = ["Combination", "Composite", "score_by_each"]

Combination: TypeAlias = Literal["mean", "product", "min"]
"""How scores become one: see `Composite`."""

ABOUT = 24
"""Bytes around a part's name and its reason: its score, brackets and a semicolon."""

Limit = BudgetExceededError | DeadlineExceededError


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """Combines the scores of several verifiers, asked side by side.

    With scores v_i and weights w_i of the parts that do not abstain, and W the sum of all weights:

    - `mean`: sum of w_i v_i / sum of w_i;
    - `product`: the product of v_i^(w_i * W / sum of w_i), which is the plain product for weights of 1;
    - `min`: the least v_i.

    So a part that abstains is left out and the others weigh more in proportion, as if it had agreed with them. A
    part whose calls fail abstains; so does one that budget or deadline keep from scoring, unless no candidate gets
    a score. The reason lists what each part said. Calls: those of the parts.

    Args:
        parts: At least 1.
        weights: One a part, at least 0, not all 0, of a finite sum; empty for equal weights. Not for `min`.
        combine: As above.
        require_all: Abstain where any part abstains.

    Raises:
        InvalidInputError: No parts, or weights that do not fit them; an unknown `combine`.
    """

    name: ClassVar[str] = "composite"

    parts: tuple[Verifier, ...]
    weights: tuple[float, ...] = ()
    combine: Combination = "mean"
    require_all: bool = False

    def __post_init__(self) -> None:
        hold_tuples(self)
        if not self.parts:
            raise InvalidInputError("parts must name at least 1 verifier")
        if self.combine not in get_args(Combination):
            known = ", ".join(get_args(Combination))
            raise InvalidInputError(f"combine must be one of {known}, not {self.combine!r}")
        if not self.weights:
            return
        if self.combine == "min":
            raise InvalidInputError("weights make no difference to the least score: leave them out with min")
        if len(self.weights) != len(self.parts):
            raise InvalidInputError(f"weights: {len(self.weights)} of them for {len(self.parts)} parts")
        if not all(weight >= 0.0 for weight in self.weights) or not 0.0 < sum(self.weights) < math.inf:
            raise InvalidInputError(
                f"weights must be at least 0, not all 0 and of a finite sum, not {list(self.weights)}"
            )

    @property
    def comparative(self) -> bool:
        """Whether a score depends on the other candidates: as soon as one part's does."""
        return compares(*self.parts)

    @property
    def logprobs(self) -> int | None:
        """Top log-probabilities the samples must have for every part; None where no part reads any."""
        return logprobs_for(*self.parts)

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order.

        Raises:
            BudgetExceededError, DeadlineExceededError: A part was kept from scoring, and no candidate has a score.
        """
        by_part, limit = await score_by_each(self.parts, ctx, problem, candidates)
        scores = [self._combined(row) for row in zip(*by_part, strict=True)]
        if limit is not None and all(score.value is None for score in scores):
            raise limit
        return scores

    def _combined(self, scores: Sequence[Score]) -> Score:
        weights = self.weights or (1.0,) * len(scores)
        known = [(s.value, w) for s, w in zip(scores, weights, strict=True) if s.value is not None and w]
        missing = any(score.value is None for score in scores)
        reason = "; ".join(_said(part, score) for part, score in zip(self.parts, scores, strict=True))
        if not known or (missing and self.require_all):
            return Score(value=None, reason=reason)
        return Score(value=_combined(self.combine, known, sum(weights)), reason=reason)

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What scoring so many candidates, each of this size, costs at most."""
        parts = [await costing.scoring(part, count, size) for part in self.parts]
        reason = math.fsum(
            said.reason + len(name_of(part).encode()) + ABOUT
            for part, said in zip(self.parts, parts, strict=True)
        )
        return Spending(
            label=self.name,
            kind=self.name,
            worst=total(parts),
            parts=tuple(parts),
            reason=min(reason, LONGEST_REASON),
        )


def _combined(combine: Combination, known: Sequence[tuple[float, float]], total: float) -> float:
    weight = math.fsum(w for _, w in known)
    match combine:
        case "min":
            return min(value for value, _ in known)
        case "mean":
            return min(1.0, math.fsum(value * w for value, w in known) / weight)
        case "product":
            return float(math.prod(value ** (w * total / weight) for value, w in known))


def _said(part: Verifier, score: Score) -> str:
    verdict = "abstains" if score.value is None else f"{score.value:.4g}"
    return f"{name_of(part)} {verdict}" + (f" ({score.reason})" if score.reason else "")


async def score_by_each(
    parts: Sequence[Verifier], ctx: Context, problem: Problem, candidates: Sequence[Candidate]
) -> tuple[list[list[Score]], Limit | None]:
    """The candidates' scores by each part, asked side by side, and the first limit that kept one from scoring.

    A part whose calls fail, or that a limit stops, abstains on every candidate. Parts start in their order, so that
    those of one name always get the same branches.
    """
    found = await concurrently([_asked(part, ctx, problem, candidates) for part in parts])
    limits = (limit for _, limit in found if limit is not None)
    return [scores for scores, _ in found], next(limits, None)


async def _asked(
    part: Verifier, ctx: Context, problem: Problem, candidates: Sequence[Candidate]
) -> tuple[list[Score], Limit | None]:
    try:
        return await ctx.score(part, problem, candidates), None
    except BackendError as error:
        return [Score(value=None, reason=because("failed", error))] * len(candidates), None
    except (BudgetExceededError, DeadlineExceededError) as error:
        return [Score(value=None, reason=because("not judged", error))] * len(candidates), error
