"""Equal answers are one answer: what every clustering offers, and clusters by key."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any, Protocol, runtime_checkable

from ... import _core
from ...errors import InvalidInputError
from ...types import Answer
from ..extract import AnswerReader, listed
from ..normalize import Kind, PercentRule, UnitRule, fold

__all__ = ["Clustering", "Clusters", "check_weight", "cluster", "key_of"]


@runtime_checkable
class Clustering(Protocol):
    """Groups answers as they come in.

    Samples are numbered from 0 in the order they are added, abstentions included. What is read out goes by
    cluster number: 0, 1, ... over the clusters there are now, in the order their first member was seen.
    """

    def add(self, answer: Answer | None, weight: float = 1.0, /) -> int | None:
        """What the answer's cluster is called now; None for an abstention, which is counted.

        A clustering in which a later answer can join two clusters says what becomes of that name; `ids` is
        the partition as it stands.
        """

    @property
    def samples(self) -> int:
        """Samples added, abstentions included."""

    @property
    def abstentions(self) -> int:
        """Samples without an answer."""

    @property
    def weight(self) -> float:
        """The weight of all samples, abstentions included."""

    @property
    def ids(self) -> list[int | None]:
        """The cluster number of each sample, None where it abstains."""

    @property
    def sizes(self) -> list[int]:
        """Samples by cluster."""

    @property
    def weights(self) -> list[float]:
        """Sums of the samples' weights by cluster."""

    @property
    def representatives(self) -> list[Answer]:
        """One member by cluster: the first seen, or the medoid where there is a distance."""

    @property
    def members(self) -> list[list[int]]:
        """Sample numbers by cluster, in the order they were added."""


def cluster(
    texts: Iterable[str | Answer | None],
    *,
    kind: Kind = "auto",
    units: UnitRule = "by_kind",
    percent: PercentRule = "fraction",
    by: Clustering | None = None,
) -> list[int | None]:
    """The cluster of each text's answer.

    Args:
        texts: Model outputs or bare answers, `n` of them; None abstains, and an `Answer` keeps the key it has.
        kind, units, percent: How answers are read and compared (see `normalize`).
        by: What groups the answers that were read; None: equal keys are one cluster. The answers are added
            to it, after those it has already.

    Returns:
        `n` cluster numbers, from 0 in the order their first member was seen; None for a text without a
        readable answer.

    Raises:
        InvalidInputError: an unknown kind or rule, or a text that is none.
    """
    reader = AnswerReader(kind=kind, units=units, percent=percent)
    given = listed(texts, "texts")
    unread = [text for text in given if not isinstance(text, Answer)]
    if by is None and reader.native and len(unread) == len(given):
        keys = _core.extract_keys(unread, kind=kind, units=units, percent=percent)
        return _core.cluster_keys([key if key is None or key.isascii() else fold(key) for key in keys])
    answers = [reader.read(text) if isinstance(text, str) else text for text in given]
    if by is None:
        return _core.cluster_keys([None if answer is None else answer.key for answer in answers])
    if not hasattr(by, "add"):
        raise InvalidInputError(
            f"by must be a clustering such as ToleranceClusters(absolute=0.01), not {type(by).__name__}"
        )
    for answer in answers:
        by.add(answer)
    return by.ids[by.samples - len(answers) :]


def key_of(answer: Any) -> str:
    """An answer's key; raises `InvalidInputError` for what is no answer, such as a text not read yet."""
    if not isinstance(answer, Answer):
        raise InvalidInputError(
            f"a clustering takes answers, not {type(answer).__name__}: read a text first, with AnswerReader"
        )
    return answer.key


def check_weight(weight: Any) -> None:
    """Raises `InvalidInputError` unless `weight` is a number, finite and at least 0."""
    if not isinstance(weight, Real) or not 0.0 <= float(weight) < math.inf:
        raise InvalidInputError(f"a weight must be finite and at least 0, not {weight!r}")


class Clusters:
    """Clusters of answers with equal keys; what `add` returns is the cluster's number and never changes."""

    __slots__ = ("_ids", "_native", "_representatives")

    def __init__(self) -> None:
        self._native = _core.Clusters()
        self._representatives: list[Answer] = []
        self._ids: list[int | None] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sizes={self.sizes}, abstentions={self.abstentions})"

    def add(self, answer: Answer | None, weight: float = 1.0) -> int | None:
        """The cluster of a sample's answer, made if it is new; None for an abstention, which is counted.

        Raises:
            InvalidInputError: `weight` is negative or not finite; nothing is added then.
        """
        return self._count(answer, None if answer is None else key_of(answer), weight)

    def _count(self, answer: Answer | None, key: str | None, weight: float) -> int | None:
        check_weight(weight)
        cluster = self._native.add(key, weight)
        if cluster == len(self._representatives):
            assert answer is not None
            self._representatives.append(answer)
        self._ids.append(cluster)
        return cluster

    @property
    def samples(self) -> int:
        """Samples added, abstentions included."""
        return self._native.samples

    @property
    def abstentions(self) -> int:
        """Samples without an answer."""
        return self._native.abstentions

    @property
    def weight(self) -> float:
        """The weight of all samples, abstentions included."""
        return self._native.weight

    @property
    def ids(self) -> list[int | None]:
        """The cluster of each sample, None where it abstains."""
        return list(self._ids)

    @property
    def sizes(self) -> list[int]:
        """Samples by cluster."""
        return self._native.sizes

    @property
    def weights(self) -> list[float]:
        """Sums of the samples' weights by cluster."""
        return self._native.weights

    @property
    def representatives(self) -> list[Answer]:
        """The first answer seen of each cluster."""
        return list(self._representatives)

    @property
    def members(self) -> list[list[int]]:
        """Sample numbers by cluster, in the order they were added."""
        return self._native.members
