"""A streamed answer, put together from its events."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import BackendError, ConnectionLostError, MalformedResponseError
from ..types import Chunk, TokenLogprob
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
    """A choice while it is being written."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    finish_reason: str | None = None
    tokens: int | None = None
    pieces: int = 0


class Transcript:
    """Takes the payloads of a stream in order, gives chunks as they come and the whole reply at the end.

    llama.cpp's server sends a usage block for each choice (on the completions route with the choice's last
    chunk, on the chat route right after it); other servers send one block for all choices at the end.

    Args:
        chat: Whether the chat route is being read.
        wanted_logprobs: Rivals to keep per token; None keeps no log-probabilities.
        cap: Tokens each choice may have; a server that writes far beyond it is not listened to for ever.
    """

    def __init__(self, *, chat: bool, wanted_logprobs: int | None, cap: int | None = None) -> None:
        self._most_pieces = math.inf if cap is None else SLACK * cap + SLACK_PIECES
        self._chat = chat
        self._wanted = wanted_logprobs
        self._drafts: dict[int, _Draft] = {}
        self._reported = Reported()
        self._model: str | None = None
        self._llama_cpp = False
        self._ended_last: int | None = None
        self._done = False

    def feed(self, payload: bytes | str) -> Iterator[Chunk]:
        """Chunks in one event's payload.

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
        draft = self._drafts.setdefault(index, _Draft())
        text, reasoning, finish = self._delta(raw)
        logprobs = None
        if self._wanted is not None and raw.get("logprobs"):
            logprobs = parse_logprobs(raw["logprobs"], wanted=self._wanted)
        draft.pieces += 1
        if text:
            draft.text.append(text)
        if reasoning:
            draft.reasoning.append(reasoning)
        if logprobs:
            draft.logprobs.extend(logprobs)
        if finish is not None:
            draft.finish_reason, self._ended_last = finish, index
        if text or logprobs or finish is not None:
            yield Chunk(text=text, index=index, logprobs=logprobs, finish_reason=finish)

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

    def cut(self) -> None:
        """End here: open choices end for their length, and count a token for each piece that came."""
        self._done = True
        for draft in self._drafts.values():
            draft.finish_reason = draft.finish_reason or "length"
            draft.tokens = draft.pieces if draft.tokens is None else draft.tokens

    def reply(self) -> Reply:
        """The whole answer.

        Raises:
            ConnectionLostError: The stream broke off before every choice had ended.
            MalformedResponseError: There was no choice in it.
        """
        ended = all(draft.finish_reason is not None for draft in self._drafts.values())
        if not self._done and not (self._drafts and ended):
            raise ConnectionLostError("the stream broke off before the answer ended")
        if not self._drafts:
            raise MalformedResponseError("a stream without a single choice")
        return Reply(
            choices=tuple(
                Choice(
                    text="".join(draft.text),
                    index=index,
                    reasoning="".join(draft.reasoning) or None,
                    finish_reason=draft.finish_reason,
                    logprobs=tuple(draft.logprobs) if self._wanted is not None and draft.logprobs else None,
                    tokens=draft.tokens,
                )
                for index, draft in sorted(self._drafts.items())
            ),
            reported=self._reported,
            model=self._model,
            llama_cpp=self._llama_cpp,
        )
