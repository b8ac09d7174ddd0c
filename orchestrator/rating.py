"""What reward models said about a problem's texts: each asked once, in batches side by side, failures kept apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from .backends.base import Backend
from .backends.embeddings import batches
from .backends.journaled import Recorded
from .concurrently import concurrently
from .errors import (
    BackendError,
    BudgetExceededError,
    DeadlineExceededError,
    InvalidInputError,
    MalformedResponseError,
    StatusError,
)
from .events import CallReplayed, Event
from .types import CallId, Request, Sample

__all__ = ["Rated", "Ratings", "about_of", "digest_of", "distinct_texts"]

Rated = tuple[float, ...] | BackendError | BudgetExceededError | DeadlineExceededError
"""A text's scores, or why it has none."""


REFUSALS = frozenset({400, 413, 422})
"""Statuses by which a server turns down what was asked, and not who asks or when."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """Scores of one problem's texts, by what was asked and the text; errors are not remembered.

    A text that is asked about again while the first call is in flight waits for it. When that call fails or is
    cancelled, the one waiting asks.

    Who asks about a text that several parts of a program share, and together with which others, depends on who comes
    first. A resumed program therefore meets what was said by the text, not by the call.
    """

    known: dict[tuple[str, str], tuple[float, ...]] = field(default_factory=dict)
    asking: dict[tuple[str, str], anyio.Event] = field(default_factory=dict)
    recorded: dict[tuple[str, str], Sequence[Sample]] = field(default_factory=dict)

    @classmethod
    def resumed(cls, recorded: Recorded | None) -> Ratings:
        """What an earlier run was told; its calls are reported as replayed when the first of their texts is met."""
        ratings = cls()
        for digest, texts, samples in () if recorded is None else recorded.rated():
            scores = [sample.vector for sample in samples if sample.vector is not None]
            if len(scores) == len(texts):
                for text, vector in zip(texts, scores, strict=True):
                    key = (about_of(digest), text)
                    ratings.known.setdefault(key, vector)
                    ratings.recorded.setdefault(key, samples)
        return ratings

    async def get(
        self,
        texts: Sequence[str],
        found: dict[str, Rated],
        *,
        about: str,
        batch: int,
        backend: Backend,
        prepare: Callable[[Sequence[str]], Request],
        emit: Callable[[Event], None],
    ) -> None:
        """Puts what is said about each of `texts` into `found`, as it comes in.

        Args:
            texts: What to ask about, each once.
            found: Receives scores and errors; when this is cancelled it has those that came in before.
            about: What tells this question from another about the same text.
            batch: Texts in one call, at least 1.
            backend: Who is asked.
            prepare: Makes the call for some texts; called in order before any call is sent.
            emit: Receives `CallReplayed` for calls of an earlier run.
        """
        while left := [text for text in texts if text not in found]:
            for text in left:
                if (about, text) in self.known:
                    found[text] = self.known[about, text]
                    if (about, text) in self.recorded:
                        self._replay(self.recorded[about, text], model=backend.name, emit=emit)
            left = [text for text in left if text not in found]
            free = [text for text in left if (about, text) not in self.asking]
            if free:
                calls = [(piece, prepare(piece)) for piece in batches(free, batch)]
                await self._ask(calls, found, about=about, backend=backend)
            elif left:
                await self.asking[about, left[0]].wait()

    def _replay(self, samples: Sequence[Sample], *, model: str, emit: Callable[[Event], None]) -> None:
        for key in [key for key, others in self.recorded.items() if others is samples]:
            del self.recorded[key]
        if samples[0].call is not None:
            emit(CallReplayed(call=samples[0].call, model=model, samples=tuple(samples)))

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


def distinct_texts(texts: Sequence[str]) -> list[str]:
    """Each of `texts` once, in order.

    Raises:
        InvalidInputError: They are one text instead of several, or one of them is no text.
    """
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise InvalidInputError(f"texts to rate must be a sequence of texts, not {texts!r}")
    return list(dict.fromkeys(texts))


def digest_of(about: str, texts: str) -> str:
    """The digest of a rating: it begins with what is asked, whatever the texts."""
    return f"{about}/{texts}"


def about_of(digest: str) -> str:
    """What was asked about the texts of the rating with this digest."""
    return digest.partition("/")[0]


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
            f"{backend.name!r} returned {len(vectors)} scores where {len(request.texts)} were asked for, one a "
            "text; is it a reward model?"
        )
    return vectors
