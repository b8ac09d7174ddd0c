"""The budget's gate: nothing is sent before its worst case is reserved."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..budget import Headroom, Ledger
from ..errors import ContextLengthError, InvalidInputError, UnknownPriceError
from ..events import Event, RequestShrunk
from ..types import Progress, Request, Sample, Usage
from .base import Backend, Wrapper

__all__ = ["LEAST_COMPLETION_TOKENS", "Metered", "fitted", "require_prices", "worst_case"]

LEAST_COMPLETION_TOKENS = 16
"""A request is not shrunk below this many completion tokens: a shorter answer is money for nothing."""


class Metered(Wrapper):
    """Reserves a call's worst case in `account` before it is sent, and gives back what is left after.

    The worst case is the prompt tokens plus `n * max_tokens`, priced. A request that does not fit only because of
    other calls in flight waits its turn; one that cannot fit even alone gets a smaller `n`, then a smaller
    `max_tokens`.

    Args:
        inner: The backend calls go to; whatever sends attempts below settles `request.hold` (see `Journaled`).
        account: The ledger charged.
        least_completion_tokens: Below this many tokens a request is refused instead of shrunk further.
        emit: Receives `RequestShrunk`.

    Raises (from `complete`):
        BudgetExceededError: It cannot fit, even alone and shrunk.
        DeadlineExceededError: The account's deadline has passed.
        ContextLengthError: The prompt does not fit the model's context.
        InvalidInputError: `max_tokens` is missing.
    """

    def __init__(
        self,
        inner: Backend,
        *,
        account: Ledger,
        least_completion_tokens: int = LEAST_COMPLETION_TOKENS,
        emit: Callable[[Event], None],
    ) -> None:
        super().__init__(inner)
        self.account = account
        self._least, self._emit = least_completion_tokens, emit

    async def complete(self, request: Request) -> list[Sample]:
        """Samples for `request`, or for as much of it as the budget allows."""
        prompt_tokens = await self.inner.count_prompt_tokens(request)
        request = self._within_context(request, prompt_tokens)
        hold = await self.account.acquire(
            self._worst_case(prompt_tokens, request.n * _cap(request)),
            shrink=lambda room: self._shrink(request, prompt_tokens, room),
        )
        with hold:
            # The progress is for `Journaled`, which would have to copy the request once more.
            request = request.replace(hold=hold, progress=Progress())
            return await self.inner.complete(fitted(request, emit=self._emit))

    def _within_context(self, request: Request, prompt_tokens: int) -> Request:
        length = self.capabilities.context_length
        if length is None or request.texts or prompt_tokens + _cap(request) <= length:
            return request  # a context holds each text to embed, not all of them
        if prompt_tokens >= length:
            raise ContextLengthError(
                f"the prompt has {prompt_tokens} tokens and {self.name!r} takes {length} with the answer: "
                "shorten the prompt or raise the context length"
            )
        return request.replace(max_tokens=length - prompt_tokens)

    def _worst_case(self, prompt_tokens: int, completion_tokens: int) -> Usage:
        return worst_case(self, prompt_tokens, completion_tokens)

    def _shrink(self, request: Request, prompt_tokens: int, room: Headroom) -> Usage | None:
        """The largest worst case that fits `room`: fewer whole choices first, then one shorter choice."""
        if request.texts:
            return None  # half of the vectors would be of no use
        cap, least = _cap(request), min(self._least, _cap(request))
        tokens = self._affordable_completion_tokens(prompt_tokens, request.n * cap, room)
        if tokens < least:
            return None
        return self._worst_case(prompt_tokens, (tokens // cap) * cap if tokens >= cap else tokens)

    def _affordable_completion_tokens(self, prompt_tokens: int, wanted: int, room: Headroom) -> int:
        limits = [wanted]
        if room.requests is not None and room.requests < 1:
            return 0
        if room.prompt_tokens is not None and room.prompt_tokens < prompt_tokens:
            return 0
        if room.completion_tokens is not None:
            limits.append(room.completion_tokens)
        if room.total_tokens is not None:
            limits.append(room.total_tokens - prompt_tokens)
        if room.picodollars is not None and self.price is not None:
            left = room.picodollars - self.price.worst_cost(prompt_tokens, 0)
            if left < 0:
                return 0
            if self.price.output > 0:
                limits.append(left // self.price.output)
        return min(limits)


def worst_case(backend: Backend, prompt_tokens: int, completion_tokens: int) -> Usage:
    """The most that one call with these tokens can use."""
    price = backend.price
    return Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        requests=1,
        picodollars=0 if price is None else price.worst_cost(prompt_tokens, completion_tokens),
    )


def require_prices(backends: Iterable[Backend]) -> None:
    """Raise `UnknownPriceError` for a backend without a price: money cannot be limited over it."""
    for backend in backends:
        if backend.price is None:
            raise UnknownPriceError(backend.name)


def fitted(request: Request, *, emit: Callable[[Event], None]) -> Request:
    """`request` with the `n` and `max_tokens` that its hold stands for; `RequestShrunk` when they became less."""
    cap = _cap(request)
    tokens = request.n * cap if request.hold is None else request.hold.worst_case.completion_tokens
    if tokens == request.n * cap:
        return request
    n, max_tokens = max(1, tokens // cap), min(cap, tokens)
    emit(RequestShrunk(call=request.call, n=n, max_tokens=max_tokens))
    return request.replace(n=n, max_tokens=max_tokens)


def _cap(request: Request) -> int:
    if request.max_tokens is None:
        raise InvalidInputError(
            "max_tokens is missing: without a cap on the answer its worst case is unbounded"
        )
    return request.max_tokens
