"""A cloud of weighted particles that is resampled where its weights become uneven: sequential Monte Carlo."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from ..errors import InvalidInputError
from .base import Expansion, Search, Wanted
from .resampling import Resampling, effective_sample_size, resample
from .tree import ROOT

__all__ = ["Likelihood", "Particle", "Particles", "Target", "log_likelihood"]

Likelihood = Literal["odds", "probability"]
"""What a score r says for a solution: r / (1 - r), or r."""

Target = Literal["steps", "solution"]
"""What particles are drawn by: the likelihoods of all their steps together, or that of the whole solution."""

CLIP = 1e-7
"""Scores count as if they were at least this far from 0 and 1, so that no single one decides for ever."""

COLDEST = 1e-6
"""The least temperature of weights: log G stays far from what floating point can hold."""

EVEN = 1e-12
"""Log-weights that differ by less are equal: there is nothing to resample."""


def log_likelihood(score: float, likelihood: Likelihood = "odds", *, temperature: float = 1.0) -> float:
    """log G of a score: its log-odds, or its logarithm, over `temperature`. Finite for scores of 0 and 1 too."""
    clipped = min(max(score, CLIP), 1.0 - CLIP)
    against = math.log1p(-clipped) if likelihood == "odds" else 0.0
    return (math.log(clipped) - against) / temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class Particle:
    """A solution so far, and how much of all weight it has.

    Attributes:
        node: Where it is in the tree.
        log_weight: The logarithm of its share.
        counted: All that its way here has added to it, as a logarithm.
    """

    node: int = ROOT
    log_weight: float
    counted: float = 0.0


class Particles(Search):
    """Particle filter over partial solutions.

    With w the weights of the N particles, W those before a round, and G_t the likelihood of a solution of t steps, a
    round is

        where 1 / sum_i w_i^2 < ess_threshold N:  resample, and w_i = 1 / N
        every unfinished particle takes a step
        w_i = W_i g_t(i) / sum_j W_j g_t(j)

    so the likelihoods since the last resampling multiply. For the target `steps` the increment g_t is G_t: solutions
    are drawn in proportion to p(x) G_1(x) ... G_T(x), where p is what the model writes; a finished particle waits for
    the others, and its last G counts in each round it waits, as theirs do. For the target `solution` it is
    G_t / G_{t-1} (G_0 = 1), and 1 for a finished particle: in proportion to p(x) G_T(x), where the steps' scores only
    guide the way.

    Particles at the same node take their steps in one expansion. One that was lost leaves its weight to those that
    came from the same node with it; where none did, it dies, and so does one whose node was pruned; the next
    resampling makes up for it. When all die, the round counts for nothing but as one of `max_steps`, and the
    particles are where they were before. A particle without a score keeps its share of all weight.

    Args:
        particles: N, at least 1.
        max_steps: Rounds, at least 1.
        resampling: How particles are resampled.
        ess_threshold: In [0, 1]: 1 resamples whenever weights differ, 0 never.
        likelihood: What a score r says: `odds` r / (1 - r) or `probability` r.
        target: What particles are drawn by.
        weight_temperature: G is raised to the power of one over this; at least 1e-6.
        seed: Of all that is random here.
        prune: Nodes with a value below this die; None for none.

    Attributes:
        cloud: The particles; their weights add up to 1. With a reference it comes first.
        rounds: How often the particles took a step.
        resampled: How often they were resampled.
        log_normalizer: The logarithm of the estimate of Z = E_p[G_1 ... G_T], or of E_p[G_T]; the estimate itself is
            unbiased, but not beside a reference. Lost particles are left out of it.
    """

    def __init__(
        self,
        *,
        particles: int,
        max_steps: int,
        resampling: Resampling = "systematic",
        ess_threshold: float = 1.0,
        likelihood: Likelihood = "odds",
        target: Target = "steps",
        weight_temperature: float = 1.0,
        seed: int = 0,
        prune: float | None = None,
    ) -> None:
        if particles < 1 or max_steps < 1:
            raise InvalidInputError(
                f"particles and max_steps must be at least 1, not {particles} and {max_steps}"
            )
        if not 0.0 <= ess_threshold <= 1.0:
            raise InvalidInputError(f"ess_threshold must be in [0, 1], not {ess_threshold}")
        if not COLDEST <= weight_temperature < math.inf:
            raise InvalidInputError(
                f"weight_temperature must be at least {COLDEST} and finite, not {weight_temperature}"
            )
        _one_of(
            resampling=(resampling, Resampling), likelihood=(likelihood, Likelihood), target=(target, Target)
        )
        super().__init__(width=particles, prune=prune)
        self.max_steps, self.resampling, self.ess_threshold = max_steps, resampling, ess_threshold
        self.likelihood, self.target, self.temperature = likelihood, target, weight_temperature
        self.rng = random.Random(seed)
        self.resampled = 0
        self.begin(particles)

    def begin(self, size: int, reference: Sequence[int] = ()) -> None:
        """Begin with `size` particles at the root; the first follows the nodes of `reference`, where there are any.

        With a reference it is conditional sequential Monte Carlo: given a solution drawn from the target, one drawn
        by the final weights is drawn from it too.

        Args:
            size: Particles, the reference included, at least 1.
            reference: The way from below the root to a complete node; none for a filter of its own.
        """
        self.size, self.reference = size, tuple(reference)
        self.cloud = [Particle(log_weight=-math.log(size))] * size
        self.rounds = 0
        self.log_normalizer = 0.0
        self._before = self.cloud
        self._wanted: deque[Wanted] = deque()
        self._found: dict[int, Sequence[int]] = {}
        self._open = 0  # nodes whose expansions this round waits for

    # What has been found ---------------------------------------------------------------------------------

    def shares(self) -> dict[int, float]:
        """The weight of every finished solution by its node; what is missing to 1 is unfinished."""
        found: dict[int, float] = {}
        for particle in self.cloud:
            if self.tree.complete(particle.node):
                found[particle.node] = found.get(particle.node, 0.0) + math.exp(particle.log_weight)
        return found

    @property
    def ess(self) -> float:
        """The effective sample size of the cloud, from 1 to N."""
        return effective_sample_size(self._weights())

    # Rounds ----------------------------------------------------------------------------------------------

    def _next(self) -> Wanted | None:
        if not self._wanted and not self._open:
            self._start_round()
        return self._wanted.popleft() if self._wanted else None

    def _applied(self, expansion: Expansion, nodes: Sequence[int]) -> None:
        self._found[expansion.node] = nodes
        self._open -= 1
        if not self._open:
            self._end_round()

    def settle(self) -> None:
        """Count all that has been told; a round that was under way ends with what it has."""
        super().settle()
        if self._open:
            self._wanted.clear()
            self._open = 0
            self._end_round()

    def _start_round(self) -> None:
        """Resample where it is due, and want a step of every particle that can take one."""
        while not self._wanted and self.rounds < self.max_steps and self._unfinished():
            self._before = self.cloud
            if self._uneven():
                self.cloud = self._resampled()
                self.resampled += 1
                if not self._unfinished():
                    return
            wanted: dict[int, int] = {}
            for particle in self._drawn():
                wanted[particle.node] = wanted.get(particle.node, 0) + 1
            self._wanted.extend(Wanted(node=node, children=children) for node, children in wanted.items())
            self._found = {}
            self._open = len(wanted)
            if not wanted:  # only the reference moves
                self._end_round()

    def _end_round(self) -> None:
        """Move the particles to where their steps led, and weigh them anew."""
        self.rounds += 1
        self.cloud = self._weighed(self._moved()) or self._before

    def _unfinished(self) -> bool:
        return any(self._growing(particle) for particle in self.cloud)

    def _growing(self, particle: Particle) -> bool:
        return not self.tree.complete(particle.node)

    def _drawn(self) -> list[Particle]:
        """The particles whose next step is to be written: all that are unfinished, but for the reference."""
        return [one for one in self.cloud[1 if self.reference else 0 :] if self._growing(one)]

    def _moved(self) -> list[Particle]:
        """The particles after their step, in order; the weight of those lost goes to others from the same node."""
        logs: dict[int, list[float]] = {}
        for one in self._drawn():
            logs.setdefault(one.node, []).append(one.log_weight)
        children = {node: iter(self._found.get(node, ())) for node in logs}
        share = {
            node: _log_sum(logs[node]) - math.log(len(found)) for node, found in self._found.items() if found
        }
        moved = []
        for place, one in enumerate(self.cloud):
            if self.reference and not place:
                depth = self.tree.depth(one.node)
                moved.append(replace(one, node=self.reference[depth]) if self._growing(one) else one)
            elif not self._growing(one):
                moved.append(one)
            elif (child := next(children[one.node], None)) is not None:
                moved.append(replace(one, node=child, log_weight=share[one.node]))
        return moved

    # Weights ---------------------------------------------------------------------------------------------

    def _weighed(self, moved: Sequence[Particle]) -> list[Particle]:
        """The particles with their weights after this round; those without any have died."""
        living = [one for one in moved if not self.tree.closed(one.node)]
        known = [self._increment(one) for one in living]
        judged = [(one, log_g) for one, log_g in zip(living, known, strict=True) if log_g is not None]
        mean = 0.0  # of those judged, as what the others are given leaves their share as it is
        if judged:
            mean = _log_sum(one.log_weight + log_g for one, log_g in judged)
            mean -= _log_sum(one.log_weight for one, _ in judged)
        grown = [
            replace(one, log_weight=one.log_weight + added, counted=one.counted + added)
            for one, log_g in zip(living, known, strict=True)
            for added in (mean if log_g is None else log_g,)
        ]
        if not grown:
            return []
        total = _log_sum(one.log_weight for one in grown)
        self.log_normalizer += total - _log_sum(one.log_weight for one in moved)
        return [replace(one, log_weight=one.log_weight - total) for one in grown]

    def _increment(self, particle: Particle) -> float | None:
        """log g_t of a particle where it is now; None without a score."""
        value = self.tree.value(particle.node)
        if value is None:
            return None
        log_g = log_likelihood(value, self.likelihood, temperature=self.temperature)
        return log_g if self.target == "steps" else log_g - particle.counted

    def _weights(self) -> list[float]:
        return [math.exp(particle.log_weight) for particle in self.cloud]

    def _uneven(self) -> bool:
        """Whether the effective sample size is below the threshold."""
        logs = [particle.log_weight for particle in self.cloud]
        if len(logs) == self.size and max(logs) - min(logs) < EVEN:
            return False
        return self.ess < self.ess_threshold * self.size

    def _resampled(self) -> list[Particle]:
        """As many particles as there should be, of equal weight; with a reference, given that it is one of them.

        The particles then lie in random order before the points fall: the reference comes first in the cloud, and
        conditional resampling leaves the target as it is only where a particle's place does not say which it is.
        """
        order, kept = list(range(len(self.cloud))), None
        if self.reference:
            self.rng.shuffle(order)
            kept = order.index(0)
        weights = self._weights()
        places = resample(
            [weights[index] for index in order], self.size, self.resampling, rng=self.rng, kept=kept
        )
        found = [order[place] for place in places]
        share = -math.log(self.size)
        return [replace(self.cloud[index], log_weight=share) for index in found]


def _one_of(**given: tuple[str, Any]) -> None:
    for name, (value, literal) in given.items():
        if value not in get_args(literal):
            raise InvalidInputError(f"{name} must be one of {', '.join(get_args(literal))}, not {value!r}")


def _log_sum(logs: Iterable[float]) -> float:
    """log(sum(exp(logs))) of at least one finite number."""
    logs = list(logs)
    top = max(logs)
    return top + math.log(math.fsum(math.exp(log - top) for log in logs))
