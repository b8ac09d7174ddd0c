"""Adaptive branching: at every node on the way down, whether to write anew or to go on from what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .. import _core
from ..errors import InvalidInputError
from .base import Expansion, Search, Wanted

__all__ = ["AdaptiveBranching", "Posterior"]

Posterior = Literal["gaussian", "beta"]
"""What scores are taken to be: normal with a mean and variance of their own, or each that much of a success."""

NO_LIMIT = 2**32 - 1


class AdaptiveBranching(Search):
    """AB-MCTS with node aggregation: unbounded branching by Thompson sampling.

    Beside its children every node has two options. GEN writes one more child of it, CONT goes on from one of its
    children. From the root on, while the node at hand has an open child, the means of both are drawn from their
    posteriors: with GEN's draw not below CONT's the node at hand is expanded, else the way leads to the child with
    the highest draw. What is known

    - of GEN are the scores of the node's children, as each came of this choice;
    - of CONT those of all nodes below its children;
    - of a child its own and those of all nodes below it;
    - of an arm (a model) those of all nodes it wrote. With several, the highest draw decides who writes.

    With n scores of mean r, the posteriors of the mean mu are

        gaussian: mu | v ~ N((kappa m + n r) / (kappa + n), v / (kappa + n)),  v ~ Inv-chi2(nu + n, t),
                  (nu + n) t = nu tau2 + sum (r_i - r)^2 + n kappa / (kappa + n) (m - r)^2
        beta:     mu ~ Beta(alpha + sum r_i, beta + sum (1 - r_i))

    A node without a value counts as 0, the lowest. Closed and complete nodes are not gone on from, nor are those at
    `max_depth`; what they scored still counts for the options above them.

    Expansions under way are kept apart by counting as scores that will be as expected: at every option that led to
    one, the mean of the posterior stays and its variance is that after one score more (kappa + 1, or alpha and beta
    times (alpha + beta + 1) / (alpha + beta)). So an option that was drawn high because little is known of it is not
    drawn high again and again before anything is known, while a good one can be taken several times. Each decision
    draws from a stream of its own, which depends on the seed and on its number alone.

    Source: Inoue et al., "Wider or Deeper? Scaling LLM Inference-Time Compute with Adaptive Branching Tree Search",
    arXiv 2503.04412, §3.4 with appendices A.3 (posteriors; its equation 15 has the posterior's mean where the
    conjugate update has the prior's, which is what is done here) and D.1.2 (arms: generator selection I). Differs in
    counting expansions under way, which the paper leaves to the chance in the draws.

    Args:
        num_nodes: Expansions in all, failed ones included, at least 1.
        seed: Of the draws.
        posterior: What scores are taken to be.
        prior_mean: What a score is expected to be before any is known: m, or alpha / (alpha + beta); in (0, 1) with
            `beta`. None for the paper's: 0 with `gaussian`, 0.5 with `beta`.
        prior_weight: How many scores that is worth: kappa and nu, or alpha + beta, all in [1e-6, 1e12].
        prior_variance: Scores' variance before any is known, in [1e-6, 1e12]: tau2. Only with `gaussian`.
        arms: Models there are, at least 1.
        max_depth: Nodes so deep are not gone on from, at least 1; None for no limit.
        threshold: Value in [0, 1] of a solution that is good enough: the search ends with it. None for none. Nodes
            that are complete or have a candidate with a readable answer are solutions.
        width: Expansions under way at most, at least 1.
        prune: New nodes with a value below this are closed; None closes none.
    """

    def __init__(
        self,
        *,
        num_nodes: int,
        seed: int,
        posterior: Posterior = "gaussian",
        prior_mean: float | None = None,
        prior_weight: float = 1.0,
        prior_variance: float = 0.1,
        arms: int = 1,
        max_depth: int | None = None,
        threshold: float | None = None,
        width: int = 1,
        prune: float | None = None,
    ) -> None:
        if num_nodes < 1:
            raise InvalidInputError(f"num_nodes must be at least 1, not {num_nodes}")
        super().__init__(width=width, prune=prune)
        self.num_nodes, self.threshold = num_nodes, threshold
        self._state = _core.AdaptiveBranching(
            prior=prior_of(posterior, prior_mean, prior_weight, prior_variance),
            arms=arms,
            seed=seed,
            max_depth=NO_LIMIT if max_depth is None else max_depth,
        )

    def scores_of_arm(self, arm: int) -> tuple[int, float]:
        """How many nodes this arm has written, and the sum of their values (0 for one without)."""
        return self._state.scores_of_arm(arm)

    def bytes(self) -> int:
        """Memory set aside for numbers, texts and Python's objects excluded."""
        return self.tree.bytes() + self._state.bytes()

    def _next(self) -> Wanted | None:
        if self._asked == self.num_nodes:
            return None
        node, arm = self._state.ask(self.tree)
        return Wanted(node=node, arm=arm)

    def _applied(self, expansion: Expansion, nodes: Sequence[int]) -> None:
        self._state.tell(self.tree, expansion.node, expansion.arm, nodes)
        self.decided = self.tree.solved(nodes, self.threshold)


def prior_of(
    posterior: Posterior, mean: float | None, weight: float, variance: float
) -> _core.GaussianPrior | _core.BetaPrior:
    """What is known of scores before any is; the arguments are those of `AdaptiveBranching`.

    Raises:
        InvalidInputError: There is no such posterior, or a parameter is out of its range.
    """
    if posterior == "gaussian":
        m = 0.0 if mean is None else mean
        return _core.GaussianPrior(m=m, kappa=weight, nu=weight, tau2=variance)
    if posterior != "beta":
        raise InvalidInputError(f"posterior must be 'gaussian' or 'beta', not {posterior!r}")
    share = 0.5 if mean is None else mean
    if not 0.0 < share < 1.0:
        raise InvalidInputError(f"prior_mean must be in (0, 1) with a beta posterior, not {mean}")
    return _core.BetaPrior(alpha=weight * share, beta=weight * (1.0 - share))
