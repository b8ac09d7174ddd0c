"""Votes and stopping by their definitions: exact fractions, and every future tried."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction


def clusters(keys: Sequence[str | None]) -> list[int | None]:
    """First-seen numbers of equal keys."""
    seen: dict[str, int] = {}
    return [None if key is None else seen.setdefault(key, len(seen)) for key in keys]


def vote(
    ids: Sequence[int | None], weights: Sequence[Fraction]
) -> tuple[int | None, Fraction, Fraction, bool]:
    """Leader, share, margin, tied; exact. ValueError for a negative weight or a wrong number of them."""
    if len(ids) != len(weights) or any(weight < 0 for weight in weights):
        raise ValueError
    totals: dict[int, Fraction] = {}
    for cluster, weight in zip(ids, weights, strict=True):
        if cluster is not None:
            totals[cluster] = totals.get(cluster, Fraction(0)) + weight
    ranked = sorted(totals, key=lambda cluster: (-totals[cluster], cluster))
    if not ranked or totals[ranked[0]] == 0:
        return None, Fraction(0), Fraction(0), False
    best, all_weight = totals[ranked[0]], Fraction(sum(weights))
    second = totals[ranked[1]] if len(ranked) > 1 else Fraction(0)
    return ranked[0], best / all_weight, (best - second) / all_weight, best == second


def best_of_clusters(
    ids: Sequence[int | None], scores: Sequence[Fraction | None], aggregate: str
) -> tuple[int | None, int | None, Fraction, Fraction, bool]:
    """Leader, its best sample, share, margin, tied; exact. Abstaining samples are one more cluster."""

    def total(cluster: int | None) -> Fraction:
        own = [score for i, score in zip(ids, scores, strict=True) if i == cluster and score is not None]
        if aggregate == "max":
            return max(own, default=Fraction(0))
        return sum(own, Fraction(0)) / (max(1, len(own)) if aggregate == "mean" else 1)

    totals = {cluster: total(cluster) for cluster in ids if cluster is not None}
    ranked = sorted(totals, key=lambda cluster: (-totals[cluster], cluster))
    if not ranked or totals[ranked[0]] == 0:
        return None, None, Fraction(0), Fraction(0), False
    scored = [i for i, cluster in enumerate(ids) if cluster == ranked[0] and scores[i] is not None]
    sample = max(scored, key=lambda i: (scores[i], -i))
    best, everything = totals[ranked[0]], sum(totals.values()) + total(None)
    second = totals[ranked[1]] if len(ranked) > 1 else Fraction(0)
    return ranked[0], sample, best / everything, (best - second) / everything, best == second


def hierarchical(rows: Sequence[Sequence[str | None]], levels: int) -> tuple[list[str], list[int]]:
    """The winner of each level and the rows left after it; a level nobody can read ends it."""
    path: list[str] = []
    alive = list(range(len(rows)))
    for level in range(levels):
        readable = [rows[i][level] for i in alive if rows[i][level] is not None]
        if not readable:
            break
        path.append(max(dict.fromkeys(readable), key=readable.count))  # max keeps the first of equals
        alive = [i for i in alive if rows[i][level] == path[-1]]
    return path, alive


def leader(counts: Sequence[int]) -> int | None:
    """The first with the most votes."""
    return max(range(len(counts)), key=lambda i: (counts[i], -i)) if any(counts) else None


def lead_is_safe(counts: Sequence[int], remaining: int) -> bool:
    """Whether every future keeps the leader; each sample joins a cluster, old or new, or abstains."""
    first = leader(counts)
    if first is None:
        return False
    new = remaining  # at most that many clusters can still appear
    for future in itertools.combinations_with_replacement([*range(len(counts) + new), None], remaining):
        end = [*counts, *[0] * new]
        for cluster in future:
            if cluster is not None:
                end[cluster] += 1
        if leader(end) != first:
            return False
    return True


def beta_posterior(first: int, second: int) -> Fraction:
    """P(p > 1/2) under Beta(first + 1, second + 1): a binomial tail, as an exact fraction."""
    n = first + second + 1
    return Fraction(sum(math.comb(n, heads) for heads in range(first + 1)), 2**n)


def window_agrees(ids: Sequence[int | None], size: int) -> bool:
    """Whether one of the disjoint windows has one cluster and no abstention."""
    windows = [ids[i : i + size] for i in range(0, len(ids) - size + 1, size)]
    return any(len(set(window)) == 1 and window[0] is not None for window in windows)
