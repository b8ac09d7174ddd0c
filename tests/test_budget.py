"""Budgets, holds, and waiting for a turn."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import anyio
import anyio.abc
import pytest

from orchestrator.budget import Budget, Headroom, Hold, Ledger
from orchestrator.errors import BudgetExceededError, DeadlineExceededError, InvalidInputError
from orchestrator.types import Usage


def written(tokens: int, *, requests: int = 1) -> Usage:
    return Usage(completion_tokens=tokens, requests=requests)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def others_run() -> None:
    """Let every task go on until it waits for something else."""
    for _ in range(10):
        await anyio.lowlevel.checkpoint()


class Asker:
    """Acquires in a task of its own, and remembers in `order` when it got through."""

    def __init__(self, group: anyio.abc.TaskGroup, order: list[str]) -> None:
        self.group, self.order = group, order
        self.holds: dict[str, Hold] = {}
        self.scopes: dict[str, anyio.CancelScope] = {}

    async def __call__(self, ledger: Ledger, name: str, worst: Usage, **options: Any) -> None:
        """Returns once the request has been granted or waits."""
        self.group.start_soon(partial(self._ask, ledger, name, worst, **options))
        await others_run()

    async def _ask(self, ledger: Ledger, name: str, worst: Usage, **options: Any) -> None:
        with anyio.CancelScope() as self.scopes[name]:
            self.holds[name] = await ledger.acquire(worst, **options)
            self.order.append(name)


# ------------------------------------------------------------------------------------------------- Budget


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"usd": -1}, "usd must be US dollars from 0 to 9,223,372, got -1"),
        ({"usd": float("nan")}, "usd .* got nan"),
        ({"usd": "two"}, "usd .* got 'two'"),
        ({"usd": 10_000_000}, "usd .* got 10000000"),
        ({"total_tokens": -1}, "total_tokens must be a whole number of at least 0, got -1"),
        ({"prompt_tokens": 1.5}, "prompt_tokens .* got 1.5"),
        ({"requests": True}, "requests .* got True"),
        ({"completion_tokens": 2**63}, "completion_tokens .* got 9223372036854775808"),
        ({"seconds": -0.1}, "seconds must be finite and at least 0, got -0.1"),
        ({"seconds": float("inf")}, "seconds .* got inf"),
        ({"seconds": "5"}, "seconds .* got '5'"),
    ],
)
def test_a_bad_limit_says_which_and_what_was_given(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Budget(**limits)


@pytest.mark.parametrize("usd", [0.1, "0.1", Decimal("0.1")])
def test_a_tenth_of_a_dollar_is_one_however_it_is_written(usd: Any) -> None:
    budget = Budget(usd=usd)
    assert budget.picodollars == 100_000_000_000
    assert budget.usd is usd


def test_a_money_limit_is_rounded_down_to_a_picodollar() -> None:
    assert Budget(usd="0.0000000000019").picodollars == 1


# ------------------------------------------------------------------------------------------ reserve, commit


def test_a_committed_hold_spends_what_was_used_and_gives_back_the_rest() -> None:
    ledger = Ledger(Budget(total_tokens=100))
    with ledger.reserve(prompt_tokens=20, completion_tokens=40) as hold:
        assert ledger.held == Usage(prompt_tokens=20, completion_tokens=40, requests=1)
        used = Usage(
            prompt_tokens=20,
            completion_tokens=5,
            requests=1,
            picodollars=7,
            cached_tokens=3,
            reasoning_tokens=2,
            seconds=0.25,
            estimated=True,
        )
        hold.commit(used)
    assert ledger.spent == used
    assert ledger.held == Usage()


def test_leaving_the_block_without_a_commit_gives_everything_back() -> None:
    ledger = Ledger(Budget(total_tokens=100))
    with pytest.raises(KeyError), ledger.reserve(completion_tokens=40):
        raise KeyError
    assert (ledger.spent, ledger.held) == (Usage(), Usage())


def test_a_commit_without_requests_counts_those_held() -> None:
    ledger = Ledger()
    ledger.reserve(requests=2).commit(Usage())
    assert ledger.spent.requests == 2


def test_a_refusal_names_the_account_the_resource_and_what_is_left() -> None:
    run = Ledger(Budget(usd="0.10"))
    problem = run.child(Budget(total_tokens=50), label="p1")
    with pytest.raises(BudgetExceededError) as caught:
        problem.reserve(total_tokens=60)
    error = caught.value
    assert (error.account, error.resource, error.requested, error.remaining) == ("p1", "total_tokens", 60, 50)
    assert not error.in_flight
    assert str(error) == "budget of 'p1': 60 total_tokens asked for, 50 left"
    with pytest.raises(BudgetExceededError, match=r"budget of 'run': 0\.3 usd asked for, 0\.1 left"):
        problem.reserve(usd=0.3)


async def test_an_error_has_the_account_itself_for_several_may_have_one_label() -> None:
    clock = Clock()
    run = Ledger(Budget(requests=1), label="run", clock=clock)
    branch = run.child(Budget(total_tokens=5, seconds=5), label="run")
    leaf = branch.child(label="run")
    with pytest.raises(BudgetExceededError, match="'run': 6 total_tokens") as refused:
        leaf.reserve(total_tokens=6)
    assert refused.value.ledger is branch
    with pytest.raises(BudgetExceededError, match="'run': 2 requests") as refused:
        await leaf.acquire(written(5, requests=2))
    assert refused.value.ledger is run
    clock.now += 6
    with pytest.raises(DeadlineExceededError, match="'run'") as late:
        leaf.reserve()
    assert late.value.ledger is branch
    assert leaf.late().ledger is branch


def test_a_refusal_tells_when_only_calls_in_flight_are_in_the_way() -> None:
    ledger = Ledger(Budget(requests=1))
    hold = ledger.reserve()
    with pytest.raises(BudgetExceededError, match="held by calls in flight") as caught:
        ledger.reserve()
    assert caught.value.in_flight
    hold.release()
    ledger.reserve().commit(Usage())
    with pytest.raises(BudgetExceededError) as caught:
        ledger.reserve()
    assert not caught.value.in_flight


def test_limits_nest_and_every_account_above_is_charged() -> None:
    run = Ledger(Budget(total_tokens=100))
    branch = run.child(label="p").child(Budget(requests=3), label="b")
    branch.reserve(completion_tokens=70).commit(written(60))
    assert run.spent == branch.spent == written(60)
    with pytest.raises(BudgetExceededError, match="'run': 41 total_tokens asked for, 40 left"):
        branch.reserve(completion_tokens=41)
    assert branch.parent is not None
    assert branch.parent.parent is run


def test_an_answer_longer_than_its_hold_is_overrun_and_blocks_what_follows() -> None:
    ledger = Ledger(Budget(total_tokens=100))
    ledger.reserve(completion_tokens=10).commit(written(130))
    statistics = ledger.statistics()
    assert statistics.overrun == Usage(completion_tokens=120)
    assert statistics.overruns == 1
    assert statistics.remaining.total_tokens == -30
    with pytest.raises(BudgetExceededError, match="1 total_tokens asked for, -30 left"):
        ledger.reserve(completion_tokens=1)


def test_a_hold_ends_once() -> None:
    ledger = Ledger()
    hold = ledger.reserve(completion_tokens=10)
    hold.commit(written(5))
    hold.release()
    with pytest.raises(RuntimeError, match="cannot commit a hold that has ended"):
        hold.commit(written(5))
    with pytest.raises(RuntimeError, match="cannot settle a hold that has ended"):
        hold.settle(written(5))
    assert ledger.spent == written(5)


def test_settle_charges_a_failed_attempt_and_keeps_the_rest() -> None:
    ledger = Ledger()
    hold = ledger.reserve(completion_tokens=10)
    hold.settle(written(4))
    assert ledger.held == Usage(completion_tokens=6)
    assert hold.worst_case == written(10)


@pytest.mark.parametrize(
    "amounts",
    [
        {"prompt_tokens": -1},
        {"completion_tokens": 1.5},
        {"picodollars": 2**63},
        {"usd": -1},
        {"usd": 1, "picodollars": 1},
        {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 10},
    ],
)
def test_amounts_out_of_range_are_the_callers_mistake(amounts: dict[str, Any]) -> None:
    ledger = Ledger()
    with pytest.raises(InvalidInputError):
        ledger.reserve(**amounts)
    assert ledger.held == Usage()


@pytest.mark.parametrize(
    "usage",
    [Usage(prompt_tokens=-1), Usage(picodollars=2**63), Usage(seconds=float("nan")), Usage(seconds=1e300)],
)
def test_usage_out_of_range_is_refused_and_the_hold_stays(usage: Usage) -> None:
    ledger = Ledger()
    hold = ledger.reserve(completion_tokens=10)
    for take in (hold.commit, hold.settle, ledger.charge):
        with pytest.raises(InvalidInputError):
            take(usage)
    assert ledger.held == written(10)
    assert ledger.spent == Usage()


def test_total_tokens_can_be_held_alone() -> None:
    ledger = Ledger(Budget(total_tokens=100))
    hold = ledger.reserve(total_tokens=60)
    assert ledger.held.total_tokens == hold.worst_case.total_tokens == 60


def test_charge_records_without_a_hold_below_an_ancestor() -> None:
    run = Ledger()
    problem = run.child(label="p")
    branch = problem.child(label="b")
    branch.charge(written(5))
    branch.charge(written(7), below=run)
    assert (run.spent, problem.spent) == (written(5), written(12, requests=2))
    with pytest.raises(InvalidInputError, match="cannot charge run below b"):
        run.charge(written(1), below=branch)


def test_headroom_is_the_least_up_the_chain_with_nothing_in_flight() -> None:
    run = Ledger(Budget(total_tokens=100, usd=1))
    problem = run.child(Budget(total_tokens=80, requests=5), label="p")
    run.charge(written(30))
    hold = problem.reserve(completion_tokens=20)
    assert problem.headroom() == Headroom(
        prompt_tokens=None, completion_tokens=None, total_tokens=70, requests=5, picodollars=10**12
    )
    hold.release()


def test_the_earliest_deadline_counts_and_refuses() -> None:
    clock = Clock()
    run = Ledger(Budget(seconds=60), clock=clock)
    problem = run.child(Budget(seconds=5), label="p").child(Budget(seconds=90), label="b")
    assert (problem.deadline, problem.seconds_left(), run.deadline) == (105.0, 5.0, 160.0)
    clock.now = 105.0
    with pytest.raises(DeadlineExceededError, match="the deadline of 'p' has passed"):
        problem.reserve()
    run.reserve().release()
    assert Ledger().deadline is None
    assert Ledger().seconds_left() is None


def test_a_ledger_shows_itself_in_a_line() -> None:
    ledger = Ledger(Budget(total_tokens=2000, usd="2.5"), label="p1")
    hold = ledger.reserve(completion_tokens=500)
    ledger.charge(Usage(prompt_tokens=1100, requests=1, picodollars=250_000_000_000))
    assert repr(ledger) == (
        "<Ledger 'p1': 1,100 prompt_tokens, 1,100/2,000 total_tokens, 1 requests, 0.25/2.5 usd, 1 in flight>"
    )
    assert repr(hold) == ("<Hold on 'p1', open: 500 completion_tokens, 500 total_tokens, 1 requests>")


def test_problems_that_are_done_with_leave_nothing_behind() -> None:
    run = Ledger()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for i in range(1000):
            run.child(Budget(requests=1), label=str(i)).reserve().commit(Usage())
        assert len(gc.get_objects()) - before < 100
    finally:
        gc.enable()
    assert run.spent.requests == 1000


# ---------------------------------------------------------------------------------------------- acquire


async def test_acquire_takes_at_once_what_fits() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    with await ledger.acquire(written(10)) as hold:
        hold.commit(written(4))
    assert ledger.spent == written(4)


async def test_waiting_is_first_come_first_served() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    holds = [ledger.reserve(completion_tokens=5), ledger.reserve(completion_tokens=5)]
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        for name in "abcd":
            await ask(ledger, name, written(5))
        assert (order, ledger.statistics().waiting) == ([], 4)
        holds[0].release()
        await others_run()
        assert order == ["a"]
        holds[1].release()
        ask.holds["a"].release()
        await others_run()
        assert order == ["a", "b", "c"]
        ask.holds["b"].release()
    assert order == ["a", "b", "c", "d"]
    assert ledger.statistics().waiting == 0


async def test_small_newcomers_do_not_starve_a_big_waiter() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    first, second = ledger.reserve(completion_tokens=4), ledger.reserve(completion_tokens=4)
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(ledger, "big", written(10))
        await ask(ledger.child(label="p"), "small", written(1))  # would fit, but came later
        first.release()
        await others_run()
        assert order == []
        second.release()
        await others_run()
        assert order == ["big"]
        ask.holds["big"].commit(written(2))
    assert order == ["big", "small"]


async def test_a_waiter_does_not_block_branches_that_do_not_share_its_shortage() -> None:
    run = Ledger(Budget(total_tokens=100))
    one, two = run.child(Budget(requests=1), label="one"), run.child(Budget(requests=1), label="two")
    hold = one.reserve()
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(one, "one", written(5))
        await ask(two, "two", written(5))
        assert order == ["two"]
        assert (one.statistics().waiting, run.statistics().waiting) == (1, 0)
        hold.release()
    assert order == ["two", "one"]


async def test_a_waiter_that_is_stopped_further_up_keeps_its_ticket_there() -> None:
    run = Ledger(Budget(total_tokens=10))
    one, two = run.child(Budget(requests=1), label="one"), run.child(label="two")
    busy, full = one.reserve(requests=1), two.reserve(completion_tokens=6)
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(one, "earlier", written(10))
        await ask(two, "later", written(5))
        busy.release()  # now the run is short for both, and the one that came first goes first
        await others_run()
        assert (one.statistics().waiting, run.statistics().waiting) == (0, 2)
        full.release()
        await others_run()
        assert order == ["earlier"]
        ask.holds["earlier"].release()
    assert order == ["earlier", "later"]


async def test_cancelling_the_first_lets_the_next_one_through() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    hold = ledger.reserve(completion_tokens=6)
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(ledger, "big", written(10))
        await ask(ledger, "small", written(4))
        ask.scopes["big"].cancel()
    assert order == ["small"]
    assert ledger.held.total_tokens == 10
    hold.release()


async def test_cancelled_after_it_was_granted_it_gives_back() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    hold = ledger.reserve(completion_tokens=10)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(ledger.acquire(written(10)))
        second = group.create_task(ledger.acquire(written(10)))
        await others_run()
        hold.release()  # grants the first, which has not run yet
        assert (ledger.held.total_tokens, ledger.statistics().waiting) == (10, 1)
        first.cancel()
    assert first.cancelled()
    second.result().release()
    assert ledger.held == Usage()


@pytest.mark.parametrize("steps", range(12))
async def test_cancelled_at_any_step_nothing_stays_held(steps: int) -> None:
    ledger = Ledger(Budget(total_tokens=100))
    first = ledger.reserve(completion_tokens=100)

    async def call() -> None:
        with await ledger.acquire(written(45)) as hold:
            hold.settle(written(3))
            await anyio.lowlevel.checkpoint()
            await hold.restore()
            await anyio.lowlevel.checkpoint()
            hold.commit(written(2))

    tasks = [asyncio.ensure_future(call()) for _ in range(4)]  # two fit at once
    for step in range(steps):
        if step == 3:
            first.release()
        await anyio.lowlevel.checkpoint()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    first.release()
    assert ledger.held == Usage()
    assert ledger.statistics().waiting == ledger.statistics().holds == 0


async def test_what_cannot_fit_even_alone_is_refused_without_waiting() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    hold = ledger.reserve(completion_tokens=10)
    with pytest.raises(BudgetExceededError) as caught:
        await ledger.acquire(written(11))
    assert not caught.value.in_flight
    hold.release()


def shrink_to_fit(headroom: Headroom) -> Usage | None:
    return written(headroom.total_tokens) if headroom.total_tokens else None


async def test_what_cannot_fit_even_alone_shrinks_to_what_does() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    hold = await ledger.acquire(written(50), shrink=shrink_to_fit)
    assert hold.worst_case == written(10)
    hold.release()


async def test_a_shrunk_request_waits_and_shrinks_again_when_more_was_spent() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    first = ledger.reserve(completion_tokens=7)
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(ledger, "a", written(50), shrink=shrink_to_fit)
        assert order == []
        first.commit(written(6))
    assert ask.holds["a"].worst_case == written(4)


async def test_a_waiter_whose_request_can_no_longer_fit_is_refused() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    first = ledger.reserve(completion_tokens=10)

    async def ask() -> None:
        with pytest.raises(BudgetExceededError, match="5 total_tokens asked for, 2 left"):
            await ledger.acquire(written(5))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await others_run()
        first.commit(written(8))


async def test_shrinking_to_what_does_not_fit_is_refused_instead_of_asked_for_ever() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    with pytest.raises(BudgetExceededError, match="20 total_tokens asked for, 10 left"):
        await ledger.acquire(written(50), shrink=lambda headroom: written(20))


async def test_an_error_in_shrink_is_raised_where_it_was_asked_and_not_where_it_was_run() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    first = ledger.reserve(completion_tokens=10)

    def broken(headroom: Headroom) -> Usage | None:
        raise KeyError("broken")

    async def ask() -> None:
        with pytest.raises(KeyError, match="broken"):
            await ledger.acquire(written(5), shrink=broken)

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await others_run()
        first.commit(written(8))
    assert ledger.held == Usage()


async def test_a_number_out_of_range_is_an_error_when_its_turn_comes() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    hold = ledger.reserve(completion_tokens=10)

    async def ask() -> None:
        with pytest.raises(InvalidInputError, match="whole numbers below"):
            await ledger.acquire(written(2**64))

    async with anyio.create_task_group() as group:
        await Asker(group, order := [])(ledger, "a", written(5))
        group.start_soon(ask)
        await others_run()
        assert ledger.statistics().waiting == 2
        hold.release()
    assert order == ["a"]
    assert ledger.statistics().waiting == 0


async def test_the_deadline_ends_waiting() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    problem = ledger.child(Budget(seconds=0.01), label="p")
    hold = ledger.reserve(completion_tokens=10)
    with pytest.raises(DeadlineExceededError, match="the deadline of 'p' has passed"):
        await problem.acquire(written(5))
    assert ledger.statistics().waiting == 0
    hold.release()
    assert ledger.held == Usage()


async def test_a_deadline_that_passed_before_the_turn_came_is_an_error() -> None:
    clock = Clock()
    ledger = Ledger(Budget(total_tokens=10, seconds=30), clock=clock)
    hold = ledger.reserve(completion_tokens=10)

    async def ask() -> None:
        with pytest.raises(DeadlineExceededError, match="'run'"):
            await ledger.acquire(written(5))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await others_run()
        clock.now += 31
        hold.release()
    assert ledger.held == Usage()


async def test_a_hold_released_on_another_thread_wakes_the_waiter() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    first = ledger.reserve(completion_tokens=10)
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(ledger, "a", written(10))
        thread = threading.Thread(target=first.commit, args=(written(0),))
        thread.start()
        thread.join()
        assert order == []  # granted, and woken on this loop at its next turn
        assert ledger.held.total_tokens == 10
    assert order == ["a"]


async def test_a_hold_that_is_dropped_wakes_the_waiter() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    holds = [ledger.reserve(completion_tokens=10)]
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(ledger, "a", written(10))
        holds.clear()
    assert order == ["a"]


async def test_a_waiter_may_be_dropped_in_the_middle_of_serving_others() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    first = ledger.reserve(completion_tokens=10)
    dropped = ledger.acquire(written(10))

    def shrink(headroom: Headroom) -> Usage | None:
        dropped.close()  # as the garbage collector may, at any moment
        return shrink_to_fit(headroom)

    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(ledger, "a", written(8), shrink=shrink)
        dropped.send(None)
        assert ledger.statistics().waiting == 2
        first.commit(written(4))
    assert order == ["a"]
    assert ask.holds["a"].worst_case == written(6)
    assert ledger.statistics().waiting == 0


async def test_what_was_granted_to_a_loop_that_is_gone_is_passed_on() -> None:
    ledger = Ledger(Budget(total_tokens=10))
    first = ledger.reserve(completion_tokens=10)
    waiting = []

    def abandon() -> None:
        loop = asyncio.new_event_loop()
        waiting.append(loop.create_task(ledger.acquire(written(10))))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=abandon)
    thread.start()
    thread.join()
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(ledger, "b", written(10))
        first.release()
    assert order == ["b"]
    waiting[0].get_coro().close()
    waiting[0]._log_destroy_pending = False  # its loop is gone on purpose
    assert ledger.held.total_tokens == 10


# ---------------------------------------------------------------------------------------------- restore


async def test_restore_holds_the_worst_case_again() -> None:
    ledger = Ledger(Budget(total_tokens=20))
    with await ledger.acquire(written(10)) as hold:
        hold.settle(written(10))
        assert ledger.held == Usage()
        await hold.restore()
        assert ledger.held == written(10)
        hold.commit(written(10))
    assert ledger.spent == written(20, requests=2)


async def test_calls_that_restore_do_not_wait_for_each_other_for_ever() -> None:
    ledger = Ledger(Budget(total_tokens=24))
    done = []

    async def call(name: str) -> None:
        with await ledger.acquire(written(10)) as hold:
            await others_run()
            hold.settle(written(3))  # both hold 7 and lack 3, with 4 left between them
            await others_run()
            await hold.restore()
            await others_run()
            hold.commit(written(1))
            done.append(name)

    async with anyio.create_task_group() as group:
        group.start_soon(call, "a")
        group.start_soon(call, "b")
    assert sorted(done) == ["a", "b"]
    assert ledger.spent == written(8, requests=4)
    assert ledger.held == Usage()


async def test_restore_gives_up_what_it_holds_while_it_waits() -> None:
    ledger = Ledger(Budget(total_tokens=20))
    hold, other = await ledger.acquire(written(10)), ledger.reserve(completion_tokens=10)
    hold.settle(written(5))
    async with anyio.create_task_group() as group:
        group.start_soon(hold.restore)
        await others_run()
        assert ledger.held == written(10)  # the other's alone
        other.release()
    assert ledger.held == hold.worst_case == written(10)


async def test_restore_that_can_no_longer_fit_raises_with_nothing_held() -> None:
    ledger = Ledger(Budget(total_tokens=12))
    hold = await ledger.acquire(written(10))
    hold.settle(written(5))
    with pytest.raises(BudgetExceededError, match="10 total_tokens asked for, 7 left") as caught:
        await hold.restore()
    assert not caught.value.in_flight
    assert ledger.held == Usage()
    hold.release()


async def test_restore_after_the_deadline_raises_with_nothing_held() -> None:
    clock = Clock()
    ledger = Ledger(Budget(seconds=5), clock=clock)
    hold = await ledger.acquire(written(10))
    hold.settle(written(5))
    clock.now += 6
    with pytest.raises(DeadlineExceededError):
        await hold.restore()
    assert ledger.held == Usage()


async def test_a_hold_that_may_shrink_is_restored_to_what_is_left() -> None:
    ledger = Ledger(Budget(total_tokens=100))
    hold = await ledger.acquire(written(80), shrink=shrink_to_fit)
    hold.settle(written(70))
    await hold.restore()
    assert hold.worst_case.completion_tokens == 30
    hold.commit(written(30))
    assert ledger.spent.completion_tokens == 100
    assert ledger.held == Usage()


async def test_an_ended_hold_cannot_be_restored() -> None:
    hold = await Ledger().acquire(written(10))
    hold.release()
    with pytest.raises(RuntimeError, match="cannot top up a hold that has ended"):
        await hold.restore()


# -------------------------------------------------------------------------------------------------- kept


def test_what_is_kept_is_spent_for_others_and_there_for_the_account() -> None:
    run = Ledger(Budget(requests=3, usd="0.10"))
    finishing, other = run.child(label="finish"), run.child(label="other")
    assert finishing.keep(Usage(requests=2, picodollars=30_000_000_000)) == Usage(
        requests=2, picodollars=30_000_000_000
    )
    assert (
        run.statistics().kept == finishing.statistics().kept == Usage(requests=2, picodollars=30_000_000_000)
    )
    assert (other.headroom().requests, other.headroom().picodollars) == (1, 70_000_000_000)
    assert (finishing.headroom().requests, finishing.headroom().picodollars) == (3, 100_000_000_000)
    with pytest.raises(BudgetExceededError, match="2 requests asked for, 1 left") as caught:
        other.reserve(requests=2)
    assert not caught.value.in_flight
    finishing.reserve(requests=3).release()


def test_what_is_kept_is_no_more_than_what_is_free() -> None:
    run = Ledger(Budget(total_tokens=100))
    finishing = run.child(Budget(requests=1), label="finish")
    with run.reserve(completion_tokens=60):
        kept = finishing.keep(Usage(prompt_tokens=30, completion_tokens=20, requests=2))
    assert kept.total_tokens == 50  # nothing limits the parts of the total; of that, 40 are free
    assert kept.requests == 1
    assert run.headroom().total_tokens == 60


def test_what_is_kept_goes_with_its_account() -> None:
    run = Ledger(Budget(requests=1))
    finishing = run.child(label="finish")
    finishing.keep(Usage(requests=1))
    assert run.headroom().requests == 0
    del finishing
    gc.collect()
    assert run.headroom().requests == 1
    assert run.statistics().kept == Usage()


def test_what_a_resumed_part_has_spent_before_does_not_count_as_what_is_kept_for_it() -> None:
    run = Ledger(Budget(requests=4))
    run.charge(Usage(requests=2))
    finishing = run.child(label="finish")
    finishing.charge(Usage(requests=2), below=run)
    finishing.keep(Usage(requests=1))
    assert run.headroom().requests == 1
    finishing.reserve().commit(Usage(requests=1))
    assert run.headroom().requests == 1
    assert run.statistics().kept == Usage()


@pytest.mark.parametrize("amounts", [Usage(requests=-1), Usage(completion_tokens=2**64)])
def test_amounts_that_cannot_be_kept_are_refused(amounts: Usage) -> None:
    run = Ledger(Budget(requests=4))
    with pytest.raises(InvalidInputError):
        run.keep(amounts)
    assert run.statistics().kept == Usage()


async def test_nobody_waits_for_what_is_kept() -> None:
    run = Ledger(Budget(total_tokens=10))
    finishing, search = run.child(label="finish"), run.child(label="search")
    finishing.keep(written(4))
    with pytest.raises(BudgetExceededError, match="7 total_tokens asked for, 6 left"):
        await search.acquire(written(7))
    with await search.acquire(written(7), shrink=shrink_to_fit) as hold:
        assert hold.worst_case == written(6)


async def test_those_who_wait_are_served_when_it_is_given_up() -> None:
    run = Ledger(Budget(total_tokens=10))
    finishing = run.child(label="finish")
    first = run.reserve(completion_tokens=4)
    finishing.keep(written(3))
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(run, "search", written(6))  # would fit were the first call not in flight
        assert order == []
        finishing.give_up()
        await others_run()
        assert order == ["search"]
    first.release()
    ask.holds["search"].release()
    assert run.held == Usage()


async def test_what_is_kept_is_not_waited_for_behind_those_who_wait() -> None:
    run = Ledger(Budget(total_tokens=10))
    finishing = run.child(label="finish")
    finishing.keep(written(3))
    first = run.reserve(completion_tokens=5)
    async with anyio.create_task_group() as group:
        ask = Asker(group, order := [])
        await ask(run, "search", written(6))
        await ask(finishing, "more than is kept", written(4))
        assert order == []
        await ask(finishing, "kept", written(3))
        assert order == ["kept"]
        assert run.statistics().waiting == 2
        ask.holds["kept"].commit(written(3))
        first.release()
        await others_run()
        assert order == ["kept", "search"]
        ask.holds["search"].release()
    assert order == ["kept", "search", "more than is kept"]


# ----------------------------------------------------------------------------------------- all together


def tree() -> tuple[Ledger, list[Ledger]]:
    run = Ledger(Budget(total_tokens=6_000, requests=900))
    problems = [run.child(Budget(total_tokens=2_500, requests=40 * i + 200), label=str(i)) for i in range(4)]
    return run, [problem.child(label="b") for problem in problems for _ in range(3)] + problems


async def call_at_random(ledgers: list[Ledger], chance: random.Random, check: Callable[[], None]) -> None:
    """Calls that take turns, fail, retry, shrink and are cancelled, until the budget is spent."""
    while True:
        most = chance.randint(1, 60)
        try:
            with anyio.CancelScope() as scope:
                if chance.random() < 0.2:
                    asyncio.get_running_loop().call_soon(scope.cancel)
                ledger = chance.choice(ledgers)
                if chance.random() < 0.3:
                    ledger = ledger.child(label="finish")
                    ledger.keep(written(chance.randint(1, 60)))
                with await ledger.acquire(written(most), shrink=shrink_to_fit) as hold:
                    check()
                    most = hold.worst_case.completion_tokens
                    await anyio.lowlevel.checkpoint()
                    if chance.random() < 0.3:
                        hold.settle(written(chance.randint(0, most)))
                        await hold.restore()
                        most = hold.worst_case.completion_tokens
                    if chance.random() < 0.7:
                        hold.commit(written(chance.randint(0, most)))
                check()
        except BudgetExceededError:
            return


def within_limits(run: Ledger, problems: list[Ledger]) -> None:
    for ledger in (run, *problems):
        state, limits = ledger._account.statistics(), ledger._account.limits
        for taken, limit in zip(zip(state.spent, state.held, state.kept, strict=True), limits, strict=True):
            assert limit is None or sum(taken) <= limit


@pytest.mark.parametrize("seed", range(5))
async def test_any_number_of_tasks_stay_within_every_limit_and_none_waits_for_ever(seed: int) -> None:
    run, ledgers = tree()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for i in range(20):
                chance = random.Random(f"{seed}/{i}")
                group.start_soon(call_at_random, ledgers, chance, partial(within_limits, run, ledgers[-4:]))
    assert run.held == Usage()
    assert run.statistics().waiting == run.statistics().holds == 0
    assert run.spent.completion_tokens > 5_000 or run.spent.requests > 850


def test_event_loops_on_several_threads_share_a_ledger() -> None:
    run, ledgers = tree()
    failures: list[BaseException] = []

    async def some(me: int) -> None:
        async with anyio.create_task_group() as group:
            for i in range(6):
                chance = random.Random(f"{me}/{i}")
                group.start_soon(call_at_random, ledgers, chance, partial(within_limits, run, ledgers[-4:]))

    def work(me: int) -> None:
        try:
            asyncio.run(asyncio.wait_for(some(me), 60))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert run.held == Usage()
    assert run.statistics().waiting == run.statistics().holds == 0


def test_a_budget_is_written_in_words():
    assert str(Budget(usd="0.10", total_tokens=3000, requests=5, seconds=1.5)) == (
        "$0.10, 3,000 total tokens, 5 requests, 1.5 seconds"
    )
    assert str(Budget()) == "no limits"
