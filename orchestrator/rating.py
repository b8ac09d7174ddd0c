"""What reward models said about a problem's texts: each asked once, in batches side by side, failures kept apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from .backends.base import Backend
from .backends.embeddings import batches
from .concurrently import concurrently
from .errors import (
    BackendError,
    BudgetExceededError,
    DeadlineExceededError,
    MalformedResponseError,
    StatusError,
)
from .types import CallId, Request

__all__ = ["Rated", "Ratings"]

Rated = tuple[float, ...] | BackendError | BudgetExceededError | DeadlineExceededError
"""A text's scores, or why it has none."""


REFUSALS = frozenset({400, 413, 422})
"""Statuses by which a server turns down what was asked, and not who asks or when."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """Scores of one problem's texts, by what was asked and the text; errors are not remembered.

    A text that is asked about again while the first call is in flight waits for it. When that call fails or is
    cancelled, the one waiting asks.
    """

    known: dict[tuple[str, str], tuple[float, ...]] = field(default_factory=dict)
    asking: dict[tuple[str, str], anyio.Event] = field(default_factory=dict)

    async def get(
        self,
        texts: Sequence[str],
        found: dict[str, Rated],
        *,
        about: str,
        batch: int,
        backend: Backend,
        prepare: Callable[[Sequence[str]], Request],
    ) -> None:
        """Puts what is said about each of `texts` into `found`, as it comes in.

        Args:
            texts: What to ask about, each once.
            found: Receives scores and errors; when this is cancelled it has those that came in before.
            about: What tells this question from another about the same text.
            batch: Texts in one call, at least 1.
            backend: Who is asked.
            prepare: Makes the call for some texts; called in order before any call is sent.
        """
        while left := [text for text in texts if text not in found]:
            for text in left:
                if (about, text) in self.known:
                    found[text] = self.known[about, text]
            left = [text for text in left if text not in found]
            free = [text for text in left if (about, text) not in self.asking]
            if free:
                calls = [(piece, prepare(piece)) for piece in batches(free, batch)]
                await self._ask(calls, found, about=about, backend=backend)
            elif left:
                await self.asking[about, left[0]].wait()

    async def _ask(
        self,
        calls: Sequence[tuple[Sequence[str], Request]],
        found: dict[str, Rated],
        *,
        about: str,
        backend: Backend,
    ) -> None:
        keys = [(about, text) for piece, _ in calls for text in piece]
        done = anyio.Event()
        self.asking.update(dict.fromkeys(keys, done))

        async def ask(piece: Sequence[str], request: Request) -> None:
            said = await _said(backend, request)
            for text, scores in zip(piece, said, strict=True):
                found[text] = scores
                if isinstance(scores, tuple):
                    self.known[about, text] = scores

        try:
            await concurrently(ask(piece, request) for piece, request in calls)
        finally:
            for key in keys:
                del self.asking[key]
            done.set()


async def _said(backend: Backend, request: Request) -> list[Rated]:
    """What one call brought for each of its texts: scores, or for all of them the call's error.

    A refusal of several texts may be about one of them, such as one that is too long: each is then asked about alone.
    """
    try:
        return list(await _scores(backend, request))
    except StatusError as error:
        if error.status not in REFUSALS or len(request.texts) == 1:
            return [error] * len(request.texts)
    except (BackendError, BudgetExceededError, DeadlineExceededError) as error:
        return [error] * len(request.texts)
    alone = await concurrently(_said(backend, one) for one in _one_by_one(request))
    return [said for [said] in alone]


def _one_by_one(request: Request) -> list[Request]:
    call = request.call
    assert call is not None
    path = f"{call.path}#{call.ordinal}"
    digest = request.digest
    return [
        request.replace(
            texts=(text,),
            n=1,
            call=CallId(problem=call.problem, path=path, ordinal=at),
            digest=f"{digest}/{at}",
        )
        for at, text in enumerate(request.texts)
    ]


async def _scores(backend: Backend, request: Request) -> list[tuple[float, ...]]:
    samples = await backend.complete(request)
    vectors = [sample.vector for sample in samples if sample.vector is not None]
    if len(vectors) != len(request.texts):
        raise MalformedResponseError(
            f"{backend.name!r} returned {len(vectors)} scores for {len(request.texts)} texts; is it a reward model?"
        )
    return vectors
