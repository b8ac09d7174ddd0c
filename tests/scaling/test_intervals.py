"""Intervals: figures that can be checked by hand, and how often they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import bootstrap as reference

from orchestrator.errors import InvalidInputError
from orchestrator.scaling import (
    Interval,
    bootstrap_interval,
    coverage,
    hierarchical_bootstrap,
    wilson_interval,
)


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_wilson_has_its_textbook_values():
    assert ends(wilson_interval(8, 10)) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert ends(wilson_interval(0, 10)) == pytest.approx((0, 0.2775), abs=1e-4)
    assert ends(wilson_interval(10, 10)) == pytest.approx((0.7225, 1), abs=1e-4)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5, 0.9])
def test_wilson_holds_about_as_often_as_it_says(p):
    n, held = 50, 0.0
    for successes in range(n + 1):
        low, high = ends(wilson_interval(successes, n))
        held += math.comb(n, successes) * p**successes * (1 - p) ** (n - successes) * (low <= p <= high)
    assert 0.92 <= held <= 0.985


def test_the_bootstrap_of_a_mean_is_about_two_standard_errors_wide():
    values = np.random.default_rng(2).normal(size=400)
    interval = bootstrap_interval(values)
    error = values.std(ddof=1) / 20
    assert interval.value == pytest.approx(values.mean())
    assert ends(interval) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.01
    )


def test_equal_values_leave_no_doubt():
    assert ends(bootstrap_interval([0.5] * 7)) == (0.5, 0.5)
    assert ends(hierarchical_bootstrap([[1, 1], [1, 1, 1]], k=2)) == (1, 1)


def test_the_figure_is_the_mean_over_problems_or_pass_at_k():
    samples = [[1, 0, 0], [1, 1, 0, 0]]
    assert hierarchical_bootstrap(samples).value == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert hierarchical_bootstrap(samples, k=2).value == pytest.approx(coverage([3, 4], [1, 2], 2))


def test_each_level_draws_only_its_own():
    same_problems = [[0, 1] * 5] * 20
    assert ends(hierarchical_bootstrap(same_problems, level="problems")) == (0.5, 0.5)
    sure_samples = [[0] * 5] * 10 + [[1] * 5] * 10
    assert ends(hierarchical_bootstrap(sure_samples, level="samples")) == (0.5, 0.5)
    low, high = ends(hierarchical_bootstrap(sure_samples, level="both"))
    assert low < 0.35
    assert high > 0.65


def test_the_same_seed_gives_the_same_interval_on_any_number_of_threads():
    samples = np.random.default_rng(3).integers(0, 2, size=(30, 8))
    runs = [hierarchical_bootstrap(samples, k=3, seed=5, threads=threads) for threads in (1, 4)]
    assert runs[0] == runs[1] != hierarchical_bootstrap(samples, k=3, seed=6)


@settings(max_examples=40)
@given(data=st.data(), level=st.sampled_from(["problems", "samples", "both"]), seed=st.integers(0, 2**64 - 1))
def test_resamples_are_the_ones_they_are_defined_as(data, level, seed):
    k = data.draw(st.integers(1, 3))
    samples = data.draw(st.lists(st.lists(st.integers(0, 1), min_size=k, max_size=6), min_size=1, max_size=4))
    levels = {"problems": level != "samples", "within": level != "problems"}
    drawn = reference.means(samples, k, **levels, resamples=12, seed=seed)
    shift = figure(samples, k) - np.mean(drawn) if k > 1 else 0.0
    low, high = np.quantile(drawn, [0.1, 0.9]) + shift
    interval = hierarchical_bootstrap(samples, k=k, level=level, confidence=0.8, resamples=12, seed=seed)
    assert interval.value == pytest.approx(figure(samples, k), abs=1e-12)
    assert ends(interval) == pytest.approx((max(low, 0), min(high, 1)), abs=1e-12)


def figure(samples: list[list[int]], k: int) -> float:
    return reference.mean([reference.figure(values, k) for values in samples])


def held(level: str, k: int, *, problems: int, n: int, rounds: int, resamples: int) -> float:
    """How often a 95 % interval holds the truth, each problem's accuracy drawn from Beta(1, 2)."""
    random = np.random.default_rng(4)
    # The mean of 1 - (1 - p)^k is 1 - 2 / (2 + k) for p ~ Beta(1, 2).
    everywhere = 1 - 2 / (2 + k)
    fixed = random.beta(1, 2, size=problems)
    hits = 0
    for round in range(rounds):
        chances = fixed if level == "samples" else random.beta(1, 2, size=problems)
        truth = np.mean(1 - (1 - fixed) ** k) if level == "samples" else everywhere
        samples = random.random((problems, n)) < chances[:, np.newaxis]
        interval = hierarchical_bootstrap(
            samples.astype(float), k=k, level=level, resamples=resamples, seed=round
        )
        hits += interval.low <= truth <= interval.high
    return hits / rounds


@pytest.mark.parametrize("level", ["problems", "samples", "both"])
@pytest.mark.parametrize("k", [1, 4])
def test_bootstrap_intervals_hold_about_as_often_as_they_say(level, k):
    assert held(level, k, problems=60, n=20, rounds=150, resamples=300) >= 0.89


@pytest.mark.soak
@pytest.mark.parametrize(
    ("level", "k", "least", "most"),
    [
        ("problems", 1, 0.93, 0.96),
        ("problems", 4, 0.925, 0.96),
        ("samples", 1, 0.93, 0.96),
        ("samples", 4, 0.91, 0.965),
        ("both", 1, 0.94, 0.98),
        ("both", 4, 0.935, 0.98),
    ],
)
def test_bootstrap_intervals_hold_within_two_points_of_what_they_say(level, k, least, most):
    assert least <= held(level, k, problems=100, n=20, rounds=600, resamples=300) <= most


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: wilson_interval(3, 2),
        lambda: wilson_interval(0, 0),
        lambda: wilson_interval(1.5, 2),
        lambda: wilson_interval(1, 2.5),
        lambda: wilson_interval(1, 2, confidence=1),
        lambda: bootstrap_interval([]),
        lambda: bootstrap_interval([[1.0]]),
        lambda: bootstrap_interval([float("inf")]),
        lambda: bootstrap_interval([1.0], resamples=1),
        lambda: bootstrap_interval([1.0], confidence=0),
        lambda: hierarchical_bootstrap([]),
        lambda: hierarchical_bootstrap([[1, 0], []]),
        lambda: hierarchical_bootstrap([[1, 0]], k=3),
        lambda: hierarchical_bootstrap([[0.5, 0]], k=2),
        lambda: hierarchical_bootstrap([[1, 0]], level="neither"),
    ],
)
def test_what_has_no_interval_is_refused(wrong):
    with pytest.raises(InvalidInputError):
        wrong()
