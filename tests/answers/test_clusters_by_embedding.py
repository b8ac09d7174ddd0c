"""Free texts by the cosine of their embeddings, with vectors that can be checked by eye."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.clustering import average_link, transitive_closure
from sklearn.cluster import AgglomerativeClustering

from orchestrator.answers import Answer, AverageLinkClusters, EmbeddingClusters
from orchestrator.answers.clustering.average_link import AverageLink
from orchestrator.errors import InvalidInputError


def at(degrees: float) -> Answer:
    return Answer(text=str(degrees), key=f"t:{degrees}", kind="text")


class Compass:
    """Embeds a text that is an angle as the vector of that angle; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append(list(texts))
        return [[2 * math.cos(math.radians(float(t))), 2 * math.sin(math.radians(float(t)))] for t in texts]


async def test_texts_are_embedded_once_and_in_one_call() -> None:
    compass = Compass()
    clusters = EmbeddingClusters(compass, threshold=math.cos(math.radians(10)))
    await clusters.learn([at(0), None, at(5), at(0)])
    await clusters.learn([at(5), at(90)])
    assert compass.asked == [["0", "5"], ["90"]]
    assert [clusters.add(a) for a in (at(0), at(90), None, at(5))] == [0, 1, None, 0]


async def test_single_linkage_chains_and_average_linkage_does_not() -> None:
    angles = [at(degrees) for degrees in (0, 10, 20, 30, 40, 50, 60)]
    single = EmbeddingClusters(Compass(), threshold=math.cos(math.radians(10)))
    average = AverageLinkClusters(Compass(), threshold=math.cos(math.radians(10)))
    for clusters in (single, average):
        await clusters.learn(angles)
        for angle in angles:
            clusters.add(angle, 0.5)
    assert single.ids == [0] * 7
    assert [answer.text for answer in single.representatives] == ["30"]
    assert average.ids == [0, 0, 1, 1, 2, 2, 3]
    assert average.weights == [1.0, 1.0, 1.0, 0.5]
    assert average.members == [[0, 1], [2, 3], [4, 5], [6]]
    assert [answer.text for answer in average.representatives][-1] == "60"


async def test_the_representative_is_nearest_to_all_samples_not_only_to_distinct_ones() -> None:
    clusters = EmbeddingClusters(Compass(), threshold=0.0)
    angles = [at(0), at(10), at(20), at(20), at(20), at(20)]
    await clusters.learn(angles)
    for angle in angles:
        clusters.add(angle)
    assert [answer.text for answer in clusters.representatives] == ["20"]


async def test_an_answer_that_was_not_learned_is_refused_and_not_added() -> None:
    for clusters in (
        EmbeddingClusters(Compass(), threshold=0.5),
        AverageLinkClusters(Compass(), threshold=0.5),
    ):
        with pytest.raises(InvalidInputError, match=r"no embedding of '7' is known: await learn"):
            clusters.add(at(7))
        assert clusters.samples == 0


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        ([[1.0, 2.0], [1.0]], "one length"),
        ([[1.0]], "expected 2 vectors"),
        ([[1.0], [math.nan]], "not finite"),
        ([1.0, 2.0], "expected 2 vectors"),
    ],
)
async def test_embeddings_that_are_none_are_refused(vectors: list[list[float]], words: str) -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return vectors

    with pytest.raises(InvalidInputError, match=words):
        await EmbeddingClusters(embed, threshold=0.5).learn(["a", "b"])


async def test_embeddings_of_another_length_are_refused() -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return [[1.0] * len(text) for text in texts]

    clusters = EmbeddingClusters(embed, threshold=0.5)
    await clusters.learn(["ab"])
    with pytest.raises(InvalidInputError, match="length 3 cannot be compared with 2"):
        await clusters.learn(["abc"])


async def test_a_vector_of_zeros_is_like_nothing() -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return [[0.0, 0.0] for _ in texts]

    clusters = EmbeddingClusters(embed, threshold=0.5)
    await clusters.learn([at(1), at(2)])
    assert [clusters.add(at(1)), clusters.add(at(2))] == [0, 1]


@given(angles=st.lists(st.integers(0, 359), max_size=8), width=st.integers(0, 90))
async def test_single_linkage_is_the_closure_of_the_threshold(angles: list[int], width: int) -> None:
    threshold = math.cos(math.radians(width))
    clusters = EmbeddingClusters(Compass(), threshold=threshold)
    await clusters.learn(map(at, angles))
    for angle in angles:
        clusters.add(at(angle))

    def near(a: int, b: int) -> bool:
        return min((a - b) % 360, (b - a) % 360) <= width

    assert clusters.ids == transitive_closure(angles, near)


def random_similarities(seed: int, size: int) -> numpy.ndarray:
    vectors = numpy.random.default_rng(seed).normal(size=(size, 3))
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors @ vectors.T


@given(seed=st.integers(0, 2**32), size=st.integers(1, 9), threshold=st.floats(-0.5, 0.95))
def test_average_linkage_agrees_with_joining_the_best_pair(seed: int, size: int, threshold: float) -> None:
    similarity = random_similarities(seed, size)
    assert AverageLink(similarity, [1] * size).cut(threshold) == average_link(similarity.tolist(), threshold)


@given(seed=st.integers(0, 2**32), counts=st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_an_item_that_stands_for_several_weighs_like_them(seed: int, counts: list[int]) -> None:
    similarity = random_similarities(seed, len(counts))
    owner = [item for item, count in enumerate(counts) for _ in range(count)]
    repeated = similarity[numpy.ix_(owner, owner)].tolist()
    whole = average_link(repeated, 0.3)
    cut = AverageLink(similarity, counts).cut(0.3)
    assert [cut[item] for item in owner] == whole


def test_average_linkage_agrees_with_scikit_learn() -> None:
    similarity = random_similarities(7, 120)
    theirs = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=0.4
    ).fit(1 - similarity)
    numbers: dict[int, int] = {}
    expected = [numbers.setdefault(label, len(numbers)) for label in theirs.labels_]
    assert AverageLink(similarity, [1] * 120).cut(0.6) == expected
    assert len(numbers) == 10
