"""A program's parts with what they cost at most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ..types import LONGEST_REASON
from .cost import FREE, Cost

__all__ = ["Flow", "Spending", "added", "counted", "repeated", "scaled", "total", "without_candidates"]

Flow: TypeAlias = Literal["sequence", "one", "rounds", "together"]
"""How parts are reached: each, one after the other; only one of them; each, one after the other, several times; or
all at once.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A part of a program with what it costs at most, its parts' costs included.

    Attributes:
        label: Its step in the path of its calls, or what it does where it makes none of its own; `x-*` for the
            numbered branches `x-1`, `x-2`, ...
        kind: Its key in files, such as `sample` or `self_consistency`.
        worst: What it costs at most on a problem, all times together that it is reached.
        parts: What it consists of, in order; as often as it is reached.
        note: How `worst` comes from its parts, in a few words: `at most 3 rounds`, `one of these`.
        on_branch: Whether its calls are made on a branch labelled so; else on the branch of what it is part of.
        flow: How its parts are reached each time that it is.
        longest: Of a program: tokens that the text of one of its candidates has at most, where that is not known
            before its steps have been gone through; None for what its `longest_text` says.
        reason: Of a verifier: tokens that the reason of one of its scores has at most.
    """

    label: str
    kind: str
    worst: Cost
    parts: tuple[Spending, ...] = ()
    note: str = ""
    on_branch: bool = True
    flow: Flow = "sequence"
    longest: float | None = None
    reason: float = float(LONGEST_REASON)  # no token has less than a byte


def total(parts: Sequence[Spending]) -> Cost:
    """What parts cost together."""
    return sum((part.worst for part in parts), FREE)


def scaled(spending: Spending, times: float) -> Spending:
    """A part that is reached so many times, with all that it consists of."""
    if times == 1:
        return spending
    parts = tuple(scaled(part, times) for part in spending.parts)
    return replace(spending, worst=spending.worst.times(times), parts=parts)


def repeated(spending: Spending, times: float) -> Spending:
    """A part that is reached so many times, and says so."""
    if times == 1:
        return spending
    note = f"{times:g} times" + (f"; {spending.note}" if spending.note else "")
    return replace(scaled(spending, times), note=note)


def without_candidates(spending: Spending) -> Spending:
    """A part of whose samples none is a candidate."""
    parts = tuple(without_candidates(part) for part in spending.parts)
    return replace(spending, worst=replace(spending.worst, candidates=0.0), parts=parts)


def added(one: Sequence[Spending], other: Sequence[Spending]) -> tuple[Spending, ...]:
    """The same parts reached again, at another cost; one that is new the second time stands where it stands there."""
    remaining, merged = list(one), []
    for part in other:
        alike = (before for before in remaining if (before.label, before.kind) == (part.label, part.kind))
        if (before := next(alike, None)) is None:
            merged.append(part)
            continue
        remaining.remove(before)
        merged.append(_sum(before, part))
    return (*remaining, *merged)


def _sum(one: Spending, other: Spending) -> Spending:
    return replace(other, worst=one.worst + other.worst, parts=added(one.parts, other.parts))


def counted(number: float, one: str, several: str | None = None) -> str:
    """A number of things in words: `1 text`, `3 texts`."""
    if number == 1:
        return f"1 {one}"
    figure = "any number of" if number == math.inf else f"{number:,.0f}"
    return f"{figure} {several or one + 's'}"
