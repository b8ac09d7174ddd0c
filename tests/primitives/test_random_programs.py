"""Random programs run to an end whatever happens, give the same journal again, and leave nothing behind."""

import asyncio
import math
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from primitives.playing import PROBLEM, playing
from primitives.random_programs import programs, saying

from orchestrator import Budget, Outcome
from orchestrator.costs import costing_of
from orchestrator.errors import BackendError, BudgetExceededError
from orchestrator.events import CallFailed, CallSettled
from orchestrator.expressions import NUMBER, TEXT, ListOf

PARTS, TRIES = ListOf(TEXT), NUMBER

quick = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
)


async def outcome_of(program, reply, events=None, **more):
    """Its outcome; None where it had drawn nothing at all, which raises what its first call failed with."""
    async with playing(reply, models=("m",), events=events, **more) as (controller, backends):
        outcome = None
        with suppress(BackendError, BudgetExceededError):
            outcome = await controller.run(program, PROBLEM)
        statistics = controller.ledger.statistics()
        assert statistics.holds == statistics.held.total_tokens == statistics.held.requests == 0
        assert backends["m"].in_flight == 0
        return outcome, statistics.spent


@quick
@given(programs(), st.integers(0, 2**32))
def test_they_have_no_faults_and_run_to_an_end(program, seed):
    assert program.faults(problem_fields={"parts": PARTS, "tries": TRIES}, models=["m"]) == []
    outcome, spent = asyncio.run(outcome_of(program, saying(seed)))
    assert outcome is None or isinstance(outcome, Outcome)
    assert spent.requests >= 1


@quick
@given(programs(), st.integers(0, 2**32), st.integers(1, 12))
def test_a_budget_that_is_soon_spent_ends_them_with_the_best_so_far(program, seed, requests):
    outcome, spent = asyncio.run(
        outcome_of(program, saying(seed, failing=0.0), budget=Budget(requests=requests))
    )
    assert spent.requests <= requests
    assert outcome is not None
    assert outcome.candidates


@quick
@given(programs(), st.integers(0, 2**32), st.integers(0, 400))
def test_cancelled_anywhere_nothing_stays_held_or_in_flight(program, seed, turns):
    async def cancelled():
        async with playing(saying(seed)) as (controller, backends):
            task = asyncio.ensure_future(controller.run(program, PROBLEM))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError, BackendError):
                await task
            statistics = controller.ledger.statistics()
        assert statistics.holds == statistics.held.total_tokens == statistics.held.requests == 0
        assert backends["m"].in_flight == 0

    asyncio.run(cancelled())


@quick
@given(programs(), st.integers(0, 2**32), st.sampled_from([0.0, 0.2]))
def test_what_they_cost_at_most_is_never_exceeded(program, seed, failing):
    async def both():
        async with playing(saying(seed)) as (_, backends):
            worst = (await program.worst_case(costing_of(PROBLEM, models=backends))).worst
        return worst, (await outcome_of(program, saying(seed, failing=failing)))[1]

    worst, spent = asyncio.run(both())
    assert spent.requests <= worst.calls < math.inf
    assert spent.prompt_tokens <= worst.prompt_tokens
    assert spent.completion_tokens <= worst.completion_tokens
    assert spent.usd <= worst.usd * (1 + 1e-9)


@quick
@given(
    programs(races=False, budgets=False),
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 99), st.integers(1, 99)),
)
def test_the_same_seed_gives_the_same_calls_whatever_is_first(program, seed, timings):
    def calls(timing):
        events = []
        outcome, spent = asyncio.run(outcome_of(program, saying(seed, timing=timing), events))
        settled = [
            (str(one.call), [s.text for s in one.samples], [s.seed for s in one.samples])
            for one in events
            if isinstance(one, CallSettled)
        ]
        failed = [str(one.call) for one in events if isinstance(one, CallFailed)]
        return (
            sorted(settled),
            sorted(failed),
            None if outcome is None else outcome.detail["outputs"],
            spent.total_tokens,
        )

    assert calls(timings[0]) == calls(timings[1])
