"""Splits the text of an expression into tokens, and refuses what is no part of the language before it is parsed.

What is left is ASCII but for the insides of texts: numbers, texts, names, brackets and the language's own operators.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from dataclasses import dataclass

from ..errors import ExpressionError

__all__ = ["LARGEST", "LONGEST", "Token", "is_name", "number_of", "scan", "text_of"]

LONGEST = 1_000
"""Characters of an expression, at most."""

LARGEST = 2**53
"""The largest whole number: above it, a floating-point number is no longer exact to the unit."""

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
    | (?P<text>"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol>\*\*|//|<<|>>|<>|->|:=|&&|\|\||<=|>=|==|!=|\.\.\.|[-+*/%<>()\[\],.=!&|^~@:;{}?$\\`#])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_BRACED = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t"}

_SYMBOLS = frozenset(
    ["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=", "(", ")", "[", "]", ",", "."]
)
_OPERATOR_WORDS = frozenset(["and", "or", "not", "in", "is", "if", "else"])
_VALUE_WORDS = frozenset(["True", "False", "None", "true", "false", "none"])

_REFUSED = {
    "**": ("there are no powers", "multiply"),
    "^": ("there are no powers", "multiply"),
    "=": ("`=` gives no name to a value here", "did you mean `==`?"),
    ":=": ("`:=` gives no name to a value here", "did you mean `==`?"),
    "<>": ("`<>` is not an operator", "did you mean `!=`?"),
    "!": ("`!` is not an operator", "did you mean `not`?"),
    "&": ("`&` is not an operator", "did you mean `and`?"),
    "&&": ("`&&` is not an operator", "did you mean `and`?"),
    "|": ("`|` is not an operator", "did you mean `or`?"),
    "||": ("`||` is not an operator", "did you mean `or`?"),
    "?": ("`?` is not an operator", "a choice is written `THIS if CONDITION else THAT`"),
    "#": ("there are no comments inside an expression", "put it in the file beside the expression"),
    "{": ("there are no braces in expressions", "a list is written `[a, b]`"),
    "}": ("there are no braces in expressions", "a list is written `[a, b]`"),
    ":": ("there are no slices and no dictionaries in expressions", None),
}
_REFUSED_WORDS = {
    "lambda": ("there are no functions of one's own in expressions", None),
    "for": ("there are no loops in expressions", "use the step `for_each`"),
    "async": ("there are no loops in expressions", "use the step `for_each`"),
    "await": ("nothing is waited for in expressions", None),
    "yield": ("`yield` is not part of expressions", None),
}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression.

    Attributes:
        kind: `text`, `number`, `word` or `symbol`.
        text: As it is written.
        start: Its first character, counted from 0.
    """

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The character after its last one."""
        return self.start + len(self.text)


def is_name(text: str) -> bool:
    """Whether expressions can use `text` as a name: ASCII letters, digits and _, no word of Python's, no two
    underscores in front.
    """
    return (
        text.isascii()
        and text.isidentifier()
        and not text.startswith("__")
        and not keyword.iskeyword(text)
        and text not in _VALUE_WORDS
    )


def scan(text: str) -> list[Token]:
    """The tokens of an expression.

    Raises:
        ExpressionError: It is too long, or holds what is no part of the language.
    """
    if len(text) > LONGEST:
        raise ExpressionError(
            f"an expression has at most {LONGEST:,} characters, and this one has {len(text):,}",
            offset=LONGEST,
        )
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _unknown_character(text, at)
        token = Token(match.lastgroup, match.group(), at)
        at = match.end()
        if token.kind != "space":
            if token.text in ("{", "}") and "{{" in text:
                raise ExpressionError(
                    "there are no braces in expressions", offset=token.start, hint=_without_braces(text)
                )
            _check_token(token, tokens[-1] if tokens else None)
            tokens.append(token)
    return tokens


def _without_braces(text: str) -> str:
    """What an expression that is written as a template should be."""
    plain = " ".join(_BRACED.sub(r"\1", text).split())
    shown = "" if "{{" in plain or "}}" in plain or not plain or len(plain) > 100 else f": `{plain}`"
    return f"an expression is written without `{{{{ }}}}`{shown}"


def _unknown_character(text: str, at: int) -> ExpressionError:
    character = text[at]
    if character in "\"'":
        return ExpressionError("this text has no end", offset=at, hint=f"close it with {character}")
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    if not character.isprintable():
        return ExpressionError(f"the character {name} cannot stand in an expression", offset=at)
    return ExpressionError(
        f"`{character}` ({name}) cannot stand in an expression; names are made of the letters a to z, digits and _",
        offset=at,
        hint=_plain_spelling(text, at),
    )


def _plain_spelling(text: str, at: int) -> str | None:
    """What a character that only looks different is in ASCII, such as a full-width letter."""
    plain = unicodedata.normalize("NFKC", text[at])
    quotes = {"“": '"', "”": '"', "‘": "'", "’": "'", "≤": "<=", "≥": ">=", "≠": "!=", "×": "*", "−": "-"}
    plain = quotes.get(plain, plain)
    return f"write `{plain}`" if plain.isascii() and plain.strip() else None


def _check_token(token: Token, before: Token | None) -> None:
    if before is not None and before.end == token.start:
        _check_touching(before, token)
    if token.kind == "symbol" and token.text not in _SYMBOLS:
        message, hint = _REFUSED.get(token.text, (f"`{token.text}` is not part of expressions", None))
        raise ExpressionError(message, offset=token.start, hint=hint)
    if token.kind == "word":
        _check_word(token)
    elif token.kind == "number":
        number_of(token)
    elif token.kind == "text":
        text_of(token)


def _check_touching(before: Token, token: Token) -> None:
    """Refuse what Python reads as one thing, or warns of: `f"..."`, `1_000`, `0x1f`, `2if`."""
    if before.kind == "number" and token.kind in ("word", "number"):
        raise ExpressionError(
            f"`{before.text}{token.text}` is neither a number nor a name", offset=before.start
        )
    if token.kind == "text" and before.kind == "word" and before.text not in _OPERATOR_WORDS:
        hint = "join texts with `+`" if "f" in before.text.lower() else None
        raise ExpressionError(f"no `{before.text}` can stand before a text", offset=before.start, hint=hint)


def _check_word(token: Token) -> None:
    word = token.text
    if word.startswith("__"):
        raise ExpressionError(f"`{word}`: no name begins with two underscores", offset=token.start)
    if keyword.iskeyword(word) and word not in _OPERATOR_WORDS | _VALUE_WORDS:
        message, hint = _REFUSED_WORDS.get(
            word, (f"`{word}` is a word of Python's and cannot be used here", None)
        )
        raise ExpressionError(message, offset=token.start, hint=hint)


def number_of(token: Token) -> int | float:
    """The number a token stands for.

    Raises:
        ExpressionError: It is too large, or written with zeros in front.
    """
    if token.text.isdigit():
        if len(token.text) > 1 and token.text.startswith("0"):
            raise ExpressionError(
                f"`{token.text}`: numbers are written without zeros in front", offset=token.start
            )
        whole = int(token.text) if len(token.text) < 20 else LARGEST + 1
        if whole > LARGEST:
            raise ExpressionError(f"whole numbers are at most {LARGEST:,} here", offset=token.start)
        return whole
    number = float(token.text)
    if number == float("inf"):
        raise ExpressionError(f"`{token.text}` is too large for a number", offset=token.start)
    return number


def text_of(token: Token) -> str:
    """The text that a token in quotes stands for.

    Raises:
        ExpressionError: It has an escape that is none, or half of a character.
    """
    inside = token.text[1:-1]
    for match in _ESCAPE.finditer(inside):
        if match.group(1) not in _ESCAPES:
            raise ExpressionError(
                rf"`{match.group()}` is no escape; there are: \\ \' \" \n \r \t",
                offset=token.start + 1 + match.start(),
                hint=f"for a backslash itself write `\\{match.group()}`",
            )
    for index, character in enumerate(inside):
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise ExpressionError(
                f"the character U+{ord(character):04X} cannot stand in a text", offset=token.start + 1 + index
            )
    return _ESCAPE.sub(lambda match: _ESCAPES[match.group(1)], inside)
