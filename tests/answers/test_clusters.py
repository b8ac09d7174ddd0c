"""Clusters by key, by tolerance, by predicate and by spelling."""

from __future__ import annotations

import sys
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.clustering import transitive_closure

from orchestrator import _core
from orchestrator.answers import (
    Answer,
    AverageLinkClusters,
    BehaviourClusters,
    Clustering,
    Clusters,
    EmbeddingClusters,
    FuzzyClusters,
    LinkedClusters,
    PredicateClusters,
    ToleranceClusters,
    cluster,
)
from orchestrator.errors import EqualityError, InvalidInputError


def number(text: str) -> Answer:
    return Answer(text=text, key=f"n:{Fraction(text)}", kind="number")


def words(text: str) -> Answer:
    return Answer(text=text, key=f"t:{text.lower()}", kind="text")


async def no_embedding(texts: object) -> list[list[float]]:
    raise AssertionError("not to be asked")


@pytest.mark.parametrize(
    "clustering",
    [
        Clusters(),
        ToleranceClusters(absolute=1.0),
        PredicateClusters(lambda a, b: False),
        FuzzyClusters(threshold=0.9),
        EmbeddingClusters(no_embedding, threshold=0.9),
        AverageLinkClusters(no_embedding, threshold=0.9),
        BehaviourClusters(),
    ],
    ids=lambda clustering: type(clustering).__name__,
)
def test_every_clustering_counts_abstentions_and_refuses_impossible_weights(clustering: Clustering) -> None:
    assert isinstance(clustering, Clustering)
    assert clustering.ids == clustering.sizes == clustering.members == clustering.representatives == []
    assert clustering.add(None, 0.5) is None
    assert clustering.add(None) is None
    for weight in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InvalidInputError, match="weight must be finite and at least 0"):
            clustering.add(None, weight)
    assert (clustering.samples, clustering.abstentions, clustering.weight) == (2, 2, 1.5)
    assert clustering.ids == [None, None]
    assert clustering.sizes == clustering.weights == clustering.members == []


def test_weights_and_representatives_go_by_cluster() -> None:
    clusters = Clusters()
    answers = [number("0.5"), number("3"), None, Answer(text="1/2", key="n:1/2", kind="number")]
    assert [clusters.add(a, w) for a, w in zip(answers, (0.25, 1.0, 8.0, 0.5), strict=True)] == [
        0,
        1,
        None,
        0,
    ]
    assert clusters.ids == [0, 1, None, 0]
    assert clusters.weights == [0.75, 1.0]
    assert clusters.weight == 9.75
    assert [answer.text for answer in clusters.representatives] == ["0.5", "3"]
    assert clusters.members == [[0, 3], [1]]


# By tolerance ----------------------------------------------------------------------------------------------


def test_numbers_within_the_tolerance_are_one_answer_and_represented_by_their_median() -> None:
    clusters = ToleranceClusters(absolute=0.01)
    assert [clusters.add(number(text)) for text in ("3.14", "7", "3.15", "3.145", "7")] == [0, 1, 0, 0, 1]
    assert clusters.ids == [0, 1, 0, 0, 1]
    assert [answer.text for answer in clusters.representatives] == ["3.145", "7"]


def test_the_edge_of_a_tolerance_belongs_to_it_exactly() -> None:
    close = ToleranceClusters(absolute=0.25)
    assert [close.add(number(text)) for text in ("1", "1.25", "1.51")] == [0, 0, 1]
    relative = ToleranceClusters(relative=0.5)
    assert [relative.add(number(text)) for text in ("2", "4", "-2", "0", "8.1")] == [0, 0, 1, 2, 3]


def test_a_bridge_joins_two_clusters_and_reports_it() -> None:
    clusters = ToleranceClusters(absolute=1)
    assert [clusters.add(number(text)) for text in ("0", "2", "9")] == [0, 1, 2]
    assert clusters.ids == [0, 1, 2]
    assert clusters.add(number("1")) == 0
    assert clusters.merges == [(1, 0)]
    assert clusters.ids == [0, 0, 1, 0]
    assert clusters.labels == [0, 2]
    assert clusters.add(number("9")) == 2


def test_what_is_no_number_is_compared_by_key() -> None:
    clusters = ToleranceClusters(absolute=1e9)
    assert [clusters.add(a) for a in (words("a"), number("1"), words("b"), words("A"))] == [0, 1, 2, 0]


def test_a_number_of_thousands_of_digits_is_no_trouble() -> None:
    clusters = ToleranceClusters(relative=0.1)
    huge = [Answer(text="big", key="n:1" + "0" * digits, kind="number") for digits in (400, 6000)]
    assert [clusters.add(answer) for answer in [*huge, number("1e399")]] == [0, 1, 2]


@pytest.mark.parametrize(
    "bad", [{"relative": 1.0}, {"relative": -0.1}, {"absolute": -1.0}, {"absolute": float("inf")}]
)
def test_a_tolerance_out_of_range_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(bad))):
        ToleranceClusters(**bad)


numbers = st.lists(st.fractions(-6, 6, max_denominator=4).map(str), max_size=9)


@given(texts=numbers, relative=st.sampled_from([0.0, 0.125, 0.5]), absolute=st.sampled_from([0.0, 0.25, 1.0]))
def test_tolerance_is_the_transitive_closure_of_closeness(
    texts: list[str], relative: float, absolute: float
) -> None:
    clusters = ToleranceClusters(relative=relative, absolute=absolute)
    for text in texts:
        clusters.add(number(text))

    def close(a: Fraction, b: Fraction) -> bool:  # exactly: in floats, half of 16/3 is less than 8/3
        return abs(a - b) <= max(Fraction(absolute), Fraction(relative) * max(abs(a), abs(b)))

    values = [Fraction(text) for text in texts]
    assert clusters.ids == transitive_closure(values, close)
    for representative, members in zip(clusters.representatives, clusters.members, strict=True):
        cost = {x: sum(abs(x - values[other]) for other in members) for x in (values[at] for at in members)}
        assert cost[Fraction(representative.text)] == min(cost.values())


@given(texts=numbers, order=st.randoms(use_true_random=False))
def test_which_numbers_are_together_does_not_depend_on_their_order(texts: list[str], order) -> None:
    shuffled = list(texts)
    order.shuffle(shuffled)
    assert partition_of(texts) == partition_of(shuffled)


def partition_of(texts: list[str]) -> set[frozenset[str]]:
    clusters = ToleranceClusters(absolute=0.5)
    for text in texts:
        clusters.add(number(text))
    return {frozenset(texts[at] for at in members) for members in clusters.members}


def test_a_vote_goes_by_the_ids_of_the_partition_as_it_stands() -> None:
    clusters = ToleranceClusters(absolute=1)
    for text in ("9", "9", "0", "2", "1"):
        clusters.add(number(text))
    vote = _core.majority_vote(clusters.ids)
    assert (vote.leader, vote.counts) == (1, [2, 3])
    assert clusters.representatives[vote.leader].text == "1"


# By predicate ----------------------------------------------------------------------------------------------


@given(
    keys=st.lists(st.integers(0, 7), max_size=10),
    equal=st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=10),
)
def test_a_predicate_is_closed_transitively_and_asked_about_each_pair_once(
    keys: list[int], equal: set[tuple[int, int]]
) -> None:
    asked = []

    def same(a: Answer, b: Answer) -> bool:
        asked.append(frozenset((a.text, b.text)))
        return bool({(int(a.text), int(b.text)), (int(b.text), int(a.text))} & equal)

    clusters = PredicateClusters(same)
    for key in keys:
        clusters.add(number(str(key)))
    assert clusters.ids == transitive_closure(keys, lambda a, b: a == b or (a, b) in equal)
    assert len(asked) == len(set(asked))
    assert all(len(pair) == 2 for pair in asked)
    firsts = [members[0] for members in clusters.members]
    assert all(earlier < later for earlier, later in pairwise(firsts))


def test_a_predicate_that_fails_is_reported_with_both_answers_and_adds_nothing() -> None:
    def broken(a: Answer, b: Answer) -> bool:
        raise ZeroDivisionError("by zero")

    clusters = PredicateClusters(broken)
    clusters.add(words("first"))
    with pytest.raises(EqualityError, match="'first' and 'second': ZeroDivisionError: by zero") as caught:
        clusters.add(words("second"))
    assert (caught.value.first.text, caught.value.second.text) == ("first", "second")
    assert clusters.samples == 1
    assert clusters.add(words("first")) == 0


@pytest.mark.parametrize("clusters", [Clusters(), PredicateClusters(lambda a, b: pytest.fail("asked"))])
def test_equal_keys_are_never_compared_again(clusters: Clusters | LinkedClusters) -> None:
    assert {clusters.add(number("42"), 0.5) for _ in range(10_000)} == {0}
    assert (clusters.sizes, clusters.weights) == ([10_000], [5_000.0])


# By spelling -----------------------------------------------------------------------------------------------


def test_texts_spelled_nearly_alike_are_one_answer() -> None:
    clusters = FuzzyClusters(threshold=0.9)
    texts = ["Marie Curie", "marie currie", "Pierre Curie", "Marie Curie", "Marie Curie."]
    assert [clusters.add(words(text)) for text in texts] == [0, 0, 1, 0, 0]
    assert [answer.text for answer in clusters.representatives] == ["Marie Curie", "Pierre Curie"]


def test_numbers_and_choices_one_character_apart_are_never_merged() -> None:
    clusters = FuzzyClusters(threshold=0.5)
    b, d = (Answer(text=letter, key=f"c:{letter}", kind="choice") for letter in "BD")
    assert [clusters.add(a) for a in (number("80"), number("81"), b, d, words("80"))] == [0, 1, 2, 3, 4]


@given(
    texts=st.lists(st.text("abc", min_size=0, max_size=5), max_size=8),
    threshold=st.sampled_from([0.0, 0.4, 0.55, 0.6, 0.8, 1.0]),
)
def test_fuzzy_clusters_are_the_closure_of_the_ratio(texts: list[str], threshold: float) -> None:
    clusters = FuzzyClusters(threshold=threshold)
    for text in texts:
        clusters.add(words(text))

    def alike(a: str, b: str) -> bool:
        return a == b or ratio(a, b) >= Fraction(str(threshold))

    assert clusters.ids == transitive_closure(texts, alike)
    for representative, members in zip(clusters.representatives, clusters.members, strict=True):
        total = {texts[x]: sum(ratio(texts[x], texts[y]) for y in members) for x in members}
        assert total[representative.text] == max(total.values()) or len(total) == 2


def ratio(a: str, b: str) -> Fraction:
    """1 - (insertions + deletions) / (both lengths), by the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        above, row = row, [0]
        for j, y in enumerate(b):
            row.append(above[j] + 1 if x == y else max(above[j + 1], row[j]))
    whole = len(a) + len(b)
    return Fraction(2 * row[-1], whole) if whole else Fraction(1)


def test_very_long_texts_are_compared_by_key_alone() -> None:
    clusters = FuzzyClusters(threshold=0.5)
    long = "x" * 20_000
    assert [clusters.add(words(text)) for text in (long, long + "y", long + "y", long[:-1])] == [0, 1, 1, 0]


def test_fuzzy_clusters_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    with pytest.raises(InvalidInputError, match=r"pip install 'orchestrator\[fuzzy\]'"):
        FuzzyClusters(threshold=0.9)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_ratio_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidInputError, match="threshold"):
        FuzzyClusters(threshold=threshold)


# Texts at once ---------------------------------------------------------------------------------------------


def test_texts_are_read_and_grouped_by_any_clustering() -> None:
    texts = ["The answer is 3.14.", None, "#### 7", "The answer is 3.15."]
    assert cluster(texts) == [0, None, 1, 2]
    by = ToleranceClusters(absolute=0.01)
    assert cluster(texts, by=by) == [0, None, 1, 0]
    assert cluster(["#### 7", "#### 5"], by=by) == [1, 2]
    assert by.samples == 6
