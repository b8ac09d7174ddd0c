"""Votes by their definitions, in exact fractions."""

from __future__ import annotations

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
