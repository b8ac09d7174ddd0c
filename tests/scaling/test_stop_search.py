from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import numpy as np
import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.scaling import Recording, choose_stop, fit_stop, replay
from orchestrator.scaling.stop_search import _leads, _logistic, _observations
from orchestrator.stopping import BetaStop, FixedSize, LeadStop, LearnedStop, Tally


def recorded(problems: int = 200, n: int = 12, seed: int = 0) -> Recording:
    """Half of the problems are clear (nine samples of ten agree), half are a lottery among three answers."""
    rng = random.Random(seed)
    rows = []
    for number in range(problems):
        clear = number % 2 == 0
        rows.append([0 if clear and rng.random() < 0.9 else rng.randrange(1, 4) for _ in range(n)])
    return Recording.from_arrays(rows, [[int(cluster == 0) for cluster in row] for row in rows])


def test_leads_are_those_of_a_tally() -> None:
    draws = np.array([[2, -1, 5, 5, 2, 5], [-1, -1, 3, 2, 2, 3], [-1, -1, -1, -1, -1, -1]])
    leaders, first, second, lead = _leads(draws)
    for row, column in itertools.product(range(3), range(6)):
        seen = [int(cluster) for cluster in draws[row, : column + 1]]
        names = list(dict.fromkeys(cluster for cluster in seen if cluster >= 0))
        tally = Tally.of_clusters([None if cluster < 0 else names.index(cluster) for cluster in seen])
        expected = -1 if tally.leader is None else names[tally.leader]
        assert (leaders[row, column], first[row, column], second[row, column]) == (
            expected,
            tally.first,
            tally.second,
        )
        if tally.leader is not None:
            for more in range(7):
                safe = LeadStop().should_stop(Tally.of(tally.counts, planned=sum(tally.counts) + more))
                assert (lead[row, column] >= more) == (safe is not None)


def test_a_lead_that_is_safe_by_having_been_seen_first_teaches_nothing() -> None:
    # Of two samples the second can only draw level with the first; of three, two can overtake it.
    rng = np.random.default_rng(0)
    assert [len(_observations(np.array([7, 7, 7]), planned, 4, rng)[1]) for planned in (2, 3)] == [0, 4]


def test_the_fit_is_where_the_penalised_likelihood_is_flat() -> None:
    rng = np.random.default_rng(0)
    features = np.column_stack([np.ones(500), rng.exponential(size=500), rng.normal(size=500)])
    outcomes = (rng.random(500) < 1 / (1 + np.exp(1 - features @ [0, 1.5, 2]))).astype(float)
    weights = np.array(_logistic(features, outcomes))
    probabilities = 1 / (1 + np.exp(-features @ weights))
    assert np.abs(features.T @ (outcomes - probabilities) - weights).max() < 1e-8
    assert weights == pytest.approx([-1, 1.5, 2], abs=0.5)


def test_leaders_that_always_stay_give_finite_weights() -> None:
    sure = Recording.from_arrays([[0] * 6] * 5, [[1] * 6] * 5)
    rule = fit_stop(sure, confidence=0.9)
    assert all(math.isfinite(weight) for weight in (rule.bias, rule.evidence, rule.lead))
    assert rule.stays(Tally.of([2], planned=6)) > 0.9


def test_the_model_says_how_often_leaders_stay() -> None:
    recording = recorded()
    rule = fit_stop(recording, seed=1)
    said, stayed = [], []
    rng = random.Random(5)
    for problem in recording.problems:
        order = [int(cluster) for cluster in problem.clusters]  # type: ignore[union-attr]
        rng.shuffle(order)
        ids = list(map(list(dict.fromkeys(order)).index, order))
        last = Tally.of_clusters(ids)
        for size in range(1, 12):
            tally = Tally.of_clusters(ids[:size], planned=12)
            said.append(rule.stays(tally))
            stayed.append(tally.leader == last.leader)
    assert np.mean(said) == pytest.approx(np.mean(stayed), abs=0.03)
    for low, high in ((0.3, 0.7), (0.7, 0.95)):
        inside = [(s, k) for s, k in zip(said, stayed, strict=True) if low <= s < high]
        assert np.mean([s for s, _ in inside]) == pytest.approx(np.mean([k for _, k in inside]), abs=0.1)


def test_the_cheapest_rule_that_loses_little_is_chosen() -> None:
    recording = recorded()
    rules = [BetaStop(confidence=c) for c in (0.7, 0.8, 0.9, 0.99)]
    choice = choose_stop(recording, rules, max_loss=0.01, resamples=50, seed=3)
    for rule, result in choice.candidates:
        again = replay(recording, stop=rule, resamples=50, seed=3)
        assert result.accuracy == again.accuracy
        allowed = result.accuracy >= choice.full.accuracy - 0.01
        assert not (allowed and result.samples < choice.chosen.samples)
    assert choice.chosen.accuracy >= choice.full.accuracy - 0.01
    assert choice.chosen.samples < choice.full.samples


def test_all_samples_are_taken_when_every_rule_loses_too_much() -> None:
    choice = choose_stop(recorded(), [BetaStop(confidence=0.6)], max_loss=0.0, resamples=50)
    assert choice.rule == FixedSize()
    assert choice.chosen.samples == 12


def test_a_learned_rule_beats_adaptive_consistency_on_problems_it_has_not_seen() -> None:
    first, second = recorded(problems=400, seed=2).split(seed=0)
    fitted = fit_stop(first)
    rules = [replace(fitted, confidence=c) for c in (0.8, 0.9, 0.95, 0.98)]
    rule = choose_stop(first, rules, max_loss=0.005, resamples=50).rule
    ours, theirs, full = (
        replay(second, stop=stop, resamples=50) for stop in (rule, BetaStop(confidence=0.95), None)
    )
    assert ours.samples < 0.8 * theirs.samples
    assert ours.accuracy > full.accuracy - 0.01


def test_nothing_can_be_learned_where_no_lead_is_open() -> None:
    with pytest.raises(InvalidInputError, match="nothing to learn"):
        fit_stop(Recording.from_arrays([[-1, -1, -1]], [[0, 0, 0]]))
    with pytest.raises(InvalidInputError, match="n must be"):
        fit_stop(recorded(), n=13)
    with pytest.raises(InvalidInputError, match="max_loss"):
        choose_stop(recorded(), [LeadStop()], max_loss=-0.1)


def test_the_fit_sees_what_the_rule_asks_about() -> None:
    # Six equal samples: after the first and after the second five and four others could still overtake.
    features, _ = _observations(np.array([7] * 6), 6, 1, np.random.default_rng(0))
    rule = LearnedStop(confidence=0.5, bias=0.1, evidence=0.2, lead=0.3)
    stays = 1 / (1 + np.exp(-features @ [0.1, 0.2, 0.3]))
    assert stays == pytest.approx([rule.stays(Tally.of([seen], planned=6)) for seen in (1, 2)], abs=1e-12)


def test_a_rule_that_loses_a_little_more_than_allowed_is_not_chosen() -> None:
    recording = recorded()
    hasty = FixedSize() | BetaStop(confidence=0.6)
    ((_, result),) = choose_stop(recording, [hasty], max_loss=1, resamples=20).candidates
    loss = replay(recording, resamples=20).accuracy - result.accuracy
    assert choose_stop(recording, [hasty], max_loss=loss * 1.01, resamples=20).rule == hasty
    assert choose_stop(recording, [hasty], max_loss=loss * 0.9, resamples=20).rule == FixedSize()
