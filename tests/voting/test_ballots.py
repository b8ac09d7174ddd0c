"""What may be voted on, and what the messages say about the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from orchestrator.answers import Clusters, ToleranceClusters, cluster, normalize
from orchestrator.errors import InvalidInputError
from orchestrator.voting import (
    best_of_clusters,
    hierarchical_vote,
    majority_vote,
    rank_weights,
    tool_call_vote,
    weighted_vote,
)


def test_nothing_gives_no_answer_and_says_why() -> None:
    for vote in (
        majority_vote(),
        majority_vote([]),
        weighted_vote([], []),
        majority_vote(clusters=Clusters()),
    ):
        assert (vote.answer, vote.samples, vote.share, vote.confidence) == (None, 0, 0.0, 0.0)
        assert vote.reason == "no readable answer in 0 samples"
    assert majority_vote([None]).reason == "no readable answer in 1 sample"


def test_one_answer_wins_alone() -> None:
    vote = majority_vote(["42"])
    assert (str(vote.answer), vote.share, vote.margin, vote.tied) == ("42", 1.0, 1.0, False)


def test_generators_arrays_and_tuples_are_lists_of_answers() -> None:
    expected = majority_vote(["7", "7", "8"])
    assert majority_vote(text for text in ("7", "7", "8")) == expected
    assert majority_vote(np.array(["7", "7", "8"])) == expected
    weighted = weighted_vote(["7", "8"], [1.0, 2.0])
    assert weighted_vote(("7", "8"), np.array([1.0, 2.0])) == weighted
    assert weighted_vote((text for text in "78"), (weight for weight in (1, 2))) == weighted
    assert weighted_vote(["7", "8"], np.float32([1, 2])) == weighted
    assert best_of_clusters((text for text in "78"), (score for score in (0.5, None))).sample == 0
    assert majority_vote(["7"], quorum=np.int64(1), threshold=np.float32(0.5)).decided


def test_texts_are_read_by_the_rules_given() -> None:
    texts = ["50%", "50", "0.5", "5 cm", "5 m"]
    assert majority_vote(texts, kind="number").clusters == (0, 1, 0, 2, 2)
    assert majority_vote(texts, kind="number", percent="number").clusters == (0, 0, 1, 2, 2)
    assert majority_vote(texts, kind="number", units="keep").clusters == (0, 1, 0, 2, 3)
    assert cluster(texts, kind="number", units="keep", percent="number") == [0, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: majority_vote(None), "give a list of answers, not one NoneType"),
        (lambda: majority_vote("ABBA"), "give a list of answers, not one str"),
        (lambda: majority_vote(["1", 2]), r"item 1 must be a text, not int: try str\(2\)"),
        (lambda: majority_vote([b"1"]), "item 0 must be a text, not bytes: decode it first"),
        (lambda: majority_vote(["1"], threshold=50), r"threshold must be a share in \[0, 1\], not 50"),
        (
            lambda: majority_vote(["1"], threshold="half"),
            r"threshold must be a share in \[0, 1\], not 'half'",
        ),
        (lambda: majority_vote(["1"], quorum=1.5), "quorum must be a whole number of answers"),
        (lambda: majority_vote(["1"], kind="nmber"), "kind must be one of auto, number"),
        (lambda: majority_vote(clusters=[0, 1]), "clusters must be a clustering such as answers.Clusters"),
        (lambda: weighted_vote(["1", "2"]), "give either weights or log_weights"),
        (lambda: weighted_vote(["1", "2"], [1]), "1 weights for 2 answers"),
        (lambda: weighted_vote(["1", "2"], [1, None]), "a weight must be a number, not None for answer 1"),
        (lambda: weighted_vote(["1"], "5"), "give a list of weights, one an answer, not one str"),
        (lambda: weighted_vote(["1"], 5), "give a list of weights, one an answer, not one int"),
        (lambda: weighted_vote(["1"], [10**400]), "the weight of answer 0 is too large for a float"),
        (lambda: weighted_vote(["1"], [float("nan")]), "a weight must be finite and at least 0"),
        (lambda: best_of_clusters(["1"], ["good"]), "a score must be a number, not 'good' for answer 0"),
        (lambda: best_of_clusters(["1", "2"], [0.5]), "1 scores for 2 answers"),
        (lambda: best_of_clusters(["1"], [0.5], aggregate="median"), "aggregate must be sum, mean or max"),
        (lambda: hierarchical_vote(None, [str]), "give a list of items, not one NoneType"),
        (lambda: hierarchical_vote(["a"], str), "needs a list of at least one level"),
        (lambda: hierarchical_vote(["a"], [len]), "must be a text, not int"),
        (lambda: hierarchical_vote(["a"], [str], weights=["x"]), "a weight must be a number, not 'x'"),
        (lambda: tool_call_vote("f(x)"), "give a list of items, not one str"),
        (lambda: rank_weights([0.5, None]), "a score must be a number, not None for answer 1"),
        (lambda: cluster("ABBA"), "give a list of texts, not one str"),
        (lambda: cluster(["1", 2]), "item 1 must be a text, not int"),
        (lambda: cluster(["1"], by="tolerance"), "by must be a clustering such as ToleranceClusters"),
        (lambda: Clusters().add("5"), "takes answers, not str: read a text first"),
        (lambda: ToleranceClusters().add("5"), "takes answers, not str: read a text first"),
        (lambda: Clusters().add(None, "x"), "a weight must be finite and at least 0, not 'x'"),
        (lambda: normalize(5), "an answer must be a text, not int"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_place(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        call()
