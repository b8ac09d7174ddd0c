"""Rules that look at the order in which the samples came.

They need a tally that knows it: `Tally.of_clusters([...])` or `Tally.add(...)`; asked about counts alone,
they raise InvalidInputError.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .rule import NativeRule

__all__ = ["ConvergenceStop", "WindowStop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowStop(NativeRule[_core.WindowStop]):
    """Stops when a window of consecutive samples agrees: early-stopping self-consistency.

    Windows are disjoint, `size` samples each, counted from the first sample; one with an abstention does not
    agree (Li et al. 2024, arXiv 2401.10480).

    Attributes:
        size: Samples in a window, at least 1.

    Raises:
        InvalidInputError: `size` is below 1.
    """

    size: int

    def _build(self) -> _core.WindowStop:
        return _core.WindowStop(size=self.size)

    def _fixed_reason(self) -> str:
        return f"{self.size} samples in a row agree"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceStop(NativeRule[_core.ConvergenceStop]):
    """Stops when the vote has settled: the last samples moved neither the leader nor its share by much.

    Over the vote as it stood `samples` samples ago and after each sample since, the leader must be the same
    and its largest and smallest share of all samples, abstentions included, at most `tolerance` apart.

    Attributes:
        samples: How many samples the vote must have been stable for, at least 1.
        tolerance: The largest change of the leader's share, in [0, 1].

    Raises:
        InvalidInputError: a parameter is outside its range.
    """

    samples: int = 5
    tolerance: float = 0.1

    def _build(self) -> _core.ConvergenceStop:
        return _core.ConvergenceStop(samples=self.samples, tolerance=self.tolerance)

    def _fixed_reason(self) -> str:
        return f"the leader's share has moved by at most {self.tolerance:g} for {self.samples} samples"
