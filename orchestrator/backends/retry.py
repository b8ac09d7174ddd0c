"""Trying again, with full-jitter backoff.

Each attempt is settled on its own below this wrapper; while it waits, the call keeps its hold and no slot.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from ..errors import BackendError, InvalidInputError
from ..events import CallRetried, Event
from ..types import Request, Sample
from .base import Backend, Wrapper
from .metered import fitted

__all__ = ["Retry", "RetryPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long.

    The delay after failed attempt k is uniform in [0, min(cap, base * 2^(k-1))] ("full jitter"), and at least what
    the server asked for in `Retry-After`.

    Attributes:
        attempts: Attempts in all, at least 1.
        base: Seconds; the upper bound of the first delay.
        cap: Seconds; the upper bound of any delay that the server did not ask for.
        longest_retry_after: Seconds; a server that asks for a longer wait is given up on.
    """

    attempts: int = 6
    base: float = 0.5
    cap: float = 30.0
    longest_retry_after: float = 120.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InvalidInputError(f"attempts must be at least 1, not {self.attempts}")
        if not (self.base >= 0 and self.cap >= 0 and self.longest_retry_after >= 0):
            raise InvalidInputError(f"delays must be numbers of at least 0: {self!r}")

    def delay(self, attempt: int, error: BackendError, rng: random.Random) -> float | None:
        """Seconds to wait after failed attempt number `attempt` (from 1), or None to give up."""
        if not error.retryable or attempt >= self.attempts:
            return None
        asked = error.retry_after or 0.0
        if asked > self.longest_retry_after:
            return None
        bound: float = min(self.cap, self.base * 2.0 ** min(attempt - 1, 1000))
        return max(asked, rng.uniform(0.0, bound))


class Retry(Wrapper):
    """Repeats attempts that failed for a passing reason.

    Args:
        inner: Makes one attempt.
        policy: How often and how long.
        emit: Receives `CallRetried`, and `RequestShrunk` when the failed attempts left less than the call wanted.
        rng: Source of the jitter.
        sleep: Waits some seconds.
    """

    def __init__(
        self,
        inner: Backend,
        *,
        policy: RetryPolicy,
        emit: Callable[[Event], None],
        rng: random.Random,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        super().__init__(inner)
        self._policy, self._emit, self._rng, self._sleep = policy, emit, rng, sleep

    async def complete(self, request: Request) -> list[Sample]:
        """Samples for `request`; raises the last attempt's error when the policy gives up."""
        attempt = 0
        while True:
            try:
                return await self.inner.complete(request)
            except BackendError as error:
                attempt += 1
                delay = self._policy.delay(attempt, error, self._rng)
                if delay is None:
                    raise
                self._emit(
                    CallRetried(
                        call=request.call,
                        model=self.name,
                        attempt=attempt,
                        error=f"{type(error).__name__}: {error}",
                        delay=delay,
                    )
                )
            await self._sleep(delay)
            if request.hold is not None:
                await request.hold.restore()
                request = fitted(request, emit=self._emit)
            request = request.replace(attempt=attempt)
