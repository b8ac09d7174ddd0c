"""What k of n samples achieve, by trying every way to draw them: exact fractions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction


def over_draws(n: int, k: int, worth: Callable[[tuple[int, ...]], Fraction]) -> Fraction:
    """The mean of `worth` over all sets of k of n samples."""
    draws = list(itertools.combinations(range(n), k))
    return sum((worth(draw) for draw in draws), Fraction(0)) / len(draws)


def pass_at_k(n: int, c: int, k: int) -> Fraction:
    """1 - C(n - c, k) / C(n, k) in whole numbers."""
    return 1 - Fraction(math.comb(n - c, k), math.comb(n, k))


def maj_at_k(clusters: Sequence[int | None], correct: Sequence[int], k: int) -> Fraction:
    """The tied leaders' members share the place: their clusters evenly, and each cluster's drawn members."""

    def worth(draw: tuple[int, ...]) -> Fraction:
        members: dict[int, list[int]] = {}
        for sample in draw:
            if clusters[sample] is not None:
                members.setdefault(clusters[sample], []).append(correct[sample])
        if not members:
            return Fraction(0)
        most = max(map(len, members.values()))
        tied = [Fraction(sum(own), len(own)) for own in members.values() if len(own) == most]
        return sum(tied, Fraction(0)) / len(tied)

    return over_draws(len(clusters), k, worth)


def weighted_maj_at_k(
    clusters: Sequence[int | None], correct: Sequence[int], weights: Sequence[int], k: int
) -> Fraction:
    """Every order of every draw: the first seen of the heaviest clusters wins with its first member."""

    def outcome(order: tuple[int, ...]) -> int:
        totals: dict[int, int] = {}
        first: dict[int, int] = {}
        for sample in order:
            if clusters[sample] is not None:
                totals[clusters[sample]] = totals.get(clusters[sample], 0) + weights[sample]
                first.setdefault(clusters[sample], sample)
        if not totals or max(totals.values()) == 0:
            return 0
        leader = max(totals, key=lambda cluster: totals[cluster])  # the first inserted of equals
        return correct[first[leader]]

    orders = list(itertools.permutations(range(len(clusters)), k))
    return Fraction(sum(map(outcome, orders)), len(orders))


def best_of_k(scores: Sequence[float], correct: Sequence[int], k: int) -> Fraction:
    """The best scored of each draw share its place."""

    def worth(draw: tuple[int, ...]) -> Fraction:
        top = max(scores[sample] for sample in draw)
        best = [correct[sample] for sample in draw if scores[sample] == top]
        return Fraction(sum(best), len(best))

    return over_draws(len(scores), k, worth)
