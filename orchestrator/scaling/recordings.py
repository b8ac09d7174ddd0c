"""Recorded samples: which agree, which are right, how they scored and what they cost."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from ..answers import Kind, cluster
from ..errors import InvalidInputError
from ..types import Answer

__all__ = ["Clusters", "Correctness", "FloatArray", "IntArray", "RecordedProblem", "Recording"]

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
Clusters: TypeAlias = Sequence[int | None] | NDArray[np.integer[Any]]
Correctness: TypeAlias = ArrayLike | Mapping[int, float]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedProblem:
    """The `n` recorded samples of one problem, in the order they were recorded.

    Attributes:
        id: Names the problem in errors and results.
        clusters: The cluster of each sample: equal answers have equal numbers, from 0 and below 2**20; None or
            -1 abstains. `answers.cluster` gives such numbers. Kept as an array of int64.
        correct: How right each sample's answer is, in [0, 1], usually 0 or 1: a value per sample, or a mapping
            from cluster to value (an abstention is then 0). Kept as an array of float64.
        scores: A verifier's score of each sample, finite (at least 0 to be a weight); None when there are none.
        costs: What each sample cost, in one unit for all, such as tokens or US dollars; None when unknown.

    Raises:
        InvalidInputError: there are no samples, the lengths differ, or a value is out of range.
    """

    id: str
    clusters: Clusters
    correct: Correctness
    scores: ArrayLike | None = None
    costs: ArrayLike | None = None

    def __post_init__(self) -> None:
        clusters = cluster_array(self.clusters, where=self.id)
        columns: dict[str, FloatArray | None] = {
            "correct": correctness_array(self.correct, clusters, where=self.id),
            "scores": _optional_column(self.scores, "scores", clusters.size, self.id),
            "costs": _optional_column(self.costs, "costs", clusters.size, self.id),
        }
        object.__setattr__(self, "clusters", clusters)
        for name, column in columns.items():
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.clusters)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """Recorded samples of many problems; numbers of samples may differ.

    Attributes:
        problems: At least one; either all or none have scores, and so for costs.

    Raises:
        InvalidInputError: there are no problems, or only some have scores or costs.
    """

    problems: tuple[RecordedProblem, ...]
    _native: _core.Recording = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.problems:
            raise InvalidInputError("a recording needs at least 1 problem")
        sizes = np.array([len(problem) for problem in self.problems], dtype=np.uint64)
        native = _core.Recording(
            sizes,
            _joined([problem.clusters for problem in self.problems], np.int64),
            _joined([problem.correct for problem in self.problems], np.float64),
            self._optional("scores"),
            self._optional("costs"),
        )
        object.__setattr__(self, "_native", native)

    @classmethod
    def from_answers(cls, rows: Iterable[Mapping[str, Any]], *, kind: Kind = "auto") -> Recording:
        """Texts, clustered and compared with the right answer.

        Args:
            rows: A mapping per problem with `answers` (`n` model outputs or bare answers; None abstains) and
                either `gold` (the right answer) or `correct` (`n` values in [0, 1]); if there are, `id`,
                `scores` and `costs` (or `tokens`, which are then the costs). With `gold`, an answer is right
                when it is in one cluster with it.
            kind: How answers are read and compared (`answers.KINDS`).

        Raises:
            InvalidInputError: a row lacks a field or has one of the wrong length, or `kind` is unknown.
        """
        return cls.from_tiers([rows], kind=kind)[0]

    @classmethod
    def from_tiers(
        cls, tiers: Iterable[Iterable[Mapping[str, Any]]], *, kind: Kind = "auto"
    ) -> tuple[Recording, ...]:
        """Recordings of the same problems by several models, with one numbering of the clusters of a problem.

        Only then can votes of one tier be carried on to the next (`replay_cascade`).

        Args:
            tiers: Rows as for `from_answers`, the same problems in the same order in each tier.
            kind: As for `from_answers`.

        Raises:
            InvalidInputError: as for `from_answers`, or the tiers have no problems or not equally many.
        """
        return cls._read([list(rows) for rows in tiers], kind=kind)

    @classmethod
    def _read(
        cls, tables: Sequence[Sequence[Mapping[str, Any]]], *, kind: Kind, places: Sequence[str] = ()
    ) -> tuple[Recording, ...]:
        """`from_tiers`; `places` say where the rows stand, in place of their numbers."""
        if not tables or not tables[0]:
            raise InvalidInputError("a recording needs at least 1 problem")
        if len({len(table) for table in tables}) > 1:
            raise InvalidInputError(
                f"tiers of {[len(table) for table in tables]} problems: not the same ones"
            )
        problems = [
            _read_problem(rows, number, kind, places[number] if places else f"row {number}")
            for number, rows in enumerate(zip(*tables, strict=True))
        ]
        return tuple(cls(problems=tier) for tier in zip(*problems, strict=True))

    @classmethod
    def from_jsonl(cls, path: str | Path, *, kind: Kind = "auto") -> Recording:
        """Reads rows as for `from_answers` from a file with one JSON object a line, gzipped if it ends in `.gz`.

        Raises:
            InvalidInputError: a line is not a JSON object, or as for `from_answers`.
            OSError: the file cannot be read.
        """
        opened = gzip.open if str(path).endswith(".gz") else open
        rows, places = [], []
        with opened(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    places.append(f"{path}, line {number}")
                    rows.append(_read_line(line, where=places[-1]))
        return cls._read([rows], kind=kind, places=places)[0]

    @classmethod
    def from_arrays(
        cls,
        clusters: ArrayLike,
        correct: ArrayLike,
        *,
        scores: ArrayLike | None = None,
        costs: ArrayLike | None = None,
    ) -> Recording:
        """Problems with `n` samples each, as arrays of shape (problems, n); clusters are integers, -1 abstains.

        Raises:
            InvalidInputError: the shapes differ or a value is out of range.
        """
        table = np.asarray(clusters)
        if table.ndim != 2:
            raise InvalidInputError(f"clusters must have the shape (problems, n), not {table.shape}")
        columns = {"correct": correct, "scores": scores, "costs": costs}
        arrays = {name: np.asarray(column) for name, column in columns.items() if column is not None}
        for name, array in arrays.items():
            if array.shape != table.shape:
                raise InvalidInputError(f"{name} has the shape {array.shape}, clusters {table.shape}")
        return cls(
            problems=tuple(
                RecordedProblem(
                    id=str(row), clusters=table[row], **{name: a[row] for name, a in arrays.items()}
                )
                for row in range(len(table))
            )
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # The native columns are not pickled but built again from the problems.
        return partial(type(self), problems=self.problems), ()

    def __len__(self) -> int:
        """The number of problems."""
        return len(self.problems)

    @property
    def fewest(self) -> int:
        """Samples of the problem that has fewest: the most that can be drawn from each."""
        return min(map(len, self.problems))

    @property
    def correct(self) -> list[FloatArray]:
        """Correctness by problem and sample."""
        return [np.asarray(problem.correct) for problem in self.problems]

    def subset(self, indices: Iterable[int]) -> Recording:
        """These problems, in this order.

        Raises:
            InvalidInputError: no index is given.
        """
        return Recording(problems=tuple(self.problems[index] for index in indices))

    def split(self, *, fraction: float = 0.5, seed: int) -> tuple[Recording, Recording]:
        """A random part of the problems to choose parameters on, and the rest to report on.

        Args:
            fraction: Of the problems that go to the first part, in (0, 1); each part has at least one.

        Raises:
            InvalidInputError: `fraction` is outside (0, 1), or there are fewer than two problems.
        """
        if not 0 < fraction < 1 or len(self) < 2:
            raise InvalidInputError(
                f"cannot split {len(self)} problems by {fraction}: one part would be empty"
            )
        order = list(range(len(self)))
        random.Random(seed).shuffle(order)
        first = min(max(round(fraction * len(self)), 1), len(self) - 1)
        return self.subset(sorted(order[:first])), self.subset(sorted(order[first:]))

    def _optional(self, name: str) -> FloatArray | None:
        columns = [getattr(problem, name) for problem in self.problems]
        missing = [
            problem.id for problem, column in zip(self.problems, columns, strict=True) if column is None
        ]
        if len(missing) == len(columns):
            return None
        if missing:
            raise InvalidInputError(f"problem {missing[0]} has no {name}, others have")
        return _joined(columns, np.float64)


def cluster_array(clusters: Clusters, *, where: str) -> IntArray:
    """Cluster numbers as contiguous int64, -1 for an abstention.

    Raises:
        InvalidInputError: they are not a sequence of whole numbers from -1 to 2**20 - 1, or empty.
    """
    values = (
        [-1 if item is None else item for item in clusters] if isinstance(clusters, Sequence) else clusters
    )
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
        raise InvalidInputError(
            f"{where}: clusters must be whole numbers or None, one a sample, at least one"
        )
    if array.min() < -1 or array.max() >= 2**20:
        raise InvalidInputError(
            f"{where}: clusters must be from -1 to 2**20 - 1, not {array.min()} to {array.max()}"
        )
    return _frozen(array, np.int64)


def correctness_array(correct: Correctness, clusters: IntArray, *, where: str) -> FloatArray:
    """Correctness by sample.

    Raises:
        InvalidInputError: there is not one value a sample, a cluster is missing from the mapping, or a value is
            outside [0, 1].
    """
    if isinstance(correct, Mapping):
        missing = {int(cluster) for cluster in clusters if cluster >= 0} - correct.keys()
        if missing:
            raise InvalidInputError(f"{where}: no correctness for cluster {min(missing)}")
        correct = [correct[int(cluster)] if cluster >= 0 else 0.0 for cluster in clusters]
    if correct is None:
        raise InvalidInputError(f"{where}: values of correctness must be numbers, one a sample, not None")
    array = _column(correct, "values of correctness", clusters.size, where)
    if array.min() < 0 or array.max() > 1:
        raise InvalidInputError(f"{where}: correctness must be in [0, 1], not {array.min()} to {array.max()}")
    return array


def _optional_column(values: ArrayLike | None, name: str, samples: int, where: str) -> FloatArray | None:
    return None if values is None else _column(values, name, samples, where)


def _column(values: ArrayLike, name: str, samples: int, where: str) -> FloatArray:
    try:
        array = _frozen(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{where}: {name} must be numbers, one a sample: {error}") from error
    if array.shape != (samples,):
        raise InvalidInputError(f"{where}: {samples} samples, but {name} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise InvalidInputError(f"{where}: {name} must be finite")
    return array


def _frozen(values: Any, dtype: type[Scalar]) -> NDArray[Scalar]:
    array = np.array(values, dtype=dtype, order="C")
    array.flags.writeable = False
    return array


def _joined(columns: Sequence[Any], dtype: type[Scalar]) -> NDArray[Scalar]:
    return np.ascontiguousarray(np.concatenate(columns), dtype=dtype)


def _read_line(line: bytes, *, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:  # of JSON or of UTF-8
        raise InvalidInputError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise InvalidInputError(f"{where}: expected an object, one problem a line")
    return row


def _read_problem(
    rows: Sequence[Mapping[str, Any]], number: int, kind: Kind, where: str
) -> list[RecordedProblem]:
    """One problem's samples in each tier, clustered together; `where` says in errors where it stands."""
    for row in rows:
        if not isinstance(row, Mapping):
            raise InvalidInputError(f"{where}: expected a mapping with `answers`, not {row!r:.40}")
        answers = row.get("answers")
        if not isinstance(answers, Sequence) or isinstance(answers, str):
            raise InvalidInputError(f"{where}: `answers` must be a list of texts")
        for name, item in [
            ("`gold`", row.get("gold")),
            *((f"answer {at}", a) for at, a in enumerate(answers)),
        ]:
            if not isinstance(item, str | Answer | None):
                raise InvalidInputError(f"{where}: {name} must be a text, not {item!r:.40}")
        if ("gold" in row) == ("correct" in row):
            raise InvalidInputError(f"{where}: needs either `gold`, the right answer, or `correct`")
    golds = [row.get("gold") for row in rows]
    texts = [text for row in rows for text in row["answers"]]
    ids = cluster([*texts, *golds], kind=kind)
    gold_ids = ids[len(texts) :]
    problems, start = [], 0
    for row, gold_id in zip(rows, gold_ids, strict=True):
        own = ids[start : start + len(row["answers"])]
        start += len(own)
        if "gold" in row and gold_id is None:
            raise InvalidInputError(f"{where}: no answer of kind {kind!r} in the gold answer {row['gold']!r}")
        right = row.get("correct", [float(cluster == gold_id) for cluster in own])
        name = f"row {number}" if row.get("id") is None else str(row["id"])
        costs = row.get("costs", row.get("tokens"))
        try:
            problems.append(
                RecordedProblem(id=name, clusters=own, correct=right, scores=row.get("scores"), costs=costs)
            )
        except InvalidInputError as error:
            if str(error).startswith(where):
                raise
            raise InvalidInputError(f"{where}: {error}") from error
    return problems
