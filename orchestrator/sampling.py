"""Drawing samples: a round of calls side by side, given out as they finish, cancelled when nobody wants the rest."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import anyio
from anyio.abc import TaskGroup

from .answers import AnswerReader
from .backends.arrivals import Arrivals, Passes
from .backends.base import Backend
from .backends.journaled import Recorded
from .budget import Ledger
from .errors import BackendError, BudgetExceededError, DeadlineExceededError, MalformedResponseError
from .events import SamplingStopped
from .monitors import Monitoring
from .rating import Ratings
from .resumption import resume
from .types import CallId, Candidate, Problem, Request, Sample, StopReason

if TYPE_CHECKING:
    from .context import Context

__all__ = ["SEED_BITS", "SampleStream", "Scope", "held_up", "later_seed"]

SEED_BITS = 31
"""Bits of a sampling seed: what every server takes."""


@dataclass(slots=True)
class Scope:
    """What the contexts of one problem share.

    Attributes:
        limited_by: The limit that ended the program, where it is not the program's own.
        refused: The limits that kept back calls, by the path of the call and the account that refused it; the
            problem's, where that is none of the run's.
        cut_short: Paths of branches that limits of their own have ended, with which kind of limit.
    """

    problem: Problem
    account: Ledger
    tasks: TaskGroup
    recorded: Recorded | None
    passes: Passes = field(default_factory=Passes)
    candidates: list[Candidate] = field(default_factory=list)
    read: dict[int, tuple[AnswerReader, Candidate]] = field(default_factory=dict)
    limited_by: StopReason | None = None
    refused: dict[tuple[str, Ledger], StopReason] = field(default_factory=dict)
    cut_short: dict[str, StopReason] = field(default_factory=dict)
    ratings: Ratings = field(init=False)
    arrivals: Arrivals = field(init=False)

    def __post_init__(self) -> None:
        order = () if self.recorded is None else self.recorded.order
        self.arrivals = Arrivals(order, passes=self.passes)
        self.ratings = Ratings.resumed(self.recorded)


def later_seed(seed: int, drawn: int) -> int:
    """The seed after `drawn` samples: a server that keeps to its seed would give the same ones again."""
    return (seed + drawn) % 2**SEED_BITS if drawn else seed


class SampleStream:
    """Samples as they finish; see `Context.sample`.

    Dropping the iterator (leaving the loop) cancels the calls in flight at once; they settle before the program's
    outcome is given out.

    Attributes:
        stop_reason: `COMPLETE` while nothing held it up; `BUDGET` or `DEADLINE` when fewer samples came for that.
        failures: Errors of the calls that were given up.
    """

    def __init__(self, context: Context, scope: Scope, backend: Backend, requests: Sequence[Request]) -> None:
        self._context, self._scope, self._backend = context, scope, backend
        self._requests = requests
        self._round = _Round(waiting=len(requests))
        self._started = False

    @property
    def stop_reason(self) -> StopReason:
        """Why fewer samples came than asked for, or `COMPLETE`."""
        return self._round.reason

    @property
    def failures(self) -> Sequence[Exception]:
        """Errors of the calls that were given up."""
        return self._round.failures

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Sample:
        if not self._started:
            self._started = True
            # The tasks know the round, not this object: when it is dropped, __del__ runs and cancels them.
            self._scope.tasks.start_soon(
                _draw, self._context, self._scope, self._backend, self._requests, self._round
            )
        while True:
            if self._round.samples:
                return self._round.samples.popleft()
            if self._round.error is not None:
                raise self._round.error
            if self._round.waiting == 0:
                self._round.raise_if_empty()
                raise StopAsyncIteration
            self._round.news = anyio.Event()
            await self._round.news.wait()

    async def first(self) -> Sample:
        """The first sample, awaited; the calls for others are cancelled. Raises as iterating does."""
        async with self:
            async for sample in self:
                return sample
        raise self._context.ledger.late()

    async def in_order(self) -> list[Sample]:
        """All samples in the order of asking, which does not depend on when they came. Raises as iterating does."""
        async with self:
            return sorted([sample async for sample in self], key=_asked_as)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.cancel()

    async def aclose(self) -> None:
        """Cancel the calls in flight."""
        self.cancel()

    def cancel(self) -> None:
        """Cancel the calls in flight and end the iteration."""
        if not self._started:
            self._started, self._round.waiting = True, 0
            return
        if self._round.cancelled:
            return
        if in_flight := self._round.cancel():
            self._context.emit(
                SamplingStopped(
                    problem=self._context.problem.id,
                    path=self._context.path,
                    reason=StopReason.DECIDED,
                    cancelled=in_flight,
                )
            )

    def __del__(self) -> None:
        if self._started:
            self.cancel()


def _asked_as(sample: Sample) -> tuple[int, int]:
    return (sample.call.ordinal if sample.call else 0, sample.index)


@dataclass(slots=True)
class _Round:
    """The state of one round of sampling, shared by the consumer and the tasks that draw."""

    waiting: int
    samples: deque[Sample] = field(default_factory=deque)
    drawn: int = 0
    failures: list[Exception] = field(default_factory=list)
    reason: StopReason = StopReason.COMPLETE
    error: BaseException | None = None
    cancelled: bool = False
    scope: anyio.CancelScope | None = None
    news: anyio.Event | None = None

    def cancel(self) -> int:
        in_flight, self.cancelled = self.waiting, True
        if in_flight and self.scope is not None:
            self.scope.cancel()
        return in_flight

    def finished(self, samples: Sequence[Sample] = ()) -> None:
        self.waiting -= 1
        self.drawn += len(samples)
        self.samples.extend(samples)
        if self.news is not None:
            self.news.set()

    def end(self) -> None:
        self.waiting = 0
        if self.news is not None:
            self.news.set()

    def raise_if_empty(self) -> None:
        if self.drawn == 0 and self.failures and not self.cancelled:
            raise self.failures[0]


async def _draw(
    context: Context, scope: Scope, backend: Backend, requests: Sequence[Request], round_: _Round
) -> None:
    """Make the calls of a round side by side, within the deadline."""
    if round_.cancelled:
        return
    deadline = math.inf if context.deadline is None else context.deadline
    try:
        with anyio.CancelScope(deadline=deadline) as round_.scope:
            # The standard library's group: structured as well, at a quarter of anyio's cost per task.
            async with asyncio.TaskGroup() as tasks:
                for request in requests:
                    tasks.create_task(_call(context, scope, backend, request, round_))
        if round_.waiting and not round_.cancelled:
            _hold_up(scope, context, round_, context.ledger.late())
    finally:
        round_.end()


async def _call(context: Context, scope: Scope, backend: Backend, request: Request, round_: _Round) -> None:
    samples: list[Sample] = []
    try:
        try:
            await _complete(backend, request, samples)
            if not samples:
                raise MalformedResponseError(f"{backend.name!r} returned no sample")
        except (BudgetExceededError, DeadlineExceededError) as error:
            _hold_up(scope, context, round_, error)
        except BackendError as error:
            round_.failures.append(error)
        if not context.aside:
            for sample in samples:
                candidate = context.read(sample)
                scope.candidates.append(candidate)
                scope.read[id(sample)] = (context.answers, candidate)
    except Exception as error:  # not a failed call but a mistake or a dead journal: the consumer must see it
        round_.error = error
    round_.finished(samples)


async def _complete(backend: Backend, request: Request, samples: list[Sample]) -> None:
    """All `request.n` samples into `samples`, asking again for those a server did not give in one answer, and for the
    rest of those that were cut and are to go on.
    """
    new = await backend.complete(request)
    samples += new
    call, again = request.call, 0
    while call is not None and new and len(samples) < request.n:
        identity = CallId(problem=call.problem, path=f"{call.path}#{call.ordinal}", ordinal=again)
        seed = None if request.seed is None else later_seed(request.seed, len(samples))
        more = request.replace(n=request.n - len(samples), call=identity, seed=seed)
        new = await backend.complete(more)
        samples += new
        again += 1
    if isinstance(request.watch, Monitoring):
        await resume(backend, request, samples, request.watch)


def _hold_up(
    scope: Scope, context: Context, round_: _Round, error: BudgetExceededError | DeadlineExceededError
) -> None:
    round_.reason = held_up(scope, context, error)
    round_.failures.append(error)


def held_up(scope: Scope, context: Context, error: BudgetExceededError | DeadlineExceededError) -> StopReason:
    """Which kind of limit was reached, noted as what ended the program where it is not the program's own, and what
    was kept back not a mere measure of its outcome.
    """
    reason = StopReason.DEADLINE if isinstance(error, DeadlineExceededError) else StopReason.BUDGET
    if context.measuring:
        return reason
    ledger = error.ledger or scope.account
    scope.refused.setdefault((context.path, ledger), reason)
    if ledger in scope.account.chain():
        scope.limited_by = reason
    return reason
