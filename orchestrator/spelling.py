"""Words that were meant by words that nobody knows, and names as files write them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

__all__ = ["did_you_mean", "snake_case"]

LONGEST_WORD = 100
"""Characters of a word that are compared."""

LOOK_ALIKES = dict(
    zip(
        "аеорсухіјѕһԁԛԝѵкмтвнАВЕКМНОРСТХІЈЅοανρτυικεγχсΑΒΕΖΗΙΚΜΝΟΡΤΥΧıɡɑʟ",
        "aeopcyxijshdqwvkmtbhABEKMHOPCTXIJSoavptuikeyxcABEZHIKMNOPTYXigal",
        strict=True,
    )
)
"""Letters of other alphabets, and the ASCII letters that look like them."""


def did_you_mean(given: str, known: Iterable[str]) -> str | None:
    """A hint with the closest known word, or None; a letter of another alphabet that only looks right is named."""
    words = list(known)
    plain = "".join(_plain(letter) for letter in given[:LONGEST_WORD])
    if plain != given and plain in words:
        strange = next(letter for letter in given if _plain(letter) != letter)
        return f"{_named(strange)} in it only looks right: write `{plain}`"
    close = difflib.get_close_matches(plain.lower(), words, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None


def _plain(letter: str) -> str:
    """The ASCII letter that `letter` looks like; nothing for one that is not seen."""
    if letter.isascii():
        return letter
    if unicodedata.category(letter) in ("Cf", "Mn", "Me"):
        return ""
    parts = unicodedata.normalize("NFKD", letter)
    return parts[0] if parts[0].isascii() else LOOK_ALIKES.get(letter, letter)


def _named(letter: str) -> str:
    name = unicodedata.name(letter, "").capitalize() or "a character"
    seen = letter if letter.isprintable() else ""
    return f"{name} {seen}".rstrip() + f" (U+{ord(letter):04X})"


def snake_case(name: str) -> str:
    """A class's name as files write it: `BestOfN` is `best_of_n`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
