"""How a program reads answers: what texts say where answers are compared with them, and what numbers they state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..answers import AnswerReader, normalize
from ..errors import InvalidInputError
from ..spelling import did_you_mean
from ..types import Answer
from .work import spend

__all__ = ["number_in", "reading", "says", "unheard"]

_READER: ContextVar[AnswerReader | None] = ContextVar("reader", default=None)

_USUAL = AnswerReader()


@contextmanager
def reading(answers: AnswerReader) -> Iterator[None]:
    """Inside, expressions and templates are those of a program whose answers are read in this way."""
    token = _READER.set(answers)
    try:
        yield
    finally:
        _READER.reset(token)


def says(text: str, answer: Answer) -> bool:
    """Whether a text, read as an answer of the same kind by the program's rules, is this answer."""
    reader = _READER.get() or _USUAL
    kind = "expression" if reader.kind == "expression" else answer.kind
    try:
        key = normalize(text, kind=kind, units=reader.units, percent=reader.percent)  # type: ignore[arg-type]
    except InvalidInputError:  # a kind of one's own, whose package is not there
        return text.strip() == answer.text
    return key == answer.key


def unheard(text: str) -> tuple[str, str | None] | None:
    """What is wrong with a text that no answer of the program can be, and a hint; None where one can, or it is not
    known how answers are read.
    """
    reader = _READER.get()
    if reader is None or reader.bare(text) is not None:
        return None
    if reader.native and reader.read(text) is not None:
        return None
    if reader.labels is None:
        return f"no answer is {_quoted(text)}: it cannot be read as an answer of kind `{reader.kind}`", None
    known = ", ".join(reader.labels)
    return f"no answer is {_quoted(text)}; the labels are: {known}", did_you_mean(text, reader.labels)


def number_in(value: str | Answer) -> int | float | None:
    """The number that an answer is, or that a text states as the reader of numbers finds it; None for none."""
    reader = _READER.get() or _USUAL
    if isinstance(value, Answer):
        if value.key.startswith("n:"):
            return _number(value.key)
        return _number(normalize(value.text, kind="number", units=reader.units, percent=reader.percent))
    spend(len(value))
    found = AnswerReader(kind="number", units=reader.units, percent=reader.percent).read(value)
    return None if found is None else _number(found.key)


def _number(key: str) -> int | float | None:
    """What a key of a number says: `n:3`, `n:-1/2`, `n:1e400`, `n:5 cm`."""
    kind, _, written = key.partition(":")
    if kind != "n":
        return None
    above, _, below = written.partition(" ")[0].partition("/")
    try:
        if below:
            return int(above) / int(below)
        return float(above) if "e" in above else int(above)
    except (ValueError, OverflowError):  # more digits than are read, or larger than numbers are
        return None


def _quoted(text: str) -> str:
    return f"`{text if len(text) <= 60 else f'{text[:60]}...'}`"
