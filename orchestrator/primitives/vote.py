"""A vote over candidates. Cost: no calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..costs import FREE, Costing, Spending
from ..expressions import ANSWER, ITEM, ListOf, Type, spend
from ..strategies.selection import representative
from ..types import Answer, Candidate, Outcome
from ..types import Sample as Written
from ..voting import Vote as Count
from ..voting import majority_vote, weighted_vote
from .base import ExpressionText, Primitive
from .frame import Frame
from .scope import Scope
from .sizes import candidates_size, either, listed_size, size_here, vote_size
from .values import CANDIDATE, CANDIDATES, OUTCOME, VOTE, Candidates, Poll, Review, score_of

__all__ = ["Vote", "polled"]

ONES: tuple[Type, ...] = (CANDIDATES, CANDIDATE, OUTCOME, ANSWER)
BALLOTS = (*ONES, *(ListOf(one) for one in ONES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(Primitive):
    """Counts the answers of candidates; its value is the most frequent answer, with its share and the candidates.

    A candidate without a readable answer counts in the denominator. Where none has one there is no answer, the share
    is 0, and nothing is `tied`: a tie is one between answers. An outcome has one vote, its answer; its
    candidates vote as `x.candidates`.

    Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning", arXiv 2203.11171, §2.

    Cost: no calls.

    Args:
        of: Candidates, or a list of candidates, of outcomes or of answers; or several such expressions.
        weight: `score` adds up the candidates' latest scores instead of counting; a candidate without one has no
            weight, and where none has one they are counted.
    """

    key: ClassVar[str] = "vote"

    of: ExpressionText | tuple[ExpressionText, ...]
    weight: Literal["none", "score"] = "none"

    @property
    def _texts(self) -> tuple[str, ...]:
        return (self.of,) if isinstance(self.of, str) else self.of

    def check(self, scope: Scope) -> Type:
        """A vote."""
        for number, text in enumerate(self._texts):
            item = () if isinstance(self.of, str) else (number,)
            scope.expression(text, *self.place("of"), *item, expected=BALLOTS)
        if not self._texts:
            scope.fault("there is nothing to vote on", *self.place("of"))
        return VOTE

    async def run(self, frame: Frame) -> Poll:
        """The vote."""
        candidates = Candidates(one for text in self._texts for one in _ballots(frame.evaluate(text)))
        return polled(candidates, weighted=self.weight == "score")

    async def spending(self, costing: Costing) -> Spending:
        """Nothing."""
        found = [listed_size(size_here(costing, text)) for text in self._texts]
        item = either([one.item for one in found])
        if self.id is not None:
            costing.sizes[self.id] = vote_size(candidates_size(item, sum(one.count for one in found)))
        return Spending(label=self.label, kind=self.key, worst=FREE)


def polled(candidates: Candidates, *, weighted: bool = False) -> Poll:
    """The vote of `candidates`, by their latest scores where `weighted` and one has a score."""
    answers, scores = [one.answer for one in candidates], [score_of(one) for one in candidates]
    if weighted and any(score is not None for score in scores):
        vote: Count = weighted_vote(answers, [score or 0.0 for score in scores])
    else:
        vote = majority_vote(answers)
    return Poll(vote=vote, candidates=candidates)


def _ballots(value: Any) -> Iterator[Candidate]:
    """The candidates in a value, an outcome's being the one that stands for its answer."""
    spend(ITEM)
    if isinstance(value, Candidate):
        yield value
    elif isinstance(value, Review):
        yield value.candidate
    elif isinstance(value, Answer):
        yield Candidate(sample=Written(text=value.text), answer=value)
    elif isinstance(value, Outcome):
        yield representative(value) or _unreadable(value)
    elif value is not None:
        for one in value:
            yield from _ballots(one)


def _unreadable(outcome: Outcome) -> Candidate:
    text = "" if outcome.answer is None else outcome.answer.text
    return Candidate(sample=Written(text=text), answer=outcome.answer)
