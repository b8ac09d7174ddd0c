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
