"""Resampling of weighted particles: as many copies of each as its weight asks for, in expectation exactly.

With a point u in [0, 1) belonging to the particle whose part of the cumulative weights it falls into, the schemes
differ in where their `n` points lie:

    multinomial   independent and uniform
    stratified    one uniform in each of the n strata [k/n, (k + 1)/n)
    systematic    the same place in every stratum, by one uniform number
    residual      floor(n w) copies outright, the rest multinomial by what is left of n w

All give particle i an expected n w_i copies: systematic resampling floor or ceil of n w_i, residual at least the
floor. Stratified and residual resampling never add more noise than multinomial; systematic resampling adds little in
practice, and how much depends on the order of the particles (Douc, Cappé and Moulines 2005, "Comparison of Resampling
Schemes for Particle Filtering", arXiv cs/0507025).
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from ..errors import InvalidInputError

__all__ = ["Resampling", "effective_sample_size", "resample"]

Resampling = Literal["systematic", "stratified", "multinomial", "residual"]
"""How particles are resampled."""


def effective_sample_size(weights: Sequence[float]) -> float:
    """1 / sum of w^2 of the normalized weights: from 1 (one has all) to their number (all have the same).

    Args:
        weights: At least 0, not all of them 0; they need not add up to 1.
    """
    total = math.fsum(weights)
    return 1.0 / math.fsum((weight / total) ** 2 for weight in weights)


def resample(
    weights: Sequence[float],
    n: int,
    scheme: Resampling = "systematic",
    *,
    rng: random.Random,
    kept: int | None = None,
) -> list[int]:
    """Which particle each of the `n` resampled ones is a copy of, ascending.

    With `kept` it is conditional resampling: the copies are drawn as they are when one of them, picked at random, is
    known to be of particle `kept`; that copy comes first, the others ascend after it. For systematic resampling the
    number behind its points then has a density proportional to the copies of `kept` that it gives, which is that of
    a uniform point in the part of `kept` (Chopin and Singh 2015, "On Particle Gibbs Sampling", Bernoulli 21(3)).

    Args:
        weights: Finite and at least 0, not all of them 0; they need not add up to 1.
        n: Copies in all, at least 1.
        scheme: Where the points lie.
        rng: Where they come from.
        kept: A particle that has a copy for certain; its weight is above 0.

    Raises:
        InvalidInputError: The weights are none, or the scheme is not known.
    """
    total = math.fsum(weights)
    if not (0.0 < total < math.inf) or min(weights) < 0.0:
        raise InvalidInputError(
            f"weights must be finite, at least 0 and not all 0, not {list(weights)!r:.200}"
        )
    shares = [weight / total for weight in weights]
    if scheme == "residual":
        return _residual(shares, n, rng, kept)
    if scheme not in _POINTS:
        raise InvalidInputError(f"resampling must be one of {[*_POINTS, 'residual']}, not {scheme!r}")
    ends = list(accumulate(shares))
    held = None if kept is None else _place_in(ends, shares, kept, rng)
    found = _owners(ends, shares, _POINTS[scheme](n, rng, held))
    return found if kept is None else [kept, *found]


def _place_in(ends: Sequence[float], shares: Sequence[float], kept: int, rng: random.Random) -> float:
    """A uniform point in the part of `kept`."""
    return min(max(0.0, ends[kept] - shares[kept] * (1.0 - rng.random())), math.nextafter(1.0, 0.0))


def _owners(ends: Sequence[float], shares: Sequence[float], points: Sequence[float]) -> list[int]:
    """Whose parts the points fall into; one that rounding puts beyond the end is the last particle's with a share."""
    last = max(index for index, share in enumerate(shares) if share > 0.0)
    return [min(bisect_right(ends, point), last) for point in points]


# Ascending points of each scheme; all but the one at `held`, where that is given.


def _systematic(n: int, rng: random.Random, held: float | None) -> list[float]:
    if held is None:
        offset = rng.random()
        return [(k + offset) / n for k in range(n)]
    place = _stratum(n, held)
    offset = held * n - place
    return [(k + offset) / n for k in range(n) if k != place]


def _stratified(n: int, rng: random.Random, held: float | None) -> list[float]:
    place = None if held is None else _stratum(n, held)
    return [(k + rng.random()) / n for k in range(n) if k != place]


def _stratum(n: int, point: float) -> int:
    return min(int(point * n), n - 1)


def _multinomial(n: int, rng: random.Random, held: float | None) -> list[float]:
    return sorted(rng.random() for _ in range(n if held is None else n - 1))


_POINTS = {"systematic": _systematic, "stratified": _stratified, "multinomial": _multinomial}


def _residual(shares: Sequence[float], n: int, rng: random.Random, kept: int | None) -> list[int]:
    floors = [math.floor(n * share) for share in shares]
    left = [n * share - floor for share, floor in zip(shares, floors, strict=True)]
    drawn = n - sum(floors)
    if kept is not None:  # its copy is one of the outright ones, or one of those drawn, by their numbers
        if rng.random() * (floors[kept] + left[kept]) < floors[kept]:
            floors[kept] -= 1
        else:
            drawn = max(0, drawn - 1)
    found = [index for index, copies in enumerate(floors) for _ in range(copies)]
    if drawn:
        found += resample(left, drawn, "multinomial", rng=rng)
    return sorted(found) if kept is None else [kept, *sorted(found)[: n - 1]]
