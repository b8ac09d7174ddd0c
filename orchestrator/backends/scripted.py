"""A model played from a script: for tests, examples and dry runs."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import anyio

from ..errors import InvalidInputError, ScriptExhaustedError
from ..types import Capabilities, Chunk, Price, Request, Sample, TokenLogprob, Usage, Watch
from .base import InProcess
from .watching import cut_to, pieces_of

__all__ = ["Scripted", "ScriptedBackend", "tokens_of"]

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """One choice of a scripted model.

    Attributes:
        text: What it writes; cut at `max_tokens` as a real model would be, unless `usage` is given.
        reasoning: Reasoning reported apart from the text, written before it.
        usage: What it reports, as it stands (a server may lie); None counts the words.
        logprobs: One per token; None for none.
        finish_reason: How it ended; None works it out.
        delay: Seconds before it answers, by the backend's `sleep`.
        gate: An event to wait for before answering, after the delay.
        error: Raised instead of answering, after delay and gate.
    """

    text: str = ""
    reasoning: str | None = None
    usage: Usage | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    finish_reason: str | None = None
    delay: float = 0.0
    gate: anyio.Event | None = None
    error: BaseException | None = None


Item: TypeAlias = str | Sample | BaseException | Scripted
Script: TypeAlias = Iterable[Item] | Mapping[str, Iterable[Item]] | Callable[[Request], Item]


class ScriptedBackend(InProcess):
    """Plays any model: texts, usage, log-probabilities, delays and errors, by rule or by list.

    Usage is exact for what it is: a token is a word or a punctuation mark with the space before it, the
    prompt's are those of all its texts, and a choice's those of its reasoning and text (at least one).

    A watched request is written token by token, its choices side by side; one that is cut goes on being written and
    charged until the last choice has ended, as with a server that is only stopped by closing the stream.

    Args:
        script: A list (or any iterable, read as needed), used up in call order, one item per choice; a
            function from request to item, asked once per choice; or a mapping from a piece of the prompt to
            such a list, where the first piece found in the prompt decides. An item is a text, a `Sample`, an
            exception to raise, or a `Scripted`.
        name: The model's name.
        price: A `Price`, or US dollars per million tokens as a mapping; None when not known.
        capabilities: What it can do; by default everything, with exact usage.
        sleep: How delays pass, given seconds.

    Attributes:
        requests: Every request, in the order of their arrival.
        in_flight: Calls that have begun and not ended.
        started: Calls that have begun.
        cancelled: Calls that were cancelled.
    """

    def __init__(
        self,
        script: Script,
        *,
        name: str = "scripted",
        price: Price | Mapping[str, Any] | None = None,
        capabilities: Capabilities | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        if isinstance(script, str):
            raise InvalidInputError("a script is a list of texts, not one text")
        everything = Capabilities(
            chat=True, n=True, logprobs=True, seed=True, streaming=True, usage_is_exact=True
        )
        super().__init__(name=name, price=price, capabilities=capabilities or everything)
        self._rule = _rule_of(script)
        self._sleep = sleep
        self.requests: list[Request] = []
        self.started = self.in_flight = self.cancelled = 0

    def __repr__(self) -> str:
        return f"ScriptedBackend({self.name}, started={self.started}, in_flight={self.in_flight})"

    async def count_prompt_tokens(self, request: Request) -> int:
        """Exactly what `complete` will charge for the prompt."""
        return len(tokens_of(prompt_text(request)))

    async def complete(self, request: Request) -> list[Sample]:
        """The script's next `request.n` items; fewer when the script ends among them.

        Raises:
            ScriptExhaustedError: The script has no item left.
            BaseException: An item that is an exception, as it is.
        """
        self.requests.append(request)
        self.started += 1
        self.in_flight += 1
        try:
            samples = await self._play(self._take(request), request)
            return samples if request.watch is None else await self._watched(samples, request, request.watch)
        except anyio.get_cancelled_exc_class():
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """The same, token by token."""
        samples = await self.complete(request)
        for sample in samples:
            for chunk in pieces_of(sample, split=tokens_of):
                yield chunk
        yield Chunk(text="", usage=sum((sample.usage for sample in samples), Usage()))

    def _take(self, request: Request) -> list[Scripted | Sample]:
        """The items for one call, taken at once, so that call order decides and nothing else."""
        items: list[Scripted | Sample] = []
        for _ in range(request.n):
            try:
                item = self._rule(request)
            except ScriptExhaustedError:
                if items:
                    break
                raise
            items.append(_scripted(item))
        return items

    async def _play(self, items: list[Scripted | Sample], request: Request) -> list[Sample]:
        scripted = [item for item in items if isinstance(item, Scripted)]
        delay = max((item.delay for item in scripted), default=0.0)
        if delay > 0:
            await self._sleep(delay)
        else:
            await anyio.lowlevel.checkpoint()
        for item in scripted:
            if item.gate is not None:
                await item.gate.wait()
        for item in scripted:
            if item.error is not None:
                raise item.error
        return [self._sample(item, at, request) for at, item in enumerate(items)]

    async def _watched(
        self, samples: list[Sample], request: Request, watch: Callable[[], Watch]
    ) -> list[Sample]:
        """`samples` as far as their watches let them be written."""
        choices = [
            _Writing(sample=sample, pieces=pieces_of(sample, split=tokens_of), watch=watch())
            for sample in samples
        ]
        if request.progress is not None:
            request.progress.watched = True
            request.progress.streamed = lambda: self._streamed(choices, request)
        while any(choice.is_open for choice in choices):
            for choice in choices:
                choice.write()
            await anyio.lowlevel.checkpoint()
        return [
            choice.sample
            if choice.reason is None
            else replace(
                cut_to(choice.sample, choice.pieces[: choice.kept], choice.reason),
                usage=self._usage(*choice.tokens, request, first=at == 0),
            )
            for at, choice in enumerate(choices)
        ]

    def _streamed(self, choices: list[_Writing], request: Request) -> Usage | None:
        if not any(choice.written for choice in choices):
            return None
        used = [self._usage(*choice.tokens, request, first=at == 0) for at, choice in enumerate(choices)]
        return replace(sum(used, Usage()), estimated=True)

    def _sample(self, item: Scripted | Sample, at: int, request: Request) -> Sample:
        if isinstance(item, Sample):
            usage = item.usage
            if usage == Usage():
                thought = len(tokens_of(item.reasoning or ""))
                usage = self._usage(thought, len(tokens_of(item.text)), request, first=at == 0)
            return replace(item, index=at, call=request.call, usage=usage)
        text, reasoning, finish = item.text, item.reasoning, item.finish_reason or "stop"
        tokens, thoughts = tokens_of(text), tokens_of(reasoning or "")
        cap = request.max_tokens
        if item.usage is None and cap is not None and len(thoughts) + len(tokens) > cap:
            thoughts, finish = thoughts[:cap], "length"
            tokens = tokens[: cap - len(thoughts)]
            text, reasoning = "".join(tokens), "".join(thoughts) or None
        logprobs = item.logprobs
        if logprobs is not None:
            logprobs = logprobs[: len(tokens)] if finish == "length" else logprobs
        return Sample(
            text=text,
            reasoning=reasoning,
            usage=item.usage or self._usage(len(thoughts), len(tokens), request, first=at == 0),
            finish_reason=finish,
            logprobs=logprobs if request.logprobs is not None else None,
            seed=request.seed,
            model=self.name,
            index=at,
            call=request.call,
        )

    def _usage(self, thought: int, said: int, request: Request, *, first: bool) -> Usage:
        prompt = len(tokens_of(prompt_text(request))) if first else 0
        written, requests = 0 if request.texts else max(thought + said, 1), 1 if first else 0
        cost = 0 if self.price is None else self.price.cost(prompt, written, requests=requests)
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=written,
            requests=requests,
            picodollars=cost,
            reasoning_tokens=thought,
        )


@dataclass(slots=True, kw_only=True)
class _Writing:
    """A watched choice: how much of it has been written, and how much of that its watch has let through."""

    sample: Sample
    pieces: list[Chunk]
    watch: Watch
    written: int = 0
    kept: int = 0
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        return self.reason is None and self.written < len(self.pieces)

    @property
    def tokens(self) -> tuple[int, int]:
        """Tokens of reasoning and of text written."""
        thought = sum(1 for piece in self.pieces[: self.written] if piece.reasoning)
        return thought, sum(1 for piece in self.pieces[: self.written] if piece.text)

    def write(self) -> None:
        if self.written == len(self.pieces):
            return
        self.written += 1
        if self.reason is None:
            self.kept, self.reason = self.written, self.watch.feed(self.pieces[self.written - 1])


def tokens_of(text: str) -> list[str]:
    """The text cut into words and punctuation marks, each with the space before it; joined, they are the
    text.
    """
    return _TOKEN.findall(text)


def prompt_text(request: Request) -> str:
    """All the text of a request's prompt; messages, or texts to embed, on lines of their own."""
    if request.texts:
        return "\n".join(request.texts)
    if request.prompt is not None:
        return request.prompt
    return "\n".join(_content_text(message.get("content")) for message in request.messages or ())


def _content_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else ()
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))


def _scripted(item: Item) -> Scripted | Sample:
    if isinstance(item, str):
        return Scripted(text=item)
    if isinstance(item, BaseException):
        return Scripted(error=item)
    if isinstance(item, Scripted | Sample):
        return item
    raise InvalidInputError(f"a script's item is a text, Sample, exception or Scripted, not {item!r}")


def _rule_of(script: Script) -> Callable[[Request], Item]:
    if isinstance(script, Mapping):
        return _rule_of_mapping({piece: iter(items) for piece, items in script.items()})
    if callable(script):
        return script
    return _rule_of_list(iter(script))


def _rule_of_list(items: Iterator[Item]) -> Callable[[Request], Item]:
    def rule(request: Request) -> Item:
        try:
            return next(items)
        except StopIteration:
            raise ScriptExhaustedError("the script has no item left") from None

    return rule


def _rule_of_mapping(by_piece: Mapping[str, Iterator[Item]]) -> Callable[[Request], Item]:
    def rule(request: Request) -> Item:
        text = prompt_text(request)
        for piece, items in by_piece.items():
            if piece in text:
                try:
                    return next(items)
                except StopIteration:
                    raise ScriptExhaustedError(f"the script for {piece!r} has no item left") from None
        raise ScriptExhaustedError(f"the script has nothing for the prompt {text[:80]!r}")

    return rule
