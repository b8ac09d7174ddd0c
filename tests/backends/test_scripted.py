"""ScriptedBackend plays a model."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from orchestrator.backends.base import Backend
from orchestrator.backends.scripted import Scripted, ScriptedBackend, tokens_of
from orchestrator.errors import InvalidInputError, RateLimitedError, ScriptExhaustedError
from orchestrator.types import CallId, Price, Request, Sample, TokenLogprob, Usage

ASK = Request(prompt="What is 6 times 7?")


async def test_a_list_is_used_up_in_call_order_one_item_per_choice() -> None:
    backend = ScriptedBackend(["a", "b", "c"])
    assert [sample.text for sample in await backend.complete(ASK.replace(n=2))] == ["a", "b"]
    assert [sample.text for sample in await backend.complete(ASK.replace(n=2))] == ["c"]
    with pytest.raises(ScriptExhaustedError, match="no item left"):
        await backend.complete(ASK)
    assert isinstance(backend, Backend)


async def test_a_rule_answers_by_the_request() -> None:
    backend = ScriptedBackend(lambda request: str(request.seed))
    assert [sample.text for sample in await backend.complete(ASK.replace(n=2, seed=4))] == ["4", "4"]


async def test_a_mapping_answers_by_what_is_in_the_prompt() -> None:
    backend = ScriptedBackend({"times": ["42", "43"], "plus": ["13"]})
    chat = Request(messages=({"role": "user", "content": [{"type": "text", "text": "6 plus 7"}]},))
    assert [(await backend.complete(request))[0].text for request in (ASK, chat, ASK)] == ["42", "13", "43"]
    with pytest.raises(ScriptExhaustedError, match="'plus' has no item left"):
        await backend.complete(chat)
    with pytest.raises(ScriptExhaustedError, match="nothing for the prompt"):
        await backend.complete(Request(prompt="?"))


async def test_usage_counts_words_and_marks_and_is_what_was_announced() -> None:
    backend = ScriptedBackend(["The answer is 42.", "Yes"], price=Price(input=1, output=10, request=100))
    assert await backend.count_prompt_tokens(ASK) == 6
    samples = await backend.complete(ASK.replace(n=2))
    assert samples[0].usage == Usage(prompt_tokens=6, completion_tokens=5, requests=1, picodollars=156)
    assert samples[1].usage == Usage(completion_tokens=1, picodollars=10)


@pytest.mark.parametrize("text", ["", "one", " two  words\n", "x=1/2; ½ 数学", "\t"])
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokens_of(text)) == text


async def test_a_text_longer_than_the_cap_is_cut_as_a_model_would() -> None:
    [sample] = await ScriptedBackend(["one two three four"]).complete(ASK.replace(max_tokens=2))
    assert (sample.text, sample.truncated, sample.usage.completion_tokens) == ("one two", True, 2)


async def test_a_server_that_lies_about_usage_can_be_played() -> None:
    lie = Usage(prompt_tokens=1, completion_tokens=900, requests=1)
    [sample] = await ScriptedBackend([Scripted(text="a b c", usage=lie)]).complete(ASK.replace(max_tokens=2))
    assert (sample.text, sample.usage) == ("a b c", lie)


async def test_samples_reasoning_and_logprobs_are_passed_on() -> None:
    call = CallId(problem="p", path="", ordinal=0)
    logprobs = (TokenLogprob(token="a", logprob=-0.5),)
    backend = ScriptedBackend([Scripted(text="a", reasoning="hm", logprobs=logprobs), Sample(text="b c")] * 2)
    first, second = await backend.complete(ASK.replace(n=2, logprobs=0, call=call))
    assert (first.reasoning, first.logprobs, first.call) == ("hm", logprobs, call)
    assert (second.text, second.index, second.usage.completion_tokens) == ("b c", 1, 2)
    assert (await backend.complete(ASK))[0].logprobs is None


async def test_exceptions_are_raised_as_they_are() -> None:
    error = RateLimitedError("slow down", status=429)
    backend = ScriptedBackend([error, Scripted(error=ValueError("odd")), "fine"])
    with pytest.raises(RateLimitedError) as caught:
        await backend.complete(ASK)
    assert caught.value is error
    with pytest.raises(ValueError, match="odd"):
        await backend.complete(ASK)
    assert (await backend.complete(ASK))[0].text == "fine"
    assert (backend.started, backend.in_flight, len(backend.requests)) == (3, 0, 3)


async def test_delays_pass_by_the_given_sleep() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    backend = ScriptedBackend([Scripted(delay=2), Scripted(delay=5)], sleep=sleep)
    await backend.complete(ASK.replace(n=2))
    assert slept == [5]


async def test_a_gate_holds_a_call_and_cancelling_is_counted() -> None:
    gate = anyio.Event()
    backend = ScriptedBackend([Scripted(text="late", gate=gate), Scripted(gate=anyio.Event())])
    answers: list[Sample] = []

    async def ask() -> None:
        answers.extend(await backend.complete(ASK))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        assert (backend.in_flight, answers) == (2, [])
        gate.set()
        await anyio.wait_all_tasks_blocked()
        assert [sample.text for sample in answers] == ["late"]
        group.cancel_scope.cancel()
    assert (backend.in_flight, backend.cancelled, backend.started) == (0, 1, 2)


async def test_it_streams_token_by_token() -> None:
    chunks = [chunk async for chunk in ScriptedBackend(["The answer is 42.", ""]).stream(ASK.replace(n=2))]
    assert [chunk.text for chunk in chunks] == ["The", " answer", " is", " 42", ".", "", ""]
    assert [chunk.finish_reason for chunk in chunks] == [None] * 4 + ["stop", "stop", None]
    assert chunks[-1].usage == Usage(prompt_tokens=6, completion_tokens=6, requests=1)


async def test_scripts_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="a list of texts"):
        ScriptedBackend("text")
    wrong: Any = 42
    with pytest.raises(InvalidInputError, match="not 42"):
        await ScriptedBackend([wrong]).complete(ASK)
