"""Texts that are not written yet, in the values that templates are filled with to work out what programs cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from ..expressions import Size, as_text

__all__ = ["Unwritten", "counting", "marked_size", "unwritten_here"]


class Unwritten(Protocol):
    """Knows which texts have marks in them that stand for others, not written yet."""

    def tokens(self, text: str) -> float | None:
        """Tokens that a text with marks has at most once it is written; None for one that has none."""

    def new(self, tokens: float) -> str:
        """A mark for at most so many tokens."""


_here: ContextVar[Unwritten | None] = ContextVar("unwritten", default=None)


@contextmanager
def counting(unwritten: Unwritten) -> Iterator[None]:
    """While costs are worked out: what is in a text with marks decides nothing in the templates it is put into."""
    token = _here.set(unwritten)
    try:
        yield
    finally:
        _here.reset(token)


def unwritten_here() -> Unwritten | None:
    """What knows the marks, where costs are being worked out."""
    return _here.get()


def marked_size(value: Any) -> Size | None:
    """The size of a value with marks in it; None of one without, and where no costs are being worked out."""
    unwritten = _here.get()
    if unwritten is None:
        return None
    try:
        tokens = unwritten.tokens(as_text(value))
    except TypeError:  # no value of the language: nothing can insert it
        return None
    if tokens is None:
        return None
    return Size(tokens=tokens, count=float(len(value)) if isinstance(value, list | tuple) else 1.0)
