"""Estimators against every way to draw the samples."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference import estimators as reference

from orchestrator.errors import InvalidInputError
from orchestrator.scaling import Estimate, best_of_k, coverage, maj_at_k, pass_at_k

answers = st.lists(st.tuples(st.none() | st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=8)


def test_pass_at_k_is_the_chance_that_k_of_n_hold_a_correct_one():
    assert pass_at_k(10, 3, 1) == pytest.approx(0.3, abs=1e-15)
    assert pass_at_k(3, 1, 2) == pytest.approx(2 / 3, abs=1e-15)
    assert pass_at_k(5, 0, 5) == 0.0
    assert isinstance(pass_at_k(5, 2, 3), float)


def test_pass_at_k_takes_arrays():
    table = pass_at_k(10, np.array([0, 5, 10]), np.array([[1], [2]]))
    assert np.allclose(table, [[0, 0.5, 1], [0, 1 - 10 / 45, 1]], atol=1e-15)


@given(n=st.integers(1, 60), data=st.data())
def test_pass_at_k_agrees_with_whole_numbers(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    assert pass_at_k(n, c, k) == pytest.approx(float(reference.pass_at_k(n, c, k)), rel=1e-12, abs=0)


@pytest.mark.parametrize(("c", "k"), [(1, 1), (3, 1000), (999_990, 9), (500_000, 400_000), (10, 999_000)])
def test_pass_at_k_keeps_its_digits_for_a_million_samples(c, k):
    expected = float(reference.pass_at_k(10**6, c, k)) if min(c, k) < 2000 else 1.0
    assert pass_at_k(10**6, c, k) == pytest.approx(expected, rel=1e-10, abs=0)


@pytest.mark.parametrize(
    ("n", "c", "k", "said"),
    [
        (5, 1, 6, "k must be"),
        (5, 6, 1, "c = 6"),
        (5, 1, 0, "k must be"),
        (-1, 0, 1, "n must"),
        (5, 0.5, 1, "c must"),
    ],
)
def test_pass_at_k_says_which_argument_cannot_be(n, c, k, said):
    with pytest.raises(InvalidInputError, match=said):
        pass_at_k(n, c, k)


def test_coverage_is_the_mean_of_pass_at_k_over_problems():
    assert coverage(10, [0, 5], 1) == pytest.approx(0.25)
    assert coverage([10, 4], [5, 4], [1, 2]) == pytest.approx([0.75, (1 - 10 / 45 + 1) / 2])
    with pytest.raises(InvalidInputError, match="at least 1 problem"):
        coverage(10, [], 1)


def test_a_vote_of_two_of_three_shares_its_ties():
    # {a, a} is right; {a, b} is a tie, twice.
    estimate = maj_at_k([0, 0, 1], {0: 1, 1: 0}, 2)
    assert estimate == pytest.approx(2 / 3)
    assert (estimate.method, estimate.standard_error) == ("exact", 0)


def test_abstentions_do_not_vote_and_a_draw_of_nothing_else_is_wrong():
    assert maj_at_k([0, None, None], {0: 1.0}, 1) == pytest.approx(1 / 3)
    assert maj_at_k([0, None, None], {0: 1.0}, 2) == pytest.approx(2 / 3)
    assert maj_at_k([None], [1], 1) == 0


@given(samples=answers, data=st.data())
def test_a_vote_agrees_with_every_way_to_draw_it(samples, data):
    clusters, correct = zip(*samples, strict=True)
    k = data.draw(st.integers(1, len(samples)))
    expected = float(reference.maj_at_k(clusters, correct, k))
    assert maj_at_k(clusters, correct, k, method="exact") == pytest.approx(expected, abs=1e-12)


@settings(max_examples=25)
@given(
    samples=st.lists(
        st.tuples(st.none() | st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=5
    ),
    data=st.data(),
)
def test_simulated_votes_are_near_every_order_of_every_draw(samples, data):
    clusters, correct, weights = zip(*samples, strict=True)
    k = data.draw(st.integers(1, len(samples)))
    expected = float(reference.weighted_maj_at_k(clusters, correct, weights, k))
    estimate = maj_at_k(clusters, correct, k, weights=weights, resamples=4000)
    assert estimate.method == "monte_carlo"
    assert abs(estimate - expected) < 5 * np.sqrt(0.25 / 4000)
    plain = maj_at_k(clusters, correct, k, method="monte_carlo", resamples=4000)
    assert abs(plain - maj_at_k(clusters, correct, k)) < 5 * np.sqrt(0.25 / 4000)


def test_a_large_vote_is_exact_and_agrees_with_its_simulation():
    clusters = np.repeat(np.arange(12), [60, 50, 40, 30, 20, 16, 10, 10, 8, 6, 4, 2])
    correct = (clusters == 1).astype(float)
    exact = maj_at_k(clusters, correct, 100)
    simulated = maj_at_k(clusters, correct, 100, method="monte_carlo")
    assert exact.method == "exact"
    assert abs(exact - simulated) < 5 * simulated.standard_error


def test_a_vote_that_is_too_large_to_enumerate_is_simulated_and_says_so():
    clusters = np.arange(6000) % 60
    estimate = maj_at_k(clusters, (clusters == 0).astype(float), 3000, resamples=50)
    assert estimate.method == "monte_carlo"
    assert 0 <= estimate.standard_error < 0.05


def test_the_best_of_two_leaves_out_the_best_score_once_in_three():
    assert best_of_k([0.1, 0.9, 0.5], [1, 0, 1], 2) == pytest.approx(1 / 3)


@given(
    samples=st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 1)), min_size=1, max_size=8), data=st.data()
)
def test_the_best_scored_agrees_with_every_way_to_draw_it(samples, data):
    scores, correct = zip(*samples, strict=True)
    k = data.draw(st.integers(1, len(samples)))
    expected = float(reference.best_of_k(scores, correct, k))
    assert best_of_k(scores, correct, k) == pytest.approx(expected, abs=1e-12)


def test_weighted_best_of_n_is_the_weighted_vote():
    clusters, correct, scores = [0, 0, 1], [1, 1, 0], [0.3, 0.3, 0.5]
    assert best_of_k(scores, correct, 3) == 0
    weighted = best_of_k(scores, correct, 3, clusters=clusters)
    assert weighted == maj_at_k(clusters, correct, 3, weights=scores) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: maj_at_k([0, 1], [1], 1),
        lambda: maj_at_k([0, 1], [1, 2], 1),
        lambda: maj_at_k([0, 1], [1, 0], 3),
        lambda: maj_at_k([0, 1], [1, 0], 0),
        lambda: maj_at_k([0, 1], {0: 1}, 1),
        lambda: maj_at_k([0, -2], [1, 0], 1),
        lambda: maj_at_k([0.5, 1], [1, 0], 1),
        lambda: maj_at_k([], [], 1),
        lambda: maj_at_k([0], [1], 1, weights=[-1.0]),
        lambda: maj_at_k([0], [1], 1, weights=[1.0], method="exact"),
        lambda: maj_at_k([0], [1], 1, method="best"),
        lambda: best_of_k([1.0, float("nan")], [1, 0], 1),
        lambda: best_of_k([1.0], [1, 0], 1),
        lambda: best_of_k([1.0], [1], 2),
    ],
)
def test_what_cannot_be_estimated_is_refused(wrong: Any):
    with pytest.raises(InvalidInputError):
        wrong()


@given(value=st.floats(0, 1), error=st.floats(0, 1))
def test_an_estimate_is_a_number_and_survives_pickling(value, error):
    assume(error > 0)
    estimate = Estimate(value, standard_error=error, exact=False)
    copy = pickle.loads(pickle.dumps(estimate))
    assert copy == estimate == value
    assert (copy.standard_error, copy.method) == (error, "monte_carlo")
