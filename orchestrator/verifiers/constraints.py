"""Constraints on a text that can be counted: how long it may be, and what must not be in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

from .. import _core
from ..contracts import hold_tuples
from ..errors import InvalidInputError
from ..types import Candidate, Problem, Score
from .free import SHORT_REASON
from .rules import RIGHT, WRONG, Rule
from .words import SENTENCE_END, WORD, words_of

__all__ = ["ForbiddenWords", "TextUnit", "WordCount"]

TextUnit: TypeAlias = Literal["words", "sentences", "characters", "lines", "paragraphs"]
"""What a text is counted in: see `WordCount`."""

_PARAGRAPH = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordCount(Rule):
    """Right where the text has as many words (or another unit) as wanted; hidden thinking does not count.

    A word is a run of letters and digits, an apostrophe or hyphen inside it belonging to it; a sentence ends with
    `.`, `!` or `?` before white space, and what follows the last one counts as one more; characters are those
    between the first and the last that is no white space, line breaks included; lines are those that are not blank;
    paragraphs stand between blank lines.

    Args:
        at_least: Fewest allowed, at least 0; None for no lower limit.
        at_most: Most allowed, at least 0; None for no upper limit.
        unit: What is counted.

    Raises:
        InvalidInputError: No limit, a negative one, or a lower one above the upper; or an unknown unit.
    """

    name: ClassVar[str] = "word_count"
    longest_reason: ClassVar[float] = SHORT_REASON

    at_least: int | None = None
    at_most: int | None = None
    unit: TextUnit = "words"

    def __post_init__(self) -> None:
        limits = {"at_least": self.at_least, "at_most": self.at_most}
        for which, limit in limits.items():
            if limit is not None and limit < 0:
                raise InvalidInputError(f"{which} must be at least 0, not {limit}")
        if self.at_least is None and self.at_most is None:
            raise InvalidInputError("give at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise InvalidInputError(f"at_least {self.at_least} is more than at_most {self.at_most}")
        if self.unit not in get_args(TextUnit):
            raise InvalidInputError(f"unit must be one of {', '.join(get_args(TextUnit))}, not {self.unit!r}")

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether the count is within the limits, with the count as the reason where it is not."""
        count = _COUNTS[self.unit](_visible(candidate))
        if self.at_least is not None and count < self.at_least:
            return Score(value=WRONG, reason=f"{count} {self.unit}, at least {self.at_least}")
        if self.at_most is not None and count > self.at_most:
            return Score(value=WRONG, reason=f"{count} {self.unit}, at most {self.at_most}")
        return Score(value=RIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenWords(Rule):
    """Right where the text has none of the forbidden words; hidden thinking does not count.

    A word is forbidden as it is, not as a part or another form of a word, upper and lower case being the same; an
    entry of several words is forbidden where they follow one another.

    Args:
        words: Forbidden in every text, besides those a problem forbids by an object with `forbidden` as its
            `tests` (a list, or a text with commas or spaces between the words).

    Abstains where nothing is forbidden.

    Raises:
        InvalidInputError: An entry without a letter or digit.
    """

    name: ClassVar[str] = "forbidden_words"

    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given: object = self.words
        if isinstance(given, str):
            raise InvalidInputError(f"words must be a list of words, not the text {self.words!r}")
        hold_tuples(self)
        _phrases(self.words)

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether no forbidden word is in the text; the reason names those that are."""
        own = problem.tests.get("forbidden") if isinstance(problem.tests, Mapping) else None
        forbidden = (*self.words, *words_of(own))
        if not forbidden:
            return Score(value=None, reason="no word is forbidden")
        text = _spaced(WORD.findall(_visible(candidate)))
        found = [word for word, phrase in zip(forbidden, _phrases(forbidden), strict=True) if phrase in text]
        return Score(value=WRONG if found else RIGHT, reason=f"has {', '.join(found)}" if found else "")


def _visible(candidate: Candidate) -> str:
    return _core.after_thinking(candidate.sample.text) or ""


def _spaced(words: list[str]) -> str:
    """The words with a space before and after each, so that one is found in another only as a whole."""
    return f" {' '.join(words)} ".casefold()


def _phrases(entries: tuple[str, ...]) -> list[str]:
    phrases = [_spaced(WORD.findall(entry)) for entry in entries]
    for entry, phrase in zip(entries, phrases, strict=True):
        if not phrase.strip():
            raise InvalidInputError(f"words must have letters or digits: {entry!r} has none")
    return phrases


def _sentences(text: str) -> int:
    text = text.strip()
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    unfinished = WORD.search(text, ends[-1] if ends else 0) is not None
    return len(ends) + unfinished


_COUNTS: Mapping[str, Callable[[str], int]] = {
    "words": lambda text: len(WORD.findall(text)),
    "sentences": _sentences,
    "characters": lambda text: len(text.strip()),
    "lines": lambda text: sum(bool(line.strip()) for line in text.splitlines()),
    "paragraphs": lambda text: sum(bool(part.strip()) for part in _PARAGRAPH.split(text)),
}
