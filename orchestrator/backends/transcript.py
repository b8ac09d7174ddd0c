"""A streamed answer, put together from its events."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import BackendError, ConnectionLostError, MalformedResponseError
from ..types import CUT, Chunk, TokenLogprob, Watch
from .accounting import tokens_in
from .wire import (
    Choice,
    Reply,
    Reported,
    excerpt,
    loads,
    message_text,
    parse_logprobs,
    parse_usage,
    raise_embedded_error,
)

__all__ = ["Transcript"]

DONE = b"[DONE]"

SLACK, SLACK_PIECES = 2, 64
"""A choice is cut off after `SLACK` times its cap and `SLACK_PIECES` pieces: servers send a piece a token, and some
send the pieces of a character apart."""


@dataclass(slots=True)
class _Draft:
    """A choice while it is being written.

    `finish_reason` is the server's word, `cut` the watch's; `tokens` is the server's count, `streamed` that of what
    came, after a cut as well.
    """

    watch: Watch | None
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    finish_reason: str | None = None
    tokens: int | None = None
    pieces: int = 0
    streamed: int = 0
    cut: str | None = None

    def add(self, chunk: Chunk) -> bool:
        """Take in what came, and show it to the watch; whether it still belongs to the choice."""
        self.streamed += tokens_in(chunk)
        if self.cut is not None:
            return False
        if chunk.text:
            self.text.append(chunk.text)
        if chunk.reasoning:
            self.reasoning.append(chunk.reasoning)
        if chunk.logprobs:
            self.logprobs.extend(chunk.logprobs)
        if self.watch is not None:
            self.cut = self.watch.feed(chunk)
        return True

    @property
    def ending(self) -> str | None:
        """How it ended, or None while it is open."""
        return self.finish_reason if self.cut is None else CUT + self.cut


class Transcript:
    """Takes the payloads of a stream in order, gives chunks as they come and the whole reply at the end.

    llama.cpp's server sends a usage block for each choice (on the completions route with the choice's last
    chunk, on the chat route right after it); other servers send one block for all choices at the end.

    Args:
        chat: Whether the chat route is being read.
        wanted_logprobs: Rivals to keep per token; None keeps no log-probabilities.
        cap: Tokens each choice may have; a server that writes far beyond it is not listened to for ever.
        n: Choices that were asked for.
        watch: Makes what each choice is watched by; a choice ends where its watch ends it.
    """

    def __init__(
        self,
        *,
        chat: bool,
        wanted_logprobs: int | None,
        cap: int | None = None,
        n: int = 1,
        watch: Callable[[], Watch] | None = None,
    ) -> None:
        self._n, self._watch = n, watch
        self._most_pieces = math.inf if cap is None else SLACK * cap + SLACK_PIECES
        self._chat = chat
        self._wanted = wanted_logprobs
        self._drafts: dict[int, _Draft] = {}
        self._reported = Reported()
        self._model: str | None = None
        self._llama_cpp = False
        self._ended_last: int | None = None
        self._done = self._closed = self._broken = False

    def feed(self, payload: bytes | str) -> Iterator[Chunk]:
        """Chunks in one event's payload that belong to a choice; a watch sees them as they are taken from here.

        Raises:
            StatusError: The event is an error that names an HTTP status.
            MalformedResponseError: The event cannot be read.
        """
        if payload in (DONE, "[DONE]"):
            self._done = True
            return
        data = loads(payload)
        if not isinstance(data, dict):
            raise MalformedResponseError(f"a streamed event that is not an object: {excerpt(payload)}")
        self._raise_error(data)
        self._llama_cpp = self._llama_cpp or "timings" in data
        if isinstance(data.get("model"), str):
            self._model = data["model"]
        choices = data.get("choices")
        for raw in choices if isinstance(choices, list) else ():
            yield from self._choice(raw)
        if isinstance(data.get("usage"), dict):
            self._usage(data["usage"], per_choice="timings" in data)

    def _raise_error(self, data: dict[str, Any]) -> None:
        try:
            raise_embedded_error(data)
        except BackendError as error:
            # A refusal is free, but not once the model has begun to write.
            error.maybe_billed = error.maybe_billed or bool(self._drafts)
            raise

    def _choice(self, raw: Any) -> Iterator[Chunk]:
        if not isinstance(raw, dict):
            raise MalformedResponseError(
                f"a streamed choice that is not an object: {excerpt(json.dumps(raw))}"
            )
        self._raise_error(raw)
        index = raw.get("index")
        index = index if type(index) is int else 0
        draft = self._drafts.get(index)
        if draft is None:
            draft = self._drafts[index] = _Draft(watch=self._watch and self._watch())
        text, reasoning, finish = self._delta(raw)
        logprobs = None
        if self._wanted is not None and raw.get("logprobs"):
            logprobs = parse_logprobs(raw["logprobs"], wanted=self._wanted)
        draft.pieces += 1
        if finish is not None:
            draft.finish_reason, self._ended_last = finish, index
        if text or reasoning or logprobs or finish is not None:
            chunk = Chunk(
                text=text,
                reasoning=reasoning or "",
                index=index,
                logprobs=logprobs,
                finish_reason=finish,
            )
            if draft.add(chunk):
                yield chunk

    def _delta(self, raw: dict[str, Any]) -> tuple[str, str | None, str | None]:
        finish = raw.get("finish_reason")
        finish = finish if isinstance(finish, str) else None
        if not self._chat:
            text = raw.get("text")
            return (text if isinstance(text, str) else ""), None, finish
        delta = raw.get("delta")
        if not isinstance(delta, dict):
            return "", None, finish
        text, reasoning = message_text(delta)
        refusal = delta.get("refusal")
        return text or (refusal if isinstance(refusal, str) else ""), reasoning, finish

    def _usage(self, raw: dict[str, Any], *, per_choice: bool) -> None:
        read = parse_usage(raw)
        if per_choice and self._ended_last is not None:
            self._drafts[self._ended_last].tokens = read.completion_tokens
            if self._reported.prompt_tokens is None:
                self._reported = read
        else:
            self._reported = read

    @property
    def runaway(self) -> bool:
        """Whether a choice has gone so far beyond its cap that the rest must not be waited for."""
        return any(draft.pieces > self._most_pieces for draft in self._drafts.values())

    @property
    def unwanted(self) -> bool:
        """Whether nothing that may still come is wanted: every choice has ended, one at least by its watch alone."""
        drafts = self._drafts.values()
        return (
            self._watch is not None
            and len(drafts) >= self._n
            and all(draft.ending is not None for draft in drafts)
            and any(draft.finish_reason is None for draft in drafts)
        )

    def close(self) -> None:
        """End here: the stream is read no further. Choices still open end for their length."""
        self._done = self._closed = True
        for draft in self._drafts.values():
            draft.finish_reason = draft.finish_reason or "length"

    def break_off(self) -> bool:
        """The stream has broken before its end: whether a choice had ended by then, which `reply` can give."""
        self._broken = True
        return any(draft.ending is not None for draft in self._drafts.values())

    @property
    def _ended(self) -> bool:
        """Whether the server has said all it had to say."""
        drafts = self._drafts.values()
        return self._done or (bool(drafts) and all(draft.finish_reason is not None for draft in drafts))

    def so_far(self) -> Reply | None:
        """The answer as far as it has come, or None while not one token has."""
        return self._reply(partial=True) if any(draft.streamed for draft in self._drafts.values()) else None

    def reply(self, *, some: bool = False) -> Reply:
        """The whole answer.

        Args:
            some: Whether the choices that have ended are answer enough where the stream broke off before others had:
                these are then `lost`, and are charged what came of them.

        Raises:
            ConnectionLostError: The stream broke off before every choice had ended, or any, where `some` are enough.
            MalformedResponseError: There was no choice in it.
        """
        if not self._ended and not (some and self.break_off()):
            raise ConnectionLostError("the stream broke off before the answer ended")
        if not self._drafts:
            raise MalformedResponseError("a stream without a single choice")
        cut = any(draft.cut for draft in self._drafts.values())
        return self._reply(partial=self._closed or self._broken or cut, broken=self._broken)

    def _reply(self, *, partial: bool, broken: bool = False) -> Reply:
        return Reply(
            choices=tuple(
                Choice(
                    text="".join(draft.text),
                    index=index,
                    reasoning="".join(draft.reasoning) or None,
                    finish_reason=draft.ending,
                    logprobs=tuple(draft.logprobs) if self._wanted is not None and draft.logprobs else None,
                    tokens=draft.tokens,
                    streamed=draft.streamed if partial else None,
                    lost=broken and draft.ending is None,
                )
                for index, draft in sorted(self._drafts.items())
            ),
            reported=self._believed(),
            model=self._model,
            llama_cpp=self._llama_cpp,
        )

    def _believed(self) -> Reported:
        """The usage block; its count of tokens not where the stream has been left and more than that had come.

        Some servers send a block with the first event, or with each.
        """
        left = self._closed or self._broken or not self._ended
        reported, streamed = self._reported, sum(draft.streamed for draft in self._drafts.values())
        if left and reported.completion_tokens is not None and reported.completion_tokens < streamed:
            return replace(reported, completion_tokens=None)
        return reported
