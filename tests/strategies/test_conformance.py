"""Every strategy keeps the promises: calls as its formula says, cancelled anywhere, best so far, tree, resume."""

import asyncio
import inspect
import re
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from strategies.conformance import Case, Models, controller_of, run

from orchestrator import Budget, Steps, StopReason
from orchestrator.errors import BackendError
from orchestrator.events import BranchOpened, CallSettled, CandidatesScored, StepTaken
from orchestrator.programs.registries import STRATEGIES

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("cases_*.py"))
CASES: list[Case] = [case for module in MODULES for case in import_module(f"strategies.{module}").CASES]
SEVERAL = [case for case in CASES if not case.alone]


def of_all(cases):
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def most_of(case):
    """60 % of its calls, at least one."""
    return max(1, case.all_calls * 6 // 10)


def test_every_strategy_has_a_case():
    assert {case.name.split()[0] for case in CASES} == {*STRATEGIES.parts, "steps"}


@of_all(CASES)
async def test_the_number_of_calls_is_the_formula_of_its_docstring(case):
    models = Models(case)
    outcome = await run(case, models)
    assert outcome.answer is not None
    assert outcome.answer.text == case.answer
    assert outcome.stop_reason in (StopReason.COMPLETE, StopReason.DECIDED)
    assert case.program.most_calls == case.calls + case.spare
    assert models.calls == outcome.usage.requests == case.all_calls
    if isinstance(case.program, Steps):
        return  # what it makes depends on its steps
    [stated] = re.findall(r"^ *Cost: (.*?)\n\n", inspect.getdoc(type(case.program)), re.MULTILINE | re.DOTALL)
    assert case.program.cost in " ".join(stated.split())


@of_all(CASES)
async def test_cancelled_at_every_await_nothing_stays_held_or_in_flight(case):
    steps, done = 0, False
    while not done:
        models = Models(case)
        async with controller_of(case, models) as controller:
            task = asyncio.ensure_future(controller.run(case.program, case.problem))
            for _ in range(steps):
                await asyncio.sleep(0)
            done = task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            statistics = controller.ledger.statistics()
        assert statistics.holds == 0
        assert statistics.held.total_tokens == statistics.held.requests == 0
        assert models.in_flight == 0
        steps += 1 if steps < 40 else 5
    assert steps > case.all_calls


@of_all(SEVERAL)
async def test_any_one_failing_call_is_survived(case):
    for number in range(case.all_calls):
        models = Models(case, failing=frozenset([number]))
        outcome = await run(case, models)
        assert outcome.answer is not None, f"without call {number}"
        assert outcome.error is None or f"call {number} fails" in outcome.error


@of_all(CASES)
async def test_whichever_calls_fail_it_uses_no_more_than_its_worst_case(case):
    some = [frozenset(range(first, case.all_calls, 3)) for first in range(3)]
    for failing in (frozenset(), *map(frozenset, zip(range(case.all_calls))), *some):
        async with controller_of(case, Models(case, failing=failing)) as controller:
            worst = (await controller.costing(case.problem).program(case.program)).worst
            with suppress(BackendError):
                await controller.run(case.program, case.problem)
            spent = controller.ledger.spent
        assert spent.requests <= worst.calls
        assert spent.prompt_tokens <= worst.prompt_tokens
        assert spent.completion_tokens <= worst.completion_tokens


@of_all(SEVERAL)
async def test_when_every_call_fails_the_first_failure_is_raised(case):
    models = Models(case, failing=frozenset(range(1000)))
    with pytest.raises(Exception, match="fails"):
        await run(case, models)


@of_all(SEVERAL)
async def test_a_budget_for_most_of_the_calls_gives_the_best_so_far(case):
    models = Models(case)
    outcome = await run(case, models, budget=Budget(requests=most_of(case)))
    assert outcome.answer is not None
    assert outcome.stop_reason is StopReason.BUDGET
    assert models.calls == outcome.usage.requests
    assert most_of(case) - case.spare <= models.calls <= most_of(case)


@of_all(SEVERAL)
async def test_a_deadline_after_most_of_the_calls_gives_the_best_so_far(case):
    models = Models(case, hanging_from=most_of(case))
    outcome = await run(case, models, budget=Budget(seconds=0.5))
    assert outcome.answer is not None
    assert outcome.stop_reason is StopReason.DEADLINE
    assert models.in_flight == 0


@of_all(SEVERAL)
async def test_runs_with_different_budgets_do_not_touch_each_other(case):
    limited, free = Models(case), Models(case)
    async with asyncio.TaskGroup() as tasks:
        short = tasks.create_task(run(case, limited, budget=Budget(requests=most_of(case))))
        whole = tasks.create_task(run(case, free))
    assert short.result().stop_reason is StopReason.BUDGET
    assert most_of(case) - case.spare <= short.result().usage.requests <= most_of(case)
    assert whole.result().answer.text == case.answer
    assert whole.result().usage.requests == free.calls == case.all_calls


@of_all(SEVERAL)
async def test_a_resumed_run_sends_no_completed_call_again(case, tmp_path):
    journal = str(tmp_path / "run.db")
    first = Models(case)
    await run(case, first, journal=journal, budget=Budget(requests=most_of(case)))
    second = Models(case)
    outcome = await run(case, second, journal=journal, resume=True)
    assert outcome.answer.text == case.answer
    assert first.calls + second.calls == outcome.usage.requests == case.all_calls
    third = Models(case)
    again = await run(case, third, journal=journal, resume=True)
    assert third.calls == 0
    assert again.answer.text == case.answer


@of_all(CASES)
async def test_its_events_hang_in_a_tree(case):
    events = []
    await run(case, Models(case), events=events)
    opened = {""}
    for event in events:
        if isinstance(event, BranchOpened):
            parent, _, _ = event.path.rpartition("/")
            assert parent in opened
            opened.add(event.path)
        elif isinstance(event, StepTaken | CandidatesScored):
            assert event.path in opened
        elif isinstance(event, CallSettled):
            assert event.call.path.partition("#")[0] in opened
