"""Clusters of answers that are equal pair by pair: by a predicate, a tolerance or a distance.

Single linkage: two answers share a cluster when a chain of equal pairs leads from one to the other. Which
answers are together therefore does not depend on the order they came in, unlike with "leader" clustering, which
compares with representatives only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from ... import _core
from ...errors import EqualityError
from ...types import Answer
from .clusters import check_weight, key_of

__all__ = ["LinkedClusters", "PredicateClusters"]


class LinkedClusters(ABC):
    """The part every single-linkage clustering shares; a subclass says which answers a new one is equal to.

    `add` returns a *label*: 0, 1, ... in the order clusters are begun. A label stays what it is until an answer
    equal to members of several clusters joins them; the joint cluster keeps the smallest label, the others are
    retired for good and reported by `merges`. Everything read out goes by cluster number instead, dense and in
    first-seen order; `labels` leads from number to label. Answers with equal keys are compared once.
    """

    def __init__(self) -> None:
        self._partition = _core.Partition()
        self._nodes: dict[str, int] = {}
        self._answers: list[Answer] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sizes={self.sizes}, abstentions={self.abstentions})"

    @abstractmethod
    def _equal_to(self, answer: Answer) -> Sequence[int]:
        """Nodes (distinct answers, numbered as first seen) equal to `answer`, at least one a cluster."""

    @abstractmethod
    def _joined(self, answer: Answer) -> None:
        """`answer` has become the last node."""

    def _medoid(self, nodes: Sequence[int], counts: Sequence[int]) -> int:
        """The node of a cluster that stands for it; `counts` are the samples of each of `nodes`."""
        return nodes[0]

    def add(self, answer: Answer | None, weight: float = 1.0) -> int | None:
        """The label of the cluster the answer is in now; None for an abstention, which is counted.

        Raises:
            InvalidInputError: `weight` is negative or not finite; nothing is added then.
        """
        check_weight(weight)
        return self._partition.add(None if answer is None else self._node(answer), weight)

    def _node(self, answer: Answer) -> int:
        key = key_of(answer)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = self._partition.add_node(self._equal_to(answer))
            self._answers.append(answer)
            self._joined(answer)
        return node

    @property
    def samples(self) -> int:
        """Samples added, abstentions included."""
        return self._partition.samples

    @property
    def abstentions(self) -> int:
        """Samples without an answer."""
        return self._partition.abstentions

    @property
    def weight(self) -> float:
        """The weight of all samples, abstentions included."""
        return self._partition.weight

    @property
    def ids(self) -> list[int | None]:
        """The cluster number of each sample, None where it abstains."""
        return self._partition.ids

    @property
    def sizes(self) -> list[int]:
        """Samples by cluster."""
        return self._partition.sizes

    @property
    def weights(self) -> list[float]:
        """Sums of the samples' weights by cluster."""
        return self._partition.weights

    @property
    def representatives(self) -> list[Answer]:
        """By cluster, the answer nearest to the others (the medoid) where there is a distance, else the first."""
        counts = self._partition.counts
        return [
            self._answers[self._medoid(nodes, [counts[node] for node in nodes])]
            for nodes in self._partition.nodes
        ]

    @property
    def members(self) -> list[list[int]]:
        """Sample numbers by cluster, in the order they were added."""
        return self._partition.members

    @property
    def labels(self) -> list[int]:
        """By cluster, the label that `add` returns for it."""
        return self._partition.labels

    @property
    def merges(self) -> list[tuple[int, int]]:
        """Retired labels with the label each went into, in the order it happened."""
        return self._partition.merges


class PredicateClusters(LinkedClusters):
    """Clusters by a function that says whether two answers are equal.

    >>> from orchestrator.answers import MathVerify, cluster
    >>> texts = [r"\\boxed{\\lim_{x \\to 0} x}", "0", "1"]
    >>> with MathVerify(timeout=20) as judge:
    ...     cluster(texts, kind="math", by=PredicateClusters(judge.equal))
    [0, 0, 1]

    The function is taken to be symmetric and is asked about answers with different keys only, each pair at most
    once: never about two that are together already. An answer that belongs with none of `m` distinct ones costs
    `m` questions.

    Args:
        equal: Takes two answers, the earlier one first.

    Raises (from `add`):
        EqualityError: `equal` raised; the new answer is not added.
    """

    def __init__(self, equal: Callable[[Answer, Answer], bool | None]) -> None:
        super().__init__()
        self._equal = equal

    def _equal_to(self, answer: Answer) -> list[int]:
        return [
            first
            for nodes in self._partition.nodes
            if (first := next((node for node in nodes if self._ask(node, answer)), None)) is not None
        ]

    def _ask(self, node: int, answer: Answer) -> bool:
        earlier = self._answers[node]
        try:
            return bool(self._equal(earlier, answer))
        except Exception as error:
            raise EqualityError(earlier, answer, error) from error

    def _joined(self, answer: Answer) -> None:
        """Nothing to note beside the answer itself."""
