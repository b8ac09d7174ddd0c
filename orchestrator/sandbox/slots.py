"""How many programs run at once: as many as the machine has cores, and memory for."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.lowlevel import RunVar

from ..errors import InvalidInputError
from .limits import Limits

__all__ = ["slots_for", "taking_a_slot"]

SHARE_OF_MEMORY = 0.5
"""The part of the machine's memory that programs may hold together."""

_limiters: RunVar[dict[int, anyio.CapacityLimiter]] = RunVar("sandbox_slots")
"""By event loop: all sandboxes with as many slots share them."""


def slots_for(limits: Limits, slots: int | None) -> int:
    """`slots`, or what the machine has room for.

    Raises:
        InvalidInputError: `slots` is below 1.
    """
    if slots is not None:
        if slots < 1:
            raise InvalidInputError(f"slots must be at least 1, not {slots}")
        return slots
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(cores, int(SHARE_OF_MEMORY * memory / limits.most_memory)))


@asynccontextmanager
async def taking_a_slot(limits: Limits, slots: int | None) -> AsyncIterator[None]:
    """Wait for a slot, first come, first served."""
    known = _limiters.get(None)
    if known is None:
        known = {}
        _limiters.set(known)
    count = slots_for(limits, slots)
    limiter = known.setdefault(count, anyio.CapacityLimiter(count))
    # Each run borrows for itself: one task may wait for several.
    borrower = object()
    await limiter.acquire_on_behalf_of(borrower)
    try:
        yield
    finally:
        limiter.release_on_behalf_of(borrower)
