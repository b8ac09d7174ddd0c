"""Parts of a program that run side by side, in one place: structured, and with one error instead of a group."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from .errors import most_telling

__all__ = ["concurrently"]

T = TypeVar("T")


async def concurrently(parts: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines side by side and return their results in order; the first error cancels the others.

    Each takes a branch of its own, opened before they start, so that their calls are numbered alike in every run.

    Raises:
        BaseException: The most telling error among those the parts raised.
    """
    try:
        # The standard library's group: structured as well, at a quarter of anyio's cost per task.
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(part) for part in parts]
    except BaseExceptionGroup as group:
        raise most_telling(group) from None
    return [task.result() for task in started]
