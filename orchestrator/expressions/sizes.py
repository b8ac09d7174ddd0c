"""How long the value of an expression can be when it is put into a prompt."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .functions import FUNCTIONS
from .tree import (
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Constant,
    Field,
    Item,
    Items,
    Logical,
    Name,
    Negation,
    Node,
    Not,
)
from .types import NUMBER_SIZE, TRUTH_SIZE, Size

__all__ = ["longer", "size_of"]

_UNKNOWN = Size(tokens=math.inf, count=math.inf)


def size_of(node: Node, sizes: Mapping[str, Size]) -> Size:
    """The size of a part's value, from those of the names; no bound where a name's is not known."""
    match node:
        case Constant(value=value):
            return _constant(value)
        case Name(name=name):
            return sizes.get(name, _UNKNOWN)
        case Field(of=of, name=name):
            return _field(size_of(of, sizes), name)
        case Item(of=of):
            return _item(size_of(of, sizes))
        case Arithmetic(operator="+", left=left, right=right):
            both = size_of(left, sizes).tokens + size_of(right, sizes).tokens
            return Size(tokens=max(both, NUMBER_SIZE.tokens))
        case Arithmetic() | Negation():
            return NUMBER_SIZE
        case Comparison() | Logical() | Not():
            return TRUTH_SIZE
        case Choice(then=then, otherwise=otherwise):
            return longer(size_of(then, sizes), size_of(otherwise, sizes))
        case Call(function=function, arguments=arguments):
            known = FUNCTIONS.get(function)
            return _UNKNOWN if known is None else known.size([size_of(one, sizes) for one in arguments])
        case Items(items=items):
            found = [size_of(item, sizes) for item in items]
            item = found[0]
            for other in found[1:]:
                item = longer(item, other)
            return Size(tokens=sum(one.tokens for one in found), count=len(found), item=item)


def _constant(value: int | float | str | bool | None) -> Size:
    if isinstance(value, str):
        return Size(tokens=len(value.encode()))
    if value is None:
        return Size()
    return TRUTH_SIZE if isinstance(value, bool) else NUMBER_SIZE


def _field(owner: Size, name: str) -> Size:
    return owner.fields.get(name, owner)


def _item(items: Size) -> Size:
    return Size(tokens=items.tokens) if items.item is None else items.item


def longer(one: Size, other: Size) -> Size:
    """The size of a value that has one of two, in each part the greater."""
    if one == other:
        return one
    item = None
    if one.item is not None or other.item is not None:
        item = longer(one.item or _whole(one), other.item or _whole(other))
    return Size(
        tokens=max(one.tokens, other.tokens),
        count=max(one.count, other.count),
        fields={
            name: longer(one.fields.get(name, _whole(one)), other.fields.get(name, _whole(other)))
            for name in {**one.fields, **other.fields}
        },
        item=item,
    )


def _whole(size: Size) -> Size:
    return Size(tokens=size.tokens)
