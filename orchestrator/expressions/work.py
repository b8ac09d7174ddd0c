"""What a program does between its calls, bounded: neither a budget nor a deadline ends what makes no call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import InvalidInputError
from ..types import Candidate

__all__ = ["ANSWER_GIVES", "ITEM", "MOST_WORK", "STEP", "bounded", "made_step", "spend"]

MOST_WORK = 2**28
"""Characters that solving one problem may go through between its calls: some seconds, and so many bytes of memory."""

STEP = 2**11
"""What a step counts as, in characters."""

ITEM = 2**7
"""What an item of a list counts as, in characters."""

ANSWER_GIVES = 2**15
"""What each answer of a model allows a program to do beyond, in characters: calls take longer than what is done with
their answers.
"""


class _Work:
    """What has been done so far, in characters, and how many candidates have been seen."""

    __slots__ = ("done", "seen")

    def __init__(self) -> None:
        self.done = self.seen = 0


_WORK: ContextVar[_Work | None] = ContextVar("work", default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """Bounds what is done inside, side by side or in programs that are called, all together."""
    if _WORK.get() is not None:
        yield
        return
    token = _WORK.set(_Work())
    try:
        yield
    finally:
        _WORK.reset(token)


def spend(characters: int) -> None:
    """Note that so many characters are gone through; nothing is noted outside of `bounded`.

    Raises:
        InvalidInputError: They are too many.
    """
    work = _WORK.get()
    if work is None:
        return
    work.done += characters
    if work.done > MOST_WORK:
        raise InvalidInputError(
            f"the program does too much between its calls: its steps, and the texts and lists they go through, "
            f"come to more than {MOST_WORK:,} characters (a step counts as {STEP:,}); loop less often, or over less"
        )


def made_step(candidates: Sequence[Candidate], steps: int = 1) -> None:
    """Note steps; `candidates` are all that the problem has by now, those that no call has brought included. Raises
    as `spend`.
    """
    work = _WORK.get()
    if work is None:
        return
    if len(candidates) > work.seen:
        answers = sum(one.sample.call is not None for one in candidates[work.seen :])
        work.done = max(0, work.done - ANSWER_GIVES * answers)
        work.seen = len(candidates)
    spend(STEP * steps)
