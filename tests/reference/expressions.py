"""Expressions by their definition: types and values read off Python's own tree of the text, case by case."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from orchestrator.answers import extract, normalize
from orchestrator.expressions import (
    ANSWER,
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    ListOf,
    Maybe,
    Record,
    Type,
    declare,
)
from orchestrator.types import Answer

CONSTANTS = {"true": True, "false": False, "none": None}
ORDERINGS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
COMPARED = (NUMBER, TEXT, TRUTH, ANSWER)


# A world of values ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """A value with fields, some of which may be missing."""

    text: str
    score: float | None
    answer: Answer | None
    good: bool


class Drafts(tuple[Draft, ...]):
    """A list that has fields as well."""


DRAFT = declare(
    Draft,
    "a draft",
    {
        "text": (TEXT, lambda one: one.text),
        "score": (Maybe(NUMBER), lambda one: one.score),
        "answer": (Maybe(ANSWER), lambda one: one.answer),
        "good": (TRUTH, lambda one: one.good),
    },
)
DRAFTS = declare(
    Drafts,
    "drafts",
    {
        "count": (NUMBER, len),
        "first": (Maybe(DRAFT), lambda all: all[0] if all else None),
        "scores": (ListOf(Maybe(NUMBER)), lambda all: [one.score for one in all]),
        "answers": (ListOf(Maybe(ANSWER)), lambda all: [one.answer for one in all]),
        "texts": (ListOf(TEXT), lambda all: [one.text for one in all]),
        "answer": (Maybe(ANSWER), lambda all: all[-1].answer if all else None),
    },
    item=DRAFT,
)
TYPES: Mapping[str, Type] = {
    "n": NUMBER,
    "m": Maybe(NUMBER),
    "ok": TRUTH,
    "checked": Maybe(TRUTH),
    "word": TEXT,
    "said": Maybe(TEXT),
    "given": ANSWER,
    "found": Maybe(ANSWER),
    "numbers": ListOf(NUMBER),
    "words": Maybe(ListOf(Maybe(TEXT))),
    "flags": ListOf(Maybe(TRUTH)),
    "draft": DRAFT,
    "lost": Maybe(DRAFT),
    "drafts": DRAFTS,
    "loop": Record("the loop", {"rounds": NUMBER, "last": Maybe(DRAFT), "each": ListOf(Maybe(TRUTH))}),
}


# Types ----------------------------------------------------------------------------------------------------


class MistypedError(Exception):
    """The expression has no type."""


def type_of(text: str) -> Type:
    """The type of an expression over `TYPES`.

    Raises:
        MistypedError: It has none, or is not in the language.
    """
    try:
        return _type(ast.parse(f"({text}\n)", mode="eval").body)
    except SyntaxError:
        raise MistypedError from None


def _core(kind: Type) -> Type:
    return kind.of if isinstance(kind, Maybe) else kind


def _maybe(kind: Type) -> Type:
    return Maybe(_core(kind))


def _need(found: bool) -> None:
    if not found:
        raise MistypedError


def _type(node: ast.expr) -> Type:
    if isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in CONSTANTS):
        value = node.value if isinstance(node, ast.Constant) else CONSTANTS[node.id]
        kinds = {bool: TRUTH, int: NUMBER, float: NUMBER, str: TEXT, type(None): NOTHING}
        _need(type(value) in kinds)
        return kinds[type(value)]
    if isinstance(node, ast.Name):
        _need(node.id in TYPES)
        return TYPES[node.id]
    if isinstance(node, ast.Attribute):
        owner = _type(node.value)
        _need(isinstance(_core(owner), Record) and node.attr in _core(owner).fields)
        kind = _core(owner).fields[node.attr]
        return _maybe(kind) if isinstance(owner, Maybe) else kind
    if isinstance(node, ast.Subscript):
        return _type_of_item(node)
    if isinstance(node, ast.UnaryOp):
        wanted = TRUTH if isinstance(node.op, ast.Not) else NUMBER
        kind = _type(node.operand)
        _need(isinstance(node.op, ast.Not | ast.USub) and _core(kind) == wanted)
        return TRUTH if wanted == TRUTH else kind
    if isinstance(node, ast.BinOp):
        return _type_of_arithmetic(node)
    if isinstance(node, ast.BoolOp):
        _need(all(_core(_type(value)) == TRUTH for value in node.values))
        return TRUTH
    if isinstance(node, ast.Compare):
        values = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, values, values[1:], strict=False):
            _need(_comparable(operator, left, right))
        return TRUTH
    if isinstance(node, ast.IfExp):
        _need(_core(_type(node.test)) == TRUTH)
        return _common(_type(node.body), _type(node.orelse))
    if isinstance(node, ast.List) and node.elts:
        kind = _type(node.elts[0])
        for other in node.elts[1:]:
            kind = _common(kind, _type(other))
        return ListOf(kind)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _type_of_call(node.func.id, node.args)
    raise MistypedError


def _index(node: ast.expr) -> int:
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    inner = node.operand if negative else node
    if negative and isinstance(inner, ast.UnaryOp):
        return -_index(inner)
    _need(isinstance(inner, ast.Constant) and type(inner.value) is int)
    return -inner.value if negative else inner.value


def _type_of_item(node: ast.Subscript) -> Type:
    _index(node.slice)
    kind = _core(_type(node.value))
    _need(isinstance(kind, ListOf | Record) and kind.item is not None)
    return _maybe(kind.item)


def _type_of_arithmetic(node: ast.BinOp) -> Type:
    left, right = _type(node.left), _type(node.right)
    divides = isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod)
    _need(divides or isinstance(node.op, ast.Add | ast.Sub | ast.Mult))
    allowed = (NUMBER, TEXT) if isinstance(node.op, ast.Add) else (NUMBER,)
    _need(_core(left) == _core(right) and _core(left) in allowed)
    sure = node.right
    while isinstance(sure, ast.UnaryOp):
        sure = sure.operand
    never_zero = isinstance(sure, ast.Constant) and bool(sure.value)
    if isinstance(left, Maybe) or isinstance(right, Maybe) or (divides and not never_zero):
        return _maybe(left)
    return left


def _comparable(operator: ast.cmpop, left: ast.expr, right: ast.expr) -> bool:
    one, other = _core(_type(left)), _core(_type(right))
    if isinstance(operator, ORDERINGS):
        return one == other == NUMBER
    if isinstance(operator, ast.Is | ast.IsNot):
        return other == NOTHING and _is_none(right)
    if isinstance(operator, ast.In | ast.NotIn):
        if other == TEXT:
            return one == TEXT
        return (
            isinstance(other, ListOf)
            and _core(other.item) in COMPARED
            and (one == NOTHING or _alike(one, _core(other.item)))
        )
    return NOTHING in (one, other) or (_alike(one, other) and one in COMPARED)


def _alike(one: Type, other: Type) -> bool:
    return one == other or (one == ANSWER and other == TEXT) or (one == TEXT and other == ANSWER)


def _is_none(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and node.value is None) or (
        isinstance(node, ast.Name) and node.id == "none"
    )


def _common(one: Type, other: Type) -> Type:
    if one == other:
        return one
    if NOTHING in (one, other):
        return _maybe(one if other == NOTHING else other)
    if isinstance(one, ListOf) and isinstance(other, ListOf):
        return ListOf(_common(one.item, other.item))
    _need(_core(one) == _core(other))
    return _maybe(one)


def _type_of_call(name: str, arguments: list[ast.expr]) -> Type:
    kinds = [_type(argument) for argument in arguments]
    cores = [_core(kind) for kind in kinds]
    lists = [core.item if isinstance(core, ListOf) else None for core in cores]
    if name in ("min", "max") and len(kinds) == 1 and lists[0] is not None:
        _need(_core(lists[0]) == NUMBER)
        return Maybe(NUMBER)
    if name in ("min", "max"):
        _need(bool(kinds) and all(core == NUMBER for core in cores))
        return NUMBER if NUMBER in kinds else Maybe(NUMBER)
    if name == "round" and len(kinds) == 2:
        _need(isinstance(arguments[1], ast.Constant) and type(arguments[1].value) is int)
        _need(arguments[1].value in range(16))
        kinds = kinds[:1]
    _need(len(kinds) == 1)
    if name in ("abs", "round"):
        _need(cores[0] == NUMBER)
        return kinds[0]
    if name in ("any", "all"):
        _need(lists[0] is not None and _core(lists[0]) == TRUTH)
        return TRUTH
    if name == "len":
        _need(cores[0] == TEXT or lists[0] is not None or getattr(cores[0], "item", None) is not None)
        return Maybe(NUMBER) if isinstance(kinds[0], Maybe) else NUMBER
    if name == "number":
        _need(cores[0] in (TEXT, ANSWER))
        return Maybe(NUMBER)
    _need(name == "answer")
    fields = cores[0].fields if isinstance(cores[0], Record) else {}
    _need(cores[0] == ANSWER or _core(fields.get("answer", TEXT)) == ANSWER)
    return Maybe(ANSWER)


# Values ---------------------------------------------------------------------------------------------------


def value_of(text: str, values: Mapping[str, Any]) -> Any:
    """The value of an expression that has a type; None where it is missing."""
    return _value(ast.parse(f"({text}\n)", mode="eval").body, values)


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    def value(part: ast.expr) -> Any:
        return _value(part, values)

    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return CONSTANTS[node.id] if node.id in CONSTANTS else values[node.id]
    if isinstance(node, ast.Attribute):
        return _field(value(node.value), node.attr)
    if isinstance(node, ast.Subscript):
        items, index = value(node.value), _index(node.slice)
        return (
            dict(enumerate(items)).get(index if index >= 0 else len(items) + index)
            if items is not None
            else None
        )
    if isinstance(node, ast.UnaryOp):
        operand = value(node.operand)
        if isinstance(node.op, ast.Not):
            return operand is not True
        return None if operand is None else _number(lambda: 0 - operand if operand else -operand)
    if isinstance(node, ast.BinOp):
        return _result(node.op, value(node.left), value(node.right))
    if isinstance(node, ast.BoolOp):
        found = [value(part) is True for part in node.values]
        return False not in found if isinstance(node.op, ast.And) else True in found
    if isinstance(node, ast.Compare):
        parts = [value(part) for part in (node.left, *node.comparators)]
        return all(_holds(*three) for three in zip(node.ops, parts, parts[1:], strict=False))
    if isinstance(node, ast.IfExp):
        return value(node.body) if value(node.test) is True else value(node.orelse)
    if isinstance(node, ast.List):
        return [value(item) for item in node.elts]
    return _called(node.func.id, [value(argument) for argument in node.args])


def _field(owner: Any, name: str) -> Any:
    if owner is None:
        return None
    if isinstance(owner, dict):
        return owner[name]
    if isinstance(owner, Drafts):
        return {
            "count": len(owner),
            "first": next(iter(owner), None),
            "scores": [one.score for one in owner],
            "answers": [one.answer for one in owner],
            "texts": [one.text for one in owner],
            "answer": next((one.answer for one in reversed(owner)), None),
        }[name]
    return vars(owner)[name]


def _number(compute: Any) -> Any:
    try:
        result = compute()
        if isinstance(result, int) and abs(result) <= 2**53:
            return result
        return float(result) if math.isfinite(result) else None
    except (OverflowError, ZeroDivisionError, ValueError):
        return None


def _result(operator: ast.operator, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    if isinstance(left, str):
        return left + right
    results = {
        ast.Add: lambda: left + right,
        ast.Sub: lambda: left - right,
        ast.Mult: lambda: left * right,
        ast.Div: lambda: left / right,
        ast.FloorDiv: lambda: left // right,
        ast.Mod: lambda: left % right,
    }
    return _number(results[type(operator)])


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Answer) and isinstance(other, Answer):
        return one.key == other.key
    if isinstance(one, Answer) and isinstance(other, str):
        one, other = other, one
    if isinstance(one, str) and isinstance(other, Answer):
        return normalize(one, kind=other.kind) == other.key
    return one is None if other is None else bool(one == other)


def _holds(operator: ast.cmpop, left: Any, right: Any) -> bool:
    if isinstance(operator, ast.Eq | ast.Is):
        return _same(left, right)
    if isinstance(operator, ast.NotEq | ast.IsNot):
        return not _same(left, right)
    if isinstance(operator, ast.In | ast.NotIn):
        if right is None or (left is None and isinstance(right, str)):
            within = False
        else:
            within = (
                left in right if isinstance(right, str) else True in [_same(left, item) for item in right]
            )
        return within if isinstance(operator, ast.In) else not within
    if left is None or right is None:
        return False
    orders = {ast.Lt: left < right, ast.LtE: left <= right, ast.Gt: left > right, ast.GtE: left >= right}
    return orders[type(operator)]


def _called(name: str, values: list[Any]) -> Any:
    first = values[0]
    if name in ("min", "max"):
        many = values if len(values) > 1 else first if isinstance(first, list | tuple) else [first]
        there = [one for one in many or [] if one is not None and one == one]
        ranked = sorted(there, reverse=name == "max")  # of equals, the first stays in front
        return _number(lambda: ranked[0]) if ranked else None
    if name in ("any", "all"):
        there = [one for one in first or [] if one is not None]
        return True in there if name == "any" else False not in there
    if first is None:
        return None
    if name == "abs":
        return _number(lambda: first if first >= 0 else -first)
    if name == "round":
        return _number(lambda: round(first, *values[1:]))
    if name == "number":
        return _stated(first)
    if name == "len":
        return sum(1 for _ in first)
    return first if isinstance(first, Answer) else _field(first, "answer")


def _stated(value: Answer | str) -> Any:
    found = value if isinstance(value, Answer) else extract(value, kind="number")
    if found is None or not found.key.startswith("n:"):
        return None
    number = Fraction(found.key[2:])
    return _number(lambda: number.numerator if number.denominator == 1 else float(number))


def same_value(one: Any, other: Any) -> bool:
    """Whether two values are the same: of one type, and what is not a number equal to itself."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and not isinstance(one, Drafts):
        return len(one) == len(other) and all(same_value(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other
