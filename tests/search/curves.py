"""Accuracy against tokens of several methods on the same problems, compared at equal tokens."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InvalidInputError
from orchestrator.scaling import Interval, bootstrap_interval

__all__ = ["Crossing", "Curve", "ahead", "by_difficulty", "crossings", "shared_range"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

PLACES = 65
"""Budgets, evenly spaced in the logarithm, at which two curves are compared to find where they cross."""

RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """What came of one method by budget.

    Args:
        right: Whether each problem was answered right, shape (budgets, problems).
        tokens: Mean tokens of a problem, above 0 and ascending, shape (budgets,).
    """

    right: Floats
    tokens: Floats

    def __post_init__(self) -> None:
        if self.right.ndim != 2 or self.tokens.shape != self.right.shape[:1] or len(self.tokens) < 2:
            raise InvalidInputError(
                "a curve has right answers by budget and problem and tokens by budget, for at least 2 budgets, "
                f"not of shapes {self.right.shape} and {self.tokens.shape}"
            )
        if self.tokens[0] <= 0 or np.any(np.diff(self.tokens) <= 0):
            raise InvalidInputError(f"tokens must be above 0 and ascending, not {self.tokens.tolist()}")

    def at(self, tokens: float) -> Floats:
        """Accuracy on each problem at so many mean tokens, shape (problems,): between two budgets linear in the
        logarithm, beyond the first and the last that of these.
        """
        where = float(np.interp(np.log(tokens), np.log(self.tokens), np.arange(len(self.tokens))))
        low = min(int(where), len(self.tokens) - 2)
        part = where - low
        return (1 - part) * self.right[low] + part * self.right[low + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where the mean of one curve passes that of another: at so many tokens, to above it (`upwards`) or below."""

    tokens: float
    upwards: bool


def shared_range(one: Curve, other: Curve) -> tuple[float, float]:
    """The tokens that both curves cover, from and to."""
    low = max(one.tokens[0], other.tokens[0])
    high = min(one.tokens[-1], other.tokens[-1])
    return float(low), float(high)


def ahead(one: Curve, other: Curve, tokens: float, among: Numbers | None = None) -> Interval:
    """How much larger a share of the problems `one` gets right than `other` at so many tokens; paired, at 95 %.

    Args:
        one, other: Curves over the same problems.
        tokens: Mean tokens of a problem, over all problems.
        among: Numbers of the problems it is about; None for all.
    """
    difference = one.at(tokens) - other.at(tokens)
    return bootstrap_interval(difference if among is None else difference[among], resamples=RESAMPLES)


def crossings(one: Curve, other: Curve, among: Numbers | None = None) -> list[Crossing]:
    """Where `one` passes `other` within the tokens both cover, by rising tokens; curves that only meet do not."""
    places = np.geomspace(*shared_range(one, other), PLACES)
    chosen = slice(None) if among is None else among
    lead = np.array([(one.at(at) - other.at(at))[chosen].mean() for at in places])
    apart = np.flatnonzero(np.abs(lead) > 1e-9)
    found = []
    for before, after in itertools.pairwise(apart):
        if lead[before] * lead[after] < 0:
            part = lead[before] / (lead[before] - lead[after])
            tokens = places[before] ** (1 - part) * places[after] ** part
            found.append(Crossing(tokens=float(tokens), upwards=bool(lead[after] > 0)))
    return found


def by_difficulty(chance: Sequence[float], parts: int) -> list[Numbers]:
    """The problems' numbers in `parts` parts of about the same size, those of the largest chance first."""
    return np.array_split(np.argsort(-np.asarray(chance), kind="stable"), parts)
