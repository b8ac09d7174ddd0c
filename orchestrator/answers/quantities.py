"""What keys of numbers stand for, and when two of them are close."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["as_written", "quantity", "within"]


def quantity(key: str) -> tuple[Fraction, str] | None:
    """The exact number and the unit of a number's key; None for other keys and numbers too long to compute with."""
    if not key.startswith("n:"):
        return None
    value, _, unit = key[2:].partition(" ")
    if "e" in value:  # 7e999999999: kept as a power of ten, and not to be written out
        return None
    try:
        return Fraction(value), unit
    except (ValueError, ZeroDivisionError):  # more digits than Python reads, or a key made by someone else
        return None


def as_written(tolerance: float) -> Fraction:
    """The decimal a tolerance is written as: 0.1 is a tenth, not the double next to it."""
    return Fraction(str(tolerance))


def within(a: Fraction, b: Fraction, *, relative: Fraction, absolute: Fraction = Fraction(0)) -> bool:
    """|a - b| <= max(absolute, relative * max(|a|, |b|)), exactly."""
    return abs(a - b) <= max(absolute, relative * max(abs(a), abs(b)))
