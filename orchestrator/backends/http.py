"""The OpenAI protocol spoken directly: the backend for endpoints named in files and flags.

aiohttp carries the bytes: measured against pyreqwest it costs more per call, but cancelling a call closes its
connection at once (pyreqwest leaves it open, and the server writing), and its errors tell what was sent from
what was not, which decides whether an attempt has to be paid. See `tests/bench/http_clients.py`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from ..errors import (
    BackendError,
    BackendTimeoutError,
    ConnectFailedError,
    ConnectionLostError,
    InvalidInputError,
    MalformedResponseError,
)
from ..types import Capabilities, Price
from .discovery import Flavour, server_root
from .protocol import ProtocolBackend
from .wire import EventSplitter, excerpt, loads, status_error

if TYPE_CHECKING:
    import aiohttp

__all__ = ["HttpBackend"]

CONNECT_SECONDS = 10.0
MAX_RESPONSE_BYTES = 64 * 2**20
MAX_ERROR_BYTES = 64 * 2**10

NOT_WRITTEN = "closing transport"
"""What aiohttp says of a request whose connection was closed already when writing was to begin."""

KEEPALIVE_SECONDS = 4.0
"""Below the 5 seconds after which uvicorn and llama.cpp close an idle connection, so as not to meet a closed
one.
"""


class HttpBackend(ProtocolBackend):
    """A model behind a base URL that speaks `/chat/completions` and `/completions`.

    Connections are opened when first needed and belong to the running event loop; the same backend may be
    used from several loops, one after the other or at once. A call that is cancelled closes its connection.
    Redirects are not followed, because the key would go with them. Proxies are taken from the environment
    (`HTTPS_PROXY`, `NO_PROXY`, ...), and never used for loopback addresses. The number of connections is not
    limited here.

    Args:
        base_url: Where the routes are, usually ending in `/v1`.
        model: The model's name, as the server knows it.
        api_key: Sent as a bearer token; never part of a message or repr.
        price: What it costs: a `Price`, or US dollars per million tokens as a mapping with `input`, `output`
            and optionally `cached_input` and `request`; None when not known.
        headers: Further headers for every request.
        timeout: Seconds for one attempt as a whole, above 0.
        connect_timeout: Seconds to open a connection, above 0.
        max_response_bytes: Largest answer read, in bytes.
        chat: Whether the model takes messages; None leaves it open, False is a base model.
        capabilities: What is known about the server already; never overwritten by what is found.
        ssl_context: For servers with certificates of a private authority; None uses the system's.

    Raises:
        InvalidInputError: The base URL is not `http://` or `https://`, or a number is out of its range.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        price: Price | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 600.0,
        connect_timeout: float = CONNECT_SECONDS,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        chat: bool | None = None,
        capabilities: Capabilities | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._base = _checked_url(base_url)
        if not timeout > 0 or not connect_timeout > 0 or max_response_bytes < 1:
            raise InvalidInputError("timeout, connect_timeout and max_response_bytes must be above 0")
        super().__init__(model=model, base_url=self._base, price=price, chat=chat, capabilities=capabilities)
        self._api_key = api_key
        self._headers = {"Content-Type": "application/json", "User-Agent": "orchestrator", **(headers or {})}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {_checked_key(api_key)}"
        self._timeout, self._connect_timeout = timeout, connect_timeout
        self._limit = max_response_bytes
        self._ssl = ssl_context
        self._pools: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Pool] = weakref.WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"HttpBackend(base_url={_shown(self._base)!r}, model={self._model!r})"

    async def aclose(self) -> None:
        """Closes the connections of the running loop. Safe to call twice; the backend can be used again."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def _send(self, route: str, body: Mapping[str, Any]) -> bytes:
        # `_answer` spelled out: a generator's context manager costs a tenth of the call, on every call's path.
        import aiohttp

        session = await self._session()
        data = _encode(body)
        try:
            async with await _open(session, "POST", self._base + route, data, None) as response:
                if response.status >= 300:
                    await self._refuse(response)
                return await self._read(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._translated(error) from _without_headers(error)

    async def _events(self, route: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes | str, None]:
        # llama.cpp's server closes the connection after a stream, and does not say so before.
        headers = {"Connection": "close"} if self._server.flavour is Flavour.LLAMA_CPP else None
        async with self._answer("POST", self._base + route, body, headers) as response:
            if response.content_type == "application/json":
                raise self._answered_whole(loads(await self._read(response)))
            splitter = EventSplitter(limit=self._limit)
            async for piece in response.content.iter_any():
                for payload in splitter.feed(piece):
                    yield payload
            if splitter.leftover:
                raise ConnectionLostError(f"the stream broke off inside a line: {excerpt(splitter.leftover)}")

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        async with self._answer("POST", server_root(self._base) + path, body) as response:
            return loads(await self._read(response))

    async def _probe(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        base = self._base if path == "/models" else server_root(self._base)
        async with self._answer("GET" if body is None else "POST", base + path, body) as response:
            return loads(await self._read(response))

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A good answer's head; leaving the block early closes the connection. Translates every error."""
        import aiohttp

        session = await self._session()
        data = None if body is None else _encode(body)
        try:
            async with await _open(session, method, url, data, headers) as response:
                if response.status >= 300:
                    await self._refuse(response)
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._translated(error) from _without_headers(error)

    async def _read(self, response: aiohttp.ClientResponse, limit: int | None = None) -> bytes:
        """The whole body, refused when it is longer than the limit; counted after decompression."""
        limit = limit or self._limit
        length = response.content_length
        if length is not None and length <= limit and "Content-Encoding" not in response.headers:
            return await response.read()
        pieces, size = [], 0
        async for piece in response.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise MalformedResponseError(f"an answer of more than {limit} bytes: {excerpt(pieces[0])}")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _refuse(self, response: aiohttp.ClientResponse) -> None:
        """Raises for a status that is not a good answer."""
        if response.status < 400:
            target = _shown(response.headers.get("Location", "an address it does not name"))
            raise BackendError(
                f"{_shown(self._base)} answers with a redirect ({response.status}) to {target}; "
                "redirects are not followed: use the final base URL"
            )
        try:
            raw = await self._read(response, MAX_ERROR_BYTES)
        except MalformedResponseError:
            raw = b"(a very long error page)"
        if self._api_key:
            raw = raw.replace(self._api_key.encode(), b"***")
        raise status_error(response.status, raw, response.headers)

    def _translated(self, error: BaseException) -> BackendError:
        """Our error for one of aiohttp's: what was surely not sent, what may have been worked on, what came
        back.
        """
        import aiohttp

        where = _host_and_port(self._base)
        said = excerpt(error) or type(error).__name__
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return ConnectFailedError(f"no connection to {where} within {self._connect_timeout:g} s")
        if isinstance(error, aiohttp.ClientSSLError):
            failed = ConnectFailedError(
                f"no secure connection to {where}: {said}; check the certificate, and whether it speaks https"
            )
            failed.retryable = False  # waiting mends no certificate
            return failed
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return ConnectFailedError(
                f"cannot find {where}: {error.os_error}; check the name and the network"
            )
        if isinstance(error, aiohttp.ClientConnectorError):
            return ConnectFailedError(f"cannot connect to {where}: {error.os_error}; is the server running?")
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return ConnectFailedError(f"cannot reach {where} through the proxy: {said}")
        if isinstance(error, TimeoutError):
            return BackendTimeoutError(f"no whole answer from {where} within {self._timeout:g} s")
        if isinstance(error, aiohttp.ClientResponseError):
            return MalformedResponseError(f"{where} does not speak HTTP: {excerpt(error.message)}")
        return ConnectionLostError(f"the connection to {where} broke: {said}")

    async def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            lifetime = _session_lifetime(
                headers=self._headers,
                timeout=self._timeout,
                connect_timeout=self._connect_timeout,
                ssl_context=self._ssl,
                proxy=_proxy_for(self._base),
            )
            pool = self._pools[loop] = _Pool(lifetime, await anext(lifetime), owner=self)
        return pool.session


class _Pool:
    """A session and the generator that keeps it open.

    A backend that is forgotten without being closed gives its connections back: the finalizer outlives it and
    lets go of the generator, which the event loop then closes. Without it, the garbage collector could take
    backend, generator and session together, and nobody would be left to close the session.
    """

    __slots__ = ("finalizer", "lifetime", "session")

    def __init__(
        self,
        lifetime: AsyncGenerator[aiohttp.ClientSession, None],
        session: aiohttp.ClientSession,
        *,
        owner: HttpBackend,
    ) -> None:
        self.lifetime, self.session = lifetime, session
        self.finalizer = weakref.finalize(owner, _let_go, lifetime)
        self.finalizer.atexit = False

    async def aclose(self) -> None:
        self.finalizer.detach()
        await self.lifetime.aclose()


def _let_go(lifetime: object) -> None:
    """Nothing: to be called is to drop the argument."""


async def _session_lifetime(
    *,
    headers: Mapping[str, str],
    timeout: float,
    connect_timeout: float,
    ssl_context: ssl.SSLContext | None,
    proxy: str | None,
) -> AsyncGenerator[aiohttp.ClientSession, None]:
    """Yields a session once and closes it when closed itself.

    A generator, because an event loop that ends closes its generators: the session of a backend that nobody
    closed is closed in the loop it belongs to.
    """
    import aiohttp

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS, ssl=ssl_context or True),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout),
        proxy=proxy,
    )
    try:
        yield session
    finally:
        await session.close()


async def _open(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    data: bytes | None,
    headers: Mapping[str, str] | None,
) -> aiohttp.ClientResponse:
    """An answer's head. Sends once more when the pooled connection turned out to be closed before a byte was
    sent.
    """
    import aiohttp

    try:
        return await session.request(method, url, data=data, headers=headers, allow_redirects=False)
    except aiohttp.ClientOSError as error:
        cause = error.__cause__
        if not isinstance(cause, aiohttp.ClientConnectionResetError) or NOT_WRITTEN not in str(cause):
            raise
    return await session.request(method, url, data=data, headers=headers, allow_redirects=False)


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return ENCODER.encode(body).encode()
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"the request cannot be written as JSON: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"))


def _without_headers(error: BaseException) -> BaseException | None:
    """The cause to show: aiohttp's response errors carry the request's headers, and with them the key."""
    import aiohttp

    return error.__cause__ if isinstance(error, aiohttp.ClientResponseError) else error


def _checked_url(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine:
        raise InvalidInputError(
            f"base_url {_shown(base_url)!r} is not a web address; expected, for example, http://127.0.0.1:8000/v1"
        )
    return base_url.rstrip("/")


def _checked_key(api_key: str) -> str:
    if not api_key or not api_key.isascii() or not api_key.isprintable() or api_key != api_key.strip():
        raise InvalidInputError("api_key is empty or has characters that cannot stand in a header")
    return api_key


def _shown(url: str) -> str:
    """A URL without user, password, query and fragment, which may hold secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _proxy_for(url: str) -> str | None:
    """The environment's proxy for `url`, worked out once per session: asking for every call is slow."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)
