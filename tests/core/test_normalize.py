from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import normalize as reference

from orchestrator import _core

whole = st.integers(0, 10**40)
decimals = st.builds(lambda a, b: f"{a}.{b}", whole, st.text("0123456789", min_size=1, max_size=30))
spellings = st.one_of(
    whole.map(str),
    whole.map(lambda n: f"{n:,}"),
    decimals,
    st.builds(lambda a, e: f"{a}e{e}", decimals, st.integers(-40, 40)),
    st.builds(lambda a, b: f"{a}/{b}", decimals, whole),
    st.builds(
        lambda a, b: f"\\frac{{{a}}}{{{b}}}", st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30)
    ),
    st.builds(lambda w, a, b: f"{w} {a}/{b}", whole, st.integers(0, 99), st.integers(0, 99)),
    st.builds(lambda w, a, b: f"{w}\\frac{{{a}}}{{{b}}}", whole, st.integers(0, 99), st.integers(0, 99)),
)
written = st.builds(
    lambda sign, text, mark: sign + text + mark,
    st.sampled_from(["", "-"]),
    spellings,
    st.sampled_from(["", "%", "\\%"]),
)


@pytest.mark.parametrize("kind", ["number", "math", "auto"])
@given(text=written)
def test_numbers_are_worth_what_the_definition_says(text: str, kind: str) -> None:
    value = reference.number(text)
    key = _core.normalize(text, kind=kind)
    assert key == reference.key(value) if value is not None else not key.startswith("n:")


@given(text=st.text("0123456789.,/-+%e ^x(){}\\frac", max_size=14))
def test_whatever_the_definition_calls_a_number_is_that_number(text: str) -> None:
    value = reference.number(text)
    if value is not None:
        assert _core.normalize(text, kind="math") == reference.key(value)


@given(a=st.fractions(), b=st.fractions())
def test_two_fractions_share_a_key_exactly_when_equal(a: Fraction, b: Fraction) -> None:
    keys = [_core.normalize(str(value), kind="math") for value in (a, b)]
    assert (keys[0] == keys[1]) == (a == b)


@given(text=st.text(), kind=st.sampled_from(["auto", "number", "math", "choice", "text", "code"]))
def test_any_text_gets_a_key_with_a_prefix(text: str, kind: str) -> None:
    assert _core.normalize(text, kind=kind)[:2] in {"n:", "c:", "m:", "t:", "x:"}


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="maths"):
        _core.normalize("5", kind="maths")
