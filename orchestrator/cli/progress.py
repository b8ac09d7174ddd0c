"""What a run looks like while it goes on: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..budget import Budget, Ledger
from ..events import CallFailed, CallRetried, CallSettled, Event, LimitChanged, RequestShrunk
from ..excerpts import harmless
from ..report import Tracker, money
from ..types import Usage

__all__ = ["LiveView", "PlainView", "Status", "View", "spent_of"]

SECONDS_BETWEEN_LINES = 5.0


@dataclass(slots=True)
class Status:
    """What there is to show; changed by the run, read by the view.

    Attributes:
        total: Problems there are, or None.
        tracker: The outcomes so far.
        phase: What goes on before the first call ("fetching gemma-3-270m"), or "".
        fetched: Bytes done and in all while a model is fetched.
        ledger: The run's account once there is one.
        started: When the first problem began, by `clock`.
        samples: Samples that arrived, those of problems in progress included.
    """

    total: int | None
    tracker: Tracker
    clock: Callable[[], float] = time.monotonic
    phase: str = ""
    fetched: tuple[int, int] | None = None
    ledger: Ledger | None = None
    started: float | None = None
    samples: int = 0

    @property
    def seconds(self) -> float:
        """Wall time since the first problem began."""
        return 0.0 if self.started is None else self.clock() - self.started

    def record(self, event: Event) -> None:
        """Count samples as they arrive."""
        if isinstance(event, CallSettled):
            self.samples += len(event.samples)

    def figures(self) -> list[str]:
        """Accuracy so far, spend against budget, samples a second."""
        parts = []
        if (accuracy := self.tracker.accuracy) is not None:
            parts.append(f"{100 * accuracy.value:.1f} % right")
        if self.ledger is not None:
            parts += spent_of(self.ledger.spent, self.ledger.budget)
        if self.seconds > 0:
            parts.append(f"{self.samples / self.seconds:.1f} samples/s")
        return parts


def spent_of(usage: Usage, budget: Budget) -> list[str]:
    """What was spent of each limit there is; without limits, the tokens."""
    shown = [
        f"{getattr(usage, name):,}/{limit:,} {label}"
        for name, label in (
            ("prompt_tokens", "prompt tokens"),
            ("completion_tokens", "completion tokens"),
            ("total_tokens", "tokens"),
            ("requests", "requests"),
        )
        if (limit := getattr(budget, name)) is not None
    ]
    if budget.picodollars is not None:
        shown.append(f"{money(usage.picodollars)}/{money(budget.picodollars)}")
    elif usage.picodollars:
        shown.append(money(usage.picodollars))
    if budget.prompt_tokens is budget.completion_tokens is budget.total_tokens is None:
        shown.insert(0, f"{usage.total_tokens:,} tokens")
    return shown


def event_line(event: Event) -> str | None:
    """What `-v` tells about an event, or None."""
    match event:
        case CallRetried():
            return f"{event.call}: {event.error}; attempt {event.attempt + 1} in {event.delay:.1f} s"
        case CallFailed():
            return f"{event.call}: given up: {event.error}"
        case LimitChanged():
            return f"{event.model}: {event.limit} calls at once ({event.reason})"
        case RequestShrunk():
            return f"{event.call}: cut down to n={event.n}, max_tokens={event.max_tokens} to fit the budget"
    return None


class View(Protocol):
    """Shows a run."""

    @contextmanager
    def showing(self, status: Status) -> Iterator[None]:
        """Show `status` for as long as the block runs."""

    def note(self, line: str) -> None:
        """Show a line that stays."""

    def changed(self, status: Status) -> None:
        """The status changed."""


@dataclass(slots=True)
class LiveView:
    """Two or three lines at the terminal's bottom that are drawn anew a few times a second."""

    console: Console

    @contextmanager
    def showing(self, status: Status) -> Iterator[None]:
        """Show `status` for as long as the block runs."""
        with Live(
            console=self.console,
            get_renderable=lambda: self._lines(status),
            refresh_per_second=5,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            yield

    def note(self, line: str) -> None:
        """Show a line above."""
        self.console.print(Text(harmless(line)), soft_wrap=True)

    def changed(self, status: Status) -> None:
        """Nothing: it is drawn anew anyway."""

    def _lines(self, status: Status) -> Group:
        if status.phase:
            return Group(self._phase(status))
        done, total = status.tracker.problems, status.total
        head = Table.grid(padding=(0, 1), expand=False)
        counted = f"{done}/{total}" if total is not None else str(done)
        head.add_row(
            ProgressBar(total=total, completed=done, width=24, pulse=total is None),
            Text(f"{counted} problems"),
            Text(f"{status.seconds:.0f} s", style="dim"),
        )
        return Group(head, Text(" · ".join(status.figures()), style="dim", overflow="fold"))

    def _phase(self, status: Status) -> Table:
        row = Table.grid(padding=(0, 1), expand=False)
        if status.fetched is None:
            row.add_row(Text(f"{status.phase} …"))
        else:
            done, total = status.fetched
            size = f"{done / 1e6:.0f}/{total / 1e6:.0f} MB"
            row.add_row(
                ProgressBar(total=total or None, completed=done, width=24), Text(size), Text(status.phase)
            )
        return row


@dataclass(slots=True)
class PlainView:
    """A line now and then."""

    console: Console
    quiet: bool = False
    last: float = field(default=-1e9)
    shown_phase: str = ""

    @contextmanager
    def showing(self, status: Status) -> Iterator[None]:
        """Lines are printed as the status changes."""
        yield

    def note(self, line: str) -> None:
        """Print the line."""
        self.console.print(Text(harmless(line)), soft_wrap=True)

    def changed(self, status: Status) -> None:
        """Print where the run is, unless that was done a moment ago."""
        now = status.clock()
        if status.phase:
            if status.phase != self.shown_phase or (status.fetched and self._is_due(now)):
                self.shown_phase, self.last = status.phase, now
                self.note(f"{status.phase}{_fetched_of(status)} …")
        elif not self.quiet and self._is_due(now):
            self.last = now
            done = f"{status.tracker.problems}/{status.total or '?'} problems"
            self.note(" · ".join([done, *status.figures()]))

    def _is_due(self, now: float) -> bool:
        return now - self.last >= SECONDS_BETWEEN_LINES


def _fetched_of(status: Status) -> str:
    if status.fetched is None:
        return ""
    done, total = status.fetched
    return f" {done / 1e6:.0f}/{total / 1e6:.0f} MB"
