"""Pairs of formulas: one that is rewritten by identities, or changed in one place, and how models spell them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

from reference.formulas import LETTERS, STRUCTURES, Tree, nodes, number, same, variable

__all__ = ["Pair", "pairs"]

ONE, TWO = number(1), number(2)
PI = Tree("pi")


def op(name: str, *parts: Tree) -> Tree:
    return Tree(name, parts)


# What inner nodes are, and how often.
WEIGHTED = dict.fromkeys(("sqrt", "cbrt", "abs", "sin", "cos", "tan", "exp", "ln", "arctan"), 2)
WEIGHTED |= {"add": 24, "sub": 24, "mul": 40, "div": 16, "pow": 8, "neg": 6, "binomial": 2, "factorial": 3}
OPERATIONS, WEIGHTS = tuple(WEIGHTED), tuple(WEIGHTED.values())


def halved(a: Tree) -> Tree:
    return op("div", a, TWO)


# Trees.


def leaf(choose: random.Random) -> Tree:
    kind = choose.randrange(12)
    if kind < 5:
        return variable(choose.choice(LETTERS))
    if kind == 5:
        return number(Fraction(choose.randint(1, 9), choose.randint(2, 9)))
    if kind == 6:
        return number(Fraction(choose.randint(1, 999), 10 ** choose.randint(1, 4)))
    if kind == 7:
        return choose.choice((PI, op("sqrt", number(choose.choice((2, 3, 5, 6, 7, 10))))))
    return number(choose.choice((*range(1, 13), choose.randint(13, 10 ** choose.randint(2, 8)))))


def grown(choose: random.Random, depth: int) -> Tree:
    if depth == 0:
        return leaf(choose)
    left = grown(choose, depth - 1)
    name = choose.choices(OPERATIONS, WEIGHTS)[0]
    match name:
        case "pow":
            return op(name, left, number(choose.choice((2, 2, 3, 4, -1, -2))))
        case "add" | "sub" | "mul" | "div":
            return op(name, left, grown(choose, choose.randrange(depth)))
        case "binomial":
            return combination(choose)
        case "factorial":
            return factorial_of(choose)
    return op(name, left)


def combination(choose: random.Random) -> Tree:
    n = choose.randint(2, 12)
    return op("binomial", number(n), number(choose.randint(0, n)))


def factorial_of(choose: random.Random) -> Tree:
    shift = number(choose.randint(1, 3))
    return op("factorial", choose.choice((number(choose.randint(2, 9)), op("add", variable("n"), shift))))


def structure(choose: random.Random) -> Tree:
    """A formula, or in a third of the cases formulas in a structure."""
    kind = choose.choice(STRUCTURES) if choose.random() < 0.33 else ""
    if not kind:
        return grown(choose, choose.choice((2, 3, 3, 4)))
    depth = choose.choice((0, 1, 1, 2))
    count = {"matrix": 4, "set": choose.randint(2, 4), "tuple": choose.randint(2, 4)}.get(kind, 2)
    parts = tuple(grown(choose, depth) for _ in range(count))
    if kind in ("equation", "inequality"):
        # More than one letter: "x = 5" says 5, and linear inequalities of one letter are intervals.
        parts = (op("add", parts[0], variable("x")), op("mul", parts[1], variable("y")))
    ends = {"interval": choose.choice(("[]", "[)", "(]")), "inequality": choose.choice(("<", "<="))}.get(kind)
    return Tree(kind, parts, ends)


# Identities, of a part of a tree; None where one does not apply. They hold wherever both sides have a value.

Identity = Callable[[Tree, random.Random], Tree | None]


def commuted(a: Tree, _: random.Random) -> Tree | None:
    return Tree(a.op, a.args[::-1]) if a.op in ("add", "mul") else None


def regrouped(a: Tree, _: random.Random) -> Tree | None:
    if a.op not in ("add", "mul") or a.args[0].op != a.op:
        return None
    (first, second), third = a.args[0].args, a.args[1]
    return op(a.op, first, op(a.op, second, third))


def distributed(a: Tree, _: random.Random) -> Tree | None:
    if a.op not in ("mul", "div") or a.args[0].op not in ("add", "sub"):
        return None
    sum_, by = a.args
    return op(sum_.op, *(op(a.op, term, by) for term in sum_.args))


def multiplied_out(a: Tree, _: random.Random) -> Tree | None:
    if a.op != "pow" or a.args[1] != TWO or a.args[0].op not in ("add", "sub"):
        return None
    p, q = a.args[0].args
    middle = op("mul", op("mul", TWO, p), q)
    return op("add", op(a.args[0].op, op("pow", p, TWO), middle), op("pow", q, TWO))


def power_as_product(a: Tree, _: random.Random) -> Tree | None:
    if a.op != "pow" or not isinstance(a.args[1].value, Fraction):
        return None
    base, n = a.args[0], a.args[1].value
    return op("mul", base, base) if n == 2 else op("mul", op("pow", base, number(n - 1)), base)


def subtraction_as_sum(a: Tree, _: random.Random) -> Tree | None:
    return op("add", a.args[0], op("neg", a.args[1])) if a.op == "sub" else None


def product_by_inverse(a: Tree, _: random.Random) -> Tree | None:
    return op("mul", a.args[0], op("pow", a.args[1], number(-1))) if a.op == "div" else None


def split_number(a: Tree, choose: random.Random) -> Tree | None:
    if a.op != "number" or not isinstance(a.value, Fraction):
        return None
    k = choose.randint(1, 9)
    return choose.choice(
        (
            op("sub", number(a.value + k), number(k)),
            op("div", number(a.value * k), number(k)),
            op("mul", number(a.value / k), number(k)),
        )
    )


def expanded_fraction(a: Tree, choose: random.Random) -> Tree | None:
    if a.op != "div":
        return None
    by = choose.choice((leaf(choose), op("add", leaf(choose), leaf(choose))))
    return op("div", op("mul", a.args[0], by), op("mul", a.args[1], by))


def common_denominator(a: Tree, _: random.Random) -> Tree | None:
    if a.op not in ("add", "sub") or a.args[0].op != "div" or a.args[1].op != "div":
        return None
    (p, q), (r, s) = a.args[0].args, a.args[1].args
    return op("div", op(a.op, op("mul", p, s), op("mul", r, q)), op("mul", q, s))


def added_and_taken(a: Tree, choose: random.Random) -> Tree:
    b = leaf(choose)
    return op("sub", op("add", a, b), b)


def negated_twice(a: Tree, _: random.Random) -> Tree:
    return op("neg", op("neg", a))


def split_root(a: Tree, choose: random.Random) -> Tree | None:
    """sqrt(a) = sqrt(k^2 a)/k, and with a cube for cube roots."""
    if a.op not in ("sqrt", "cbrt"):
        return None
    k = choose.randint(2, 6)
    size = number(k**2 if a.op == "sqrt" else k**3)
    return op("div", op(a.op, op("mul", size, a.args[0])), number(k))


def rationalised(a: Tree, choose: random.Random) -> Tree | None:
    """a / sqrt(m) = a sqrt(m) / m, for any root."""
    if a.op != "div" or a.args[1].op != "sqrt":
        return None
    return op("div", op("mul", *a.args), a.args[1].args[0])


def pythagorean(a: Tree, choose: random.Random) -> Tree:
    angle = leaf(choose)
    squares = (op("pow", op(name, angle), TWO) for name in ("sin", "cos"))
    return op("mul", a, op("add", *squares))


def double_angle(a: Tree, _: random.Random) -> Tree | None:
    if a.op == "sin":
        half = halved(a.args[0])
        return op("mul", TWO, op("mul", op("sin", half), op("cos", half)))
    if a.op == "cos":
        return op("sub", ONE, op("mul", TWO, op("pow", op("sin", halved(a.args[0])), TWO)))
    return op("div", op("sin", *a.args), op("cos", *a.args)) if a.op == "tan" else None


def exponential_of_sum(a: Tree, _: random.Random) -> Tree | None:
    if a.op == "exp" and a.args[0].op == "add":
        return op("mul", *(op("exp", term) for term in a.args[0].args))
    return None


def stepped_factorial(a: Tree, _: random.Random) -> Tree | None:
    if a.op != "factorial":
        return None
    n = a.args[0]
    return op("mul", n, op("factorial", op("sub", n, ONE)))


def pascal(a: Tree, _: random.Random) -> Tree | None:
    if a.op != "binomial" or any(part.op != "number" for part in a.args):
        return None
    n, k = (part.value for part in a.args)
    if not isinstance(n, Fraction) or not isinstance(k, Fraction) or k == 0:
        return None
    return op("add", *(op("binomial", number(n - 1), number(j)) for j in (k - 1, k)))


def size_of_opposite(a: Tree, _: random.Random) -> Tree | None:
    return op("abs", op("neg", a.args[0])) if a.op == "abs" else None


IDENTITIES: tuple[Identity, ...] = (
    commuted,
    regrouped,
    distributed,
    multiplied_out,
    power_as_product,
    subtraction_as_sum,
    product_by_inverse,
    split_number,
    expanded_fraction,
    common_denominator,
    added_and_taken,
    negated_twice,
    split_root,
    rationalised,
    pythagorean,
    double_angle,
    exponential_of_sum,
    stepped_factorial,
    pascal,
    size_of_opposite,
)


# Changes, of a part of a tree; None where one does not apply. Some leave the value: `same` says which.


def other_number(a: Tree, choose: random.Random) -> Tree | None:
    if a.op != "number" or not isinstance(a.value, Fraction) or not a.value:
        return None
    near = choose.choice((1, -1)) * Fraction(1, 10 ** choose.randint(1, 12))
    options = (
        a.value + 1,
        a.value - 1,
        a.value + near,
        a.value * 10,
        a.value / 10,
        a.value * (1 + near),
        1 / a.value,
    )
    digits = list(str(a.value.numerator))
    choose.shuffle(digits)
    return number(choose.choice((*options, 1 / a.value, Fraction(int("".join(digits)), a.value.denominator))))


def other_letter(a: Tree, choose: random.Random) -> Tree | None:
    return variable(choose.choice(LETTERS)) if a.op == "variable" else None


def other_sign(a: Tree, _: random.Random) -> Tree:
    return a.args[0] if a.op == "neg" else op("neg", a)


def other_operation(a: Tree, choose: random.Random) -> Tree | None:
    for group in (
        ("add", "sub", "mul", "div"),
        ("sqrt", "cbrt", "abs", "neg"),
        ("sin", "cos", "tan", "arctan"),
    ):
        if a.op in group:
            return Tree(choose.choice(group), a.args, a.value)
    return None


def swapped(a: Tree, _: random.Random) -> Tree | None:
    return Tree(a.op, a.args[::-1], a.value) if len(a.args) > 1 and a.args[-1].op != "number" else None


def part_alone(a: Tree, choose: random.Random) -> Tree | None:
    return choose.choice(a.args) if a.args and a.op not in STRUCTURES else None


def moved_bracket(a: Tree, _: random.Random) -> Tree | None:
    """a (b + c) to a b + c."""
    if a.op not in ("mul", "div") or a.args[0].op not in ("add", "sub"):
        return None
    first, second = a.args[0].args
    return op(a.args[0].op, first, op(a.op, second, a.args[1]))


def without_size(a: Tree, choose: random.Random) -> Tree:
    """a to |a|, or to the root of its square."""
    return choose.choice((op("abs", a), op("sqrt", op("pow", a, TWO)), op("sqrt", op("mul", a, a))))


def slightly_off(a: Tree, choose: random.Random) -> Tree:
    return op(choose.choice(("add", "sub")), a, number(Fraction(1, 10 ** choose.randint(3, 18))))


CHANGES: tuple[Identity, ...] = (
    other_number,
    other_letter,
    other_sign,
    other_operation,
    swapped,
    part_alone,
    moved_bracket,
    without_size,
    slightly_off,
)


def other_structure(a: Tree, choose: random.Random) -> Tree | None:
    """Another order, other ends, a part less or an interval for a tuple."""
    others = [Tree(a.op, a.args[::-1], a.value)]
    if a.op == "interval":
        others += [Tree(a.op, a.args, ends) for ends in ("[]", "[)", "(]")]
    if a.op == "inequality":
        others += [Tree(a.op, a.args, "<" if a.value == "<=" else "<="), Tree("equation", a.args)]
    if a.op == "matrix":
        p, q, r, s = a.args
        others += [Tree(a.op, (p, r, q, s)), Tree("tuple", a.args)]
    if a.op in ("tuple", "set"):
        others += [Tree(a.op, a.args[1:]) if len(a.args) > 2 else Tree("interval", a.args, "[]")]
        others += [Tree("set" if a.op == "tuple" else "tuple", a.args)]
    return choose.choice(others)


# Pairs.


def replaced(tree: Tree, at: int, part: Tree) -> Tree:
    """The tree with its node of this number in preorder replaced."""
    if at == 0:
        return part
    at -= 1
    args = list(tree.args)
    for i, child in enumerate(args):
        size = sum(1 for _ in nodes(child))
        if at < size:
            args[i] = replaced(child, at, part)
            break
        at -= size
    return tree._replace(args=tuple(args))


def somewhere(tree: Tree, change: Identity, choose: random.Random) -> Tree | None:
    """The change made at one of the nodes it applies to."""
    places = list(enumerate(nodes(tree)))
    choose.shuffle(places)
    for at, part in places:
        if part.op not in STRUCTURES and (made := change(part, choose)) is not None:
            return replaced(tree, at, made)
    return None


class Pair(NamedTuple):
    """Two formulas, the rewriting or change that leads from one to the other, and whether they are equal."""

    first: Tree
    second: Tree
    by: str
    equal: bool


def pair(choose: random.Random) -> Pair | None:
    first = structure(choose)
    if choose.random() < 0.5:
        made: Tree | None = first
        names = choose.sample(IDENTITIES, len(IDENTITIES))
        wanted, done = choose.randint(1, 3), []
        for identity in names:
            rewritten = somewhere(made, identity, choose)
            if rewritten is not None:
                made = rewritten
                done.append(identity.__name__)
            if len(done) == wanted:
                break
        by = done[0] if len(done) == 1 else "several identities"
    else:
        change = choose.choice((*CHANGES, other_structure) if first.op in STRUCTURES else CHANGES)
        made = change(first, choose) if change is other_structure else somewhere(first, change, choose)
        by = change.__name__
    if made is None or made == first:
        return None
    equal = same(first, made, choose)
    return None if equal is None else Pair(first, made, by, equal)


def pairs(seed: int) -> Iterator[Pair]:
    """Pairs that the reference can decide, without end."""
    choose = random.Random(seed)
    while True:
        if (made := pair(choose)) is not None:
            yield made
