"""Particle filter: solutions drawn by what the model writes and what a verifier says of each step.

Cost: at most particles * (max_steps - 1) + 2 calls, plus the verifier's own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from ..contracts import name_of
from ..search import Likelihood, Particles, Resampling, Search, Target
from ..types import Candidate, Outcome
from ..voting import best_of_clusters
from .selection import giving, value_of
from .tree_search import Growth, TreeSearch

__all__ = ["Drawing", "ParticleFilter"]

Drawing = Literal["score", "weighted", "vote", "sample"]
"""How the answer is chosen: the best score, the most weight, the most solutions, or one drawn by weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticleFilter(TreeSearch):
    """Draws solutions from the model's, tilted by a verifier's scores, step by step.

    `particles` solutions x grow side by side. After each step t they are weighed by the likelihood G_t of the score r
    of all that is written so far, and resampled: those of little weight give way to copies of those of much, which
    then go on in different ways.

        w_i = W_i g_t(i) / sum_j W_j g_t(j),    log G = log(r / (1 - r)) / weight_temperature   (`odds`)
                                                log G = log(r) / weight_temperature             (`probability`)
        where 1 / sum_i w_i^2 < ess_threshold N:  N copies, w_i N of each in expectation, and all w_i = 1 / N

    W are the weights before the step, so likelihoods multiply from one resampling to the next. With the target
    `steps`, g_t = G_t: every step's score is evidence of its own, and a finished solution's last one counts again in
    every round it waits. With `solution`, g_t = G_t / G_{t-1}: the score of the whole solution alone decides in the
    end, and those of its beginnings guide the way there. Scores of 0 and 1 count as 1e-7 and 1 - 1e-7. A step without
    a score leaves the solution's share of all weight as it is. The continuations of one node are asked for in one
    request. A solution whose call failed dies, its weight goes to those drawn with it; where all die in a round, the
    particles are drawn again from where they were.

    Source: Puri et al., "A Probabilistic Inference Approach to Inference-Time Scaling of LLMs using Particle-Based
    Monte Carlo Methods", arXiv 2502.01618, §3, whose published code weighs by log-odds, resamples multinomially after
    every step and answers with the particle of the highest score: here `resampling: multinomial`, the defaults
    otherwise. Weights between resamplings as in Naesseth, Lindsten and Schön, "Elements of Sequential Monte Carlo",
    arXiv 1903.04797; the target `solution` as in Zhao et al., "Probabilistic Inference in Language Models via Twisted
    Sequential Monte Carlo", arXiv 2404.17546, with the score in place of a learned twist. Differs in that all
    complete solutions found may be chosen by `score` or `vote`, those resampled away included.

    Cost: at most particles * (max_steps - 1) + 2 calls (one for all first steps, one to end the best partial
    solution), plus the verifier's.

    Args:
        particles: N, solutions side by side, at least 1.
        resampling: `systematic`, `stratified`, `multinomial` or `residual`.
        ess_threshold: Resample where the effective sample size is below this part of N, in [0, 1]: 1 whenever weights
            differ, 0 never.
        weight_temperature: At least 1e-6: below 1 the scores count for more, above 1 for less.
        likelihood: What a score r says for a solution: `odds` or `probability`.
        target: What solutions are drawn by: all their `steps`' scores, or the score of the `solution`.
        verifier: Scores solutions, partial ones too. One that abstains on a solution gives it no value.
        steps: How solutions are cut into steps.
        max_steps: Steps of a solution at most, and rounds, at least 1; the last is written to the solution's end.
        prune: Solutions with a score below this, in [0, 1], die; None for none.
        choose: How the answer is chosen: `score`, the complete solution with the highest score; `weighted`, the
            answer with the most weight among the particles; `vote`, the most frequent answer among the complete
            solutions; `sample`, the answer of a particle drawn by weight.
        finish_tokens: Cap on the call that ends the best partial solution, in tokens, at least 1.
        model: Name of the model; None for the first.
        temperature: At least 0; 0 makes all continuations the same. None leaves it to the model's settings.
        max_tokens: None: steps have caps of their own.

    With `score` the confidence is the score, with `weighted` and `sample` the answer's share of all weight, where
    unreadable and unfinished solutions count as no answer.

    The outcome's `detail` has what the search found (`nodes`, `complete`, `depth`, `forced`), the `rounds`, how often
    particles were `resampled`, their effective sample size `ess` at the end, the `log_normalizer` (the logarithm of
    the estimated mean likelihood of what the model writes by itself), the complete solutions' `weights` in the order
    of the candidates, and the chosen candidate's `score` or, with `vote`, `votes` and `abstentions`.
    """

    paper: ClassVar[str] = "Puri et al., arXiv 2502.01618"
    cost: ClassVar[str] = "particles * (max_steps - 1) + 2"
    pays: ClassVar[str] = (
        "a noisy judge of partial solutions, which a search that takes it at its word would follow"
    )

    particles: int = 8
    resampling: Resampling = "systematic"
    ess_threshold: float = 1.0
    weight_temperature: float = 1.0
    likelihood: Likelihood = "odds"
    target: Target = "steps"
    choose: Drawing = "score"  # type: ignore[assignment]  # one way more than the other searches have

    def __post_init__(self) -> None:
        self.check()
        self.search(0)  # which refuses what is out of range

    @property
    def most_calls(self) -> int:
        """particles * (max_steps - 1) + 2."""
        return self.particles * (self.max_steps - 1) + 2

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return self.particles

    def search(self, seed: int) -> Search:
        """A fresh particle filter."""
        return Particles(**self.settings(seed))

    def settings(self, seed: int) -> dict[str, Any]:
        """What its search state is made with."""
        return {
            "particles": self.particles,
            "max_steps": self.max_steps,
            "resampling": self.resampling,
            "ess_threshold": self.ess_threshold,
            "likelihood": self.likelihood,
            "target": self.target,
            "weight_temperature": self.weight_temperature,
            "seed": seed,
            "prune": self.prune,
        }

    def outcome(self, growth: Growth, candidates: Sequence[Candidate]) -> Outcome:
        """The answer among complete solutions, by their scores or the particles' weights."""
        search = growth.search
        assert isinstance(search, Particles)
        shares = search.shares()
        weights = [shares.get(node, 0.0) for node in sorted(growth.tree.candidates)]
        weights += [0.0] * (len(candidates) - len(weights))  # of one the search has not found itself
        found = None
        if self.choose in ("weighted", "sample"):
            drawing = search.rng if self.choose == "sample" else None
            found = by_weight(candidates, weights, name_of(self.verifier), rng=drawing)
        if found is None:
            found = TreeSearch.outcome(self, growth, candidates)
        return replace(found, detail={**found.detail, **self.facts(search), "weights": weights})

    def facts(self, search: Particles) -> dict[str, Any]:
        """What the outcome says of the particles."""
        return {
            "rounds": search.rounds,
            "resampled": search.resampled,
            "ess": search.ess,
            "log_normalizer": search.log_normalizer,
        }

    @property
    def expansions_at_most(self) -> tuple[int, int, int]:
        """Steps of the first expansion, expansions after it, and steps of each of these."""
        return self.particles, self.particles * (self.max_steps - 1), 1


def by_weight(
    candidates: Sequence[Candidate], weights: Sequence[float], name: str, *, rng: random.Random | None = None
) -> Outcome | None:
    """The answer with the most weight, or with `rng` one drawn by weight; None where no readable one has any.

    Its confidence is its share of all weight, which is 1: what `weights` lack is that of no answer.
    """
    missing = max(0.0, 1.0 - math.fsum(weights))
    vote = best_of_clusters([*(one.answer for one in candidates), None], [*weights, missing])
    if vote.sample is None or not weights[vote.sample]:
        return None
    chosen, confidence, tied = candidates[vote.sample], vote.confidence, vote.tied
    if rng is not None:
        readable = [weight if one.answer else 0.0 for one, weight in zip(candidates, weights, strict=True)]
        [chosen] = rng.choices(candidates, weights=readable)
        same = giving(chosen.answer, candidates)
        confidence = math.fsum(w for one, w in zip(candidates, weights, strict=True) if one in same)
        tied = False
    return Outcome(
        answer=chosen.answer,
        confidence=confidence,
        tied=tied,
        candidates=tuple(candidates),
        detail={"score": value_of(chosen, name)},
    )
