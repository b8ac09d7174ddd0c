"""`orchestrator run`: drives a job, shows it, writes its outcomes, and ends it well."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from rich.console import Console

from ..backends import ReplayBackend
from ..backends.local import LocalBackend
from ..contracts import name_of
from ..events import CallFailed, CallRetried, Event
from ..excerpts import harmless
from ..report import Summary, Tracker, drawn_places, usage_dict
from ..runtime import Controller
from ..strategies import Strategy
from ..traces import Trace
from ..types import Outcome, Problem, StopReason
from .failures import BROKEN_PIPE, FAILED, complain, quiet_stdout
from .job import Flags, Job, make_job
from .progress import LiveView, PlainView, Status, View, event_line

__all__ = ["Settings", "run"]

LONGEST_ANSWER = 100
"""Characters of an answer shown on a line of text; `--json` has all of it."""


HOPELESS = {
    "ConnectFailedError": "",
    "AuthenticationError": "the key is read from OPENAI_API_KEY, or from the variable that --api-key-env "
    "(in a program file: api_key_env) names",
    "ModelNotFoundError": "check --model and --base-url, which usually ends in /v1",
}
"""Errors after which, with no sample obtained so far, an endpoint is not asked further problems; what to do then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to run and what to write."""

    journal: str | None = None
    resume: bool = False
    allow_changed_program: bool = False
    seed: int | None = None
    concurrency: int = 64
    json: bool = False
    ordered: bool = False
    verbose: bool = False
    trace: bool = False
    command: Sequence[str] = ()


def run(flags: Flags, settings: Settings) -> int:
    """Run the job `flags` describe; returns the exit code."""
    job = make_job(flags)
    if settings.resume and settings.journal is not None and not os.path.exists(settings.journal):
        complain(f"there is no journal {settings.journal} yet: this run starts it, and nothing is resumed")
    session = _Session(job=job, settings=settings, show_each=bool(flags.prompts))
    anyio.run(session.main)
    if session.failure is not None and session.signal is None:
        raise session.failure
    return session.end()


@dataclass(slots=True)
class _Session:
    """One run from its start to its last line."""

    job: Job
    settings: Settings
    show_each: bool
    status: Status = field(init=False)
    view: View = field(init=False)
    out: Console = field(init=False)
    waiting: dict[str, Problem] = field(default_factory=dict)
    trace: Trace = field(default_factory=Trace)
    obtained: bool = False
    hopeless: str | None = None
    told_of_trouble: bool = False
    failure: Exception | None = None
    first_error: str | None = None
    signal: int | None = None
    broken_pipe: bool = False
    summary: Summary | None = None

    def __post_init__(self) -> None:
        check = None if self.job.check is None else name_of(self.job.check)
        priced = all(
            model.backend.price is not None or isinstance(model.backend, ReplayBackend)
            for model in self.job.models.values()
        )
        reader = self.job.answers
        tracker = Tracker(
            kind=reader.kind, units=reader.units, percent=reader.percent, check=check, priced=priced
        )
        self.status = Status(total=self.job.total, tracker=tracker)
        self.out, errors = Console(highlight=False), Console(stderr=True, highlight=False)
        live = errors.is_terminal and not errors.is_dumb_terminal
        self.show_each |= self.settings.verbose or not live
        self.view = (
            LiveView(errors) if live else PlainView(errors, quiet=self.show_each and not self.settings.json)
        )

    # Running ---------------------------------------------------------------------------------------------

    async def main(self) -> None:
        """Run until done or interrupted: the first signal cancels, a second one quits at once."""
        stop = anyio.CancelScope()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch_signals, stop)
            with stop:
                try:
                    await self._drive(stop)
                except Exception as error:  # raised outside of the task group, which would wrap it
                    self.failure = error
            tasks.cancel_scope.cancel()

    async def _watch_signals(self, stop: anyio.CancelScope) -> None:
        try:
            receiver = anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM)
        except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt
            return
        with receiver as signals:
            async for number in signals:
                if self.signal is not None:
                    os._exit(128 + number)
                self.signal = number
                stop.cancel()

    async def _drive(self, stop: anyio.CancelScope) -> None:
        with self.view.showing(self.status):
            for name, model in self.job.models.items():
                if isinstance(model.backend, LocalBackend):
                    model.backend.progress = _FetchProgress(self, name)
            try:
                async with self._controller() as controller:
                    self.status.phase = ""
                    self.status.ledger, self.status.started = controller.ledger, self.status.clock()
                    await self._collect(controller, stop)
            finally:  # only now are cancelled calls settled
                if self.status.ledger is not None:
                    self.summary = self.status.tracker.summary(
                        seconds=self.status.seconds, usage=self.status.ledger.spent
                    )

    def _controller(self) -> Controller:
        job, settings = self.job, self.settings
        return Controller(
            models=job.models,
            budget=job.budget,
            per_problem=job.per_problem,
            journal=settings.journal,
            resume=settings.resume,
            allow_changed_program=settings.allow_changed_program,
            concurrency=settings.concurrency,
            seed=settings.seed,
            answers=job.answers,
            prompt=job.prompt,
            recorders=(self._record,),
            program=job.program,
            starting=self._starting,
        )

    def _starting(self, name: str) -> None:
        if isinstance(self.job.models[name].backend, LocalBackend):
            self._say(f"starting {name}")

    async def _collect(self, controller: Controller, stop: anyio.CancelScope) -> None:
        outcomes = controller.map(
            self.job.program, self._remembered(self.job.problems), ordered=self.settings.ordered
        )
        async with outcomes:
            async for outcome in outcomes:
                problem = self.waiting.pop(outcome.problem)
                right = self.status.tracker.add(problem, outcome)
                self.obtained |= bool(outcome.candidates or outcome.written)
                self.first_error = self.first_error or outcome.error
                failed = outcome.stop_reason is StopReason.ERROR
                if failed and self.hopeless is not None and not self.obtained:
                    return  # the next problems would fail the same way, only later
                try:
                    self._write(problem, outcome, right)
                except BrokenPipeError:
                    self.broken_pipe = True
                    quiet_stdout()
                    stop.cancel()
                self.view.changed(self.status)

    def _remembered(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """`problems`, each kept until its outcome is there."""
        for problem in problems:
            self.waiting[problem.id] = problem
            yield problem

    def _record(self, event: Event) -> None:
        self.status.record(event)
        self.status.tracker.record(event)
        if self.settings.trace:
            self.trace(event)
        if isinstance(event, CallFailed) and event.error.startswith(tuple(HOPELESS)):
            self.hopeless = event.error
        if self.settings.verbose and (line := event_line(event)) is not None:
            self.view.note(line)
        elif isinstance(event, CallRetried) and not self.told_of_trouble and not self.status.samples:
            self.told_of_trouble = True  # once: nothing has come yet, and several attempts take their time
            self.view.note(f"{event.error}; trying again")
        self.view.changed(self.status)

    def _say(self, phase: str) -> None:
        self.status.phase = phase
        self.view.changed(self.status)

    # Writing ---------------------------------------------------------------------------------------------

    def _write(self, problem: Problem, outcome: Outcome, right: bool | None) -> None:
        if self.settings.trace:
            for line in str(self.trace.take(problem.id)).splitlines():
                self.view.note(line)
        if self.settings.json:
            self._write_json(_as_dict(problem, outcome, right))
        elif self.show_each:
            print(_as_line(problem, outcome, right), flush=True)

    def _write_json(self, value: dict[str, Any]) -> None:
        print(json.dumps(value, ensure_ascii=not _writes_unicode()), flush=True)

    def end(self) -> int:
        """Write the summary and say what cut the run short; returns the exit code."""
        if self.broken_pipe:
            return BROKEN_PIPE
        if self.signal is not None:
            complain("interrupted")
        if self.summary is not None and (self.obtained or self.settings.json):
            self._write_summary(self.summary)
        if self.signal is not None:
            complain(self._how_to_resume())
            return 128 + self.signal
        return self._verdict()

    def _write_summary(self, summary: Summary) -> None:
        if self.settings.json:
            interrupted = {"interrupted": True} if self.signal is not None else {}
            self._write_json({"summary": {**summary.as_dict(), **interrupted}})
        elif self.out.is_terminal:
            self.out.print(summary.table(**self._names()))
        else:
            print(summary.text(**self._names()), flush=True)

    def _names(self) -> dict[str, str]:
        """What the strategy's answer, and what it is chosen from, are called in the summary."""
        strategy = getattr(self.job.program, "strategy", self.job.program)
        if not isinstance(strategy, Strategy):
            return {}
        return {"chosen": strategy.choice, "each": strategy.each}

    def _how_to_resume(self) -> str:
        if self.settings.journal is None:
            return "no journal was kept; with --journal FILE a run can be resumed"
        again = [*self.settings.command, *([] if self.settings.resume else ["--resume"])]
        return f"what was paid for is in {self.settings.journal}; resume with:\n  {shlex.join(again)}"

    def _verdict(self) -> int:
        summary = self.summary
        assert summary is not None
        if not self.obtained:
            cut = set(summary.stop_reasons) == {StopReason.BUDGET}
            what = "the budget is too small for one call" if cut else "every problem failed"
            complain(f"error: {what}: {self.first_error or 'no sample was obtained'}")
            if hint := HOPELESS.get((self.hopeless or "").partition(":")[0]):
                complain(f"  hint: {hint}")
            return FAILED
        for reason, what in ((StopReason.BUDGET, "budget"), (StopReason.DEADLINE, "deadline")):
            if count := summary.stop_reasons.get(reason, 0):
                complain(
                    f"ended early: {count} of {summary.problems} problems were cut short by the {what}; "
                    f"{summary.answered} of {self.status.total or summary.problems} answered"
                )
        return 0


@dataclass(frozen=True, slots=True)
class _FetchProgress:
    """Shows how much of a model has been fetched; called from another thread."""

    session: _Session
    name: str

    def __call__(self, done: int, total: int) -> None:
        status = self.session.status
        status.fetched = (done, total) if done < total else None
        status.phase = f"fetching {self.name}" if done < total else f"starting {self.name}"
        self.session.view.changed(status)


def _as_dict(problem: Problem, outcome: Outcome, right: bool | None) -> dict[str, Any]:
    return {
        "id": problem.id,
        "answer": None if outcome.answer is None else outcome.answer.text,
        "confidence": outcome.confidence,
        "tied": outcome.tied,
        "reference": problem.reference,
        "correct": right,
        "stop_reason": outcome.stop_reason.value,
        "samples": len(drawn_places(outcome.candidates)),
        "usage": usage_dict(outcome.usage),
        "seconds": round(outcome.seconds, 6),
        "error": outcome.error,
        "detail": dict(outcome.detail),
    }


def _as_line(problem: Problem, outcome: Outcome, right: bool | None) -> str:
    verdict = {True: "right", False: "wrong", None: ""}[right]
    if outcome.answer is None:
        answer = f"no answer ({outcome.error or outcome.stop_reason.value})"
    else:
        answer = " ".join(outcome.answer.text.split())
    if len(answer) > LONGEST_ANSWER:
        answer = answer[: LONGEST_ANSWER - 1] + "…"
    figures = f"{outcome.confidence:.2f}, {outcome.stop_reason.value}"
    line = "  ".join(part for part in (" ".join(problem.id.split()), answer, verdict, f"({figures})") if part)
    return harmless(line)


def _writes_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
