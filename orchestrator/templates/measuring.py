"""How long a filled template can be, when part of what goes into it is not known yet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from jinja2 import nodes

from ..errors import TemplateError
from ..expressions import NUMBER_SIZE, TRUTH_SIZE, Namespace, Size, as_text, longer
from .filters import FILTERS, Filtered
from .operations import LOOP_FIELDS, MOST_TURNS, text_of
from .rendering import Renderer
from .syntax import Tree, place_of
from .template import LONGEST_TEXT, Measured
from .unwritten import marked_size

__all__ = ["measure"]

ENDLESS = Size(tokens=math.inf, count=math.inf)
"""No bound is known."""

LOOP_TOKENS = 5.0
"""Tokens of a loop's number, which has five digits at most, or of `false`."""


def measure(tree: Tree, renderer: Renderer, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> Measured:
    """What is known of the filled template, and how many tokens the rest can have."""
    for name, place in tree.names.items():
        if name not in values and name not in sizes:
            raise TemplateError(f"nothing is known of `{name}`", offset=place)
    measuring = _Measuring(renderer)
    unknown = {name: size for name, size in sizes.items() if name not in values}
    for name in tree.names.keys() & values.keys():
        if (size := marked_size(values[name])) is not None:
            unknown[name] = size
    measuring.block(tree.body, values, unknown)
    text, counted = "".join(measuring.pieces), "".join(measuring.counted)
    return Measured(text=text, counted=counted, inserted=measuring.inserted)


class _Measuring:
    """Goes through a template as filling it does, with sizes where values are not known."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self.pieces: list[str] = []
        self.counted: list[str] = []
        self.inserted = 0.0
        self.length = self.turns = 0

    def block(self, body: Sequence[nodes.Node], values: Mapping[str, Any], sizes: Mapping[str, Size]) -> None:
        for node in body:
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        self.output(part, values, sizes)
                case nodes.If():
                    self.either(node, values, sizes)
                case nodes.For():
                    self.loop(node, values, sizes)

    def output(self, part: nodes.Expr, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> None:
        if isinstance(part, nodes.TemplateData):
            self.write(part.data)
        elif self.known(part, values, sizes) or _is_shown(part, values, sizes):
            self.write(text_of(self.renderer.value(part, values), place_of(part)))
        else:
            size = self.size(part, values, sizes)
            self.inserted += size.tokens
            self.counted.append("\n")
            self.separators(", ", size.commas)

    def write(self, text: str) -> None:
        self.length += len(text)
        if self.length > LONGEST_TEXT:
            self.inserted = math.inf
        else:
            self.pieces.append(text)
            self.counted.append(text)

    def separators(self, text: str, count: float) -> None:
        """What stands `count` times between items."""
        if count * len(text) > LONGEST_TEXT:
            self.inserted = math.inf
        else:
            self.write(text * int(count))

    def either(self, node: nodes.If, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> None:
        for case in (node, *node.elif_):
            if not self.known(case.test, values, sizes):
                self.block(case.body, values, sizes)
            elif self.renderer.holds(case.test, values):
                self.block(case.body, values, sizes)
                return
        self.block(node.else_, values, sizes)

    def loop(self, node: nodes.For, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> None:
        assert isinstance(node.target, nodes.Name)
        name = node.target.name
        if self.known(node.iter, values, sizes):
            items = self.renderer.items(node.iter, values)
            outer = {own: size for own, size in sizes.items() if own not in (name, "loop")}
            for number, item in enumerate(items):
                self.turns += 1
                if self.turns > MOST_TURNS:
                    self.inserted = math.inf
                    break
                loop = Namespace(
                    zip(LOOP_FIELDS, (number + 1, number == 0, number == len(items) - 1), strict=True)
                )
                self.block(node.body, {**values, name: item, "loop": loop}, outer)
            if not items:
                self.block(node.else_, values, sizes)
            return
        size = self.size(node.iter, values, sizes)
        inside = {**sizes, name: size.item or Size(tokens=size.tokens), "loop": Size(tokens=LOOP_TOKENS)}
        # A name is known or sized: inside, the loop's own hide what is outside.
        outer = {own: value for own, value in values.items() if own not in (name, "loop")}
        for _ in range(int(min(size.count, MOST_TURNS + 1))):
            self.turns += 1
            if self.turns > MOST_TURNS:
                self.inserted = math.inf
                break
            self.block(node.body, outer, inside)
        self.block(node.else_, values, sizes)

    # Sizes of what is not known ------------------------------------------------------------------------------

    def size(self, node: nodes.Node, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> Size:
        """How long the value of an expression can be."""
        if self.known(node, values, sizes):
            value = self.renderer.value(node, values)
            return _size_of(value)
        match node:
            case nodes.Name():
                return sizes[node.name]
            case nodes.Getattr():
                whole = self.size(node.node, values, sizes)
                return whole.fields.get(node.attr) or replace(whole, fields={})
            case nodes.Filter():
                return self.filtered(node, values, sizes)
            case nodes.CondExpr():
                arms = [node.expr1] if node.expr2 is None else [node.expr1, node.expr2]
                return reduce(longer, [self.size(arm, values, sizes) for arm in arms])
            case nodes.And() | nodes.Or():
                return longer(self.size(node.left, values, sizes), self.size(node.right, values, sizes))
            case nodes.Add():
                sides = [self.size(arm, values, sizes) for arm in (node.left, node.right)]
                return Size(tokens=max(NUMBER_SIZE.tokens, sum(side.tokens for side in sides)))
            case nodes.BinExpr() | nodes.Neg() | nodes.Pos():
                return NUMBER_SIZE
            case nodes.Compare() | nodes.Not():
                return TRUTH_SIZE
        return ENDLESS

    def filtered(self, node: nodes.Filter, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> Size:
        assert node.node is not None
        known = FILTERS.get(node.name)
        if known is None:
            return ENDLESS
        number = None
        if node.args and self.known(node.args[0], values, sizes):
            given = self.renderer.value(node.args[0], values)
            number = given if isinstance(given, int) else None
        size = self.size(node.node, values, sizes)
        arguments = [self.size(argument, values, sizes) for argument in node.args]
        return known.size(Filtered(size=size, arguments=arguments, number=number))

    # What is known -------------------------------------------------------------------------------------------

    def known(self, node: nodes.Node, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> bool:
        """Whether the value of an expression is known: no text in it is still to be written."""
        if isinstance(node, nodes.Name):
            return node.name not in sizes
        if _is_shown(node, values, sizes):
            return marked_size(self.renderer.value(node, values)) is None
        return all(self.known(part, values, sizes) for part in node.iter_child_nodes())


def _is_shown(node: nodes.Node, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> bool:
    """Whether an expression is a name, or a field of one, whose value is there with marks in it."""
    while isinstance(node, nodes.Getattr):
        node = node.node
    return isinstance(node, nodes.Name) and node.name in sizes and node.name in values


def _size_of(value: Any) -> Size:
    """The size of what is known, in a value of which part is not: bytes are the most tokens that there can be."""
    try:
        tokens = float(len(as_text(value).encode("utf-8", "surrogatepass")))
    except TypeError:
        tokens = math.inf
    return Size(tokens=tokens, count=len(value) if isinstance(value, list | tuple) else 1.0)
