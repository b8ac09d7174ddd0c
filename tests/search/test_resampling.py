"""Resampling: copies in proportion to weights, in expectation exactly, and likewise beside a particle that is kept."""

import math
import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InvalidInputError
from orchestrator.search.resampling import effective_sample_size, resample

SCHEMES = ["systematic", "stratified", "multinomial", "residual"]
SHARES = [0.5, 0.3, 0.15, 0.05]

of_all = pytest.mark.parametrize("scheme", SCHEMES)
weights = st.lists(st.integers(0, 20), min_size=1, max_size=8).filter(any)


class Given(random.Random):
    """A source of randomness that says what it is told to."""

    def __init__(self, *numbers):
        super().__init__(0)
        self.numbers = list(numbers)

    def random(self):
        return self.numbers.pop(0) if self.numbers else super().random()


def copies(found, k):
    counts = Counter(found)
    return [counts[index] for index in range(k)]


def test_the_effective_sample_size_is_one_over_the_sum_of_squared_weights():
    assert effective_sample_size([0.5, 0.5]) == 2
    assert effective_sample_size([3, 1]) == pytest.approx(1 / (9 / 16 + 1 / 16))
    assert effective_sample_size([0, 7, 0]) == 1
    assert effective_sample_size([0.1] * 8) == pytest.approx(8)


def test_systematic_resampling_looks_at_evenly_spaced_points():
    # parts [0, .5) [.5, .8) [.8, .95) [.95, 1); points .1 .35 .6 .85 and .24 .49 .74 .99
    assert resample(SHARES, 4, rng=Given(0.4)) == [0, 0, 1, 2]
    assert resample(SHARES, 4, rng=Given(0.96)) == [0, 0, 1, 3]


def test_stratified_resampling_looks_at_one_point_in_every_stratum():
    assert resample(SHARES, 4, "stratified", rng=Given(0.5, 0.99, 0.1, 0.9)) == [0, 0, 1, 3]


def test_multinomial_resampling_looks_at_points_anywhere():
    assert resample(SHARES, 4, "multinomial", rng=Given(0.96, 0.1, 0.94, 0.2)) == [0, 0, 2, 3]


def test_residual_resampling_gives_whole_copies_outright():
    # 4 w = 2, 1.2, .6, .2: two and one outright, one drawn from .2 .6 .2 in all 1
    assert resample(SHARES, 4, "residual", rng=Given(0.1)) == [0, 0, 1, 1]
    assert resample(SHARES, 4, "residual", rng=Given(0.5)) == [0, 0, 1, 2]
    assert resample(SHARES, 4, "residual", rng=Given(0.9)) == [0, 0, 1, 3]


@given(given=weights, n=st.integers(1, 12), seed=st.integers(0, 1000))
def test_systematic_resampling_is_within_one_of_the_share_and_residual_not_below_it(given, n, seed):
    exact = [Fraction(n * weight, sum(given)) for weight in given]
    found = copies(resample(given, n, rng=random.Random(seed)), len(given))
    assert sum(found) == n
    assert all(math.floor(x) <= count <= math.ceil(x) for x, count in zip(exact, found, strict=True))
    found = copies(resample(given, n, "residual", rng=random.Random(seed)), len(given))
    assert sum(found) == n
    assert all(math.floor(x) <= count for x, count in zip(exact, found, strict=True))


@given(given=weights, n=st.integers(1, 6))
def test_the_mean_of_systematic_resampling_over_its_number_is_the_share_exactly(given, n):
    # All parts end at multiples of 1 / total, so what comes out is constant between multiples of 1 / total in u.
    total = sum(given)
    mean = [0] * len(given)
    for step in range(total):
        for index, count in enumerate(
            copies(resample(given, n, rng=Given((step + 0.5) / total)), len(given))
        ):
            mean[index] += Fraction(count, total)
    assert mean == [Fraction(n * weight, total) for weight in given]


@of_all
def test_every_scheme_gives_the_share_in_expectation(scheme):
    rng, draws, n = random.Random(5), 4000, 5
    total = Counter()
    for _ in range(draws):
        total.update(resample(SHARES, n, scheme, rng=rng))
    for index, share in enumerate(SHARES):
        error = math.sqrt(n * share * (1 - share) / draws)  # multinomial, the others have less
        assert total[index] / draws == pytest.approx(n * share, abs=4 * error)


@given(given=weights.filter(lambda all: all[0] > 0), n=st.integers(1, 5))
def test_beside_a_kept_particle_systematic_resampling_is_what_it_is_where_that_has_a_copy(given, n):
    # P(copies | a copy picked at random is of particle 0) = P(copies) copies[0] / E copies[0], by both ways exactly.
    total = sum(given)
    by_definition, drawn = Counter(), Counter()
    for step in range(total):
        found = tuple(copies(resample(given, n, rng=Given((step + 0.5) / total)), len(given)))
        by_definition[found] += Fraction(found[0], n * given[0])
    fine = n * given[0]  # the part of particle 0 in steps of 1 / (n total)
    for step in range(fine):
        kept, *others = resample(given, n, rng=Given((step + 0.5) / fine), kept=0)
        assert kept == 0
        drawn[tuple(copies([kept, *others], len(given)))] += Fraction(1, fine)
    assert drawn == {found: part for found, part in by_definition.items() if part}


@of_all
def test_beside_a_kept_particle_every_scheme_is_what_it_is_where_that_has_a_copy(scheme):
    rng, draws, n, kept = random.Random(8), 20_000, 3, 2
    by_definition, drawn = Counter(), Counter()
    for _ in range(draws):
        found = tuple(copies(resample(SHARES, n, scheme, rng=rng), 4))
        by_definition[found] += found[kept] / (n * SHARES[kept] * draws)
        first, *others = resample(SHARES, n, scheme, rng=rng, kept=kept)
        assert first == kept
        assert others == sorted(others)
        drawn[tuple(copies([kept, *others], 4))] += 1 / draws
    assert set(by_definition) >= {found for found, part in drawn.items() if part > 0.01}
    for found, part in by_definition.items():
        assert drawn[found] == pytest.approx(part, abs=0.02)


@of_all
@given(given=weights, n=st.integers(1, 12), seed=st.integers(0, 1000))
def test_what_has_no_weight_has_no_copy(scheme, given, n, seed):
    assert all(given[index] > 0 for index in resample(given, n, scheme, rng=random.Random(seed)))


@of_all
def test_a_particle_of_hardly_any_weight_can_be_kept(scheme):
    for seed in range(20):
        found = resample([1e-300, 1.0, 1.0], 4, scheme, rng=random.Random(seed), kept=0)
        assert found[0] == 0
        assert len(found) == 4
        assert 0 not in found[1:]


@pytest.mark.parametrize("wrong", [[], [0.0, 0.0], [1.0, -0.5], [math.nan], [math.inf, 1.0]])
def test_weights_that_are_none_are_refused(wrong):
    with pytest.raises(InvalidInputError, match="weights must be finite"):
        resample(wrong, 2, rng=random.Random(0))


def test_an_unknown_scheme_is_refused():
    with pytest.raises(InvalidInputError, match="resampling must be one of"):
        resample([1.0], 2, "cunning", rng=random.Random(0))
