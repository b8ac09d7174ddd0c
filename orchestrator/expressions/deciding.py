"""Whether a condition can be true at all, where some of its names are known to be missing."""

from __future__ import annotations

from collections.abc import Set

from .evaluation import compiled
from .tree import Arithmetic, Choice, Comparison, Field, Item, Logical, Name, Negation, Node, walk

__all__ = ["can_hold"]

ORDERINGS = frozenset({"<", "<=", ">", ">="})


def can_hold(node: Node, missing: Set[str]) -> bool:
    """Whether a condition may be true where these names are missing; true where that cannot be told."""
    if _names(node) <= missing:
        return compiled(node)(dict.fromkeys(missing)) is True
    match node:
        case Logical(operator="and", values=values):
            return all(can_hold(one, missing) for one in values)
        case Logical(values=values):
            return any(can_hold(one, missing) for one in values)
        case Choice(then=then, otherwise=otherwise):
            return can_hold(then, missing) or can_hold(otherwise, missing)
        case Comparison(operators=operators, values=values):
            pairs = zip(operators, values, values[1:], strict=False)
            return not any(
                sign in ORDERINGS and (_is_missing(left, missing) or _is_missing(right, missing))
                for sign, left, right in pairs
            )
    return True


def _is_missing(node: Node, missing: Set[str]) -> bool:
    """Whether a value is missing for sure where these names are."""
    if _names(node) <= missing:
        return compiled(node)(dict.fromkeys(missing)) is None
    match node:
        case Field(of=of) | Item(of=of) | Negation(of=of):
            return _is_missing(of, missing)
        case Arithmetic(left=left, right=right):
            return _is_missing(left, missing) or _is_missing(right, missing)
    return False


def _names(node: Node) -> Set[str]:
    return {part.name for part in walk(node) if isinstance(part, Name)}
