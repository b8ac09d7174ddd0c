"""A loop in the text ends the sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .._core import LoopDetector
from ..errors import InvalidInputError
from ..types import Chunk, Watch

__all__ = ["RepetitionGuard"]

LARGEST = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class RepetitionGuard:
    """Ends a sample whose text, or hidden reasoning, has fallen into a loop: what comes after is paid for nothing.

    A loop is the same block, character for character, again and again at the end of what is written: at least
    `repeats` times, and over at least `characters` characters. A single token that repeats, a phrase and a paragraph
    are all blocks. A table, a list or code repeats its form and not its characters; what repeats its characters as
    well, such as a row of dashes, the threes of 0.333 or a matrix of zeros, is no loop until it is longer than such
    things are. What changes a number in each round is none either.

    Args:
        repeats: Times a block is repeated before it is a loop, in [2, 65536]; the last may have only begun.
        characters: Length of a loop at least, in bytes of UTF-8, in [1, 65536]: about four a token in English.
        longest: The longest block that is looked for, in bytes of UTF-8, in [1, 65536].

    Raises:
        InvalidInputError: A number is out of its range.
    """

    name: ClassVar[str] = "repetition_guard"

    repeats: int = 4
    characters: int = 600
    longest: int = 2000

    def __post_init__(self) -> None:
        for name, low in (("repeats", 2), ("characters", 1), ("longest", 1)):
            if not low <= getattr(self, name) <= LARGEST:
                raise InvalidInputError(f"{name} must be in [{low}, {LARGEST}], not {getattr(self, name)}")

    def watch(self) -> Watch:
        """A watch for loops in one choice."""
        return _Loops(text=self._detector(), reasoning=self._detector())

    def _detector(self) -> LoopDetector:
        return LoopDetector(repeats=self.repeats, least=self.characters, longest=self.longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loops:
    text: LoopDetector
    reasoning: LoopDetector

    def feed(self, chunk: Chunk, /) -> str | None:
        loop = self.reasoning.add(chunk.reasoning) if chunk.reasoning else None
        if loop is None and chunk.text:
            loop = self.text.add(chunk.text)
        if loop is None:
            return None
        block, length = loop
        return f"the same {block} bytes {length // block} times over"
