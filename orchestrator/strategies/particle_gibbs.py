"""Particle Gibbs: particle filters in a row, each conditioned on a solution of the one before.

Cost: at most iterations * ((particles - 1) * (max_steps - 1) + 1) + max_steps calls, plus the verifier's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..search import Particles, ParticleSweeps, Search
from .particle_filter import ParticleFilter

__all__ = ["ParticleGibbs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticleGibbs(ParticleFilter):
    """Runs a particle filter `iterations` times, each beside a solution drawn from the one before.

    The reference, a complete solution of the last sweep drawn by weight, is the first of the `particles` of the next
    one: it takes its known steps for nothing, and always has a copy when particles are resampled, while others may go
    on from any of its steps. Sweep after sweep the solutions drawn come closer to the target, which one filter with
    few particles misses; with as many calls, one filter with more particles is the alternative.

        x(0) ~ particle filter,    x(k) ~ conditional particle filter given x(k - 1)

    Source: Puri et al., "A Probabilistic Inference Approach to Inference-Time Scaling of LLMs using Particle-Based
    Monte Carlo Methods", arXiv 2502.01618, §3; Andrieu, Doucet and Holenstein, "Particle Markov Chain Monte Carlo
    Methods", Journal of the Royal Statistical Society B 72(3), 2010 (conditional sequential Monte Carlo); Chopin and
    Singh, "On Particle Gibbs Sampling", Bernoulli 21(3), 2015 (systematic resampling given the reference). Differs in
    that `weighted` and `sample` take the weights of all sweeps, `score` and `vote` their complete solutions, where
    the published code takes those of the last sweep.

    Cost: at most iterations * ((particles - 1) * (max_steps - 1) + 1) + max_steps calls (a sweep's first steps are
    one call, one ends the best partial solution), plus the verifier's.

    Args:
        iterations: Sweeps, at least 1.
        particles: Solutions side by side in a sweep, the reference included, at least 2.
        resampling: `systematic`, `stratified`, `multinomial` or `residual`.
        ess_threshold: Resample where the effective sample size is below this part of N, in [0, 1]: 1 whenever weights
            differ, 0 never.
        weight_temperature: At least 1e-6: below 1 the scores count for more, above 1 for less.
        likelihood: What a score r says for a solution: `odds` or `probability`.
        target: What solutions are drawn by: all their `steps`' scores, or the score of the `solution`.
        verifier: Scores solutions, partial ones too. One that abstains on a solution gives it no value.
        steps: How solutions are cut into steps.
        max_steps: Steps of a solution at most, and rounds of a sweep, at least 1; the last is written to the
            solution's end.
        prune: Solutions with a score below this, in [0, 1], die; None for none.
        choose: `score`, `weighted`, `vote` or `sample`, as for the particle filter, over all sweeps.
        finish_tokens: Cap on the call that ends the best partial solution, in tokens, at least 1.
        model: Name of the model; None for the first.
        temperature: At least 0; 0 makes all continuations the same. None leaves it to the model's settings.
        max_tokens: None: steps have caps of their own.

    The outcome's `detail` has what the particle filter's has, `rounds` and `ess` of the last sweep, without
    `log_normalizer`; the `sweeps` that were begun, and of how many `references` they made use.
    """

    paper: ClassVar[str] = "Puri et al., arXiv 2502.01618"
    cost: ClassVar[str] = "iterations * ((particles - 1) * (max_steps - 1) + 1) + max_steps"
    pays: ClassVar[str] = "room for few solutions at a time, and time for several rounds of them"

    particles: int = 4
    iterations: int = 4

    @property
    def most_calls(self) -> int:
        """iterations * ((particles - 1) * (max_steps - 1) + 1) + max_steps."""
        return self.iterations * ((self.particles - 1) * (self.max_steps - 1) + 1) + self.max_steps

    def search(self, seed: int) -> Search:
        """The first sweep, before its first step."""
        return ParticleSweeps(iterations=self.iterations, **self.settings(seed))

    def facts(self, search: Particles) -> dict[str, Any]:
        """What the outcome says of the sweeps."""
        assert isinstance(search, ParticleSweeps)
        return {
            "rounds": search.rounds,
            "resampled": search.resampled,
            "ess": search.ess,
            "sweeps": search.sweep + 1,
            "references": len(set(search.references) - {None}),
        }

    @property
    def expansions_at_most(self) -> tuple[int, int, int]:
        """Steps of the first expansion, expansions after it, and steps of each of these."""
        others = (self.iterations - 1) * (self.particles - 1) * self.max_steps
        return self.particles, self.particles * (self.max_steps - 1) + others, 1
