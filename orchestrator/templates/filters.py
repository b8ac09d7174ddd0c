"""The filters of templates: which arguments each takes, and how long what it makes can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ..expressions import NUMBER_SIZE, Size, longer
from .template import LONGEST_TEXT

__all__ = ["FILTERS", "WIDEST_INDENT", "Filter", "Filtered"]

WIDEST_INDENT = 100
"""Characters of an indent, at most."""

COMMA = 2.0
"""Tokens of a comma with the space after it, at most."""

BYTES_OF_CHARACTER = 4.0
"""Tokens of a character, at most: one for each of its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """What a filter is given.

    Attributes:
        size: How long the value is.
        arguments: How long the arguments are.
        number: The first argument where it is a whole number that is known; else None.
    """

    size: Size
    arguments: Sequence[Size]
    number: int | None

    @property
    def whole(self) -> float:
        """Tokens of the value as a text: a list is put into it with its commas."""
        return self.size.tokens + COMMA * self.size.commas

    def least(self, most: int) -> int:
        """The number given where it is known and below `most`; else `most`."""
        return most if self.number is None else min(max(self.number, 0), most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter of the language.

    Attributes:
        takes: Its arguments.
        required: Whether none can be left out.
        size: How long what it makes can be.
    """

    takes: tuple[str, ...] = ()
    required: bool = False
    size: Callable[[Filtered], Size]


def _item(given: Filtered) -> Size:
    return given.size.item or Size(tokens=given.size.tokens)


def _default(given: Filtered) -> Size:
    return longer(given.size, given.arguments[0])


def _joined(given: Filtered) -> Size:
    between = max(given.size.count - 1, 0)
    inside = given.size.commas - between
    return Size(tokens=given.size.tokens + given.arguments[0].tokens * between + COMMA * inside)


def _number(given: Filtered) -> Size:
    return NUMBER_SIZE


def _truncated(given: Filtered) -> Size:
    return Size(tokens=min(given.whole + 3, BYTES_OF_CHARACTER * given.least(LONGEST_TEXT)))


def _indented(given: Filtered) -> Size:
    # A line has a token at least, and each gets its spaces.
    width = given.least(WIDEST_INDENT) if given.arguments else 4
    return Size(tokens=given.whole * (1 + width))


def _trimmed(given: Filtered) -> Size:
    return Size(tokens=given.whole)


def _unbounded(given: Filtered) -> Size:
    # Another case is cut into other tokens: no bound is known.
    return Size(tokens=math.inf)


FILTERS: Mapping[str, Filter] = MappingProxyType(
    {
        "default": Filter(takes=("text",), required=True, size=_default),
        "first": Filter(size=_item),
        "indent": Filter(takes=("width",), size=_indented),
        "join": Filter(takes=("separator",), required=True, size=_joined),
        "last": Filter(size=_item),
        "length": Filter(size=_number),
        "lower": Filter(size=_unbounded),
        "round": Filter(takes=("digits",), size=_number),
        "trim": Filter(size=_trimmed),
        "truncate": Filter(takes=("length",), required=True, size=_truncated),
        "upper": Filter(size=_unbounded),
    }
)
"""The filters."""
