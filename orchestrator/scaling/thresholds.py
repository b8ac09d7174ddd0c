"""What the thresholds of a cascade do on recorded tiers: their outcome, and the front of all that can be had.

A cascade answers with the first tier whose confidence reaches its threshold, else with the last one (Chen, Zaharia,
Zou 2023, arXiv 2305.05176).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InvalidInputError
from .recordings import FloatArray, IntArray

__all__ = [
    "ParetoPoint",
    "RecordedTier",
    "RecordedTiers",
    "ThresholdReplay",
    "Thresholds",
    "pareto_front",
    "replay_thresholds",
]

Thresholds: TypeAlias = tuple[float | None, ...]
"""Of each tier but the last: the least confidence it answers with; None: it never answers."""

_MAX_CHOICES = 100_000
"""Combinations of thresholds that are compared: seconds, and finer than a thousand problems can tell apart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedTier:
    """What one tier of a cascade did on each of n problems; the tiers of a cascade share the problems.

    Attributes:
        correct: Whether its answer was right; shape (n,), 0 or 1.
        cost: Of asking it, 0 or more, in any one unit: one number, or one a problem. A cascade pays each tier it
            asked, so a tier that works on what an earlier one paid for is recorded with the extra cost only.
        confidence: In [0, 1], shape (n,); the last tier needs none. None: all 0.
    """

    correct: ArrayLike
    cost: ArrayLike
    confidence: ArrayLike | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoPoint:
    """Thresholds that no others beat in both figures, and the figures: means over the recorded problems."""

    thresholds: Thresholds
    accuracy: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ThresholdReplay:
    """What given thresholds do on recorded problems.

    Attributes:
        correct: Whether the cascade's answer is right, shape (n,).
        cost: What it paid, shape (n,).
        tier: The tier that answered, from 0, shape (n,).
    """

    correct: FloatArray
    cost: FloatArray
    tier: IntArray

    @property
    def accuracy(self) -> float:
        """The share of problems answered right."""
        return float(self.correct.mean())

    @property
    def mean_cost(self) -> float:
        """The mean cost of a problem."""
        return float(self.cost.mean())

    @property
    def escalated(self) -> float:
        """The share of problems that the first tier handed on."""
        return float((self.tier > 0).mean())


def pareto_front(tiers: Sequence[RecordedTier]) -> tuple[ParetoPoint, ...]:
    """Accuracy against cost of all thresholds that no others beat, from the cheapest to the most accurate.

    On the problems given: the accuracy of a point picked from it flatters by what picking gained.

    Raises:
        InvalidInputError: the tiers do not fit each other.
    """
    return RecordedTiers.of(tiers).front()


def replay_thresholds(tiers: Sequence[RecordedTier], thresholds: Sequence[float | None]) -> ThresholdReplay:
    """What a cascade with these thresholds does on recorded problems, such as some it was not fitted on.

    Raises:
        InvalidInputError: the tiers do not fit each other, or there is not a threshold for each but the last.
    """
    return RecordedTiers.of(tiers).replay(thresholds)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedTiers:
    """The tiers of one cascade, checked, as arrays, for what fits thresholds.

    Attributes:
        confidence: Of all tiers but the last, shape (tiers - 1, n).
        correct: Shape (tiers, n).
        paid: For this tier and those before it, shape (tiers, n).
    """

    confidence: FloatArray
    correct: FloatArray
    paid: FloatArray

    @classmethod
    def of(cls, tiers: Iterable[RecordedTier]) -> RecordedTiers:
        """The tiers, checked.

        Raises:
            InvalidInputError: there are fewer than 2, their lengths differ, or a value is out of its range.
        """
        given = tuple(tiers)
        if len(given) < 2:
            raise InvalidInputError(f"a cascade has at least 2 tiers, not {len(given)}")
        correct = [_column(f"correct of tier {i}", tier.correct) for i, tier in enumerate(given)]
        n = correct[0].size
        confidence = [
            _column(f"confidence of tier {i}", 0.0 if tier.confidence is None else tier.confidence, n)
            for i, tier in enumerate(given[:-1])
        ]
        costs = [_column(f"cost of tier {i}", tier.cost, n) for i, tier in enumerate(given)]
        for i, column in enumerate(correct):
            if column.size != n or not np.isin(column, (0, 1)).all():
                raise InvalidInputError(f"correct of tier {i} must be 0 or 1 for each of {n} problems")
        for i, column in enumerate(confidence):
            if column.min() < 0 or column.max() > 1:
                raise InvalidInputError(
                    f"confidence of tier {i} must be in [0, 1], not {column.min()} to {column.max()}"
                )
        for i, column in enumerate(costs):
            if column.min() < 0:
                raise InvalidInputError(f"cost of tier {i} must be 0 or more, not {column.min()}")
        return cls(confidence=np.stack(confidence), correct=np.stack(correct), paid=np.cumsum(costs, axis=0))

    def __len__(self) -> int:
        return int(self.correct.shape[1])

    def part(self, problems: NDArray[Any]) -> RecordedTiers:
        """Some of the problems, by number or by mask."""
        return RecordedTiers(
            confidence=self.confidence[:, problems],
            correct=self.correct[:, problems],
            paid=self.paid[:, problems],
        )

    def replay(self, thresholds: Sequence[float | None]) -> ThresholdReplay:
        """The outcome of one set of thresholds.

        Raises:
            InvalidInputError: there is not one for each tier but the last.
        """
        tiers = len(self.correct)
        if len(thresholds) != tiers - 1:
            raise InvalidInputError(f"{tiers} tiers have {tiers - 1} thresholds, not {len(thresholds)}")
        least = np.array([np.inf if at is None else at for at in thresholds])
        accepts = np.vstack([self.confidence >= least[:, None], np.ones(len(self), dtype=bool)])
        tier = accepts.argmax(axis=0)
        problem = np.arange(len(self))
        return ThresholdReplay(
            correct=self.correct[tier, problem], cost=self.paid[tier, problem], tier=tier.astype(np.int64)
        )

    def front(self, path: Sequence[Thresholds] | None = None) -> tuple[ParetoPoint, ...]:
        """All thresholds, or those of a path, that no others beat, from the cheapest to the most accurate."""
        if path is not None:
            done = [self.replay(thresholds) for thresholds in path]
            right = np.array([outcome.correct.sum() for outcome in done])
            cost = np.array([outcome.cost.sum() for outcome in done])
            return tuple(self._point(path[at], right[at], cost[at]) for at in _unbeaten(right, cost))
        levels = self._levels()
        sums = self._sums(levels)
        right, cost = (values.ravel() for values in sums)
        return tuple(
            self._point(_at(levels, np.unravel_index(at, sums.shape[1:])), right[at], cost[at])
            for at in _unbeaten(right, cost)
        )

    def _point(self, thresholds: Thresholds, right: float, cost: float) -> ParetoPoint:
        return ParetoPoint(
            thresholds=thresholds, accuracy=float(right) / len(self), cost=float(cost) / len(self)
        )

    @staticmethod
    def choose(
        front: Sequence[ParetoPoint], target_accuracy: float | None, target_cost: float | None
    ) -> Thresholds:
        """The cheapest of a front that reach the accuracy, or the most accurate that keep to the cost.

        Raises:
            InvalidInputError: none do.
        """
        if target_cost is not None:
            within = [point for point in front if point.cost <= target_cost * (1 + 1e-12)]
            if not within:
                raise InvalidInputError(
                    f"the cheapest thresholds cost {front[0].cost:g} a problem, not {target_cost:g}"
                )
            return within[-1].thresholds
        assert target_accuracy is not None
        for point in front:
            if point.accuracy >= target_accuracy - 1e-12:
                return point.thresholds
        raise InvalidInputError(
            f"no thresholds are right in {target_accuracy:g}: at most {front[-1].accuracy:g}"
        )

    @classmethod
    def nearest(
        cls, front: Sequence[ParetoPoint], target_accuracy: float | None, target_cost: float | None
    ) -> Thresholds:
        """As `choose`; what comes closest where nothing reaches the target, as in a fold of a just reachable one."""
        if target_cost is not None:
            return cls.choose(front, None, max(target_cost, front[0].cost))
        assert target_accuracy is not None
        return cls.choose(front, min(target_accuracy, front[-1].accuracy), None)

    def choices(self, path: Sequence[Thresholds] | None, most: int) -> list[Thresholds]:
        """About `most` thresholds at even steps: of a path, else of all combinations of the confidences."""
        if path is not None:
            return list(path[:: math.ceil(len(path) / most)])
        steps = [[*map(float, level), None] for level in self._levels(most)]
        return list(product(*steps))

    def _levels(self, choices: int = _MAX_CHOICES) -> list[FloatArray]:
        """Thresholds to try at each tier, ascending: its confidences, or quantiles of them."""
        most = int(choices ** (1 / len(self.confidence)))
        levels = []
        for column in self.confidence:
            distinct = np.unique(column)
            if distinct.size > most:
                distinct = np.unique(np.quantile(column, np.linspace(0, 1, most), method="lower"))
            levels.append(distinct)
        return levels

    def _sums(self, levels: list[FloatArray]) -> FloatArray:
        """Right answers and cost of each combination of levels, shape (2, levels of a tier + 1, ...); last: never."""
        rank = np.stack(
            [
                np.searchsorted(level, column, side="right")
                for level, column in zip(levels, self.confidence, strict=True)
            ]
        )
        values = np.stack([self.correct, self.paid], axis=1)  # (tiers, 2, n)
        sizes = [level.size + 1 for level in levels]
        return _combined(rank, values, sizes, np.arange(len(self)))


def _combined(rank: IntArray, values: FloatArray, sizes: Sequence[int], alive: IntArray) -> FloatArray:
    """Sums of the two values over the problems `alive`, for each choice at each of the tiers left; shape (2, ...).

    A problem whose confidence has rank r (levels at or below it) is answered under choice c iff r > c. The last
    tier but one is done for all choices at once from sums by rank; those before it choice by choice.
    """
    first, size = rank[0][alive], sizes[0]
    here = np.stack([np.bincount(first, value[alive], minlength=size) for value in values[0]])
    answered = here.sum(axis=1, keepdims=True) - here.cumsum(axis=1)
    if len(sizes) == 1:
        later = np.stack([np.bincount(first, value[alive], minlength=size) for value in values[1]])
        return np.asarray(answered + later.cumsum(axis=1))
    sums = np.empty((2, *sizes))
    for choice in range(size):
        rest = _combined(rank[1:], values[1:], sizes[1:], alive[first <= choice])
        sums[:, choice] = rest + answered[:, choice].reshape(2, *[1] * (len(sizes) - 1))
    return sums


def _unbeaten(right: FloatArray, cost: FloatArray) -> list[int]:
    """The choices for which no other is at least as right and no dearer, by rising cost."""
    order = np.lexsort((-right, cost))
    most = np.maximum.accumulate(right[order])
    kept: list[int] = order[np.concatenate([[True], most[1:] > most[:-1]])].tolist()
    return kept


def _at(levels: list[FloatArray], places: Sequence[Any]) -> Thresholds:
    return tuple(
        None if place == level.size else float(level[place])
        for level, place in zip(levels, places, strict=True)
    )


def _column(name: str, values: ArrayLike, n: int | None = None) -> FloatArray:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim == 0 and n is not None:
        column = np.full(n, float(column))
    if column.ndim != 1 or not column.size or (n is not None and column.size != n):
        raise InvalidInputError(
            f"{name} must be one a problem{f' of {n}' if n else ''}, not of shape {column.shape}"
        )
    if not np.isfinite(column).all():
        raise InvalidInputError(f"{name} must be finite for every problem")
    return column
