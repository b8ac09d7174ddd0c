"""Choosing the answer from candidates: by vote, or by a verifier. Never simply the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..context import Context
from ..contracts import Verifier, name_of
from ..types import Answer, Candidate, Outcome, Problem, Sample, StopReason
from ..voting import best_of_clusters, majority_vote
from .attempts import Attempts

__all__ = [
    "all_of",
    "best_scored",
    "by_score",
    "by_vote",
    "choose",
    "giving",
    "representative",
    "share_of",
    "value_of",
    "with_all",
]


async def choose(
    ctx: Context,
    problem: Problem,
    attempts: Attempts,
    *,
    verifier: Verifier | None = None,
    weighted: bool = False,
    latest: bool = False,
    detail: Mapping[str, Any] | None = None,
) -> Outcome:
    """The outcome of a strategy: its best candidate by `verifier`, else the most frequent answer.

    When the verifier can judge none, because budget or deadline are spent, it is the vote.

    Args:
        ctx: Where the verifier's calls are made.
        problem: What the candidates answer.
        attempts: The candidates, and how their making ended.
        verifier: Scores those that have no score of its name yet; None for a vote.
        weighted: Add up the scores of equal answers, instead of taking the best single candidate.
        latest: Ties go to the candidate seen last (each was made in the light of those before), not first.
        detail: Further facts for the outcome.

    Raises:
        OrchestratorError: There is no candidate, and this is what the first call failed with.
    """
    attempts.raise_if_empty()
    if verifier is not None:
        attempts.candidates[:] = await attempts.score(ctx, verifier, problem, attempts.candidates)
        outcome = by_score(attempts.candidates, name_of(verifier), weighted=weighted, latest=latest)
        if outcome.answer is not None:
            return _ended(outcome, attempts, detail)
    return _ended(by_vote(attempts.candidates, latest=latest), attempts, detail)


def by_vote(candidates: Sequence[Candidate], *, latest: bool = False) -> Outcome:
    """The most frequent answer; its confidence is its share of all candidates, abstaining ones included."""
    order = list(reversed(candidates)) if latest else list(candidates)
    vote = majority_vote([candidate.answer for candidate in order])
    return Outcome(
        answer=vote.answer,
        confidence=vote.confidence,
        tied=vote.tied,
        candidates=tuple(candidates),
        detail={"votes": list(vote.counts), "abstentions": vote.abstentions},
    )


def by_score(
    candidates: Sequence[Candidate], name: str, *, weighted: bool = False, latest: bool = False
) -> Outcome:
    """The answer the verifier of this `name` likes best; no answer where it likes none.

    One candidate's confidence is its score; with `weighted`, it is the answer's share of all scores.
    """
    if weighted:
        return _by_cluster(candidates, name, latest=latest)
    best = best_scored(candidates, name, latest=latest)
    if best is None:
        return Outcome(candidates=tuple(candidates), detail={"score": None})
    value = value_of(best, name)
    return Outcome(
        answer=best.answer,
        confidence=value or 0.0,
        tied=any(_rivals(best, other, name) for other in candidates),
        candidates=tuple(candidates),
        detail={"score": value},
    )


def best_scored(candidates: Sequence[Candidate], name: str, *, latest: bool = False) -> Candidate | None:
    """The candidate with the highest score of this `name` among those with a readable answer; None for none."""
    order = reversed(candidates) if latest else iter(candidates)
    scored = [(value, candidate) for candidate in order if (value := value_of(candidate, name)) is not None]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


def value_of(candidate: Candidate, name: str) -> float | None:
    """The score in [0, 1]; None for a candidate that may not be chosen by it."""
    score = candidate.scores.get(name)
    return None if score is None or candidate.answer is None else score.value


def representative(outcome: Outcome, name: str | None = None) -> Candidate | None:
    """The candidate that stands for the outcome's answer: what the program has written, else the best scored of those
    that gave it, else the answer alone, as a text that nobody drew; None without an answer.

    Among equals, and without scores, it is the shortest text (then the first by the alphabet), so that a resumed
    program, whose samples may come in another order, has the same one judged.
    """
    answer = outcome.answer
    if answer is None or outcome.written is not None:
        return outcome.written
    same = giving(answer, outcome.candidates)
    best = None if name is None else best_scored(same, name)
    if name is not None and best is not None:
        most = value_of(best, name)
        same = [one for one in same if value_of(one, name) == most]
    alone = Candidate(sample=Sample(text=answer.text), answer=answer)
    return min(same, key=lambda one: (len(one.sample.text), one.sample.text), default=alone)


def all_of(outcome: Outcome) -> list[Candidate]:
    """Its candidates, and after them what the program has written."""
    return [*outcome.candidates, *(() if outcome.written is None else (outcome.written,))]


def with_all(outcome: Outcome, candidates: Sequence[Candidate]) -> Outcome:
    """`outcome` with these in the place of what `all_of` gives of it."""
    count = len(outcome.candidates)
    written = None if outcome.written is None else candidates[count]
    return replace(outcome, candidates=tuple(candidates[:count]), written=written)


def giving(answer: Answer | None, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those of `candidates` that gave this answer; none for None."""
    if answer is None:
        return []
    return [one for one in candidates if one.answer is not None and one.answer.key == answer.key]


def share_of(answer: Answer | None, candidates: Sequence[Candidate]) -> float:
    """The share of `candidates` that gave this answer, abstaining ones in the denominator, in [0, 1]; 0 of none."""
    return len(giving(answer, candidates)) / len(candidates) if candidates else 0.0


def _by_cluster(candidates: Sequence[Candidate], name: str, *, latest: bool) -> Outcome:
    order = list(reversed(candidates)) if latest else list(candidates)
    scores = [value_of(candidate, name) for candidate in order]
    vote = best_of_clusters([candidate.answer for candidate in order], scores, aggregate="sum")
    liked = vote.leader is not None and vote.totals[vote.leader] > 0
    chosen = None if vote.sample is None else value_of(order[vote.sample], name)
    return Outcome(
        answer=vote.answer if liked or chosen is not None else None,
        confidence=vote.confidence,
        tied=vote.tied,
        candidates=tuple(candidates),
        detail={"score": chosen, "totals": list(vote.totals)},
    )


def _rivals(best: Candidate, other: Candidate, name: str) -> bool:
    """Whether `other` has another answer with the same score."""
    return not giving(best.answer, [other]) and value_of(best, name) == value_of(other, name)


def _ended(outcome: Outcome, attempts: Attempts, detail: Mapping[str, Any] | None) -> Outcome:
    reason = outcome.stop_reason if attempts.stop_reason is StopReason.COMPLETE else attempts.stop_reason
    return replace(outcome, stop_reason=reason, detail={**outcome.detail, **(detail or {})})
