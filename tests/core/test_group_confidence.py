"""The C++ group arithmetic against its definition in fractions, however the tokens are split into chunks."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import group_confidence as reference

from orchestrator import _core
from orchestrator.confidence import trace_confidence
from orchestrator.errors import InvalidInputError

logprobs = st.floats(-50, 0) | st.sampled_from([-math.inf, 5e-7, -3.4028234663852886e38])
anything = logprobs | st.sampled_from([math.nan, 0.5, math.inf, -1e300])
nats = st.floats(0, 50) | st.sampled_from([0.0, 0.1, 1e38])
texts = st.lists(nats, min_size=1, max_size=40)
windows = st.integers(1, 45)


def close(exact: Fraction) -> object:
    """Within two units in the last place of the exact value."""
    return pytest.approx(float(exact), rel=2**-51, abs=1e-320)


@given(st.lists(st.lists(logprobs, max_size=6), max_size=6))
def test_token_confidences_are_those_of_the_definition(tops: list[list[float]]) -> None:
    for found, top in zip(_core.token_confidences(tops), tops, strict=True):
        exact = reference.token_confidence(top)
        assert found == (None if exact is None else close(exact))


@given(st.lists(anything, max_size=6))
def test_a_token_with_a_number_that_is_no_log_probability_has_none(top: list[float]) -> None:
    [found] = _core.token_confidences([top])
    exact = reference.token_confidence([logprob for logprob in top if logprob != -1e300])
    assert (found is None) == (exact is None or -1e300 in top)


@given(texts, windows)
def test_groups_are_the_windows_of_the_definition(text: list[float], window: int) -> None:
    found = _core.group_confidences(text, window=window)
    assert found == [close(exact) for exact in reference.group_confidences(text, window)]


@given(texts, windows, st.lists(st.integers(0, 40), max_size=8))
def test_chunks_do_not_matter(text: list[float], window: int, cuts: list[int]) -> None:
    whole, chunked = _core.GroupConfidence(window=window), _core.GroupConfidence(window=window)
    whole.feed(text)
    edges = [0, *sorted(cuts), len(text)]
    lowest = []
    for start, end in itertools.pairwise(edges):
        chunked.feed(text[start:end])
        if chunked.full:
            lowest.append(chunked.lowest)
    for name in ("tokens", "full", "current", "lowest", "mean"):
        assert getattr(chunked, name) == getattr(whole, name)
    assert lowest == sorted(lowest, reverse=True)


@given(texts, windows, st.sampled_from(["lowest", "tail", "mean", "bottom"]), st.integers(1, 20))
def test_a_traces_confidence_is_that_of_the_definition(
    text: list[float], window: int, aggregation: str, twentieths: int
) -> None:
    share = Fraction(twentieths, 20)
    found = trace_confidence(text, window=window, aggregation=aggregation, share=float(share))  # type: ignore[arg-type]
    assert found == close(reference.trace_confidence(text, window, aggregation, share))


def test_a_hundred_thousand_tokens_do_not_drift() -> None:
    text = [(i * 7919 % 1013) / 10 for i in range(100_000)]
    groups = _core.GroupConfidence(window=2048)
    for start in range(0, len(text), 777):
        groups.feed(text[start : start + 777])
    last = sum(map(Fraction, text[-2048:])) / 2048
    assert groups.current == close(last)
    assert groups.mean == close(sum(map(Fraction, text)) / len(text))
    assert groups.lowest == min(_core.group_confidences(text, window=2048))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: _core.GroupConfidence(window=0),
        lambda: _core.GroupConfidence(window=2).feed([1.0, -1.0]),
        lambda: _core.GroupConfidence(window=2).feed([math.nan]),
        lambda: _core.group_confidences([], window=2),
        lambda: _core.bottom_confidence([1.0], window=2, share=0.0),
        lambda: trace_confidence([], window=2),
    ],
)
def test_what_cannot_be_is_refused(wrong) -> None:
    with pytest.raises(InvalidInputError):
        wrong()
