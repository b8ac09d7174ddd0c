"""Runs control programs over problems: wires models, budget, journal and recorders together."""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import random
import time
import traceback
from collections import OrderedDict
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import anyio
from anyio.abc import TaskGroup

from ..answers import AnswerReader
from ..backends.arrivals import Passes
from ..backends.base import Backend
from ..backends.journaled import Journaled
from ..backends.limited import AdaptiveLimit, Limited
from ..backends.metered import require_prices
from ..backends.model import Model
from ..backends.retry import Retry, RetryPolicy
from ..budget import Budget, Ledger
from ..context import Context, Run
from ..contracts import ControlProgram
from ..costs import Costing, costing_of
from ..errors import (
    BudgetExceededError,
    DeadlineExceededError,
    InvalidInputError,
    JournalError,
    OrchestratorError,
    most_telling,
)
from ..events import Event, ProblemFinished, ProblemStarted, Recorder
from ..prompts import Prompt
from ..sampling import Scope
from ..types import Outcome, Problem, StopReason
from ..version import __version__
from ..voting import majority_vote
from .identity import models_text, program_hash
from .journal import REDONE, Journal, RunRecord
from .outcomes import OutcomeStream
from .recorded import RecordedCalls

__all__ = ["Controller"]

UNKNOWN_ENDPOINT_START = 16
"""Calls in flight an endpoint of unknown width starts with; the limit doubles from there until the first 429."""

GRACE = 1.0
"""Seconds a program has after its deadline to return what it has; no call is sent or left running in them."""


class Controller:
    """Runs programs over problems within one budget.

        async with Controller(models={"small": backend}, budget=Budget(usd=2, seconds=600)) as controller:
            outcome = await controller.run(SelfConsistency(n=16), Problem(id="1", prompt="..."))

    Enter and leave it in the same task (in a notebook: in one cell).

    Args:
        models: Backends (or `Model`s) by name; the first is the default.
        budget: Limits of the whole run.
        per_problem: Limits of each problem, inside the run's; its seconds count from the problem's start.
        journal: File that records every call; None keeps none.
        resume: Continue the run in `journal`: completed calls are not sent again.
        allow_changed_program: Resume with another program than the journal's: what it asks in the same place and in
            the same words is not sent again, what was paid stays paid, and finished problems are done again.
        concurrency: Most calls in flight at once per model.
        seed: Seeds samplers and programs; None: the journal's when resuming, else 0.
        answers: How answers are read from samples.
        prompt: How problems are put to models.
        recorders: Called with every event.
        program: What will be run, where that is known: a journal that is resumed is then compared with it on entry,
            before any model is started.
        starting: Called with each model's name before it is prepared, once everything else has been checked.
        clock: Seconds, monotonic; the event loop's own.

    Raises (on entry):
        InvalidInputError: No models, or numbers out of range.
        UnknownPriceError: Money is limited and a model's price is not known.
        JournalError: The journal cannot be opened, or belongs to another run.

    Raises (on the first problem; on entry where `program` is given):
        JournalMismatchError: The journal is another program's; its `diff` says in what they differ.
    """

    def __init__(
        self,
        *,
        models: Mapping[str, Backend | Model],
        budget: Budget | None = None,
        per_problem: Budget | None = None,
        journal: str | None = None,
        resume: bool = False,
        allow_changed_program: bool = False,
        concurrency: int = 64,
        seed: int | None = None,
        answers: AnswerReader | None = None,
        prompt: Prompt | None = None,
        recorders: Sequence[Recorder] = (),
        program: ControlProgram | None = None,
        starting: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not models:
            raise InvalidInputError("no models: give at least one, for example models={'small': backend}")
        _check_kinds(models, budget, per_problem)
        if concurrency < 1:
            raise InvalidInputError(f"concurrency must be at least 1, not {concurrency}")
        if seed is not None and not 0 <= seed < 2**63:
            raise InvalidInputError(f"seed must be in [0, 2^63), not {seed}")
        if resume and journal is None:
            raise InvalidInputError("resume needs the journal to resume from")
        if allow_changed_program and not resume:
            raise InvalidInputError("allow_changed_program is for resuming: give resume=True as well")
        self.budget, self.per_problem = budget or Budget(), per_problem or Budget()
        self._models = {
            name: given if isinstance(given, Model) else Model(backend=given)
            for name, given in models.items()
        }
        self._journal_path, self._resume, self._seed = journal, resume, seed
        self._allow_changed_program = allow_changed_program
        self._concurrency, self._recorders, self._clock = concurrency, tuple(recorders), clock
        self._answers, self._prompt = answers or AnswerReader(), prompt or Prompt()
        self._program, self._starting = program, starting
        self._journal: Journal | None = None
        self._program_hash: str | None = None
        self._begun: ControlProgram | None = None
        self._questions = itertools.count()
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"Controller(models={list(self._models)}, budget={self.budget!r})"

    @classmethod
    def of(
        cls,
        program: ControlProgram,
        *,
        models: Mapping[str, Backend | Model] | None = None,
        budget: Budget | None = None,
        **options: Any,
    ) -> Self:
        """A controller for `program`, with what it brings along where an argument is None.

        A loaded program file brings models, budgets, answer kind and prompt. What a strategy has under these names,
        such as the template of a revision as its `prompt`, is something else.
        """

        def brought(name: str, kind: type) -> Any:
            found = getattr(program, name, None)
            return found if isinstance(found, kind) else None

        for name, kind in (("per_problem", Budget), ("answers", AnswerReader), ("prompt", Prompt)):
            if options.get(name) is None:
                options[name] = brought(name, kind)
        if models is None:
            models = brought("models", Mapping) or {}
        if budget is None:
            budget = brought("budget", Budget)
        return cls(models=models, budget=budget, **options)

    # Life ------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self.budget.usd is not None or self.per_problem.usd is not None:
            require_prices(model.backend for model in self._models.values())
        async with AsyncExitStack() as stack:
            if self._journal_path is not None:
                self._journal = Journal(self._journal_path, resume=self._resume)
                stack.callback(self._journal.close)
                if self._seed is None:
                    self._seed = self._journal.recorded_seed()
            self._seed = self._seed or 0
            if (
                self._program is not None and self._resume
            ):  # a new journal stays empty until models have started
                self._begin(self._program)
            for model in self._models.values():
                stack.push_async_callback(model.backend.aclose)
            await self._prepare()
            self.ledger = Ledger(self.budget, label="run", clock=self._clock)
            if self._journal is not None:
                self.ledger.charge(self._journal.charged())
            self._passes = Passes()
            self._run_state = Run(
                models={name: self._wire(name, model) for name, model in self._models.items()},
                sampling={name: model.sampling for name, model in self._models.items()},
                seed=self._seed,
                emit=self._emit,
                clock=self._clock,
            )
            self._tasks: TaskGroup = await stack.enter_async_context(anyio.create_task_group())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.cancel_scope.cancel()
        # Told of no error: a task group would wrap the caller's own exception into a group.
        await self._stack.__aexit__(None, None, None)

    async def _prepare(self) -> None:
        # One after the other: what starts here is closed by this same task.
        for name, model in self._models.items():
            if self._starting is not None:
                self._starting(name)
            await model.backend.prepare()

    def _wire(self, name: str, model: Model) -> Backend:
        """Retries around limits around the record of each attempt."""
        width = model.width
        limit = AdaptiveLimit(
            min(self._concurrency, width) if width else self._concurrency,
            start=None if width else UNKNOWN_ENDPOINT_START,
        )
        attempt = Journaled(model.backend, log=self._journal, emit=self._emit, clock=self._clock)
        limited = Limited(
            attempt,
            limit=limit,
            weighted=model.concurrency is None and width is not None,
            requests_per_minute=model.requests_per_minute,
            tokens_per_minute=model.tokens_per_minute,
            emit=self._emit,
            clock=self._clock,
        )
        rng = random.Random(f"{self._seed}/{name}/retry")
        return Retry(limited, policy=model.retry or RetryPolicy(), emit=self._emit, rng=rng)

    def _emit(self, event: Event) -> None:
        for recorder in self._recorders:
            recorder(event)

    @property
    def journal(self) -> Journal | None:
        """The open journal, or None."""
        return self._journal

    def costing(self, problem: Problem, *, exact: bool = False) -> Costing:
        """Works out what programs cost at most on `problem`; nothing is generated or charged.

        Args:
            problem: The problem.
            exact: Whether the models' servers count prompts, where they can: the controller must be entered. Else
                prompts are bounded by their bytes, and the controller need not be entered.
        """
        return costing_of(
            problem,
            models={name: model.backend for name, model in self._models.items()},
            sampling={name: model.sampling for name, model in self._models.items()},
            prompt=self._prompt,
            answers=self._answers,
            exact=exact,
        )

    # Running ---------------------------------------------------------------------------------------------

    async def run(self, program: ControlProgram, problem: Problem | str) -> Outcome:
        """Run `program` on one problem; texts are numbered from "0" in the order they are given.

        Returns:
            The outcome; when budget, deadline or failing calls ended it early, the best answer so far with the
            `stop_reason`.

        Raises:
            OrchestratorError: It failed before any sample was obtained.
            Exception: What the program itself raised.
        """
        if isinstance(problem, str):
            problem = Problem(id=str(next(self._questions)), prompt=problem)
        self._begin(program)
        outcome, error = await self._solve(program, problem)
        if error is not None and (
            not outcome.candidates
            or not isinstance(error, OrchestratorError)
            or isinstance(error, InvalidInputError)
        ):
            raise error
        return outcome

    def map(
        self,
        program: ControlProgram,
        problems: Iterable[Problem] | AsyncIterable[Problem],
        *,
        ordered: bool = False,
        at_once: int | None = None,
    ) -> OutcomeStream:
        """Run `program` on many problems; iterate over the result to get outcomes.

        Problems are read as they are needed, at most `at_once` are in progress, and as many finished outcomes wait
        to be taken, so memory stays bounded for any number of problems. An error in one problem becomes its
        outcome's `error`; it does not stop the others. Leaving the loop cancels what is in progress.

        Args:
            program: The control program.
            problems: An iterable or async iterable of problems with distinct ids.
            ordered: Give outcomes in the problems' order instead of as they finish.
            at_once: Problems in progress at once; None: enough to keep the models busy.
        """
        if at_once is not None and at_once < 1:
            raise InvalidInputError(f"at_once must be at least 1, not {at_once}")
        self._begin(program)
        width = at_once or self._problems_at_once(program)

        async def solve(problem: Problem) -> Outcome:
            outcome, _ = await self._solve(program, problem)
            return outcome

        return OutcomeStream(self._tasks, solve, problems, ordered=ordered, width=width)

    def _problems_at_once(self, program: ControlProgram) -> int:
        calls = max(1, int(getattr(program, "calls_at_once", 1)))
        widest = max(model.width or self._concurrency for model in self._models.values())
        return math.ceil(min(widest, self._concurrency) / calls) + 1

    def _begin(self, program: ControlProgram) -> None:
        """Bind the journal to the program on the first run; refuse a second, different one."""
        if isinstance(program, type) or not callable(program):
            raise InvalidInputError(f"a control program is a function or an object to call, not {program!r}")
        if self._journal is None or program is self._begun:
            return
        served = OrderedDict(models_text(self._models))
        identity = program_hash(program, self._answers, self._prompt, served)
        if self._program_hash is None:
            record = RunRecord.of(
                program,
                answers=self._answers,
                prompt=self._prompt,
                models=self._models,
                seed=self._seed or 0,
                budget=self.budget,
            )
            allowed = self._allow_changed_program
            self._journal.begin(record, version=__version__, allow_changed=allowed)
            self._program_hash = identity
        elif identity != self._program_hash:
            raise InvalidInputError(
                "a journal records one program: use another Controller and journal for the second"
            )
        self._begun = program

    async def _solve(self, program: ControlProgram, problem: Problem) -> tuple[Outcome, Exception | None]:
        """`program` on `problem`: the outcome, and the exception it ended with, if any."""
        recorded = None if self._journal is None else self._journal.recorded(problem.id)
        if self._journal is not None and recorded:
            done = self._journal.outcome(problem, recorded)
            if done is not None and done.stop_reason not in REDONE:
                self._emit(ProblemFinished(problem=problem.id, outcome=done, resumed=True))
                return done, None
        self._emit(ProblemStarted(problem=problem.id))
        started = self._clock()
        account = self.ledger.child(self.per_problem, label=problem.id)
        if recorded:
            # All of it at once, and the run has paid already: a limit that calls of now are held against must know
            # of every call of then, also of those the program comes to last, or never.
            account.charge(recorded.usage_below(""), below=self.ledger)
        outcome, error = await self._attempt(program, problem, account, recorded)
        outcome = replace(
            outcome,
            problem=problem.id,
            usage=account.spent,
            seconds=self._clock() - started,
        )
        if self._journal is not None:
            await self._journal.write_outcome(outcome, problem, recorded)
        self._emit(ProblemFinished(problem=problem.id, outcome=outcome))
        return outcome, error

    async def _attempt(
        self, program: ControlProgram, problem: Problem, account: Ledger, recorded: RecordedCalls | None
    ) -> tuple[Outcome, Exception | None]:
        """Run the program to its end, its deadline, or its error; always with an outcome to show for it."""
        outcome: Outcome | None = None
        error: Exception | None = None
        deadline = math.inf if account.deadline is None else account.deadline + GRACE
        async with anyio.create_task_group() as tasks:
            scope = Scope(
                problem=problem, account=account, tasks=tasks, recorded=recorded, passes=self._passes
            )
            context = Context(
                self._run_state,
                scope,
                ledger=account,
                path="",
                answers=self._answers,
                prompt=self._prompt,
            )
            try:
                with anyio.move_on_at(deadline) as limit:
                    outcome = await program(context, problem)
                if not limit.cancelled_caught and not isinstance(outcome, Outcome):
                    raise InvalidInputError(
                        f"a control program must return an Outcome, not {type(outcome).__name__}"
                    )
            except asyncio.CancelledError as raised:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                error = RuntimeError("the program awaited something that had been cancelled")
                error.__cause__ = raised
            except Exception as raised:
                told = most_telling(raised)
                error, outcome = told if isinstance(told, Exception) else raised, None
            tasks.cancel_scope.cancel()  # P7: nothing outlives its program
        if isinstance(error, JournalError):
            raise error  # what cannot be recorded must not go on being paid for
        return self._conclude(scope, outcome, error), error

    def _conclude(self, scope: Scope, outcome: Outcome | None, error: Exception | None) -> Outcome:
        if outcome is None:
            outcome = _best_so_far(scope)
            outcome = replace(outcome, stop_reason=_reason_of(error), error=_describe_error(error))
        if outcome.stop_reason is StopReason.COMPLETE and scope.limited_by is not None:
            outcome = replace(outcome, stop_reason=scope.limited_by)
        if scope.cut_short:
            cut_short = {path: limit.value for path, limit in sorted(scope.cut_short.items())}
            outcome = replace(outcome, detail={**outcome.detail, "cut_short": cut_short})
        if not outcome.candidates:
            outcome = replace(outcome, candidates=tuple(scope.candidates))
        return outcome


def _check_kinds(models: object, *budgets: object) -> None:
    """Refuse what is no model and no budget by its name, before it fails as something without an attribute."""
    if not isinstance(models, Mapping):
        raise InvalidInputError(
            f"models must be backends by name, as in {{'small': backend}}, not {models!r}"
        )
    for name, given in models.items():
        backend = given.backend if isinstance(given, Model) else given
        if isinstance(backend, type) or not callable(getattr(backend, "complete", None)):
            raise InvalidInputError(
                f"model {name!r} must be a backend, for example HttpBackend(base_url=..., model=...), not {backend!r}"
            )
    for budget in budgets:
        if budget is not None and not isinstance(budget, Budget):
            raise InvalidInputError(f"a budget must be a Budget, as in Budget(requests=5), not {budget!r}")


def _best_so_far(scope: Scope) -> Outcome:
    vote = majority_vote([candidate.answer for candidate in scope.candidates])
    return Outcome(answer=vote.answer, confidence=vote.share, tied=vote.tied)


def _reason_of(error: Exception | None) -> StopReason:
    if error is None or isinstance(error, DeadlineExceededError):
        return StopReason.DEADLINE
    return StopReason.BUDGET if isinstance(error, BudgetExceededError) else StopReason.ERROR


def _describe_error(error: Exception | None) -> str | None:
    if error is None:
        return None
    if isinstance(error, OrchestratorError):
        return str(error)
    return f"{type(error).__name__}: {error}{_place_of(error)}"


def _place_of(error: Exception) -> str:
    """The deepest line of the program's own that `error` came through, as ` (file:line)`; "" for none."""
    own = os.path.dirname(os.path.dirname(__file__)) + os.sep
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(own)
    ]
    return f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
