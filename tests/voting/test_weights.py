from __future__ import annotations

import math

import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.types import Candidate, Sample, Score, TokenLogprob, Usage
from orchestrator.voting import (
    length_penalty_weights,
    log_likelihoods,
    log_probability_weights,
    rank_weights,
    score_weights,
    self_certainties,
    self_certainty_weights,
    weighted_vote,
)


def written(*probabilities: float) -> Sample:
    """A sample of tokens that had these probabilities."""
    logprobs = tuple(TokenLogprob(token="x", logprob=math.log(p)) for p in probabilities)
    return Sample(text="x" * len(logprobs), logprobs=logprobs)


def distributed(*tokens: tuple[float, ...]) -> Sample:
    """A sample whose tokens had these top probabilities."""
    return Sample(
        text="x",
        logprobs=tuple(
            TokenLogprob(
                token="x",
                logprob=math.log(top[0]),
                top=tuple((str(i), math.log(p) if p else -math.inf) for i, p in enumerate(top)),
            )
            for top in tokens
        ),
    )


def test_a_probability_is_normalised_by_length() -> None:
    assert log_probability_weights([written(0.5), written(0.9, 0.1), written()]) == pytest.approx(
        [0.5, 0.3, 0.0]
    )


def test_likelihoods_are_sums_of_logs_and_a_penalty_divides_them() -> None:
    seven = written(*[0.5] * 7)
    assert log_likelihoods([seven]) == pytest.approx([7 * math.log(0.5)])
    assert log_likelihoods([seven], length_penalty=1) == pytest.approx([7 * math.log(0.5) / 2])  # 12 / 6
    assert log_likelihoods([written()]) == [-math.inf]


def test_long_texts_of_tiny_likelihood_still_vote() -> None:
    samples = [written(*[0.01] * 900), written(*[0.01] * 901)]
    vote = weighted_vote(["1", "2"], log_weights=log_likelihoods(samples))
    assert vote.share == pytest.approx(1 / 1.01)


def test_a_length_penalty_halves_at_seven_tokens() -> None:
    counted = Sample(text="...", usage=Usage(completion_tokens=1))
    samples = [written(*[0.5] * 7), counted, Sample(text="")]
    assert length_penalty_weights(samples) == pytest.approx([0.5, 1.0, 0.0])
    assert length_penalty_weights(samples, length_penalty=0) == [1, 1, 0]


def test_certainty_is_the_distance_from_uniform() -> None:
    flat, peaked = distributed((0.25,) * 4), distributed((0.97, 0.01, 0.01, 0.01))
    expected = -(math.log(0.97) + 3 * math.log(0.01)) / 4 - math.log(4)
    assert self_certainties([flat, peaked]) == pytest.approx([0, expected])
    assert self_certainties([distributed((0.25,) * 4, (0.97, 0.01, 0.01, 0.01))]) == pytest.approx(
        [expected / 2]
    )
    assert self_certainties([distributed((0.5, 0.5, 0.0))]) == pytest.approx([0])  # k counts what is possible


def test_a_known_vocabulary_spreads_the_rest_evenly() -> None:
    whole = distributed((0.7, 0.1, 0.1, 0.1))
    top = distributed((0.7, 0.1))
    assert self_certainties([top], vocabulary=4) == pytest.approx(self_certainties([whole]))
    assert self_certainties([whole], vocabulary=4) == pytest.approx(self_certainties([whole]))
    with pytest.raises(InvalidInputError, match="vocabulary of 3"):
        self_certainties([whole], vocabulary=3)


def test_a_rest_that_is_only_rounding_makes_no_certainty() -> None:
    for left in (1e-30, 1e-15, 1e-10, 1e-8):
        (certainty,) = self_certainties([distributed((1.0 - left, left / 2))], vocabulary=50_000)
        # The 49,998 unreported tokens share 6e-8, however little was left: about log(2^24) nats.
        assert certainty == pytest.approx(24 * math.log(2), rel=1e-3)
    wider = self_certainties([distributed((0.999, 0.0005))], vocabulary=50_000)
    assert wider == pytest.approx([-math.log(0.0005)], rel=1e-3)  # a rest above it counts as it is


def test_borda_voting_weighs_ranks_by_certainty() -> None:
    samples = [distributed((p, 1 - p)) for p in (0.6, 0.99, 0.8)]
    assert self_certainty_weights(samples) == [1, 3, 2]
    assert self_certainty_weights(samples, power=2) == [1, 9, 4]


def test_equal_scores_share_the_mean_of_their_ranks() -> None:
    assert rank_weights([0.5, 0.9, 0.5, 0.1]) == [2.5, 4, 2.5, 1]
    assert rank_weights([0.5, 0.9], power=0) == [1, 1]
    assert rank_weights([]) == []


def candidate(**values: float | None) -> Candidate:
    scores = {name: Score(value=value) for name, value in values.items()}
    return Candidate(sample=Sample(text=""), answer=None, scores=scores)


def test_a_verifiers_scores_weigh_and_its_abstentions_do_not() -> None:
    assert score_weights([candidate(judge=0.5), candidate(judge=None), candidate()]) == [0.5, 0, 0]
    both = [candidate(judge=0.5, rules=1.0)]
    assert score_weights(both, verifier="rules") == [1.0]
    with pytest.raises(InvalidInputError, match="judge, rules"):
        score_weights(both)
    with pytest.raises(InvalidInputError, match="there are: judge, rules"):
        score_weights(both, verifier="orm")
    assert score_weights([]) == []


@pytest.mark.parametrize(
    ("weigh", "said"),
    [
        (lambda: log_probability_weights([written(0.5), Sample(text="x")]), "sample 1 has no log-prob"),
        (lambda: self_certainties([written(0.5)]), "top log-prob"),
        (lambda: rank_weights([math.nan]), "not a number"),
        (lambda: rank_weights([1.0], power=-1), "power"),
        (lambda: rank_weights([0.0] * 1000, power=200), "1000.power"),
        (lambda: length_penalty_weights([], length_penalty=math.inf), "length_penalty"),
        (
            lambda: log_likelihoods(
                [Sample(text="x", logprobs=(TokenLogprob(token="x", logprob=math.nan),))]
            ),
            "add up to nan",
        ),
    ],
)
def test_samples_that_cannot_be_weighed_are_named(weigh, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        weigh()
