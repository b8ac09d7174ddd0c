"""Fills templates: every operation becomes a call of one of `operations`, and Jinja2 compiles what then is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import nodes, pass_context

from ..errors import TemplateError
from ..expressions import spend
from .operations import OPERATIONS, WORK, Work, items_of
from .sandbox import Sandbox
from .syntax import place_of
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

    def value(self, node: nodes.Node, values: Mapping[str, Any]) -> Any:
        """The value of an expression in the template."""
        compiled = self._values.get(id(node))
        if compiled is None:
            kept = nodes.Assign(nodes.Name("result", "store", lineno=1), _lower(node), lineno=1)
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
            return nodes.If(_lower(node.test), _all(node.body), elifs, _all(node.else_), lineno=place)
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
            pairs = [part for one in node.ops for part in (nodes.Const(one.op), _lower(one.expr))]
            return _filter("<compare>", node.expr, *pairs, at=place)
        case nodes.And() | nodes.Or():
            return type(node)(_lower(node.left), _lower(node.right), lineno=place)
        case nodes.BinExpr():
            return _filter("<operate>", node.left, nodes.Const(node.operator), _lower(node.right), at=place)
        case nodes.Not():
            return nodes.Not(_lower(node.node), lineno=place)
        case nodes.Neg():
            return _filter("<operate>", nodes.Const(0), nodes.Const("-"), _lower(node.node), at=place)
        case nodes.Pos():
            return _filter("<operate>", nodes.Const(0), nodes.Const("+"), _lower(node.node), at=place)
        case nodes.CondExpr():
            other = nodes.Const(None) if node.expr2 is None else _lower(node.expr2)
            return nodes.CondExpr(_lower(node.test), _lower(node.expr1), other, lineno=place)
        case nodes.Name():
            return nodes.Name(node.name, "load", lineno=place)
        case _:
            return node


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
