import anyio
import pytest

from orchestrator.backends import AdaptiveLimit, FunctionBackend, Limited, ScriptedBackend
from orchestrator.backends.limited import TokenBucket
from orchestrator.budget import Budget, Ledger
from orchestrator.errors import InvalidInputError, RateLimitedError
from orchestrator.types import Request, Sample, Usage

ASK = Request(messages=({"role": "user", "content": "hi"},), max_tokens=8)


def saturate(limit, rounds):
    for _ in range(rounds):
        limit.on_success(saturated=True)


def test_the_limit_doubles_with_every_full_round_until_the_first_429():
    limit = AdaptiveLimit(64, start=4)
    saturate(limit, 4)
    assert limit.value == 8
    saturate(limit, 8)
    assert limit.value == 16


def test_a_429_cuts_by_a_fifth_once_per_cooldown_and_growth_is_slow_after():
    limit = AdaptiveLimit(64, start=20, cooldown=1.0)
    limit.on_rate_limited(now=10.0)
    limit.on_rate_limited(now=10.5)
    assert limit.value == 16
    limit.on_rate_limited(now=11.0)
    assert limit.value == 12
    saturate(limit, 14)
    assert limit.value == 13


def test_the_limit_stays_between_one_and_the_maximum():
    limit = AdaptiveLimit(4, cooldown=0.0)
    saturate(limit, 50)
    assert limit.value == 4
    for now in range(50):
        limit.on_rate_limited(now=float(now))
    assert limit.value == 1


def test_an_endpoint_that_is_not_saturated_does_not_raise_the_limit():
    limit = AdaptiveLimit(64, start=10)
    for _ in range(100):
        limit.on_success(saturated=False)
    assert limit.value == 10


@pytest.mark.parametrize("maximum", [0, -1])
def test_a_limit_below_one_is_refused(maximum):
    with pytest.raises(InvalidInputError, match="at least 1"):
        AdaptiveLimit(maximum)


def test_a_bucket_of_sixty_a_minute_lets_one_a_second_through_once_empty():
    now = 0.0
    bucket = TokenBucket(60, clock=lambda: now)
    assert [bucket.take(1) for _ in range(60)] == [0.0] * 60
    assert bucket.take(1) == pytest.approx(1.0)
    now = 1.0
    assert bucket.take(1) == pytest.approx(1.0)
    bucket.give_back(2)
    assert bucket.take(1) == pytest.approx(0.0)


def test_more_than_a_minutes_worth_waits_a_minute_and_not_for_ever():
    bucket = TokenBucket(60, clock=lambda: 0.0)
    assert bucket.take(1_000_000) == 0.0
    assert bucket.take(1) == pytest.approx(1.0)


async def run_calls(limited, count):
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(limited.complete, ASK)


async def test_no_more_calls_than_the_limit_are_in_flight():
    gate = anyio.Event()
    most = 0

    async def answer(request):
        nonlocal most
        most = max(most, limited.in_flight)
        if limited.in_flight == 3:
            gate.set()
        await gate.wait()
        return "ok"

    limited = Limited(FunctionBackend(answer), limit=AdaptiveLimit(3), emit=lambda event: None)
    await run_calls(limited, 10)
    assert most == 3
    assert limited.in_flight == 0


async def test_a_weighted_request_takes_as_many_slots_as_it_has_choices():
    widths = []

    async def answer(request):
        widths.append(limited.in_flight)
        return ["ok"] * request.n

    limited = Limited(FunctionBackend(answer), limit=AdaptiveLimit(8), weighted=True, emit=lambda event: None)
    async with anyio.create_task_group() as tasks:
        for n in (4, 8, 3, 20):
            tasks.start_soon(limited.complete, ASK.replace(n=n))
    assert widths == [4, 8, 3, 20]
    assert limited.in_flight == 0


async def test_a_call_cancelled_while_waiting_for_its_turn_does_not_lose_a_slot():
    gate = anyio.Event()

    async def answer(request):
        await gate.wait()
        return "ok"

    limited = Limited(FunctionBackend(answer), limit=AdaptiveLimit(1), emit=lambda event: None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(limited.complete, ASK)
        await anyio.wait_all_tasks_blocked()
        with anyio.CancelScope() as waiting:
            tasks.start_soon(limited.complete, ASK)
            async with anyio.create_task_group() as inner:
                inner.start_soon(limited.complete, ASK)
                await anyio.wait_all_tasks_blocked()
                inner.cancel_scope.cancel()
        assert not waiting.cancelled_caught
        gate.set()
    assert limited.in_flight == 0


async def test_a_rate_limit_error_slows_down_and_passes_on():
    events = []
    backend = ScriptedBackend([RateLimitedError("slow down", status=429)])
    limited = Limited(backend, limit=AdaptiveLimit(10), emit=events.append)
    with pytest.raises(RateLimitedError):
        await limited.complete(ASK)
    assert limited.limit.value == 8
    assert [(event.limit, event.reason) for event in events] == [(8, "429")]


def test_a_call_worth_more_than_a_minute_does_not_refill_the_bucket():
    bucket = TokenBucket(60, clock=lambda: 0.0)
    bucket.take(1_000)
    bucket.give_back(1_000, used=50)
    assert bucket.take(10) == 0.0
    assert bucket.take(1) == pytest.approx(1.0)


async def test_tokens_a_minute_hold_for_calls_whose_worst_case_is_larger_than_that():
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    async def answer(request):
        return Sample(text="ok", usage=Usage(completion_tokens=60, requests=1))

    limited = Limited(
        FunctionBackend(answer),
        limit=AdaptiveLimit(1),
        tokens_per_minute=60,
        emit=lambda event: None,
        clock=lambda: 0.0,
        sleep=sleep,
    )
    ledger = Ledger(Budget())
    for _ in range(2):
        with ledger.reserve(completion_tokens=1_000, requests=1) as hold:
            await limited.complete(ASK.replace(hold=hold))
    assert waits == [pytest.approx(60.0)]


async def test_a_call_cancelled_while_it_waits_for_the_rate_leaves_its_share_to_the_others():
    limited = Limited(
        ScriptedBackend([]),
        limit=AdaptiveLimit(64),
        requests_per_minute=1,
        emit=lambda event: None,
        clock=lambda: 0.0,
        sleep=refused_when_short,
    )
    limited._requests.take(1)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            await limited.complete(ASK)
    assert limited._requests.take(1) == pytest.approx(60.0)


async def refused_when_short(seconds):
    raise TimeoutError(f"{seconds} s")
