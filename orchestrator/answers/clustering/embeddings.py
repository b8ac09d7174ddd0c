"""Free texts that mean nearly the same are one answer: clusters by the cosine of embeddings.

Asking for vectors is I/O and comes first (`learn`); grouping is synchronous and comes after (`add`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ...errors import InvalidInputError
from ...types import Answer
from .average_link import AverageLink
from .clusters import check_weight, key_of
from .linked import LinkedClusters

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AverageLinkClusters", "Embedder", "EmbeddingClusters", "Vectors"]


class Embedder(Protocol):
    """What turns texts into vectors, such as `HttpBackend.embed`, or `Context.embed`, which charges for it.

    A model is chosen by `functools.partial(ctx.embed, model="embedder")`.
    """

    def __call__(self, texts: Sequence[str], /) -> Awaitable[Sequence[Sequence[float]]]:
        """One vector per text, all of one length."""


Vector: TypeAlias = "NDArray[Any]"


class _Rows:
    """Vectors one below the other in an array that grows by doubling."""

    def __init__(self) -> None:
        self._table: Any = None
        self._count = 0

    def append(self, vector: Vector) -> None:
        import numpy

        if self._table is None:
            self._table = numpy.empty((8, len(vector)))
        elif self._count == len(self._table):
            self._table = numpy.concatenate([self._table, numpy.empty_like(self._table)])
        self._table[self._count] = vector
        self._count += 1

    @property
    def table(self) -> Any:
        return self._table[: self._count]

    def __len__(self) -> int:
        return self._count


class Vectors:
    """Unit vectors by text, asked for once each.

    Args:
        embed: What turns texts into vectors.
    """

    def __init__(self, embed: Embedder) -> None:
        self._embed = embed
        self._rows = _Rows()
        self._numbers: dict[str, int] = {}
        self._length: int | None = None

    async def learn(self, answers: Iterable[Answer | str | None]) -> None:
        """Asks for the vectors of all texts not known yet, in one call.

        Raises:
            InvalidInputError: There is not one vector a text, their lengths differ, or a number in them is not
                finite.
        """
        texts = list(dict.fromkeys(str(answer) for answer in answers if answer is not None))
        missing = [text for text in texts if text not in self._numbers]
        if missing:
            self._note(missing, await self._embed(missing))

    def _note(self, texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        import numpy

        try:
            table = numpy.asarray(vectors, dtype=numpy.float64)
        except ValueError as error:
            raise InvalidInputError(f"embeddings must be vectors of one length: {error}") from error
        if table.ndim != 2 or len(table) != len(texts):
            raise InvalidInputError(
                f"expected {len(texts)} vectors of one length for as many texts, not an array of shape {table.shape}"
            )
        if self._length not in (None, table.shape[1]):
            raise InvalidInputError(
                f"embeddings of length {table.shape[1]} cannot be compared with {self._length}"
            )
        if not numpy.isfinite(table).all():
            raise InvalidInputError("an embedding has a number that is not finite")
        self._length = table.shape[1]
        lengths = numpy.linalg.norm(table, axis=1, keepdims=True)
        # A zero vector points nowhere: it stays zero, and is similar to nothing.
        table = numpy.divide(table, lengths, out=numpy.zeros_like(table), where=lengths > 0)
        for text, vector in zip(texts, table, strict=True):
            self._numbers[text] = len(self._rows)
            self._rows.append(vector)

    def __getitem__(self, text: str) -> Vector:
        number = self.number(text)
        vector: Vector = self._rows.table[number]
        return vector

    @property
    def table(self) -> Any:
        """The vectors of all texts asked for, one below the other."""
        return self._rows.table

    def number(self, text: str) -> int:
        """The row of a text in `table`.

        Raises:
            InvalidInputError: It was not asked for.
        """
        try:
            return self._numbers[text]
        except KeyError:
            raise InvalidInputError(
                f"no embedding of {text[:80]!r} is known: await learn(answers) before adding them"
            ) from None


def _checked_threshold(threshold: float) -> float:
    if not -1.0 <= threshold <= 1.0:
        raise InvalidInputError(f"threshold must be in [-1, 1], not {threshold!r}")
    return threshold


SLACK = 1e-12
"""A cosine may fall short of the threshold by this much: what rounding takes from one that equals it."""


BLOCK = 256
"""Most vectors compared with all others at once."""


class _Near:
    """Which vectors are near which, asked row by row and computed a block of rows at a time.

    A product of matrices is several times as fast as one by one. Rows are mostly asked for in their order; the blocks
    grow from one row while that is so, so that what is computed and not asked for stays a fixed share.
    """

    def __init__(self, vectors: Vectors, threshold: float) -> None:
        self._vectors, self._threshold = vectors, threshold
        self._block: Any = None
        self._begin = self._end = 0  # rows in the block
        self._size = 1

    def row(self, number: int) -> Any:
        """By vector, whether it is near vector `number`."""
        table = self._vectors.table
        if not self._begin <= number < self._end or self._block.shape[1] != len(table):
            self._size = min(2 * self._size, BLOCK) if number == self._end else 1
            self._begin, self._end = number, min(number + self._size, len(table))
            self._block = table[self._begin : self._end] @ table.T >= self._threshold
        return self._block[number - self._begin]


class EmbeddingClusters(LinkedClusters):
    """Clusters by single linkage: two answers are equal when the cosine of their embeddings is at least a threshold.

    A cluster is represented by the member with the largest sum of cosines to all of its samples. Texts as they were
    written are embedded; answers with equal keys are one, under the vector of the first.

    Args:
        embed: What turns texts into vectors; see `Vectors`.
        threshold: Least cosine, in [-1, 1].

    Raises:
        InvalidInputError: The threshold is out of its range; from `add`: `learn` was not asked about the answer.
    """

    def __init__(self, embed: Embedder, *, threshold: float) -> None:
        super().__init__()
        self._threshold = _checked_threshold(threshold)
        self._vectors = Vectors(embed)
        self._near = _Near(self._vectors, self._threshold - SLACK)
        self._nodes_of: dict[int, list[int]] = {}  # by vector
        self._numbers: list[int] = []  # of their vectors, by node

    async def learn(self, answers: Iterable[Answer | str | None]) -> None:
        """Asks for the embeddings of all answers not known yet, in one call; must come before `add`."""
        await self._vectors.learn(answers)

    def _equal_to(self, answer: Answer) -> list[int]:
        near = self._near.row(self._vectors.number(answer.text)).nonzero()[0].tolist()
        return [node for number in near for node in self._nodes_of.get(number, ())]

    def _joined(self, answer: Answer) -> None:
        number = self._vectors.number(answer.text)
        self._nodes_of.setdefault(number, []).append(len(self._numbers))
        self._numbers.append(number)

    def _medoid(self, nodes: Sequence[int], counts: Sequence[int]) -> int:
        return _medoid(self._vectors.table[[self._numbers[node] for node in nodes]], nodes, counts)


class AverageLinkClusters:
    """Clusters by average linkage (UPGMA; Sokal and Michener 1958) over the cosine of embeddings.

    The two clusters with the largest mean cosine between their samples are joined while that mean is at least the
    threshold. Unlike single linkage it does not chain, and unlike it a further answer can change any cluster:
    `add` therefore returns the number of the distinct answer, and clusters are made when they are read, in
    O(m^2) time and memory for `m` distinct answers.

    Args, errors: as for `EmbeddingClusters`.
    """

    def __init__(self, embed: Embedder, *, threshold: float) -> None:
        self._threshold = _checked_threshold(threshold)
        self._vectors = Vectors(embed)
        self._rows = _Rows()
        self._nodes: dict[str, int] = {}
        self._answers: list[Answer] = []
        self._samples: list[tuple[int | None, float]] = []  # node and weight
        self._made: list[int] | None = None  # cluster by node, when they are made

    def __repr__(self) -> str:
        return f"AverageLinkClusters(sizes={self.sizes}, abstentions={self.abstentions})"

    async def learn(self, answers: Iterable[Answer | str | None]) -> None:
        """Asks for the embeddings of all answers not known yet, in one call; must come before `add`."""
        await self._vectors.learn(answers)

    def add(self, answer: Answer | None, weight: float = 1.0) -> int | None:
        """The number of the distinct answer, in first-seen order; None for an abstention, which is counted."""
        check_weight(weight)
        node = None if answer is None else self._node(answer)
        self._samples.append((node, weight))
        self._made = None
        return node

    def _node(self, answer: Answer) -> int:
        key = key_of(answer)
        node = self._nodes.get(key)
        if node is None:
            self._rows.append(self._vectors[answer.text])
            node = self._nodes[key] = len(self._answers)
            self._answers.append(answer)
        return node

    @property
    def samples(self) -> int:
        """Samples added, abstentions included."""
        return len(self._samples)

    @property
    def abstentions(self) -> int:
        """Samples without an answer."""
        return sum(node is None for node, _ in self._samples)

    @property
    def weight(self) -> float:
        """The weight of all samples, abstentions included."""
        return sum(weight for _, weight in self._samples)

    @property
    def ids(self) -> list[int | None]:
        """The cluster number of each sample, None where it abstains."""
        made = self._clusters()
        return [None if node is None else made[node] for node, _ in self._samples]

    @property
    def members(self) -> list[list[int]]:
        """Sample numbers by cluster, in the order they were added."""
        members: list[list[int]] = [[] for _ in range(self._count())]
        for sample, cluster in enumerate(self.ids):
            if cluster is not None:
                members[cluster].append(sample)
        return members

    @property
    def sizes(self) -> list[int]:
        """Samples by cluster."""
        return [len(samples) for samples in self.members]

    @property
    def weights(self) -> list[float]:
        """Sums of the samples' weights by cluster."""
        return [sum(self._samples[sample][1] for sample in samples) for samples in self.members]

    @property
    def representatives(self) -> list[Answer]:
        """By cluster, the answer with the largest sum of cosines to all of its samples."""
        made, counts = self._clusters(), self._counts()
        nodes_of: list[list[int]] = [[] for _ in range(self._count())]
        for node, cluster in enumerate(made):
            nodes_of[cluster].append(node)
        return [
            self._answers[_medoid(self._rows.table[nodes], nodes, [counts[node] for node in nodes])]
            for nodes in nodes_of
        ]

    def _counts(self) -> list[int]:
        counts = [0] * len(self._answers)
        for node, _ in self._samples:
            if node is not None:
                counts[node] += 1
        return counts

    def _count(self) -> int:
        return max(self._clusters(), default=-1) + 1

    def _clusters(self) -> list[int]:
        if self._made is None:
            table = self._rows.table if len(self._rows) else None
            self._made = (
                []
                if table is None
                else AverageLink(table @ table.T, self._counts()).cut(self._threshold - SLACK)
            )
        return self._made


def _medoid(rows: Any, nodes: Sequence[int], counts: Sequence[int]) -> int:
    """The node whose unit vector has the largest sum of cosines to the samples; the first of equals."""
    return nodes[int((rows @ (counts @ rows)).argmax())]
