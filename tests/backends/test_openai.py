"""OpenAIBackend over sync and async clients, against a real local server and mocked transports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx2
import openai
import pytest
from faulty_server import Fault, FaultyServer

from orchestrator.backends.openai import OpenAIBackend
from orchestrator.errors import (
    AuthenticationError,
    BackendTimeoutError,
    ConnectFailedError,
    ConnectionLostError,
    InvalidInputError,
    MalformedResponseError,
    RateLimitedError,
    StatusError,
)
from orchestrator.types import Capabilities, Price, Request

Serve = Callable[..., Awaitable[FaultyServer]]
Make = Callable[..., OpenAIBackend]

HELLO = Request(messages=({"role": "user", "content": "say hello now"},), max_tokens=8)
PLAIN = Request(prompt="once upon a time", max_tokens=8)


@pytest.fixture(params=["async", "sync"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Makes backends over an async or a sync client, and closes the clients afterwards."""
    clients: list[Any] = []

    def backend(server: FaultyServer, *, key: str = "sk-test", timeout: float = 10, **settings: Any) -> Any:
        kind = openai.AsyncOpenAI if request.param == "async" else openai.OpenAI
        clients.append(kind(base_url=server.base_url, api_key=key, timeout=timeout, max_retries=5))
        return OpenAIBackend(clients[-1], model="test", **settings)

    yield backend
    for client in clients:
        await client.close() if request.param == "async" else client.close()


async def test_both_routes_answer_through_the_users_client(serve: Serve, make: Make) -> None:
    server = await serve(api_key="sk-test")
    backend = make(server, price=Price(input=1, output=10))
    [sample] = await backend.complete(HELLO.replace(temperature=0.5, extra={"top_k": 3}, stop=("END",)))
    assert (sample.text, sample.usage.prompt_tokens, sample.usage.picodollars) == ("The answer is 0 .", 3, 53)
    assert server.seen[0].body == {
        "model": "test",
        "messages": [{"role": "user", "content": "say hello now"}],
        "max_tokens": 8,
        "temperature": 0.5,
        "stop": ["END"],
        "top_k": 3,
    }
    [plain] = await backend.complete(PLAIN)
    assert (plain.text, server.seen[1].path) == ("The answer is 0 .", "/v1/completions")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.RATE_LIMITED, RateLimitedError),
        (Fault.SERVER_ERROR, StatusError),
        (Fault.BROKEN_JSON, MalformedResponseError),
        (Fault.HALF_BODY, ConnectionLostError),
        (Fault.CLOSED, ConnectionLostError),
        (Fault.RESET, ConnectionLostError),
        (Fault.GARBAGE, ConnectionLostError),
    ],
)
async def test_each_fault_has_its_error_and_is_not_retried(
    serve: Serve, make: Make, fault: Fault, kind: type
) -> None:
    server = await serve(script=[fault])
    backend = make(server)
    with pytest.raises(kind) as caught:
        await backend.complete(HELLO)
    assert type(caught.value) is kind
    assert server.calls == 1
    assert backend.max_retries == 5


async def test_a_stall_ends_with_the_clients_own_timeout(serve: Serve, make: Make) -> None:
    server = await serve(script=[Fault.STALL])
    with pytest.raises(BackendTimeoutError):
        await make(server, timeout=0.1).complete(HELLO)
    await server.until(lambda server: server.abandoned == 1)


async def test_the_key_is_not_shown(serve: Serve, make: Make) -> None:
    server = await serve(api_key="sk-right")
    backend = make(server, key="sk-wrong-secret")
    with pytest.raises(AuthenticationError, match="wrong key") as caught:
        await backend.complete(HELLO)
    assert "sk-" not in str(caught.value) + repr(caught.value) + repr(backend)


async def test_streams_come_in_pieces_with_the_usage_last(serve: Serve, make: Make) -> None:
    server = await serve()
    chunks = [chunk async for chunk in make(server).stream(HELLO)]
    assert "".join(chunk.text for chunk in chunks) == "The answer is 0 ."
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 5


async def test_leaving_a_stream_early_closes_its_connection(serve: Serve, make: Make) -> None:
    server = await serve()
    server.gate.clear()
    stream = make(server).stream(HELLO)
    assert (await anext(stream)).text == "The"
    await stream.aclose()
    await server.until(lambda server: server.abandoned == 1)


async def test_a_refused_stream_tells_the_servers_message(serve: Serve, make: Make) -> None:
    server = await serve(script=[Fault.RATE_LIMITED], retry_after="3")
    with pytest.raises(RateLimitedError, match="429") as caught:
        [chunk async for chunk in make(server).stream(HELLO)]
    assert caught.value.retry_after == 3


async def test_a_local_server_is_recognised_through_the_client(serve: Serve, make: Make) -> None:
    server = await serve(flavour="llama.cpp", slots=2, answer=lambda body, choice: ("a b c", "d")[choice])
    backend = make(server)
    assert await backend.count_prompt_tokens(HELLO) == 3
    assert backend.capabilities.parallel == 2
    samples = await backend.complete(HELLO.replace(n=2))
    assert [sample.usage.completion_tokens for sample in samples] == [3, 1]


async def test_a_cancelled_call_is_given_up_at_once(serve: Serve, make: Make) -> None:
    server = await serve(script=[Fault.STALL])
    backend = make(server, timeout=2)
    async with anyio.create_task_group() as group:
        group.start_soon(backend.complete, HELLO)
        await server.until(lambda server: server.in_flight == 1)
        group.cancel_scope.cancel()
    assert server.in_flight == 1 or server.abandoned == 1


# --- with mocked transports ---------------------------------------------------------------------------------


@contextmanager
def mocked(handler: Callable[[httpx2.Request], httpx2.Response], **settings: Any) -> Iterator[Any]:
    client = openai.OpenAI(
        api_key="sk-test", http_client=httpx2.Client(transport=httpx2.MockTransport(handler)), **settings
    )
    with client:
        yield client


async def test_openais_own_service_gets_its_name_of_the_cap_and_no_probes() -> None:
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"choices": [{"message": {"content": "hi"}}]})

    with mocked(handler) as client:
        backend = OpenAIBackend(client, model="o9")
        await backend.count_prompt_tokens(HELLO)
        [sample] = await backend.complete(HELLO)
    assert sample.text == "hi"
    assert [request.url.path for request in seen] == ["/v1/chat/completions"]
    assert b'"max_completion_tokens":8' in seen[0].content.replace(b" ", b"")


async def test_what_was_not_sent_is_not_billed() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with (
        mocked(handler, base_url="http://localhost:9/v1") as client,
        pytest.raises(ConnectFailedError, match=r"localhost:9: refused; is the server running\?") as caught,
    ):
        await OpenAIBackend(client, model="m").complete(HELLO)
    assert not caught.value.maybe_billed
    assert isinstance(caught.value.__cause__, openai.APIConnectionError)


async def test_the_users_client_is_left_as_it_was() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"choices": [{"message": {"content": "hi"}}]})

    with mocked(handler, max_retries=7, base_url="http://localhost:9/v1") as client:
        before = dict(vars(client))
        backend = OpenAIBackend(client, model="m", capabilities=Capabilities(chat=True))
        await backend.complete(HELLO)
        await backend.aclose()
        assert client.max_retries == 7
        assert {name: vars(client)[name] for name in before} == before
        assert not client.is_closed()


async def test_many_calls_through_a_sync_client_run_at_once(serve: Serve) -> None:
    server = await serve()
    server.gate.clear()
    with openai.OpenAI(base_url=server.base_url, api_key="k") as client:
        backend = OpenAIBackend(client, model="test")
        calls = [asyncio.ensure_future(backend.complete(HELLO)) for _ in range(50)]
        await server.until(lambda server: server.in_flight == 50)
        server.gate.set()
        assert len(await asyncio.gather(*calls)) == 50


def test_something_else_is_refused() -> None:
    client: Any = object()
    with pytest.raises(InvalidInputError, match=r"openai\.AsyncOpenAI or openai\.OpenAI, not object"):
        OpenAIBackend(client, model="m")
