"""The one interface every source of samples has, and what wrappers around it share."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from ..types import Capabilities, Chunk, Message, Price, Rating, Request, Sample

__all__ = ["Backend", "InProcess", "Wrapper", "price_of", "upper_bound_prompt_tokens"]

TEMPLATE_OVERHEAD = 64
"""Tokens a chat template may add around a conversation: system preamble, turn markers, generation prompt."""

MESSAGE_OVERHEAD = 16
"""Tokens a chat template may add around one message."""


@runtime_checkable
class Backend(Protocol):
    """Where samples come from. Wrappers take one and are one.

    `complete` returns a list of `request.n` samples, each with its usage; it raises a `BackendError` when the
    attempt failed, and it can be cancelled at any await.
    """

    @property
    def name(self) -> str:
        """The model's name, for the journal, the price table and messages."""

    @property
    def capabilities(self) -> Capabilities:
        """What is known so far; `prepare` and answers refine it."""

    @property
    def price(self) -> Price | None:
        """What it costs, or None when nobody said."""

    async def prepare(self) -> None:
        """Find out capabilities, open connections. Safe to call twice; optional before `complete`."""

    async def count_prompt_tokens(self, request: Request) -> int:
        """Prompt tokens of `request`: exact where the server or a tokenizer says, else an upper bound."""

    async def complete(self, request: Request) -> list[Sample]:
        """Samples for `request`; raises `BackendError` for a failed attempt."""

    def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """The same, in pieces as they are written."""

    async def aclose(self) -> None:
        """Give back connections. Safe to call twice."""


class Wrapper:
    """A backend around another: passes everything through; subclasses override what they change."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        # Looked up once: a name and a price do not change, and what is known grows at the source only.
        self.name, self.price = inner.name, inner.price
        self._source: Backend = inner._source if isinstance(inner, Wrapper) else inner

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inner!r})"

    @property
    def capabilities(self) -> Capabilities:
        """What is known at the source."""
        return self._source.capabilities

    async def prepare(self) -> None:
        """Find out capabilities, open connections."""
        await self.inner.prepare()

    async def count_prompt_tokens(self, request: Request) -> int:
        """Prompt tokens of `request`, or an upper bound."""
        return await self.inner.count_prompt_tokens(request)

    async def complete(self, request: Request) -> list[Sample]:
        """Samples for `request`."""
        return await self.inner.complete(request)

    def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """The same, in pieces as they are written."""
        return self.inner.stream(request)

    async def aclose(self) -> None:
        """Give back connections."""
        await self.inner.aclose()


class InProcess:
    """The root of backends without a server behind them: nothing to find out, nothing to close.

    Args:
        name: The model's name.
        price: What it costs: a `Price`, US dollars per million tokens as a mapping, or None when not known.
        capabilities: What it can do.
    """

    def __init__(
        self, *, name: str, price: Price | Mapping[str, Any] | None, capabilities: Capabilities
    ) -> None:
        self.name, self.price, self.capabilities = name, price_of(price), capabilities

    async def prepare(self) -> None:
        """Nothing to find out."""

    async def count_prompt_tokens(self, request: Request) -> int:
        """The upper bound by bytes."""
        return upper_bound_prompt_tokens(request)

    async def aclose(self) -> None:
        """Nothing to give back."""


def price_of(price: Price | Mapping[str, Any] | None) -> Price | None:
    """A price as given: ready, as a mapping in US dollars per million tokens, or none."""
    if price is None or isinstance(price, Price):
        return price
    from ..pricing import parse_price

    return parse_price(price)


def upper_bound_prompt_tokens(request: Request) -> int:
    """A bound on prompt tokens that needs no tokenizer: bytes of text plus the template's overhead.

    A byte-level tokenizer writes at most one token per byte of UTF-8. Parts that are not text (images, tool
    definitions) count with the bytes of their JSON.
    """
    if request.texts:
        around = 2 if request.rating is None else _tokens_around(request.rating)
        return sum(len(text.encode(errors="surrogatepass")) + around for text in request.texts)
    if request.prompt is not None:
        return len(request.prompt.encode(errors="surrogatepass")) + 2
    total = TEMPLATE_OVERHEAD + _message_tokens(request.messages or ())
    if request.extra:
        total += math.ceil(len(repr(request.extra).encode()))
    return total


def _message_tokens(messages: Sequence[Message]) -> int:
    total = 0
    for message in messages:
        content = message.get("content")
        if isinstance(content, str) and len(message) == 2:
            total += len(content.encode(errors="surrogatepass")) + MESSAGE_OVERHEAD
        else:
            total += len(repr(message).encode()) + MESSAGE_OVERHEAD
    return total


def _tokens_around(rating: Rating) -> int:
    """Most tokens a model reads with each text: what it is rated against, and the template around both."""
    query = len(rating.query.encode(errors="surrogatepass"))
    return TEMPLATE_OVERHEAD + MESSAGE_OVERHEAD + query + _message_tokens(rating.messages)
