"""A fitted map from a candidate's features to the probability that its answer is right."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from ..errors import InvalidInputError
from ..fitted import Fitted
from ..types import Candidate, Score
from .features import Feature, feature_named

if (
    TYPE_CHECKING
):  # elsewhere imported where it is used: it brings numpy, and most programs have nothing learned
    from ..scaling.calibration import Calibrator

__all__ = ["CorrectnessModel", "CrossValidation", "Graded"]

MISSING = "missing:"
"""Before a feature's name: the column that is 1 where the candidate has no such figure."""

Row: TypeAlias = list[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A problem's candidates, and whether each is right.

    Attributes:
        problem: The problem's id.
        candidates: In play together, as a strategy drew them.
        right: One per candidate; None where it is not known.

    Raises:
        InvalidInputError: There are not as many verdicts as candidates.
    """

    problem: str
    candidates: tuple[Candidate, ...]
    right: tuple[bool | None, ...]

    def __post_init__(self) -> None:
        if len(self.candidates) != len(self.right):
            raise InvalidInputError(
                f"problem {self.problem!r}: {len(self.right)} verdicts for {len(self.candidates)} candidates"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """How good the probabilities were on problems that were held out of the fit.

    Attributes:
        folds: Parts the problems were dealt into; each was predicted from the others.
        brier: The mean of (probability - outcome)^2, in [0, 1].
        baseline: The same for the one constant probability known from the fit: the share of right answers.
        expected_calibration_error: In [0, 1]; see `scaling.expected_calibration_error`.
    """

    folds: int
    brier: float
    baseline: float
    expected_calibration_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectnessModel(Fitted):
    """The probability that an answer is right, from features of its candidate.

    A feature that some candidates lacked in the fit (`logistic` only) has a column for that, and its mean in the
    fit stands in for it; a candidate that lacks any other feature gets no probability.

    Attributes:
        features: Name and version of each.
        fills: Per feature, what stands in where it is missing; None where it never was in the fit.
        calibrator: From the columns to the probability.
        problems: Problems it was fitted on.
        right: Right answers among the `calibrator.outcomes` it was fitted on.
        cross_validation: None where the problems were too few to hold any out.

    Raises:
        InvalidInputError: The parts do not fit each other, or a feature is not what this release computes.
    """

    format: ClassVar[str] = "correctness"
    called: ClassVar[str] = "a fitted model of Learned"

    features: tuple[tuple[str, int], ...]
    fills: tuple[float | None, ...]
    calibrator: Calibrator
    problems: int
    right: int
    cross_validation: CrossValidation | None = None

    def __post_init__(self) -> None:
        for name, version in self.features:
            known = feature_named(name).version
            if known != version:
                raise InvalidInputError(
                    f"it was fitted on version {version} of the feature {name!r}, this release computes version "
                    f"{known}: fit it again"
                )
        if len(self.fills) != len(self.features):
            raise InvalidInputError(f"{len(self.fills)} fills for {len(self.features)} features")
        if self.calibrator.features != self.columns:
            raise InvalidInputError(
                f"features {', '.join(self.columns)} for a calibration of {', '.join(self.calibrator.features)}"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """What the calibrator is given, by name."""
        names = [name for name, _ in self.features]
        return (
            *names,
            *(f"{MISSING}{name}" for name, fill in zip(names, self.fills, strict=True) if fill is not None),
        )

    @property
    def comparative(self) -> bool:
        """Whether a probability depends on the other candidates."""
        return any(feature_named(name).comparative for name, _ in self.features)

    @property
    def logprobs(self) -> int | None:
        """Top log-probabilities the samples must have; None for none."""
        wanted = [feature_named(name).logprobs for name, _ in self.features]
        return max((one for one in wanted if one is not None), default=None)

    @classmethod
    def fit(
        cls,
        rows: Sequence[Graded],
        *,
        features: Sequence[str],
        method: Literal["logistic", "isotonic"] = "logistic",
        folds: int = 5,
        seed: int = 0,
    ) -> CorrectnessModel:
        """Learns from graded candidates; those without a readable answer or a verdict are passed over.

        Args:
            rows: A problem each, with all candidates that were in play together.
            features: By name (see `features`), each once.
            method: See `scaling.Calibrator`; `isotonic` takes one feature, and leaves candidates without it out.
            folds: For the cross-validation, at least 2; whole problems are held out, never candidates of one.
            seed: Deals the problems into folds.

        Raises:
            InvalidInputError: An unknown feature or one named twice, nothing to learn from, or scikit-learn is not
                installed.
        """
        if folds < 2:
            raise InvalidInputError(f"folds must be at least 2, not {folds}")
        if not features or len(set(features)) != len(features):
            raise InvalidInputError(f"features must be named, each once, not {list(features)}")
        used = [feature_named(name) for name in features]
        tables = [_table(row, used, complete=method == "isotonic") for row in rows]
        tables = [table for table in tables if table]
        fitted = cls._fitted(tables, used, method)
        validation = cls._validated(tables, used, method, folds=folds, seed=seed)
        return replace(fitted, cross_validation=validation)

    @classmethod
    def _fitted(
        cls, tables: Sequence[_Table], used: Sequence[Feature], method: Literal["logistic", "isotonic"]
    ) -> CorrectnessModel:
        from ..scaling.calibration import Calibrator

        rows = [row for table in tables for row, _ in table]
        outcomes = [right for table in tables for _, right in table]
        fills = tuple(_fill([row[column] for row in rows]) for column in range(len(used)))
        names = [one.name for one in used]
        columns = [*names, *(f"{MISSING}{n}" for n, f in zip(names, fills, strict=True) if f is not None)]
        values = [[value for value in _filled(row, fills) if value is not None] for row in rows]
        calibrator = Calibrator.fit(values, outcomes, method=method, features=columns)
        return cls(
            features=tuple((one.name, one.version) for one in used),
            fills=fills,
            calibrator=calibrator,
            problems=len(tables),
            right=sum(outcomes),
        )

    @classmethod
    def _validated(
        cls,
        tables: Sequence[_Table],
        used: Sequence[Feature],
        method: Literal["logistic", "isotonic"],
        *,
        folds: int,
        seed: int,
    ) -> CrossValidation | None:
        """Probabilities of each fold by a fit on the others; None where such a fit has nothing to learn from."""
        from ..scaling.calibration import brier_score, expected_calibration_error

        folds = min(folds, len(tables))
        order = random.Random(seed).sample(range(len(tables)), len(tables))
        predicted: list[float] = []
        constant: list[float] = []
        outcomes: list[bool] = []
        for fold in range(folds):
            held_out = set(order[fold::folds])
            others = [table for number, table in enumerate(tables) if number not in held_out]
            seen = {right for table in others for _, right in table}
            if len(seen) < 2:
                return None
            model = cls._fitted(others, used, method)
            for number in sorted(held_out):
                for row, right in tables[number]:
                    probability = model._probability(row)
                    if probability is not None:
                        predicted.append(probability)
                        constant.append(model.right / model.calibrator.outcomes)
                        outcomes.append(right)
        if not outcomes:
            return None
        return CrossValidation(
            folds=folds,
            brier=brier_score(predicted, outcomes),
            baseline=brier_score(constant, outcomes),
            expected_calibration_error=expected_calibration_error(predicted, outcomes),
        )

    def predict(self, candidates: Sequence[Candidate]) -> list[Score]:
        """The probability for each of a problem's candidates, in order; an abstention where there is none."""
        rows = _measured(candidates, [feature_named(name) for name, _ in self.features])
        return [self._score(candidate, row) for candidate, row in zip(candidates, rows, strict=True)]

    def _score(self, candidate: Candidate, row: Row) -> Score:
        if candidate.answer is None:
            return Score(value=None, reason="no readable answer")
        probability = self._probability(row)
        if probability is not None:
            return Score(value=probability)
        lacking = [
            name
            for (name, _), value, fill in zip(self.features, row, self.fills, strict=True)
            if value is None and fill is None
        ]
        return Score(value=None, reason=f"without {', '.join(lacking)}, which no candidate of the fit lacked")

    def _probability(self, row: Row) -> float | None:
        values = _filled(row, self.fills)
        known = [value for value in values if value is not None]
        return self.calibrator.predict(known) if len(known) == len(values) else None

    # Files -----------------------------------------------------------------------------------------------

    def _values(self) -> dict[str, Any]:
        return {
            "features": [{"name": name, "version": version} for name, version in self.features],
            "fills": list(self.fills),
            "problems": self.problems,
            "right": self.right,
            "cross_validation": None if self.cross_validation is None else asdict(self.cross_validation),
            "calibrator": self.calibrator.to_json(),
        }

    @classmethod
    def _from_values(cls, document: Mapping[str, Any]) -> CorrectnessModel:
        from ..scaling.calibration import Calibrator

        measured = document["cross_validation"]
        return cls(
            features=tuple((str(one["name"]), int(one["version"])) for one in document["features"]),
            fills=tuple(None if fill is None else float(fill) for fill in document["fills"]),
            calibrator=Calibrator.from_json(document["calibrator"]),
            problems=int(document["problems"]),
            right=int(document["right"]),
            cross_validation=None if measured is None else CrossValidation(**measured),
        )


_Table: TypeAlias = list[tuple[Row, bool]]
"""Figures and verdict of each candidate of a problem that can be learned from."""


def _table(row: Graded, used: Sequence[Feature], *, complete: bool) -> _Table:
    figures = _measured(row.candidates, used)
    return [
        (values, right)
        for candidate, values, right in zip(row.candidates, figures, row.right, strict=True)
        if candidate.answer is not None and right is not None and not (complete and None in values)
    ]


def _measured(candidates: Sequence[Candidate], used: Sequence[Feature]) -> list[Row]:
    columns = [one.measure(candidates) for one in used]
    return [list(row) for row in zip(*columns, strict=True)]


def _fill(column: Sequence[float | None]) -> float | None:
    known = [value for value in column if value is not None]
    if len(known) == len(column):
        return None
    return math.fsum(known) / len(known) if known else 0.0


def _filled(row: Row, fills: Sequence[float | None]) -> Row:
    """The columns of a row: its figures, those missing filled in, then which were missing."""
    filled = [fill if value is None else value for value, fill in zip(row, fills, strict=True)]
    missing = [float(value is None) for value, fill in zip(row, fills, strict=True) if fill is not None]
    return [*filled, *missing]
