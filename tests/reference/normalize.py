"""What a written number is worth, by regular expressions and `fractions.Fraction`, and how a number is spoken."""

from __future__ import annotations

import re
from fractions import Fraction

_DECIMAL = r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{3})+|(?: \d{3})+|(?:'\d{3})+)(?:\.\d+)?")
_REPEATING = re.compile(r"(\d*)\.(\d*)(?:\\overline\{(\d+)\}|\\bar\{(\d+)\})")


def number(text: str) -> Fraction | None:
    """[-] decimal [%], decimal/decimal, \\frac{a}{b}, a whole and a proper fraction, 0.1\\overline{6}; else None."""
    text = text.strip()
    if text.startswith("-"):
        value = number(text[1:]) if not text[1:].startswith("-") else None
        return None if value is None else -value
    if text.endswith("%"):
        value = number(text[:-1].removesuffix("\\"))
        return None if value is None else value / 100
    if _GROUPED.fullmatch(text):
        text = re.sub("[, ']", "", text)
    if re.fullmatch(_DECIMAL, text):
        return Fraction(text)
    if match := _REPEATING.fullmatch(text):
        return _repeating(match[1], match[2], match[3] or match[4])
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


def _repeating(whole: str, fraction: str, period: str) -> Fraction:
    """The sum of the geometric series."""
    first = Fraction(int(period), 10 ** (len(fraction) + len(period)))
    return Fraction(f"{whole or 0}.{fraction or 0}") + first / (1 - Fraction(1, 10 ** len(period)))


def key(value: Fraction) -> str:
    """The canonical key of a number."""
    return f"n:{value}"


_SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = [
    "_", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
]  # fmt: skip
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def spoken(n: int, *, conjunction: bool = False) -> str:
    """`n`, from 0 to 999,999,999, in English words; `conjunction` says "one hundred and five"."""
    if n < 20:
        return _SMALL[n]
    if n < 100:
        return _TENS[n // 10] + ("" if n % 10 == 0 else f"-{_SMALL[n % 10]}")
    sizes = {"million": 10**6, "thousand": 1000, "hundred": 100}
    unit, size = next((unit, size) for unit, size in sizes.items() if n >= size)
    head, rest = spoken(n // size, conjunction=conjunction), n % size
    if rest == 0:
        return f"{head} {unit}"
    link = " and " if conjunction and rest < 100 else " "
    return f"{head} {unit}{link}{spoken(rest, conjunction=conjunction)}"


def ordinal(n: int) -> str:
    """The ordinal of `n`, from 1 to 999,999, in English words."""
    words = spoken(n)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    last = words[cut:]
    return words[:cut] + (_ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th"))
