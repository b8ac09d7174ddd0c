"""Which answer wins, by how much, and how surely.

Plurality as in self-consistency (Wang et al. 2022, arXiv 2203.11171). A sample without a readable answer
does not vote, but it counts in the denominator: three truncated texts and two times 42 give 42 with two
fifths of the votes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import _core
from .answers import AnswerReader, Clusters, Kind
from .errors import InvalidInputError
from .types import Answer

__all__ = ["Vote", "majority_vote", "weighted_vote"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The result of a vote of `n` samples over `k` clusters of equal answers, in first-seen order.

    Attributes:
        answer: The leader's first answer, or None when nothing has votes.
        share: The leader's votes over those of all samples, abstentions included, in [0, 1].
        margin: Leader minus runner-up (0 when alone), over the same, in [0, 1]; 0 when tied.
        tied: Whether another cluster has as many votes; the first seen of them leads.
        abstentions: Samples without a readable answer.
        samples: `n`.
        leader: The leader's cluster, or None.
        answers: The first answer of each cluster, `k` of them.
        counts: Samples by cluster.
        totals: Votes by cluster: the counts, or sums of weights.
        clusters: The cluster of each sample, `n` of them; None where it abstains.
    """

    answer: Answer | None
    share: float
    margin: float
    tied: bool
    abstentions: int
    samples: int
    leader: int | None
    answers: tuple[Answer, ...]
    counts: tuple[int, ...]
    totals: tuple[float, ...]
    clusters: tuple[int | None, ...]


def majority_vote(answers: Iterable[Answer | str | None], *, kind: Kind = "auto") -> Vote:
    """One vote a sample; the most frequent answer wins.

    Args:
        answers: `n` answers, None for an abstention. A `str` is read as a bare answer of `kind` first.
        kind: How strings are read; an `Answer` keeps the key it has.

    Raises:
        InvalidInputError: `kind` is unknown.
    """
    clusters, ids = _clustered(answers, kind)
    return _vote(clusters, ids, _core.majority_vote(ids))


def weighted_vote(
    answers: Iterable[Answer | str | None], weights: Sequence[float], *, kind: Kind = "auto"
) -> Vote:
    """Samples vote with their weights, such as a verifier's scores; the largest sum wins.

    Sums that differ by less than one part in 10^12 are a tie. When no cluster has a positive sum, there is
    no answer.

    Args:
        answers: As for `majority_vote`.
        weights: `n` weights, finite and at least 0. An abstention's weight counts in the denominator only.
        kind: As for `majority_vote`.

    Raises:
        InvalidInputError: a weight is negative, infinite or not a number; there are not `n` of them; or
            `kind` is unknown.
    """
    clusters, ids = _clustered(answers, kind)
    try:
        return _vote(clusters, ids, _core.weighted_vote(ids, list(weights)))
    except ValueError as error:
        raise InvalidInputError(str(error)) from error


def _clustered(answers: Iterable[Answer | str | None], kind: Kind) -> tuple[Clusters, list[int | None]]:
    reader = AnswerReader(kind=kind)
    clusters = Clusters()
    read = (reader.read(answer) if isinstance(answer, str) else answer for answer in answers)
    return clusters, [clusters.add(answer) for answer in read]


def _vote(clusters: Clusters, ids: list[int | None], count: _core.VoteCount) -> Vote:
    answers = tuple(clusters.representatives)
    leader = count.leader
    return Vote(
        answer=None if leader is None else answers[leader],
        share=count.share,
        margin=count.margin,
        tied=count.tied,
        abstentions=count.abstentions,
        samples=len(ids),
        leader=leader,
        answers=answers,
        counts=tuple(count.counts),
        totals=tuple(count.totals),
        clusters=tuple(ids),
    )
