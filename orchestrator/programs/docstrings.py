"""What docstrings say of parts and of their parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache

__all__ = ["about", "said_of", "summary"]

HEADINGS = ("Args:", "Attributes:")
"""What stands above a list of parameters."""

ENTRY = re.compile(r" {4}(?P<names>\w+(?:, \w+)*): (?P<said>.*)")
"""The first line of what is said of a parameter, or of several."""


def summary(part: type) -> str:
    """The first paragraph of a class's description, on one line."""
    return " ".join((inspect.getdoc(part) or "").partition("\n\n")[0].split())


def about(part: type) -> str:
    """A class's description without its first paragraph and without lists of parameters."""
    text, _ = _parted(inspect.getdoc(part) or "")
    return text.partition("\n\n")[2]


@cache
def said_of(part: type) -> Mapping[str, str]:
    """What is said of a class's parameters, by their names, in lines; its own words before inherited ones."""
    found: dict[str, str] = {}
    for cls in part.__mro__:
        _, own = _parted(inspect.cleandoc(cls.__doc__ or ""))
        found = own | found
    return found


def _parted(text: str) -> tuple[str, dict[str, str]]:
    """A docstring without its lists of parameters, and what these say."""
    kept: list[str] = []
    said: dict[str, list[str]] = {}
    names: list[str] = []
    listing = False
    for line in text.splitlines():
        listing = line in HEADINGS or (listing and (not line or line.startswith(" ")))
        if not listing:
            kept.append(line)
        elif entry := ENTRY.fullmatch(line):
            names = entry["names"].split(", ")
            said |= {name: [entry["said"]] for name in names}
        elif line.startswith(" " * 5):
            for name in names:
                said[name].append(line.strip())
    return "\n".join(kept).strip(), {name: "\n".join(lines) for name, lines in said.items()}
