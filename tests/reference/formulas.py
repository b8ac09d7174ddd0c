"""Formulas by their definition: trees, what they are worth in 50 digits, and whether two are the same.

Nothing here knows the fingerprints it is a reference for: a value is computed by mpmath at points drawn anew for
each pair, and sympy has the last word where it is asked.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import mpmath
import sympy

__all__ = ["LETTERS", "STRUCTURES", "Tree", "nodes", "number", "same", "same_by_sympy", "value", "variable"]

LETTERS = ("x", "y", "a", "n")
STRUCTURES = ("tuple", "set", "interval", "matrix", "equation", "inequality")

Point = dict[str, mpmath.mpf]

DIGITS = 50
CANCELLED_DIGITS = 250  # to find that values differ: large terms may have cancelled
EQUAL = mpmath.mpf(10) ** -36
UNEQUAL = mpmath.mpf(10) ** -24
LARGEST = mpmath.mpf(10) ** 60

# Signs, 0 for either one, and sizes of the variables at the points that two formulas are compared at. The largest
# are where |x - 12| is x - 12.
SCALES = ((1, 1), (-1, 3), (0, 1), (0, 3), (0, 3), (0, 8), (0, 20), (1, 60), (0, 60))


class Tree(NamedTuple):
    """An operation on trees; `value` is a number's Fraction, a variable's letter, or the ends of an interval."""

    op: str
    args: tuple[Tree, ...] = ()
    value: Fraction | str | None = None


def number(value: Fraction | int) -> Tree:
    """A number, negated where it is negative: signs are operations."""
    size = Tree("number", (), abs(Fraction(value)))
    return Tree("neg", (size,)) if value < 0 else size


def variable(letter: str) -> Tree:
    return Tree("variable", (), letter)


def nodes(tree: Tree) -> Iterator[Tree]:
    yield tree
    for part in tree.args:
        yield from nodes(part)


class Undefined(ValueError):
    """No real value, or one too large to compare.

    Attributes:
        argument: the negative argument of an even root or logarithm, if that is why.
    """

    def __init__(self, op: str, argument: Tree | None = None) -> None:
        super().__init__(op)
        self.argument = argument


FUNCTIONS = {
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "arctan": mpmath.atan,
    "exp": mpmath.exp,
    "ln": mpmath.log,
    "abs": abs,
    "sqrt": mpmath.sqrt,
}


def value(tree: Tree, point: Point) -> mpmath.mpf:
    """What a tree is worth at a point, over the reals: odd roots of negatives are negative.

    Raises:
        Undefined: no such value, or one above 10^60.
    """
    match tree.op:
        case "number":
            assert isinstance(tree.value, Fraction)
            return mpmath.mpf(tree.value.numerator) / tree.value.denominator
        case "variable":
            return point[str(tree.value)]
        case "pi":
            return +mpmath.pi
    parts = [value(part, point) for part in tree.args]
    if tree.op in ("sqrt", "ln", "pow") and parts[0] < 0:
        whole = tree.op == "pow" and abs(parts[1] - mpmath.nint(parts[1])) < EQUAL
        if not whole:
            raise Undefined(tree.op, tree.args[0])
    out = combined(tree.op, parts)
    if abs(out) > LARGEST:
        raise Undefined(tree.op)
    return out


def combined(op: str, parts: list[mpmath.mpf]) -> mpmath.mpf:
    first, last = parts[0], parts[-1]
    match op:
        case "add":
            return first + last
        case "sub":
            return first - last
        case "mul":
            return first * last
        case "neg":
            return -first
        case "div":
            if abs(last) < EQUAL:
                raise Undefined(op)
            return first / last
        case "pow":
            return power(first, last)
        case "cbrt":
            return mpmath.sign(first) * mpmath.cbrt(abs(first))
        case "factorial":
            if abs(first) > 60 or (first < 0 and abs(first - mpmath.nint(first)) < EQUAL):
                raise Undefined(op)
            return mpmath.factorial(first)
        case "binomial":
            return mpmath.binomial(first, last)
        case "floor":
            if abs(first - mpmath.nint(first)) < EQUAL:
                return mpmath.nint(first)
            return mpmath.floor(first)
    if (op == "sqrt" and first < 0) or (op == "ln" and first < EQUAL) or (op == "exp" and abs(first) > 100):
        raise Undefined(op)
    if op == "tan" and abs(mpmath.cos(first)) < EQUAL:
        raise Undefined(op)
    return FUNCTIONS[op](first)


def power(base: mpmath.mpf, exponent: mpmath.mpf) -> mpmath.mpf:
    whole = mpmath.nint(exponent)
    is_whole = abs(exponent - whole) < EQUAL
    if abs(base) < EQUAL or abs(exponent) > 200 or (base < 0 and not is_whole) or (is_whole and not whole):
        raise Undefined("pow")
    return base ** (int(whole) if is_whole else exponent)


def points(choose: random.Random) -> Iterator[Point]:
    for sign, size in SCALES:
        yield {
            letter: mpmath.mpf(choose.uniform(0.2, 1.5) * size) * (sign or choose.choice((1, -1)))
            for letter in LETTERS
        }


def agreement(a: mpmath.mpf, b: mpmath.mpf) -> bool | None:
    """Whether two values are equal; None when they are too close to say."""
    gap, size = abs(a - b), max(abs(a), abs(b))
    if gap <= EQUAL * size or size < EQUAL:
        return True
    return False if gap > UNEQUAL * size else None


def letters_under_roots(tree: Tree, samples: list[Point]) -> set[str]:
    """The letters of even roots and logarithms that take negative values: they are positive by convention."""
    found: set[str] = set()
    for point in samples:
        try:
            value(tree, point)
        except Undefined as undefined:
            if undefined.argument is not None:
                found |= {str(part.value) for part in nodes(undefined.argument) if part.op == "variable"}
    return found


def sampled(trees: tuple[Tree, ...], choose: random.Random) -> list[Point]:
    """Points, with letters positive that must be; those in turn may show that others must."""
    samples = list(points(choose))
    partial = any(part.op in ("sqrt", "ln", "pow") for tree in trees for part in nodes(tree))
    for _ in range(3 if partial else 0):
        positive = set().union(*(letters_under_roots(tree, samples) for tree in trees))
        samples = [{k: abs(v) if k in positive else v for k, v in point.items()} for point in samples]
        if not positive:
            break
    return samples


def values(trees: tuple[Tree, ...], samples: list[Point]) -> Iterator[tuple[Point, list[mpmath.mpf]]]:
    """The values of all trees at the points where all have one."""
    for point in samples:
        try:
            yield point, [value(tree, point) for tree in trees]
        except Undefined:
            continue


def same_values(first: Tree, second: Tree, choose: random.Random) -> bool | None:
    """Whether two trees are equal at every point where both have a value; None when those are too few."""
    both = 0
    for point, (a, b) in values((first, second), sampled((first, second), choose)):
        verdict = agreement(a, b)
        if verdict is False:
            with mpmath.workdps(CANCELLED_DIGITS):
                verdict = agreement(value(first, point), value(second, point))
        if verdict is not True:
            return verdict
        both += 1
    return True if both >= 2 else None


def same_statement(first: Tree, second: Tree, choose: random.Random) -> bool | None:
    """Whether left - right of one is a multiple of the other's, and a positive one for inequalities."""
    gaps = (Tree("sub", first.args), Tree("sub", second.args))
    with mpmath.workdps(CANCELLED_DIGITS):
        ratios = []
        for _, (a, b) in values(gaps, sampled(gaps, choose)):
            if abs(a) < UNEQUAL or abs(b) < UNEQUAL:
                return None
            ratios.append(a / b)
            verdict = agreement(ratios[0], ratios[-1])
            if verdict is not True:
                return verdict
    if len(ratios) < 3:
        return None
    return ratios[0] > 0 or first.op == "equation"


def same(first: Tree, second: Tree, choose: random.Random) -> bool | None:
    """Whether two formulas or structures of them say the same; None when the reference cannot tell.

    Tuples, matrices and intervals are equal part by part, sets by mutual membership, equations and inequalities
    as multiples of each other.
    """
    with mpmath.workdps(DIGITS):
        if first.op not in STRUCTURES:
            return same_values(first, second, choose)
        if first.op != second.op or first.value != second.value:
            return False
        if first.op in ("equation", "inequality"):
            return same_statement(first, second, choose)
        if first.op == "set":
            table = [[same_values(a, b, choose) for b in second.args] for a in first.args]
            covered = [any_of(row) for row in (*table, *zip(*table, strict=True))]
            return all_of(covered)
        if len(first.args) != len(second.args):
            return False
        return all_of([same_values(a, b, choose) for a, b in zip(first.args, second.args, strict=True)])


def all_of(verdicts: list[bool | None]) -> bool | None:
    if False in verdicts:
        return False
    return None if None in verdicts else True


def any_of(verdicts: tuple[bool | None, ...] | list[bool | None]) -> bool | None:
    if True in verdicts:
        return True
    return None if None in verdicts else False


def to_sympy(tree: Tree) -> sympy.Expr:
    if tree.op == "number":
        assert isinstance(tree.value, Fraction)
        return sympy.Rational(tree.value.numerator, tree.value.denominator)
    if tree.op == "variable":
        return sympy.Symbol(str(tree.value), positive=True)
    if tree.op == "pi":
        return sympy.pi
    parts = [to_sympy(part) for part in tree.args]
    match tree.op:
        case "add":
            return sympy.Add(*parts)
        case "sub":
            return parts[0] - parts[1]
        case "mul":
            return sympy.Mul(*parts)
        case "div":
            return parts[0] / parts[1]
        case "neg":
            return -parts[0]
        case "pow":
            return parts[0] ** parts[1]
        case "cbrt":
            return sympy.real_root(parts[0], 3)
        case "arctan":
            return sympy.atan(parts[0])
        case "abs":
            return sympy.Abs(parts[0])
        case "ln":
            return sympy.log(parts[0])
    return getattr(sympy, tree.op)(*parts)


def same_by_sympy(first: Tree, second: Tree) -> bool | None:
    """sympy's verdict on two formulas of positive variables; None when it has none."""
    return (to_sympy(first) - to_sympy(second)).equals(0)
