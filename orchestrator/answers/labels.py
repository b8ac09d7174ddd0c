"""Which of a fixed set of labels a text states: the answer of a classification."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .. import _core
from ..errors import InvalidInputError
from .normalize import whole_key

__all__ = ["Labels", "check_labels"]

_APART = re.compile(r"\n+|(?<=[.!?;])\s+")
"""Between the lines and sentences of a text."""

_MARKS = " \t\r.,;:!?\"'`*_()[]{}<>#-–—•"
"""What may stand around a label that is a sentence by itself."""

_NAMED = re.compile(r"[^:=]{1,40}[:=]\s*(?P<label>.+)", re.DOTALL)
"""`Category: billing`."""


@dataclass(frozen=True, slots=True)
class Labels:
    """A set of labels, found in texts by whole words, whatever their case.

    Evidence, strongest first: a marked answer that names one label ("Answer: billing", a box); the last line or
    sentence that is nothing but a label, also behind a name ("Category: billing."); the last line or sentence that
    names any. One that names several says no one of them, and the text abstains. A label inside a longer one or
    behind a hyphen ("non-technical") is not named.

    Attributes:
        names: The labels, as answers show them.
    """

    names: tuple[str, ...]

    def marked(self, visible: str) -> str | None:
        """The label that a text marks as its answer, or None: no mark, or one that names no label or several."""
        named = self._named(self._mark(visible))
        return named[0] if len(named) == 1 else None

    def find(self, visible: str, *, truncated: bool = False) -> str | None:
        """The label that a text states, or None to abstain.

        Args:
            visible: The text, after any thinking.
            truncated: Whether the token limit cut it off: then a label that is merely named does not count, nor one
                at the very end that could be the beginning of a longer one.
        """
        named = self._named(self._mark(visible))
        if named:
            return named[0] if len(named) == 1 else None
        pieces = [piece for piece in _APART.split(visible) if piece.strip()]
        for number, piece in reversed(list(enumerate(pieces))):
            label = self._alone(piece)
            if label is not None and not (truncated and number == len(pieces) - 1 and self._goes_on(piece)):
                return label
        if truncated:
            return None
        stated = next((named for piece in reversed(pieces) if (named := self._named(piece))), [])
        return stated[0] if len(stated) == 1 else None

    @staticmethod
    def _mark(visible: str) -> str:
        """What the text marks as its answer; what merely stands last in it is none."""
        found = _core.extract(f"{visible.rstrip()}\n\n-", "text", True, "by_kind", "fraction")
        return "" if found is None else found[0]

    def _alone(self, piece: str) -> str | None:
        """The label that a line or sentence is; None for another one."""
        named = _NAMED.fullmatch(piece.strip())
        for text in (piece, named["label"] if named else ""):
            label = _by_key(self.names).get(whole_key(text.strip(_MARKS))[2:])
            label = label or _by_key(self.names).get(whole_key(text)[2:])
            if label is not None:
                return label
        return None

    def _goes_on(self, piece: str) -> bool:
        """Whether a label cut off here could be the beginning of a longer one."""
        written = whole_key(piece)[2:]
        return any(
            written.endswith(short) and long != short and long.startswith(short)
            for short in _by_key(self.names)
            for long in _by_key(self.names)
        )

    def _named(self, piece: str) -> list[str]:
        """The labels that a piece of text names, each once."""
        keys = (whole_key(match[0])[2:] for match in _words(self.names).finditer(piece))
        return list(dict.fromkeys(_by_key(self.names)[key] for key in keys if key in _by_key(self.names)))


@lru_cache(maxsize=64)
def _by_key(names: tuple[str, ...]) -> dict[str, str]:
    """The labels by what they are compared by."""
    return {whole_key(name)[2:]: name for name in names}


@lru_cache(maxsize=64)
def _words(names: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the labels as whole words; the longest first, so that none is found inside another."""
    spelled = (r"\s+".join(map(re.escape, name.split())) for name in sorted(names, key=len, reverse=True))
    return re.compile(
        rf"(?<![^\W_])(?<![^\W_][-_])(?:{'|'.join(spelled)})(?![^\W_])(?![-_][^\W_])", re.IGNORECASE
    )


def check_labels(labels: Any) -> tuple[str, ...]:
    """`labels` as a tuple.

    Raises:
        InvalidInputError: They are no list of two texts or more, one is empty, or two differ in case or white space
            alone.
    """
    if not isinstance(labels, Sequence) or isinstance(labels, str):
        raise InvalidInputError(f"labels must be a list of texts, not {labels!r:.60}")
    for label in labels:
        if not isinstance(label, str) or not label.strip():
            raise InvalidInputError(f"each of the labels must be a text that is not empty, not {label!r:.60}")
    names = tuple(" ".join(label.split()) for label in labels)
    if len(names) < 2:
        raise InvalidInputError(f"labels must be two or more, such as ['yes', 'no'], not {list(names)!r}")
    if len(_by_key(names)) < len(names):
        same = next(
            name for name in names if _by_key(names)[whole_key(name)[2:]] != name or names.count(name) > 1
        )
        raise InvalidInputError(
            f"labels must differ by more than case and white space: {same!r} is there twice"
        )
    return names
