"""What every strategy is held to, as cases: a program, the models it talks to, and what must come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from orchestrator import Budget, Controller, Model, Outcome, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.contracts import ControlProgram
from orchestrator.errors import BackendError
from orchestrator.events import CallSettled, Event
from orchestrator.types import Request


@dataclass(frozen=True, kw_only=True)
class Case:
    """A strategy with models that always say the same to the same request.

    Attributes:
        name: The strategy's key in program files, with a word on the variant after a space.
        program: The strategy.
        reply: What the models say; decides by the request alone, so that the order of calls does not matter.
        models: The models' names.
        problem: What is asked.
        kind: How answers are read.
        answer: The answer that must come out, as text.
        calls: The docstring's formula, worked out by hand: calls when nothing ends it early.
        spare: Calls that the formula has beyond these because another case needs them, such as the one that a tree
            search keeps back for writing an answer while it has found none.
        verifier_calls: Those a verifier makes besides.
        alone: Whether one failing call may leave it without an answer (strategies of a single call).
    """

    name: str
    program: ControlProgram
    reply: Callable[[Request], object]
    models: Sequence[str] = ("m",)
    problem: Problem = field(default_factory=lambda: Problem(id="p", prompt="What is 2 + 2?"))
    kind: str = "number"
    answer: str
    calls: int
    spare: int = 0
    verifier_calls: int = 0
    alone: bool = False

    @property
    def all_calls(self) -> int:
        """Calls of the strategy and its verifier together."""
        return self.calls + self.verifier_calls


class Models:
    """The models of a case, which count calls over all of them, and fail or hang at some."""

    def __init__(
        self, case: Case, *, failing: frozenset[int] = frozenset(), hanging_from: int | None = None
    ) -> None:
        self.case, self.failing, self.hanging_from = case, failing, hanging_from
        self.calls = 0
        self.never = anyio.Event()
        self.backends = {name: _Counted(self, name) for name in case.models}

    @property
    def in_flight(self) -> int:
        return sum(backend.in_flight for backend in self.backends.values())


class _Counted(ScriptedBackend):
    def __init__(self, models: Models, name: str) -> None:
        super().__init__(models.case.reply, name=name)
        self.models = models

    async def complete(self, request: Request):
        number, self.models.calls = self.models.calls, self.models.calls + 1
        if number in self.models.failing:
            await anyio.lowlevel.checkpoint()
            raise BackendError(f"call {number} fails")
        if self.models.hanging_from is not None and number >= self.models.hanging_from:
            self.in_flight += 1
            try:
                await self.models.never.wait()
            finally:
                self.in_flight -= 1
        return await super().complete(request)


class Standstill:
    """Tells when `calls` calls are settled and all others hang; to those it is an event that never happens.

    It is given to a controller as its `events`, and to models as their `never`.
    """

    def __init__(self, calls: int) -> None:
        self.calls, self.settled, self.hanging = calls, 0, 0
        self.reached, self.never = anyio.Event(), anyio.Event()

    def append(self, event: Event) -> None:
        self.settled += isinstance(event, CallSettled)
        self.check()

    async def wait(self) -> None:
        self.hanging += 1
        self.check()
        await self.never.wait()

    def check(self) -> None:
        if self.hanging and self.settled == self.calls:
            self.reached.set()


@asynccontextmanager
async def controller_of(
    case: Case,
    models: Models,
    *,
    budget: Budget | None = None,
    events: list[Event] | None = None,
    journal: str | None = None,
    resume: bool = False,
):
    async with Controller(
        models={
            name: Model(backend=backend, retry=RetryPolicy(attempts=1))
            for name, backend in models.backends.items()
        },
        budget=budget,
        answers=AnswerReader(kind=case.kind),
        recorders=() if events is None else (events.append,),
        journal=journal,
        resume=resume,
    ) as controller:
        yield controller


async def run(case: Case, models: Models, **options) -> Outcome:
    async with controller_of(case, models, **options) as controller:
        outcome = await controller.run(case.program, case.problem)
        assert controller.ledger.statistics().held.total_tokens == 0
    return outcome
