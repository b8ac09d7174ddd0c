"""Programs that do the same are one answer: clusters by outputs on the same inputs, and the pass matrix.

Agreement of execution as in MBR-EXEC (Shi et al. 2022, arXiv 2204.11454) and CodeT (Chen et al. 2022, arXiv
2207.10397), where two programs that pass the same generated tests are taken for one solution.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from ...errors import InvalidInputError
from ...types import Answer
from .clusters import Clusters

if TYPE_CHECKING:
    from numpy import bool_, uint8
    from numpy.typing import NDArray

__all__ = ["BehaviourClusters", "Failing", "PassMatrix"]

Failing: TypeAlias = Literal["any", "all"]
"""Which programs abstain: those that failed on any input, or those that failed on all."""


class BehaviourClusters(Clusters):
    """Clusters of programs with equal outputs on the same inputs, `t` of them.

    Outputs are compared by Python's equality, lists and mappings included, and types are told apart: 1, 1.0 and True
    are three outputs. An output that is not hashable otherwise is refused.

    Args:
        failing: A failed run (a crash, a time limit) is the output None. Programs that fail on `any` input
            abstain, or those that fail on `all`; what a failure shows is an output like any other otherwise.

    Raises:
        InvalidInputError: `failing` is neither; from `add`: two programs have different numbers of outputs.
    """

    __slots__ = ("_behaviours", "_failing", "_inputs")

    def __init__(self, *, failing: Failing = "all") -> None:
        if failing not in get_args(Failing):
            raise InvalidInputError(f"failing must be 'any' or 'all', not {failing!r}")
        super().__init__()
        self._failing = failing
        self._behaviours: dict[Hashable, str] = {}
        self._inputs: int | None = None

    def add(
        self, answer: Answer | None, weight: float = 1.0, *, outputs: Sequence[object] | None = None
    ) -> int | None:
        """The cluster of a program; None when it abstains, which is counted.

        Args:
            answer: The program.
            weight: Finite, at least 0.
            outputs: What it wrote for each input, None where it failed; None when it was not run: it abstains.
        """
        if answer is None or outputs is None:
            return self._count(None, None, weight)
        if self._inputs not in (None, len(outputs)):
            raise InvalidInputError(
                f"{len(outputs)} outputs cannot be compared with the {self._inputs} of other programs"
            )
        key = None if self._abstains(outputs) else self._key(_frozen(outputs))
        cluster = self._count(None if key is None else answer, key, weight)
        self._inputs = len(outputs)
        return cluster

    def _abstains(self, outputs: Sequence[object]) -> bool:
        failed = sum(output is None for output in outputs)
        return failed == len(outputs) or (self._failing == "any" and failed > 0)

    def _key(self, behaviour: Hashable) -> str:
        return self._behaviours.setdefault(behaviour, str(len(self._behaviours)))


def _frozen(value: object) -> Hashable:
    """`value` as something hashable that is equal exactly when the value and its types are."""
    match value:
        case list() | tuple():
            return type(value).__name__, tuple(map(_frozen, value))
        case dict():
            return "dict", frozenset((_frozen(name), _frozen(item)) for name, item in value.items())
        case set() | frozenset():
            return "set", frozenset(map(_frozen, value))
        case Hashable():
            return type(value), value
        case _:
            raise InvalidInputError(f"an output of type {type(value).__name__} cannot be compared")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PassMatrix:
    """Which of `n` programs passed which of `t` tests.

    Attributes:
        passes: `n` by `t`, 1 where the program passed the test and 0 where it did not.
        ran: By program, whether there is a row at all; False: it could not be run, and its row is 0.
    """

    passes: NDArray[uint8]
    ran: NDArray[bool_]

    @classmethod
    def of(cls, rows: Iterable[Sequence[int | bool] | str | None]) -> PassMatrix:
        """The matrix of `n` rows, each `t` numbers 0 or 1, or a text such as `"0110"`; None for one not run.

        Raises:
            InvalidInputError: Rows differ in length, or an entry is neither 0 nor 1; says which row.
        """
        import numpy

        given = list(rows)
        ran = numpy.array([row is not None for row in given], dtype=bool)
        rows_ran = [row for row in given if row is not None]
        tests = len(rows_ran[0]) if rows_ran else 0
        passes = numpy.zeros((len(given), tests), dtype=numpy.uint8)
        if (together := _rows(rows_ran, tests)) is not None:
            passes[ran] = together
        else:
            for at, row in enumerate(given):
                if row is not None:
                    passes[at] = _row(row, at, tests)
        return cls(passes=passes, ran=ran)

    @property
    def counts(self) -> list[int]:
        """By program, the tests it passed."""
        return [int(count) for count in self.passes.sum(axis=1)]

    def clusters(self, *, keep_failing: bool = False) -> list[int | None]:
        """The cluster of each program: equal rows are one, numbered in first-seen order. O(n t).

        Args:
            keep_failing: Whether programs that passed no test are a cluster too; by default they abstain,
                as those always do that did not run.
        """
        import numpy

        voting = self.ran if keep_failing else self.ran & self.passes.any(axis=1)
        numbers: dict[bytes, int] = {}
        return [
            numbers.setdefault(row.tobytes(), len(numbers)) if votes else None
            for row, votes in zip(numpy.packbits(self.passes, axis=1), voting, strict=True)
        ]


def _rows(rows: Sequence[Sequence[int | bool] | str], tests: int) -> Any:
    """All rows at once, which is faster than one by one; None where they are not alike or not all are valid."""
    import numpy

    if len({type(row) for row in rows}) != 1 or any(len(row) != tests for row in rows):
        return None
    if isinstance(rows[0], str):
        joined = "".join(map(str, rows)).encode("ascii", "replace")
        read = numpy.frombuffer(joined, dtype=numpy.uint8).reshape(len(rows), tests) - ord("0")
    else:
        read = numpy.asarray(rows)
    return read if read.dtype.kind in "bui" and ((read == 0) | (read == 1)).all() else None


def _row(row: Sequence[int | bool] | str, at: int, tests: int) -> Any:
    import numpy

    if len(row) != tests:
        raise InvalidInputError(f"row {at} of the pass matrix has {len(row)} tests, others have {tests}")
    if isinstance(row, str):
        read = numpy.frombuffer(row.encode("ascii", "replace"), dtype=numpy.uint8) - ord("0")
    else:
        read = numpy.asarray(row)
    if not ((read == 0) | (read == 1)).all():
        raise InvalidInputError(f"row {at} of the pass matrix has an entry that is neither 0 nor 1")
    return read
