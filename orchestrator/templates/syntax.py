"""Reads a template with Jinja2's parser, and lets only a few kinds of nodes through."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from jinja2 import TemplateSyntaxError, nodes

from ..errors import TemplateError
from ..expressions import LARGEST
from ..spelling import did_you_mean
from .filters import FILTERS
from .sandbox import DEEPEST_EXPRESSION, DEEPEST_NESTING, Sandbox, too_deep

__all__ = ["SIGNS", "Tree", "parse", "place_of"]

SIGNS = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "lteq": "<=",
    "gt": ">",
    "gteq": ">=",
    "in": "in",
    "notin": "not in",
}
"""How comparisons are written, by what Jinja2 calls them."""

# White space, so that in tags it is skipped as carriage returns are.
_SPACES = (
    "\x1f\x1e\x1d\x1c\x0b\x0c\x85\u2028\u2029\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*|_+[A-Za-z0-9][A-Za-z0-9_]*|_", re.ASCII)
_NOT_NAMES = ("self", "super", "caller", "varargs", "kwargs")
"""What Jinja gives a meaning of its own."""


@dataclass(slots=True)
class Tree:
    """A template that is in the language.

    Attributes:
        body: Its nodes; a node's `lineno` is its place, in characters from the start.
        names: The names it needs, with the place of the first use.
    """

    body: list[nodes.Node]
    names: dict[str, int] = field(default_factory=dict)


_SANDBOX = Sandbox()


def parse(text: str) -> Tree:
    """The tree of a template.

    Raises:
        TemplateError: It is not in the language, or too large.
    """
    source, returns = _without_returns(text)
    try:
        parsed = _SANDBOX.parse(source)
    except TemplateSyntaxError as error:
        raise _syntax_error(error, source) from None
    except RecursionError:
        raise too_deep(None) from None
    if returns is not None:
        _restore_returns(parsed, returns)
    tree = Tree(list(parsed.body))
    _Walk(tree, source).block(tree.body, {}, 0)
    return tree


def place_of(node: nodes.Node) -> int:
    """Where an expression begins, in characters from the start: an operation's own place is beside its sign."""
    match node:
        case nodes.BinExpr():
            return place_of(node.left)
        case nodes.Compare():
            return place_of(node.expr)
        case nodes.CondExpr():
            return place_of(node.expr1)
        case nodes.Getattr() | nodes.Call():
            return place_of(node.node)
        case nodes.Filter() if node.node is not None:
            return place_of(node.node)
        case nodes.Tuple() if node.items:
            return place_of(node.items[0])
        case nodes.Concat():
            return place_of(node.nodes[0])
    return node.lineno


def _without_returns(text: str) -> tuple[str, str | None]:
    """The text with another white space for carriage returns, which Jinja would change, and that white space."""
    if "\r" not in text:
        return text, None
    for space in _SPACES:
        if space not in text:
            return text.replace("\r", space), space
    raise TemplateError("carriage returns among every other kind of white space", hint="end lines by \\n")


def _restore_returns(tree: nodes.Template, space: str) -> None:
    for data in tree.find_all(nodes.TemplateData):
        data.data = data.data.replace(space, "\r")
    for constant in tree.find_all(nodes.Const):
        if isinstance(constant.value, str):
            constant.value = constant.value.replace(space, "\r")


def _syntax_error(error: TemplateSyntaxError, source: str) -> TemplateError:
    message = re.sub(r" at \d+$", "", (error.message or "not a template").rstrip("."))
    message = message[0].lower() + message[1:]
    hint: str | None = None
    place = error.lineno
    if source.startswith("{{{", max(source.rfind("{{", 0, place) - 1, 0)):
        hint = "a brace before a value is written {{ '{' }}"
    elif match := re.match(r"encountered unknown tag '([^']*)'", message):
        ends = match[1] in ("endif", "endfor", "elif", "else")
        message = f"`{match[1]}` has no open block" if ends else f"there is no tag `{match[1]}`"
        hint = None if ends else did_you_mean(match[1], ("if", "for", "raw")) or _TAGS
    elif message.startswith("missing end of comment"):
        place = source.rfind("{#", 0, place)
        message, hint = "a comment that begins with {# does not end", "a literal one is written {{ '{#' }}"
    elif message.startswith("missing end of raw"):
        place = source.rfind("{%", 0, place)
        message = "a {% raw %} without its {% endraw %}"
    elif message.startswith("unexpected end of template"):
        message, hint = (
            "the template ends inside a tag",
            "close it, or end its block by {% endif %} or {% endfor %}",
        )
    return TemplateError(message, offset=place, hint=hint)


_TAGS = "the tags are if, elif, else, for and raw"

_OTHER: dict[type[nodes.Node], tuple[str, str | None]] = {
    nodes.Assign: ("a template sets no names", "set it in a step before, and name it here"),
    nodes.AssignBlock: ("a template sets no names", "set it in a step before, and name it here"),
    nodes.Block: ("there are no blocks", _TAGS),
    nodes.Call: ("a template calls nothing", "values, their fields and filters are all there is"),
    nodes.CallBlock: ("a template calls nothing", _TAGS),
    nodes.Concat: ("`~` is not in the language", "write one {{ }} after the other, or `+` between texts"),
    nodes.Dict: ("mappings are not in the language", "a literal brace is written {{ '{' }}"),
    nodes.Extends: ("a template extends no other", None),
    nodes.FilterBlock: ("filters stand inside {{ }} only", None),
    nodes.FromImport: ("a template imports nothing", None),
    nodes.Getitem: ("there is no index", "lists have the filters `first` and `last`, and {% for %}"),
    nodes.Import: ("a template imports nothing", None),
    nodes.Include: ("a template includes no other", "name a text that is known"),
    nodes.List: ("lists are not written in a template", None),
    nodes.Macro: ("there are no macros", _TAGS),
    nodes.Pos: ("`+` stands between two values", None),
    nodes.Pow: ("there is no power", None),
    nodes.ScopedEvalContextModifier: ("there is no autoescape", _TAGS),
    nodes.Test: ("`is` is not in the language", "compare by `==`; what is missing is `none`"),
    nodes.Tuple: ("several values in one place", "write one {{ }} for each"),
    nodes.With: ("a template sets no names", "set it in a step before, and name it here"),
}
"""What is said of nodes that are not in the language."""


class _Walk:
    """Refuses every node that is not in the language, and gathers the names that are not the template's own."""

    def __init__(self, tree: Tree, source: str) -> None:
        self.tree, self.source = tree, source

    def block(self, body: Iterable[nodes.Node], own: dict[str, bool], depth: int) -> None:
        if depth > DEEPEST_NESTING:
            raise too_deep(next(iter(body)).lineno)
        for node in body:
            self.statement(node, own, depth)

    def statement(self, node: nodes.Node, own: dict[str, bool], depth: int) -> None:
        match node:
            case nodes.Output():
                for part in node.nodes:
                    if not isinstance(part, nodes.TemplateData):
                        self.expression(part, own, 1)
            case nodes.If():
                self.expression(node.test, own, 1)
                self.block(node.body, own, depth + 1)
                for other in node.elif_:
                    self.statement(other, own, depth)
                self.block(node.else_, own, depth + 1)
            case nodes.For():
                self.loop(node, own, depth)
            case _:
                raise self.refused(node)

    def loop(self, node: nodes.For, own: dict[str, bool], depth: int) -> None:
        if node.recursive:
            raise TemplateError("a loop that calls itself", offset=node.lineno)
        if node.test is not None:
            raise TemplateError(
                "a condition on a loop", offset=place_of(node.test), hint="write {% if %} inside the loop"
            )
        if not isinstance(node.target, nodes.Name):
            raise TemplateError("a loop gives one name to its items", offset=place_of(node.target))
        self.named(node.target)
        if node.target.name == "loop":
            raise TemplateError("`loop` is the name of the loop itself", offset=node.target.lineno)
        self.expression(node.iter, own, 1)
        self.block(node.body, {**own, node.target.name: True, "loop": True}, depth + 1)
        self.block(node.else_, own, depth + 1)

    def expression(self, node: nodes.Node, own: dict[str, bool], depth: int) -> None:
        if depth > DEEPEST_EXPRESSION:
            raise too_deep(node.lineno)
        match node:
            case nodes.Name():
                self.named(node)
                if node.name not in own:
                    self.tree.names.setdefault(node.name, node.lineno)
            case nodes.Getattr():
                self.field(node)
            case nodes.Filter():
                self.filter(node)
            case nodes.Const():
                if isinstance(node.value, float) and not math.isfinite(node.value):
                    raise TemplateError("a number too large", offset=node.lineno)
                if isinstance(node.value, int) and node.value > LARGEST:
                    raise TemplateError(f"whole numbers are at most {LARGEST:,} here", offset=node.lineno)
            case (
                nodes.CondExpr() | nodes.Compare() | nodes.Operand() | nodes.And() | nodes.Or() | nodes.Not()
            ):
                pass
            case nodes.Add() | nodes.Sub() | nodes.Mul() | nodes.Div() | nodes.FloorDiv() | nodes.Mod():
                self.no_repetition(node)
            case nodes.Neg():
                pass
            case _:
                raise self.refused(node)
        for child in node.iter_child_nodes():
            self.expression(child, own, depth + 1)

    def named(self, node: nodes.Name) -> None:
        if not _NAME.fullmatch(node.name):
            raise TemplateError(
                f"`{node.name}` is not a name", offset=node.lineno, hint="names are of a-z, A-Z, 0-9 and _"
            )
        if node.name in _NOT_NAMES:
            raise TemplateError(f"`{node.name}` is not a name of a value", offset=node.lineno)

    def field(self, node: nodes.Getattr) -> None:
        # The node stands where its dot does.
        after = self.source[node.lineno + 1 :]
        node.lineno += 1 + len(after) - len(after.lstrip())
        if node.attr.startswith("_") or not _NAME.fullmatch(node.attr):
            raise TemplateError(f"no value has a field `{node.attr}`", offset=node.lineno)

    def filter(self, node: nodes.Filter) -> None:
        if node.node is None:
            raise self.refused(node)
        wanted = FILTERS.get(node.name)
        if wanted is None:
            raise TemplateError(
                f"there is no filter `{node.name}`",
                offset=node.lineno,
                hint=did_you_mean(node.name, FILTERS) or f"the filters are {', '.join(FILTERS)}",
            )
        if node.dyn_args or node.dyn_kwargs:
            raise TemplateError(f"`{node.name}` takes no * arguments", offset=node.lineno)
        if node.kwargs:
            raise TemplateError(
                f"`{node.name}` takes no argument `{node.kwargs[0].key}`",
                offset=node.kwargs[0].lineno,
                hint=f"write {_call(node.name)}",
            )
        least = 1 if wanted.required else 0
        if not least <= len(node.args) <= len(wanted.takes):
            expected = f"needs its {wanted.takes[0]}" if not node.args else "has too many arguments"
            raise TemplateError(
                f"`{node.name}` {expected}", offset=node.lineno, hint=f"write {_call(node.name)}"
            )

    def no_repetition(self, node: nodes.BinExpr) -> None:
        if isinstance(node, nodes.Mul | nodes.Mod):
            for side in (node.left, node.right):
                if isinstance(side, nodes.Const) and isinstance(side.value, str):
                    raise TemplateError(
                        f"`{node.operator}` is for numbers, and this is a text", offset=side.lineno
                    )

    def refused(self, node: nodes.Node) -> TemplateError:
        message, hint = _OTHER.get(
            type(node), (f"{type(node).__name__.lower()} is not in the language", None)
        )
        return TemplateError(message, offset=place_of(node), hint=hint)


def _call(name: str) -> str:
    takes = FILTERS[name].takes
    return f"`{name}({takes[0]})`" if takes else f"`{name}`"
