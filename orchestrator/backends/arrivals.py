"""The order in which results reach a program: one at a time, and in a resumed run as they once did."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

__all__ = ["Arrivals", "Passes"]

SETTLING = 50
"""Most passes of the event loop that a program has for what follows from a result before it is given another; fewer
where nothing is left to be run. Each level of steps or strategies inside one another takes two or three to hear of
what has ended inside, or to be cancelled.
"""

PATIENCE = 1.0
"""Seconds without any call being made, or any result handed out, after which nothing absent is waited for."""


class Passes:
    """Counts passes of the event loop while somebody wants to know; shared by all who do.

    Where nothing is left to be run, as many passes as anybody waits for have been made.

    Attributes:
        count: Passes so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._until = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._running = False

    def __repr__(self) -> str:
        return f"Passes(count={self.count}, running={self._running})"

    def keep_counting(self, until: int) -> None:
        """Count at least up to `until`."""
        self._until = max(self._until, until)
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._pass)

    def call_at(self, count: int, callback: Callable[[], None]) -> None:
        """Call `callback` once as many passes have been made, in a later pass than this."""
        heapq.heappush(self._due, (count, next(self._numbers), callback))
        self.keep_counting(count)

    def _pass(self) -> None:
        loop = asyncio.get_running_loop()
        self.count += SETTLING if _is_idle(loop) else 1
        while self._due and self._due[0][0] <= self.count:
            heapq.heappop(self._due)[2]()
        if self.count < self._until:
            loop.call_soon(self._pass)
        else:
            self._running = False


def _is_idle(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether nothing but who asks is to be run now; loops that are not asyncio's own do not tell."""
    return not getattr(loop, "_ready", True)


class _Turn(NamedTuple):
    """One who waits: for the place that a recorded result came in, or as one without a place."""

    place: int
    number: int
    taken: asyncio.Future[None]


class Arrivals:
    """Hands results to the program of one problem, one at a time; those on record in the order they came in.

    What a program does next may depend on which of two results it saw first: who wins a race, which of two equal
    answers is shown to a model. So after each result the event loop makes some passes, in which what follows from it
    happens, before the next is handed out, however close together they came. A resumed run that hands out the same
    results in the same order then meets the same decisions, and with them the same calls.

    A recorded result waits until all those that came in before it have been handed out. What has no place among them
    (it is new, or was paid for by an earlier program, or its call had failed before) waits until none of them can be.
    In a resumed run a call that is not on record is sent after all of these: they may lead to its being cancelled, as
    they did then.

    Not promised: what follows from a result only after real work, such as a check in another process, may come before
    other results than it did, and so may what follows from a call that failed and is made again. When a place in the
    order stays empty, because the program does not ask again or takes longer than `PATIENCE` to, results that nobody
    has asked for are waited for no more, from there to the problem's end; those that are there still go in order.

    Args:
        order: The calls on record and what each asked, in the order their results came in. A call that asked one
            thing in one run and another in the next is there with both.
        passes: The passes of the event loop this is used in.
    """

    def __init__(
        self, order: Iterable[tuple[Hashable, Hashable]] = (), *, passes: Passes | None = None
    ) -> None:
        self._places: dict[Hashable, dict[Hashable, int]] = {}
        self._expected = set[int]()
        for place, (call, asked) in enumerate(order):
            self._places.setdefault(call, {})[asked] = place
            self._expected.add(place)
        self._first_expected = 0
        self._patient = True
        self._placed: list[_Turn] = []
        self._others: deque[_Turn] = deque()
        self._unsent: list[asyncio.Future[None]] = []
        self._numbers = itertools.count()
        self._passes = passes or Passes()
        self._handed = self._stirred = self._passes.count - SETTLING
        self._looking = False
        self._active_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"Arrivals(expected={len(self._expected)}, waiting={self._waiting()})"

    def _waiting(self) -> int:
        return len(self._placed) + len(self._others) + len(self._unsent)

    async def recorded(self, call: Hashable, asked: Hashable) -> None:
        """Returns when it is the turn of the result on record of a call that asks this."""
        self._stir()
        places = self._places.pop(call, {})
        place = places.pop(asked, None)
        self._expected.difference_update(places.values())
        turn = self._turn(place or 0)
        if place is None:
            self._others.append(turn)
        else:
            heapq.heappush(self._placed, turn)
        await self._take(turn.taken)

    async def new(self) -> None:
        """Returns when it is the turn of a new result."""
        turn = self._turn(0)
        self._others.append(turn)
        await self._take(turn.taken)

    async def sending(self) -> None:
        """Returns when a call may be sent: of the results that are there, none is left to be handed out."""
        self._stir()
        taken = asyncio.get_running_loop().create_future()
        self._unsent.append(taken)
        await self._take(taken)

    def asked(self, call: Hashable) -> None:
        """A call is to be sent: results on record answer something else, and are no longer expected."""
        self._active_at = asyncio.get_running_loop().time()
        if places := self._places.pop(call, None):
            self._expected.difference_update(places.values())
            self._stir()
            self._look_later()

    # Turns -----------------------------------------------------------------------------------------------

    def _turn(self, place: int) -> _Turn:
        return _Turn(place, next(self._numbers), asyncio.get_running_loop().create_future())

    async def _take(self, taken: asyncio.Future[None]) -> None:
        self._look()
        try:
            await taken
        except asyncio.CancelledError:
            self._stir()  # who comes after it need not wait for it
            self._look_later()
            raise

    def _look(self) -> None:
        """Give the next its turn, if it is anybody's; see to it that this is looked at again."""
        self._forget_cancelled()
        turn = self._next()
        if turn is not None:
            self._stir()
            self._handed = self._passes.count
            turn.taken.set_result(None)
        elif self._is_quiet():
            self._send()
        self._look_later()

    def _next(self) -> _Turn | None:
        if self._passes.count - self._handed < SETTLING:
            return None
        quiet = self._is_quiet()
        if self._placed and (self._first_is_there() or (quiet and not self._patient)):
            turn = heapq.heappop(self._placed)
            self._expected.discard(turn.place)
            return turn
        return self._others.popleft() if self._others and quiet else None

    def _send(self) -> None:
        """Let the calls go, side by side as they were made."""
        unsent, self._unsent = self._unsent, []
        for call in unsent:
            if not call.done():
                call.set_result(None)

    def _is_quiet(self) -> bool:
        return self._passes.count - self._stirred >= SETTLING

    def _first_is_there(self) -> bool:
        while self._first_expected not in self._expected:
            self._first_expected += 1
        return self._placed[0].place == self._first_expected

    def _forget_cancelled(self) -> None:
        while self._placed and self._placed[0].taken.done():
            self._expected.discard(heapq.heappop(self._placed).place)
        while self._others and self._others[0].taken.done():
            self._others.popleft()

    # Time ------------------------------------------------------------------------------------------------

    def _stir(self) -> None:
        """Something has happened: what follows from it takes some passes."""
        self._stirred = self._passes.count
        self._active_at = asyncio.get_running_loop().time()
        self._passes.keep_counting(self._stirred + SETTLING)

    def _look_later(self) -> None:
        self._forget_cancelled()
        if self._looking or not self._waiting():
            return
        settled, quiet = self._handed + SETTLING, self._stirred + SETTLING
        if self._passes.count < quiet:
            first = bool(self._placed) and self._first_is_there()
            self._looking = True
            self._passes.call_at(max(settled if first else quiet, self._passes.count + 1), self._look_again)
        elif self._timer is None:  # for a place that nobody has come for
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._lose_patience)

    def _look_again(self) -> None:
        self._looking = False
        self._look()

    def _lose_patience(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        self._forget_cancelled()
        if not self._placed:
            return
        left = self._active_at + PATIENCE - loop.time()
        if left > 0:
            self._timer = loop.call_later(left, self._lose_patience)
            return
        self._patient = False
        self._stir()
        self._look_later()
