"""Random programs with votes, races and `first(k)`, stopped after any number of calls and resumed."""

import asyncio
import itertools
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from primitives.playing import PROBLEM, playing
from primitives.random_programs import _Later, saying

from orchestrator import BestOfN, Budget, Problem, SelfConsistency
from orchestrator.backends import Scripted
from orchestrator.errors import BackendError, StatusError
from orchestrator.events import CallReplayed, CallSent, CallSettled
from orchestrator.primitives import Parallel, Return, Run, Sample, Score, Steps
from orchestrator.verifiers import Judge, WordCount

SHOWN = {
    "drawn": "{{ %s.texts }}",
    "run": "{{ %s.text }} of {{ %s.candidates.texts }}",
    "race": "{{ %s.winner }} {% for one in %s.values %}{{ one.texts }}{% endfor %}",
    "first": "{% for one in %s.values %}{{ one.texts }}{% endfor %}",
}
"""What a prompt shows of what a step brings: much of it depends on who came first."""


@st.composite
def hasty(draw, depth=2):
    """Steps that wait for some of what they ask for, each shown what came of those before it."""

    def pick(*options):
        return draw(st.sampled_from(options))

    kinds = ("drawn", "run", "race", "first")

    def block(depth, names):
        steps, shown = [], []
        for kind in (*draw(st.lists(st.sampled_from(kinds[: 4 if depth else 2]), max_size=2)), "drawn"):
            name = f"{kind}{next(names)}"
            prompt = " ".join([name, *shown]) if kind != "run" else "{{ problem }} " + " ".join(shown)
            steps.append(step(kind, name, prompt, depth, names))
            shown.append(SHOWN[kind].replace("%s", name))
        return tuple(steps), shown

    def step(kind, name, prompt, depth, names):
        match kind:
            case "drawn":
                return Sample(id=name, n=pick(1, 2, 3), prompt=prompt, max_tokens=9)
            case "run":
                program = pick(
                    SelfConsistency(n=3, max_tokens=9),
                    BestOfN(n=3, verifier=WordCount(at_most=5), max_tokens=9),
                    BestOfN(n=3, verifier=WordCount(at_most=5), threshold=1.0, max_tokens=9),
                )
                return Run(id=name, program=program, problem=prompt)
        wait = "race" if kind == "race" else pick("first(2)", "all")
        blocks = {f"side{number}": block(depth - 1, names)[0] for number in range(pick(2, 3))}
        return Parallel(id=name, branches=blocks, wait=wait)

    steps, shown = block(depth, itertools.count())
    return Steps(
        steps=(*steps, Sample(id="last", prompt=" ".join(shown), max_tokens=9), Return(value="last"))
    )


class Stop:
    """Cancels a task after so many calls have been completed."""

    def __init__(self, calls):
        self.left, self.task = calls, None

    def append(self, event):
        if isinstance(event, CallSettled):
            self.left -= 1
            if self.left == 0:
                self.task.cancel()


async def run(journal, program, reply, *, stop=None, resume=True, **more):
    """Its outcome, and the calls that were sent and met again."""
    events = []

    class Both:
        def append(self, event):
            events.append(event)
            if stop is not None:
                stop.append(event)

    outcome = None
    async with playing(reply, events=Both(), journal=str(journal), resume=resume, **more) as (controller, _):
        task = asyncio.ensure_future(controller.run(program, PROBLEM))
        if stop is not None:
            stop.task = task
        with suppress(asyncio.CancelledError, BackendError):
            outcome = await task
    sent = {(e.call.path, e.call.ordinal) for e in events if isinstance(e, CallSent)}
    replayed = {(e.call.path, e.call.ordinal) for e in events if isinstance(e, CallReplayed)}
    return outcome, sent, replayed


def completed(journal):
    with closing(sqlite3.connect(journal)) as connection:
        return set(
            connection.execute(
                "SELECT path, ordinal FROM calls JOIN results ON call = id WHERE status = 'ok'"
            )
        )


def forget_outcome(journal):
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("DELETE FROM outcomes")
        connection.commit()


def told(outcome):
    return outcome and (
        outcome.answer,
        outcome.confidence,
        outcome.stop_reason,
        outcome.detail,
        [candidate.sample.text for candidate in outcome.candidates],
    )


async def stopped_at_last(journal, program, reply, events=None):
    """Runs a program until it has made the call `last`, which never ends."""
    last = anyio.Event()

    def play(request):
        if request.call.path == "last":
            task.cancel()
            return Scripted(gate=last)
        return reply(request)

    async with playing(play, journal=str(journal), events=events) as (controller, _):
        task = asyncio.ensure_future(controller.run(program, PROBLEM))
        with suppress(asyncio.CancelledError):
            await task


LAST = (Sample(id="last", prompt="last of {{ next.texts }}", max_tokens=9), Return(value="last"))


async def test_the_winner_of_a_race_wins_it_again(tmp_path):
    program = Steps(
        steps=(
            Parallel(
                id="race",
                branches={"a": (Sample(id="x", max_tokens=9),), "b": (Sample(id="y", max_tokens=9),)},
                wait="race",
            ),
            Sample(id="next", prompt="won by {{ race.winner }}", max_tokens=9),
            *LAST,
        )
    )
    # What a says comes a few passes of the event loop after what b says: while that is written down.
    later = {"a/x": Scripted(text="4", gate=_Later(5))}
    await stopped_at_last(tmp_path / "run.db", program, lambda request: later.get(request.call.path, "5"))
    assert completed(tmp_path / "run.db") == {("a/x", 0), ("b/y", 0), ("next", 0)}
    _, sent, replayed = await run(tmp_path / "run.db", program, lambda _: "6")
    assert sent == {("last", 0)}
    assert replayed == {("b/y", 0), ("next", 0)}


async def test_samples_arrive_in_the_order_they_came_in(tmp_path):
    program = Steps(
        steps=(
            Run(
                id="votes", program=BestOfN(n=2, verifier=WordCount(at_least=1), threshold=None, max_tokens=9)
            ),
            Sample(id="next", prompt="chosen: {{ votes }}", max_tokens=9),
            *LAST,
        )
    )
    first = anyio.Event()

    def reply(request):
        if (request.call.path, request.call.ordinal) == ("votes", 0):
            return Scripted(text="4", gate=first)
        return "5"

    class FirstWhenSecondIsIn:
        def append(self, event):
            if isinstance(event, CallSettled):
                first.set()

    await stopped_at_last(tmp_path / "run.db", program, reply, events=FirstWhenSecondIsIn())
    _, sent, _ = await run(tmp_path / "run.db", program, lambda _: "6")
    assert sent == {("last", 0)}


def never():
    return Scripted(gate=anyio.Event())


async def test_a_budget_is_not_asked_for_what_was_cancelled_before_what_is_on_record_has_come(tmp_path):
    votes = Run(id="votes", program=SelfConsistency(n=5, max_tokens=9))
    program = Steps(steps=(votes, Sample(id="next", prompt="check {{ votes }}", max_tokens=9), *LAST))
    limits = {"per_problem": Budget(requests=6)}

    def reply(request):
        return never() if request.call.path == "votes" and request.call.ordinal > 2 else "5"

    outcome, sent, _ = await run(tmp_path / "run.db", program, reply, resume=False, **limits)
    assert len(sent) == 6
    again, sent, replayed = await run(tmp_path / "run.db", program, reply, **limits)
    assert (sent, replayed) == (set(), {*[("votes", n) for n in range(3)], ("next", 0)})
    assert told(again) == told(outcome)


@pytest.mark.parametrize("form", ["number", "json"])
@pytest.mark.parametrize("refused", [False, True])
async def test_a_verdict_on_record_does_not_wait_for_one_that_is_not(tmp_path, form, refused):
    steps = Sample(id="x", max_tokens=9), Score(id="s", of="x", by=Judge(form=form, max_tokens=40))
    race = Parallel(id="race", branches=dict.fromkeys("ab", steps), wait="race")
    program = Steps(steps=(race, Sample(id="next", prompt="won by {{ race.winner }}", max_tokens=9), *LAST))
    sent, stopped = [], False

    def reply(request):
        path = request.call.path
        sent.append((request.call.problem, path))
        if "judge" not in path:
            if path == "last" and request.call.problem == "p" and not stopped:
                task.cancel()
                return never()
            return "4" if path == "a/x" else "5"
        if refused and not path.endswith("plain"):
            return StatusError.of(400, "unknown field")
        verdict = '{"reason": "good", "score": 9}'
        return verdict if path.startswith("b") or request.call.problem == "q" or stopped else never()

    journal = {"journal": str(tmp_path / "run.db"), "resume": True}
    async with playing(reply, **journal) as (controller, _):
        # A problem that shows what the server takes: in the next, no question goes ahead of the others.
        await controller.run(program, Problem(id="q", prompt="What is 2 + 3?"))
        task = asyncio.ensure_future(controller.run(program, PROBLEM))
        with suppress(asyncio.CancelledError):
            await task
    sent, stopped = [], True
    async with playing(reply, **journal) as (controller, _):
        await controller.run(program, PROBLEM)
    assert sent == [("p", "last")]


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(hasty(), st.integers(0, 2**32), st.tuples(*[st.integers(0, 99)] * 3), st.integers(1, 20))
def test_no_completed_call_is_sent_again_and_the_outcome_is_the_same(program, seed, timings, calls):
    async def check(folder):
        journal = Path(folder) / "run.db"
        says = [saying(seed, failing=0.0, timing=timing) for timing in timings]
        await run(journal, program, says[0], stop=Stop(calls), resume=False)
        paid = completed(journal)
        outcome, sent, _ = await run(journal, program, says[1])
        assert sent & paid == set()
        forget_outcome(journal)
        again, sent, _ = await run(journal, program, says[2])
        assert sent == set()  # nor those that were cancelled
        assert told(again) == told(outcome)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(folder))
