"""A model server on this machine for as long as a `with` block runs."""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket
import threading
import time
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from ..errors import EndpointError, InvalidInputError
from ..types import Capabilities
from . import engines, models
from .engines import Engine, Launch
from .fetch import Progress
from .models import LocalModel
from .process import GuardedProcess

__all__ = ["Endpoint"]

LOOPBACK = "127.0.0.1"

PORT_ATTEMPTS = 5
"""Ports tried for an engine that must be told one, since another program may take it first."""

PROBE_SECONDS = 0.05
"""How long to wait before asking a starting server again."""

ANSWER_SECONDS = 1.0
"""How long a starting server may take over a route that costs nothing, before it is asked again: another
program that took the port may accept a connection and never answer."""

MAX_SLOTS = 1024


class Endpoint:
    """Starts a model server on a free loopback port and stops it on every exit.

    Use it as an async or a plain context manager. Inside the block the server answers at `base_url`. It is
    stopped when the block ends in any way, and it does not outlive this process, `kill -9` included. It does
    not see Ctrl-C, so calls in flight can be drained before the block ends.

    Not promised: that only this user can reach the server; loopback is open to every user of the machine.

    Args:
        model: A model already resolved, or what `models.resolve` takes; a named model is fetched first.
        engine: What serves it: an engine, or the name of one.
        parallel: Requests worked on at once, in [1, 1024]; None fits it to this machine.
        context_length: Tokens of prompt and completion each request may have, at least 1; None lets the
            engine choose, at most what the model was trained on.
        start_timeout: Seconds the server gets to load the model and write a first token, fetching not
            included.
        progress: Told bytes done and in all while the model is fetched. It is called from another thread when
            the endpoint is entered with `async with`.

    Attributes:
        base_url: `http://127.0.0.1:PORT/v1`, without a final slash.
        model: What the server calls the model.
        capabilities: What it can do.

    Raises:
        InvalidInputError: An argument out of range, an unknown model or engine, an engine not installed.
        ModelFetchError: The model cannot be fetched, is missing or damaged.
        EndpointError: The server ended while starting or was not ready in time; has its last lines.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | LocalModel,
        *,
        engine: Engine | str = "llama.cpp",
        parallel: int | None = None,
        context_length: int | None = None,
        start_timeout: float = 120.0,
        progress: Progress | None = None,
    ) -> None:
        check_range("parallel", parallel, MAX_SLOTS)
        check_range("context_length", context_length, None)
        if start_timeout <= 0:
            raise InvalidInputError(f"start_timeout must be above 0 seconds, not {start_timeout}")
        self._asked = model
        self._engine = engines.named(engine) if isinstance(engine, str) else engine
        self._parallel, self._context_length = parallel, context_length
        self._start_timeout, self._progress = start_timeout, progress
        self._state = threading.Lock()
        self._process: GuardedProcess | None = None
        self._closed = False
        self.base_url = ""
        self.model = ""
        self.capabilities = Capabilities()

    def __repr__(self) -> str:
        where = self.base_url or "not started"
        return f"<Endpoint {self.model or self._asked} {where}, {'alive' if self.alive else 'not alive'}>"

    @property
    def chat(self) -> bool:
        """Whether the model takes messages; a base model takes a plain text to continue."""
        return bool(self.capabilities.chat)

    @property
    def parallel(self) -> int:
        """Requests the server works on at once; more wait in its queue."""
        return self.capabilities.parallel or 1

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.alive

    def check(self) -> None:
        """Raise `EndpointError`, with the server's last lines, unless it runs."""
        process = self._process
        if process is None:
            raise EndpointError("the model server has not been started")
        if not process.alive:
            raise EndpointError(f"the model server {ending(process)}", log_tail=process.log_tail)

    # Entering and leaving

    def __enter__(self) -> Endpoint:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    async def __aenter__(self) -> Endpoint:
        try:
            # Abandoned when cancelled; `_stop` then ends what the thread waits for, and the thread with it.
            await anyio.to_thread.run_sync(self._start, abandon_on_cancel=True)
        except BaseException:
            await self._stop_shielded()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_shielded()

    async def _stop_shielded(self) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._stop)

    def _stop(self) -> None:
        with self._state:
            self._closed = True
            process = self._process
        if process is not None:
            process.stop()

    # Starting

    def _start(self) -> None:
        if self.base_url or self._closed:
            raise InvalidInputError("an Endpoint is entered once; make another")
        model = self._asked
        if not isinstance(model, LocalModel):
            model = models.resolve(model, progress=self._report)
        deadline = time.monotonic() + self._start_timeout
        for _ in range(PORT_ATTEMPTS):
            port = 0 if self._engine.picks_port else free_port()
            launch = self._engine.launch(
                model, port=port, parallel=self._parallel, context_length=self._context_length
            )
            process = self._spawn(launch)
            if self._becomes_ready(process, launch, port, deadline):
                return
            process.stop()
        raise EndpointError(f"{PORT_ATTEMPTS} ports were taken by other programs before the server had them")

    def _report(self, done: int, total: int) -> None:
        """Pass progress on, and end a fetch nobody waits for any more."""
        if self._closed:
            raise EndpointError("the endpoint was closed while its model was fetched")
        if self._progress is not None:
            self._progress(done, total)

    def _spawn(self, launch: Launch) -> GuardedProcess:
        """Start the server, unless the endpoint has been left meanwhile."""
        with self._state:
            if self._closed:
                raise EndpointError("the endpoint was closed while it started")
            self._process = GuardedProcess(
                launch.command, environment=launch.environment, grace=self._engine.grace
            )
            return self._process

    def _becomes_ready(self, process: GuardedProcess, launch: Launch, port: int, deadline: float) -> bool:
        """Wait until the server writes a token; False when another program took its port first."""
        while time.monotonic() < deadline:
            process.changed.clear()
            if not process.alive:
                if port and not is_free(port):
                    return False
                process.stop()  # the tail is complete once the guard is gone
                raise EndpointError(
                    f"the model server {ending(process)} while starting", log_tail=process.log_tail
                )
            root = process.listening or (f"http://{LOOPBACK}:{port}" if port else None)
            name = first_token(root, launch.ready_route, deadline) if root else None
            if root and name and process.alive:
                self.base_url, self.model, self.capabilities = f"{root}/v1", name, launch.capabilities
                return True
            process.changed.wait(PROBE_SECONDS)
        process.stop()
        raise EndpointError(
            f"the model server was not ready within {self._start_timeout:g} seconds",
            log_tail=process.log_tail,
        )


def check_range(name: str, value: int | None, most: int | None) -> None:
    """Raise `InvalidInputError` for a count below 1 or above `most`."""
    if value is not None and (value < 1 or (most is not None and value > most)):
        limit = f"in [1, {most}]" if most is not None else "at least 1"
        raise InvalidInputError(f"{name} must be {limit}, not {value}")


def ending(process: GuardedProcess) -> str:
    """How the server ended, as the end of a sentence."""
    code = process.exit_code
    if code is None:
        return "is gone"
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a loopback port could be bound."""
    with socket.socket() as probe:
        if os.name == "posix":
            # As servers do: connections that linger after a server's end do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def first_token(root: str, route: str, deadline: float) -> str | None:
    """Have the server write a token; returns its name for the model, or None while it is not ready."""
    try:
        if ask(root, "GET", route, timeout=ANSWER_SECONDS) is None:
            return None
        listing = ask(root, "GET", "/v1/models", timeout=ANSWER_SECONDS)
        name = str(json.loads(listing or "")["data"][0]["id"])
        body = {"model": name, "prompt": "1", "max_tokens": 1}
        patience = max(ANSWER_SECONDS, deadline - time.monotonic())  # a cold model may take long over it
        return None if ask(root, "POST", "/v1/completions", body, timeout=patience) is None else name
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return None


def ask(root: str, method: str, route: str, body: Any = None, *, timeout: float) -> bytes | None:
    """The body of the answer to one request, or None for a status other than 200."""
    address = urlsplit(root)
    connection = http.client.HTTPConnection(address.hostname or LOOPBACK, address.port, timeout=timeout)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, route, content, {"Content-Type": "application/json"} if content else {})
        response = connection.getresponse()
        data = response.read()
        return data if response.status == 200 else None
    finally:
        connection.close()
