"""What is counted in a vote, made of what the caller gives, and refused where it cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

from .. import _core
from ..answers import AnswerReader, Clustering
from ..answers.extract import listed
from ..errors import InvalidInputError
from ..types import Answer

__all__ = ["check_rule", "checked_numbers", "clustered"]


def clustered(
    answers: Iterable[Answer | str | None], reader: AnswerReader, given: Clustering | None
) -> tuple[Sequence[Answer], list[int | None]]:
    """The answer of each cluster and the cluster of each sample, from answers or from a clustering of them.

    Raises:
        InvalidInputError: Both are given, or one of the wrong type.
    """
    if given is None:
        found = [reader.read(item) if isinstance(item, str) else item for item in listed(answers, "answers")]
        ids = _core.cluster_keys([None if answer is None else answer.key for answer in found])
        first_seen: list[Answer] = []
        for answer, cluster in zip(found, ids, strict=True):
            if answer is not None and cluster == len(first_seen):
                first_seen.append(answer)
        return first_seen, ids
    if any(True for _ in answers):
        raise InvalidInputError("give either answers or clusters, not both")
    if not hasattr(type(given), "representatives"):
        raise InvalidInputError(
            f"clusters must be a clustering such as answers.Clusters(), not {type(given).__name__}"
        )
    return given.representatives, given.ids


def checked_numbers(name: str, values: Any, *, optional: bool = False) -> list[Any]:
    """`values` as a list of numbers, None among them where it is `optional`.

    Raises:
        InvalidInputError: One is something else; says which.
    """
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise InvalidInputError(f"give a list of {name}s, one an answer, not one {type(values).__name__}")
    given = list(values)
    for at, value in enumerate(given):
        if value is None and optional:
            continue
        if not isinstance(value, Real):
            raise InvalidInputError(f"a {name} must be a number, not {value!r:.40} for answer {at}")
        try:
            given[at] = float(value)
        except OverflowError as error:
            raise InvalidInputError(f"the {name} of answer {at} is too large for a float") from error
    return given


def check_rule(threshold: Any, quorum: Any) -> None:
    """Raises `InvalidInputError` unless `threshold` is a share and `quorum` a count."""
    if not isinstance(threshold, Real) or not 0.0 <= float(threshold) <= 1.0:
        raise InvalidInputError(f"threshold must be a share in [0, 1], not {threshold!r}")
    if not isinstance(quorum, Integral) or int(quorum) < 0:
        raise InvalidInputError(f"quorum must be a whole number of answers, at least 0, not {quorum!r}")
