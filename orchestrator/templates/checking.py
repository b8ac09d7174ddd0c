"""Checks a template against the types of its names, before there are values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import nodes

from ..errors import TemplateError
from ..expressions import (
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    ListOf,
    Maybe,
    Record,
    Type,
    comparable,
    inside,
    is_unknown,
    joined,
    without_maybe,
)
from ..spelling import did_you_mean
from .syntax import place_of

__all__ = ["check"]

LOOP = Record("the loop", {"index": NUMBER, "first": TRUTH, "last": TRUTH})

_NOTHING = Maybe(Record("nothing"))
"""The type of `none`, which can stand for every other."""

_FILTERED: dict[str, Type] = {
    "indent": TEXT,
    "join": TEXT,
    "length": NUMBER,
    "lower": TEXT,
    "round": NUMBER,
    "trim": TEXT,
    "truncate": TEXT,
    "upper": TEXT,
}
"""Types of what filters make, for those where it does not depend on what they are given."""


def check(body: Sequence[nodes.Node], types: Mapping[str, Type]) -> None:
    """Refuse a template in the language that names of these types do not fill.

    Raises:
        TemplateError: The first mistake.
    """
    for node in body:
        match node:
            case nodes.Output():
                for part in node.nodes:
                    if not isinstance(part, nodes.TemplateData):
                        _inserted(_looked_at(part, types), part)
            case nodes.If():
                _looked_at(node.test, types)
                check(node.body, types)
                check(node.elif_, types)
                check(node.else_, types)
            case nodes.For():
                looped = _looked_at(node.iter, types)
                item = UNKNOWN if is_unknown(looped) else _item(looped, node.iter, "a loop")
                assert isinstance(node.target, nodes.Name)
                check(node.body, {**types, "loop": LOOP, node.target.name: item})
                check(node.else_, types)


class _UnknownTypeError(Exception):
    """A part is of a type that is not known, so that nothing can be said of the whole."""


def _looked_at(node: nodes.Node, types: Mapping[str, Type]) -> Type:
    """The type of an expression in a template; unknown where that of a name it uses is."""
    try:
        return type_of(node, types)
    except _UnknownTypeError:
        return UNKNOWN


def type_of(node: nodes.Node, types: Mapping[str, Type]) -> Type:
    """The type of an expression in a template.

    Raises:
        TemplateError: It has none.
        _UnknownTypeError: It is not known.
    """
    match node:
        case nodes.Const():
            return _constant(node.value)
        case nodes.Name():
            return _named(node, types)
        case nodes.Getattr():
            return _field(node, type_of(node.node, types))
        case nodes.Filter():
            return _filtered(node, types)
        case nodes.Compare():
            return _compared(node, types)
        case nodes.Not():
            type_of(node.node, types)
            return TRUTH
        case nodes.And() | nodes.Or():
            return _either(node, type_of(node.left, types), type_of(node.right, types))
        case nodes.CondExpr():
            type_of(node.test, types)
            other = _NOTHING if node.expr2 is None else type_of(node.expr2, types)
            return _either(node, type_of(node.expr1, types), other)
        case nodes.BinExpr():
            return _operated(node, types)
        case nodes.UnaryExpr():
            _wants(NUMBER, type_of(node.node, types), node.node, f"`{node.operator}`")
            return NUMBER
    raise TypeError(f"{type(node).__name__} is not in the language of templates")


def _constant(value: object) -> Type:
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return TRUTH
    return TEXT if isinstance(value, str) else NUMBER


def _named(node: nodes.Name, types: Mapping[str, Type]) -> Type:
    if node.name not in types:
        known = ", ".join(sorted(name for name in types if name != "loop")) or "nothing"
        raise TemplateError(
            f"there is no `{node.name}` here",
            offset=node.lineno,
            hint=did_you_mean(node.name, types) or f"there is: {known}",
        )
    return _known(types[node.name])


def _inside(node: nodes.Getattr, kind: Type) -> str | None:
    """Where a field of a field has the name."""
    of: Any = node.node
    path = ""
    while isinstance(of, nodes.Getattr):
        of, path = of.node, f".{of.attr}{path}"
    if not isinstance(of, nodes.Name) or not isinstance(kind, Record):
        return None
    return inside(f"{of.name}{path}", kind, node.attr)


def _field(node: nodes.Getattr, kind: Type) -> Type:
    record = without_maybe(kind)
    fields = record.fields if isinstance(record, Record) else {}
    if node.attr not in fields:
        raise TemplateError(
            f"{record} has no field `{node.attr}`" if fields else f"{record} has no fields",
            offset=node.lineno,
            hint=_inside(node, record)
            or did_you_mean(node.attr, fields)
            or (f"its fields: {', '.join(sorted(fields))}" if fields else None),
        )
    found = _known(fields[node.attr])
    return Maybe(found) if isinstance(kind, Maybe) and not isinstance(found, Maybe) else found


def _known(kind: Type) -> Type:
    if is_unknown(kind):
        raise _UnknownTypeError
    return kind


def _filtered(node: nodes.Filter, types: Mapping[str, Type]) -> Type:
    assert node.node is not None
    kind, name = type_of(node.node, types), f"`{node.name}`"
    arguments = [type_of(argument, types) for argument in node.args]
    match node.name:
        case "first" | "last":
            item = _item(kind, node.node, name)
            return item if isinstance(item, Maybe) else Maybe(item)
        case "join":
            _inserted(_item(kind, node.node, name), node.node)
        case "length":
            if without_maybe(kind) != TEXT:
                _item(kind, node.node, name)
        case "round":
            _wants(NUMBER, kind, node.node, name)
        case "default":
            return _either(node, without_maybe(kind), arguments[0])
        case _:
            _inserted(kind, node.node)
    for argument, given in zip(node.args, arguments, strict=True):
        _wants(TEXT if node.name == "join" else NUMBER, given, argument, name)
    return _FILTERED[node.name]


def _compared(node: nodes.Compare, types: Mapping[str, Type]) -> Type:
    left, at = type_of(node.expr, types), node.expr
    for part in node.ops:
        right = type_of(part.expr, types)
        _comparable(part.op, without_maybe(left), without_maybe(right), at)
        left, at = right, part.expr
    return TRUTH


def _comparable(sign: str, left: Type, right: Type, at: nodes.Node) -> None:
    nothing = without_maybe(_NOTHING)
    if sign in ("in", "notin"):
        item = _item_or_none(right)
        if right == TEXT and left == TEXT:
            return
        if item is None or not (without_maybe(item) == nothing or comparable(left, item)):
            raise TemplateError(f"{left} cannot be in {right}", offset=place_of(at))
    elif sign in ("eq", "ne"):
        if nothing not in (left, right) and not comparable(left, right):
            raise TemplateError(f"{left} is never equal to {right}", offset=place_of(at))
    elif left != right or left not in (NUMBER, TEXT):
        raise TemplateError(
            f"{left} and {right} have no order", offset=place_of(at), hint="compare two numbers"
        )


def _operated(node: nodes.BinExpr, types: Mapping[str, Type]) -> Type:
    left, right = type_of(node.left, types), type_of(node.right, types)
    if node.operator == "+" and without_maybe(left) == TEXT:
        _wants(TEXT, right, node.right, "`+` after a text")
        result = TEXT
    else:
        _wants(NUMBER, left, node.left, f"`{node.operator}`")
        _wants(NUMBER, right, node.right, f"`{node.operator}`")
        result = NUMBER
    missing = isinstance(left, Maybe) or isinstance(right, Maybe) or node.operator in ("/", "//", "%")
    return Maybe(result) if missing else result


def _either(node: nodes.Node, one: Type, other: Type) -> Type:
    """The type of a value that is either of two."""
    nothing = without_maybe(_NOTHING)
    if without_maybe(other) == nothing:
        return one if isinstance(one, Maybe) else Maybe(one)
    if without_maybe(one) == nothing:
        return other if isinstance(other, Maybe) else Maybe(other)
    both = joined(one, other)
    if both is not None:
        return both
    for kind in (one, other):
        if not _has_text(kind):
            raise TemplateError(f"this is either {one} or {other}", offset=place_of(node))
    return TEXT


def _item(kind: Type, node: nodes.Node, needed_by: str) -> Type:
    item = _item_or_none(kind)
    if item is None:
        raise TemplateError(f"{needed_by} needs a list, and this is {kind}", offset=place_of(node))
    return item


def _item_or_none(kind: Type) -> Type | None:
    held = without_maybe(kind)
    return held.item if isinstance(held, ListOf | Record) else None


def _wants(wanted: Type, kind: Type, node: nodes.Node, needed_by: str) -> None:
    if without_maybe(kind) not in (wanted, without_maybe(_NOTHING)):
        raise TemplateError(f"{needed_by} needs {wanted}, and this is {kind}", offset=place_of(node))


def _has_text(kind: Type) -> bool:
    held = without_maybe(kind)
    if isinstance(held, ListOf):
        return _has_text(held.item)
    return held.text if isinstance(held, Record) else True


def _inserted(kind: Type, node: nodes.Node) -> None:
    held = without_maybe(kind)
    if held == without_maybe(_NOTHING) or _has_text(held):
        return
    hint = None
    if isinstance(held, Record) and held.fields:
        hint = f"name a field: {', '.join(sorted(held.fields))}"
    elif _item_or_none(held) is not None:
        hint = "loop over it: {% for one in ... %}"
    raise TemplateError(f"{held} has no text to be put in here", offset=place_of(node), hint=hint)
