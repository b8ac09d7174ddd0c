"""Programs of steps, played on models that say what a function of the request makes them say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio

from orchestrator import Budget, Controller, Model, Outcome, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import prompt_text
from orchestrator.events import Event
from orchestrator.primitives import Primitive, Steps
from orchestrator.types import Request

PROBLEM = Problem(id="p", prompt="What is 2 + 2?", fields={"parts": ["one", "two", "three"], "tries": 3})
"""What is asked where a test says nothing else."""

Reply = Callable[[Request], Any]


def said(replies: dict[str, Any]) -> Reply:
    """Answers by the first piece that the prompt has; each is a text, an error, or a list of them, one a call."""
    lists = {piece: iter(said) for piece, said in replies.items() if isinstance(said, list)}

    def reply(request: Request) -> Any:
        text = prompt_text(request)
        piece = next(piece for piece in replies if piece in text)
        return next(lists[piece]) if piece in lists else replies[piece]

    return reply


@asynccontextmanager
async def playing(
    reply: Reply, *, models: Sequence[str] = ("m",), events: list[Event] | None = None, **more: Any
):
    """A controller of models that all say what `reply` does; failed calls are not sent again."""
    backends = {name: ScriptedBackend(reply, name=name, price={"input": 1, "output": 2}) for name in models}
    async with Controller(
        models={name: Model(backend=one, retry=RetryPolicy(attempts=1)) for name, one in backends.items()},
        answers=AnswerReader(kind="number"),
        recorders=() if events is None else (events.append,),
        **more,
    ) as controller:
        yield controller, backends


async def play(
    program: Steps | Sequence[Primitive],
    reply: Reply | dict[str, Any],
    *,
    problem: Problem = PROBLEM,
    events: list[Event] | None = None,
    budget: Budget | None = None,
    **outputs: str,
) -> Outcome:
    """The outcome of a program on one problem; `outputs` are its outputs."""
    if not isinstance(program, Steps):
        program = Steps(steps=tuple(program), outputs=outputs)
    spoken = said(reply) if isinstance(reply, dict) else reply
    async with playing(spoken, events=events, budget=budget) as (controller, backends):
        outcome = await controller.run(program, problem)
        assert controller.ledger.statistics().holds == 0
        assert all(backend.in_flight == 0 for backend in backends.values())
    return outcome


def prompts(events: Sequence[Event]) -> list[str]:
    """The paths of the calls that were sent, in order."""
    return [str(event.call) for event in events if type(event).__name__ == "CallSent"]


def paths(events: Sequence[Event]) -> list[str]:
    """The branches that were opened, in order."""
    return [event.path for event in events if type(event).__name__ == "BranchOpened"]


def decisions(events: Sequence[Event]) -> list[str]:
    """What the program decided, in order."""
    return [event.step for event in events if type(event).__name__ == "StepTaken"]


def faults(*steps: Primitive, fields: dict[str, Any] | None = None, **outputs: str) -> list[str]:
    """The faults of a program, as `path: message`."""
    found = Steps(steps=steps, outputs=outputs).faults(problem_fields=fields)
    return [f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in found]


async def never(_: float = 0.0) -> None:
    """Waits for ever."""
    await anyio.Event().wait()
