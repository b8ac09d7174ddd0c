"""A long text in pieces. Cost: no calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..costs import FREE, Costing, Size, Spending
from ..errors import InvalidInputError
from ..expressions import ITEM, TEXT, Expression, ListOf, Type, spend
from ..strategies.base import at_least
from .base import ExpressionText, Primitive
from .frame import Frame
from .scope import Scope
from .sizes import size_here, tokens_of

__all__ = ["Split", "pieces_of"]

MOST_PIECES = 10_000
"""Pieces of one text, as many as a `for_each` takes."""

PARAGRAPH = ("\n\n",)
SENTENCE = (". ", "! ", "? ", ".\n", "!\n", "?\n", "。", "！", "？")
LINE_OR_WORD = ("\n", " ", "\t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Primitive):
    """Cuts a text into pieces; its value is the list of them, together all of the text.

    A piece ends where a paragraph does, else a sentence, else a word, in the second half of its `size`; only a text
    without any such end there is cut elsewhere. Where more than `most` pieces would be needed, they are larger.

    Cost: no calls.

    Args:
        text: The text.
        size: Characters in a piece, at least 1; what `most` asks for aside.
        overlap: Characters that a piece repeats from the end of the one before, 0..size // 2.
        most: Pieces at most, in 1..10,000.
    """

    key: ClassVar[str] = "split"

    text: ExpressionText
    size: int = 4000
    overlap: int = 0
    most: int = 100

    def __post_init__(self) -> None:
        Primitive.__post_init__(self)
        at_least(1, size=self.size)
        if not 1 <= self.most <= MOST_PIECES:
            raise InvalidInputError(f"most must be in 1..{MOST_PIECES}, not {self.most}")
        if not 0 <= self.overlap <= self.size // 2:
            raise InvalidInputError(
                f"overlap must be at least 0 and at most half of size, not {self.overlap} of {self.size}"
            )

    @property
    def most_items(self) -> int:
        """most."""
        return self.most

    def check(self, scope: Scope) -> Type:
        """A list of texts."""
        scope.expression(self.text, *self.place("text"), expected=TEXT)
        return ListOf(TEXT)

    async def run(self, frame: Frame) -> tuple[str, ...]:
        """The pieces; none of a missing or empty text."""
        text = frame.evaluate(self.text) or ""
        return tuple(pieces_of(text, size=self.size, overlap=self.overlap, most=self.most))

    async def spending(self, costing: Costing) -> Spending:
        """Nothing."""
        if self.id is not None:
            costing.sizes[self.id] = await self._size(costing)
        return Spending(label=self.label, kind=self.key, worst=FREE)

    async def _size(self, costing: Costing) -> Size:
        """How long the pieces are: of the problem itself they are known, where it is."""
        expression = Expression.of(self.text)
        text = None
        if expression.names <= {"problem"}:
            text = expression.evaluate({"problem": costing.problem}) or ""
        if text is not None and costing.knows(text):
            pieces = pieces_of(text, size=self.size, overlap=self.overlap, most=self.most)
            tokens = [await tokens_of(costing, piece) for piece in pieces]
            longest = Size(tokens=max(tokens, default=0.0))
            return Size(tokens=sum(tokens), count=float(len(pieces)), item=longest)
        whole = size_here(costing, self.text).tokens
        # What is repeated is at most as long as the pieces are without it; a token that is cut is two.
        tokens_in_all = (whole if self.overlap == 0 else 2 * whole) + self.most - 1
        return Size(tokens=tokens_in_all, count=float(self.most), item=Size(tokens=whole))


def pieces_of(text: str, *, size: int, overlap: int = 0, most: int) -> list[str]:
    """`text` cut into at most `most` pieces, each of at most `size` characters where that is enough; see `Split`."""
    text = text.strip()
    while True:
        pieces, cut = _cut(text, size, overlap, most)
        if len(pieces) <= most:
            return pieces
        # As many pieces of the same text's rest would follow; there is place for one more than `most` counts.
        size = max(size + 1 + size // 16, size * (len(text) * len(pieces) // cut) // (most + 1))


def _cut(text: str, size: int, overlap: int, most: int) -> tuple[list[str], int]:
    """The pieces, up to one more than `most`, and how many characters have been cut."""
    pieces: list[str] = []
    start = 0
    while start < len(text) and len(pieces) <= most:
        whole = len(text) - start <= size
        end = len(text) if whole else _end(text, start, start + size)
        spend(4 * ITEM + end - start)
        if piece := text[start:end].strip():
            pieces.append(piece)
        start = end if whole else _begin(text, start, end, overlap)
    return pieces, start


def _end(text: str, start: int, limit: int) -> int:
    """Where the piece from `start` ends, at `limit` at the latest and beyond its half."""
    half = start + (limit - start) // 2
    for marks in (PARAGRAPH, SENTENCE, LINE_OR_WORD):
        ends = [at + len(mark) for mark in marks if (at := text.rfind(mark, half, limit)) >= 0]
        if ends:
            return max(ends)
    return limit


def _begin(text: str, start: int, end: int, overlap: int) -> int:
    """Where the next piece begins: up to `overlap` before `end`, with a word, and after `start`."""
    if overlap == 0:
        return end
    earliest = max(end - overlap, start + 1)
    words = [at + 1 for mark in LINE_OR_WORD if (at := text.find(mark, earliest - 1, end)) >= 0]
    return min(words, default=earliest)
