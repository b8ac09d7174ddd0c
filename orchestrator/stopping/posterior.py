"""Rules that ask how surely the leader is the most frequent answer, and what surer would be worth."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._core import Tally
from .rule import NativeRule

__all__ = ["BetaStop", "DirichletStop", "ValueOfSample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaStop(NativeRule[_core.BetaStop]):
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

    def _build(self) -> _core.BetaStop:
        return _core.BetaStop(confidence=self.confidence)

    def posterior(self, tally: Tally) -> float:
        """The probability the decision rests on, in [0.5, 1]."""
        return self._rule.posterior(tally)

    def _reason(self, tally: Tally) -> str:
        return f"the leader is ahead with probability {self.posterior(tally):.4f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirichletStop(NativeRule[_core.DirichletStop]):
    """Stops when the leader is probably the most frequent of all answers, not only of the top two.

    Under a symmetric Dirichlet prior the answers' frequencies are, after v_i votes each, independent gamma
    variables g_i ~ Gamma(prior + v_i) over their sum. So P(the leader is the mode) is the integral of the
    leader's density times the distribution functions of all others, computed to 1e-9 and mostly not needed:
    it lies between the smallest P(g_1 > g_i) and the product of all. With two answers and a prior of 1 it
    is `BetaStop`'s probability.

    The paper (Aggarwal, Madaan, Yang, Mausam 2023, arXiv 2305.11860, the Dirichlet criterion) knows the
    observed answers only (`unseen=0`) and integrates by Monte Carlo. Answers are open-ended: what has not
    turned up yet may still. It is approximated by `unseen` more answers without a vote, each with the prior
    weight of an observed one; there is at least one rival even when only one answer was seen. One such
    answer carries all the weight of the unseen in one piece, which is the hardest case for the leader at
    that weight; a Dirichlet process would spread it over many small ones.

    Attributes:
        confidence: In (0, 1).
        prior: Votes that every answer has in advance, in (0, 100]; the Dirichlet's alpha. Whole priors
            are decided fastest.
        unseen: Answers assumed that have not been seen, in 0 to 1000.

    Raises:
        InvalidInputError: a parameter is outside its range.
    """

    confidence: float = 0.95
    prior: float = 1.0
    unseen: int = 1

    def _build(self) -> _core.DirichletStop:
        return _core.DirichletStop(confidence=self.confidence, prior=self.prior, unseen=self.unseen)

    def posterior(self, tally: Tally) -> float:
        """The probability the decision rests on."""
        return self._rule.posterior(tally)

    def _fixed_reason(self) -> str:
        return f"the leader is the most frequent answer with probability at least {self.confidence:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueOfSample(NativeRule[_core.ValueOfSample]):
    """Stops when the expected gain of more samples is worth less than their price.

    The knowledge gradient with look-ahead: one more vote alone can rarely change the leader, so its gain is
    mostly 0 however unsure the vote is (Frazier and Powell 2010, "Paradoxes in learning and the marginal
    value of information"). Therefore m more votes together are weighed against m times their price, for
    m = d + 1, d + 3, d + 7, ... up to `lookahead` with d the lead (fewer change nothing), and it stops
    when none of them pays.

    The gain is that of P(the leader is the mode), taken as the probability of a right answer. Approximation:
    only the leader and the runner-up contend, with P = P(p > 1/2) for p ~ Beta(v1 + prior, v2 + prior). For
    them the expected gain of m votes is exact, over the beta-binomial distribution of how these fall.
    Samples that say neither are paid for as well: one vote costs the price of as many samples as it takes
    on average, by the posterior mean of the share of the two, abstentions counted. So a problem that
    yields nothing but abstentions is given up after a while, with no leader.

    Attributes:
        price: Price of a sample over the value of a right answer, in the same unit (USD, say); above 0.
            0.002: a right answer is worth 500 samples.
        prior: Votes that every answer has in advance, in (0, 100].
        lookahead: Votes to look ahead, in 1 to 1000; the planned samples bound it further.

    Raises:
        InvalidInputError: a parameter is outside its range.
    """

    price: float
    prior: float = 1.0
    lookahead: int = 32

    def _build(self) -> _core.ValueOfSample:
        return _core.ValueOfSample(price=self.price, prior=self.prior, lookahead=self.lookahead)

    def net_gain(self, tally: Tally) -> float:
        """The most that further samples are expected to gain less their price, at least 0; in right answers."""
        return self._rule.net_gain(tally)

    def _fixed_reason(self) -> str:
        return f"no further samples are worth {self.price:g} right answers each"
