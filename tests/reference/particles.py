"""Particle filter and particle Gibbs by their definitions: plain weights, one particle after the other.

A particle is the path of its solution in the tree: the places among siblings from the root on. What is at a path, and
what its next continuations are, a `World` says.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Path = tuple[int, ...]


class World(Protocol):
    def write(self, path: Path, n: int) -> list[Path]:
        """`n` new continuations, less those that are lost."""

    def ends(self, path: Path) -> bool: ...

    def score(self, path: Path) -> float | None: ...

    def pruned(self, path: Path) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a filter is told: sizes, scheme, threshold, and G of a score."""

    size: int
    rounds: int
    scheme: str
    threshold: float
    likelihood: Callable[[float], float]
    telescoping: bool


@dataclass(frozen=True)
class Particle:
    path: Path
    weight: float
    credit: float  # the product of what its weight was multiplied with on its way


@dataclass
class Sweep:
    """One filter's end: its particles, the estimate of Z, and how often it was resampled."""

    cloud: list[Particle]
    z: float
    resampled: int


def points(scheme: str, n: int, rng: random.Random, held: float | None) -> list[float]:
    """The points of a scheme, but for the one that lies at `held`."""
    if scheme == "systematic":
        u = rng.random() if held is None else held * n % 1.0
        strata = [(k + u) / n for k in range(n)]
    elif scheme == "stratified":
        skipped = None if held is None else int(held * n)
        return [(k + rng.random()) / n for k in range(n) if k != skipped]
    else:
        return sorted(rng.random() for _ in range(n if held is None else n - 1))
    return strata if held is None else [point for k, point in enumerate(strata) if k != int(held * n)]


def owner(weights: Sequence[float], point: float) -> int:
    """Whose part of the cumulative weights a point falls into."""
    total = 0.0
    for index, weight in enumerate(weights):
        total += weight
        if point < total:
            return index
    return max(index for index, weight in enumerate(weights) if weight)


def copied(cloud: list[Particle], rules: Rules, size: int, rng: random.Random, given: bool) -> list[Particle]:
    """`size` particles of equal weight; the first one is kept where it is `given`."""
    order = list(range(len(cloud)))
    held = None
    if given:
        rng.shuffle(order)
        before = sum(cloud[index].weight for index in order[: order.index(0)])
        held = before + cloud[0].weight * rng.random()
    weights = [cloud[index].weight for index in order]
    chosen = [order[owner(weights, point)] for point in points(rules.scheme, size, rng, held)]
    if given:
        chosen.insert(0, 0)
    return [Particle(cloud[index].path, 1 / size, cloud[index].credit) for index in chosen]


def sweep(world: World, rules: Rules, size: int, rng: random.Random, reference: Path | None) -> Sweep:
    """A particle filter; with a reference a conditional one, whose first particle is the reference."""
    cloud = [Particle((), 1 / size, 1.0) for _ in range(size)]
    z, resampled = 1.0, 0

    def done() -> bool:
        return all(world.ends(particle.path) for particle in cloud)

    for _ in range(rules.rounds):
        if done():
            break
        before = cloud
        weights = [particle.weight for particle in cloud]
        even = len(cloud) == size and max(weights) / min(weights) < 1 + 1e-12
        if not even and 1 / sum(weight**2 for weight in weights) < rules.threshold * size:
            cloud = copied(cloud, rules, size, rng, reference is not None)
            resampled += 1
            if done():
                break
        cloud = stepped(world, cloud, reference)
        held = sum(particle.weight for particle in cloud)
        cloud = weighed(world, rules, cloud)
        if not cloud:
            cloud = before
            continue
        total = sum(particle.weight for particle in cloud)
        z *= total / held
        cloud = [Particle(one.path, one.weight / total, one.credit) for one in cloud]
    return Sweep(cloud, z, resampled)


def stepped(world: World, cloud: list[Particle], reference: Path | None) -> list[Particle]:
    """Every particle after its step; the lost are left out, their weight goes to those they were with."""
    drawing = [
        not world.ends(one.path) and not (reference is not None and place == 0)
        for place, one in enumerate(cloud)
    ]
    together: dict[Path, list[Particle]] = {}
    for one, draws in zip(cloud, drawing, strict=True):
        if draws:
            together.setdefault(one.path, []).append(one)
    written = {path: world.write(path, len(group)) for path, group in together.items()}
    share = {
        path: sum(one.weight for one in together[path]) / len(found)
        for path, found in written.items()
        if found
    }
    after = []
    for place, one in enumerate(cloud):
        if drawing[place]:
            if written[one.path]:
                after.append(Particle(written[one.path].pop(0), share[one.path], one.credit))
        elif reference is not None and place == 0:
            after.append(Particle(reference[: len(one.path) + 1], one.weight, one.credit))
        else:
            after.append(one)
    return after


def weighed(world: World, rules: Rules, cloud: list[Particle]) -> list[Particle]:
    """Weights times likelihoods; without a score, times the mean of the likelihoods of those that have one."""
    alive = [one for one in cloud if not world.pruned(one.path)]
    gains: list[float | None] = []
    for one in alive:
        score = world.score(one.path)
        gain = None if score is None else rules.likelihood(score)
        gains.append(gain / one.credit if gain is not None and rules.telescoping else gain)
    judged = [(one.weight, gain) for one, gain in zip(alive, gains, strict=True) if gain is not None]
    mean = sum(w * g for w, g in judged) / sum(w for w, _ in judged) if judged else 1.0
    filled = [mean if gain is None else gain for gain in gains]
    return [
        Particle(one.path, one.weight * gain, one.credit * gain)
        for one, gain in zip(alive, filled, strict=True)
    ]


def finished(world: World, cloud: list[Particle]) -> dict[Path, float]:
    """The weights of complete solutions."""
    shares: dict[Path, float] = {}
    for one in cloud:
        if world.ends(one.path):
            shares[one.path] = shares.get(one.path, 0.0) + one.weight
    return shares


def gibbs(world: World, rules: Rules, iterations: int, rng: random.Random) -> list[tuple[Sweep, Path | None]]:
    """Every sweep with its reference: a filter, then conditional filters with a solution of the one before."""
    sweeps: list[tuple[Sweep, Path | None]] = [(sweep(world, rules, rules.size, rng, None), None)]
    while len(sweeps) < iterations:
        shares = finished(world, sweeps[-1][0].cloud)
        reference: Path | None = None
        if shares:
            point = rng.random() * sum(shares.values())
            for path, weight in shares.items():
                reference = path
                point -= weight
                if point < 0:
                    break
        size = rules.size if reference is not None else rules.size - 1
        sweeps.append((sweep(world, rules, size, rng, reference), reference))
    return sweeps
