"""Fills templates: every operation becomes a call of one of `operations`, and Jinja2 compiles what then is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import nodes, pass_context

from ..errors import TemplateError
from ..expressions import spend
from .operations import OPERATIONS, WORK, Work, items_of
from .sandbox import Sandbox
from .syntax import SIGNS, place_of
from .template import LONGEST_TEXT

__all__ = ["Renderer"]


class Renderer:
    """A template compiled by Jinja2.

    Args:
        body: Nodes that are in the language.
    """

    def __init__(self, body: Sequence[nodes.Node]) -> None:
        self._compiled = _compile([_lower(node) for node in body])
        self._values: dict[int, Any] = {}

    def render(self, values: dict[str, Any]) -> str:
        """The text with `values`, which has every name that the template needs."""
        values[WORK] = Work()
        pieces: list[str] = []
        length = 0
        for piece in self._compiled.generate(values):
            length += len(piece)
            if length > LONGEST_TEXT:
                raise TemplateError(f"filled in, it is longer than {LONGEST_TEXT:,} characters")
            spend(len(piece))
            pieces.append(piece)
        return "".join(pieces)

    def items(self, node: nodes.Node, values: Mapping[str, Any]) -> Sequence[Any]:
        """What a loop over an expression goes through."""
        return items_of(self.value(node, values), place_of(node))

    def holds(self, node: nodes.Node, values: Mapping[str, Any]) -> bool:
        """Whether a condition in the template does."""
        return bool(self._evaluate(node, _test, values))

    def value(self, node: nodes.Node, values: Mapping[str, Any]) -> Any:
        """The value of an expression in the template."""
        return self._evaluate(node, _lower, values)

    def _evaluate(self, node: nodes.Node, lower: Callable[[Any], Any], values: Mapping[str, Any]) -> Any:
        compiled = self._values.get(id(node))
        if compiled is None:
            kept = nodes.Assign(nodes.Name("result", "store", lineno=1), lower(node), lineno=1)
            compiled = self._values[id(node)] = _compile([kept])
        context = compiled.new_context({**values, WORK: Work()})
        for _ in compiled.root_render_func(context):
            pass
        return context.vars["result"]


# Jinja2's nodes --------------------------------------------------------------------------------------------


def _compile(body: list[nodes.Node]) -> Any:
    tree = nodes.Template(body, lineno=1)
    tree.set_environment(_ENVIRONMENT)
    try:
        return _ENVIRONMENT.from_string(tree)
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise TemplateError("nested too deeply", hint="take it apart") from error


def _lower(node: Any) -> Any:
    """`node` with every operation as a filter of `OPERATIONS`, whose names cannot be written in a template."""
    place = node.lineno
    match node:
        case nodes.Output():
            return nodes.Output([_inserted(part) for part in node.nodes], lineno=place)
        case nodes.If():
            elifs = [_lower(other) for other in node.elif_]
            return nodes.If(_test(node.test), _all(node.body), elifs, _all(node.else_), lineno=place)
        case nodes.For():
            over = _filter("<turns>", node.iter, at=place_of(node.iter))
            assert isinstance(node.target, nodes.Name)
            target = nodes.Name(node.target.name, "store", lineno=place)
            return nodes.For(target, over, _all(node.body), _all(node.else_), None, False, lineno=place)
        case nodes.Getattr():
            return _filter("<field>", node.node, nodes.Const(node.attr), at=place)
        case nodes.Filter():
            return _filter(node.name, node.node, *map(_lower, node.args), at=place)
        case nodes.Compare():
            pairs = [part for one in node.ops for part in (nodes.Const(SIGNS[one.op]), _lower(one.expr))]
            return _filter("<compare>", node.expr, *pairs, at=place)
        case nodes.And() | nodes.Or():
            word = "and" if isinstance(node, nodes.And) else "or"
            return type(node)(_truth(node.left, word), _truth(node.right, word), lineno=place)
        case nodes.BinExpr():
            return _filter("<operate>", node.left, nodes.Const(node.operator), _lower(node.right), at=place)
        case nodes.Not():
            return nodes.Not(_truth(node.node, "not"), lineno=place)
        case nodes.Neg():
            return _filter("<negate>", node.node, at=place)
        case nodes.CondExpr():
            other = nodes.Const(None) if node.expr2 is None else _lower(node.expr2)
            return nodes.CondExpr(_test(node.test), _lower(node.expr1), other, lineno=place)
        case nodes.Name():
            return nodes.Name(node.name, "load", lineno=place)
        case _:
            return node


def _test(node: Any) -> Any:
    """`node` as a condition: whether a value is there, not empty, not 0 and not false."""
    match node:
        case nodes.And() | nodes.Or():
            return type(node)(_test(node.left), _test(node.right), lineno=node.lineno)
        case nodes.Not():
            return nodes.Not(_test(node.node), lineno=node.lineno)
    return _lower(node)


def _truth(node: Any, word: str) -> Any:
    """`node` where a value must be true or false."""
    if isinstance(node, nodes.Compare | nodes.And | nodes.Or | nodes.Not):
        return _lower(node)
    return _filter("<truth>", node, nodes.Const(word), at=place_of(node))


def _inserted(part: nodes.Expr) -> nodes.Expr:
    return part if isinstance(part, nodes.TemplateData) else _filter("<text>", part, at=place_of(part))


def _all(body: Sequence[nodes.Node]) -> list[nodes.Node]:
    return [_lower(node) for node in body]


def _filter(name: str, node: Any, *arguments: nodes.Expr, at: int) -> nodes.Filter:
    place = nodes.Const(at)
    return nodes.Filter(_lower(node), name, [place, *arguments], [], None, None, lineno=at)


def _environment() -> Sandbox:
    environment = Sandbox()
    environment.filters = {name: pass_context(function) for name, function in OPERATIONS.items()}
    return environment


_ENVIRONMENT = _environment()
