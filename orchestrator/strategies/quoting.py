"""What models wrote, put before a model again: without the thinking, and as data between fences it cannot close."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .. import _core
from ..costs import Costing
from ..types import Candidate, Sample

__all__ = ["fenced", "fences_beyond", "further_fences", "merged", "numbered", "shown", "visible"]

NOTHING = "(no answer)"

SHORTEST_FENCE = 3

FENCES = 2
"""Fences around a text."""

BACKTICKS = re.compile(r"`+")


def visible(sample: Sample) -> str:
    """What a reader sees of a sample: its text after any thinking in it, or all of it where thinking never ended."""
    after = _core.after_thinking(sample.text)
    return (sample.text if after is None else after).strip()


def shown(candidate: Candidate) -> str:
    """What a candidate said, for a later turn of the conversation; never empty, which some servers refuse."""
    return visible(candidate.sample) or NOTHING


def fenced(text: str) -> str:
    """`text` between lines of backticks, one more of them than the longest row of backticks in it."""
    longest = max((len(row) for row in BACKTICKS.findall(text)), default=0)
    fence = "`" * max(SHORTEST_FENCE, longest + 1)
    return f"{fence}\n{text.strip()}\n{fence}"


def fences_beyond(costing: Costing, tokens: float, *, model: str | None = None) -> float:
    """Tokens that the fences around a text of so many can have beyond the shortest: one of backticks alone has them
    one longer than itself.
    """
    shortest = 1 if costing.tokenizes(model) else SHORTEST_FENCE
    return FENCES * max(tokens + 1 - shortest, 0)


def further_fences(
    costing: Costing, asked: str, answers: Sequence[tuple[Candidate, float]], *, model: str | None = None
) -> float:
    """That of all fences in a prompt around answers that are not written yet, each with its tokens."""
    return sum(
        asked.count(shown(one)) * fences_beyond(costing, tokens, model=model) for one, tokens in answers
    )


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
    """What candidates said, fenced and numbered from 1; equal answers once, with their number."""
    parts = []
    for number, (candidate, count) in enumerate(merged(candidates), start=1):
        times = "" if count == 1 else f" (given {count} times)"
        parts.append(f"Candidate {number}{times}:\n{fenced(shown(candidate))}")
    return "\n".join(parts)
