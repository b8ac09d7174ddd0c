"""Prices: as people write them, from the user's table, and from genai-prices."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import pricing
from orchestrator.errors import InvalidInputError
from orchestrator.pricing import parse_price, price_of, to_picodollars
from orchestrator.types import Price


def test_a_price_per_million_tokens_is_exact_in_picodollars_per_token() -> None:
    price = parse_price({"input": 0.1, "output": "0.30", "cached_input": Decimal("0.025"), "request": 0.01})
    assert price == Price(input=100_000, output=300_000, cached_input=25_000, request=10_000_000_000)


def test_cached_input_and_request_may_be_left_out() -> None:
    assert parse_price({"input": 0, "output": 0}) == Price(input=0, output=0, cached_input=None, request=0)


def test_a_fraction_of_a_picodollar_counts_as_a_whole_one() -> None:
    assert parse_price({"input": "0.0000015", "output": 0}).input == 2


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"input": 1, "output": 1, "prompt": 1}, "unknown key 'prompt'; expected input, output"),
        ({"input": 1}, "'output' is missing"),
        ({"input": None, "output": 1}, "'input' is missing"),
        ({"input": -0.1, "output": 1}, "price: input must be US dollars from 0 to .*, got -0.1"),
        ({"input": 1, "output": float("nan")}, "price: output .* got nan"),
        ({"input": float("inf"), "output": 1}, "price: input .* got inf"),
        ({"input": "cheap", "output": 1}, "price: input .* got 'cheap'"),
        ({"input": True, "output": 1}, "price: input .* got True"),
    ],
)
def test_a_bad_price_says_which_key_and_value(table: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        parse_price(table)


@given(st.decimals(0, 9_000_000, places=15), st.sampled_from([1, 1000, 1_000_000]))
def test_picodollars_are_the_exact_fraction_rounded_as_asked(value: Decimal, per: int) -> None:
    exact = Fraction(value) * 10**12 / per
    down, up = (to_picodollars(value, name="x", per=per, round_up=round_up) for round_up in (False, True))
    assert down <= exact < down + 1
    assert up - 1 < exact <= up


def test_the_users_table_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pricing, "_bundled_price", lambda model, day: Price(input=1, output=1))
    table = {"gpt-4o-mini": {"input": 7, "output": 8}}
    assert price_of("gpt-4o-mini", table=table) == Price(input=7_000_000, output=8_000_000)
    assert price_of("other", table=table) == Price(input=1, output=1)


def test_a_bad_entry_in_the_users_table_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match="unknown key 'in'"):
        price_of("mine", table={"mine": {"in": 1, "output": 1}})


@pytest.fixture
def genai_prices(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """A stand-in with the package's interface; returns the look-ups made, as model and hour."""
    lookups: list[tuple[str, int]] = []

    def calc_price(usage: object, model: str, *, genai_request_timestamp: Any) -> SimpleNamespace:
        lookups.append((model, genai_request_timestamp.hour))
        if model == "unknown":
            raise LookupError(model)
        night = genai_request_timestamp.hour < 8
        tiers = SimpleNamespace(base=Decimal(1), tiers=[SimpleNamespace(start=200_000, price=Decimal(3))])
        return SimpleNamespace(
            model_price=SimpleNamespace(
                input_mtok=tiers,
                output_mtok=None if model == "embedding" else Decimal(2) if night else Decimal(4),
                cache_read_mtok=Decimal("0.5"),
                requests_kcount=Decimal(5),
            )
        )

    module = ModuleType("genai_prices")
    module.Usage, module.calc_price = object, calc_price  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "genai_prices", module)
    pricing._bundled_price.cache_clear()
    yield lookups
    pricing._bundled_price.cache_clear()


def test_the_dearest_tier_and_hour_is_taken(genai_prices: list[tuple[str, int]]) -> None:
    assert price_of("model") == Price(
        input=3_000_000, output=4_000_000, cached_input=500_000, request=5_000_000_000
    )


def test_a_model_is_looked_up_once(genai_prices: list[tuple[str, int]]) -> None:
    price_of("model")
    first = len(genai_prices)
    price_of("model")
    assert len(genai_prices) == first


def test_a_model_without_a_price_for_its_output_is_not_known(genai_prices: list[tuple[str, int]]) -> None:
    assert price_of("embedding") is None
    assert price_of("unknown") is None


def test_without_genai_prices_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    pricing._bundled_price.cache_clear()
    assert price_of("gpt-4o-mini") is None
    pricing._bundled_price.cache_clear()


def test_the_real_genai_prices_has_the_interface_that_is_used() -> None:
    pytest.importorskip("genai_prices")
    pricing._bundled_price.cache_clear()
    known, unknown = price_of("gpt-4o-mini"), price_of("a-model-nobody-sells")
    assert known is not None
    assert 0 < known.input < known.output
    assert known.cached_input is not None
    assert unknown is None
