"""What happened, told to whoever listens.

Strategies and wrappers emit frozen events; recorders (progress bar, `structlog`, traces) receive them. A recorder
is any callable taking one event. It runs on the event loop, so it must return quickly; one that raises is the
caller's bug and ends the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from .types import CallId, Outcome, Sample, Score, StopReason, Usage

__all__ = [
    "BranchOpened",
    "CallFailed",
    "CallReplayed",
    "CallRetried",
    "CallSent",
    "CallSettled",
    "CandidatesScored",
    "Event",
    "LimitChanged",
    "ProblemFinished",
    "ProblemStarted",
    "Recorder",
    "RequestShrunk",
    "SamplingStopped",
    "StepTaken",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The root of all events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemStarted(Event):
    """A program begins on a problem."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFinished(Event):
    """A program is done with a problem; `resumed` when the outcome came from the journal."""

    problem: str
    outcome: Outcome
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSent(Event):
    """An attempt at a call is about to go out; `attempt` counts from 0."""

    call: CallId | None
    model: str
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettled(Event):
    """A call's samples arrived and were charged."""

    call: CallId | None
    model: str
    samples: tuple[Sample, ...]
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReplayed(Event):
    """A call was answered from the journal, free of charge."""

    call: CallId
    model: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRetried(Event):
    """An attempt failed and another follows after `delay` seconds; `attempt` counts failed ones from 1."""

    call: CallId | None
    model: str
    attempt: int
    error: str
    delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed(Event):
    """A call is given up: no samples, `usage` is what its attempts were charged."""

    call: CallId | None
    model: str
    error: str
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestShrunk(Event):
    """A request asked for more than the budget has left and was cut down to what fits."""

    call: CallId | None
    n: int
    max_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChanged(Event):
    """The adaptive concurrency limit of an endpoint moved."""

    model: str
    limit: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingStopped(Event):
    """A round of sampling ended with `reason`; `cancelled` calls were still in flight."""

    problem: str
    path: str
    reason: StopReason
    cancelled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchOpened(Event):
    """A program goes on in a part of its own: what happens there has a `path` that begins with this one."""

    problem: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken(Event):
    """A program decided something: `step` names it (`accepted`, `deferred`, `enlarged`), `reason` says why."""

    problem: str
    path: str
    step: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidatesScored(Event):
    """A verifier judged candidates; its own calls have the same `path`."""

    problem: str
    path: str
    verifier: str
    scores: tuple[Score, ...]


Recorder: TypeAlias = Callable[[Event], None]
