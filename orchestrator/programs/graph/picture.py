"""What a picture of a program is made of: boxes in lanes, and groups of lanes inside each other."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Box", "BoxKind", "Group", "GroupKind", "Lane", "Part", "clean", "count", "ends", "shortened"]

BoxKind: TypeAlias = Literal["call", "check", "plain", "start", "end", "exit", "gate"]
"""What a box stands for: calls of a model, a verifier, something without calls, where problems come in, where answers
or failures go out, where the innermost `program` around it is left, and a condition on which the group it stands in
is left."""

GroupKind: TypeAlias = Literal["program", "strategy", "choice", "loop", "each", "parallel", "branch"]
"""How the lanes of a group are gone through: one after the other is `program`, `strategy` has parts beside it,
`choice` takes one lane, `loop` goes through its lane again and again, `each` through it once for each item, side by
side; `parallel` goes through all side by side, and `branch` through its lane under limits of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A step without parts.

    Attributes:
        title: What it is, in a few words.
        notes: Its parameters, a line each.
        kind: What it stands for.
    """

    title: str
    notes: tuple[str, ...] = ()
    kind: BoxKind = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Parts gone through from top to bottom.

    Attributes:
        parts: From the first to the last; none is a way past.
        label: When, or as what, it is gone through.
    """

    parts: tuple[Part, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lanes with a frame around them.

    Attributes:
        title: What it is, in a few words.
        notes: Its parameters, a line each.
        kind: How its lanes are gone through.
        lanes: From left to right.
        leaves: For a loop, the condition on which it is left after a round; empty when only its bound ends it.
    """

    title: str
    notes: tuple[str, ...] = ()
    kind: GroupKind
    lanes: tuple[Lane, ...] = ()
    leaves: str = ""


Part: TypeAlias = Box | Group


def ends(part: Part) -> bool:
    """Whether nothing comes after it in its lane: every way through it ends, or leaves the program it is in."""
    if isinstance(part, Box):
        return part.kind in ("end", "exit")
    inside = [any(ends(one) for one in lane.parts) for lane in part.lanes]
    return part.kind in ("choice", "branch") and bool(inside) and all(inside)


def count(part: Part) -> int:
    """Boxes and groups in a picture."""
    if isinstance(part, Box):
        return 1
    return 1 + sum(count(one) for lane in part.lanes for one in lane.parts)


def clean(text: str) -> str:
    """`text` on one line, without characters that cannot be seen, turn the direction of reading or are no XML."""
    kept = (" " if one.isspace() else "\ufffd" if _hidden(one) else one for one in text)
    return " ".join("".join(kept).split())


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")


def shortened(text: str, most: int) -> str:
    """`text` in at most `most` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "\u2026"
