"""Which answer wins, by how much, and how surely.

Plurality as in self-consistency (Wang et al. 2022, arXiv 2203.11171). A sample without a readable answer
does not vote, but it counts in the denominator: three truncated texts and two times 42 give 42 with two
fifths of the votes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias

from .. import _core
from ..answers import AnswerReader, Clustering, Kind, PercentRule, UnitRule
from ..answers.extract import listed
from ..errors import InvalidInputError
from ..types import Answer
from .ballots import check_rule, checked_numbers, clustered
from .shares import reaches

__all__ = [
    "Aggregate",
    "Calibration",
    "Vote",
    "best_of_clusters",
    "majority_vote",
    "weighted_vote",
]

Aggregate: TypeAlias = Literal["sum", "mean", "max"]
"""What a cluster makes of its members' scores."""


class Calibration(Protocol):
    """Turns figures of a vote into the probability that its answer is right; `scaling.Calibrator` is one."""

    @property
    def features(self) -> Sequence[str]:
        """The attributes of a vote it takes, such as `share`."""

    def predict(self, confidence: Sequence[float], /) -> float:
        """The probability in [0, 1], from these attributes in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The result of a vote of `n` samples over `k` clusters of equal answers, in first-seen order.

    Attributes:
        answer: The leader's answer, or None when nothing has votes or the vote is not decided.
        share: The leader's votes over those of all samples, abstentions included, in [0, 1].
        margin: Leader minus runner-up (0 when alone), over the same, in [0, 1]; 0 when tied.
        tied: Whether another cluster has as many votes; the first seen of them leads. False where there is none: no
            readable answer is no tie, and the share is 0 then.
        abstentions: Samples without a readable answer.
        samples: `n`.
        leader: The leader's cluster, or None. An undecided vote has one where something has votes.
        sample: The sample that stands for the leader: its first, or its best scored one where samples have
            scores; None without a leader.
        answers: The first answer of each cluster, `k` of them.
        counts: Samples by cluster.
        totals: Votes by cluster: the counts, sums of weights, or aggregates of scores.
        clusters: The cluster of each sample, `n` of them; None where it abstains.
        confidence: In [0, 1]: the share, or what a calibration makes of the vote; 0 without an answer.
        reason: Why there is no answer, in words; empty when there is one.
    """

    answer: Answer | None
    share: float
    margin: float
    tied: bool
    abstentions: int
    samples: int
    leader: int | None
    sample: int | None
    answers: tuple[Answer, ...]
    counts: tuple[int, ...]
    totals: tuple[float, ...]
    clusters: tuple[int | None, ...]
    confidence: float
    reason: str = ""

    @property
    def decided(self) -> bool:
        """Whether there is an answer."""
        return not self.reason

    def calibrated(self, calibration: Calibration) -> Vote:
        """The same vote, its `confidence` the calibrated probability that the answer is right.

        Raises:
            InvalidInputError: the calibration takes a feature that is no number of a vote.
        """
        if not self.decided:
            return self
        return replace(
            self, confidence=calibration.predict([self._feature(name) for name in calibration.features])
        )

    def _feature(self, name: str) -> float:
        value = getattr(self, name, None)
        if not isinstance(value, int | float):
            raise InvalidInputError(
                f"the calibration takes {name!r}, which is no number of a vote: use share, margin, samples, ..."
            )
        return float(value)


def majority_vote(
    answers: Iterable[Answer | str | None] = (),
    *,
    kind: Kind = "auto",
    units: UnitRule = "by_kind",
    percent: PercentRule = "fraction",
    clusters: Clustering | None = None,
    threshold: float = 0.0,
    quorum: int = 0,
) -> Vote:
    """One vote a sample; the most frequent answer wins.

    Args:
        answers: `n` answers, None for an abstention. A `str` is read as a bare answer of `kind` first.
        kind, units, percent: How strings are read (see `answers.normalize`); an `Answer` keeps the key it has.
        clusters: Answers already clustered, in place of `answers`.
        threshold: The share, in [0, 1], the leader must reach; below it there is no answer.
        quorum: Readable answers needed; with fewer there is no answer.

    Raises:
        InvalidInputError: A kind or rule is unknown, an answer is of another type, both answers and clusters
            are given, the clusters are not numbered in first-seen order, or `threshold` or `quorum` is out of
            range.
    """
    check_rule(threshold, quorum)
    representatives, ids = clustered(answers, AnswerReader(kind=kind, units=units, percent=percent), clusters)
    return _vote(representatives, ids, _core.majority_vote(ids), threshold, quorum)


def weighted_vote(
    answers: Iterable[Answer | str | None] = (),
    weights: Sequence[float] | None = None,
    *,
    log_weights: Sequence[float] | None = None,
    kind: Kind = "auto",
    units: UnitRule = "by_kind",
    percent: PercentRule = "fraction",
    clusters: Clustering | None = None,
    threshold: float = 0.0,
    quorum: int = 0,
) -> Vote:
    """Samples vote with their weights, such as a verifier's scores; the largest sum wins.

    Sums that differ by less than one part in 10^12 are a tie. When no cluster has a positive sum, there is
    no answer. Give one of `weights` and `log_weights`.

    Args:
        answers: As for `majority_vote`.
        weights: `n` weights, finite and at least 0. An abstention's weight counts in the denominator only.
        log_weights: Natural logarithms of `n` weights, such as log-likelihoods: sums are right even where
            exp(-2000) is no longer a number above 0. Minus infinity is a weight of 0. `Vote.totals` are
            then in units of the largest weight among the votes.
        kind, units, percent: As for `majority_vote`.
        clusters: As for `majority_vote`.
        threshold: The share of the weight, in [0, 1], the leader must reach.
        quorum: Readable answers needed, whatever their weights.

    Raises:
        InvalidInputError: a weight is negative, infinite or not a number; there are not `n` of them; none
            or both kinds of weights are given; or as for `majority_vote`.
    """
    check_rule(threshold, quorum)
    if (weights is None) == (log_weights is None):
        raise InvalidInputError("give either weights or log_weights")
    representatives, ids = clustered(answers, AnswerReader(kind=kind, units=units, percent=percent), clusters)
    numbers = checked_numbers("weight", log_weights if weights is None else weights)
    count_votes = _core.log_weighted_vote if weights is None else _core.weighted_vote
    return _vote(representatives, ids, count_votes(ids, numbers), threshold, quorum)


def best_of_clusters(
    answers: Iterable[Answer | str | None] = (),
    scores: Sequence[float | None] = (),
    *,
    aggregate: Aggregate = "sum",
    kind: Kind = "auto",
    units: UnitRule = "by_kind",
    percent: PercentRule = "fraction",
    clusters: Clustering | None = None,
    threshold: float = 0.0,
    quorum: int = 0,
) -> Vote:
    """Best-of-N over clusters: the cluster whose members score best together, and its best member.

    With `sum` it is the verifier-weighted majority ("best-of-N weighted" of Snell et al. 2024,
    arXiv 2408.03314, §5.1); with `max` it is best-of-N, each answer as good as its best sample; `mean`
    leaves out how often an answer was given. `Vote.sample` is the winner's best-scored sample, the first of
    equals, and the answer is spelled as there (with `clusters`, as the cluster's representative is).

    Args:
        answers: As for `majority_vote`.
        scores: `n` scores, finite and at least 0, or None where the verifier abstained; these are left out,
            and a cluster with no score at all has a total of 0.
        aggregate: What a cluster makes of its members' scores. In `share` and `margin` the totals of all
            clusters are the denominator, the abstaining samples counted as one more cluster.
        kind, units, percent: As for `majority_vote`.
        clusters: As for `majority_vote`.
        threshold: The share the leader must reach, in [0, 1].
        quorum: Readable answers needed.

    Raises:
        InvalidInputError: a score is negative, infinite or not a number; there are not `n` of them; the
            aggregate is unknown; or as for `majority_vote`.
    """
    check_rule(threshold, quorum)
    given, reader = listed(answers, "answers"), AnswerReader(kind=kind, units=units, percent=percent)
    representatives, ids = clustered(given, reader, clusters)
    numbers = checked_numbers("score", scores, optional=True)
    count = _core.best_of_clusters(ids, numbers, aggregate=aggregate)
    vote = _vote(representatives, ids, count, threshold, quorum)
    if vote.answer is None or vote.sample is None or clusters is not None:
        return vote
    best = given[vote.sample]
    return replace(vote, answer=reader.read(best) if isinstance(best, str) else best)


def _vote(
    representatives: Sequence[Answer],
    ids: list[int | None],
    count: _core.VoteCount,
    threshold: float,
    quorum: int,
) -> Vote:
    leader, share = count.leader, count.share
    reason = _reason(len(ids), count, threshold, quorum)
    answers = tuple(representatives)
    return Vote(
        answer=None if leader is None or reason else answers[leader],
        share=share,
        margin=count.margin,
        tied=count.tied,
        abstentions=count.abstentions,
        samples=len(ids),
        leader=leader,
        sample=count.sample,
        answers=answers,
        counts=tuple(count.counts),
        totals=tuple(count.totals),
        clusters=tuple(ids),
        confidence=0.0 if reason else share,
        reason=reason,
    )


def _reason(samples: int, count: _core.VoteCount, threshold: float, quorum: int) -> str:
    """Why the vote gives no answer, or nothing."""
    readable = samples - count.abstentions
    if readable == 0:
        return f"no readable answer in {samples} {'sample' if samples == 1 else 'samples'}"
    if count.leader is None:
        return f"none of {readable} readable answers has weight"
    if readable < quorum:
        return f"{readable} readable answers, fewer than the quorum of {quorum}"
    if not reaches(count.share, threshold):
        return f"the leader has a share of {count.share:.4g}, below the threshold of {threshold:.4g}"
    return ""
