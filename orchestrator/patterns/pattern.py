"""A regular expression with a bound on the time that looking for it takes."""

from __future__ import annotations

import atexit
import os
import re
import threading
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ..errors import InvalidInputError
from ..worker import Worker, WorkerLostError
from .worker import found

__all__ = ["MOST_SECONDS", "Found", "Pattern"]

MOST_SECONDS = 1.0
"""Seconds that looking for a pattern in one text may take."""

LONGEST_HERE = 10_000
"""Characters of a text in which a pattern that repeats once is looked for by this process: its time grows with their
square at most, some 0.2 s.
"""

LONGEST_PATTERN = 10_000
"""Characters of a pattern, at most."""

CHOOSES = re.compile(r"[*+?{|]|\\[1-9]|\(\?P=")
"""Where matching may have to go back: what repeats, what is left out, and one of several."""

_SCRIPT = Path(__file__).with_name("worker.py")


class Found(NamedTuple):
    """A match: the index behind its last character, and what its group says (None where that took no part)."""

    end: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression in the syntax of Python's `re`, looked for in `MOST_SECONDS` at most.

    Python's matcher goes back over a text to try again, which for `(a+)+$` takes twice as long with every further
    character, and nothing ends it. So what may go back is matched by another process, kept from one text to the next
    (some 50 microseconds each), which is killed when it takes too long.

    Attributes:
        text: The expression.
        flags: Those of `re.compile`.
        trusted: Whether it is known to need little time for any text, and is matched by this process.
    """

    text: str
    flags: int = 0
    trusted: bool = False
    _compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _choices: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", FutureWarning
            )  # `[[a]`, which some later Python may read otherwise
            object.__setattr__(self, "_compiled", re.compile(self.text, self.flags))
        object.__setattr__(self, "_choices", len(CHOOSES.findall(self.text)))

    @staticmethod
    @lru_cache(maxsize=256)
    def of(text: str, *, name: str = "pattern", flags: int = 0, trusted: bool = False) -> Pattern:
        """The pattern of a text.

        Args:
            text: The expression.
            name: What it is called in errors.
            flags: Those of `re.compile`.
            trusted: Whether it is known to need little time for any text.

        Raises:
            InvalidInputError: It does not compile, or is too long.
        """
        if len(text) > LONGEST_PATTERN:
            raise InvalidInputError(
                f"{name} is at most {LONGEST_PATTERN:,} characters long, and this has {len(text):,}"
            )
        try:
            return Pattern(text, flags, trusted)
        except (re.error, OverflowError, RecursionError) as error:
            raise InvalidInputError(f"{name} {text!r} does not compile: {error}") from error

    def is_in(self, text: str) -> bool:
        """Whether it is found anywhere in `text`. Raises as `all_in`."""
        return bool(self.all_in(text))

    def is_all_of(self, text: str) -> bool:
        """Whether it matches all of `text`. Raises as `all_in`."""
        return bool(self._matched(text, whole=True))

    def last_in(self, text: str) -> str | None:
        """What its last match in `text` says; None without one. Raises as `all_in`."""
        matches = self.all_in(text)
        return (matches[-1].text or "") if matches else None

    def all_in(self, text: str, *, name: str | None = None) -> list[Found]:
        """Its matches in `text`, in order, each with what its group says: the one called `name`, if it has it, else
        its first, else all of it.

        Raises:
            InvalidInputError: It takes too long.
        """
        return self._matched(text, name=name)

    def _matched(self, text: str, *, whole: bool = False, name: str | None = None) -> list[Found]:
        if self.trusted or self._choices == 0 or (self._choices == 1 and len(text) <= LONGEST_HERE):
            matches = found(self._compiled, text, whole=whole, name=name)
        else:
            matches = _shared().ask(self, text, whole=whole, name=name)
        return [Found(*match) for match in matches]


class _Matcher:
    """The worker process that all patterns share; one at a time asks it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: Worker | None = None

    def ask(
        self, pattern: Pattern, text: str, *, whole: bool, name: str | None
    ) -> list[tuple[int, str | None]]:
        question = [pattern.text, pattern.flags, text, whole, name, MOST_SECONDS]
        with self._lock:
            worker = self._worker = self._worker or Worker(_SCRIPT, what="the matcher of patterns")
            try:
                return worker.ask(question, MOST_SECONDS)  # type: ignore[return-value]
            except BaseException as error:
                # Interrupted, its answer would be taken for the next one's.
                self._worker = None
                worker.stop()
                if not isinstance(error, WorkerLostError):
                    raise
        raise InvalidInputError(
            f"looking for the pattern {pattern.text[:200]!r} in a text of {len(text):,} characters takes longer "
            f"than {MOST_SECONDS:g} s: write it so that a text can match it in one way only, such as `[^)]*` for `.*`"
        )

    def close(self) -> None:
        with self._lock:
            if self._worker is not None:
                self._worker.stop()
                self._worker = None


_matchers: dict[int, _Matcher] = {}  # by process: a forked child must not talk to its parent's worker
_matchers_lock = threading.Lock()


def _shared() -> _Matcher:
    with _matchers_lock:
        matcher = _matchers.get(os.getpid())
        if matcher is None:
            matcher = _matchers[os.getpid()] = _Matcher()
            atexit.register(matcher.close)
    return matcher
