"""A client of the `openai` package as a backend; the client stays the user's."""

from __future__ import annotations

import math
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from ..errors import (
    BackendError,
    BackendTimeoutError,
    ConnectFailedError,
    ConnectionLostError,
    InvalidInputError,
    MalformedResponseError,
)
from ..types import Capabilities, Price
from .discovery import PROBE_SECONDS, server_root
from .embeddings import EMBEDDINGS
from .protocol import ProtocolBackend
from .wire import CHAT, EventSplitter, excerpt, loads, status_error

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

__all__ = ["OpenAIBackend"]

T = TypeVar("T")

MAX_LINE_BYTES = 64 * 2**20

BODY_ARGUMENTS = frozenset(
    {
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "n",
        "prompt",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "top_logprobs",
        "top_p",
    }
)
"""Body fields that are arguments of the client's `create`; all others travel in its `extra_body`."""

EMBEDDING_ARGUMENTS = frozenset({"encoding_format", "input", "model"})
"""The same for embeddings."""


class OpenAIBackend(ProtocolBackend):
    """A model called through a client the user already has: base URL, keys, headers and HTTP client stay the
    user's.

    The client is never changed: calls go through a copy that does not retry, because each attempt has to be
    seen by ledger and journal; `max_retries` says what the user had asked for. A sync client runs in worker
    threads; a cancelled call is given up, though its thread may still be waiting for the answer.

    Args:
        client: An `openai.AsyncOpenAI` or `openai.OpenAI`, or a subclass such as the Azure clients.
        model: The model's name, as the server knows it.
        price: What it costs: a `Price`, or US dollars per million tokens as a mapping; None when not known.
        chat: Whether the model takes messages; None leaves it open, False is a base model.
        capabilities: What is known about the server already; never overwritten by what is found.

    Raises:
        InvalidInputError: `client` is not a client of the `openai` package.
    """

    def __init__(
        self,
        client: AsyncOpenAI | OpenAI,
        *,
        model: str,
        price: Price | Mapping[str, Any] | None = None,
        chat: bool | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        import openai

        if not isinstance(client, openai.AsyncOpenAI | openai.OpenAI):
            raise InvalidInputError(
                f"expected an openai.AsyncOpenAI or openai.OpenAI, not {type(client).__name__}"
            )
        self._base = str(client.base_url).rstrip("/")
        super().__init__(model=model, base_url=self._base, price=price, chat=chat, capabilities=capabilities)
        self._max_retries = client.max_retries
        self._client: Any = client.with_options(max_retries=0)
        self._is_async = isinstance(client, openai.AsyncOpenAI)
        # The number of calls at once is not this wrapper's to limit.
        self._threads = anyio.CapacityLimiter(math.inf)

    def __repr__(self) -> str:
        return f"OpenAIBackend({type(self._client).__name__}, model={self._model!r})"

    @property
    def max_retries(self) -> int:
        """Retries the user's client was set to make, for whoever retries in its place."""
        return self._max_retries

    async def aclose(self) -> None:
        """Nothing: the client is the user's to close."""

    async def _send(self, route: str, body: Mapping[str, Any]) -> bytes:
        create = self._resource(route).with_raw_response.create
        arguments = _arguments(body, EMBEDDING_ARGUMENTS if route == EMBEDDINGS else BODY_ARGUMENTS)
        with self._translated():
            raw = await create(**arguments) if self._is_async else await self._thread(create, **arguments)
        content: bytes = raw.http_response.content
        return content

    async def _events(self, route: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes | str, None]:
        opened = self._resource(route).with_streaming_response.create(**_arguments(body))
        pieces = self._task_pieces(opened) if self._is_async else self._thread_pieces(opened)
        splitter = EventSplitter(limit=MAX_LINE_BYTES)
        try:
            with self._translated():
                async for piece in pieces:
                    for payload in splitter.feed(piece):
                        yield payload
        finally:
            await pieces.aclose()
        if splitter.leftover:
            raise ConnectionLostError(f"the stream broke off inside a line: {excerpt(splitter.leftover)}")

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._ask(self._client.post, server_root(self._base) + path, body=body)

    async def _probe(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        url = (self._base if path == "/models" else server_root(self._base)) + path
        options = {"timeout": PROBE_SECONDS}
        if body is None:
            return await self._ask(self._client.get, url, options=options)
        return await self._ask(self._client.post, url, body=body, options=options)

    async def _ask(self, ask: Callable[..., Any], url: str, **arguments: Any) -> Any:
        """Decoded JSON from a route that the client has no method for."""
        with self._translated():
            if self._is_async:
                return await ask(url, cast_to=object, **arguments)
            return await self._thread(ask, url, cast_to=object, **arguments)

    def _resource(self, route: str) -> Any:
        if route == EMBEDDINGS:
            return self._client.embeddings
        return self._client.chat.completions if route == CHAT else self._client.completions

    async def _thread(self, function: Callable[..., T], *args: Any, **keywords: Any) -> T:
        return await anyio.to_thread.run_sync(
            lambda: function(*args, **keywords), abandon_on_cancel=True, limiter=self._threads
        )

    async def _task_pieces(self, opened: Any) -> AsyncGenerator[bytes, None]:
        """The body of an async client's streamed answer."""
        async with opened as response:
            if _is_whole(response):
                raise self._answered_whole(loads(await response.read()))
            async for piece in response.iter_bytes():
                yield piece

    async def _thread_pieces(self, opened: Any) -> AsyncGenerator[bytes, None]:
        """The body of a sync client's streamed answer, each piece awaited in a thread."""
        response = await self._thread(opened.__enter__)
        try:
            if _is_whole(response):
                raise self._answered_whole(loads(await self._thread(response.read)))
            pieces = response.iter_bytes()
            while (piece := await self._thread(next, pieces, None)) is not None:
                yield piece
        finally:
            with anyio.CancelScope(shield=True):
                await self._thread(opened.__exit__, None, None, None)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turns the client's errors into ours."""
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            raw = error.response.content if error.response.is_closed else str(error).encode()
            key = str(getattr(self._client, "api_key", "") or "")
            shown = raw.replace(key.encode(), b"***") if key else raw
            raise status_error(error.status_code, shown, error.response.headers) from error
        except openai.APIConnectionError as error:
            raise self._connection_error(error.__cause__ or error) from error
        except openai.APIResponseValidationError as error:
            raise MalformedResponseError(excerpt(error)) from error
        except openai.OpenAIError as error:
            raise BackendError(excerpt(error)) from error
        except _transport_errors() as error:
            raise self._connection_error(error) from error

    def _connection_error(self, cause: BaseException) -> BackendError:
        """By the names of the cause's classes: openai 2 has them from httpx, openai 3 from httpx2."""
        kinds = {kind.__name__ for kind in type(cause).__mro__}
        parts = urlsplit(self._base)
        where = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        said = excerpt(cause) or type(cause).__name__
        if kinds & {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}:
            return ConnectFailedError(f"cannot connect to {where}: {said}; is the server running?")
        if kinds & {"TimeoutException", "APITimeoutError", "TimeoutError"}:
            return BackendTimeoutError(f"no whole answer from {where} in time: {said}")
        return ConnectionLostError(f"the connection to {where} broke: {said}")


def _arguments(body: Mapping[str, Any], known: frozenset[str] = BODY_ARGUMENTS) -> dict[str, Any]:
    """A body as arguments of the client's `create`."""
    arguments = {name: value for name, value in body.items() if name in known}
    for name in ("messages", "stop"):
        if name in arguments:
            arguments[name] = list(arguments[name])
    extra = {name: value for name, value in body.items() if name not in known}
    return {**arguments, "extra_body": extra} if extra else arguments


def _is_whole(response: Any) -> bool:
    """Whether the server has not taken up the wish for a stream."""
    return str(response.headers.get("content-type", "")).startswith("application/json")


def _transport_errors() -> tuple[type[Exception], ...]:
    """Base classes of what may come out of reading a stream, which the client does not translate itself."""
    modules = (sys.modules.get(name) for name in ("httpx2", "httpx"))
    return tuple(module.HTTPError for module in modules if module is not None)
