"""HttpBackend against a real local server, good and bad."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from faulty_server import Canned, Fault, FaultyServer

from orchestrator.backends.base import Backend, upper_bound_prompt_tokens
from orchestrator.backends.discovery import Flavour
from orchestrator.backends.http import HttpBackend
from orchestrator.errors import (
    AuthenticationError,
    BackendError,
    BackendTimeoutError,
    ConnectFailedError,
    ConnectionLostError,
    InvalidInputError,
    MalformedResponseError,
    ModelNotFoundError,
    RateLimitedError,
    StatusError,
)
from orchestrator.types import CallId, Capabilities, Price, Request, Usage

Serve = Callable[..., Awaitable[FaultyServer]]

HELLO = Request(messages=({"role": "user", "content": "say hello now"},), max_tokens=8)
PLAIN = Request(prompt="once upon a time", max_tokens=8)


def backend_for(server: FaultyServer, **settings: Any) -> HttpBackend:
    return HttpBackend(base_url=server.base_url, model="test", **settings)


def message(content: Any, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": content, **more}}]}


async def test_a_chat_is_answered_with_text_usage_and_cost(serve: Serve) -> None:
    server = await serve()
    backend = backend_for(server, price=Price(input=2, output=10, request=7))
    call = CallId(problem="p", path="", ordinal=3)
    [sample] = await backend.complete(HELLO.replace(seed=5, call=call))
    assert sample.text == "The answer is 0 ."
    assert (sample.finish_reason, sample.model, sample.seed, sample.call) == ("stop", "test", 5, call)
    usage = sample.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.requests) == (3, 5, 1)
    assert usage.picodollars == 3 * 2 + 5 * 10 + 7
    assert usage.seconds > 0
    assert not usage.estimated
    assert isinstance(backend, Backend)


async def test_the_request_is_sent_as_it_stands_and_nothing_else(serve: Serve) -> None:
    server = await serve()
    request = HELLO.replace(
        n=2, temperature=0.5, top_p=0.9, stop=("END",), seed=7, logprobs=2, extra={"top_k": 40}
    )
    await backend_for(server).complete(request)
    assert server.seen[0].body == {
        "model": "test",
        "messages": [{"role": "user", "content": "say hello now"}],
        "n": 2,
        "max_tokens": 8,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 7,
        "logprobs": True,
        "top_logprobs": 2,
        "top_k": 40,
    }
    await backend_for(server).complete(PLAIN)
    assert server.seen[1].path == "/v1/completions"
    assert server.seen[1].body == {"model": "test", "prompt": "once upon a time", "max_tokens": 8}


async def test_usages_of_several_choices_add_up_to_the_request(serve: Serve) -> None:
    server = await serve(answer=lambda body, choice: "one two three four"[: (3, 7, 13)[choice]])
    samples = await backend_for(server).complete(HELLO.replace(n=3))
    assert [sample.index for sample in samples] == [0, 1, 2]
    total = sum((sample.usage for sample in samples), Usage())
    assert (total.prompt_tokens, total.completion_tokens, total.requests) == (3, 6, 1)
    assert [sample.usage.prompt_tokens for sample in samples] == [3, 0, 0]


async def test_fewer_choices_than_asked_for_show_that_n_is_not_supported(serve: Serve) -> None:
    server = await serve(script=[message("only one")])
    backend = backend_for(server)
    samples = await backend.complete(HELLO.replace(n=4))
    assert [sample.text for sample in samples] == ["only one"]
    assert backend.capabilities.n is False


async def test_what_the_user_stated_about_the_server_is_not_overwritten(serve: Serve) -> None:
    server = await serve(script=[message("only one")])
    backend = backend_for(server, capabilities=Capabilities(n=True))
    await backend.complete(HELLO.replace(n=4))
    assert backend.capabilities.n is True


async def test_a_missing_usage_block_is_charged_at_its_worst_case(serve: Serve) -> None:
    server = await serve(script=[message("short")])
    [sample] = await backend_for(server).complete(HELLO)
    assert sample.usage.completion_tokens == 8
    assert sample.usage.prompt_tokens == upper_bound_prompt_tokens(HELLO)
    assert sample.usage.estimated


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.RATE_LIMITED, RateLimitedError, "HTTP 429: slow down"),
        (Fault.SERVER_ERROR, StatusError, "HTTP 500: it broke"),
        (Fault.NOT_FOUND, ModelNotFoundError, "HTTP 404: no model 'test'"),
        (Fault.BAD_REQUEST, StatusError, "HTTP 400: this cannot be"),
        (Fault.BROKEN_JSON, MalformedResponseError, 'not JSON: {"choices"'),
        (Fault.HALF_BODY, ConnectionLostError, "broke"),
        (Fault.CLOSED, ConnectionLostError, "broke"),
        (Fault.RESET, ConnectionLostError, "broke"),
        (Fault.GARBAGE, MalformedResponseError, "does not speak HTTP"),
        (Fault.REDIRECT, BackendError, "redirect (307) to http://elsewhere.invalid/v1;"),
    ],
)
async def test_each_fault_has_its_error(serve: Serve, fault: Fault, kind: type, words: str) -> None:
    server = await serve(script=[fault, None])
    backend = backend_for(server)
    with pytest.raises(kind) as caught:
        await backend.complete(HELLO)
    assert words in str(caught.value)
    assert type(caught.value) is kind
    # One attempt is one request, and the next attempt works.
    assert server.calls == 1
    assert (await backend.complete(HELLO))[0].text == "The answer is 0 ."


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.SLOW_HEADERS, Fault.STALLED_BODY])
async def test_a_server_that_stops_talking_is_left_after_the_timeout(serve: Serve, fault: Fault) -> None:
    server = await serve(script=[fault])
    with pytest.raises(BackendTimeoutError, match=r"no whole answer from 127.0.0.1:\d+ within 0.05 s"):
        await backend_for(server, timeout=0.05).complete(HELLO)
    await server.until(lambda server: server.abandoned == 1)


async def test_a_body_without_end_is_cut_off(serve: Serve) -> None:
    server = await serve(script=[Fault.HUGE_BODY])
    with pytest.raises(MalformedResponseError, match="more than 100000 bytes"):
        await backend_for(server, max_response_bytes=100_000).complete(HELLO)
    await server.until(lambda server: server.in_flight == 0)


async def test_a_server_that_is_not_there_was_sent_nothing() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        backend = HttpBackend(base_url=f"http://127.0.0.1:{port}/v1", model="test")
        with pytest.raises(ConnectFailedError, match=f"127.0.0.1:{port}.*is the server running") as caught:
            await backend.complete(HELLO)
        assert not caught.value.maybe_billed
        await backend.prepare()
        assert backend.flavour is Flavour.UNKNOWN


async def test_retry_after_is_read_from_the_refusal(serve: Serve) -> None:
    server = await serve(script=[Fault.RATE_LIMITED], retry_after="12.5")
    with pytest.raises(RateLimitedError) as caught:
        await backend_for(server).complete(HELLO)
    assert caught.value.retry_after == 12.5
    assert caught.value.retryable


async def test_the_key_is_sent_and_shown_nowhere(serve: Serve) -> None:
    server = await serve(api_key="sk-right")
    good = backend_for(server, api_key="sk-right")
    assert (await good.complete(HELLO))[0].text
    wrong = backend_for(server, api_key="sk-wrong-secret")
    with pytest.raises(AuthenticationError, match="HTTP 401: wrong key: Bearer") as caught:
        await wrong.complete(HELLO)
    server._script = iter([Fault.GARBAGE])
    with pytest.raises(MalformedResponseError) as garbage:
        await good.complete(HELLO)
    for seen in (caught.value, garbage.value, wrong, good):
        error: Any = seen
        while error is not None:
            assert "sk-" not in str(error) + repr(error)
            error = getattr(error, "__cause__", None)


async def test_an_error_inside_status_200_is_treated_by_its_code(serve: Serve) -> None:
    server = await serve(
        script=[
            {"error": {"code": 429, "message": "upstream is busy"}},
            {"error": {"code": "502", "message": "upstream is gone"}},
            {"error": "something"},
        ]
    )
    backend = backend_for(server)
    with pytest.raises(RateLimitedError, match="upstream is busy"):
        await backend.complete(HELLO)
    with pytest.raises(StatusError, match="upstream is gone") as caught:
        await backend.complete(HELLO)
    assert (caught.value.status, caught.value.retryable) == (502, True)
    with pytest.raises(MalformedResponseError, match="something"):
        await backend.complete(HELLO)


async def test_cancelling_a_call_closes_its_connection(serve: Serve) -> None:
    server = await serve(script=[Fault.STALL])
    async with anyio.create_task_group() as group:
        group.start_soon(backend_for(server).complete, HELLO)
        await server.until(lambda server: server.in_flight == 1)
        group.cancel_scope.cancel()
    await server.until(lambda server: server.abandoned == 1)


@pytest.mark.parametrize("request_", [HELLO, PLAIN], ids=["chat", "completions"])
async def test_a_stream_gives_the_text_in_pieces_and_the_usage_last(serve: Serve, request_: Request) -> None:
    server = await serve()
    backend = backend_for(server, price=Price(input=1, output=1))
    chunks = [chunk async for chunk in backend.stream(request_)]
    assert "".join(chunk.text for chunk in chunks) == "The answer is 0 ."
    assert len([chunk for chunk in chunks if chunk.text]) == 5
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.completion_tokens, usage.requests, usage.estimated) == (5, 1, False)
    assert usage.picodollars == usage.total_tokens
    assert server.seen[0].body["stream_options"] == {"include_usage": True}
    assert backend.capabilities.streaming is True


async def test_leaving_a_stream_early_closes_its_connection(serve: Serve) -> None:
    server = await serve()
    server.gate.clear()
    stream = backend_for(server).stream(HELLO)
    first = await anext(stream)
    assert first.text == "The"
    await stream.aclose()
    await server.until(lambda server: server.abandoned == 1)


async def test_a_stream_that_breaks_off_is_a_lost_connection(serve: Serve) -> None:
    event = b'data: {"choices": [{"index": 0, "delta": {"content": "half"}}]}\n\n'
    headers = {"Content-Type": "text/event-stream"}
    server = await serve(script=[Canned(event, headers=headers), Canned(event + b"data: {", headers=headers)])
    backend = backend_for(server)
    for _ in range(2):
        with pytest.raises(ConnectionLostError, match="broke off"):
            [chunk async for chunk in backend.stream(HELLO)]


async def test_a_server_that_does_not_stream_is_noticed(serve: Serve) -> None:
    server = await serve(script=[message("whole"), {"error": {"code": 503, "message": "busy"}}])
    backend = backend_for(server)
    with pytest.raises(MalformedResponseError, match="answered whole"):
        [chunk async for chunk in backend.stream(HELLO)]
    assert backend.capabilities.streaming is False
    with pytest.raises(StatusError, match="busy"):
        [chunk async for chunk in backend.stream(HELLO)]


# --- servers that say what they are -----------------------------------------------------------------------


async def test_an_unknown_server_is_asked_once_and_counted_by_bytes(serve: Serve) -> None:
    server = await serve()
    backend = backend_for(server)
    assert await backend.count_prompt_tokens(HELLO) == upper_bound_prompt_tokens(HELLO)
    await backend.prepare()
    assert sorted(server.probes) == ["/props", "/v1/models", "/version"]
    assert backend.flavour is Flavour.UNKNOWN
    assert server.calls == 0


async def test_llama_cpp_is_recognised_and_counts_prompts_exactly(serve: Serve) -> None:
    server = await serve(flavour="llama.cpp", slots=2)
    backend = backend_for(server)
    assert await backend.count_prompt_tokens(HELLO) == 3
    assert await backend.count_prompt_tokens(PLAIN) == 4
    known = backend.capabilities
    assert backend.flavour is Flavour.LLAMA_CPP
    assert (known.context_length, known.parallel, known.n, known.seed, known.chat) == (
        1024,
        2,
        True,
        True,
        None,
    )


async def test_vllm_is_recognised_and_counts_prompts_exactly(serve: Serve) -> None:
    server = await serve(flavour="vllm")
    backend = backend_for(server)
    assert await backend.count_prompt_tokens(HELLO) == 3
    assert await backend.count_prompt_tokens(PLAIN) == 4
    assert backend.flavour is Flavour.VLLM
    assert backend.capabilities.context_length == 4096


BEGUN = Request(
    messages=({"role": "user", "content": "Say hi"}, {"role": "assistant", "content": "Hi and"}), max_tokens=9
)


async def test_vllm_is_asked_to_go_on_with_a_reply_that_has_begun(serve: Serve) -> None:
    server = await serve(flavour="vllm")
    backend = backend_for(server)
    await backend.prepare()
    await backend.complete(BEGUN)
    await backend.complete(HELLO)
    begun, fresh = (seen.body for seen in server.seen)
    assert (begun["add_generation_prompt"], begun["continue_final_message"]) == (False, True)
    assert not {"add_generation_prompt", "continue_final_message"} & set(fresh)
    await backend.complete(BEGUN.replace(extra={"add_generation_prompt": True}))
    assert "continue_final_message" not in server.seen[-1].body


@pytest.mark.parametrize("flavour", ["plain", "llama.cpp"])
async def test_other_servers_get_no_fields_of_vllm_with_a_reply_that_has_begun(
    serve: Serve, flavour: str
) -> None:
    server = await serve(flavour=flavour)
    backend = backend_for(server)
    await backend.prepare()
    await backend.complete(BEGUN)
    assert "continue_final_message" not in server.seen[0].body


async def test_llama_cpp_goes_on_with_a_reply_without_thinking_again(serve: Serve) -> None:
    server = await serve(flavour="llama.cpp")
    backend = backend_for(server)
    await backend.prepare()
    await backend.complete(BEGUN)
    await backend.complete(HELLO)
    given = {"enable_thinking": True}
    await backend.complete(BEGUN.replace(extra={"chat_template_kwargs": given}))
    told = [seen.body.get("chat_template_kwargs") for seen in server.seen]
    assert told == [{"enable_thinking": False}, None, given]


async def test_a_turn_of_the_assistant_with_tool_calls_is_no_reply_that_has_begun(serve: Serve) -> None:
    server = await serve(flavour="vllm")
    backend = backend_for(server)
    await backend.prepare()
    called = {"role": "assistant", "content": "Hi", "tool_calls": [{"id": "1"}]}
    await backend.complete(BEGUN.replace(messages=(*(BEGUN.messages or ())[:1], called)))
    assert "continue_final_message" not in server.seen[0].body


async def test_equal_counts_at_once_share_one_request(serve: Serve) -> None:
    server = await serve(flavour="llama.cpp")
    backend = backend_for(server)
    counts = await asyncio.gather(*(backend.count_prompt_tokens(PLAIN) for _ in range(20)))
    assert counts == [4] * 20
    assert server.probes.count("/tokenize") == 1


@pytest.mark.parametrize("request_", [HELLO, PLAIN], ids=["chat", "completions"])
async def test_llama_cpp_is_streamed_so_that_each_choice_is_counted(serve: Serve, request_: Request) -> None:
    server = await serve(flavour="llama.cpp", answer=lambda body, choice: ("a b c", "d")[choice])
    backend = backend_for(server)
    await backend.prepare()
    samples = await backend.complete(request_.replace(n=2))
    assert [(sample.text, sample.usage.completion_tokens) for sample in samples] == [("a b c", 3), ("d", 1)]
    assert not any(sample.usage.estimated for sample in samples)
    assert server.seen[0].body["stream"] is True


async def test_llama_cpp_gives_at_most_as_many_choices_as_it_has_slots(serve: Serve) -> None:
    server = await serve(flavour="llama.cpp", slots=2)
    backend = backend_for(server)
    await backend.prepare()
    assert len(await backend.complete(HELLO.replace(n=5))) == 2
    assert backend.capabilities.n is True


async def test_choices_of_a_llama_cpp_not_known_as_one_are_counted_from_their_text(serve: Serve) -> None:
    server = await serve(flavour="llama.cpp", answer=lambda body, choice: ("a b c", "d")[choice])
    samples = await backend_for(server).complete(HELLO.replace(n=2))
    # The end token is one more than the text's.
    assert [sample.usage.completion_tokens for sample in samples] == [4, 2]
    assert all(sample.usage.estimated for sample in samples)


async def test_a_llama_cpp_that_answers_unasked_is_streamed_from_then_on(serve: Serve) -> None:
    server = await serve(flavour="llama.cpp")
    backend = backend_for(server)
    for _ in range(2):
        await backend.complete(HELLO)
    assert ["stream" in seen.body for seen in server.seen] == [False, True]


async def test_a_prompt_longer_than_its_bound_raises_later_bounds(serve: Serve) -> None:
    bound = upper_bound_prompt_tokens(HELLO)
    usage = {"prompt_tokens": bound + 30, "completion_tokens": 1}
    server = await serve(script=[{**message("hi"), "usage": usage}])
    backend = backend_for(server)
    await backend.complete(HELLO)
    assert await backend.count_prompt_tokens(HELLO) == bound + 30
    assert await backend.count_prompt_tokens(PLAIN) == upper_bound_prompt_tokens(PLAIN) + 30


async def test_a_silent_server_does_not_hang_the_probe(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.backends.discovery.PROBE_SECONDS", 0.05)

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        backend = HttpBackend(base_url=f"http://127.0.0.1:{port}/v1", model="test")
        await backend.prepare()
        assert backend.flavour is Flavour.UNKNOWN
        await backend.aclose()


# --- what it refuses, and its life ------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["127.0.0.1:8000/v1", "ftp://host/v1", "http://", "http://host:port/v1"])
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError, match="not a web address"):
        HttpBackend(base_url=url, model="test")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(), "messages or a prompt"),
        (Request(prompt="a", messages=()), "messages or a prompt"),
        (Request(prompt="a", n=0), "n must be"),
        (Request(prompt="a", max_tokens=0), "max_tokens must be"),
        (Request(prompt="a", extra={"n": 8, "best_of": 9}), "extra may not set best_of, n"),
        (Request(prompt="a", extra={"x": object()}), "cannot be written as JSON"),
    ],
)
async def test_requests_that_cannot_be_sent_are_refused_before_sending(
    serve: Serve, request_: Request, words: str
) -> None:
    server = await serve()
    with pytest.raises(InvalidInputError, match=words):
        await backend_for(server).complete(request_)
    assert server.calls == 0


async def test_a_base_model_refuses_messages(serve: Serve) -> None:
    server = await serve()
    backend = backend_for(server, chat=False)
    with pytest.raises(InvalidInputError, match="base model"):
        await backend.complete(HELLO)
    assert (await backend.complete(PLAIN))[0].text


def test_one_backend_serves_two_event_loops_one_after_the_other() -> None:
    with FaultyServer().in_thread() as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        backend = backend_for(server)
        for _ in range(2):
            assert asyncio.run(backend.complete(HELLO))[0].text == "The answer is 0 ."
            gc.collect()
        assert server.connections == 2


async def test_closing_twice_is_fine_and_the_backend_can_be_used_again(serve: Serve) -> None:
    server = await serve()
    backend = backend_for(server)
    await backend.aclose()
    await backend.complete(HELLO)
    await backend.aclose()
    await backend.aclose()
    await backend.complete(HELLO)
    assert server.connections == 2


async def test_a_backend_forgotten_without_closing_gives_its_connections_back(serve: Serve) -> None:
    server = await serve()
    backend = backend_for(server)
    backend.itself = backend  # type: ignore[attr-defined]
    await backend.complete(HELLO)
    assert server.open_connections == 1
    del backend
    gc.collect()
    await server.until(lambda server: server.open_connections == 0)


async def test_connections_are_kept_and_used_again(serve: Serve) -> None:
    server = await serve()
    backend = backend_for(server)
    for _ in range(5):
        await backend.complete(HELLO)
    assert server.connections == 1


async def test_a_connection_the_server_closed_in_silence_does_not_fail_the_next_call(serve: Serve) -> None:
    server = await serve(script=[Fault.GOODBYE] * 20)
    backend = backend_for(server)
    for _ in range(20):
        assert (await backend.complete(HELLO))[0].text == "The answer is 0 ."
    assert server.calls == 20


async def test_the_users_headers_are_sent_and_the_environments_proxy_is_not_used_for_loopback(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server = await serve()
    await backend_for(server, headers={"X-Team": "blue"}).complete(HELLO)
    assert server.seen[0].headers["x-team"] == "blue"


async def test_text_outside_ascii_comes_back_as_it_was_sent(serve: Serve) -> None:
    server = await serve(answer=lambda body, choice: body["messages"][0]["content"])
    text = "Größe “½” 数学 🧮 \ud800"
    [sample] = await backend_for(server).complete(Request(messages=({"role": "user", "content": text},)))
    assert sample.text == " ".join(text.split())
    assert json.dumps(sample.text)
