"""Against a server that fails in every way it can, everything is answered and everything is on the books."""

import sqlite3
from contextlib import closing

import pytest
from faulty_server import Fault, FaultyServer

from orchestrator import Budget, Controller, Model, Problem, SelfConsistency
from orchestrator.answers import AnswerReader
from orchestrator.backends import HttpBackend, RetryPolicy
from orchestrator.events import CallRetried, CallSent, LimitChanged
from orchestrator.stopping import FixedSize

RATES = {
    Fault.RATE_LIMITED: 0.1,
    Fault.SERVER_ERROR: 0.1,
    Fault.BROKEN_JSON: 0.1,
    Fault.HALF_BODY: 0.1,
    Fault.CLOSED: 0.1,
    Fault.STALL: 0.1,
}
PROBLEMS, SAMPLES = 200, 3


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_two_hundred_problems_are_answered_although_six_in_ten_attempts_fail(tmp_path):
    events, journal = [], tmp_path / "run.db"
    async with FaultyServer(rates=RATES, seed=11, answer=lambda body, choice: "4") as server:
        # A stalled call would hold for 60 s; the attempt's own time limit ends it sooner.
        backend = HttpBackend(base_url=server.base_url, model="m", timeout=1.5)
        retry = RetryPolicy(attempts=30, base=0.001, cap=0.01)
        controller = Controller(
            models={"m": Model(backend=backend, concurrency=64, retry=retry)},
            budget=Budget(total_tokens=10**8),
            journal=str(journal),
            recorders=[events.append],
            answers=AnswerReader(kind="number"),
        )
        program = SelfConsistency(n=SAMPLES, stop=FixedSize(), max_tokens=16)
        async with controller:
            problems = (Problem(id=str(number), prompt=f"{number}: 2 + 2?") for number in range(PROBLEMS))
            outcomes = [outcome async for outcome in controller.map(program, problems, at_once=20)]
            statistics = controller.ledger.statistics()
        attempts, faults = len(server.seen), sum(seen.fault is not None for seen in server.seen)

    assert len(outcomes) == PROBLEMS
    assert all(outcome.answer is not None and outcome.answer.text == "4" for outcome in outcomes)
    assert all(len(outcome.candidates) == SAMPLES for outcome in outcomes)
    assert faults > PROBLEMS  # the server did misbehave

    # Every attempt the server saw is in journal, ledger and events alike.
    with closing(sqlite3.connect(journal)) as connection:
        rows, requests, completion, results = connection.execute(
            "SELECT (SELECT count(*) FROM calls), sum(requests), sum(completion_tokens), count(*) FROM results"
        ).fetchone()
        by_status = dict(connection.execute("SELECT status, count(*) FROM results GROUP BY status"))
    assert rows == results == attempts == sum(isinstance(event, CallSent) for event in events)
    assert by_status == {"ok": PROBLEMS * SAMPLES, "error": faults}
    assert requests == attempts == statistics.spent.requests
    assert completion == statistics.spent.completion_tokens
    assert sum(isinstance(event, CallRetried) for event in events) == faults
    # Never less than what the server says it produced: lost answers are charged at their worst case.
    assert completion >= sum(seen.completion_tokens for seen in server.seen)
    assert statistics.held.total_tokens == statistics.holds == 0

    # The limiter slows down under 429 and recovers.
    moves = [event for event in events if isinstance(event, LimitChanged)]
    assert any(event.reason == "429" for event in moves)
    assert any(event.reason == "success" for event in moves)


async def test_a_server_that_limits_for_a_while_is_met_with_fewer_calls_and_then_with_more():
    events = []
    script = [None] * 40 + [Fault.RATE_LIMITED] * 8
    server = FaultyServer(script=script, answer=lambda body, choice: "4", delay=(0.005, 0.01))
    async with server:
        backend = HttpBackend(base_url=server.base_url, model="m")
        retry = RetryPolicy(attempts=30, base=0.001, cap=0.01)
        controller = Controller(
            models={"m": Model(backend=backend, concurrency=20, retry=retry)},
            recorders=[events.append],
            answers=AnswerReader(kind="number"),
        )
        async with controller:
            problems = (Problem(id=str(number), prompt="2 + 2?") for number in range(100))
            async for _ in controller.map(SelfConsistency(n=8, stop=FixedSize()), problems):
                pass
    limits = [event.limit for event in events if isinstance(event, LimitChanged)]
    assert min(limits) < 20
    assert limits[-1] == 20
