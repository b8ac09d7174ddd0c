"""The hierarchical bootstrap by its definition."""

from __future__ import annotations

from collections.abc import Sequence

from .estimators import pass_at_k
from .replay import Stream, mean


def figure(values: Sequence[int], k: int) -> float:
    """The mean, or pass@k."""
    return float(pass_at_k(len(values), sum(values), k)) if k > 1 else mean(values)


def means(
    samples: Sequence[Sequence[int]], k: int, *, problems: bool, within: bool, resamples: int, seed: int
) -> list[float]:
    """The figure's mean over problems in each resample."""
    drawn = []
    for resample in range(resamples):
        random = Stream(seed, resample)
        figures = []
        for i in range(len(samples)):
            values = samples[random.below(len(samples)) if problems else i]
            if within:
                values = [values[random.below(len(values))] for _ in values]
            figures.append(figure(values, k))
        drawn.append(mean(figures))
    return drawn
