"""Comparing shares of votes with thresholds."""

from __future__ import annotations

__all__ = ["reaches"]

ROUNDING = 1e-12
"""Shares such as 3/10 are not exact, nor are sums of weights: what is meant to be equal must count as equal."""


def reaches(share: float, threshold: float) -> bool:
    """Whether `share` is at least `threshold`, both in [0, 1]; a sum of tenths reaches three tenths."""
    return share >= threshold - ROUNDING
