"""What models cost: the user's own table first, then the `genai-prices` package when it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, TypeAlias

from .errors import InvalidInputError
from .types import PICODOLLARS_PER_USD, Price

__all__ = ["LARGEST", "Money", "parse_price", "price_of", "to_picodollars"]

Money: TypeAlias = int | float | str | Decimal
"""US dollars as people write them; `0.1` is read as one tenth exactly."""

LARGEST = 2**63 - 1
"""The largest amount the ledger adds up: 9.2e18 tokens, or 9.2 million US dollars in picodollars."""

MILLION = 1_000_000


def to_picodollars(value: Money, *, name: str, per: int = 1, round_up: bool = False) -> int:
    """Whole picodollars for `value` US dollars per `per` units, without a float in between.

    Args:
        value: US dollars, at least 0 and finite.
        name: What to call it in an error.
        per: Units that `value` is the price of, e.g. 1,000,000 for a price per million tokens.
        round_up: What to do with a fraction of a picodollar: drop it (limits) or count it as one (prices).

    Raises:
        InvalidInputError: Not a number, negative, not finite, or beyond 9.2 million dollars.
    """
    most = LARGEST // PICODOLLARS_PER_USD
    try:
        amount = Decimal("nan") if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or not 0 <= amount <= most:
        raise InvalidInputError(f"{name} must be US dollars from 0 to {most:,}, got {value!r}")
    numerator, denominator = amount.as_integer_ratio()
    whole, rest = divmod(numerator * PICODOLLARS_PER_USD, denominator * per)
    return whole + (1 if rest and round_up else 0)


def parse_price(table: Mapping[str, Money | None]) -> Price:
    """A price as people write it: US dollars per million tokens, and per request.

    Args:
        table: `input` and `output` are required (0 for a local model); `cached_input` (None: like `input`)
            and `request` are optional. A fraction of a picodollar a token counts as a whole one.

    Raises:
        InvalidInputError: A key that is unknown or missing, or a value that is negative or not finite.
    """
    known = ("input", "output", "cached_input", "request")
    if unknown := [key for key in table if key not in known]:
        raise InvalidInputError(f"price: unknown key {unknown[0]!r}; expected {', '.join(known)}")
    amounts = {key: value for key, value in table.items() if value is not None}
    if missing := [key for key in ("input", "output") if key not in amounts]:
        raise InvalidInputError(
            f"price: {missing[0]!r} is missing in {dict(table)!r} (US dollars per million tokens, 0 if free)"
        )
    picodollars = {
        key: to_picodollars(
            value, name=f"price: {key}", per=1 if key == "request" else MILLION, round_up=True
        )
        for key, value in amounts.items()
    }
    return Price(**picodollars)


def price_of(model: str, *, table: Mapping[str, Mapping[str, Money | None]] | None = None) -> Price | None:
    """What `model` costs, or None when nobody says.

    Args:
        model: The model's name as the endpoint knows it.
        table: The user's prices by model name, each as `parse_price` takes it. Comes first.

    Where `genai-prices` knows tiers, or prices that change with the hour, the dearest one of today and
    tomorrow (UTC) is taken: money is held by this price, and a hold must not fall short.

    Raises:
        InvalidInputError: The model's entry in `table` is not a price.
    """
    if table is not None and model in table:
        return parse_price(table[model])
    return _bundled_price(model, datetime.now(tz=UTC).toordinal())


@lru_cache(maxsize=1024)
def _bundled_price(model: str, day: int) -> Price | None:
    """From `genai-prices`; `day` is there to look again when it changes."""
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    start = datetime.fromordinal(day).replace(tzinfo=UTC)
    try:
        quotes = [
            calc_price(Usage(), model, genai_request_timestamp=start + timedelta(hours=hour)).model_price
            for hour in range(48)
        ]
    except LookupError:
        return None
    if any(quote.input_mtok is None or quote.output_mtok is None for quote in quotes):
        return None
    return parse_price(
        {
            "input": max(_dearest(quote.input_mtok) for quote in quotes),
            "output": max(_dearest(quote.output_mtok) for quote in quotes),
            "cached_input": max(
                _dearest(quote.input_mtok if quote.cache_read_mtok is None else quote.cache_read_mtok)
                for quote in quotes
            ),
            "request": max(_dearest(quote.requests_kcount or Decimal(0)) for quote in quotes) / 1000,
        }
    )


def _dearest(price: Any) -> Decimal:
    """The highest of a tiered price, or the price itself."""
    tiers = getattr(price, "tiers", ())
    steps: list[Decimal] = [getattr(price, "base", price), *(tier.price for tier in tiers)]
    return max(steps)
