"""Replay by its definition: shuffle, count votes in a dictionary, ask the rule, vote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

MASK = 2**64 - 1
STEP = 0x9E3779B97F4A7C15

# Given counts by cluster as first seen, abstentions and the plan: whether to stop.
Rule = Callable[[list[int], int, int], bool]


def mix(x: int) -> int:
    """One output of SplitMix64 from its state."""
    x = (x + STEP) & MASK
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


class Stream:
    """Whole numbers below a bound, by Lemire's multiplication, from a counter that starts at (seed, a, b, c)."""

    def __init__(self, seed: int, *coordinates: int) -> None:
        self.state = mix(seed)
        for coordinate in (*coordinates, 0, 0, 0)[:3]:
            self.state = mix((self.state + coordinate) & MASK)

    def below(self, bound: int) -> int:
        while True:
            self.state = (self.state + STEP) & MASK
            product = (mix(self.state) >> 32) * bound
            if product % 2**32 >= 2**32 % bound:
                return product >> 32


def order(seed: int, problem: int, resample: int, tier: int, size: int) -> list[int]:
    """A Fisher-Yates shuffle."""
    random = Stream(seed, problem, resample, tier)
    drawn = list(range(size))
    for place in range(size):
        other = place + random.below(size - place)
        drawn[place], drawn[other] = drawn[other], drawn[place]
    return drawn


@dataclass(frozen=True)
class Samples:
    """One problem's samples by one tier."""

    clusters: Sequence[int | None]
    correct: Sequence[float]
    scores: Sequence[float]
    costs: Sequence[float]


@dataclass(frozen=True)
class Tier:
    problems: Sequence[Samples]
    n: int
    rule: Rule | None = None
    accept: float | None = None
    carry: bool = False


@dataclass
class Run:
    """One draw of one problem."""

    seen: list[tuple[int | None, float, float]] = field(default_factory=list)  # cluster, correct, score
    samples: int = 0
    cost: float = 0.0
    tier: int = 0
    fired: bool = False


def counts(seen: list[tuple[int | None, float, float]]) -> dict[int, int]:
    """Votes by cluster, as first seen."""
    votes: dict[int, int] = {}
    for cluster, _, _ in seen:
        if cluster is not None:
            votes[cluster] = votes.get(cluster, 0) + 1
    return votes


def answer(seen: list[tuple[int | None, float, float]], vote: str) -> float | None:
    """The correctness of what the vote answers; None when there is no answer."""
    readable = [sample for sample in seen if sample[0] is not None]
    if not readable:
        return None
    if vote == "best":
        return max(readable, key=lambda sample: sample[2])[1]  # the first of equals
    totals: dict[int, float] = {}
    for cluster, _, score in readable:
        totals[cluster] = totals.get(cluster, 0) + (score if vote == "weighted" else 1)
    leader = max(totals, key=lambda cluster: totals[cluster])
    if totals[leader] <= 0:
        return None
    return next(right for cluster, right, _ in readable if cluster == leader)


def runs(tiers: Sequence[Tier], problem: int, resamples: int, seed: int) -> Iterator[Run]:
    """Every draw of one problem."""
    for resample in range(resamples):
        run = Run()
        planned = 0
        for number, tier in enumerate(tiers):
            own = tier.problems[problem]
            run.tier, run.fired = number, False
            planned = planned + tier.n if tier.carry else tier.n
            if not tier.carry:
                run.seen = []
            for sample in order(seed, problem, resample, number, len(own.clusters))[: tier.n]:
                run.seen.append((own.clusters[sample], own.correct[sample], own.scores[sample]))
                run.samples += 1
                run.cost += own.costs[sample]
                votes = counts(run.seen)
                abstentions = len(run.seen) - sum(votes.values())
                if tier.rule and tier.rule(list(votes.values()), abstentions, planned):
                    run.fired = True
                    break
            share = max(counts(run.seen).values(), default=0) / len(run.seen)
            if run.fired if tier.accept is None else share >= tier.accept:
                break
        yield run


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def replay(tiers: Sequence[Tier], vote: str, resamples: int, seed: int) -> dict[str, list[float]]:
    """Means over resamples, by problem."""
    table: dict[str, list[float]] = {
        name: [] for name in ("correct", "samples", "costs", "unanswered", "fired")
    }
    table["ended"] = []
    for problem in range(len(tiers[0].problems)):
        drawn = list(runs(tiers, problem, resamples, seed))
        answers = [answer(run.seen, vote) for run in drawn]
        table["correct"].append(mean([right or 0.0 for right in answers]))
        table["unanswered"].append(mean([float(right is None) for right in answers]))
        table["samples"].append(mean([run.samples for run in drawn]))
        table["costs"].append(mean([run.cost for run in drawn]))
        table["fired"].append(mean([float(run.fired) for run in drawn]))
        table["ended"] += [mean([float(run.tier == tier) for run in drawn]) for tier in range(len(tiers))]
    return table
