from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import stopping as reference

from orchestrator import _core

counts = st.lists(st.integers(0, 4), max_size=3)


@given(counts=counts, remaining=st.integers(0, 4))
def test_a_lead_is_safe_exactly_when_every_future_keeps_it(counts: list[int], remaining: int) -> None:
    assert _core.lead_is_safe(counts, remaining=remaining) == reference.lead_is_safe(counts, remaining)


@given(first=st.integers(0, 400), second=st.integers(0, 400))
def test_the_posterior_is_the_binomial_tail(first: int, second: int) -> None:
    expected = reference.beta_posterior(max(first, second), min(first, second))
    assert _core.top_two_posterior([first, second]) == pytest.approx(float(expected), abs=1e-11)
    assert _core.top_two_posterior([second, first]) == pytest.approx(float(expected), abs=1e-11)


@given(ids=st.lists(st.none() | st.integers(0, 1), max_size=12), size=st.integers(1, 4))
def test_windows_are_disjoint_and_whole(ids: list[int | None], size: int) -> None:
    assert _core.window_agrees(ids, size=size) == reference.window_agrees(ids, size)
