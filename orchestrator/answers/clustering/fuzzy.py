"""Texts that are spelled nearly alike are one answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import InvalidInputError
from ...types import Answer
from .linked import LinkedClusters

__all__ = ["FuzzyClusters"]

SLACK = 1e-9
"""Per cent by which a ratio may fall short of the threshold: what rounding takes from one that equals it."""


LONGEST = 20_000
"""Characters of a text that is compared: a ratio takes time in the product of both lengths."""


class FuzzyClusters(LinkedClusters):
    """Clusters of texts whose edit-distance ratio is at least a threshold, chained.

    The ratio of two texts of `a` and `b` characters is 1 - d / (a + b), where `d` is the least number of
    characters to insert and delete (rapidfuzz's `fuzz.ratio`). Keys are compared, so case and wrapping do not count.
    Only texts are: numbers, choices and formulas one character apart are different answers, and are
    compared by key; so are texts of more than 20,000 characters. A cluster is represented by the member nearest
    to all of its samples.

    Args:
        threshold: Least ratio, in [0, 1].

    Raises:
        InvalidInputError: The threshold is out of its range, or rapidfuzz is not installed.
    """

    def __init__(self, *, threshold: float) -> None:
        if not 0.0 <= threshold <= 1.0:
            raise InvalidInputError(f"threshold must be in [0, 1], not {threshold!r}")
        try:
            from rapidfuzz import fuzz, process
        except ImportError as error:
            raise InvalidInputError(
                "fuzzy clusters need rapidfuzz: run `pip install 'orchestrator[fuzzy]'`"
            ) from error
        super().__init__()
        self._cutoff = max(0.0, 100.0 * threshold - SLACK)
        self._ratio, self._cdist = fuzz.ratio, process.cdist
        self._texts: list[str] = []
        self._text_nodes: list[int] = []

    def _equal_to(self, answer: Answer) -> list[int]:
        if not _is_text(answer) or not self._texts:
            return []
        ratios = self._ratios([answer.key[2:]], self._texts, self._cutoff)[0]
        return [self._text_nodes[at] for at in (ratios >= self._cutoff).nonzero()[0].tolist()]

    def _joined(self, answer: Answer) -> None:
        if _is_text(answer):
            self._texts.append(answer.key[2:])
            self._text_nodes.append(len(self._answers) - 1)

    def _ratios(self, some: Sequence[str], others: Sequence[str], cutoff: float | None = None) -> Any:
        import numpy

        return self._cdist(some, others, scorer=self._ratio, score_cutoff=cutoff, dtype=numpy.float64)

    def _medoid(self, nodes: Sequence[int], counts: Sequence[int]) -> int:
        if len(nodes) < 3:  # of two, the one with more samples is nearer to all
            return nodes[max(range(len(nodes)), key=lambda at: counts[at])]
        texts = [self._answers[node].key[2:] for node in nodes]  # all compared, since they are together
        return nodes[int((self._ratios(texts, texts) @ counts).argmax())]


def _is_text(answer: Answer) -> bool:
    return answer.key.startswith("t:") and len(answer.key) <= LONGEST + 2
