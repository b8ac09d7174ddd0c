from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import stopping as reference

from orchestrator import _core

Ids = list[int | None]


@st.composite
def samples(draw: st.DrawFn, most: int = 14, clusters: int = 4) -> Ids:
    """Clusters in first-seen order, with abstentions."""
    ids: Ids = []
    known = 0
    for raw in draw(st.lists(st.none() | st.integers(0, clusters - 1), max_size=most)):
        ids.append(None if raw is None else min(raw, known))
        known = max(known, 0 if ids[-1] is None else ids[-1] + 1)
    return ids


counts = st.lists(st.integers(0, 4), max_size=3)
SEVERAL = [
    _core.FixedSize(),
    _core.LeadStop(),
    _core.BetaStop(confidence=0.8),
    _core.DirichletStop(confidence=0.8, prior=1, unseen=1),
    _core.WindowStop(size=2),
    _core.MajorityStop(threshold=0.7, at_least=3),
    _core.EntropyStop(threshold=0.7, at_least=3),
    _core.ConvergenceStop(samples=3, tolerance=0.25),
    _core.ValueOfSample(price=0.02, prior=1, lookahead=8),
    _core.ScoreStop(threshold=0.5),
    _core.LearnedStop(confidence=0.9, bias=-1.0, evidence=1.5, lead=0.5),
]


@given(ids=samples(), scores=st.lists(st.none() | st.sampled_from([0.0, 0.5, 1.0]), min_size=14, max_size=14))
def test_a_tally_grown_sample_by_sample_is_that_of_every_prefix(ids: Ids, scores: list[float | None]) -> None:
    grown = _core.Tally(planned=9)
    for size, (cluster, score) in enumerate(zip(ids, scores, strict=False), start=1):
        grown.add(cluster, score)
        votes = [ids[:size].count(c) for c in range(len(grown.counts))]
        leader = reference.leader(votes)
        assert (grown.counts, grown.leader) == (tuple(votes), leader)
        assert grown.second == max((v for c, v in enumerate(votes) if c != leader), default=0)
        assert (grown.seen, grown.remaining, grown.order) == (size, max(0, 9 - size), tuple(ids[:size]))
        given_scores = [s for i, s in zip(ids[:size], scores, strict=False) if None not in (i, s)]
        assert grown.best_score == max(given_scores, default=None)
        if all(s is None for s in scores[:size]):
            scratch = _core.Tally.of_clusters(ids[:size], planned=9)
            assert grown == scratch
            assert [r.should_stop(grown) for r in SEVERAL] == [r.should_stop(scratch) for r in SEVERAL]


@given(counts=counts, remaining=st.integers(0, 4))
def test_a_lead_is_safe_exactly_when_every_future_keeps_it(counts: list[int], remaining: int) -> None:
    tally = _core.Tally.of(counts, planned=sum(counts) + remaining)
    assert _core.LeadStop().should_stop(tally) == reference.lead_is_safe(counts, remaining)


@given(first=st.integers(0, 400), second=st.integers(0, 400))
def test_the_pair_posterior_is_the_binomial_tail(first: int, second: int) -> None:
    expected = reference.beta_posterior(max(first, second), min(first, second))
    for order in ([first, second], [second, first]):
        tally = _core.Tally.of(order)
        assert _core.BetaStop(confidence=0.5).posterior(tally) == pytest.approx(float(expected), abs=1e-11)
        dirichlet = _core.DirichletStop(confidence=0.5, prior=1, unseen=0)
        assert dirichlet.posterior(tally) == pytest.approx(float(expected), abs=1e-9)


@given(
    votes=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    prior=st.integers(1, 3),
    unseen=st.integers(0, 2),
    confidence=st.sampled_from([0.5, 0.8, 0.95]),
)
def test_the_mode_posterior_is_the_integral(
    votes: list[int], prior: int, unseen: int, confidence: float
) -> None:
    tally = _core.Tally.of(votes)
    rule = _core.DirichletStop(confidence=confidence, prior=prior, unseen=unseen)
    expected = float(reference.mode_posterior(votes, prior, unseen))
    assert rule.posterior(tally) == pytest.approx(expected, abs=1e-9)
    if abs(expected - confidence) > 1e-8:
        assert rule.should_stop(tally) == (any(votes) and expected >= confidence)


@given(ids=samples(clusters=2), size=st.integers(1, 4))
def test_windows_are_disjoint_and_whole(ids: Ids, size: int) -> None:
    tally = _core.Tally.of_clusters(ids)
    assert _core.WindowStop(size=size).should_stop(tally) == reference.window_agrees(ids, size)


@given(ids=samples(), tenths=st.integers(1, 10), at_least=st.integers(1, 5))
def test_majorities_and_entropies_are_those_of_the_counts(ids: Ids, tenths: int, at_least: int) -> None:
    tally, threshold = _core.Tally.of_clusters(ids), tenths / 10
    majority = _core.MajorityStop(threshold=threshold, at_least=at_least).should_stop(tally)
    enough = len(ids) >= at_least
    assert majority == (enough and Fraction(tally.first, len(ids)) >= Fraction(tenths, 10))
    expected = reference.entropy(tally.counts)
    assert _core.normalized_entropy(tally.counts) == pytest.approx(expected, abs=1e-12)
    if abs(expected - threshold) > 1e-9:
        stops = _core.EntropyStop(threshold=threshold, at_least=at_least).should_stop(tally)
        assert stops == (sum(tally.counts) >= at_least and expected <= threshold)


@given(ids=samples(), size=st.integers(1, 4), tenths=st.integers(0, 10))
def test_a_vote_has_converged_when_each_of_the_last_votes_agrees(ids: Ids, size: int, tenths: int) -> None:
    rule = _core.ConvergenceStop(samples=size, tolerance=tenths / 10)
    expected = reference.converged(ids, size, Fraction(tenths, 10))
    assert rule.should_stop(_core.Tally.of_clusters(ids)) == expected


@given(
    second=st.integers(0, 3),
    lead=st.integers(0, 4),
    thirds=st.lists(st.just(0) | st.just(1), max_size=2),
    abstentions=st.integers(0, 5),
    prior=st.integers(1, 2),
    remaining=st.none() | st.integers(0, 9),
)
def test_the_value_of_samples_is_that_of_every_way_they_fall(
    second: int, lead: int, thirds: list[int], abstentions: int, prior: int, remaining: int | None
) -> None:
    second = max(second, *thirds, 0)
    first, price = second + lead, 0.001
    rule = _core.ValueOfSample(price=price, prior=prior, lookahead=8)
    of_two = first + second + 2 * prior
    wasted = (of_two + sum(thirds) + prior * len(thirds) + abstentions) / of_two
    most = 8 if remaining is None else min(8, remaining)
    gains = [
        # A whole prior above 1 is as good as votes.
        float(reference.expected_gain(first + prior - 1, second + prior - 1, m)) - price * wasted * m
        for m in (lead + 1, lead + 3, lead + 7)
        if m <= most
    ]
    seen = first + second + sum(thirds) + abstentions
    planned = None if remaining is None else seen + remaining
    tally = _core.Tally.of([first, second, *thirds], abstentions=abstentions, planned=planned)
    assert rule.net_gain(tally) == pytest.approx(max(0.0, *gains, 0.0), abs=1e-12)
    if seen and min((abs(gain) for gain in gains), default=1) > 1e-9:
        assert rule.should_stop(tally) == all(gain <= 0 for gain in gains)


@given(
    votes=counts,
    remaining=st.integers(0, 6),
    weights=st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3)),
)
def test_a_leader_stays_as_the_fitted_model_says(
    votes: list[int], remaining: int, weights: tuple[float, float, float]
) -> None:
    bias, evidence, lead = weights
    rule = _core.LearnedStop(confidence=0.5, bias=bias, evidence=evidence, lead=lead)
    tally = _core.Tally.of(votes, planned=sum(votes) + remaining)
    expected = reference.stays(votes, remaining, bias=bias, evidence=evidence, lead=lead)
    assert rule.stays(tally) == pytest.approx(expected, abs=1e-9)
    assert rule.stays(_core.Tally.of(votes)) == 0.0
