"""Confidence that means what it says: of the answers given with 0.8, four in five are right.

A share of votes is no probability. `Calibrator.fit` learns from recorded outcomes what it is worth;
`Vote.calibrated` applies it. Fitting needs scikit-learn, applying and loading nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from ..errors import InvalidInputError
from ..fitted import Fitted

__all__ = ["Calibrator", "Method", "brier_score", "expected_calibration_error"]

Method: TypeAlias = Literal["isotonic", "logistic"]
"""How confidences become probabilities: see `Calibrator`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrator(Fitted):
    """A fitted map from figures of a vote to the probability that its answer is right.

    `isotonic` is the non-decreasing step-wise line with the least squared error (Zadrozny and Elkan 2002): it
    takes any shape, wants some hundred outcomes, and may answer 0 or 1. `logistic` is Platt's (1999)
    1 / (1 + exp(-(intercept + coefficients . x))), fitted to his targets (N+ + 1) / (N+ + 2) and
    1 / (N- + 2) instead of 1 and 0, so that it stays off 0 and 1 and is finite for separable outcomes; it
    also takes several figures.

    Attributes:
        method: `isotonic` or `logistic`.
        features: What is given to `predict`, by name: attributes of a `Vote`.
        outcomes: Recorded outcomes it was fitted on.
        knots: For `isotonic`, the corners (confidence, probability) of the line, by increasing confidence.
            Between them it is straight, outside it is constant.
        intercept: For `logistic`.
        coefficients: For `logistic`, one per feature.

    Raises:
        InvalidInputError: the parts do not fit the method.
    """

    format: ClassVar[str] = "calibration"
    called: ClassVar[str] = "a calibration"

    method: Method
    features: tuple[str, ...] = ("share",)
    outcomes: int
    knots: tuple[tuple[float, float], ...] = ()
    intercept: float = 0.0
    coefficients: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise InvalidInputError(
                f"method must be one of {', '.join(get_args(Method))}, not {self.method!r}"
            )
        numbers = [self.intercept, *self.coefficients, *(value for knot in self.knots for value in knot)]
        if not all(map(math.isfinite, numbers)):
            raise InvalidInputError("a calibrator's numbers must be finite")
        if self.method == "logistic":
            if not self.features or len(self.coefficients) != len(self.features):
                raise InvalidInputError(
                    f"logistic needs a coefficient for each of {len(self.features)} features, at least one"
                )
            return
        places = [confidence for confidence, _ in self.knots]
        if len(self.features) != 1:
            raise InvalidInputError(f"isotonic takes one feature, not {len(self.features)}: use logistic")
        if not places or any(a >= b for a, b in pairwise(places)):
            raise InvalidInputError("isotonic needs knots of increasing confidence, at least one")
        if not all(0.0 <= probability <= 1.0 for _, probability in self.knots):
            raise InvalidInputError("isotonic needs knots with probabilities in [0, 1]")

    @classmethod
    def fit(
        cls,
        confidences: Sequence[float] | Sequence[Sequence[float]],
        outcomes: Sequence[bool],
        *,
        method: Method = "isotonic",
        features: Sequence[str] = ("share",),
    ) -> Calibrator:
        """Learns the map from recorded problems.

        Args:
            confidences: One per problem, finite: the share of its vote, or one value for each of `features`.
            outcomes: Whether the problem's answer was right; both must occur.
            method: `isotonic` or `logistic`.
            features: What the values are, by name.

        Raises:
            InvalidInputError: the lengths differ, a value is not finite, all outcomes are the same, `isotonic`
                is given several features, or scikit-learn is not installed.
        """
        rows = [[float(v) for v in row] if isinstance(row, Iterable) else [float(row)] for row in confidences]
        _check_training(rows, outcomes, method, features)
        if method == "isotonic":
            return cls(
                method=method,
                features=tuple(features),
                outcomes=len(rows),
                knots=_isotonic([row[0] for row in rows], outcomes),
            )
        intercept, coefficients = _logistic(rows, outcomes)
        return cls(
            method=method,
            features=tuple(features),
            outcomes=len(rows),
            intercept=intercept,
            coefficients=coefficients,
        )

    def predict(self, confidence: float | Sequence[float], /) -> float:
        """The probability in [0, 1] that an answer of this confidence is right.

        Args:
            confidence: The feature's value, or one value for each of `features`.

        Raises:
            InvalidInputError: there are not as many values as features, or one is not finite.
        """
        values = [*confidence] if isinstance(confidence, Iterable) else [confidence]
        if len(values) != len(self.features) or not all(map(math.isfinite, values)):
            raise InvalidInputError(
                f"expected a finite number for each of {', '.join(self.features)}, got {values}"
            )
        if self.method == "isotonic":
            return self._interpolate(values[0])
        x = self.intercept + math.fsum(c * value for c, value in zip(self.coefficients, values, strict=True))
        return 1 / (1 + math.exp(-x)) if x > -700 else 0.0

    def _interpolate(self, value: float) -> float:
        after = bisect_right(self.knots, value, key=lambda knot: knot[0])
        if after == 0 or after == len(self.knots):
            return self.knots[max(0, after - 1)][1]
        (x0, y0), (x1, y1) = self.knots[after - 1], self.knots[after]
        return y0 + (y1 - y0) * ((value - x0) / (x1 - x0))

    @classmethod
    def _from_values(cls, document: Mapping[str, Any]) -> Calibrator:
        return cls(
            method=document["method"],
            features=tuple(map(str, document["features"])),
            outcomes=int(document["outcomes"]),
            knots=tuple((float(x), float(y)) for x, y in document["knots"]),
            intercept=float(document["intercept"]),
            coefficients=tuple(map(float, document["coefficients"])),
        )


def expected_calibration_error(
    confidences: Sequence[float], outcomes: Sequence[bool], *, bins: int = 10
) -> float:
    """The mean distance between how sure and how right the answers of a bin are, in [0, 1]; 0 is perfect.

    sum over bins b of n_b / n * |accuracy_b - mean confidence_b|, the bins of equal width on [0, 1] (Guo, Pleiss,
    Sun, Weinberger 2017, arXiv 1706.04599, §2). A value on their border is in the upper one, where theirs is in
    the lower.

    Raises:
        InvalidInputError: there are no problems, the lengths differ, a confidence is outside [0, 1], or `bins` is
            below 1.
    """
    _check_probabilities(confidences, outcomes)
    if bins < 1:
        raise InvalidInputError(f"bins must be at least 1, not {bins}")
    excess = [0.0] * bins
    borders = [number / bins for number in range(1, bins)]  # 0.29 * 100 is less than 29
    for confidence, outcome in zip(confidences, outcomes, strict=True):
        excess[bisect_right(borders, confidence)] += bool(outcome) - confidence
    return math.fsum(map(abs, excess)) / len(confidences)


def brier_score(confidences: Sequence[float], outcomes: Sequence[bool]) -> float:
    """The mean of (confidence - outcome)^2, an outcome being 1 or 0, in [0, 1]; 0 is perfect (Brier 1950).

    Raises:
        InvalidInputError: there are no problems, the lengths differ, or a confidence is outside [0, 1].
    """
    _check_probabilities(confidences, outcomes)
    errors = ((p - bool(outcome)) ** 2 for p, outcome in zip(confidences, outcomes, strict=True))
    return math.fsum(errors) / len(confidences)


def _check_probabilities(confidences: Sequence[float], outcomes: Sequence[bool]) -> None:
    if len(confidences) != len(outcomes) or not confidences:
        raise InvalidInputError(
            f"{len(confidences)} confidences for {len(outcomes)} outcomes; at least 1 is needed"
        )
    for confidence in confidences:
        if not 0.0 <= confidence <= 1.0:
            raise InvalidInputError(f"a confidence must be in [0, 1], not {confidence}")


def _check_training(
    rows: list[list[float]], outcomes: Sequence[bool], method: str, features: Sequence[str]
) -> None:
    if len(rows) != len(outcomes):
        raise InvalidInputError(f"{len(rows)} confidences for {len(outcomes)} outcomes")
    if method not in get_args(Method):
        raise InvalidInputError(f"method must be one of {', '.join(get_args(Method))}, not {method!r}")
    if method == "isotonic" and len(features) != 1:
        raise InvalidInputError(f"isotonic takes one feature, not {len(features)}: use logistic")
    for number, row in enumerate(rows):
        if len(row) != len(features) or not all(map(math.isfinite, row)):
            raise InvalidInputError(
                f"problem {number} needs a finite number for each of {', '.join(features)}, got {row}"
            )
    if len(set(map(bool, outcomes))) < 2:
        seen = (
            "no outcomes" if not outcomes else "right answers only" if outcomes[0] else "wrong answers only"
        )
        raise InvalidInputError(f"calibration needs right and wrong answers to learn from, got {seen}")


def _isotonic(values: list[float], outcomes: Sequence[bool]) -> tuple[tuple[float, float], ...]:
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise missing_learn("a calibration") from error
    fit = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    fit.fit(values, [float(bool(outcome)) for outcome in outcomes])
    pairs = zip(fit.X_thresholds_.tolist(), fit.y_thresholds_.tolist(), strict=True)
    return tuple((float(x), min(1.0, max(0.0, float(y)))) for x, y in pairs)


def _logistic(rows: list[list[float]], outcomes: Sequence[bool]) -> tuple[float, tuple[float, ...]]:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise missing_learn("a calibration") from error
    right = sum(map(bool, outcomes))
    wrong = len(rows) - right
    targets = [(right + 1) / (right + 2) if outcome else 1 / (wrong + 2) for outcome in outcomes]
    columns = list(zip(*rows, strict=True))
    means = [math.fsum(column) / len(rows) for column in columns]
    # Features of one scale, so that the fit converges whatever their units; a constant one is left alone.
    scales = [
        math.sqrt(math.fsum((value - mean) ** 2 for value in column) / len(rows)) or 1.0
        for column, mean in zip(columns, means, strict=True)
    ]
    scaled = [[(v - m) / s for v, m, s in zip(row, means, scales, strict=True)] for row in rows]
    # A target between 0 and 1 is both outcomes at once, weighted.
    fit = LogisticRegression(C=1e9, tol=1e-8, max_iter=1000)
    fit.fit(
        scaled + scaled,
        [1] * len(rows) + [0] * len(rows),
        sample_weight=targets + [1 - target for target in targets],
    )
    coefficients = [float(c) / s for c, s in zip(fit.coef_[0], scales, strict=True)]
    intercept = float(fit.intercept_[0]) - math.fsum(c * m for c, m in zip(coefficients, means, strict=True))
    return intercept, tuple(coefficients)


def missing_learn(what: str) -> InvalidInputError:
    """The error of fitting `what` without scikit-learn."""
    return InvalidInputError(f"fitting {what} needs scikit-learn: pip install 'orchestrator[learn]'")
