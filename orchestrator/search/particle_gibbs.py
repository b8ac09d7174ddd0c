"""Particle filters in a row, each conditioned on a solution of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InvalidInputError
from .base import Wanted
from .particles import Particles

__all__ = ["ParticleSweeps"]


class ParticleSweeps(Particles):
    """Particle Gibbs: iterated conditional sequential Monte Carlo.

    The first sweep is a particle filter. Each further one has a reference, a finished solution drawn from the last
    sweep by weight: the first of its N particles follows the reference step by step, is weighed like all others, and
    has a copy in every resampling (`resample` with `kept`), from which others may branch off. So N - 1 particles are
    written anew. As a step from one reference to the next, a sweep leaves the target as it is, for any N of at least
    2: exactly for the target `solution`; for `steps` where all solutions are of equally many steps, as the finished
    particles' waiting counts too.

    A sweep without a finished solution leaves the next one without a reference, with N - 1 particles.

    Args:
        iterations: Sweeps, at least 1.
        particles: N, at least 2.
        settings: As for `Particles`.

    Attributes:
        sweep: The number of the sweep under way, from 0.
        references: The node each sweep's reference ended in, by sweep; None for those without. The first has none.
    """

    def __init__(self, *, iterations: int, particles: int, **settings: Any) -> None:
        if iterations < 1 or particles < 2:
            raise InvalidInputError(
                f"iterations must be at least 1 and particles at least 2, not {iterations} and {particles}"
            )
        super().__init__(particles=particles, **settings)
        self.iterations, self.particles = iterations, particles
        self.sweep = 0
        self.references: list[int | None] = [None]
        self._past: dict[int, float] = {}  # sums over the sweeps that have ended

    def shares(self) -> dict[int, float]:
        """The mean over sweeps of the weight of every finished solution, by its node.

        A sweep that was broken off counts only when there is no other.
        """
        if self.sweep and self._unfinished() and not self._ended():
            return {node: share / self.sweep for node, share in self._past.items()}
        total = self._past.copy()
        _add(total, super().shares())
        return {node: share / (self.sweep + 1) for node, share in total.items()}

    def _next(self) -> Wanted | None:
        wanted = super()._next()
        while wanted is None and not self._open and self.sweep + 1 < self.iterations:
            self._start_sweep()
            wanted = super()._next()
        return wanted

    def _start_sweep(self) -> None:
        """Keep what the sweep has found, and begin the next one with a solution drawn from it."""
        shares = super().shares()
        _add(self._past, shares)
        self.sweep += 1
        reference: Sequence[int] = ()
        if shares:
            [node] = self.rng.choices(list(shares), weights=list(shares.values()))
            reference = self.tree.path(node)
        self.references.append(reference[-1] if reference else None)
        self._begin(self.particles if reference else self.particles - 1, reference)

    def _ended(self) -> bool:
        return self.rounds == self.max_steps


def _add(total: dict[int, float], shares: dict[int, float]) -> None:
    for node, share in shares.items():
        total[node] = total.get(node, 0.0) + share
