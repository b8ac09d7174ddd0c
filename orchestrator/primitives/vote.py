"""A vote over candidates. Cost: no calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..costs import FREE, Costing, Size, Spending
from ..expressions import ANSWER, ITEM, ListOf, Type, spend
from ..strategies.selection import representative
from ..types import Answer, Candidate, Outcome
from ..types import Sample as Written
from ..voting import majority_vote, weighted_vote
from .base import ExpressionText, Primitive
from .frame import Frame
from .scope import Scope
from .sizes import ballots_of, candidates_size, either, size_here, vote_size
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
        weight: `score` adds up the candidates' latest scores instead of counting. A candidate without one does not
            vote, and counts in the denominator with the mean score of the others. Where no answer has a score above 0
            they are counted. What is returned has in its `detail` the number `unscored`, and `unweighted` where they
            were counted.
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
        if self.id is not None:
            costing.sizes[self.id] = self.size(costing)
        return Spending(label=self.label, kind=self.key, worst=FREE)

    def size(self, costing: Costing) -> Size:
        """How long its value can be."""
        found = [ballots_of(size_here(costing, text)) for text in self._texts]
        item = either([one.item for one in found])
        return vote_size(candidates_size(item, sum(one.count for one in found)))


def polled(candidates: Candidates, *, weighted: bool = False) -> Poll:
    """The vote of `candidates`, by their latest scores where `weighted` and an answer has one above 0."""
    answers, scores = [one.answer for one in candidates], [score_of(one) for one in candidates]
    known = [score for score in scores if score is not None]
    unscored = len(scores) - len(known)
    if not weighted:
        return Poll(vote=majority_vote(answers), candidates=candidates)
    if not any(score and answer is not None for score, answer in zip(scores, answers, strict=True)):
        why = "no candidate with an answer has a score above 0"
        return Poll(vote=majority_vote(answers), candidates=candidates, unscored=unscored, unweighted=why)
    usual = sum(known) / len(known)
    voters = [answer if score is not None else None for answer, score in zip(answers, scores, strict=True)]
    vote = weighted_vote(voters, [usual if score is None else score for score in scores])
    return Poll(vote=vote, candidates=candidates, unscored=unscored)


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
