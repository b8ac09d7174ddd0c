from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import ranking as reference

from orchestrator import _core

Table = list[list[float]]


@st.composite
def tables(draw: st.DrawFn, sizes: st.SearchStrategy[int], symmetric: bool = False) -> Table:
    size = draw(sizes)
    cells = draw(st.lists(st.integers(0, 5), min_size=size * size, max_size=size * size))
    table = [[float(cells[i * size + j]) if i != j else 0.0 for j in range(size)] for i in range(size)]
    return [[table[max(i, j)][min(i, j)] for j in range(size)] for i in range(size)] if symmetric else table


@st.composite
def wins_and_ties(draw: st.DrawFn, largest: int = 4) -> tuple[Table, Table]:
    size = st.just(draw(st.integers(0, largest)))
    return draw(tables(size)), draw(tables(size, symmetric=True))


@given(
    ballots=st.lists(st.lists(st.lists(st.integers(0, 3), max_size=2), max_size=3), max_size=4),
    unranked=st.sampled_from(["last", "ignored"]),
)
def test_ballots_are_compared_pair_by_pair(ballots: list[list[list[int]]], unranked: str) -> None:
    try:
        expected = reference.compare(ballots, 3, unranked)
    except ValueError:
        with pytest.raises(ValueError, match="names item"):
            _core.compare(ballots, items=3, unranked=unranked)
        return
    assert _core.compare(ballots, items=3, unranked=unranked) == expected


@given(ballots=st.lists(st.permutations(range(4)), max_size=5))
def test_borda_counts_the_places_below(ballots: list[list[int]]) -> None:
    counted = _core.compare([[[item] for item in ballot] for ballot in ballots], items=4, unranked="last")
    assert _core.borda(*counted) == reference.borda(ballots, 4)


@given(votes=wins_and_ties())
def test_copeland_counts_contests_won(votes: tuple[Table, Table]) -> None:
    assert _core.copeland(*votes) == reference.copeland(*votes)


@given(votes=wins_and_ties(largest=5))
def test_kemenys_order_is_the_best_of_all_orders(votes: tuple[Table, Table]) -> None:
    assert _core.kemeny(*votes) == reference.kemeny(votes[0])


@given(
    votes=wins_and_ties(),
    prior=st.sampled_from([0.0, 0.01, 0.5]),
    tie_model=st.sampled_from(["half", "rao_kupper"]),
)
def test_no_other_strengths_are_likelier(votes: tuple[Table, Table], prior: float, tie_model: str) -> None:
    wins, ties = votes
    if not reference.has_finite_maximum(wins, ties, prior, tie_model):
        with pytest.raises(ValueError, match=r"prior above 0|all comparisons are ties"):
            _core.bradley_terry(wins, ties, prior=prior, tie_model=tie_model, max_iterations=1000)
        return
    fit = _core.bradley_terry(wins, ties, prior=prior, tie_model=tie_model, max_iterations=1000)
    assert fit.converged
    point = [*fit.log_strengths, math.log(fit.theta)]
    free = len(point) - (fit.theta == 1)

    def value(at: int, by: float) -> float:
        moved = [x + by * (i == at) for i, x in enumerate(point)]
        return reference.log_posterior(wins, ties, moved[:-1], math.exp(moved[-1]), prior, tie_model)

    assert fit.log_likelihood == pytest.approx(
        reference.log_posterior(wins, ties, point[:-1], fit.theta, 0, tie_model)
    )
    for at in range(free):  # the objective is concave: no slope in any direction is its top
        assert (value(at, 1e-5) - value(at, -1e-5)) / 2e-5 == pytest.approx(0, abs=1e-5)


@given(pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9))
def test_agreement_is_counted_over_pairs_and_ranks(pairs: list[tuple[int, int]]) -> None:
    a, b = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    assume(len(set(a)) > 1 and len(set(b)) > 1)
    assert _core.kendall_tau(a, b) == pytest.approx(reference.kendall_tau(a, b))
    assert _core.spearman_rho(a, b) == pytest.approx(reference.spearman_rho(a, b))
