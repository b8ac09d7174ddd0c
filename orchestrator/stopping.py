"""When to stop sampling: synchronous decisions over a tally of votes, computed natively.

A rule only says whether what has been seen suffices. It never waits, samples or cancels; whoever samples
asks it after each sample. The answer of a stopped vote stays the plurality of everything seen, ties to the
first seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from . import _core
from .errors import InvalidInputError

__all__ = ["BetaStop", "FixedSize", "LeadStop", "Stop", "StoppingRule", "Tally", "WindowStop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Votes so far.

    Attributes:
        counts: Samples by cluster, clusters in first-seen order, each at least 1 (0 is allowed and never
            leads).
        abstentions: Samples without a readable answer.
        planned: Samples that will have been taken at the end, abstentions included; None when that is open.
        order: The cluster of each sample in the order they came (None: abstention), when it is known.
    """

    counts: tuple[int, ...] = ()
    abstentions: int = 0
    planned: int | None = None
    order: tuple[int | None, ...] | None = None

    def __post_init__(self) -> None:
        if self.abstentions < 0 or any(count < 0 for count in self.counts):
            raise InvalidInputError(
                f"counts of votes must be at least 0: {self.counts}, {self.abstentions} abstentions"
            )
        if self.planned is not None and self.planned < 0:
            raise InvalidInputError(f"planned must be at least 0 samples, not {self.planned}")
        if self.order is not None and len(self.order) != self.seen:
            raise InvalidInputError(f"order names {len(self.order)} samples, the counts {self.seen}")

    @classmethod
    def of(cls, counts: Iterable[int], *, abstentions: int = 0, planned: int | None = None) -> Tally:
        """A tally of counts alone: `Tally.of([5, 1])`."""
        return cls(counts=tuple(counts), abstentions=abstentions, planned=planned)

    @classmethod
    def of_clusters(cls, clusters: Sequence[int | None], *, planned: int | None = None) -> Tally:
        """A tally of samples in their order, by cluster number (`answers.cluster`, `Vote.clusters`).

        Raises:
            InvalidInputError: the numbers are not in first-seen order from 0.
        """
        try:
            vote = _core.majority_vote(clusters)
        except ValueError as error:
            raise InvalidInputError(str(error)) from error
        return cls(
            counts=tuple(vote.counts), abstentions=vote.abstentions, planned=planned, order=tuple(clusters)
        )

    def add(self, cluster: int | None) -> Tally:
        """The tally after one more sample; a new cluster has the next number.

        Raises:
            InvalidInputError: `cluster` is neither known nor the next.
        """
        order = None if self.order is None and self.seen else (*(self.order or ()), cluster)
        if cluster is None:
            return replace(self, abstentions=self.abstentions + 1, order=order)
        if not 0 <= cluster <= len(self.counts):
            raise InvalidInputError(
                f"cluster {cluster} of {len(self.counts)}: the next new one is {len(self.counts)}"
            )
        counts = list(self.counts) + [0] * (cluster == len(self.counts))
        counts[cluster] += 1
        return replace(self, counts=tuple(counts), order=order)

    @property
    def seen(self) -> int:
        """Samples so far, abstentions included."""
        return sum(self.counts) + self.abstentions

    @property
    def remaining(self) -> int | None:
        """Planned samples still to come, at least 0; None when that is open."""
        return None if self.planned is None else max(0, self.planned - self.seen)

    @property
    def leader(self) -> int | None:
        """The first cluster with the most votes, or None."""
        return _core.leading(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The decision to stop.

    Attributes:
        reason: Why, in words.
        leader: The cluster that leads, or None when nothing was readable.
    """

    reason: str
    leader: int | None


@runtime_checkable
class StoppingRule(Protocol):
    """Decides from a tally, with no other state, so that the same samples always give the same decision."""

    def should_stop(self, tally: Tally) -> Stop | None:
        """The decision to stop, or None to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedSize:
    """Stops when the planned samples are in, never early; an open plan never ends by it."""

    def should_stop(self, tally: Tally) -> Stop | None:
        """Stops at `tally.planned` samples."""
        if tally.remaining != 0:
            return None
        return Stop(reason=f"all {tally.planned} planned samples are in", leader=tally.leader)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStop:
    """Stops when the leader cannot be overtaken by the samples still to come.

    Exact: it stops if and only if every way the remaining samples can fall leaves the same leader. With r
    samples to come, a cluster seen before the leader must trail by more than r (it would win a tie), one
    seen after it by at least r, and one never seen yet trails by the leader's whole count. The answer is
    then decided; its share, and whether a tie is reported, are not. With an open plan (`planned` None)
    nothing is ever decided.
    """

    def should_stop(self, tally: Tally) -> Stop | None:
        """Stops once the leader is safe."""
        remaining = tally.remaining
        if remaining is None or not _core.lead_is_safe(tally.counts, remaining=remaining):
            return None
        return Stop(reason=f"the lead is safe with {remaining} samples to come", leader=tally.leader)


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaStop:
    """Stops when the leader is probably the more frequent of the top two: adaptive consistency.

    P(p > 1/2) for p ~ Beta(v1 + 1, v2 + 1), with v1 and v2 the two largest counts, must reach `confidence`
    (Aggarwal, Madaan, Yang, Mausam 2023, arXiv 2305.11860, the Beta criterion). Abstentions are no evidence
    either way.

    Attributes:
        confidence: In (0, 1).

    Raises:
        InvalidInputError: `confidence` is outside (0, 1).
    """

    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise InvalidInputError(f"confidence must be in (0, 1), not {self.confidence}")

    def posterior(self, tally: Tally) -> float:
        """The probability the decision rests on, in [0.5, 1]."""
        return _core.top_two_posterior(tally.counts)

    def should_stop(self, tally: Tally) -> Stop | None:
        """Stops at the confidence asked for."""
        leader = tally.leader
        posterior = self.posterior(tally)
        if leader is None or posterior < self.confidence:
            return None
        return Stop(reason=f"the leader is ahead with probability {posterior:.4f}", leader=leader)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowStop:
    """Stops when a window of consecutive samples agrees: early-stopping self-consistency.

    Windows are disjoint, `size` samples each, counted from the first sample; one with an abstention does not
    agree (Li et al. 2024, arXiv 2401.10480).

    Attributes:
        size: Samples in a window, at least 1.

    Raises:
        InvalidInputError: `size` is below 1.
    """

    size: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InvalidInputError(f"a window must hold at least 1 sample, not {self.size}")

    def should_stop(self, tally: Tally) -> Stop | None:
        """Stops at the first window that agrees.

        Raises:
            InvalidInputError: samples were counted without their order (use `Tally.of_clusters` or
                `Tally.add`).
        """
        if tally.order is None:
            if tally.seen == 0:
                return None
            raise InvalidInputError(
                "WindowStop needs the order of the samples: Tally.of_clusters([...]) or Tally().add(...)"
            )
        if not _core.window_agrees(tally.order, size=self.size):
            return None
        return Stop(reason=f"{self.size} samples in a row agree", leader=tally.leader)
