"""Refuses tokens that cannot follow one another, with what was expected in their place.

What passes has its values and operators in turn, its brackets matched and not too deep, an `else` for each `if`:
Python's parser, which comes next, finds nothing in it to refuse, or to be slow on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import ExpressionError
from .scanning import Token

__all__ = ["DEEPEST", "MOST_PARTS", "check_order"]

DEEPEST = 30
"""Brackets within brackets, and parts within parts, at most."""

MOST_PARTS = 200
"""Parts of an expression, at most."""

_NOT_AFTER = frozenset(
    {*["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=", "in"], "not in", "is not"}
)
_HALF = "not ..."  # of `not in`
_OPERATOR_WORDS = frozenset(["and", "or", "in", "is", "if", "else"])
_NO_FIELDS = frozenset(["True", "False", "None", "and", "or", "not", "in", "is", "if", "else"])


@dataclass(slots=True)
class _Bracket:
    """An open bracket, or the expression as a whole.

    Attributes:
        token: The bracket; None for the whole.
        listing: Whether commas may stand directly inside.
        condition: The `if` that waits for its `else`.
    """

    token: Token | None
    listing: bool
    condition: Token | None = None


@dataclass(slots=True)
class _Reader:
    """Goes through an expression.

    Attributes:
        value_next: Whether a value comes next, not an operator.
        before: The token before.
        operator: The last operator; two words where it has two.
        parts: Values and fields so far: the tree will have at least as many parts.
        open: The brackets around, from the outermost.
    """

    value_next: bool = True
    before: Token | None = None
    operator: str = ""
    parts: int = 0
    open: list[_Bracket] = field(default_factory=lambda: [_Bracket(None, False)])

    def read(self, token: Token) -> None:
        if self.operator == _HALF and token.text != "in" and self.before is not None:
            raise ExpressionError("expected an operator before `not`", offset=self.before.start)
        if self.before is not None and self.before.text == ".":
            self._field(token)
        elif token.text == "not":
            self._not(token)
        elif token.text in ("(", "["):
            self._opening(token)
        elif token.text in (")", "]"):
            self._closing(token)
        elif token.kind == "symbol" or token.text in _OPERATOR_WORDS:
            self._operator(token)
        else:
            self._value(token)
        self.before = token

    def end(self, length: int) -> None:
        """Nothing follows."""
        innermost = self.open[-1]
        if innermost.token is not None:
            raise ExpressionError(
                f"this `{innermost.token.text}` is never closed", offset=innermost.token.start
            )
        if self.value_next:
            after = f" after `{self.before.text}`" if self.before else ""
            raise ExpressionError(f"expected a value{after}, but the expression ends here", offset=length)
        _check_else(innermost)

    def _field(self, token: Token) -> None:
        if token.kind != "word" or token.text in _NO_FIELDS:
            raise ExpressionError("expected the name of a field after `.`", offset=token.start)
        self._part(token)

    def _value(self, token: Token) -> None:
        if not self.value_next:
            if self.before is not None and self.before.kind == token.kind == "text":
                raise ExpressionError(
                    "expected an operator between two texts", offset=token.start, hint="join them with `+`"
                )
            raise ExpressionError(f"expected an operator before `{token.text}`", offset=token.start)
        self._part(token)

    def _part(self, token: Token) -> None:
        self.value_next = False
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise ExpressionError(f"an expression has at most {MOST_PARTS} parts", offset=token.start)

    def _not(self, token: Token) -> None:
        if not self.value_next:
            self.operator, self.value_next = _HALF, True
        elif self.operator in _NOT_AFTER:
            raise ExpressionError(
                f"expected a value after `{self.operator}`", offset=token.start, hint="write `(not ...)`"
            )
        else:
            self.operator = "is not" if self.operator == "is" else "not"

    def _operator(self, token: Token) -> None:
        second = self.operator == _HALF
        if self.value_next and not second and token.text != "-":
            raise ExpressionError(f"expected a value before `{token.text}`", offset=token.start)
        innermost = self.open[-1]
        if token.text == "," and not innermost.listing:
            raise ExpressionError(
                "a comma stands only between arguments and between items",
                offset=token.start,
                hint="a list is written `[a, b]`",
            )
        self._choice(token, innermost)
        self.operator = "not in" if second else token.text
        self.value_next = True

    def _choice(self, token: Token, innermost: _Bracket) -> None:
        if token.text == ",":
            _check_else(innermost)
        elif token.text == "if":
            if innermost.condition is not None:
                raise ExpressionError(
                    "an `if` between another and its `else`",
                    offset=token.start,
                    hint="put brackets around one",
                )
            innermost.condition = token
        elif token.text == "else":
            if innermost.condition is None:
                raise ExpressionError(
                    "this `else` has no `if`", offset=token.start, hint="write `THIS if CONDITION else THAT`"
                )
            innermost.condition = None

    def _opening(self, token: Token) -> None:
        called = not self.value_next and token.text == "("
        if called and (self.before is None or self.before.kind != "word"):
            raise ExpressionError("only a function can be called", offset=token.start)
        if len(self.open) > DEEPEST:
            raise ExpressionError(
                f"brackets stand at most {DEEPEST} deep inside each other", offset=token.start
            )
        listing = called or (self.value_next and token.text == "[")
        self.open.append(_Bracket(token, listing))
        self.operator, self.value_next = token.text, True

    def _closing(self, token: Token) -> None:
        closed = self.open[-1]
        if closed.token is None:
            raise ExpressionError(f"this `{token.text}` closes nothing", offset=token.start)
        if closed.token.text + token.text not in ("()", "[]"):
            raise ExpressionError(f"this `{token.text}` closes a `{closed.token.text}`", offset=token.start)
        empty = self.before is closed.token and closed.listing
        if self.value_next and not empty:
            raise ExpressionError(f"expected a value before `{token.text}`", offset=token.start)
        _check_else(closed)
        self.open.pop()
        self.value_next = False


def _check_else(bracket: _Bracket) -> None:
    if bracket.condition is not None:
        raise ExpressionError(
            "this `if` has no `else`",
            offset=bracket.condition.start,
            hint="write `THIS if CONDITION else THAT`",
        )


def check_order(tokens: Sequence[Token], length: int) -> None:
    """Go through the tokens of an expression of `length` characters.

    Raises:
        ExpressionError: One of them cannot stand where it does, or one is lacking.
    """
    reader = _Reader()
    for token in tokens:
        reader.read(token)
    reader.end(length)
