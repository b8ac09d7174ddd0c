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


def mode_posterior(counts: Sequence[int], prior: int, unseen: int) -> Fraction:
    """P(the leader's gamma variable is the largest), exact for a whole prior.

    Expands the product of the closed forms 1 - e^-x sum x^i / i!, and integrates x^k e^-mx = k! / m^(k + 1).
    """
    first = leader(counts) or 0
    votes = [count for i, count in enumerate(counts) if i != first] + [0] * unseen or [0]
    terms = {(0, 0): Fraction(1)}  # coefficients of x^k e^-mx
    for vote in votes:
        product: dict[tuple[int, int], Fraction] = {}
        for (k, m), factor in terms.items():
            product[k, m] = product.get((k, m), Fraction(0)) + factor
            for i in range(vote + prior):
                at = (k + i, m + 1)
                product[at] = product.get(at, Fraction(0)) - factor / math.factorial(i)
        terms = product
    shape = counts[first] + prior
    total = sum(
        factor * math.factorial(k + shape - 1) / Fraction(m + 1) ** (k + shape)
        for (k, m), factor in terms.items()
    )
    return Fraction(total) / math.factorial(shape - 1)


def entropy(counts: Sequence[int]) -> float:
    """Of the shares, over that of equal ones."""
    shares = [count / sum(counts) for count in counts if count]
    return -sum(p * math.log(p) for p in shares) / math.log(len(shares)) if len(shares) > 1 else 0.0


def converged(ids: Sequence[int | None], samples: int, tolerance: Fraction) -> bool:
    """Whether every vote since `samples` ago has one leader, whose shares are within `tolerance`."""
    if len(ids) <= samples:
        return False
    leaders, shares = set(), []
    for size in range(len(ids) - samples, len(ids) + 1):
        votes = [ids[:size].count(cluster) for cluster in range(size)]
        leaders.add(leader(votes))
        shares.append(Fraction(max(votes), size))
    return None not in leaders and len(leaders) == 1 and max(shares) - min(shares) <= tolerance


def expected_gain(first: int, second: int, votes: int) -> Fraction:
    """What `votes` more votes among two answers add to P(the chosen is the more frequent), a uniform prior.

    Adds up every sequence of them by its probability under Polya's urn.
    """
    now = max(beta_posterior(first, second), 1 - beta_posterior(first, second))
    expected = Fraction(0)
    for falls in itertools.product((0, 1), repeat=votes):
        a, b, probability = first, second, Fraction(1)
        for fall in falls:
            probability *= Fraction((b if fall else a) + 1, a + b + 2)
            a, b = a + 1 - fall, b + fall
        expected += probability * max(beta_posterior(a, b), 1 - beta_posterior(a, b))
    return expected - now


def stays(counts: Sequence[int], remaining: int, *, bias: float, evidence: float, lead: float) -> float:
    """P(the leader stays) by the logistic model of `LearnedStop`."""
    if leader(counts) is None:
        return 0.0
    if lead_is_safe(counts, remaining):
        return 1.0
    first, second = sorted([*counts, 0], reverse=True)[:2]
    e = min(40.0, -math.log(1 - float(beta_posterior(first, second))))
    d = (first - second) / math.sqrt(remaining + 1)
    return 1 / (1 + math.exp(-(bias + evidence * e + lead * d)))
