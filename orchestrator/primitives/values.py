"""What steps have as values, and which fields of them expressions and templates can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..expressions import (
    ANSWER,
    ITEM,
    NUMBER,
    TEXT,
    TRUTH,
    ListOf,
    Maybe,
    Namespace,
    Record,
    Type,
    as_text,
    declare,
    joined,
    spend,
)
from ..prompts import question_text
from ..strategies.quoting import visible
from ..strategies.selection import giving, representative, share_of
from ..types import Answer, Candidate, Outcome, Problem
from ..voting import Vote, majority_vote

__all__ = [
    "ANSWERED",
    "CANDIDATE",
    "CANDIDATES",
    "CRITIQUE",
    "OUTCOME",
    "PROBLEM_FIELDS",
    "REVIEW",
    "SINGLE",
    "VOTE",
    "Candidates",
    "Critique",
    "Poll",
    "Review",
    "candidate_of",
    "field_types",
    "plain",
    "problem_type",
    "score_of",
]


class Candidates(tuple[Candidate, ...]):
    """Candidates in the order they were asked for."""

    __slots__ = ()

    @property
    def best(self) -> Candidate | None:
        """The one with the highest score, of equals the first; where none has a score, the first that gave the most
        frequent answer, and without any answer the first.
        """
        scored = [(score, one) for one in self if (score := score_of(one)) is not None]
        if scored:
            return max(scored, key=lambda pair: pair[0])[1]
        return next(iter(giving(_leader(self), self)), self[0] if self else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A verifier's word on one candidate."""

    candidate: Candidate
    score: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Critique:
    """What a critic says of a candidate, and whether that is that it is right."""

    candidate: Candidate
    text: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A vote with the candidates that took part.

    Attributes:
        vote: The vote.
        candidates: The candidates.
        unscored: Those without a score that was to be their weight.
        unweighted: Why they were counted where they were to be weighed; None where they were not.
    """

    vote: Vote
    candidates: Candidates
    unscored: int = 0
    unweighted: str | None = None


def score_of(candidate: Candidate) -> float | None:
    """The latest score of a candidate; None without one, and where it is an abstention."""
    scores = list(candidate.scores.values())
    return scores[-1].value if scores else None


def _agreement(candidates: Sequence[Candidate]) -> float:
    return share_of(_leader(candidates), candidates)


def _leader(candidates: Sequence[Candidate]) -> Answer | None:
    return majority_vote([one.answer for one in candidates]).answer if candidates else None


def _reason(candidate: Candidate) -> str:
    scores = list(candidate.scores.values())
    return scores[-1].reason if scores else ""


def _answer_text(answer: Answer | None) -> str:
    return "" if answer is None else answer.text


def _of_poll(poll: Poll) -> Candidate | None:
    return Candidates(giving(poll.vote.answer, poll.candidates)).best


declare(Answer, "an answer", {}, text=lambda answer: answer.text)

CANDIDATE = declare(
    Candidate,
    "a candidate",
    {
        "text": (TEXT, lambda one: visible(one.sample)),
        "answer": (Maybe(ANSWER), lambda one: one.answer),
        "score": (Maybe(NUMBER), score_of),
        "reason": (TEXT, _reason),
        "tokens": (NUMBER, lambda one: one.sample.usage.completion_tokens),
        "truncated": (TRUTH, lambda one: one.sample.truncated),
    },
    text=lambda one: visible(one.sample),
)

CANDIDATES = declare(
    Candidates,
    "candidates",
    {
        "best": (Maybe(CANDIDATE), lambda all: all.best),
        "first": (Maybe(CANDIDATE), lambda all: all[0] if all else None),
        "last": (Maybe(CANDIDATE), lambda all: all[-1] if all else None),
        "answer": (Maybe(ANSWER), _leader),
        "agreement": (NUMBER, _agreement),
        "texts": (ListOf(TEXT), lambda all: [visible(one.sample) for one in all]),
        "answers": (ListOf(Maybe(ANSWER)), lambda all: [one.answer for one in all]),
        "scores": (ListOf(Maybe(NUMBER)), lambda all: [score_of(one) for one in all]),
        "count": (NUMBER, len),
    },
    item=CANDIDATE,
)

REVIEW = declare(
    Review,
    "a review",
    {
        "score": (Maybe(NUMBER), lambda review: review.score),
        "text": (TEXT, lambda review: review.text),
        "candidate": (CANDIDATE, lambda review: review.candidate),
    },
    text=lambda review: review.text,
)

CRITIQUE = declare(
    Critique,
    "a critique",
    {
        "text": (TEXT, lambda critique: critique.text),
        "accepted": (TRUTH, lambda critique: critique.accepted),
        "candidate": (CANDIDATE, lambda critique: critique.candidate),
    },
    text=lambda critique: critique.text,
)

VOTE = declare(
    Poll,
    "a vote",
    {
        "answer": (Maybe(ANSWER), lambda poll: poll.vote.answer),
        "share": (NUMBER, lambda poll: poll.vote.confidence),
        "margin": (NUMBER, lambda poll: poll.vote.margin),
        "tied": (TRUTH, lambda poll: poll.vote.tied),
        "candidate": (Maybe(CANDIDATE), _of_poll),
        "candidates": (CANDIDATES, lambda poll: poll.candidates),
    },
    text=lambda poll: _answer_text(poll.vote.answer),
)

# An outcome's `agreement` and `confidence`, and candidates' `agreement`, are shares of the samples that were drawn:
# of a vote that stopped early, or ran out of its budget, not those of all that were planned.
OUTCOME = declare(
    Outcome,
    "an outcome",
    {
        "answer": (Maybe(ANSWER), lambda outcome: outcome.answer),
        "text": (
            TEXT,
            lambda outcome: "" if (one := representative(outcome)) is None else visible(one.sample),
        ),
        "confidence": (NUMBER, lambda outcome: outcome.confidence),
        "agreement": (NUMBER, lambda outcome: share_of(outcome.answer, outcome.candidates)),
        "candidate": (Maybe(CANDIDATE), representative),
        "candidates": (CANDIDATES, lambda outcome: Candidates(outcome.candidates)),
        "stop_reason": (TEXT, lambda outcome: outcome.stop_reason.value),
    },
    text=lambda outcome: _answer_text(outcome.answer),
)

SINGLE = (CANDIDATE, REVIEW, CRITIQUE, VOTE, OUTCOME)
"""Types of values that have one candidate which stands for them."""


def candidate_of(value: Any) -> Candidate | None:
    """The candidate that stands for a value of one of the types in `SINGLE`."""
    if isinstance(value, Review | Critique):
        return value.candidate
    if isinstance(value, Poll):
        return _of_poll(value)
    return representative(value) if isinstance(value, Outcome) else value


ANSWERED = (CANDIDATE, CANDIDATES, REVIEW, VOTE, OUTCOME, ANSWER, TEXT, NUMBER)
"""Types of values that can be the program's own answer."""


def plain(value: Any) -> Any:
    """A value as JSON can hold it: of a record its text, of a list its items, of names their values."""
    if isinstance(value, str | list | tuple):
        spend(len(value) if isinstance(value, str) else ITEM * len(value))
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if type(value) is Namespace:
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return as_text(value)


def _problem_field(problem: Problem, name: str) -> Any:
    value = problem.fields[name]
    return tuple(value) if isinstance(value, list) else value


_PROBLEM = declare(
    Problem,
    "the problem",
    {"id": (TEXT, lambda problem: problem.id), "text": (TEXT, question_text)},
    text=question_text,
    other=_problem_field,
)


PROBLEM_FIELDS = tuple(_PROBLEM.fields)
"""Fields that every problem has."""


def problem_type(fields: Mapping[str, Type]) -> Record:
    """The type of problems whose records have these further fields; those every problem has are as always."""
    return Record(_PROBLEM.name, {**fields, **_PROBLEM.fields}, text=_PROBLEM.text)


def field_types(problem: Problem) -> dict[str, Type]:
    """The types of the further fields of a problem's record, without those that the language has no type for."""
    types = {name: _type_of(value) for name, value in problem.fields.items()}
    return {name: kind for name, kind in types.items() if kind is not None}


def _type_of(value: object) -> Type | None:
    if value is None:
        return Maybe(TEXT)
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, list | tuple):
        return _list_of([_type_of(one) for one in value])
    return TEXT if isinstance(value, str) else None


def _list_of(items: Sequence[Type | None]) -> Type | None:
    kind: Type | None = items[0] if items else TEXT
    for other in items[1:]:
        kind = None if kind is None or other is None else joined(kind, other)
    return None if kind is None else ListOf(kind)
