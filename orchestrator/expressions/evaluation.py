"""Compiles an expression into closures, each of which computes the value of a part from the values of the names."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .functions import FUNCTIONS
from .operations import ARITHMETIC, COMPARISONS, ORDER, negative
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
from .types import read_field

__all__ = ["Computed", "compiled"]

Computed: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""The value of a part, from the values of the names."""


def compiled(node: Node) -> Computed:
    """What computes the value of a part."""
    match node:
        case Constant(value=value):
            return lambda _: value
        case Name(name=name):
            return operator.itemgetter(name)
        case Field(of=of, name=name):
            return _field(of, name)
        case Item(of=of, index=index):
            return _item(compiled(of), index)
        case Negation(of=of):
            return _negated(compiled(of))
        case Not(of=of):
            return _not(compiled(of))
        case Arithmetic():
            return _arithmetic(node)
        case Comparison():
            return _comparison(node)
        case Logical():
            return _logical(node)
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return _choice(compiled(condition), compiled(then), compiled(otherwise))
        case Call(function=function, arguments=arguments):
            return _call(FUNCTIONS[function].apply, [compiled(one) for one in arguments])
        case Items(items=items):
            parts = [compiled(one) for one in items]
            return lambda values: [part(values) for part in parts]


def _field(of: Node, name: str) -> Computed:
    if isinstance(of, Name):
        owner = of.name
        return lambda values: read_field(values[owner], name)
    compute = compiled(of)
    return lambda values: read_field(compute(values), name)


def _item(of: Computed, index: int) -> Computed:
    def item(values: Mapping[str, Any]) -> Any:
        items = of(values)
        return items[index] if items is not None and -len(items) <= index < len(items) else None

    return item


def _negated(of: Computed) -> Computed:
    return lambda values: negative(of(values))


def _not(of: Computed) -> Computed:
    return lambda values: not of(values)


def _choice(condition: Computed, then: Computed, otherwise: Computed) -> Computed:
    return lambda values: then(values) if condition(values) else otherwise(values)


def _call(apply: Callable[..., Any], arguments: list[Computed]) -> Computed:
    if len(arguments) == 1:
        (only,) = arguments
        return lambda values: apply(only(values))
    return lambda values: apply(*[argument(values) for argument in arguments])


def _arithmetic(node: Arithmetic) -> Computed:
    return _both(ARITHMETIC[node.operator], node.left, node.right)


def _both(operate: Callable[[Any, Any], Any], left: Node, right: Node) -> Computed:
    """What `operate` makes of two parts; a constant, and a name beside one, costs no call."""
    if isinstance(right, Constant):
        constant = right.value
        if isinstance(left, Name):
            name = left.name
            return lambda values: operate(values[name], constant)
        one = compiled(left)
        return lambda values: operate(one(values), constant)
    other = compiled(right)
    if isinstance(left, Constant):
        constant = left.value
        return lambda values: operate(constant, other(values))
    one = compiled(left)
    return lambda values: operate(one(values), other(values))


# Comparisons ---------------------------------------------------------------------------------------------


def _comparison(node: Comparison) -> Computed:
    if len(node.operators) == 1:
        return _compared(node.operators[0], *node.values)
    operators = [COMPARISONS[sign] for sign in node.operators]
    parts = [compiled(value) for value in node.values]

    def chained(values: Mapping[str, Any]) -> bool:
        left = parts[0](values)
        for compare, part in zip(operators, parts[1:], strict=True):
            right = part(values)
            if not compare(left, right):
                return False
            left = right
        return True

    return chained


def _compared(sign: str, left: Node, right: Node) -> Computed:
    """One comparison; that of a name with a constant, the most frequent, without a call for either."""
    if sign in ORDER and isinstance(right, Constant):
        if isinstance(left, Name):
            return _ordered_name(ORDER[sign], left.name, right.value)
        return _ordered(ORDER[sign], compiled(left), right.value)
    return _both(COMPARISONS[sign], left, right)


def _ordered_name(order: Callable[[Any, Any], Any], name: str, constant: Any) -> Computed:
    def ordered(values: Mapping[str, Any]) -> Any:
        value = values[name]
        return value is not None and order(value, constant)

    return ordered


def _ordered(order: Callable[[Any, Any], Any], of: Computed, constant: Any) -> Computed:
    def ordered(values: Mapping[str, Any]) -> Any:
        value = of(values)
        return value is not None and order(value, constant)

    return ordered


# Truths --------------------------------------------------------------------------------------------------


def _logical(node: Logical) -> Computed:
    parts = [compiled(value) for value in node.values]
    if len(parts) == 2:
        one, other = parts
        if node.operator == "and":
            return lambda values: bool(one(values) and other(values))
        return lambda values: bool(one(values) or other(values))
    if node.operator == "and":
        return lambda values: all(part(values) for part in parts)
    return lambda values: any(part(values) for part in parts)
