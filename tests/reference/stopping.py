"""Stopping rules by their definitions: exact fractions, and every future tried."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction


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
