"""Answers from recorded samples, so that programs run without a model."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio.lowlevel

from ..errors import InvalidInputError, ScriptExhaustedError
from ..types import Capabilities, Chunk, Price, Problem, Request, Sample, Usage
from .base import InProcess, upper_bound_prompt_tokens
from .function import chunks_of
from .recordings import Columns, Recorded, RecordedProblem, read_recordings, tokens_in
from .scripted import prompt_text

__all__ = ["ReplayBackend"]


class ReplayBackend(InProcess):
    """Answers each call with the next recorded sample of its problem.

    A request belongs to the problem its `call` names, else to the one whose question is its prompt or stands
    in it. The sample a call gets depends on the call alone, not on the order calls happen to arrive in: the
    `k`-th call of a problem asking for `n` samples gets the samples from `k * n` on, if no other call (of
    another branch, or with another `n`) has them already, else the next ones that are free. Asked again, a
    call gets the same samples.

    Usage is what was recorded; without prompt tokens in the record they are counted by the bound of their
    bytes, without completion tokens they are taken from the characters (4 a token, at most the cap that was
    asked for), and both are marked `estimated`. A call for several samples is charged one prompt and one
    request.

    What is not promised: answers do not depend on the messages, temperature or any other setting of a
    request, so only programs that draw independent samples of the problem itself are replayed faithfully.

    Args:
        recordings: Problems with their samples, by id.
        name: The model's name.
        price: A `Price`, or US dollars per million tokens as a mapping; None takes the recorded money.
        seed: Draws a problem's samples in a random order without replacement; None keeps the file's order.
    """

    def __init__(
        self,
        recordings: Mapping[str, RecordedProblem],
        *,
        name: str = "replay",
        price: Price | Mapping[str, Any] | None = None,
        seed: int | None = None,
    ) -> None:
        self._shelves = {
            identity: _Shelf(problem=entry.problem, samples=_ordered(entry.samples, identity, seed))
            for identity, entry in recordings.items()
        }
        exact = all(_is_exact(one) for shelf in self._shelves.values() for one in shelf.samples)
        capabilities = Capabilities(
            chat=True, n=True, logprobs=False, seed=False, streaming=True, usage_is_exact=exact
        )
        super().__init__(name=name, price=price, capabilities=capabilities)
        self._most_recorded = max((shelf.most_recorded for shelf in self._shelves.values()), default=0)
        self._by_question: dict[str, _Shelf | None] = {}
        for shelf in self._shelves.values():
            question = _question(shelf.problem)
            # A question two problems share names neither.
            self._by_question[question] = None if question in self._by_question else shelf

    @classmethod
    def from_jsonl(
        cls,
        path: str | Path,
        *,
        columns: Columns | None = None,
        where: Mapping[str, Any] | None = None,
        name: str | None = None,
        price: Price | Mapping[str, Any] | None = None,
        seed: int | None = None,
    ) -> ReplayBackend:
        """Reads a file of JSON lines, compressed when its name ends in `.gz`.

        Args:
            path: The file; see `recordings` for the shapes understood.
            columns: Which columns mean what; None uses the default names.
            where: Values a line must have in these columns to be read, for example `{"model": "gpt-4-0314"}`.
            name: The model's name; None takes the file's.
            price: See `ReplayBackend`.
            seed: See `ReplayBackend`.

        Raises:
            InvalidInputError: The file cannot be read, or a line is not what the columns say; names file,
                line and field.
        """
        recordings = read_recordings(path, columns=columns or Columns(), where=where)
        return cls(recordings, name=name or Path(path).name.partition(".")[0], price=price, seed=seed)

    def __repr__(self) -> str:
        return f"ReplayBackend({self.name}, problems={len(self._shelves)})"

    def problems(self) -> list[Problem]:
        """The problems recorded, in the order of the file."""
        return [shelf.problem for shelf in self._shelves.values()]

    async def count_prompt_tokens(self, request: Request) -> int:
        """The upper bound by bytes, or the most any sample of the problem recorded, whichever is more; of a prompt
        that neither its call nor its whole text names a problem for, the most any sample of all did.
        """
        shelf = self._named(request)
        recorded = self._most_recorded if shelf is None else shelf.most_recorded
        return max(upper_bound_prompt_tokens(request), recorded)

    async def complete(self, request: Request) -> list[Sample]:
        """The recorded samples of this call; fewer than `request.n` when the record ends among them.

        Raises:
            ScriptExhaustedError: The problem has no further sample.
            InvalidInputError: The request belongs to no recorded problem.
        """
        await anyio.lowlevel.checkpoint()
        shelf = self._shelf(request)
        taken = shelf.take(request)
        if not taken:
            raise ScriptExhaustedError(
                f"problem {shelf.problem.id!r} has {len(shelf.samples)} recorded samples, and all are used"
            )
        return [self._sample(shelf.samples[place], at, request) for at, place in enumerate(taken)]

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """The samples of `complete`, each in one piece."""
        for chunk in chunks_of(await self.complete(request)):
            yield chunk

    def _shelf(self, request: Request) -> _Shelf:
        if request.texts:
            raise InvalidInputError(
                f"{self.name} is a record of samples: it has no embeddings and rates nothing"
            )
        shelf = self._named(request) or self._inside(prompt_text(request))
        if shelf is None:
            named = f" of problem {request.call.problem!r}" if request.call is not None else ""
            shown = prompt_text(request)[:80]
            raise InvalidInputError(f"{self.name}: nothing is recorded for the request{named}: {shown!r}")
        return shelf

    def _named(self, request: Request) -> _Shelf | None:
        """The problem that a request's call names, or whose question is its prompt."""
        if request.call is not None and request.call.problem in self._shelves:
            return self._shelves[request.call.problem]
        return self._by_question.get(prompt_text(request))

    def _inside(self, text: str) -> _Shelf | None:
        """The problem whose question stands in a text; of several the longest: a question may be part of another."""
        inside = [
            found for question, found in self._by_question.items() if found and question and question in text
        ]
        return max(inside, key=lambda found: len(_question(found.problem)), default=None)

    def _sample(self, recorded: Recorded, at: int, request: Request) -> Sample:
        usage = _usage_of(recorded, request, first=at == 0)
        if self.price is not None:
            cost = self.price.cost(
                usage.prompt_tokens,
                usage.completion_tokens,
                cached_tokens=usage.cached_tokens,
                requests=usage.requests,
            )
            usage = replace(usage, picodollars=cost)
        return Sample(
            text=recorded.text,
            reasoning=recorded.reasoning,
            usage=usage,
            finish_reason=recorded.finish_reason or "stop",
            seed=request.seed,
            model=self.name,
            index=at,
            call=request.call,
        )


@dataclass(slots=True, kw_only=True)
class _Shelf:
    """A problem's samples, and which calls took which."""

    problem: Problem
    samples: list[Recorded]
    free: set[int] = field(default_factory=set)
    taken: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    unnamed: int = 0

    def __post_init__(self) -> None:
        self.free = set(range(len(self.samples)))

    @property
    def most_recorded(self) -> int:
        """The most prompt tokens that a sample recorded."""
        return max((one.usage.prompt_tokens for one in self.samples if one.usage is not None), default=0)

    def take(self, request: Request) -> list[int]:
        """Positions of the samples for this call, at most `request.n`."""
        if request.call is None:
            start, key = self.unnamed, None
            self.unnamed += request.n
        else:
            key = (request.call.path, request.call.ordinal)
            start = request.call.ordinal * request.n
            if key in self.taken:
                return self.taken[key][: request.n]
        count = len(self.samples)
        places = [at for at in range(start, count) if at in self.free][: request.n]
        if len(places) < request.n:
            wrapped = [at for at in range(min(start, count)) if at in self.free]
            places += wrapped[: request.n - len(places)]
        self.free.difference_update(places)
        if key is not None:
            self.taken[key] = places
        return places


def _ordered(samples: list[Recorded], identity: str, seed: int | None) -> list[Recorded]:
    if seed is None:
        return list(samples)
    return random.Random(f"{seed}:{identity}").sample(samples, len(samples))


def _question(problem: Problem) -> str:
    return prompt_text(Request(prompt=problem.prompt, messages=problem.messages))


def _is_exact(recorded: Recorded) -> bool:
    usage = recorded.usage
    return usage is not None and not usage.estimated and usage.prompt_tokens > 0


def _usage_of(recorded: Recorded, request: Request, *, first: bool) -> Usage:
    """Recorded usage, its gaps estimated; an estimate of the answer is never above the cap that was asked
    for.
    """
    usage = recorded.usage
    if usage is None:
        length = len(recorded.text) + len(recorded.reasoning or "")
        usage = Usage(completion_tokens=max(tokens_in(length), 1), requests=1, estimated=True)
    if not first:
        usage = replace(usage, prompt_tokens=0, cached_tokens=0, requests=0)
    elif not usage.prompt_tokens:
        usage = replace(usage, prompt_tokens=upper_bound_prompt_tokens(request), requests=1, estimated=True)
    if usage.estimated and request.max_tokens is not None:
        usage = replace(usage, completion_tokens=min(usage.completion_tokens, request.max_tokens))
    return usage
