"""Any async function as a source of samples."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeAlias

from ..errors import BackendError, InvalidInputError, MalformedResponseError, OrchestratorError
from ..types import Capabilities, Chunk, Price, Request, Sample, Usage
from .base import InProcess, upper_bound_prompt_tokens

__all__ = ["FunctionBackend", "chunks_of"]

Written: TypeAlias = str | Sample | Sequence[str | Sample]


class FunctionBackend(InProcess):
    """A model that is an async function: it gets the `Request` and returns a text, a `Sample`, or several of
    them.

    A function that returns texts, or samples whose usage is empty, is charged by an upper bound and marked
    `estimated`: the bytes of the prompt and the template's overhead, and for each text its bytes and one, but
    no more than `max_tokens`. Samples that come with a usage are charged what it says, priced when it has no
    money in it. Exceptions of the function become `BackendError`, this library's own pass as they are, and so
    does cancellation. A sync function is refused: it would block every other call; wrap it with
    `anyio.to_thread.run_sync` where it may run in a thread.

    Args:
        function: Called once per `complete`, with `request.n` in the request; may return fewer samples.
        name: The model's name; None takes the function's.
        price: A `Price`, or US dollars per million tokens as a mapping; None when not known.
        capabilities: What it can do; by default one choice per call.

    Raises:
        InvalidInputError: The function is not async.
    """

    def __init__(
        self,
        function: Callable[[Request], Awaitable[Written]],
        *,
        name: str | None = None,
        price: Price | Mapping[str, Any] | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        # An object with an async `__call__` is as good as an async function.
        call = getattr(function, "__call__", None)  # noqa: B004
        if not inspect.iscoroutinefunction(function) and not inspect.iscoroutinefunction(call):
            raise InvalidInputError(
                f"{_name(function)} is not an async function; write `async def`, and run blocking code in it "
                "with `await anyio.to_thread.run_sync(...)`"
            )
        self._function = function
        super().__init__(
            name=name or _name(function),
            price=price,
            capabilities=capabilities or Capabilities(n=False, usage_is_exact=False),
        )

    def __repr__(self) -> str:
        return f"FunctionBackend({self.name})"

    async def complete(self, request: Request) -> list[Sample]:
        """What the function returns for `request`, at most `request.n` samples.

        Raises:
            BackendError: The function raised.
            MalformedResponseError: It returned nothing, or something that is no text and no sample.
        """
        started = perf_counter()
        try:
            written = await self._function(request)
        except OrchestratorError:
            raise
        except Exception as error:
            raise BackendError(f"{self.name} raised {type(error).__name__}: {error}") from error
        items = [written] if isinstance(written, str | Sample) else written
        if not isinstance(items, Sequence) or not items:
            raise MalformedResponseError(f"{self.name} returned {_kind(written)}, not a text or a sample")
        seconds = perf_counter() - started
        samples = [self._sample(item, at, request, seconds) for at, item in enumerate(items)]
        return _at_most(samples, request.n)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """The samples of `complete`, each in one piece."""
        for chunk in chunks_of(await self.complete(request)):
            yield chunk

    def _sample(self, item: str | Sample, at: int, request: Request, seconds: float) -> Sample:
        if isinstance(item, str):
            item = Sample(text=item, seed=request.seed, model=self.name)
        elif not isinstance(item, Sample):
            raise MalformedResponseError(f"{self.name} returned {_kind(item)}, not a text or a sample")
        usage = item.usage
        if usage == Usage():
            usage = _bound(item, request, first=at == 0, seconds=seconds)
        if self.price is not None and usage.picodollars == 0:
            cost = self.price.cost(
                usage.prompt_tokens,
                usage.completion_tokens,
                cached_tokens=usage.cached_tokens,
                requests=usage.requests,
            )
            usage = replace(usage, picodollars=cost)
        return replace(item, usage=usage, index=at, call=request.call)


def chunks_of(samples: Sequence[Sample]) -> list[Chunk]:
    """Whole samples as the chunks a stream would end with: each in one piece, then the usage of all."""
    chunks = [
        Chunk(
            text=sample.text,
            index=sample.index,
            logprobs=sample.logprobs,
            finish_reason=sample.finish_reason or "stop",
        )
        for sample in samples
    ]
    return [*chunks, Chunk(text="", usage=sum((sample.usage for sample in samples), Usage()))]


def _bound(sample: Sample, request: Request, *, first: bool, seconds: float) -> Usage:
    written = len((sample.text + (sample.reasoning or "")).encode(errors="replace")) + 1
    if request.max_tokens is not None:
        written = min(written, request.max_tokens)
    return Usage(
        prompt_tokens=upper_bound_prompt_tokens(request) if first else 0,
        completion_tokens=written,
        requests=1 if first else 0,
        seconds=seconds if first else 0.0,
        estimated=True,
    )


def _at_most(samples: list[Sample], n: int) -> list[Sample]:
    """The first `n` samples; what the others were charged goes to the last one kept."""
    kept, more = samples[:n], samples[n:]
    if more:
        usage = sum((sample.usage for sample in more), kept[-1].usage)
        kept[-1] = replace(kept[-1], usage=usage)
    return kept


def _name(function: object) -> str:
    inner = getattr(function, "func", function)
    return str(getattr(inner, "__name__", type(inner).__name__))


def _kind(value: object) -> str:
    return "an empty list" if isinstance(value, Sequence) and not value else f"a {type(value).__name__}"
