"""DeepConf one trace at a time, in exact fractions (Fu et al. 2025, arXiv 2508.15260, §3.3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from .group_confidence import group_confidences

Trace = tuple[str | None, Sequence[int]]
"""The answer, and the tokens' confidences."""


class Decision(NamedTuple):
    threshold: Fraction
    answer: str | None
    share: Fraction
    used: int
    cut: list[int]


def percentile(values: Sequence[Fraction], fraction: Fraction) -> Fraction:
    """Between the two nearest of the sorted values, by their distance."""
    ordered = sorted(values)
    position = fraction * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def decide(
    traces: Sequence[Trace], *, warmup: int, keep: Fraction, consensus: Fraction, window: int
) -> Decision:
    """What is decided of `traces` in this order."""
    lowest = [min(group_confidences(confidences, window)) for _, confidences in traces]
    threshold = percentile(lowest[:warmup], 1 - keep)
    used = warmup
    while used < len(traces):
        answer, share = leader(traces[:used], lowest, threshold)
        if answer is not None and share >= consensus:
            break
        used += 1
    answer, share = leader(traces[:used], lowest, threshold)
    if answer is None:
        complete = [
            trace
            for at, trace in enumerate(traces[:used])
            if not is_cut(at, trace, warmup, threshold, window)
        ]
        answer, share = leader(complete, [Fraction(1)] * len(complete), Fraction(1))
    cut = [at for at, trace in enumerate(traces[:used]) if is_cut(at, trace, warmup, threshold, window)]
    return Decision(threshold, answer, share, used, cut)


def leader(
    traces: Sequence[Trace], confidences: Sequence[Fraction], threshold: Fraction
) -> tuple[str | None, Fraction]:
    """The answer with the most weight among the traces that pass, and its share of all their weight."""
    weights: dict[str, Fraction] = {}
    total = Fraction(0)
    for (answer, _), confidence in zip(traces, confidences, strict=False):
        if confidence >= threshold:
            total += confidence
            if answer is not None:
                weights[answer] = weights.get(answer, Fraction(0)) + confidence
    if not any(weights.values()):
        return None, Fraction(0)
    best = max(weights, key=lambda answer: weights[answer])  # the first of equals
    return best, weights[best] / total


def is_cut(at: int, trace: Trace, warmup: int, threshold: Fraction, window: int) -> bool:
    """Whether a group was below the threshold before the last token, which ends the trace anyway."""
    _, confidences = trace
    written = confidences[:-1]
    if at < warmup or len(written) < window:
        return False
    return min(group_confidences(written, window)) < threshold
