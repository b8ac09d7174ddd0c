"""What models wrote, inside a prompt for another one: as data, between fences it cannot close."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..types import Candidate

__all__ = ["fenced", "merged", "numbered"]

SHORTEST_FENCE = 3
BACKTICKS = re.compile(r"`+")


def fenced(text: str) -> str:
    """`text` between lines of backticks, one more of them than the longest row of backticks in it."""
    longest = max((len(row) for row in BACKTICKS.findall(text)), default=0)
    fence = "`" * max(SHORTEST_FENCE, longest + 1)
    return f"{fence}\n{text.strip()}\n{fence}"


def merged(candidates: Sequence[Candidate]) -> list[tuple[Candidate, int]]:
    """The first candidate of each answer with how often the answer was given, in first-seen order.

    Candidates without a readable answer are merged when their texts are the same.
    """
    counted: dict[tuple[bool, str], tuple[Candidate, int]] = {}
    for candidate in candidates:
        readable = candidate.answer is not None
        key = (readable, candidate.sample.text.strip() if candidate.answer is None else candidate.answer.key)
        first, count = counted.get(key, (candidate, 0))
        counted[key] = (first, count + 1)
    return list(counted.values())


def numbered(candidates: Sequence[Candidate]) -> str:
    """The texts of candidates, fenced and numbered from 1; equal answers once, with their number."""
    parts = []
    for number, (candidate, count) in enumerate(merged(candidates), start=1):
        times = "" if count == 1 else f" (given {count} times)"
        parts.append(f"Candidate {number}{times}:\n{fenced(candidate.sample.text)}")
    return "\n".join(parts)
