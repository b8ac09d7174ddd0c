"""Limits on what calls may consume, and the ledger that enforces them.

A `Budget` says how much; a `Ledger` is an account with a budget, below which further accounts nest (run ⊃
problem ⊃ branch). Before a call is sent its worst case is reserved in its account and all accounts above;
afterwards what was used is committed and the rest is given back. The arithmetic is in C++
(`csrc/ledger.hpp`); here are the words, the errors, and the line in which reservations wait.

What is not promised: `reserve` takes what is free now and does not queue behind those who wait in `acquire`;
and a backend that uses more than its worst case is recorded (`overrun`), which cannot undo what it used.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from types import TracebackType
from typing import NoReturn, Self, TypeAlias

import anyio

from ._core import Account, AccountHold, Refusal
from .errors import BudgetExceededError, DeadlineExceededError, InvalidInputError
from .pricing import LARGEST, Money, to_picodollars
from .types import PICODOLLARS_PER_USD, Usage
from .waiting import Line, Waiter

__all__ = ["Budget", "Headroom", "Hold", "Ledger", "LedgerStatistics", "Shrink"]

Amounts: TypeAlias = Sequence[int]
"""Prompt, completion and total tokens, requests, picodollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits on what may be consumed; None means no limit. Any subset may be given.

    Attributes:
        usd: US dollars, as it was given; read exactly (`0.1` is one tenth) to a picodollar.
        prompt_tokens: Tokens read, at least 0.
        completion_tokens: Tokens written, at least 0.
        total_tokens: Prompt plus completion tokens, at least 0.
        requests: Calls sent, retries included, at least 0.
        seconds: Wall time from when the ledger is made, in seconds, at least 0.

    Raises:
        InvalidInputError: A limit that is negative, not finite, or not a whole number where one is needed.
    """

    usd: Money | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    requests: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("prompt_tokens", "completion_tokens", "total_tokens", "requests"):
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST:
                raise InvalidInputError(f"budget: {name} must be a whole number of at least 0, got {value!r}")
        if self.usd is not None:
            to_picodollars(self.usd, name="budget: usd")
        if self.seconds is not None:
            numeric = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
            if not numeric or not math.isfinite(self.seconds) or self.seconds < 0:
                raise InvalidInputError(
                    f"budget: seconds must be finite and at least 0, got {self.seconds!r}"
                )

    def __str__(self) -> str:
        """The limits in words: `$2, 3,000 total tokens, 5 requests`; `no limits` where there are none."""
        given = [(field.name, getattr(self, field.name)) for field in fields(self) if field.name != "usd"]
        limits = [f"{value:,.10g} {name.replace('_', ' ')}" for name, value in given if value is not None]
        if self.usd is not None:
            limits.insert(0, f"${self.usd}")
        return ", ".join(limits) or "no limits"

    @property
    def picodollars(self) -> int | None:
        """The money limit in picodollars."""
        return None if self.usd is None else to_picodollars(self.usd, name="budget: usd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """What is left, per resource; None where nothing limits it, negative after an overrun."""

    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    requests: int | None
    picodollars: int | None


Shrink: TypeAlias = Callable[[Headroom], Usage | None]
"""A smaller worst case that fits the headroom, or None when nothing useful does. Must not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStatistics:
    """One account's figures at one instant.

    Attributes:
        limits: The account's own budget.
        spent: Committed and charged, here and below.
        held: Set aside for calls in flight.
        kept: Kept for accounts here and below, beyond what their calls hold; see `Ledger.keep`.
        overrun: Charged beyond what was held for it.
        remaining: Own limit minus spent, per resource.
        holds: Calls in flight, here and below.
        overruns: Charges that exceeded their hold.
        refusals: Attempts this account turned down, those of waiting calls included.
        waiting: Calls that wait for room in this account.
    """

    limits: Budget
    spent: Usage
    held: Usage
    kept: Usage
    overrun: Usage
    remaining: Headroom
    holds: int
    overruns: int
    refusals: int
    waiting: int


class Hold:
    """An amount set aside for one call; a context manager that gives back on every exit unless committed."""

    __slots__ = ("_core", "_ledger", "_shrink")

    def __init__(self, ledger: Ledger, core: AccountHold, shrink: Shrink | None = None) -> None:
        self._ledger = ledger
        self._core = core
        self._shrink = shrink

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        if self._ledger._line.waiting and self._core.open:
            self.release()

    def __repr__(self) -> str:
        state = "open" if self._core.open else "ended"
        return f"<Hold on {self._ledger.label!r}, {state}: {_describe(self._core.worst_case)}>"

    @property
    def worst_case(self) -> Usage:
        """What was reserved; total tokens held beyond the parts count as completion tokens."""
        return _usage_of(self._core.worst_case)

    def commit(self, usage: Usage) -> None:
        """Charge what the call used and end the hold. `usage.requests` of 0 stands for the requests held.

        More than was held is charged too, and recorded as overrun.

        Raises:
            RuntimeError: The hold was committed or released before.
            InvalidInputError: A negative number, or one beyond 64 bits; the hold stays.
        """
        try:
            # Spelled out, here and in `reserve`: these two are on the path of every call.
            self._core.commit(
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.requests,
                usage.picodollars,
                usage.cached_tokens,
                usage.reasoning_tokens,
                round(usage.seconds * 1e6),
                usage.estimated,
            )
        except _OUT_OF_RANGE as error:
            _reject(usage, error)
        if self._ledger._line.waiting:
            self._ledger._freed()

    def release(self) -> None:
        """Give back what is held, charging nothing; does nothing once the hold has ended."""
        self._core.release()
        self._ledger._freed()

    def settle(self, usage: Usage) -> None:
        """Charge a failed attempt and keep the rest held for the next one; `restore` fills it up again.

        Raises: As `commit`.
        """
        try:
            self._core.settle(*_charge_of(usage))
        except _OUT_OF_RANGE as error:
            _reject(usage, error)
        self._ledger._freed()

    async def restore(self) -> None:
        """Hold the full worst case again after `settle`, waiting for a turn when calls in flight are in the
        way, and shrinking as `acquire` did when it cannot fit any more; `worst_case` says what is held then.

        While it waits it holds nothing, so calls that restore cannot block each other. On every error, and
        when cancelled, the hold has ended.

        Raises:
            BudgetExceededError: The worst case does not fit any more, even alone and shrunk.
            DeadlineExceededError: The deadline passed.
            RuntimeError: The hold was committed or released before.
        """
        refusal = self._core.top_up(self._ledger._now())
        if refusal is None:
            return
        self.release()
        if not refusal.in_flight and self._shrink is None:
            raise self._ledger._refused(refusal)
        self._core = await self._ledger._acquire(self._core.worst_case, self._shrink)


class Ledger:
    """An account with a budget, and the accounts above it. Safe to use from several threads and event loops.

    It never awaits but in `acquire`.

    Args:
        budget: The account's limits; None for none of its own.
        label: What to call it in errors, e.g. `run` or a problem's id.
        clock: Seconds from any fixed point, never going back; children use their parent's.
    """

    __slots__ = (
        "__weakref__",
        "_account",
        "_budget",
        "_clock",
        "_deadline",
        "_line",
        "_own_deadline",
        "_parent",
        "label",
        "waiters",
    )

    def __init__(
        self,
        budget: Budget | None = None,
        *,
        label: str = "run",
        clock: Callable[[], float] = time.monotonic,
        _parent: Ledger | None = None,
    ) -> None:
        budget, parent = budget or Budget(), _parent
        self.label = label
        self._budget, self._clock, self._parent = budget, clock, parent
        self._line: Line = Line() if parent is None else parent._line
        self.waiters: list[Waiter] = []
        own = None if budget.seconds is None else clock() + budget.seconds
        above = None if parent is None else parent._deadline
        self._own_deadline = own
        self._deadline: float | None = own if above is None else above if own is None else min(own, above)
        self._account: Account = Account(
            label=label,
            limits=(
                budget.prompt_tokens,
                budget.completion_tokens,
                budget.total_tokens,
                budget.requests,
                budget.picodollars,
            ),
            deadline=None if own is None else _nanoseconds(own),
            parent=None if parent is None else parent._account,
        )

    def child(self, budget: Budget | None = None, *, label: str) -> Ledger:
        """An account below this one; what it holds and spends also counts here and further up."""
        return Ledger(budget, label=label, clock=self._clock, _parent=self)

    def __repr__(self) -> str:
        state = self._account.statistics()
        figures = _describe(state.spent, self._account.limits)
        return f"<Ledger {self.label!r}: {figures}, {state.holds} in flight>"

    def reserve(
        self,
        *,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        total_tokens: int | None = None,
        requests: int = 1,
        picodollars: int = 0,
        usd: Money | None = None,
    ) -> Hold:
        """Set aside a call's worst case, here and on every account above, or change nothing.

        Args:
            prompt_tokens: At least 0.
            completion_tokens: At least 0.
            total_tokens: At least the sum of the two above, which it defaults to.
            requests: At least 0.
            picodollars: 1e-12 US dollars, at least 0.
            usd: The same in US dollars, instead.

        Raises:
            BudgetExceededError: It does not fit; `in_flight` tells whether it would once calls in flight end.
            DeadlineExceededError: The deadline of an account has passed.
            InvalidInputError: A number out of range.
        """
        if usd is not None:
            if picodollars:
                raise InvalidInputError(f"give picodollars={picodollars!r} or usd={usd!r}, not both")
            picodollars = to_picodollars(usd, name="usd", round_up=True)
        if total_tokens is None:
            total_tokens = prompt_tokens + completion_tokens
        elif total_tokens < prompt_tokens + completion_tokens:
            raise InvalidInputError(
                f"total_tokens={total_tokens!r} is less than prompt_tokens={prompt_tokens!r} plus "
                f"completion_tokens={completion_tokens!r}"
            )
        now = 0 if self._deadline is None else _nanoseconds(self._clock())
        try:
            answer = self._account.reserve(
                prompt_tokens, completion_tokens, total_tokens, requests, picodollars, now
            )
        except _OUT_OF_RANGE as error:
            _reject((prompt_tokens, completion_tokens, total_tokens, requests, picodollars), error)
        if isinstance(answer, Refusal):
            raise self._refused(answer)
        return Hold(self, answer)

    async def acquire(self, worst: Usage, *, shrink: Shrink | None = None) -> Hold:
        """Like `reserve`, but wait while it does not fit only because of calls in flight.

        First come, first served: whoever would use an account that an earlier one waits for waits behind it,
        be it ever so small. Those under accounts that nobody waits for pass, and so do those for whom it is kept
        (`keep`). Returns without yielding when it fits at once.

        Args:
            worst: The call's worst case.
            shrink: Called with what is left when `worst` cannot fit even alone; returns a smaller worst case
                that fits, or None to give up. May be called again if still more was spent meanwhile, and from
                another thread.

        Raises:
            BudgetExceededError: It cannot fit even alone, and was not shrunk.
            DeadlineExceededError: The deadline passed, before or while waiting.
            InvalidInputError: A number out of range.
        """
        return Hold(self, await self._acquire(_amounts_of(worst), shrink), shrink)

    def charge(self, usage: Usage, *, below: Ledger | None = None) -> None:
        """Record spending that nothing was held for, here and above, up to but excluding `below`.

        Raises:
            InvalidInputError: A negative number, or `below` is not above this account.
        """
        try:
            self._account.charge(None if below is None else below._account, *_charge_of(usage))
        except _OUT_OF_RANGE as error:
            _reject(usage, error)
        self._freed()

    @property
    def budget(self) -> Budget:
        """The account's own limits."""
        return self._budget

    @property
    def parent(self) -> Ledger | None:
        """The account above, or None for the root."""
        return self._parent

    @property
    def spent(self) -> Usage:
        """What was committed and charged, here and below."""
        return self.statistics().spent

    @property
    def held(self) -> Usage:
        """What is set aside for calls in flight, here and below."""
        return _usage_of(self._account.statistics().held)

    @property
    def deadline(self) -> float | None:
        """The earliest deadline here and above, in seconds of the clock, or None."""
        return self._deadline

    def seconds_left(self) -> float | None:
        """Seconds to the deadline (negative once it has passed), or None without one."""
        return None if self._deadline is None else self._deadline - self._clock()

    def headroom(self) -> Headroom:
        """What would fit here and above were nothing in flight: the least limit minus spent and kept for others."""
        return Headroom(**dict(zip(_RESOURCES, self._account.headroom().alone, strict=True)))

    def keep(self, amounts: Usage) -> Usage:
        """Keep `amounts` for this account and those below it, beyond what is kept for it already.

        To all others it is as good as spent, here and above, until it is given up or the account is dropped; nobody
        waits for it. Calls made here and below use it first, and what they give back is kept again.

        Args:
            amounts: Tokens, requests and picodollars; seconds do not count.

        Returns:
            What is kept: per resource `amounts`, or as much of it as is free here and above now.

        Raises:
            InvalidInputError: A negative number, or one beyond 64 bits.
        """
        prompt_tokens, completion_tokens, total_tokens, requests, picodollars = _amounts_of(amounts)
        try:
            kept = self._account.keep(prompt_tokens, completion_tokens, total_tokens, requests, picodollars)
        except _OUT_OF_RANGE as error:
            _reject(amounts, error)
        self._freed()
        return _usage_of(kept)

    def give_up(self) -> None:
        """Leave to all what is kept for this account; nothing when nothing is."""
        self._account.give_up()
        self._freed()

    def statistics(self) -> LedgerStatistics:
        """A consistent snapshot of this account."""
        state, limits = self._account.statistics(), self._account.limits
        left = (
            None if limit is None else limit - spent for limit, spent in zip(limits, state.spent, strict=True)
        )
        spent = Usage(
            prompt_tokens=state.spent[0],
            completion_tokens=state.spent[1],
            requests=state.spent[3],
            picodollars=state.spent[4],
            cached_tokens=state.cached_tokens,
            reasoning_tokens=state.reasoning_tokens,
            seconds=state.microseconds / 1e6,
            estimated=state.estimated > 0,
        )
        return LedgerStatistics(
            limits=self._budget,
            spent=spent,
            held=_usage_of(state.held),
            kept=_usage_of(state.kept),
            overrun=_usage_of(state.overrun),
            remaining=Headroom(**dict(zip(_RESOURCES, left, strict=True))),
            holds=state.holds,
            overruns=state.overruns,
            refusals=state.refusals,
            waiting=len(self.waiters),
        )

    def _now(self) -> int:
        return 0 if self._deadline is None else _nanoseconds(self._clock())

    def chain(self) -> Iterator[Ledger]:
        """This account and those above it, from here up."""
        ledger: Ledger | None = self
        while ledger is not None:
            yield ledger
            ledger = ledger._parent

    def _ask(self, amounts: Amounts) -> AccountHold | Refusal:
        prompt_tokens, completion_tokens, total_tokens, requests, picodollars = amounts
        try:
            return self._account.reserve(
                prompt_tokens, completion_tokens, total_tokens, requests, picodollars, self._now()
            )
        except _OUT_OF_RANGE as error:
            _reject(amounts, error)

    def late(self) -> DeadlineExceededError:
        """The error of the account, here or above, whose deadline is the earliest."""
        first = next(ledger for ledger in self.chain() if ledger._own_deadline == self._deadline)
        return DeadlineExceededError(account=first.label, ledger=first)

    def _refused(self, refusal: Refusal) -> BudgetExceededError | DeadlineExceededError:
        """The error of the account, here or above, that refused."""
        ledger = self._above(refusal.height)
        if refusal.resource is None:
            return DeadlineExceededError(account=refusal.account, ledger=ledger)
        money = refusal.resource == "picodollars"
        return BudgetExceededError(
            account=refusal.account,
            resource="usd" if money else refusal.resource,
            requested=refusal.requested / PICODOLLARS_PER_USD if money else refusal.requested,
            remaining=refusal.remaining / PICODOLLARS_PER_USD if money else refusal.remaining,
            in_flight=refusal.in_flight,
            ledger=ledger,
        )

    def _above(self, height: int) -> Ledger:
        return next(itertools.islice(self.chain(), height, None))

    def _freed(self) -> None:
        """Tell those who wait, here and above, that something was given back or spent."""
        if self._line.waiting:
            self._line.serve(self.chain())

    async def _acquire(self, amounts: Amounts, shrink: Shrink | None) -> AccountHold:
        if not self._line.waiting:
            answer = self._ask(amounts)
            if isinstance(answer, AccountHold):
                return answer
        reservation = _Reservation(self, amounts, shrink)
        self._line.join(reservation)
        if not reservation.settled:
            await self._wait(reservation)
        return reservation.result()

    async def _wait(self, reservation: _Reservation) -> None:
        try:
            if self._deadline is None:
                await reservation.woken.wait()
            while not reservation.woken.is_set():
                with anyio.move_on_after(self.seconds_left()):
                    await reservation.woken.wait()
                if self._deadline is not None and self._clock() >= self._deadline:
                    self._line.leave(reservation)
                    return
        except BaseException:
            self._line.abandon(reservation)
            raise


class _Reservation(Waiter):
    """A reservation that waits its turn, shrinking when what it wants can never fit."""

    def __init__(self, ledger: Ledger, amounts: Amounts, shrink: Shrink | None) -> None:
        super().__init__()
        self._ledger, self._amounts, self._shrink = ledger, amounts, shrink
        self._granted: AccountHold | None = None
        self._error: Exception | None = None

    def way(self) -> Iterator[Ledger]:
        # Taking what is kept for it takes nothing from those who wait further up.
        try:
            height = self._ledger._account.covering(self._amounts)
        except _OUT_OF_RANGE:
            height = None  # the attempt says so
        return itertools.islice(self._ledger.chain(), None if height is None else height + 1)

    def attempt(self) -> Ledger | None:
        try:
            return self._attempt()
        except Exception as error:
            self._error = error  # raised where it belongs: in the task that waits
            return None

    def _attempt(self) -> Ledger | None:
        seen: Headroom | None = None
        while True:
            answer = self._ledger._ask(self._amounts)
            if isinstance(answer, AccountHold):
                self._granted = answer
                return None
            if answer.in_flight:
                return self._ledger._above(answer.height)
            headroom = self._ledger.headroom()
            smaller = None
            # Asked again only if there is less by now; the same answer to the same question would not end.
            if self._shrink is not None and answer.resource is not None and headroom != seen:
                smaller = self._shrink(headroom)
            if smaller is None:
                raise self._ledger._refused(answer)
            self._amounts, seen = _amounts_of(smaller), headroom

    def give_back(self) -> None:
        granted, self._granted = self._granted, None
        if granted is not None:
            granted.release()
            self._ledger._freed()

    def result(self) -> AccountHold:
        """What it was granted; raises why not otherwise. Not settled: the deadline ended the wait."""
        if self._error is not None:
            raise self._error
        if self._granted is None:
            raise self._ledger.late()
        return self._granted


_OUT_OF_RANGE = (TypeError, ValueError, OverflowError)

_RESOURCES = ("prompt_tokens", "completion_tokens", "total_tokens", "requests", "picodollars")


def _nanoseconds(seconds: float) -> int:
    return min(int(seconds * 1e9), LARGEST)


def _amounts_of(worst: Usage) -> Amounts:
    return (
        worst.prompt_tokens,
        worst.completion_tokens,
        worst.prompt_tokens + worst.completion_tokens,
        worst.requests,
        worst.picodollars,
    )


def _charge_of(usage: Usage) -> tuple[int, int, int, int, int, int, int, bool]:
    return (
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.requests,
        usage.picodollars,
        usage.cached_tokens,
        usage.reasoning_tokens,
        round(usage.seconds * 1e6),
        usage.estimated,
    )


def _usage_of(amounts: Amounts) -> Usage:
    prompt, completion, total, requests, picodollars = amounts
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=max(completion, total - prompt),
        requests=requests,
        picodollars=picodollars,
    )


def _reject(given: Usage | Amounts, error: Exception) -> NoReturn:
    shown = given if isinstance(given, Usage) else dict(zip(_RESOURCES, given, strict=True))
    # The core names the number that is out of range; one that is no 64-bit integer never reaches it.
    reason = str(error) if isinstance(error, ValueError) else "amounts must be whole numbers below 2**63"
    raise InvalidInputError(f"{reason} (in {shown})") from error


def _describe(amounts: Amounts, limits: Sequence[int | None] = (None,) * len(_RESOURCES)) -> str:
    parts = []
    for name, amount, limit in zip(_RESOURCES, amounts, limits, strict=True):
        shown, most = f"{amount:,}", "" if limit is None else f"/{limit:,}"
        if name == "picodollars":
            name, shown = "usd", f"{amount / PICODOLLARS_PER_USD:.6g}"
            most = "" if limit is None else f"/{limit / PICODOLLARS_PER_USD:.6g}"
        if amount or limit is not None:
            parts.append(f"{shown}{most} {name}")
    return ", ".join(parts) or "nothing"
