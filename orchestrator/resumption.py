"""Samples that were cut and go on: further calls, whose texts are joined into one sample."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from .backends.base import Backend
from .concurrently import concurrently
from .errors import BackendError, BudgetExceededError, DeadlineExceededError, MalformedResponseError
from .monitors import Monitoring
from .types import CallId, Message, Request, Sample

__all__ = ["resume"]


async def resume(backend: Backend, request: Request, samples: list[Sample], watch: Monitoring) -> None:
    """Let those of `samples` go on that a monitor has cut and wants to be continued, in place.

    Each goes on in calls of its own, side by side, within what its `max_tokens` has left. Where such a call fails, or
    nothing allows it, the sample stays as it was cut.

    Args:
        backend: Where the calls go.
        request: What the samples were drawn with.
        samples: Its answers, in order.
        watch: What cut them.

    Raises:
        BackendError, BudgetExceededError, DeadlineExceededError: A call's, once all have ended.
    """
    errors: list[Exception] = []

    async def finish(at: int) -> None:
        try:
            await _finish(backend, request, samples, at, watch)
        except (BackendError, BudgetExceededError, DeadlineExceededError) as error:
            errors.append(error)

    cut = [at for at, sample in enumerate(samples) if sample.cut is not None]
    if cut:
        await concurrently(finish(at) for at in cut)
    if errors:
        raise errors[0]


async def _finish(
    backend: Backend, request: Request, samples: list[Sample], at: int, watch: Monitoring | None
) -> None:
    left, again, piece, alone = request.max_tokens, 0, samples[at], request.n == 1
    while watch is not None and (found := watch.resumption(samples[at])) is not None:
        resumption, watch = found
        left = None if left is None else left - _written(piece, resumption.written, alone=alone)
        if left is not None and left < 1:
            return
        more = _going_on(request, resumption.begun, at=at, again=again)
        new = await backend.complete(more.replace(max_tokens=left, watch=watch))
        if not new:
            raise MalformedResponseError(f"{backend.name!r} returned no sample")
        piece, alone = new[0], True
        samples[at] = _joined(samples[at], resumption.inserted, piece)
        again += 1


def _written(piece: Sample, counted: int, *, alone: bool) -> int:
    """Tokens of a piece of a sample that was cut: what the server counted, else `counted`.

    A choice that was not `alone` in its request is charged what was written after its cut as well.
    """
    charged = piece.usage.completion_tokens
    if piece.usage.estimated:
        return counted
    return charged if alone else min(counted, charged)


def _going_on(request: Request, begun: str, *, at: int, again: int) -> Request:
    """`request` for sample number `at` whose reply begins with `begun`; numbered under its call."""
    digest = hashlib.blake2b(f"{request.digest}\x00{begun}".encode("utf-8", "replace"), digest_size=16)
    call = request.call and CallId(
        problem=request.call.problem, path=f"{request.call.path}#{request.call.ordinal}#{at}", ordinal=again
    )
    if request.messages is None:
        return request.replace(prompt=f"{request.prompt}{begun}", n=1, call=call, digest=digest.hexdigest())
    messages = _beginning(request.messages, begun)
    return request.replace(messages=messages, n=1, call=call, digest=digest.hexdigest())


def _beginning(messages: Sequence[Message], begun: str) -> tuple[Message, ...]:
    """`messages` with the beginning of the reply, which one that they end in goes on with."""
    last = messages[-1] if messages else {}
    if last.get("role") == "assistant" and isinstance(last.get("content"), str):
        return (*messages[:-1], {**last, "content": last["content"] + begun})
    return (*messages, {"role": "assistant", "content": begun})


def _joined(cut: Sample, inserted: str, new: Sample) -> Sample:
    """Both pieces as one sample, which ends as the second does and is charged for both."""
    return replace(
        cut,
        text=cut.text + inserted + new.text,
        reasoning=(cut.reasoning or "") + (new.reasoning or "") or None,
        usage=cut.usage + new.usage,
        finish_reason=new.finish_reason,
        resumptions=cut.resumptions + 1,
        logprobs=None if cut.logprobs is None or new.logprobs is None else cut.logprobs + new.logprobs,
    )
