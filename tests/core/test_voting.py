from __future__ import annotations

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
