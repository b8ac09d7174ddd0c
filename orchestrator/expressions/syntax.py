"""Reads the text of an expression into a tree: Python's syntax, and of that only what is listed here."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from ..errors import ExpressionError
from ..spelling import did_you_mean
from .functions import FUNCTIONS
from .order import DEEPEST, MOST_PARTS, check_order
from .scanning import Token, number_of, scan, text_of
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

__all__ = ["parse"]


_WORDS = {"true": True, "false": False, "none": None}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


def parse(text: str) -> Node:
    """The tree of an expression.

    Raises:
        ExpressionError: It is not written in the language, or too long or deep.
    """
    tokens = scan(text)
    check_order(tokens, len(text))
    try:
        tree = ast.parse(_plain(text, tokens), mode="eval").body
    except (
        SyntaxError,
        ValueError,
        RecursionError,
        MemoryError,
    ) as error:  # not seen since `check_order` is exact
        offset = getattr(error, "offset", None) or 1
        raise ExpressionError(
            "this is not an expression", offset=min(offset - 1 + tokens[0].start, tokens[-1].start)
        ) from None
    return _Builder(tokens).node(tree)


def _plain(text: str, tokens: Sequence[Token]) -> str:
    """The tokens on one line, each at its place, with the insides of texts blotted out: so every place that Python's
    parser tells is one in `text` (but for the spaces in front, which it does not take), and no escape, line end or
    foreign letter reaches it.
    """
    line = [" "] * len(text)
    for token in tokens:
        shown = f"'{'x' * (len(token.text) - 2)}'" if token.kind == "text" else token.text
        line[token.start : token.end] = shown
    return "".join(line[tokens[0].start :])


class _Builder:
    """Turns Python's tree into the language's, counting parts and depth."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.shift = tokens[0].start  # what Python's parser was not given
        self.tokens = {token.start: token for token in tokens}
        self.nodes = 0
        self.depth = 0

    def node(self, found: ast.expr) -> Node:
        self.nodes += 1
        if self.nodes > MOST_PARTS:
            raise ExpressionError(
                f"an expression has at most {MOST_PARTS} parts", offset=found.col_offset + self.shift
            )
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError(
                f"the parts of an expression stand at most {DEEPEST} deep inside each other",
                offset=found.col_offset + self.shift,
            )
        built = self._built(found, found.col_offset + self.shift, (found.end_col_offset or 0) + self.shift)
        self.depth -= 1
        return built

    def _nodes(self, found: Iterable[ast.expr]) -> tuple[Node, ...]:
        return tuple(self.node(one) for one in found)

    def _built(self, found: ast.expr, start: int, end: int) -> Node:
        match found:
            case ast.Constant():
                return Constant(start=start, end=end, value=self._constant(found))
            case ast.Name(id=name) if name in _WORDS:
                return Constant(start=start, end=end, value=_WORDS[name])
            case ast.Name(id=name):
                return Name(start=start, end=end, name=name)
            case ast.Attribute(value=of, attr=name):
                return Field(start=start, end=end, of=self.node(of), name=name)
            case ast.Subscript(value=of, slice=index):
                return Item(start=start, end=end, of=self.node(of), index=self._index(index))
            case ast.UnaryOp(op=ast.USub(), operand=of):
                return self._negation(self.node(of), start, end)
            case ast.UnaryOp(op=ast.Not(), operand=of):
                return Not(start=start, end=end, of=self.node(of))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _ARITHMETIC:
                sign = _ARITHMETIC[type(operator)]
                return Arithmetic(
                    start=start, end=end, operator=sign, left=self.node(left), right=self.node(right)
                )
            case ast.BoolOp(op=joint, values=values):
                word = "and" if isinstance(joint, ast.And) else "or"
                return Logical(start=start, end=end, operator=word, values=self._nodes(values))
            case ast.Compare(left=left, ops=operators, comparators=others):
                return self._comparison(operators, self._nodes([left, *others]), start, end)
            case ast.IfExp(test=condition, body=then, orelse=otherwise):
                return Choice(
                    start=start,
                    end=end,
                    condition=self.node(condition),
                    then=self.node(then),
                    otherwise=self.node(otherwise),
                )
            case ast.List(elts=items):
                if not items:
                    raise ExpressionError(
                        "a list has at least one item, so that its type is known", offset=start
                    )
                return Items(start=start, end=end, items=self._nodes(items))
            case ast.Call():
                return self._call(found, start, end)
        raise ExpressionError("this is not part of expressions", offset=start)

    def _constant(self, found: ast.Constant) -> int | float | str | bool | None:
        if found.value is None or isinstance(found.value, bool):
            return found.value
        token = self.tokens[found.col_offset + self.shift]
        return text_of(token) if token.kind == "text" else number_of(token)

    def _index(self, found: ast.expr) -> int:
        index = self.node(found)
        if isinstance(index, Constant) and type(index.value) is int:
            return index.value
        raise ExpressionError("an index is a whole number, such as [0] or [-1]", offset=index.start)

    def _negation(self, of: Node, start: int, end: int) -> Node:
        if isinstance(of, Constant) and isinstance(of.value, int | float) and not isinstance(of.value, bool):
            return Constant(start=start, end=end, value=-of.value)
        return Negation(start=start, end=end, of=of)

    def _comparison(self, found: Sequence[ast.cmpop], values: tuple[Node, ...], start: int, end: int) -> Node:
        operators = tuple(_COMPARISONS[type(operator)] for operator in found)
        for operator, value in zip(operators, values[1:], strict=True):
            if operator.startswith("is") and not (isinstance(value, Constant) and value.value is None):
                sign = "==" if operator == "is" else "!="
                raise ExpressionError(
                    f"only `None` can stand after `{operator}`",
                    offset=value.start,
                    hint=f"did you mean `{sign}`?",
                )
        return Comparison(start=start, end=end, operators=operators, values=values)

    def _call(self, found: ast.Call, start: int, end: int) -> Node:
        if isinstance(found.func, ast.Attribute):
            raise ExpressionError(
                f"values have fields only, so `{found.func.attr}` cannot be called",
                offset=(found.func.end_col_offset or 0) - len(found.func.attr) + self.shift,
            )
        if not isinstance(found.func, ast.Name):
            raise ExpressionError("only a function can be called", offset=found.func.col_offset + self.shift)
        name = found.func.id
        if name not in FUNCTIONS:
            raise ExpressionError(
                f"no function `{name}`; there are: {', '.join(FUNCTIONS)}",
                offset=start,
                hint=did_you_mean(name, FUNCTIONS),
            )
        arity = FUNCTIONS[name].arity
        if len(found.args) not in arity:
            raise ExpressionError(
                f"`{name}` takes {FUNCTIONS[name].takes}, not {len(found.args) or 'nothing'}", offset=start
            )
        return Call(start=start, end=end, function=name, arguments=self._nodes(found.args))
