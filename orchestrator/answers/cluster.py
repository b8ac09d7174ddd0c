"""Equal answers are one answer: clusters by key, numbered in first-seen order."""

from __future__ import annotations

from collections.abc import Iterable

from .. import _core
from ..types import Answer
from .extract import LAYERED, AnswerReader
from .normalize import Kind, check_kind, fold

__all__ = ["Clusters", "cluster"]


def cluster(texts: Iterable[str | None], *, kind: Kind = "auto") -> list[int | None]:
    """The cluster of each text's answer.

    Args:
        texts: Model outputs or bare answers, `n` of them; None abstains.
        kind: How answers are read and compared.

    Returns:
        `n` cluster numbers, from 0 in the order their first member was seen; None for a text without a
        readable answer.

    Raises:
        InvalidInputError: `kind` is none of `KINDS`.
    """
    check_kind(kind)
    if kind in LAYERED:
        reader = AnswerReader(kind=kind)
        answers = [None if text is None else reader.read(text) for text in texts]
        return _core.cluster_keys([None if answer is None else answer.key for answer in answers])
    keys = _core.extract_keys(list(texts), kind=kind)
    return _core.cluster_keys([key if key is None or key.isascii() else fold(key) for key in keys])


class Clusters:
    """Clusters of equal answers, grown one sample at a time.

    Samples are numbered from 0 in the order they are added, abstentions included.
    """

    __slots__ = ("_native", "_representatives")

    def __init__(self) -> None:
        self._native = _core.Clusters()
        self._representatives: list[Answer] = []

    def __repr__(self) -> str:
        return f"Clusters(sizes={self.sizes}, abstentions={self.abstentions})"

    def add(self, answer: Answer | None) -> int | None:
        """The cluster of a sample's answer, made if it is new; None for an abstention, which is counted."""
        if answer is None:
            return self._native.add(None)
        cluster = self._native.add(answer.key)
        if cluster == len(self._representatives):
            self._representatives.append(answer)
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
    def sizes(self) -> list[int]:
        """Samples by cluster."""
        return self._native.sizes

    @property
    def representatives(self) -> list[Answer]:
        """The first answer seen of each cluster."""
        return list(self._representatives)

    @property
    def members(self) -> list[list[int]]:
        """Sample numbers by cluster, in the order they were added."""
        return self._native.members
