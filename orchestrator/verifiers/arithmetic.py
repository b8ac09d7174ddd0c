"""Arithmetic over given numbers: the Game of 24, Countdown and their like, checked exactly."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, TypeAlias

from ..errors import InvalidInputError
from ..types import Candidate, Problem, Score
from .rules import RIGHT, WRONG, Rule

__all__ = ["LONGEST_NUMBER", "ArithmeticTarget", "Expression", "expressions", "plain_signs", "puzzle"]

DEEPEST = 100
"""Parentheses within each other; what nests deeper is not read."""

LONGEST_NUMBER = 50
"""Characters of a number; a longer one is not read."""

MOST_NUMBERS = 80
"""Numbers of an expression; one of more is not read: each is a level of the tree, and a value of 4000 digits."""

Tree: TypeAlias = "Fraction | tuple[str, Tree, Tree]"


@dataclass(frozen=True, kw_only=True)
class ArithmeticTarget(Rule):
    """Right where the answer is an expression over the given numbers whose value is the target.

    The problem's `tests` are the numbers: a list, a text such as `4 5 6 10`, or an object with `numbers` and, for a
    problem of its own, `target`. The expression may have `+`, `-`, `*`, `/` and brackets, also as `×`, `÷`, `·` or
    in LaTeX, and at most 80 numbers; it is evaluated with exact fractions, never executed. Each
    given number is used once: 8 / (3 - 8/3) is 24, and 8 and 6 are not 86. A minus sign before a bracket or number
    is allowed: over positive numbers and for a positive target it reaches nothing that subtraction does not.
    Powers, roots and factorials are not read.

    Of a chain `(4 + 8) * (6 - 4) = 12 * 2 = 24` the expression is the first with an operator; what the writer says
    it equals is not looked at. It stands in the answer that was read or, where that has no operator (`24`), on the
    last line of the text that has one; of several on the line it is the one with most numbers.

    Args:
        target: What the expression must equal, where the problem does not say: a finite number, a float being
            the decimal it is written as.
        use_all: Whether every number must be used; otherwise each at most once.

    Abstains where the problem has no numbers.

    Raises:
        InvalidInputError: The target is not a finite number; while judging, that `tests` are no numbers.
    """

    name: ClassVar[str] = "arithmetic_target"

    target: int | float = 24
    use_all: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.target, bool) or not math.isfinite(self.target):
            raise InvalidInputError(f"target must be a finite number, not {self.target!r}")

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether there is such an expression, with the first thing that is wrong as the reason."""
        numbers, target = puzzle(problem, self.target)
        if not numbers:
            return Score(value=None, reason="the problem names no numbers")
        wrong = self._wrong(numbers, target, candidate)
        return Score(value=WRONG if wrong else RIGHT, reason=wrong or "")

    def _wrong(self, numbers: Sequence[Fraction], target: Fraction, candidate: Candidate) -> str | None:
        found = None if candidate.answer is None else _chosen(candidate.answer.text)
        found = found or _chosen(candidate.sample.text)
        if found is None:
            return "no expression"
        given, used = Counter(numbers), Counter(found.numbers)
        if extra := used - given:
            number = next(iter(extra))
            often = f"{_times(used[number])}, it is given {_times(given[number])}"
            return f"uses {number} {often}" if given[number] else f"uses {number}, which is not given"
        if self.use_all and (unused := given - used):
            return f"without {', '.join(map(str, unused.elements()))}"
        value = found.value()
        if value is None:
            return "divides by zero"
        return None if value == target else f"equals {value}, not {target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Arithmetic as it was read.

    Attributes:
        numbers: Its numbers from left to right, without their signs.
    """

    numbers: tuple[Fraction, ...]
    _tree: Tree

    def value(self) -> Fraction | None:
        """What it is worth, exactly; None where it divides by zero."""
        try:
            return _value(self._tree)
        except ZeroDivisionError:
            return None


def expressions(line: str) -> list[Expression]:
    """The expressions with at least one operator and at most 80 numbers in a line of text, from left to right."""
    pieces = _pieces(plain_signs(line))
    return [found for piece in pieces if (found := _parsed(piece)) is not None]


def _chosen(text: str) -> Expression | None:
    """The expression of the last line with arithmetic: the one with most numbers, the first of equals.

    None where there is none, or where that line has only what cannot be read, such as powers: an earlier line is a
    step towards the answer and must not stand for it.
    """
    for line in reversed(text.splitlines()):
        pieces = _pieces(plain_signs(line))
        if found := [one for piece in pieces if (one := _parsed(piece)) is not None]:
            return max(found, key=lambda one: len(one.numbers))
        if any(_is_arithmetic(piece) for piece in pieces):
            return None
    return None


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


# Reading the problem ------------------------------------------------------------------------------------------

_LISTED = re.compile(r"[\s,;]+")


def puzzle(problem: Problem, target: int | float) -> tuple[list[Fraction], Fraction]:
    """The numbers and the target of a problem."""
    tests = problem.tests
    if isinstance(tests, Mapping):
        unknown = set(tests) - {"numbers", "target"}
        if unknown or "numbers" not in tests:
            raise InvalidInputError(
                f"problem {problem.id!r}: tests must have `numbers` and may have `target`, not {sorted(tests)}"
            )
        target = tests.get("target", target)
        tests = tests["numbers"]
    if isinstance(tests, str):
        tests = [part for part in _LISTED.split(tests.strip()) if part]
    if tests is not None and not isinstance(tests, list | tuple):
        tests = [tests]
    return [_number(entry, problem) for entry in tests or ()], _number(target, problem)


def _number(given: Any, problem: Problem) -> Fraction:
    try:
        if isinstance(given, bool) or len(text := str(given)) > LONGEST_NUMBER:
            raise ValueError
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise InvalidInputError(
            f"problem {problem.id!r}: tests must be numbers such as [4, 5, 6, 10], not {given!r}"
        ) from error


# Reading the answer -------------------------------------------------------------------------------------------

_SIGNS = {
    ord(sign): plain
    for plain, signs in {"*": "×·⋅∙∗✕✖", "/": "÷∕⁄", "-": "−–—‐‑", "(": "[{（", ")": "]}）"}.items()
    for sign in signs
}
_LATEX = (
    (re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])"), "*"),
    (re.compile(r"\\div(?![A-Za-z])"), "/"),
    (re.compile(r"\\(?:left|right|boxed|displaystyle)(?![A-Za-z])"), ""),
    (re.compile(r"\\[()\[\]]"), ";"),  # formula begins, formula ends
    (re.compile(r"\\[,;:! ]"), " "),
)
_FRACTION = re.compile(r"\\[dt]?frac ?\{([^{}]*)\} ?\{([^{}]*)\}")
_EMPHASIS = re.compile(r"([\d)]?) ?\*\* ?([\d(]?)")
_TIMES = re.compile(r"(?<=[\d)]) ?[xX] ?(?=[\d(])")
_BULLET = re.compile(r"^(?:[-*•] |\(?\d+[.)] )(?=\S)")
_TOKEN = re.compile(
    r"(?P<sign>\d+(?:\.\d+)?|[-+*/()])"
    r"|(?P<foreign>(?<=[\d)])[^\W\d_]+|[^\W\d_]+(?=[\d(])|[\^!√%_|&])"
    r"|(?P<apart>[^\W\d_]+|\S)"
)


def plain_signs(line: str) -> str:
    """`line` with brackets, signs and LaTeX's commands as `( ) + - * /`, a power as `^`, without emphasis."""
    line = _BULLET.sub("", " ".join(line.split()), count=1)
    if "\\" in line:
        for _ in range(DEEPEST):  # from the inside out
            if (plain := _FRACTION.sub(r"((\1)/(\2))", line)) == line:
                break
            line = plain
        for pattern, plain in _LATEX:
            line = pattern.sub(plain, line)
    line = line.replace("$", ";").replace("`", ";").translate(_SIGNS)
    line = _EMPHASIS.sub(lambda m: f"{m[1]}^{m[2]}" if m[1] and m[2] else f"{m[1]} ; {m[2]}", line)
    return _TIMES.sub("*", line)


def _pieces(line: str) -> list[list[str]]:
    """Runs of numbers, operators, brackets and what would change their value (`^`, `!`, a function's name).

    Words, `=` and every other sign end a run. Brackets that only one end of a run has belong to the prose around.
    """
    pieces: list[list[str]] = [[]]
    for match in _TOKEN.finditer(line):
        if match["apart"] is None:
            pieces[-1].append(match[0])
        else:
            pieces.append([])
    return [_trimmed(piece) for piece in pieces if piece]


def _trimmed(piece: list[str]) -> list[str]:
    surplus = piece.count("(") - piece.count(")")
    start, end = 0, len(piece)
    while surplus > 0 and start < end and piece[start] == "(":
        start, surplus = start + 1, surplus - 1
    while surplus < 0 and start < end and piece[end - 1] == ")":
        end, surplus = end - 1, surplus + 1
    return piece[start:end]


def _is_arithmetic(piece: list[str]) -> bool:
    """Whether it means to calculate: an operator, or a sign that is none of ours, and two numbers."""
    operators = sum(not token[0].isdigit() and token not in "()" for token in piece)
    return operators > 0 and sum(token[0].isdigit() for token in piece) > 1


def _parsed(piece: list[str]) -> Expression | None:
    """The whole of `piece` as an expression with at least one operator, or None."""
    numbers = [token for token in piece if token[0].isdigit()]
    if len(numbers) > MOST_NUMBERS or any(len(number) > LONGEST_NUMBER for number in numbers):
        return None
    if not any(token in "+-*/" for token in piece):
        return None
    parser = _Parser(piece)
    tree = parser.sum(0)
    if tree is None or parser.at < len(piece) or isinstance(tree, Fraction):
        return None
    return Expression(numbers=tuple(parser.numbers), _tree=tree)


class _Parser:
    """Recursive descent: sum = product (+ or - product)*, product = factor (* or / factor)*, both from the left.

    factor = sign* (number or bracketed sum); brackets side by side, or after a number, multiply. Every method
    returns None where the tokens are something else.
    """

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0
        self.numbers: list[Fraction] = []

    def next(self, signs: str) -> str | None:
        """The next token, passed over, when it is one of `signs`."""
        if self.at < len(self.tokens) and self.tokens[self.at] in signs:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def sum(self, depth: int) -> Tree | None:
        left = self.product(depth)
        while left is not None and (sign := self.next("+-")):
            right = self.product(depth)
            left = None if right is None else (sign, left, right)
        return left

    def product(self, depth: int) -> Tree | None:
        left = self.factor(depth)
        while left is not None:
            sign = self.next("*/") or ("*" if self.tokens[self.at : self.at + 1] == ["("] else None)
            if sign is None:
                break
            right = self.factor(depth)
            left = None if right is None else (sign, left, right)
        return left

    def factor(self, depth: int) -> Tree | None:
        negative = False
        while sign := self.next("+-"):
            negative ^= sign == "-"
        found: Tree | None = None
        if self.next("("):
            found = self.sum(depth + 1) if depth < DEEPEST else None
            found = found if self.next(")") else None
        elif self.at < len(self.tokens) and self.tokens[self.at][0].isdigit():
            found = Fraction(self.tokens[self.at])
            self.numbers.append(found)
            self.at += 1
        return ("-", Fraction(0), found) if negative and found is not None else found


def _value(tree: Tree) -> Fraction:
    if isinstance(tree, Fraction):
        return tree
    sign, left, right = tree
    a, b = _value(left), _value(right)
    match sign:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case _:
            return a / b
