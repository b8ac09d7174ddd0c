"""Rankings by their definitions: positions counted, every order tried, every pair compared."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

Ballot = Sequence[Sequence[int]]
Table = Sequence[Sequence[float]]


def compare(
    ballots: Sequence[Ballot], items: int, unranked: str
) -> tuple[list[list[float]], list[list[float]]]:
    """Wins and ties. ValueError for an item named twice or out of range."""
    wins = [[0.0] * items for _ in range(items)]
    ties = [[0.0] * items for _ in range(items)]
    for ballot in ballots:
        named = [item for group in ballot for item in group]
        if len(set(named)) != len(named) or any(item >= items for item in named):
            raise ValueError
        groups = [list(group) for group in ballot]
        if unranked == "last":
            groups.append([item for item in range(items) if item not in named])
        for place, group in enumerate(groups):
            for item in group:
                for other in group:
                    ties[item][other] += item != other
                for later in groups[place + 1 :]:
                    for other in later:
                        wins[item][other] += 1
    return wins, ties


def borda(ballots: Sequence[Sequence[int]], items: int) -> list[int]:
    """The places below an item, over complete rankings without ties."""
    return [sum(items - 1 - ballot.index(item) for ballot in ballots) for item in range(items)]


def copeland(wins: Table, ties: Table) -> list[float]:
    """Opponents beaten, and half those drawn with."""

    def contest(i: int, j: int) -> float:
        forth = Fraction(wins[i][j]) + Fraction(ties[i][j]) / 2
        back = Fraction(wins[j][i]) + Fraction(ties[j][i]) / 2
        return 0 if forth == back == 0 else 0.5 if forth == back else float(forth > back)

    return [sum(contest(i, j) for j in range(len(wins)) if j != i) for i in range(len(wins))]


def broken(order: Sequence[int], wins: Table) -> float:
    """Preferences against an order."""
    return sum(wins[later][earlier] for earlier, later in itertools.combinations(order, 2))


def kemeny(wins: Table) -> list[int]:
    """The first of all orders with the fewest preferences against it."""
    return list(min(itertools.permutations(range(len(wins))), key=lambda order: (broken(order, wins), order)))


def log_posterior(
    wins: Table, ties: Table, log_strengths: Sequence[float], theta: float, prior: float, tie_model: str
) -> float:
    """What Bradley-Terry strengths maximise, written out."""
    strengths = [math.exp(value) for value in log_strengths]
    total = sum(prior * math.log(s / (s + 1)) + prior * math.log(1 / (s + 1)) for s in strengths)
    for i, first in enumerate(strengths):
        for j, second in enumerate(strengths):
            if i == j:
                continue
            total += wins[i][j] * math.log(first / (first + theta * second))
            if tie_model == "half":
                total += ties[i][j] / 2 * math.log(first / (first + second))
            elif i < j and ties[i][j]:
                draw = 1 - first / (first + theta * second) - second / (second + theta * first)
                total += ties[i][j] * math.log(draw)
    return total


def has_finite_maximum(wins: Table, ties: Table, prior: float, tie_model: str) -> bool:
    """Whether each part of the items lost to the rest, so that no strength can grow for ever."""
    if tie_model == "rao_kupper" and any(map(any, ties)) and not any(map(any, wins)):
        return False
    items = range(len(wins))
    parts = (set(part) for size in range(1, len(wins)) for part in itertools.combinations(items, size))
    return prior > 0 or all(
        any(
            wins[outer][inner] or (tie_model == "half" and ties[outer][inner])
            for inner in part
            for outer in items
            if outer not in part
        )
        for part in parts
    )


def kendall_tau(a: Sequence[float], b: Sequence[float]) -> float:
    """(concordant - discordant) / sqrt(pairs that differ in a * pairs that differ in b)."""
    pairs = list(itertools.combinations(range(len(a)), 2))
    products = [(a[i] - a[j]) * (b[i] - b[j]) for i, j in pairs]
    concordant = sum(product > 0 for product in products) - sum(product < 0 for product in products)
    return concordant / math.sqrt(sum(a[i] != a[j] for i, j in pairs) * sum(b[i] != b[j] for i, j in pairs))


def spearman_rho(a: Sequence[float], b: Sequence[float]) -> float:
    """The correlation of ranks; equal values share the mean of theirs."""

    def ranks(values: Sequence[float]) -> list[float]:
        return [sum(v < own for v in values) + (sum(v == own for v in values) + 1) / 2 for own in values]

    first, second = ranks(a), ranks(b)
    mean = (len(a) + 1) / 2
    both = sum((x - mean) * (y - mean) for x, y in zip(first, second, strict=True))
    return both / math.sqrt(sum((x - mean) ** 2 for x in first) * sum((y - mean) ** 2 for y in second))
