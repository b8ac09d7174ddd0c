"""What strategies share that let a model write a reply in pieces: each goes on where the text so far ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..context import Context
from ..prompts import Rendered
from ..types import Sample
from .attempts import Attempts
from .base import Strategy

__all__ = ["Pieces", "on_a_new_line"]


@dataclass(slots=True, kw_only=True)
class Pieces:
    """A reply that is written piece by piece.

    A plain-text model goes on with its text. A chat model is given the beginning of its reply, which needs a server
    that continues it: llama.cpp does, vLLM is asked to; other servers may begin a new reply. A monitor watches each
    piece by itself.

    Attributes:
        strategy: Whose settings the pieces are drawn with.
        ctx: Where the calls are made, one after the other.
        ask: What the reply answers.
        attempts: Told of the calls that fail, and of what ends them.
        text: The reply so far; reasoning that a server reports apart is in it where there is no other text.
        tokens: Completion tokens of the pieces so far, as charged, hidden reasoning included.
    """

    strategy: Strategy
    ctx: Context
    ask: Rendered
    attempts: Attempts
    text: str = ""
    tokens: int = 0

    async def write(self, begun: str, *, cap: int, **sampling: Any) -> Sample | None:
        """One more piece of at most `cap` tokens after `begun`, which takes the place of the text so far.

        None when the call failed or nothing allows it; the text then stays as it was. `begun` is to end in no space:
        servers cut it there.
        """
        sample = await self.attempts.complete(
            self.ctx, self.strategy, self.ask.continued(begun), max_tokens=cap, **sampling
        )
        if sample is not None:
            self.text = begun + (sample.text or sample.reasoning or "")
            self.tokens += sample.usage.completion_tokens
        return sample


def on_a_new_line(text: str, opener: str) -> str:
    """`opener` on a line of its own after `text`; without space at its end, where servers cut a reply's beginning."""
    text = text.rstrip()
    return f"{text}\n{opener}" if text else opener
