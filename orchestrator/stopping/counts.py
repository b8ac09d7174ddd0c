"""Rules that count: votes, shares and scores, with no model of what is still to come."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._core import Tally
from .rule import NativeRule

__all__ = ["EntropyStop", "FixedSize", "LeadStop", "MajorityStop", "ScoreStop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedSize(NativeRule[_core.FixedSize]):
    """Stops when the planned samples are in, never early; an open plan never ends by it."""

    def _build(self) -> _core.FixedSize:
        return _core.FixedSize()

    def _reason(self, tally: Tally) -> str:
        return f"all {tally.planned} planned samples are in"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStop(NativeRule[_core.LeadStop]):
    """Stops when the leader cannot be overtaken by the samples still to come.

    Exact: it stops if and only if every way the remaining samples can fall leaves the same leader. With r
    samples to come, a cluster seen before the leader must trail by more than r (it would win a tie), one
    seen after it by at least r, and one never seen yet trails by the leader's whole count. The answer of the
    full vote is then decided, ties going to the first seen; its share is not, nor whether there is a tie: after 7, 7
    of four samples the full vote may be 7, 7, 8, 8. `AgreementStop` settles the share. With an open plan
    (`planned` None) nothing is ever decided.
    """

    def _build(self) -> _core.LeadStop:
        return _core.LeadStop()

    def _reason(self, tally: Tally) -> str:
        return f"the lead is safe with {tally.remaining} samples to come"


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorityStop(NativeRule[_core.MajorityStop]):
    """Stops when the leader has a large enough share of the samples.

    The share is the leader's votes over all samples, so that abstentions count against it.

    Attributes:
        threshold: The share, in (0, 1].
        at_least: Samples before it can stop, at least 1.

    Raises:
        InvalidInputError: a parameter is outside its range.
    """

    threshold: float = 0.8
    at_least: int = 4

    def _build(self) -> _core.MajorityStop:
        return _core.MajorityStop(threshold=self.threshold, at_least=self.at_least)

    def _reason(self, tally: Tally) -> str:
        return f"the leader has {tally.first} of {tally.seen} samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntropyStop(NativeRule[_core.EntropyStop]):
    """Stops when the votes are concentrated: their normalised entropy is low.

    The entropy of the observed shares p_i = v_i / v over the k clusters that have votes, divided by its
    largest possible value: -sum p_i log p_i / log k, in [0, 1]; 0 when k is 1. So normalised, k equal
    clusters always give 1, however many samples there are. Abstentions are left out, as they say nothing
    about how the answers spread; `MajorityStop` counts them.

    Attributes:
        threshold: The normalised entropy at or below which it stops, in [0, 1].
        at_least: Votes before it can stop, at least 1.

    Raises:
        InvalidInputError: a parameter is outside its range.
    """

    threshold: float = 0.5
    at_least: int = 4

    def _build(self) -> _core.EntropyStop:
        return _core.EntropyStop(threshold=self.threshold, at_least=self.at_least)

    def _reason(self, tally: Tally) -> str:
        entropy = _core.normalized_entropy(tally.counts)
        return f"the votes have a normalised entropy of {entropy:.4f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreStop(NativeRule[_core.ScoreStop]):
    """Stops when a sample with an answer has scored high enough: the first past a threshold.

    Attributes:
        threshold: The score, finite; verifiers' scores are in [0, 1].

    Raises:
        InvalidInputError: `threshold` is not finite.
    """

    threshold: float = 1.0

    def _build(self) -> _core.ScoreStop:
        return _core.ScoreStop(threshold=self.threshold)

    def _reason(self, tally: Tally) -> str:
        return f"a sample scored {tally.best_score:.4g}"
