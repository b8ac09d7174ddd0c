"""A sentence that has to use given words: a task whose answers a rule can check."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InvalidInputError
from ..types import Candidate, Problem, Score
from .rules import RIGHT, WRONG, Rule

__all__ = ["SENTENCE_END", "WORD", "RequiredWords", "words_of"]

WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
"""A run of letters and digits; an apostrophe or hyphen inside it belongs to it."""

SENTENCE_END = re.compile(r"[.!?]+[\"'”’)\]]*(?=\s|$)")
"""The end of a sentence, with the quotes and brackets that close after it."""


@dataclass(frozen=True, kw_only=True)
class RequiredWords(Rule):
    """Right where the text is one sentence that has every word of the problem's `tests`.

    `tests` are the words, or an object that has them as `required` (`ForbiddenWords` reads `forbidden`).
    A word is a run of letters and digits (an apostrophe or hyphen inside it belongs to it); a required word
    must occur as it is, not as a part or another form of a word, upper and lower case being the same. One
    sentence: it ends with `.`, `!` or `?`, and neither another sentence nor another paragraph follows; a
    text cut off by the token cap is not one.

    Args:
        at_most: Words the sentence may have, at least 1; None for any number.
        at_least: Words it must have, at least 1; None for any number.
        partial: Score a sentence that is not finished by how far it is: w / (n + 1) for w of n required words, and 0
            where it cannot become right any more (it has ended, or has no room for the words that are missing). For
            searches over partial texts.

    Abstains where the problem has no words.

    Raises:
        InvalidInputError: A limit below 1, or more words needed than allowed.
    """

    name: ClassVar[str] = "required_words"

    at_most: int | None = None
    at_least: int | None = None
    partial: bool = False

    def __post_init__(self) -> None:
        for limit in ("at_most", "at_least"):
            value = getattr(self, limit)
            if value is not None and value < 1:
                raise InvalidInputError(f"{limit} must be at least 1, not {value}")
        if self.at_most is not None and self.at_least is not None and self.at_least > self.at_most:
            raise InvalidInputError(f"at_least {self.at_least} is more than at_most {self.at_most}")

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether the text is such a sentence, with the first thing that is wrong as the reason."""
        tests = problem.tests
        required = words_of(tests.get("required") if isinstance(tests, Mapping) else tests)
        if not required:
            return Score(value=None, reason="the problem names no words")
        text = candidate.sample.text.strip()
        wrong = self._wrong(required, text)
        if wrong is None:
            return Score(value=RIGHT)
        return Score(value=self._progress(required, text) if self.partial else WRONG, reason=wrong)

    def _wrong(self, required: Sequence[str], text: str) -> str | None:
        words = [word.casefold() for word in WORD.findall(text)]
        missing = [word for word in required if word.casefold() not in words]
        if missing:
            return f"without {', '.join(missing)}"
        ends = [match.end() for match in SENTENCE_END.finditer(text)]
        if ends != [len(text)] or "\n" in text:
            return "not one whole sentence"
        if self.at_most is not None and len(words) > self.at_most:
            return f"{len(words)} words, at most {self.at_most}"
        if self.at_least is not None and len(words) < self.at_least:
            return f"{len(words)} words, at least {self.at_least}"
        return None

    def _progress(self, required: Sequence[str], text: str) -> float:
        """How far a text that is not right is on its way there; 0 where it cannot get there."""
        words = [word.casefold() for word in WORD.findall(text)]
        wanted = {word.casefold() for word in required}
        missing = len(wanted.difference(words))
        if SENTENCE_END.search(text) or "\n" in text:
            return WRONG
        if self.at_most is not None and len(words) + missing > self.at_most:
            return WRONG
        return (len(wanted) - missing) / (len(wanted) + 1)


def words_of(tests: Any) -> list[str]:
    """Required words from a list, or from a text with commas or spaces between them."""
    if isinstance(tests, str):
        return [word for word in re.split(r"[,\s]+", tests) if word]
    if isinstance(tests, list | tuple):
        return [str(word).strip() for word in tests if str(word).strip()]
    return []
