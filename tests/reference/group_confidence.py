"""Group confidence by its definition (DeepConf: Fu et al. 2025, arXiv 2508.15260, §3.1), in exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

ROUNDING = Fraction(1, 10**6)


def token_confidence(top: Sequence[float]) -> Fraction | None:
    """-1/k * sum of the k log-probabilities that are not minus infinity; at least 0; None for no such numbers."""
    known = [logprob for logprob in top if logprob != -math.inf]
    if not known or not all(math.isfinite(logprob) and logprob <= ROUNDING for logprob in known):
        return None
    return max(Fraction(0), -sum(map(Fraction, known), Fraction(0)) / len(known))


def group_confidences(confidences: Sequence[float], window: int) -> list[Fraction]:
    """The mean of every window of neighbours; of all where there are fewer."""
    size = min(window, len(confidences))
    return [
        sum(map(Fraction, confidences[start : start + size]), Fraction(0)) / size
        for start in range(len(confidences) - size + 1)
    ]


def trace_confidence(
    confidences: Sequence[float], window: int, aggregation: str, share: Fraction = Fraction(1, 10)
) -> Fraction:
    """The lowest group, the mean of the lowest share of them, the last group, or the mean of all tokens."""
    groups = group_confidences(confidences, window)
    if aggregation == "lowest":
        return min(groups)
    if aggregation == "tail":
        return groups[-1]
    if aggregation == "mean":
        return sum(map(Fraction, confidences), Fraction(0)) / len(confidences)
    lowest = sorted(groups)[: max(1, math.floor(share * len(groups)))]
    return sum(lowest, Fraction(0)) / len(lowest)
