import random

import pytest

from orchestrator.backends import Retry, RetryPolicy, ScriptedBackend
from orchestrator.errors import (
    AuthenticationError,
    ConnectFailedError,
    InvalidInputError,
    RateLimitedError,
    StatusError,
)
from orchestrator.types import Request

ASK = Request(messages=({"role": "user", "content": "hi"},), max_tokens=8)


def retrying(script, *, events=None, slept=None, **policy):
    async def sleep(seconds):
        (slept if slept is not None else []).append(seconds)

    emit = (events if events is not None else []).append
    return Retry(
        ScriptedBackend(script), policy=RetryPolicy(**policy), emit=emit, rng=random.Random(0), sleep=sleep
    )


async def test_a_passing_failure_is_tried_again_and_told_to_the_recorders():
    events = []
    backend = retrying([ConnectFailedError("no"), StatusError.of(500, "oops"), "fine"], events=events)
    assert [sample.text for sample in await backend.complete(ASK)] == ["fine"]
    assert [event.attempt for event in events] == [1, 2]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_mistake_of_the_caller_is_not_tried_again(status):
    backend = retrying([StatusError.of(status, "no"), "never"])
    with pytest.raises(StatusError) as caught:
        await backend.complete(ASK)
    assert caught.value.status == status


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
async def test_a_passing_status_is_tried_again(status):
    assert (await retrying([StatusError.of(status, "later"), "fine"]).complete(ASK))[0].text == "fine"


async def test_the_attempts_are_counted():
    backend = retrying([ConnectFailedError("no")] * 5, attempts=3)
    with pytest.raises(ConnectFailedError):
        await backend.complete(ASK)
    assert [request.attempt for request in backend.inner.requests] == [0, 1, 2]


async def test_the_server_is_not_asked_again_before_the_time_it_named():
    slept = []
    backend = retrying([RateLimitedError("slow", status=429, retry_after=7.5), "fine"], slept=slept)
    await backend.complete(ASK)
    assert slept == [7.5]


async def test_a_server_that_asks_for_too_long_a_wait_is_given_up_on():
    backend = retrying([RateLimitedError("tomorrow", status=429, retry_after=86400.0), "never"])
    with pytest.raises(RateLimitedError):
        await backend.complete(ASK)


def test_delays_are_drawn_below_a_doubling_bound_and_a_cap():
    policy, rng = RetryPolicy(attempts=20, base=1.0, cap=10.0), random.Random(1)
    error = ConnectFailedError("no")
    for attempt, bound in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (15, 10.0)]:
        drawn = [policy.delay(attempt, error, rng) for _ in range(200)]
        assert 0.0 <= min(drawn) < 0.1 * bound
        assert 0.9 * bound < max(drawn) <= bound


def test_fatal_errors_have_no_delay():
    assert RetryPolicy().delay(1, AuthenticationError("key", status=401), random.Random()) is None


def test_a_policy_without_attempts_is_refused():
    with pytest.raises(InvalidInputError, match="attempts"):
        RetryPolicy(attempts=0)
