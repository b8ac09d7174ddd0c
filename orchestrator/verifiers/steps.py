"""Solutions cut into steps, and the scores of steps made one."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal, get_args

from ..errors import InvalidInputError

__all__ = ["Aggregation", "Splitting", "aggregate", "check_aggregation", "check_splitting", "split_steps"]

Splitting = Literal["paragraphs", "lines"]
"""What ends a step: a blank line, or every line's end."""

Aggregation = Literal["last", "min", "prod", "mean"]
"""How the scores r_1..r_s of steps become the solution's: r_s, min r_i, the product or the mean of all r_i."""

_BOUNDARIES = {"paragraphs": re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+"), "lines": re.compile(r"\n")}


def split_steps(text: str, how: Splitting) -> list[str]:
    """The steps of `text` without the white space around them; empty ones are none."""
    pieces = _BOUNDARIES[how].split(text.replace("\r\n", "\n"))
    return [step for piece in pieces if (step := piece.strip())]


def aggregate(scores: Sequence[float], how: Aggregation) -> float:
    """One score in [0, 1] of the scores of at least one step, each in [0, 1].

    Sources: `prod` is the probability that every step is right (Lightman et al. 2023, arXiv 2305.20050, who compare
    it with `min`); `min` is Math-Shepherd's (Wang et al. 2023, arXiv 2312.08935); `last` is for models that were
    trained to predict the outcome from each step (Snell et al. 2024, arXiv 2408.03314).
    """
    if how == "last":
        return scores[-1]
    if how == "min":
        return min(scores)
    if how == "prod":
        return math.prod(scores)
    return math.fsum(scores) / len(scores)


def check_splitting(how: str) -> None:
    """Raise `InvalidInputError` for a way to split that there is not."""
    _check("steps", how, get_args(Splitting))


def check_aggregation(how: str) -> None:
    """Raise `InvalidInputError` for an aggregation that there is not."""
    _check("aggregation", how, get_args(Aggregation))


def _check(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InvalidInputError(f"{name} must be one of {', '.join(known)}, not {value!r}")
