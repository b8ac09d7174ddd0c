from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import voting as reference

from orchestrator import _core

keys = st.lists(st.none() | st.sampled_from("abcd"), max_size=12)


@given(keys=keys)
def test_clusters_are_numbered_as_first_seen(keys: list[str | None]) -> None:
    ids = reference.clusters(keys)
    grown = _core.Clusters()
    assert _core.cluster_keys(keys) == ids == [grown.add(key) for key in keys]
    assert grown.sizes == [ids.count(i) for i in range(len(grown.sizes))]
    assert grown.members == [[i for i, own in enumerate(ids) if own == c] for c in range(len(grown.sizes))]
    assert grown.abstentions == ids.count(None)


@given(keys=keys)
def test_a_majority_is_a_vote_with_equal_weights(keys: list[str | None]) -> None:
    ids = reference.clusters(keys)
    vote = _core.majority_vote(ids)
    leader, share, margin, tied = reference.vote(ids, [1] * len(ids))
    assert (vote.leader, vote.tied) == (leader, tied)
    assert (vote.share, vote.margin) == (pytest.approx(float(share)), pytest.approx(float(margin)))


@given(
    pairs=st.lists(st.tuples(st.none() | st.sampled_from("abc"), st.integers(-1, 8)), max_size=10),
    extra=st.booleans(),
)
def test_weighted_votes_agree_with_exact_fractions(pairs: list[tuple[str | None, int]], extra: bool) -> None:
    ids = reference.clusters([key for key, _ in pairs])
    eighths = [weight / 8 for _, weight in pairs] + [1.0] * extra
    try:
        leader, share, margin, tied = reference.vote(ids, [*map(reference.Fraction, eighths)])
    except ValueError:
        with pytest.raises(ValueError, match="weight"):
            _core.weighted_vote(ids, eighths)
        return
    vote = _core.weighted_vote(ids, eighths)
    assert (vote.leader, vote.tied) == (leader, tied)
    assert (vote.share, vote.margin) == (pytest.approx(float(share)), pytest.approx(float(margin)))


@given(
    pairs=st.lists(
        st.tuples(st.none() | st.sampled_from("abc"), st.none() | st.integers(-40, 40)), max_size=10
    )
)
def test_votes_by_log_weights_are_votes_by_their_exponentials(
    pairs: list[tuple[str | None, int | None]],
) -> None:
    ids = reference.clusters([key for key, _ in pairs])
    exact = [reference.Fraction(0) if power is None else reference.Fraction(2) ** power for _, power in pairs]
    logs = [-math.inf if power is None else power * math.log(2) - 5000 for _, power in pairs]
    vote = _core.log_weighted_vote(ids, logs)
    leader, share, margin, tied = reference.vote(ids, exact)
    if not tied:  # rounding of the logarithms may part a tie
        assert vote.leader == leader
    assert (vote.share, vote.margin) == (
        pytest.approx(float(share), abs=1e-10),
        pytest.approx(float(margin), abs=1e-10),
    )


@given(
    pairs=st.lists(
        st.tuples(st.none() | st.sampled_from("abc"), st.none() | st.integers(-1, 8)), max_size=10
    ),
    aggregate=st.sampled_from(["sum", "mean", "max"]),
)
def test_clusters_compete_with_what_their_scores_make_together(
    pairs: list[tuple[str | None, int | None]], aggregate: str
) -> None:
    ids = reference.clusters([key for key, _ in pairs])
    scores = [None if eighths is None else eighths / 8 for _, eighths in pairs]
    if any(score is not None and score < 0 for score in scores):
        with pytest.raises(ValueError, match="score"):
            _core.best_of_clusters(ids, scores, aggregate=aggregate)
        return
    exact = [None if score is None else reference.Fraction(score) for score in scores]
    leader, sample, share, margin, tied = reference.best_of_clusters(ids, exact, aggregate)
    vote = _core.best_of_clusters(ids, scores, aggregate=aggregate)
    assert (vote.leader, vote.sample, vote.tied) == (leader, sample, tied)
    assert (vote.share, vote.margin) == (pytest.approx(float(share)), pytest.approx(float(margin)))
