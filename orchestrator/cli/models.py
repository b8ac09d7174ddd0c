"""`orchestrator model`: what can be fetched, fetching it, and where it is."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from ..serving import available, pull

__all__ = ["fetch_model", "show_models"]

SECONDS_BETWEEN_LINES = 5.0


def show_models() -> None:
    """A line or two per model; nothing is fetched."""
    for card in available():
        state = "fetched" if card.fetched else "not fetched"
        form = "chat" if card.chat else "base"
        print(f"{card.name}  ({form}, {card.parameters / 1e6:.0f}M, {card.size / 1e6:.0f} MB, {state})")
        print(f"    {card.description}; {card.license}")


def fetch_model(name: str) -> None:
    """Fetch `name` with a progress bar on stderr, and print its path."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        print(pull(name, progress=_Lines(console, name)))
        return
    columns = (TextColumn(name), BarColumn(bar_width=24), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=None)
        path = pull(name, progress=lambda done, total: progress.update(task, completed=done, total=total))
    print(path)


class _Lines:
    """A line of progress now and then."""

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name, self._last = console, name, float("-inf")

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_LINES or done == total:
            self._last = now
            self._console.print(f"{self._name}: {done / 1e6:.0f}/{total / 1e6:.0f} MB", soft_wrap=True)
