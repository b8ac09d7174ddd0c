from __future__ import annotations

import math

import pytest

from orchestrator import answers
from orchestrator.errors import InvalidInputError
from orchestrator.voting import majority_vote, weighted_vote


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
