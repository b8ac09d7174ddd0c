"""Having candidates judged by a verifier. Cost: the verifier's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..contracts import Verifier, compares
from ..costs import FREE, Costing, Spending
from ..errors import BackendError
from ..expressions import ListOf, Type, fits
from ..strategies.selection import all_of
from ..types import Candidate, Outcome
from ..types import Score as Verdict
from ..verifiers.judging import REMARK, because
from .base import ExpressionText, Primitive
from .frame import Frame
from .scope import Scope
from .sizes import candidate_size, candidates_size, listed_size, marks_of, review_size, size_here
from .values import CANDIDATE, CANDIDATES, OUTCOME, REVIEW, Candidates, Review

__all__ = ["Score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Primitive):
    """Has a verifier judge a candidate or several; its value is a review, or the candidates with their scores.

    A candidate that this verifier has judged in this program already is not judged again, and an abstention is a
    judgement; one that budget or deadline kept from being judged may be asked about again. A verifier that compares
    judges all of them anew: what it said of a candidate beside others says nothing beside these. Two verifiers of one
    name keep their scores apart.

    Cost: the verifier's for as many candidates.

    Args:
        of: A candidate, candidates, a list of them, or an outcome, whose candidates are judged.
        by: The verifier.
    """

    key: ClassVar[str] = "score"

    of: ExpressionText
    by: Verifier

    def check(self, scope: Scope) -> Type | None:
        """A review of one candidate, else candidates."""
        judged = (CANDIDATE, CANDIDATES, OUTCOME, ListOf(CANDIDATE))
        kind = scope.expression(self.of, *self.place("of"), expected=judged)
        if kind is None:
            return None
        return REVIEW if fits(kind, CANDIDATE) else CANDIDATES

    async def run(self, frame: Frame) -> Review | Candidates | None:
        """The review, or the candidates; None where there is no candidate to review."""
        value: Any = frame.evaluate(self.of)
        if isinstance(value, Candidate):
            [judged] = await self._judged(frame, [value])
            verdict = judged.scores[frame.run.name_of(self.by)]
            return Review(candidate=judged, score=verdict.value, text=verdict.reason)
        if value is None:
            return None
        candidates = all_of(value) if isinstance(value, Outcome) else value
        return Candidates(await self._judged(frame, [one for one in candidates if one is not None]))

    async def spending(self, costing: Costing) -> Spending:
        """The verifier's."""
        of = listed_size(size_here(costing, self.of))
        verifying = await costing.scoring(self.by, of.count, of.item)
        if self.id is not None:
            # Where a verifier makes calls, why they failed stands in its place.
            reason = max(verifying.reason, REMARK if verifying.worst != FREE else 0.0)
            item = candidate_size(of.item.tokens, reason=reason, marks=marks_of(of.item))
            several = candidates_size(item, of.count)
            costing.sizes[self.id] = review_size(item, reason) if of.single else several
        parts = (verifying,) if verifying.worst != FREE else ()
        return Spending(label=self.label, kind=self.key, worst=verifying.worst, parts=parts, on_branch=False)

    async def _judged(self, frame: Frame, candidates: Sequence[Candidate]) -> list[Candidate]:
        """`candidates`, the score by this verifier the last of each one's scores."""
        run, name = frame.run, frame.run.name_of(self.by)
        said = [None if compares(self.by) else run.said(one, name) for one in candidates]
        unknown = [one for one, known in zip(candidates, said, strict=True) if known is None]
        verdicts = iter(await self._verdicts(frame, unknown))
        judged = []
        for one, known in zip(candidates, said, strict=True):
            verdict = next(verdicts) if known is None else known
            others = {key: score for key, score in one.scores.items() if key != name}
            judged.append(replace(one, scores={**others, name: verdict}))
            run.keep(judged[-1])
        return judged

    async def _verdicts(self, frame: Frame, candidates: Sequence[Candidate]) -> Sequence[Verdict]:
        """What the verifier says of each; it is asked even when budget or deadline have ended the drawing, because
        rules make no calls, and a verdict may fit where an answer did not.
        """
        scores: Sequence[Verdict] | None = None
        with frame.attempts.surviving():
            scores = await frame.ctx.score(self.by, frame.problem, candidates)
        if scores is None:
            error = frame.attempts.failures[-1]
            if not isinstance(error, BackendError):
                return [Verdict(value=None, reason=because("not judged", error))] * len(candidates)
            reason = because("the verifier failed", error)
            said = Verdict(value=None, reason=reason, by=self.by, problem=frame.problem)
            scores = [said] * len(candidates)
        for one, score in zip(candidates, scores, strict=True):
            frame.run.note(one, frame.run.name_of(self.by), score)
        return scores
