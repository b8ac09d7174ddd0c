"""One attempt on the record: written down before it is sent, settled and written down after.

What an attempt cost is decided here and only here, so that ledger and journal cannot disagree: the hold is settled
and the result row queued in the same breath, with no await between them.
"""

from __future__ import annotations

import time
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from ..errors import BackendError, InvalidInputError, JournalError
from ..events import CallFailed, CallReplayed, CallSent, CallSettled, Event
from ..types import CallId, Price, Progress, Request, Sample, Usage
from .arrivals import Arrivals
from .base import Backend, Wrapper
from .watching import watched

__all__ = ["CallLog", "Journaled", "Recorded", "Resumed", "charge_for"]


LARGEST_CHARGE = 2**53
"""More tokens or picodollars (9,000 US dollars) than this for one call are a backend's mistake."""


class CallLog(Protocol):
    """Where attempts are written down; `runtime.Journal` is one."""

    def intend(self, request: Request, *, model: str, price: Price | None) -> tuple[int, Awaitable[None]]:
        """Queue an intent row: its number, and what to await until it is on disk."""

    def finish(
        self,
        row: int,
        *,
        usage: Usage,
        samples: Sequence[Sample] = (),
        error: str | None = None,
        cancelled: bool = False,
    ) -> Awaitable[None]:
        """Queue the result row of intent `row`; what is returned can be awaited until it is on disk."""


class Recorded(Protocol):
    """Calls of an earlier run of the same program, found by identity and digest."""

    def find(self, call: CallId, digest: str) -> list[Sample] | None:
        """The samples of a completed call, or None."""

    def rated(self) -> Iterable[tuple[str, Sequence[str], Sequence[Sample]]]:
        """Completed ratings, oldest first: the request's digest, its texts, and what was said about them."""

    def __bool__(self) -> bool:
        """Whether there are any."""

    def usage_below(self, path: str) -> Usage:
        """What calls on `path` and below it were charged, in-doubt ones at their worst case."""

    @property
    def order(self) -> Sequence[tuple[tuple[str, int], str]]:
        """The completed calls that have a place in the order of arrival, in that order: path and ordinal, digest."""


def charge_for(error: BaseException, worst_case: Usage, streamed: Usage | None = None) -> Usage:
    """What a failed or cancelled attempt is charged.

    What has been streamed when it was given up on this side (cancelled, or an error of whoever watched it); nothing
    at all when the request was not fit to be sent; the request alone when the server refused it or could not be
    reached; the worst case, marked estimated, when the model may have done the work.

    Args:
        error: How it ended.
        worst_case: What it may have cost.
        streamed: What it cost as far as it came; None where nothing came, or it came whole.
    """
    if streamed is not None and not isinstance(error, BackendError) and _is_possible(streamed):
        return streamed
    if isinstance(error, InvalidInputError):
        return Usage()
    if isinstance(error, BackendError) and not error.maybe_billed:
        return Usage(requests=1)
    return _at_worst(worst_case)


class Journaled(Wrapper):
    """Writes an intent row, sends, settles the hold, writes the result row, and only then hands on samples.

    An answer of a watched request that the backend did not watch itself is shown to its watches here, before it is
    written down: a resumed program meets the sample as it was cut.

    Args:
        inner: The backend that sends one attempt.
        log: Where rows go; None keeps none, and still settles every hold.
        emit: Receives `CallSent`, `CallSettled` and `CallFailed`.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        inner: Backend,
        *,
        log: CallLog | None = None,
        emit: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(inner)
        self._log, self._emit, self._clock = log, emit, clock

    async def complete(self, request: Request) -> list[Sample]:
        """One attempt at `request`, on the record."""
        row = -1
        if self._log is not None:
            row, written = self._log.intend(request, model=self.name, price=self.price)
            try:
                await written
            except CancelledError:
                self._close(row, Usage(), error="cancelled before it was sent", cancelled=True)
                raise
        self._emit(CallSent(call=request.call, model=self.name, attempt=request.attempt))
        started = self._clock()
        if (progress := request.progress) is None:
            request = request.replace(progress=(progress := Progress()))
        progress.watched = False  # an earlier attempt may have come further
        try:
            samples = await self.inner.complete(request)
            if request.watch is not None:
                samples = _watched(samples, request)
        except BackendError as error:
            error.usage = self._fail(row, request, error, self._clock() - started)
            raise
        except (
            BaseException
        ) as error:  # cancelled, or a bug: settled like a lost answer, then raised as it is
            self._fail(row, request, error, self._clock() - started)
            raise
        finally:
            progress.streamed = None  # it knows the request, which knows it
        return await self._succeed(row, request, samples, self._clock() - started)

    async def _succeed(
        self, row: int, request: Request, samples: list[Sample], seconds: float
    ) -> list[Sample]:
        samples = [
            _stamped(sample, request, seconds if number == 0 else 0.0)
            for number, sample in enumerate(samples)
        ]
        usage = samples[0].usage if len(samples) == 1 else sum((s.usage for s in samples), Usage())
        if usage.requests == 0:
            usage = replace(usage, requests=1)
        if not _is_possible(usage):
            usage = replace(_at_worst(_worst_case(request)), seconds=seconds)
            samples = [
                replace(sample, usage=usage if number == 0 else Usage(estimated=True))
                for number, sample in enumerate(samples)
            ]
        if request.hold is not None:
            request.hold.commit(usage)
        written = None if self._log is None else self._log.finish(row, usage=usage, samples=samples)
        self._emit(CallSettled(call=request.call, model=self.name, samples=tuple(samples), usage=usage))
        if written is not None:
            await written
        return samples

    def _fail(self, row: int, request: Request, error: BaseException, seconds: float) -> Usage:
        streamed = None if request.progress is None else request.progress.streamed
        came = None if streamed is None else streamed()
        usage = replace(charge_for(error, _worst_case(request), came), seconds=seconds)
        if request.hold is not None:
            request.hold.settle(usage)
        cancelled = isinstance(error, CancelledError)
        message = "cancelled" if cancelled else f"{type(error).__name__}: {error}"
        self._close(row, usage, error=message, cancelled=cancelled)
        self._emit(CallFailed(call=request.call, model=self.name, error=message, usage=usage))
        return usage

    def _close(self, row: int, usage: Usage, *, error: str, cancelled: bool) -> None:
        # Queued, not awaited, and a dead journal is left for the next call to report: this failure, or the
        # cancellation, must reach the caller as it is.
        if self._log is not None:
            with suppress(JournalError):
                self._log.finish(row, usage=usage, error=error, cancelled=cancelled)


def _watched(samples: list[Sample], request: Request) -> list[Sample]:
    """`samples` up to where their watches end them, unless the backend has seen to that."""
    progress, watch = request.progress, request.watch
    if progress is None or progress.watched or watch is None:
        return samples
    came = sum((sample.usage for sample in samples), Usage())
    progress.streamed = lambda: came  # what is charged should a watch raise
    return [watched(sample, watch()) for sample in samples]


def _worst_case(request: Request) -> Usage:
    return Usage(requests=1) if request.hold is None else request.hold.worst_case


def _at_worst(worst_case: Usage) -> Usage:
    return replace(worst_case, requests=max(1, worst_case.requests), estimated=True)


def _is_possible(usage: Usage) -> bool:
    """Whether a backend's word can be believed: no number below 0 or beyond what ledger and journal add up."""
    amounts = (
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.requests,
        usage.picodollars,
        usage.cached_tokens,
        usage.reasoning_tokens,
    )
    return min(amounts) >= 0 and max(amounts) <= LARGEST_CHARGE and 0 <= usage.seconds <= LARGEST_CHARGE


def _stamped(sample: Sample, request: Request, seconds: float) -> Sample:
    """`sample` with the call it came from; what the backend noted itself stays."""
    if sample.call is request.call and (sample.usage.seconds or not seconds):
        return sample
    usage = sample.usage if sample.usage.seconds else replace(sample.usage, seconds=seconds)
    seed = request.seed if sample.seed is None else sample.seed
    return replace(sample, call=request.call, seed=seed, usage=usage)


class Resumed(Wrapper):
    """Answers calls that an earlier run completed, then passes on the others. Results are handed out one at a time.

    Nothing is charged here: what the earlier run paid was charged when the problem's account was opened.

    Args:
        inner: Where calls without a record go.
        recorded: The earlier run's calls; empty in a first run.
        arrivals: When each result has its turn.
        emit: Receives `CallReplayed`.
    """

    def __init__(
        self, inner: Backend, *, recorded: Recorded, arrivals: Arrivals, emit: Callable[[Event], None]
    ) -> None:
        super().__init__(inner)
        self._recorded, self._arrivals, self._emit = recorded, arrivals, emit

    async def complete(self, request: Request) -> list[Sample]:
        """The recorded samples of this call, or new ones."""
        if request.call is None:
            return await self.inner.complete(request)
        key = (request.call.path, request.call.ordinal)
        samples = self._recorded.find(request.call, request.digest)
        if samples is None:
            self._arrivals.asked(key)
            if self._recorded:
                await self._arrivals.sending()
            samples = await self.inner.complete(request)
            await self._arrivals.new()
            return samples
        await self._arrivals.recorded(key, request.digest)
        self._emit(CallReplayed(call=request.call, model=self.name, samples=tuple(samples)))
        return samples
