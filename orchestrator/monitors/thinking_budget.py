"""Thinking that is ended at a number of tokens, and made to end in an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from ..backends.accounting import tokens_in
from ..errors import InvalidInputError
from ..types import Chunk, Sample, Watch
from .base import Resumption

__all__ = ["ThinkingBudget"]

COUNTED = re.compile(r"(\d+) tokens")
"""What a watch says why it has cut: the tokens it had counted by then, which may be more than the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingBudget:
    """Ends a sample's thinking after `tokens` tokens and makes the model answer.

    Thinking is the hidden reasoning that a server streams apart, or else the text up to `delimiter`. When it reaches
    `tokens` it is cut; `delimiter` and `end` are put after it, and the model goes on from there with what is left of
    `max_tokens`, in a second call that reads prompt and thinking again. What it writes after that is not counted. A
    thinking that ends by itself, or that `max_tokens` ends first, is left as it is.

    The model is given the beginning of its reply, which needs a plain-text model or a server that continues a chat's
    last message: llama.cpp does, vLLM is asked to; other servers may begin a new reply. Reasoning that a server
    charges without streaming it cannot be counted here.

    Source: Muennighoff et al., "s1: Simple test-time scaling", arXiv 2501.19393, §3.1 (budget forcing, its upper
    bound). Differs in that it works inside any strategy's samples.

    Args:
        tokens: Tokens of thinking at most, at least 1: those that came with log-probabilities, else the pieces that
            were streamed. A piece is taken whole, so that servers which send many words at once overshoot.
        delimiter: What ends thinking in a text; None for models that write no such mark, whose text is all thinking.
        end: What is put after the thinking to make the model answer.

    Raises:
        InvalidInputError: `tokens` is below 1, or a text is empty.
    """

    name: ClassVar[str] = "thinking_budget"

    tokens: int = 512
    delimiter: str | None = "</think>"
    end: str = "Final answer:"

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise InvalidInputError(f"tokens must be at least 1, not {self.tokens}")
        for name in ("delimiter", "end"):
            if getattr(self, name) is not None and not getattr(self, name).strip():
                raise InvalidInputError(f"{name} must be a text, not an empty one")

    def watch(self) -> Watch:
        """A watch that counts one choice's thinking."""
        return _Thinking(most=self.tokens, delimiter=self.delimiter)

    def resumption(self, sample: Sample, /) -> Resumption | None:
        """The thinking closed, and `end` after it."""
        if sample.reasoning and not sample.text.strip():
            opener = "" if self.delimiter is None else self.delimiter.replace("/", "") + "\n"
            begun = f"{opener}{sample.reasoning.rstrip()}{self._closing}{self.end}"
            return Resumption(begun=begun, inserted=self.end, written=self._counted(sample))
        inserted = f"{self._closing}{self.end}"
        return Resumption(begun=sample.text + inserted, inserted=inserted, written=self._counted(sample))

    @property
    def inserts(self) -> str:
        """All that may be put around thinking that was cut, for who bounds the cost of going on."""
        opener = "" if self.delimiter is None else self.delimiter.replace("/", "") + "\n"
        return f"{opener}{self._closing}{self.end}"

    def _counted(self, sample: Sample) -> int:
        """Tokens of thinking when it was cut: a piece of a stream may have brought many at once."""
        told = COUNTED.search(sample.cut or "")
        return self.tokens if told is None else int(told[1])

    @property
    def _closing(self) -> str:
        return "\n" if self.delimiter is None else f"\n{self.delimiter}\n\n"


@dataclass(slots=True, kw_only=True)
class _Thinking:
    """The tokens of one choice's thinking so far, and whether it is over."""

    most: int
    delimiter: str | None
    tokens: int = 0
    apart: bool = False
    over: bool = False
    tail: str = ""

    def feed(self, chunk: Chunk, /) -> str | None:
        if self.over:
            return None
        self.apart = self.apart or bool(chunk.reasoning)
        self.over = self._ends(chunk)
        if self.over:
            return None
        self.tokens += tokens_in(chunk)
        return f"{self.tokens} tokens" if self.tokens >= self.most else None

    def _ends(self, chunk: Chunk) -> bool:
        if chunk.finish_reason is not None:
            return True
        if self.apart:
            return bool(chunk.text.strip())
        if self.delimiter is None:
            return False
        seen = self.tail + chunk.text
        self.tail = seen[-len(self.delimiter) :]
        return self.delimiter in seen
