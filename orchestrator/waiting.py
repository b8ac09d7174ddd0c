"""The line in which reservations wait: first come, first served, without holding up those who need something
else.

A waiter queues at the place that turned it down (an account of a ledger) and keeps its ticket for good. It
may pass only when no earlier ticket waits at any place on its own way, so a big request is not starved by
small ones, and two branches that share no shortage do not block each other. The one whose call ends serves
those who wait: it makes the attempt in their name and wakes only those who got through (or never will), so
nobody wakes in vain and nobody can slip in between waking and taking.

Everything here is synchronous; waiting itself is done on `Waiter.woken`.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from operator import attrgetter
from typing import Protocol

import anyio

__all__ = ["Line", "Place", "Waiter"]

_ticket = attrgetter("ticket")


class Place(Protocol):
    """Where one can wait; `waiters` is sorted by ticket and belongs to the line."""

    waiters: list[Waiter]


class Waiter(ABC):
    """One request in the line; made on the event loop that waits for it.

    Attributes:
        ticket: Order of arrival.
        place: Where it waits, or None when it is not in the line.
        settled: Whether its attempt was granted or refused for good.
        woken: Set on its own event loop once it is settled.
    """

    def __init__(self) -> None:
        self.ticket = -1
        self.place: Place | None = None
        self.settled = False
        self.woken = anyio.Event()
        self._loop = asyncio.get_running_loop()

    @abstractmethod
    def way(self) -> Iterable[Place]:
        """The places whose queues it has to respect."""

    @abstractmethod
    def attempt(self) -> Place | None:
        """Try to take what it wants; returns the place that is short for now, or None when that is settled.

        Called from any thread, under the line's lock; must not raise.
        """

    @abstractmethod
    def give_back(self) -> None:
        """Return what it was granted, for it will not be used; called from any thread."""

    def wake(self) -> None:
        """Let the waiting task go on, from whatever thread or event loop this runs on."""
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is self._loop:
            self.woken.set()
            return
        try:
            self._loop.call_soon_threadsafe(self.woken.set)
        except RuntimeError:  # its event loop is closed, so nobody will ever pick the grant up
            self.give_back()


class Line:
    """All queues of one tree of places.

    `waiting` counts the waiters. It is raised before a waiter's first attempt, so whoever frees something
    after that attempt failed sees it: no wake-up is lost.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._lock = threading.Lock()
        self._due: deque[Place] = deque()
        self._gone: deque[Waiter] = deque()
        self._tickets = itertools.count()

    def join(self, waiter: Waiter) -> None:
        """Attempt at once; queue if that fails for now."""
        with self._lock:
            waiter.ticket = next(self._tickets)
            self.waiting += 1
            place = self._attempt(waiter)
            if place is not None:
                waiter.place = place
                place.waiters.append(waiter)  # the latest ticket there is
        self.serve(())

    def leave(self, waiter: Waiter) -> None:
        """Quit the line; does nothing when `waiter` has been settled."""
        with self._lock:
            self._remove(waiter)
        self.serve(())

    def abandon(self, waiter: Waiter) -> None:
        """Quit the line, or give back what was granted; never blocks, as `serve`."""
        self._gone.append(waiter)
        self.serve(())

    def serve(self, places: Iterable[Place]) -> None:
        """Let those pass who can, now that something was freed at `places`.

        Never blocks: when another thread is at it (or this very one, interrupted by the garbage collector
        dropping a hold or a coroutine), that one finds what is to be done after it has let go of the lock.
        """
        self._due.extend(places)
        while (self._due or self._gone) and self._lock.acquire(blocking=False):
            try:
                self._work()
            finally:
                self._lock.release()

    def _work(self) -> None:
        while self._due or self._gone:
            if self._gone:
                waiter = self._gone.popleft()
                if waiter.settled:
                    waiter.give_back()
                else:
                    self._remove(waiter)
            else:
                self._advance(self._due.popleft())

    def _remove(self, waiter: Waiter) -> None:
        place = waiter.place
        if place is not None:
            del place.waiters[bisect_left(place.waiters, waiter.ticket, key=_ticket)]
            waiter.place = None
            self.waiting -= 1
            self._due.append(place)

    def _advance(self, place: Place) -> None:
        """Settle the waiters at `place` in order, up to the first that is still short there."""
        while place.waiters:
            first = place.waiters[0]
            short = self._attempt(first)
            if short is place:
                return
            del place.waiters[0]
            first.place = short
            if short is None:
                first.wake()
            else:
                insort(short.waiters, first, key=_ticket)

    def _attempt(self, waiter: Waiter) -> Place | None:
        for place in waiter.way():
            if place.waiters and place.waiters[0].ticket < waiter.ticket:
                return place
        short = waiter.attempt()
        if short is None:
            waiter.settled = True
            self.waiting -= 1
        return short
