"""How long a filled template can be, when part of what goes into it is not known yet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import nodes

from ..errors import TemplateError
from ..expressions import Namespace, Size, as_text
from .operations import LOOP_FIELDS, MOST_TURNS, WIDEST_INDENT, text_of
from .rendering import Renderer
from .syntax import Tree, place_of
from .template import LONGEST_TEXT, Measured

__all__ = ["measure"]

NUMBER_TOKENS = 24.0
"""Tokens of a number: as many as it has characters, at most."""

LOOP_TOKENS = 5.0
"""Tokens of a loop's number, which has five digits at most, or of `false`."""

BYTES_OF_CHARACTER = 4.0
"""Tokens of a character, at most: one for each of its bytes."""


def measure(tree: Tree, renderer: Renderer, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> Measured:
    """What is known of the filled template, and how many tokens the rest can have."""
    for name, place in tree.names.items():
        if name not in values and name not in sizes:
            raise TemplateError(f"nothing is known of `{name}`", offset=place)
    measuring = _Measuring(renderer)
    measuring.block(tree.body, values, {name: size for name, size in sizes.items() if name not in values})
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
        elif _known(part, sizes):
            self.write(text_of(self.renderer.value(part, values), place_of(part)))
        else:
            size = self.size(part, values, sizes)
            self.inserted += size.tokens
            self.counted.append("\n")
            self.separators(", ", size.count)

    def write(self, text: str) -> None:
        self.length += len(text)
        if self.length > LONGEST_TEXT:
            self.inserted = math.inf
        else:
            self.pieces.append(text)
            self.counted.append(text)

    def separators(self, text: str, count: float) -> None:
        """What stands between `count` items."""
        if count <= 1 or not text:
            return
        if count * len(text) > LONGEST_TEXT:
            self.inserted = math.inf
        else:
            self.write(text * (int(count) - 1))

    def either(self, node: nodes.If, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> None:
        for case in (node, *node.elif_):
            if not _known(case.test, sizes):
                self.block(case.body, values, sizes)
            elif self.renderer.holds(case.test, values):
                self.block(case.body, values, sizes)
                return
        self.block(node.else_, values, sizes)

    def loop(self, node: nodes.For, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> None:
        assert isinstance(node.target, nodes.Name)
        name = node.target.name
        if _known(node.iter, sizes):
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
        if _known(node, sizes):
            value = self.renderer.value(node, values)
            return _size_of(value)
        match node:
            case nodes.Name():
                return sizes[node.name]
            case nodes.Getattr():
                whole = self.size(node.node, values, sizes)
                return _field(whole, node.attr)
            case nodes.Filter():
                return self.filtered(node, values, sizes)
            case nodes.CondExpr():
                arms = [node.expr1] if node.expr2 is None else [node.expr1, node.expr2]
                return _larger([self.size(arm, values, sizes) for arm in arms])
            case nodes.And() | nodes.Or():
                return _larger([self.size(arm, values, sizes) for arm in (node.left, node.right)])
            case nodes.Add():
                sides = [self.size(arm, values, sizes) for arm in (node.left, node.right)]
                return Size(tokens=max(NUMBER_TOKENS, sum(side.tokens for side in sides)))
        return Size(tokens=NUMBER_TOKENS)

    def filtered(self, node: nodes.Filter, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> Size:
        assert node.node is not None
        size = self.size(node.node, values, sizes)
        arguments = [self.size(argument, values, sizes) for argument in node.args]
        # Where it is a list, it is put into a text with its commas.
        whole = size.tokens + 2 * max(size.count - 1, 0)
        match node.name:
            case "first" | "last":
                return size.item or Size(tokens=size.tokens)
            case "default":
                return _larger([size, arguments[0]])
            case "join":
                return Size(tokens=size.tokens + arguments[0].tokens * max(size.count - 1, 0))
            case "length" | "round":
                return Size(tokens=NUMBER_TOKENS)
            case "truncate":
                most = self.argument(node, values, sizes, LONGEST_TEXT, LONGEST_TEXT)
                return Size(tokens=min(whole + 3, BYTES_OF_CHARACTER * most))
            case "indent":
                # A line has a token at least, and each gets its spaces.
                width = self.argument(node, values, sizes, WIDEST_INDENT, 4)
                return Size(tokens=whole * (1 + width))
            case "trim":
                return Size(tokens=whole)
            case "upper" | "lower":
                # Another case is cut into other tokens: no bound is known.
                return Size(tokens=math.inf)
        return size

    def argument(
        self, node: nodes.Filter, values: Mapping[str, Any], sizes: Mapping[str, Size], most: int, usual: int
    ) -> int:
        """The number that a filter is given, or `most` where that is not known."""
        if not node.args:
            return usual
        given = self.renderer.value(node.args[0], values) if _known(node.args[0], sizes) else most
        return max(given, 0) if isinstance(given, int) else most


def _known(node: nodes.Node, sizes: Mapping[str, Size]) -> bool:
    names = [node] if isinstance(node, nodes.Name) else node.find_all(nodes.Name)
    return not any(name.name in sizes for name in names if isinstance(name, nodes.Name))


def _larger(sizes: Sequence[Size]) -> Size:
    """The size of what is one of several."""
    items = [size.item for size in sizes if size.item is not None]
    names = {name for size in sizes for name in size.fields}
    return Size(
        tokens=max(size.tokens for size in sizes),
        count=max(size.count for size in sizes),
        fields={name: _larger([_field(size, name) for size in sizes]) for name in names},
        item=_larger(items) if items else None,
    )


def _field(size: Size, name: str) -> Size:
    return size.fields.get(name) or Size(tokens=size.tokens, count=size.count, item=size.item)


def _size_of(value: Any) -> Size:
    """The size of what is known, in a value of which part is not: bytes are the most tokens that there can be."""
    try:
        tokens = float(len(as_text(value).encode("utf-8", "surrogatepass")))
    except TypeError:
        tokens = math.inf
    return Size(tokens=tokens, count=len(value) if isinstance(value, list | tuple) else 1.0)
