"""Outcomes of many problems, as they finish or in order, with bounded memory; see `Controller.map`."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

import anyio
from anyio.abc import TaskGroup

from ..errors import InvalidInputError, most_telling
from ..types import Outcome, Problem

__all__ = ["OutcomeStream"]

Solve = Callable[[Problem], Awaitable[Outcome]]
"""Solves one problem; never fails for what went wrong inside it."""


class OutcomeStream:
    """Outcomes of many problems; see `Controller.map`. Dropping it (leaving the loop) cancels what is in progress."""

    def __init__(
        self,
        tasks: TaskGroup,
        solve: Solve,
        problems: Iterable[Problem] | AsyncIterable[Problem],
        *,
        ordered: bool,
        width: int,
    ) -> None:
        self._tasks, self._solve, self._problems = tasks, solve, problems
        self._batch = _Batch(ordered=ordered, width=width)
        self._started = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        batch = self._batch
        if not self._started:
            self._started = True
            self._tasks.start_soon(_feed, self._solve, self._problems, batch)
        while True:
            if (outcome := batch.take()) is not None:
                return outcome
            if batch.error is not None:
                raise batch.error
            if batch.exhausted and not batch.in_progress:
                raise StopAsyncIteration
            batch.news = anyio.Event()
            await batch.news.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Cancel what is in progress and end the iteration."""
        self._started = True
        self._batch.close()

    def __del__(self) -> None:
        self._batch.close()


@dataclass(slots=True)
class _Batch:
    """State shared by the consumer of a map, its feeder and its workers."""

    ordered: bool
    width: int
    next_in: int = 0
    next_out: int = 0
    ready: dict[int, Outcome] = field(default_factory=dict)
    order: deque[int] = field(default_factory=deque)
    in_progress: int = 0
    exhausted: bool = False
    closed: bool = False
    error: BaseException | None = None
    scope: anyio.CancelScope | None = None
    news: anyio.Event | None = None
    room: anyio.Event | None = None

    def take(self) -> Outcome | None:
        """The next outcome to give out, if it is there."""
        if self.ordered:
            number = self.next_out
        elif self.order:
            number = self.order[0]
        else:
            return None
        if number not in self.ready:
            return None
        self.next_out += 1
        if not self.ordered:
            self.order.popleft()
        self._tell(self.room)
        return self.ready.pop(number)

    def full(self) -> bool:
        """Whether no further problem may start: too many in progress, or finished and not taken."""
        return self.in_progress >= self.width or self.in_progress + len(self.ready) >= 2 * self.width

    def finished(self, number: int, outcome: Outcome) -> None:
        self.in_progress -= 1
        self.ready[number] = outcome
        if not self.ordered:
            self.order.append(number)
        self._tell(self.news)
        self._tell(self.room)

    def end(self, error: BaseException | None = None) -> None:
        self.exhausted = True
        self.error = self.error or error
        self._tell(self.news)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            if self.scope is not None:
                self.scope.cancel()
            self.in_progress, self.exhausted = 0, True
            self.ready.clear()
            self.order.clear()
            self._tell(self.news)

    @staticmethod
    def _tell(event: anyio.Event | None) -> None:
        if event is not None:
            event.set()


async def _feed(solve: Solve, problems: Iterable[Problem] | AsyncIterable[Problem], batch: _Batch) -> None:
    """Start a worker per problem, never more than the batch has room for."""
    if batch.closed:
        return
    seen: set[str] = set()
    try:
        async with anyio.create_task_group() as tasks:
            batch.scope = tasks.cancel_scope
            async for problem in _each(problems):
                if problem.id in seen:
                    raise InvalidInputError(f"two problems have the id {problem.id!r}: ids key the journal")
                seen.add(problem.id)
                number, batch.next_in = batch.next_in, batch.next_in + 1
                batch.in_progress += 1
                tasks.start_soon(_work, solve, problem, number, batch)
                while batch.full():
                    batch.room = anyio.Event()
                    await batch.room.wait()
            batch.exhausted = True
    except Exception as error:  # reading the problems failed, or the journal did: the consumer must see it
        batch.end(most_telling(error))
    finally:
        batch.end()


async def _work(solve: Solve, problem: Problem, number: int, batch: _Batch) -> None:
    batch.finished(number, await solve(problem))


async def _each(problems: Iterable[Problem] | AsyncIterable[Problem]) -> AsyncIterator[Problem]:
    if isinstance(problems, AsyncIterable):
        async for problem in problems:
            yield problem
    else:
        for problem in problems:
            yield problem
