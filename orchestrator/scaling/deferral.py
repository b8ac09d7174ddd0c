"""When a cheap answer is good enough: the thresholds of a cascade, fitted on recorded tiers, and what they promise.

What a tier's confidence should say is not only how probably its answer is right: asking on pays only where the next
tier is right and this one is not (`fit_deferral`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InvalidInputError
from ..fitted import Fitted
from .calibration import Calibrator
from .estimators import whole_number
from .intervals import Interval, bootstrap_interval, wilson_interval
from .recordings import FloatArray
from .thresholds import RecordedTier, RecordedTiers, ThresholdReplay, Thresholds

__all__ = ["CascadeFit", "deferral_path", "fit_deferral", "fit_thresholds"]

_PATH = tuple(step / 1000 for step in range(1000, -1, -1))
"""Thresholds tested for a guarantee on two tiers: fixed before the data are seen, as the test demands."""

_FOLDS = 10

_RESAMPLES = 200
"""In which thresholds are chosen again."""

_COARSE = 500
"""Combinations of thresholds to choose from in each of them: of all it would take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeFit(Fitted):
    """Thresholds for a cascade, and what to expect of them.

    Attributes:
        thresholds: Of each tier but the last: what `at_least` of its accept rule should be. None: the tier never
            answers, and the cascade is as good without it if no other tier needs its answers.
        accuracy: On new problems of the same kind. For a guaranteed target the range is [target, 1]: the
            promise is one-sided, and `value` is that of the tested problems: with more than two tiers a random half
            of them, else all. It is the accuracy of thresholds picked for passing on these very problems, so it
            flatters: in a simulation by 5.8 points with 40 problems, by 0.2 with 200. Otherwise it is Wilson's
            interval of the held-out answers of a 10-fold cross-validation that chooses the thresholds again in
            each fold, so that having chosen is paid for.
        cost: Mean of a new problem, in the unit of the tiers, with a bootstrap interval over the problems that
            `accuracy` is from. Of thresholds chosen for an accuracy without guarantee it counts the choice too:
            they are chosen again in each resample. Simulated with 60 and 200 problems on two tiers, the interval
            of 95 % then held 94 to 98 times of 100.
        answered: Share of the fitting problems that each tier answers.
        fitted_accuracy, fitted_cost: On the problems the thresholds were chosen on: flattering.
        guaranteed: The accuracy promised by a test, or None for a fit without guarantee.
        problems: Problems recorded.
    """

    format: ClassVar[str] = "cascade thresholds"
    called: ClassVar[str] = "a fit of a cascade"

    thresholds: Thresholds
    accuracy: Interval
    cost: Interval
    answered: tuple[float, ...]
    fitted_accuracy: float
    fitted_cost: float
    guaranteed: float | None
    problems: int

    def __post_init__(self) -> None:
        for threshold in self.thresholds:
            if threshold is not None and not 0 <= threshold <= 1:
                raise InvalidInputError(f"a threshold must be in [0, 1] or None, not {threshold}")
        if not self.thresholds or len(self.answered) != len(self.thresholds) + 1:
            raise InvalidInputError(
                f"{len(self.thresholds)} thresholds are for {len(self.thresholds) + 1} tiers, at least 2, "
                f"not {len(self.answered)}"
            )

    @property
    def escalated(self) -> float:
        """The share of the fitting problems that the first tier hands on."""
        return 1 - self.answered[0]

    @classmethod
    def _from_values(cls, document: Mapping[str, Any]) -> CascadeFit:
        promised = document["guaranteed"]
        return cls(
            thresholds=tuple(None if at is None else float(at) for at in document["thresholds"]),
            accuracy=Interval(**{key: float(value) for key, value in document["accuracy"].items()}),
            cost=Interval(**{key: float(value) for key, value in document["cost"].items()}),
            answered=tuple(map(float, document["answered"])),
            fitted_accuracy=float(document["fitted_accuracy"]),
            fitted_cost=float(document["fitted_cost"]),
            guaranteed=None if promised is None else float(promised),
            problems=int(document["problems"]),
        )


def fit_thresholds(
    tiers: Sequence[RecordedTier],
    *,
    target_accuracy: float | None = None,
    target_cost: float | None = None,
    guarantee: bool = True,
    path: Sequence[Thresholds] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> CascadeFit:
    """The cheapest thresholds for an accuracy, or the most accurate ones for a cost.

    Thresholds of all tiers are chosen together: every combination of the recorded confidences is tried, or of as
    many quantiles of them as make 100,000 combinations. Several thresholds from some hundred problems fit their
    noise: `deferral_path` leaves one number to choose. Where a fitted calibrator states the confidence, fit it on
    other problems, else what is expected here flatters.

    A guaranteed accuracy is tested rather than estimated (Learn then Test: Angelopoulos, Bates, Candès, Jordan,
    Lei 2021, arXiv 2110.01052, with fixed-sequence testing): thresholds are tried in an order that does not depend
    on the problems they are tested on, each with the exact binomial test of "its accuracy is below the target" at
    level 1 - confidence, up to the first that fails; the last that passed is taken. With two tiers the order is
    1.000, 0.999, ..., 0, after "never", and all problems are tested. With more, one random half of the problems
    gives the Pareto front, tried from its most accurate end, and the other half the test (Pareto testing:
    Laufer-Goldshtein, Fisch, Barzilay, Jaakkola 2022, arXiv 2210.07913). A `path` given is the order itself, and all
    problems are tested.

    Args:
        tiers: Cheapest first, at least 2, of the same problems; at least 20 problems.
        target_accuracy: To be reached, in [0, 1].
        target_cost: Not to be passed, in expectation, by the mean cost of a problem. Exactly one of the two.
        guarantee: With `target_accuracy`: whether it is to hold on new problems with probability `confidence`
            over the draw of the recorded ones. False: it is reached on the recorded problems, and `accuracy` says
            how sure that is.
        path: The thresholds to choose from, the surest first; for a guarantee they must not depend on the recorded
            answers. None: all.
        confidence: Of the guarantee and of the intervals, in (0, 1).
        seed: Of the random halves and folds.

    Raises:
        InvalidInputError: an argument is out of its range, the tiers do not fit each other, or no thresholds
            reach the target (or can be guaranteed to: ask for less, or record more problems).
    """
    table = RecordedTiers.of(tiers)
    _check_targets(target_accuracy, target_cost, confidence, len(table))
    if path is not None and not path:
        raise InvalidInputError("path must hold at least 1 set of thresholds")
    rng = np.random.default_rng(whole_number("seed", seed))
    if target_accuracy is not None and guarantee:
        return _guaranteed(table, target_accuracy, path, confidence, rng)
    thresholds = table.choose(table.front(path), target_accuracy, target_cost)
    held_out = _cross_validate(table, target_accuracy, target_cost, path, rng)
    cost = bootstrap_interval(held_out.cost, confidence=confidence, resamples=2000)
    if target_accuracy is not None:
        cost = _with_choice(cost, table, thresholds, target_accuracy, path, rng)
    return _fit(
        table,
        thresholds,
        accuracy=wilson_interval(int(held_out.correct.sum()), len(table), confidence=confidence),
        cost=cost,
        guaranteed=None,
    )


def fit_deferral(
    figures: Sequence[float] | Sequence[Sequence[float]],
    correct: ArrayLike,
    next_correct: ArrayLike,
    *,
    features: Sequence[str],
) -> Calibrator:
    """Learns the confidence a tier should state: (1 + P(it is right) - P(the next one is right)) / 2.

    0.5 where the next tier is expected to do no better, less where asking it pays. The best order in which to hand
    problems on is that of the difference, which confidence in one's own answer differs from where both tiers fail
    on the same problems (Jitkrittum, Gupta, Menon, Narasimhan, Rawat, Kumar 2023, arXiv 2307.02764). Fitted as a
    logistic `Calibrator` in which each problem counts twice, once with "this one is right" and once with "the next
    one is wrong": the mean of the two is the confidence.

    Args:
        figures: Of each problem's answer at this tier: a value, or one for each of `features`.
        correct, next_correct: Whether this and the next tier's answer was right, 0 or 1, shape (n,).
        features: What the figures are, by name.

    Raises:
        InvalidInputError: the lengths differ, a value is out of its range, or scikit-learn is not installed.
    """
    this, following = np.asarray(correct, dtype=np.float64), np.asarray(next_correct, dtype=np.float64)
    if this.shape != following.shape or this.shape != (len(figures),):
        raise InvalidInputError(
            f"correct and next_correct must be one for each of {len(figures)} problems, "
            f"not of shapes {this.shape} and {following.shape}"
        )
    if not np.isin([this, following], (0, 1)).all():
        raise InvalidInputError("correct and next_correct must be 0 or 1")
    outcomes = [*(this == 1).tolist(), *(following == 0).tolist()]
    rows: list[Any] = [*figures, *figures]
    return Calibrator.fit(rows, outcomes, method="logistic", features=features)


def deferral_path(costs: Sequence[float], *, steps: int = 1000) -> tuple[Thresholds, ...]:
    """Thresholds for the confidence of `fit_deferral` that ask on where the gain is worth one price of cost.

    At price p tier i answers where P(the next is right) - P(it is right) <= p * costs[i + 1], which is where its
    confidence is at least (1 - p * costs[i + 1]) / 2. One number is chosen instead of one for each tier.

    Args:
        costs: Mean cost of each tier, above 0 from the second on.
        steps: Prices, from 0 (ask on wherever it may help) to where no tier asks on.

    Returns:
        The thresholds by rising price: the surest first.

    Raises:
        InvalidInputError: there are fewer than 2 tiers, a cost is not positive, or `steps` is below 1.
    """
    later = list(costs)[1:]
    if not later or not all(math.isfinite(cost) and cost > 0 for cost in later):
        raise InvalidInputError(
            f"costs must be of at least 2 tiers, positive from the second on, not {list(costs)}"
        )
    whole = whole_number("steps", steps, least=1)
    prices = [step / whole / min(later) for step in range(whole + 1)]
    return tuple(tuple(max(0.0, (1 - price * cost) / 2) for cost in later) for price in prices)


def _guaranteed(
    table: RecordedTiers,
    target: float,
    path: Sequence[Thresholds] | None,
    confidence: float,
    rng: np.random.Generator,
) -> CascadeFit:
    """The last thresholds on a path that pass the test one after the other."""
    if path is None and len(table.confidence) == 1:
        path = [(None,), *((at,) for at in _PATH)]
    tested = table
    if path is None:
        half = rng.permutation(len(table))
        path = [point.thresholds for point in reversed(table.part(half[: len(table) // 2]).front())]
        tested = table.part(half[len(table) // 2 :])
    p_values = _binomial_tails(len(tested), target)
    passed: ThresholdReplay | None = None
    for thresholds in path:
        tried = tested.replay(thresholds)
        if p_values[int(tried.correct.sum())] > 1 - confidence:
            break
        passed, chosen = tried, thresholds
    if passed is None:
        raise InvalidInputError(
            f"an accuracy of {target:g} cannot be guaranteed with confidence {confidence:g}: the surest thresholds "
            f"are right in {tried.accuracy:.4g} of {len(tested)} problems they were tested on. Ask for less, record "
            "more problems, or set guarantee=False"
        )
    return _fit(
        table,
        chosen,
        accuracy=Interval(value=passed.accuracy, low=target, high=1.0, confidence=confidence),
        cost=bootstrap_interval(passed.cost, confidence=confidence, resamples=2000),
        guaranteed=target,
    )


def _cross_validate(
    table: RecordedTiers,
    target_accuracy: float | None,
    target_cost: float | None,
    path: Sequence[Thresholds] | None,
    rng: np.random.Generator,
) -> ThresholdReplay:
    """Each problem's outcome under thresholds chosen without its fold."""
    fold = rng.permutation(len(table)) % _FOLDS
    correct, cost = np.zeros((2, len(table)))
    tier = np.zeros(len(table), dtype=np.int64)
    for number in range(_FOLDS):
        rest, out = table.part(fold != number), fold == number
        held_out = table.part(out).replay(rest.nearest(rest.front(path), target_accuracy, target_cost))
        correct[out], cost[out], tier[out] = held_out.correct, held_out.cost, held_out.tier
    return ThresholdReplay(correct=correct, cost=cost, tier=tier)


def _with_choice(
    held_out: Interval,
    table: RecordedTiers,
    thresholds: Thresholds,
    target: float,
    path: Sequence[Thresholds] | None,
    rng: np.random.Generator,
) -> Interval:
    """The interval of a cost, widened by what choosing thresholds for an accuracy makes it miss.

    Problems that happen to be easy both cost less and let lower thresholds reach the target. In each resample of
    the problems thresholds are chosen again, and their cost on all problems is compared with that on the resample:
    what the fitted cost may be off by. The range holds that of the held-out problems too, since few problems make
    the resamples, which repeat some of them, choose among fewer thresholds.
    """
    counts = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=_RESAMPLES).astype(
        np.float64
    )
    choices = table.choices(path, _COARSE)
    right, paid = np.empty((2, len(choices), _RESAMPLES))
    cost = np.empty(len(choices))
    for number, choice in enumerate(choices):
        done = table.replay(choice)
        right[number], paid[number], cost[number] = counts @ done.correct, counts @ done.cost, done.mean_cost
    reached = right >= np.minimum(target * len(table), right.max(axis=0)) - 1e-9
    chosen = np.where(reached, paid, np.inf).argmin(axis=0)
    off = cost[chosen] - paid[chosen, np.arange(_RESAMPLES)] / len(table)
    tail = (1 - held_out.confidence) / 2
    low, high = table.replay(thresholds).mean_cost + np.quantile(off, (tail, 1 - tail))
    return replace(
        held_out, low=max(0.0, min(held_out.low, float(low))), high=max(held_out.high, float(high))
    )


def _fit(
    table: RecordedTiers,
    thresholds: Thresholds,
    *,
    accuracy: Interval,
    cost: Interval,
    guaranteed: float | None,
) -> CascadeFit:
    fitted = table.replay(thresholds)
    shares = np.bincount(fitted.tier, minlength=len(table.correct)) / len(table)
    return CascadeFit(
        thresholds=thresholds,
        accuracy=accuracy,
        cost=cost,
        answered=tuple(shares.tolist()),
        fitted_accuracy=fitted.accuracy,
        fitted_cost=fitted.mean_cost,
        guaranteed=guaranteed,
        problems=len(table),
    )


def _binomial_tails(n: int, p: float) -> FloatArray:
    """P(X >= k) for X of n trials of probability p, for k in 0..n: p-values of "the probability is at most p"."""
    if p in (0.0, 1.0):
        return np.array([1.0, *[p] * n])
    logs = np.array([math.lgamma(k + 1) for k in range(n + 1)])
    ks = np.arange(n + 1)
    weights = np.exp(logs[n] - logs - logs[::-1] + ks * math.log(p) + (n - ks) * math.log1p(-p))
    return np.asarray(np.minimum(1.0, weights[::-1].cumsum()[::-1]))


def _check_targets(
    target_accuracy: float | None, target_cost: float | None, confidence: float, problems: int
) -> None:
    if (target_accuracy is None) == (target_cost is None):
        raise InvalidInputError("give either target_accuracy or target_cost")
    if target_accuracy is not None and not 0 <= target_accuracy <= 1:
        raise InvalidInputError(f"target_accuracy must be in [0, 1], not {target_accuracy}")
    if target_cost is not None and not (math.isfinite(target_cost) and target_cost >= 0):
        raise InvalidInputError(f"target_cost must be 0 or more, not {target_cost}")
    if not 0 < confidence < 1:
        raise InvalidInputError(f"confidence must be in (0, 1), not {confidence}")
    if problems < 2 * _FOLDS:
        raise InvalidInputError(f"thresholds are fitted on at least {2 * _FOLDS} problems, not {problems}")
