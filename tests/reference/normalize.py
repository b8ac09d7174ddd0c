"""What a written number is worth, by regular expressions and `fractions.Fraction`."""

from __future__ import annotations

import re
from fractions import Fraction

_DECIMAL = r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")


def number(text: str) -> Fraction | None:
    """[-] decimal [%], decimal/decimal, \\frac{a}{b}, or a whole and a proper fraction; else None."""
    text = text.strip()
    if text.startswith("-"):
        value = number(text[1:]) if not text[1:].startswith("-") else None
        return None if value is None else -value
    if text.endswith("%"):
        value = number(text[:-1].removesuffix("\\"))
        return None if value is None else value / 100
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if re.fullmatch(_DECIMAL, text):
        return Fraction(text)
    if match := re.fullmatch(rf"({_DECIMAL})/({_DECIMAL})", text):
        return _ratio(match[1], match[2])
    if match := re.fullmatch(r"\\frac\{(-?\d+)\}\{(-?\d+)\}", text):
        return _ratio(match[1], match[2])
    if match := re.fullmatch(r"(\d+) (\d+)/(\d+)|(\d+)\\frac\{(\d+)\}\{(\d+)\}", text):
        whole, above, below = (part for part in match.groups() if part is not None)
        part = _ratio(above, below)
        return None if part is None or part >= 1 else Fraction(whole) + part
    return None


def _ratio(above: str, below: str) -> Fraction | None:
    return None if Fraction(below) == 0 else Fraction(above) / Fraction(below)


def key(value: Fraction) -> str:
    """The canonical key of a number."""
    return f"n:{value}"
