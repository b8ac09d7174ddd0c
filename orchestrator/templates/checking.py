"""Checks a template against the types of its names, before there are values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import nodes

from ..errors import TemplateError
from ..expressions import (
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    Fault,
    ListOf,
    Maybe,
    Record,
    Type,
    calculated,
    compared,
    inside,
    is_answer,
    is_unknown,
    joined,
    maybe,
    unheard,
    without_maybe,
)
from ..spelling import did_you_mean
from .operations import INSTEAD_OF_OR, needs
from .syntax import SIGNS, place_of

__all__ = ["check"]

LOOP = Record("the loop", {"index": NUMBER, "first": TRUTH, "last": TRUTH})

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
                _looked_at(node.test, types, _test)
                check(node.body, types)
                check(node.elif_, types)
                check(node.else_, types)
            case nodes.For():
                looped = _looked_at(node.iter, types)
                item = UNKNOWN if is_unknown(looped) else _item(looped, node.iter, "for")
                assert isinstance(node.target, nodes.Name)
                check(node.body, {**types, "loop": LOOP, node.target.name: item})
                check(node.else_, types)


class _UnknownTypeError(Exception):
    """A part is of a type that is not known, so that nothing can be said of the whole."""


def _looked_at(
    node: nodes.Node,
    types: Mapping[str, Type],
    look: Callable[[nodes.Node, Mapping[str, Type]], Type] | None = None,
) -> Type:
    """The type of an expression in a template; unknown where that of a name it uses is."""
    try:
        return (look or type_of)(node, types)
    except _UnknownTypeError:
        return UNKNOWN


def _test(node: nodes.Node, types: Mapping[str, Type]) -> Type:
    """The type of a condition, which any value can be: it asks whether the value is there."""
    match node:
        case nodes.And() | nodes.Or():
            _test(node.left, types)
            _test(node.right, types)
            return TRUTH
        case nodes.Not():
            _test(node.node, types)
            return TRUTH
    return type_of(node, types)


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
            return _field(node, type_of(node.node, types), types)
        case nodes.Filter():
            return _filtered(node, types)
        case nodes.Compare():
            return _compared(node, types)
        case nodes.Not():
            return _truth("not", node.node, types)
        case nodes.And() | nodes.Or():
            word = "and" if isinstance(node, nodes.And) else "or"
            _truth(word, node.left, types)
            return _truth(word, node.right, types)
        case nodes.CondExpr():
            _test(node.test, types)
            other = NOTHING if node.expr2 is None else type_of(node.expr2, types)
            return _either(node, type_of(node.expr1, types), other)
        case nodes.BinExpr():
            return _operated(node, types)
        case nodes.UnaryExpr():
            return _wants(NUMBER, type_of(node.node, types), node.node, node.operator)
    raise TypeError(f"{type(node).__name__} is not in the language of templates")


def _truth(word: str, node: nodes.Node, types: Mapping[str, Type]) -> Type:
    """The type of what `and`, `or` and `not` make of a part, whose value must be true or false."""
    kind = type_of(node, types)
    if without_maybe(kind) != TRUTH:
        raise needs(word, TRUTH, kind, place_of(node), INSTEAD_OF_OR if word == "or" else None)
    return TRUTH


def _constant(value: object) -> Type:
    if value is None:
        return NOTHING
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


def _alone(node: nodes.Getattr, kind: Type, types: Mapping[str, Type]) -> str | None:
    """A hint where what is asked of a text as its field is a name here."""
    known = kind == TEXT and isinstance(node.node, nodes.Name) and node.attr in types
    return f"write `{{{{ {node.attr} }}}}` here" if known else None


def _field(node: nodes.Getattr, kind: Type, types: Mapping[str, Type]) -> Type:
    record = without_maybe(kind)
    fields = record.fields if isinstance(record, Record) else {}
    if node.attr not in fields:
        raise TemplateError(
            f"{record} has no field `{node.attr}`" if fields else f"{record} has no fields",
            offset=node.lineno,
            hint=_inside(node, record)
            or _alone(node, record, types)
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
    kind, name = type_of(node.node, types), node.name
    arguments = [type_of(argument, types) for argument in node.args]
    match node.name:
        case "first" | "last":
            return maybe(_item(kind, node.node, name))
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
    left: tuple[nodes.Node, Type] = (node.expr, type_of(node.expr, types))
    for part in node.ops:
        right: tuple[nodes.Node, Type] = (part.expr, type_of(part.expr, types))
        _accept(compared(SIGNS[part.op], left[1], right[1]), SIGNS[part.op], left, right)
        _hear(left[0], right[1])
        _hear(right[0], left[1])
        left = right
    return TRUTH


def _operated(node: nodes.BinExpr, types: Mapping[str, Type]) -> Type:
    left, right = type_of(node.left, types), type_of(node.right, types)
    _accept(calculated(node.operator, left, right), node.operator, (node.left, left), (node.right, right))
    missing = isinstance(left, Maybe) or isinstance(right, Maybe) or node.operator in ("/", "//", "%")
    return maybe(without_maybe(left)) if missing else left


def _hear(node: nodes.Node, beside: Type) -> None:
    """Refuse a text that stands beside an answer and can be none."""
    if is_answer(beside) and isinstance(node, nodes.Const) and isinstance(node.value, str):
        wrong = unheard(node.value)
        if wrong is not None:
            raise TemplateError(wrong[0], offset=place_of(node), hint=wrong[1])


def _accept(fault: Fault | None, sign: str, *operands: tuple[nodes.Node, Type]) -> None:
    if fault is not None:
        node, kind = operands[fault.side]
        raise needs(sign, fault.expected, kind, place_of(node))


def _either(node: nodes.Node, one: Type, other: Type) -> Type:
    """The type of a value that is either of two."""
    both = joined(one, other)
    if both is not None:
        return both
    for kind in (one, other):
        if not _has_text(kind):
            raise TemplateError(f"this is either {one} or {other}", offset=place_of(node))
    return Record(f"{one} or {other}", text=True)


def _item(kind: Type, node: nodes.Node, needed_by: str) -> Type:
    item = _item_or_none(kind)
    if item is None:
        raise needs(needed_by, "a list", kind, place_of(node))
    return item


def _item_or_none(kind: Type) -> Type | None:
    held = without_maybe(kind)
    return held.item if isinstance(held, ListOf | Record) else None


def _wants(wanted: Type, kind: Type, node: nodes.Node, needed_by: str) -> Type:
    if without_maybe(kind) != wanted:
        raise needs(needed_by, wanted, kind, place_of(node))
    return kind


def _has_text(kind: Type) -> bool:
    held = without_maybe(kind)
    if isinstance(held, ListOf):
        return _has_text(held.item)
    return held.text if isinstance(held, Record) else True


def _inserted(kind: Type, node: nodes.Node) -> None:
    held = without_maybe(kind)
    if _has_text(held):
        return
    hint = None
    if isinstance(held, Record) and held.fields:
        hint = f"name a field: {', '.join(sorted(held.fields))}"
    elif _item_or_none(held) is not None:
        hint = "loop over it: {% for one in ... %}"
    raise TemplateError(f"{held} has no text to be put in here", offset=place_of(node), hint=hint)
