import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import Problem
from orchestrator.errors import InvalidInputError
from orchestrator.types import Candidate, Sample, TokenLogprob
from orchestrator.verifiers import GroupConfidence, Perplexity, SelfCertainty

PROBLEM = Problem(id="p", prompt="?")


def written(*probabilities, top=()):
    """A sample whose tokens had these probabilities; `top` has those of the likeliest tokens, by token."""
    tops = [tuple((str(n), math.log(p)) for n, p in enumerate(row)) for row in top] or [()] * len(
        probabilities
    )
    return Sample(
        text="...",
        logprobs=tuple(
            TokenLogprob(token="t", logprob=math.log(p), top=row)
            for p, row in zip(probabilities, tops, strict=True)
        ),
    )


def score(verifier, sample):
    return verifier.judge(PROBLEM, Candidate(sample=sample, answer=None))


def confident(*nats):
    """A sample with these token confidences: each had one likeliest token, of probability exp(-nats)."""
    tokens = tuple(TokenLogprob(token="t", logprob=-1.0, top=(("t", -value),)) for value in nats)
    return Sample(text="...", logprobs=tokens)


def nats(verifier, sample):
    value = score(verifier, sample).value
    return value / (1 - value)


def test_perplexity_is_scored_by_the_geometric_mean_of_the_probabilities():
    found = score(Perplexity(), written(1 / 2, 1 / 8))
    assert found.value == pytest.approx(1 / 4)
    assert found.reason == "perplexity 4"
    assert score(Perplexity(), written(1.0, 1.0)).value == 1.0
    impossible = Sample(text="x", logprobs=(TokenLogprob(token="x", logprob=-math.inf),))
    assert (score(Perplexity(), impossible).value, score(Perplexity(), impossible).reason) == (
        0.0,
        "perplexity inf",
    )


def test_self_certainty_is_the_mean_divergence_of_the_uniform_distribution():
    # KL(U || (1/2, 1/4)) over the two reported: -(log 1/2 + log 1/4) / 2 - log 2 = log(8) / 2 - log 2
    sample = written(0.5, 0.5, top=[(1 / 2, 1 / 4), (1 / 2, 1 / 2)])
    expected = (math.log(8) / 2 - math.log(2) + 0.0) / 2
    assert nats(SelfCertainty(), sample) == pytest.approx(expected)
    assert score(SelfCertainty(), sample).reason == f"self-certainty {expected:.4g} nats"
    # Of four tokens (1/2, 1/4) leave 1/8 for each other: -log(1/2 * 1/4 * 1/8 * 1/8) / 4 - log 4
    whole = written(0.5, top=[(1 / 2, 1 / 4)])
    assert nats(SelfCertainty(vocabulary=4), whole) == pytest.approx(math.log(2**9) / 4 - math.log(4))


CONFIDENCES = (4.0, 1.0, 3.0, 8.0)  # windows of two: 2.5, 2, 5.5


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"window": 2}, 2.0),
        ({"window": 2, "aggregation": "bottom"}, 2.0),
        ({"window": 2, "aggregation": "bottom", "share": 0.6}, 2.0),  # 1.8 of 3 groups: the whole ones
        ({"window": 2, "aggregation": "bottom", "share": 0.67}, 2.25),
        ({"window": 2, "aggregation": "bottom", "share": 1.0}, 10 / 3),
        ({"window": 2, "aggregation": "tail"}, 5.5),
        ({"window": 2, "aggregation": "mean"}, 4.0),
        ({"window": 1}, 1.0),
        ({"window": 4}, 4.0),
        ({}, 4.0),
    ],
)
def test_group_confidence_is_that_of_windows_of_tokens(options, expected):
    assert nats(GroupConfidence(**options), confident(*CONFIDENCES)) == pytest.approx(expected)


def test_a_tokens_confidence_is_minus_the_mean_of_its_top_log_probabilities():
    sample = written(0.5, top=[(1 / 2, 1 / 4, 1 / 8)])  # (1 + 2 + 3) / 3 = 2 bits
    assert nats(GroupConfidence(), sample) == pytest.approx(2 * math.log(2))


@given(st.floats(0, 50), st.floats(0, 50))
def test_a_higher_confidence_is_a_higher_score(one, other):
    values = [score(GroupConfidence(), confident(value)).value for value in (one, other)]
    assert (one <= other) == (values[0] <= values[1])
    assert all(0.0 <= value < 1.0 for value in values)


@pytest.mark.parametrize("verifier", [Perplexity(), SelfCertainty(), GroupConfidence()])
def test_a_sample_without_usable_log_probabilities_is_not_scored(verifier):
    assert score(verifier, Sample(text="4")).reason == (
        f"no log-probabilities: draw the samples with logprobs={verifier.logprobs}"
    )
    assert score(verifier, Sample(text="", logprobs=())).reason == "no tokens"
    for wrong in (math.nan, 0.5):
        tokens = (TokenLogprob(token="x", logprob=wrong, top=(("x", -0.1),)),)
        assert score(verifier, Sample(text="x", logprobs=tokens)).value is None


@pytest.mark.parametrize("verifier", [SelfCertainty(), GroupConfidence()])
def test_top_log_probabilities_that_are_missing_or_no_numbers_give_no_score(verifier):
    for top in ((), (("x", -math.inf),), (("x", math.nan),), (("x", -0.1), ("y", math.nan))):
        tokens = (TokenLogprob(token="x", logprob=-0.1, top=top),)
        assert score(verifier, Sample(text="x", logprobs=tokens)).reason == (
            "a token without top log-probabilities: ask for 20"
        )


def test_rivals_with_a_probability_of_zero_are_left_out():
    two, three = (
        Sample(text="x", logprobs=(TokenLogprob(token="x", logprob=math.log(0.5), top=top),))
        for top in (
            (("x", math.log(0.5)), ("y", math.log(0.125))),
            (("x", math.log(0.5)), ("y", math.log(0.125)), ("z", -math.inf)),
        )
    )
    assert nats(GroupConfidence(), two) == nats(GroupConfidence(), three) == pytest.approx(2 * math.log(2))
    assert nats(SelfCertainty(), two) == nats(SelfCertainty(), three) == pytest.approx(math.log(2))


def test_more_top_log_probabilities_than_the_vocabulary_give_no_score():
    found = score(SelfCertainty(vocabulary=1), written(0.5, top=[(1 / 2, 1 / 4)]))
    assert (found.value, found.reason) == (None, "2 top log-probabilities of a vocabulary of 1")


def test_samples_are_to_be_drawn_with_the_log_probabilities_a_verifier_reads():
    assert (Perplexity().logprobs, SelfCertainty().logprobs, GroupConfidence().logprobs) == (0, 20, 20)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SelfCertainty(vocabulary=0),
        lambda: GroupConfidence(window=0),
        lambda: GroupConfidence(aggregation="highest"),
        lambda: GroupConfidence(share=0.0),
        lambda: GroupConfidence(share=1.5),
    ],
)
def test_parameters_out_of_range_are_refused(make):
    with pytest.raises(InvalidInputError):
        make()
