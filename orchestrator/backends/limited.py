"""How many calls are in flight at an endpoint, and how fast they start.

The concurrency limit adapts: it doubles with every full round of successes until the first 429, then grows by about
one a round while it is the bottleneck; each 429 cuts it by a fifth, at most once per cooldown. Only rate-limit
errors cut it: a slow or broken server is the retry policy's concern.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable

import anyio

from ..errors import InvalidInputError, RateLimitedError
from ..events import Event, LimitChanged
from ..types import Request, Sample
from .base import Backend, Wrapper

__all__ = ["AdaptiveLimit", "Limited", "TokenBucket"]


class AdaptiveLimit:
    """The decision part: a limit on calls in flight, moved by successes and 429s. No I/O, no waiting.

    Args:
        maximum: The limit never exceeds this, at least 1.
        start: Where it begins; None: at `maximum`, for an endpoint whose width is known.
        cooldown: Seconds after a cut in which further 429s do not cut again.
    """

    GROWTH_AFTER_CUT = 1.0
    CUT = 0.8

    def __init__(self, maximum: int, *, start: int | None = None, cooldown: float = 1.0) -> None:
        if maximum < 1:
            raise InvalidInputError(f"concurrency must be at least 1, not {maximum}")
        self.maximum, self.cooldown = maximum, cooldown
        self._limit = float(min(maximum, start or maximum))
        self._doubling = True
        self._last_cut = float("-inf")

    @property
    def value(self) -> int:
        """Calls allowed in flight now, in [1, maximum]."""
        return max(1, int(self._limit))

    def on_success(self, *, saturated: bool) -> None:
        """A call succeeded that ran while every slot was taken (`saturated`), or while some were free."""
        if not saturated:
            return  # the limit was not the bottleneck: growing it on would be a guess
        step = 1.0 if self._doubling else self.GROWTH_AFTER_CUT / self._limit
        self._limit = min(float(self.maximum), self._limit + step)

    def on_rate_limited(self, now: float) -> None:
        """The server answered 429 at time `now`."""
        self._doubling = False
        if now - self._last_cut >= self.cooldown:
            self._last_cut = now
            self._limit = max(1.0, self._limit * self.CUT)


class TokenBucket:
    """A rate: `per_minute` units refill evenly, at most one minute's worth is saved up.

    Args:
        per_minute: Units a minute, above 0.
        clock: Seconds, monotonic.
    """

    def __init__(self, per_minute: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not per_minute > 0:
            raise InvalidInputError(f"a rate must be above 0 per minute, not {per_minute}")
        self._rate, self._capacity, self._clock = per_minute / 60.0, per_minute, clock
        self._level, self._at = per_minute, clock()

    def take(self, amount: float) -> float:
        """Take `amount` units (more than a minute's worth counts as a full minute); seconds to wait first."""
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        self._level -= min(amount, self._capacity)
        return max(0.0, -self._level / self._rate)

    def give_back(self, amount: float, *, used: float = 0.0) -> None:
        """Undo `take(amount)` but for the units that were `used`; never returns more than was taken."""
        taken = min(amount, self._capacity)
        self._level = min(self._capacity, self._level + max(0.0, taken - used))


class Limited(Wrapper):
    """Bounds calls in flight and, if set, requests and tokens per minute.

    Args:
        inner: Makes one attempt.
        limit: The adaptive concurrency limit.
        weighted: Count a request as its `n` choices, for a server whose width is in sequences.
        requests_per_minute: Attempts started a minute, or None.
        tokens_per_minute: Worst-case tokens started a minute (corrected once usage is known), or None.
        emit: Receives `LimitChanged`.
        clock: Seconds, monotonic.
        sleep: Waits some seconds.
    """

    def __init__(
        self,
        inner: Backend,
        *,
        limit: AdaptiveLimit,
        weighted: bool = False,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        emit: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        super().__init__(inner)
        self.limit, self._weighted = limit, weighted
        self._requests = (
            None if requests_per_minute is None else TokenBucket(requests_per_minute, clock=clock)
        )
        self._tokens = None if tokens_per_minute is None else TokenBucket(tokens_per_minute, clock=clock)
        self._emit, self._clock, self._sleep = emit, clock, sleep
        self._unpaced = self._requests is None and self._tokens is None
        self._in_flight = 0
        self._waiting: deque[tuple[anyio.Event, int]] = deque()

    @property
    def in_flight(self) -> int:
        """Slots taken now: calls, or their choices when weighted."""
        return self._in_flight

    async def complete(self, request: Request) -> list[Sample]:
        """Samples for `request`, once a slot and its place in the rates are free."""
        weight = request.n if self._weighted else 1
        await self._take(weight)
        try:
            saturated = self._in_flight >= self.limit.value
            worst = 0 if self._unpaced else await self._pace(request)
            samples = await self.inner.complete(request)
            self._correct(worst, samples)
            before = self.limit.value
            self.limit.on_success(saturated=saturated)
            self._moved(before, "success")
            return samples
        except RateLimitedError:
            before = self.limit.value
            self.limit.on_rate_limited(self._clock())
            self._moved(before, "429")
            raise
        finally:
            self._in_flight -= weight
            self._wake()

    async def _take(self, weight: int) -> None:
        if self._fits(weight) and not self._waiting:
            self._in_flight += weight
            return
        turn = anyio.Event()
        self._waiting.append((turn, weight))
        try:
            await turn.wait()  # whoever wakes us has counted us in
        except BaseException:
            if turn.is_set():
                self._in_flight -= weight
            else:
                self._waiting.remove((turn, weight))
            self._wake()
            raise

    def _fits(self, weight: int) -> bool:
        # One that is wider than the whole limit goes when nothing else does.
        return self._in_flight == 0 or self._in_flight + weight <= self.limit.value

    def _wake(self) -> None:
        while self._waiting and self._fits(self._waiting[0][1]):
            turn, weight = self._waiting.popleft()
            self._in_flight += weight
            turn.set()

    async def _pace(self, request: Request) -> int:
        delay = 0.0
        if self._requests is not None:
            delay = self._requests.take(1)
        tokens = 0
        if self._tokens is not None:
            tokens = 0 if request.hold is None else request.hold.worst_case.total_tokens
            delay = max(delay, self._tokens.take(tokens))
        if delay > 0:
            try:
                await self._sleep(delay)
            except BaseException:  # cancelled before it was sent: what it took is there for the others
                if self._requests is not None:
                    self._requests.give_back(1)
                if self._tokens is not None:
                    self._tokens.give_back(tokens)
                raise
        return tokens

    def _correct(self, worst: int, samples: list[Sample]) -> None:
        if self._tokens is not None:
            self._tokens.give_back(worst, used=sum(s.usage.total_tokens for s in samples))

    def _moved(self, before: int, reason: str) -> None:
        if self.limit.value != before:
            self._emit(LimitChanged(model=self.name, limit=self.limit.value, reason=reason))
            self._wake()
