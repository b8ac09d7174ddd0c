"""FunctionBackend: any async function as a model."""

from __future__ import annotations

import functools
from typing import Any

import anyio
import pytest

from orchestrator.backends.base import Backend, upper_bound_prompt_tokens
from orchestrator.backends.function import FunctionBackend
from orchestrator.errors import BackendError, InvalidInputError, MalformedResponseError, RateLimitedError
from orchestrator.types import CallId, Capabilities, Price, Request, Sample, Usage

ASK = Request(prompt="abc", seed=3, call=CallId(problem="p", path="", ordinal=1))


async def echo(request: Request) -> str:
    return f"{request.prompt}!"


async def test_a_text_becomes_a_sample_charged_by_its_bytes() -> None:
    backend = FunctionBackend(echo, price=Price(input=1, output=10))
    [sample] = await backend.complete(ASK)
    assert (sample.text, sample.seed, sample.model, sample.call) == ("abc!", 3, "echo", ASK.call)
    prompt = upper_bound_prompt_tokens(ASK)
    assert await backend.count_prompt_tokens(ASK) == prompt == 5
    assert (sample.usage.prompt_tokens, sample.usage.completion_tokens) == (5, 5)
    assert (sample.usage.picodollars, sample.usage.requests, sample.usage.estimated) == (55, 1, True)
    assert isinstance(backend, Backend)


async def test_an_estimate_is_not_above_the_cap_the_function_was_told() -> None:
    [sample] = await FunctionBackend(echo).complete(ASK.replace(max_tokens=2))
    assert sample.usage.completion_tokens == 2


async def test_usage_the_function_reports_is_kept_and_priced() -> None:
    async def model(request: Request) -> list[Any]:
        usage = Usage(prompt_tokens=3, completion_tokens=4, requests=1)
        return [Sample(text=str(k), usage=usage, finish_reason="stop") for k in range(request.n)]

    backend = FunctionBackend(model, price=Price(input=1, output=10), capabilities=Capabilities(n=True))
    samples = await backend.complete(ASK.replace(n=2))
    assert [(sample.text, sample.index, sample.usage.picodollars) for sample in samples] == [
        ("0", 0, 43),
        ("1", 1, 43),
    ]
    assert not samples[0].usage.estimated


async def test_samples_beyond_those_asked_for_are_charged_and_not_returned() -> None:
    async def eager(request: Request) -> list[str]:
        return ["a", "bb", "ccc"]

    samples = await FunctionBackend(eager).complete(ASK.replace(n=2))
    assert [(sample.text, sample.usage.completion_tokens) for sample in samples] == [("a", 2), ("bb", 7)]


async def test_exceptions_become_backend_errors_and_our_own_pass() -> None:
    async def broken(request: Request) -> str:
        raise KeyError("tokenizer")

    with pytest.raises(BackendError, match="broken raised KeyError: 'tokenizer'") as caught:
        await FunctionBackend(broken).complete(ASK)
    assert isinstance(caught.value.__cause__, KeyError)

    async def limited(request: Request) -> str:
        raise RateLimitedError("wait", status=429, retry_after=2)

    with pytest.raises(RateLimitedError):
        await FunctionBackend(limited).complete(ASK)


async def test_cancelling_reaches_the_function() -> None:
    reached: list[str] = []

    async def slow(request: Request) -> str:
        try:
            await anyio.sleep_forever()
        finally:
            reached.append("cancelled")
        return "never"

    async with anyio.create_task_group() as group:
        group.start_soon(FunctionBackend(slow).complete, ASK)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert reached == ["cancelled"]


@pytest.mark.parametrize("value", [None, [], 42, [42]])
async def test_what_is_no_sample_is_refused(value: Any) -> None:
    async def odd(request: Request) -> Any:
        return value

    with pytest.raises(MalformedResponseError, match="odd returned"):
        await FunctionBackend(odd).complete(ASK)


async def test_objects_and_partials_that_are_async_are_functions_too() -> None:
    class Model:
        async def __call__(self, request: Request) -> str:
            return "object"

    async def said(word: str, request: Request) -> str:
        return word

    assert (await FunctionBackend(Model()).complete(ASK))[0].text == "object"
    partial = FunctionBackend(functools.partial(said, "partial"))
    assert (await partial.complete(ASK))[0].text == "partial"
    assert partial.name == "said"
    chunks = [chunk async for chunk in partial.stream(ASK)]
    assert [chunk.text for chunk in chunks] == ["partial", ""]
    assert chunks[1].usage is not None


def test_a_sync_function_is_refused_with_a_way_out() -> None:
    def model(request: Request) -> str:
        return "blocking"

    wrong: Any = model
    with pytest.raises(InvalidInputError, match=r"model is not an async function.*to_thread"):
        FunctionBackend(wrong)
