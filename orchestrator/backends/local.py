"""A model served on this machine for as long as it is needed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from ..errors import BackendError, EndpointError
from ..types import Capabilities, Chunk, Price, Request, Sample
from .http import HttpBackend

if TYPE_CHECKING:
    from ..serving import Endpoint

__all__ = ["LocalBackend"]


class LocalBackend:
    """Starts a model server when it is prepared, sends calls to it, and stops it when it is closed.

    `prepare` fetches the model first where that is needed. A prepare that is cancelled or fails leaves no
    process; after `aclose` it can be prepared again. A server that dies in the middle ends the calls to it
    with `EndpointError` and its last lines; it is not restarted.

    Args:
        model: A name from the registry, or the path of a `.gguf` file.
        parallel: Requests worked on at once, at least 1; None fits it to this machine.
        context_length: Tokens of prompt and completion each request may have; None lets the engine choose.
        timeout: Seconds for one attempt as a whole, above 0.
        progress: Told bytes done and in all while the model is fetched, possibly from another thread.
        engine: Further arguments of `Endpoint` (`engine`, `start_timeout`).

    Raises (from `prepare`):
        InvalidInputError, ModelFetchError, EndpointError: As `Endpoint`.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        parallel: int | None = None,
        context_length: int | None = None,
        timeout: float = 600.0,
        progress: Callable[[int, int], None] | None = None,
        **engine: Any,
    ) -> None:
        self._asked = os.fspath(model)
        self._timeout = timeout
        self.progress = progress
        self._options = {"parallel": parallel, "context_length": context_length, **engine}
        self._capabilities = Capabilities(parallel=parallel, context_length=context_length)
        self._endpoint: Endpoint | None = None
        self._http: HttpBackend | None = None
        self._changing = anyio.Lock()

    def __repr__(self) -> str:
        return f"LocalBackend({self._asked!r}, {'running' if self._http else 'not running'})"

    @property
    def name(self) -> str:
        """The registry's name, or the file's name without its ending."""
        return Path(self._asked).stem if self._asked.endswith(".gguf") else self._asked

    @property
    def capabilities(self) -> Capabilities:
        """What the server can do; before `prepare`, what was asked for."""
        return self._capabilities if self._http is None else self._http.capabilities

    @property
    def counts_prompts(self) -> bool:
        """Whether its server counts prompts exactly: it does."""
        return True

    @property
    def price(self) -> Price:
        """Nothing: it runs on this machine."""
        return Price(input=0, output=0)

    async def prepare(self) -> None:
        """Fetch the model if needed and start its server. Safe to call twice."""
        async with self._changing:
            if self._http is None:
                await self._open()

    async def _open(self) -> None:
        from ..serving import Endpoint

        endpoint = Endpoint(self._asked, progress=self._told, **self._options)
        await endpoint.__aenter__()
        try:
            http = HttpBackend(
                base_url=endpoint.base_url,
                model=endpoint.model,
                price=self.price,
                timeout=self._timeout,
                chat=endpoint.capabilities.chat,
                capabilities=endpoint.capabilities,
            )
            await http.prepare()
        except BaseException:
            await endpoint.__aexit__(None, None, None)
            raise
        self._endpoint, self._http = endpoint, http
        self._capabilities = replace(self._capabilities, chat=endpoint.capabilities.chat)

    def _told(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(done, total)

    async def count_prompt_tokens(self, request: Request) -> int:
        """Exact: the server counts with the model's tokenizer."""
        return await (await self._running()).count_prompt_tokens(request)

    async def complete(self, request: Request) -> list[Sample]:
        """Samples for `request`.

        Raises:
            BackendError: The attempt failed.
            EndpointError: The server is gone.
        """
        http = await self._running()
        try:
            return await http.complete(request)
        except BackendError:
            self._check()
            raise

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """The same, in pieces as they are written."""
        http = await self._running()
        try:
            async for chunk in http.stream(request):
                yield chunk
        except BackendError:
            self._check()
            raise

    async def aclose(self) -> None:
        """Stop the server. Safe to call twice; `prepare` starts another."""
        with anyio.CancelScope(shield=True):
            async with self._changing:
                http, endpoint = self._http, self._endpoint
                self._http = self._endpoint = None
                try:
                    if http is not None:
                        await http.aclose()
                finally:
                    if endpoint is not None:
                        await endpoint.__aexit__(None, None, None)

    async def _running(self) -> HttpBackend:
        if self._http is None:
            await self.prepare()
        if self._http is None:
            raise EndpointError(f"the server of {self.name!r} was stopped while a call to it began")
        return self._http

    def _check(self) -> None:
        if self._endpoint is not None:
            self._endpoint.check()
