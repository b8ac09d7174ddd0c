"""A rule that knows from recorded runs how often a leader like this one stays."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._core import Tally
from .rule import NativeRule

__all__ = ["LearnedStop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedStop(NativeRule[_core.LearnedStop]):
    """Stops when the leader will probably still lead after all planned samples.

    The posterior of `BetaStop` and `DirichletStop` asks which answer the model prefers in the long run, from the
    samples seen and a prior that knows no task. A budget asks less: whether the samples still to come will change
    the vote. And tasks differ: where problems are mostly clear or hopeless, two samples that agree say more than
    where they are near a tie. So the probability that the leader stays is a logistic model of two numbers,

        P = sigmoid(bias + evidence e + lead d),
        e = -ln(1 - P(p > 1/2)),  p ~ Beta(v1 + 1, v2 + 1),  at most 40,
        d = (v1 - v2) / sqrt(r + 1),  r samples still to come,

    whose weights are fitted to recorded samples of the task (`scaling.fit_stop`). Without a plan it never fires;
    a lead that cannot be lost always fires it. Written in a file, the fitted rule is its four numbers.

    Attributes:
        confidence: Probability asked for, in (0, 1].
        bias, evidence, lead: The weights, in [-1e100, 1e100].

    Raises:
        InvalidInputError: a parameter is outside its range.
    """

    confidence: float
    bias: float
    evidence: float
    lead: float

    def _build(self) -> _core.LearnedStop:
        return _core.LearnedStop(
            confidence=self.confidence, bias=self.bias, evidence=self.evidence, lead=self.lead
        )

    def stays(self, tally: Tally) -> float:
        """The probability that the leader stays, by the model; 0 without a leader or a plan."""
        return self._rule.stays(tally)

    def _reason(self, tally: Tally) -> str:
        return f"the leader stays with probability {self.stays(tally):.4f}, by recorded runs"
