from __future__ import annotations

import math

import pytest

from orchestrator import answers
from orchestrator.errors import InvalidInputError
from orchestrator.voting import Vote, best_of_clusters, majority_vote, weighted_vote


def test_unreadable_samples_do_not_vote_and_count_against_confidence() -> None:
    read = answers.AnswerReader(kind="number").read
    texts = ["Let me see, 12", "So 7 and then", "First 30", r"\boxed{42}", "The answer is 42."]
    vote = majority_vote([read(text, truncated=i < 3) for i, text in enumerate(texts)])
    assert vote.answer is not None
    assert vote.answer.key == "n:42"
    assert (vote.share, vote.margin, vote.abstentions, vote.tied) == (0.4, 0.4, 3, False)


def test_equal_answers_vote_together_and_the_first_spelling_is_given_back() -> None:
    vote = majority_vote(["0.5", "3", r"\frac12", "50%", None])
    assert str(vote.answer) == "0.5"
    assert vote.counts == (3, 1)
    assert vote.clusters == (0, 1, 0, 0, None)
    assert (vote.share, vote.margin) == (0.6, 0.4)


def test_a_tie_goes_to_the_first_seen_and_is_reported() -> None:
    vote = majority_vote(["B", "A", "A", "B"], kind="choice")
    assert (str(vote.answer), vote.tied, vote.share, vote.margin) == ("B", True, 0.5, 0.0)


@pytest.mark.parametrize("samples", [[], [None, None], ["", "I don't know"]])
def test_nothing_readable_has_no_answer(samples: list[str | None]) -> None:
    vote = majority_vote(samples)
    assert (vote.answer, vote.share, vote.margin, vote.tied) == (None, 0.0, 0.0, False)
    assert vote.abstentions == vote.samples == len(samples)
    assert (vote.decided, vote.confidence) == (False, 0.0)
    assert vote.reason == f"no readable answer in {len(samples)} samples"


def test_weights_can_overrule_the_majority() -> None:
    vote = weighted_vote(["1", "2", "2", None], [0.9, 0.2, 0.3, 0.6])
    assert str(vote.answer) == "1"
    assert vote.share == pytest.approx(0.45)
    assert vote.margin == pytest.approx(0.2)
    assert vote.totals == pytest.approx((0.9, 0.5))


def test_a_vote_without_weight_has_no_answer() -> None:
    vote = weighted_vote(["1", "2", None], [0.0, 0.0, 1.0])
    assert (vote.answer, vote.leader, vote.share, vote.tied) == (None, None, 0.0, False)


@pytest.mark.parametrize("weights", [[math.nan], [-0.1], [math.inf], [], [1.0, 1.0]])
def test_bad_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(InvalidInputError, match="weight"):
        weighted_vote(["1"], weights)


def test_answers_already_clustered_are_not_clustered_again() -> None:
    samples = ["0.5", None, "3", r"\frac12"]
    clusters = answers.Clusters()
    for sample in samples:
        clusters.add(None if sample is None else answers.extract(sample))
    assert majority_vote(clusters=clusters) == majority_vote(samples)
    assert weighted_vote(weights=[1, 2, 3, 0.5], clusters=clusters) == weighted_vote(samples, [1, 2, 3, 0.5])
    with pytest.raises(InvalidInputError, match="not both"):
        majority_vote(["1"], clusters=clusters)


def test_clusters_out_of_order_are_refused() -> None:
    class Backwards:
        samples = 2
        representatives = tuple(filter(None, map(answers.extract, ("1", "2"))))
        ids = (1, 0)

    with pytest.raises(InvalidInputError, match="first-seen order"):
        majority_vote(clusters=Backwards())


def test_a_vote_below_its_threshold_or_quorum_has_no_answer() -> None:
    samples = ["7", "7", "8", None, None]
    assert str(majority_vote(samples, threshold=0.4, quorum=3).answer) == "7"
    below = majority_vote(samples, threshold=0.5)
    assert (below.answer, below.decided, below.confidence) == (None, False, 0.0)
    assert (below.leader, below.share) == (0, 0.4)
    assert below.reason == "the leader has a share of 0.4, below the threshold of 0.5"
    assert majority_vote(samples, quorum=4).reason == "3 readable answers, fewer than the quorum of 4"


def test_a_threshold_is_reached_by_sums_that_round_below_it() -> None:
    vote = weighted_vote(["1"] * 10 + ["2"], [0.1] * 10 + [1.0], threshold=0.5)
    assert vote.share < 0.5
    assert vote.decided


@pytest.mark.parametrize(
    "rule", [{"threshold": 1.1}, {"threshold": -0.1}, {"threshold": math.nan}, {"quorum": -1}]
)
def test_bad_rules_are_refused(rule: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(rule))):
        majority_vote(["1"], **rule)


def test_log_weights_vote_where_their_exponentials_vanish() -> None:
    vote = weighted_vote(["1", "2", "2", None], log_weights=[-2000.0, -2001.0, -2001.0, -math.inf])
    e = math.exp(-1)
    assert str(vote.answer) == "1"
    assert vote.share == pytest.approx(1 / (1 + 2 * e))
    assert vote.totals == pytest.approx((1, 2 * e))


def test_exactly_one_kind_of_weights_is_needed() -> None:
    with pytest.raises(InvalidInputError, match="either weights or log_weights"):
        weighted_vote(["1"])
    with pytest.raises(InvalidInputError, match="either weights or log_weights"):
        weighted_vote(["1"], [1.0], log_weights=[0.0])
    with pytest.raises(InvalidInputError, match="log-weight"):
        weighted_vote(["1"], log_weights=[math.inf])


SCORED: list[tuple[str | None, float | None]] = [
    ("7", 0.4),
    ("8", 0.6),
    ("7", 0.5),
    ("9", 0.65),
    ("8", 0.1),
    (None, 0.2),
    ("9", None),
    ("7.0", 0.3),
]


@pytest.mark.parametrize(
    ("aggregate", "answer", "sample", "totals"),
    [
        ("sum", "7", 2, (1.2, 0.7, 0.65)),
        ("mean", "9", 3, (0.4, 0.35, 0.65)),
        ("max", "9", 3, (0.5, 0.6, 0.65)),
    ],
)
def test_clusters_compete_with_their_scores(
    aggregate: str, answer: str, sample: int, totals: tuple[float, ...]
) -> None:
    names, scores = zip(*SCORED, strict=True)
    vote = best_of_clusters(names, scores, aggregate=aggregate)
    assert (str(vote.answer), vote.sample) == (answer, sample)
    assert vote.totals == pytest.approx(totals)
    assert vote.share == pytest.approx(max(totals) / (sum(totals) + 0.2))  # the abstention's score counts
    assert (vote.counts, vote.abstentions) == ((3, 2, 2), 1)


def test_the_answer_is_spelled_as_its_best_sample_spelled_it() -> None:
    vote = best_of_clusters(["1/2", "0.5", "3"], [0.2, 0.9, 0.5])
    assert (str(vote.answer), str(vote.answers[0])) == ("0.5", "1/2")
    assert best_of_clusters(["1"], [None]).reason == "none of 1 readable answers has weight"
    with pytest.raises(InvalidInputError, match="aggregate"):
        best_of_clusters(["1"], [1.0], aggregate="median")
    with pytest.raises(InvalidInputError, match="score"):
        best_of_clusters(["1"], [math.nan])


class Halving:
    """A calibration that believes half of what a vote says."""

    features = ("share", "samples")

    def predict(self, confidence: list[float]) -> float:
        share, samples = confidence
        return share / 2 if samples == 2.0 else 0.0


def test_a_calibration_changes_the_confidence_and_nothing_else() -> None:
    vote = majority_vote(["1", "1"])
    calibrated = vote.calibrated(Halving())
    assert (vote.confidence, calibrated.confidence, calibrated.share) == (1.0, 0.5, 1.0)
    undecided: Vote = majority_vote([None, None])
    assert undecided.calibrated(Halving()) is undecided


def test_a_calibration_of_what_no_vote_has_is_refused() -> None:
    class Unknown(Halving):
        features = ("perplexity",)

    with pytest.raises(InvalidInputError, match="perplexity"):
        majority_vote(["1"]).calibrated(Unknown())
