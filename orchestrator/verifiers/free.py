"""What verifiers that make no calls have in common."""

from __future__ import annotations

from typing import ClassVar

from ..contracts import name_of
from ..costs import FREE, Costing, Size, Spending
from ..types import LONGEST_REASON

__all__ = ["SHORT_REASON", "Free"]


SHORT_REASON = 200
"""Bytes of a reason that says how much there is of something, or that something is missing."""


class Free:
    """The root of verifiers that make no calls: rules, and figures of the samples themselves."""

    __slots__ = ()

    longest_reason: ClassVar[float] = LONGEST_REASON
    """Bytes of the reason of one of its scores, at most."""

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """Nothing."""
        name = name_of(self)  # type: ignore[arg-type]  # what is mixed in scores
        return Spending(label=name, kind=name, worst=FREE, reason=self.longest_reason)
