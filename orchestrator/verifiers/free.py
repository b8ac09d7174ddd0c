"""What verifiers that make no calls have in common."""

from __future__ import annotations

from ..contracts import name_of
from ..costs import FREE, Costing, Size, Spending

__all__ = ["Free"]


class Free:
    """The root of verifiers that make no calls: rules, and figures of the samples themselves."""

    __slots__ = ()

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """Nothing."""
        name = name_of(self)  # type: ignore[arg-type]  # what is mixed in scores
        return Spending(label=name, kind=name, worst=FREE)
