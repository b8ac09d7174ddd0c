"""Rounds of more calls than can be prepared are refused when a program is made, before its first steps are paid."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.asking import MOST_CALLS
from orchestrator.errors import InvalidInputError
from orchestrator.primitives import Sample
from orchestrator.strategies import Adaptive, BestOfN, ConfidenceStop, SelfConsistency, TestAndRepair
from orchestrator.verifiers import GeneratedTests, Judge, Regex, StateValue, StateVote

CHECK = Regex(pattern="a")

TOO_MANY = [
    (Sample, {}, "n"),
    (SelfConsistency, {}, "n"),
    (BestOfN, {"verifier": CHECK}, "n"),
    (TestAndRepair, {"verifier": CHECK}, "n"),
    (ConfidenceStop, {"n": 100_000}, "warmup"),
    (ConfidenceStop, {"online": False}, "n"),
    (Adaptive, {"n": 15_000}, "start"),
    (GeneratedTests, {}, "n"),
    (Judge, {"temperature": 1.0}, "samples"),
    (StateValue, {}, "votes"),
    (StateVote, {}, "votes"),
]


@pytest.mark.parametrize(("kind", "given", "name"), TOO_MANY)
def test_a_round_has_at_most_so_many_calls(kind, given, name):
    assert getattr(kind(**given, **{name: MOST_CALLS}), name) == MOST_CALLS
    with pytest.raises(
        InvalidInputError, match=rf"^{name}=10001 asks for more than 10,000 calls in one round"
    ):
        kind(**given, **{name: MOST_CALLS + 1})


@pytest.mark.parametrize(
    ("kind", "given"), [(Sample, {}), (SelfConsistency, {}), (BestOfN, {"verifier": CHECK})]
)
def test_several_samples_in_a_call_make_room_for_more(kind, given):
    assert kind(n=30_000, per_call=3, **given).most_calls == MOST_CALLS
    with pytest.raises(InvalidInputError, match=r"^n=30001 asks for more than 10,000 calls in one round"):
        kind(n=30_001, per_call=3, **given)


def test_samples_that_are_watched_one_by_one_are_no_round():
    assert ConfidenceStop(n=50_000).most_calls == 50_000


def largest_round(n, start, factor):
    """The docstring's formula: min(n, floor(start * factor^i)) samples after round i, one more at least."""
    sizes = [0, start]
    while sizes[-1] < n:
        sizes.append(max(sizes[-1] + 1, int(min(n, start * factor ** (len(sizes) - 1)))))
    return max(later - earlier for earlier, later in pairwise(sizes))


@given(st.integers(MOST_CALLS + 1, 10**6), st.integers(1, 12_000), st.floats(1.01, 50.0))
def test_rounds_that_grow_are_refused_where_one_of_them_is_too_large(n, start, factor):
    largest = largest_round(n, min(start, n), factor)
    try:
        made = Adaptive(n=n, start=min(start, n), factor=factor)
    except InvalidInputError:
        assert largest > MOST_CALLS
    else:
        assert made.calls_at_once == largest <= MOST_CALLS


def test_a_number_out_of_all_range_is_refused_at_once():
    with pytest.raises(InvalidInputError, match="n must be at most"):
        Adaptive(n=10**400, factor=1.0000001)
