"""What watches samples while they are written: one interface, and several of them as one watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..types import Chunk, Sample, Watch

__all__ = ["Monitor", "Monitoring", "Resumption", "monitoring"]


class Monitor(Protocol):
    """A rule by which a sample is cut while it is written: configuration, with no state of its own.

    It may have `logprobs`, the top log-probabilities that samples must be drawn with for it, and a method
    `resumption(sample, /) -> Resumption | None`, how the model goes on writing a sample that this monitor has cut
    (None: the sample ends there). Both must depend on nothing but the monitor's parameters and the sample, so that a
    resumed program makes the same calls.

    Attributes:
        name: In snake case; its key in program files. The reasons it cuts for are given out after it.
    """

    name: ClassVar[str]

    def watch(self) -> Watch:
        """A watch over one choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """How a model goes on with a sample that was cut.

    Attributes:
        begun: The reply that it is given to continue: all that was written, hidden reasoning included, and what is
            to make it go on.
        inserted: The end of `begun` that belongs into the sample's text, between what was written before and after.
        written: Tokens counted in what its call had written when it was cut. The rest of `max_tokens` is left for
            going on; where the server has counted them, its count goes before this one.
    """

    begun: str
    inserted: str
    written: int


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Monitors as what a `Request` is watched by: a choice ends where the first of them ends it."""

    monitors: tuple[Monitor, ...]

    def __call__(self) -> Watch:
        """A watch over one choice by all of them."""
        return _Watches(watches=tuple((monitor.name, monitor.watch()) for monitor in self.monitors))

    @property
    def logprobs(self) -> int | None:
        """Top log-probabilities samples must be drawn with; None for none."""
        wanted = (getattr(monitor, "logprobs", None) for monitor in self.monitors)
        return max((number for number in wanted if number is not None), default=None)

    def resumption(self, sample: Sample) -> tuple[Resumption, Monitoring | None] | None:
        """How a cut sample goes on, and what watches it then; None where it ends.

        A monitor that has cut a sample and lets it go on watches it no longer.
        """
        for monitor in self.monitors:
            if (sample.cut or "").startswith(f"{monitor.name}: ") and hasattr(monitor, "resumption"):
                resumption: Resumption | None = monitor.resumption(sample)
                others = tuple(other for other in self.monitors if other.name != monitor.name)
                return None if resumption is None else (resumption, monitoring(others))
        return None


def monitoring(monitors: Sequence[Monitor]) -> Monitoring | None:
    """`monitors` as one, or None for none."""
    return Monitoring(tuple(monitors)) if monitors else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watches:
    watches: tuple[tuple[str, Watch], ...]

    def feed(self, chunk: Chunk, /) -> str | None:
        for name, watch in self.watches:
            if (reason := watch.feed(chunk)) is not None:
                return f"{name}: {reason}"
        return None
