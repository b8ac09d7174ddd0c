from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator import _core

# A tree of arithmetic: an int, a letter, or (operator, operands...).
Tree = int | str | tuple[object, ...]

VALUES = {"x": Fraction(3), "y": Fraction(-2), "z": Fraction(5, 7)}

leaves = st.one_of(st.integers(0, 10**7), st.sampled_from(sorted(VALUES)))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/"), inner, inner),
        st.tuples(st.just("^"), inner, st.integers(0, 3)),
        st.tuples(st.just("neg"), inner),
    ),
    max_leaves=12,
)


def value(tree: Tree) -> Fraction:
    """What the tree is worth under VALUES."""
    if isinstance(tree, int):
        return Fraction(tree)
    if isinstance(tree, str):
        return VALUES[tree]
    operator, *operands = tree
    a, *rest = (value(operand) for operand in operands)
    match operator:
        case "neg":
            return -a
        case "+":
            return a + rest[0]
        case "-":
            return a - rest[0]
        case "*":
            return a * rest[0]
        case "/":
            return a / rest[0]
        case _:
            return a ** int(rest[0])


def infix(tree: Tree, *, times: str = "*") -> str:
    """Plain signs, each operation in brackets."""
    if not isinstance(tree, tuple):
        return str(tree)
    operator, *operands = tree
    parts = [infix(operand, times=times) for operand in operands]
    if operator == "neg":
        return f"(-{parts[0]})"
    sign = {"*": times, "^": "**"}.get(operator, operator)
    return f"({parts[0]} {sign} {parts[1]})"


def latex(tree: Tree) -> str:
    """LaTeX with fractions, groups and sized brackets."""
    if not isinstance(tree, tuple):
        return str(tree)
    operator, *operands = tree
    parts = [latex(operand) for operand in operands]
    match operator:
        case "neg":
            return rf"\left(-{parts[0]}\right)"
        case "/":
            return rf"\left(\dfrac{{{parts[0]}}}{{{parts[1]}}}\right)"
        case "^":
            return rf"\left({parts[0]}\right)^{{{parts[1]}}}"
        case "*":
            return rf"\bigl({parts[0]} \cdot {parts[1]}\bigr)"
        case _:
            return rf"\left( {parts[0]} {operator} {parts[1]}\right)"


def worth(written: str) -> Fraction:
    """The value of what the parser wrote, by Python's own rules for the same signs."""
    text = re.sub(r"\d+", lambda digits: f"Fraction({digits[0]})", written)
    result = eval(text.replace("^", "**"), {"Fraction": Fraction, **VALUES})
    assert isinstance(result, Fraction)
    return result


@given(tree=trees)
def test_arithmetic_is_read_as_it_was_meant(tree: Tree) -> None:
    try:
        meant = value(tree)
    except ZeroDivisionError:
        assume(False)
    for text in (infix(tree), infix(tree, times="\\times"), latex(tree), f"${latex(tree)}$"):
        written = _core.parse_formula(text)
        assert written is not None
        assert worth(written) == meant


@given(tree=trees)
def test_what_is_written_reads_back_the_same(tree: Tree) -> None:
    written = _core.parse_formula(latex(tree))
    assert written is not None
    assert written == _core.parse_formula(infix(tree))
    assert _core.parse_formula(written) == written


@given(
    rows=st.integers(1, 4).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(-99, 99), min_size=columns, max_size=columns), min_size=1, max_size=4
        )
    )
)
def test_a_matrix_keeps_its_entries_in_place(rows: list[list[int]]) -> None:
    body = r" \\ ".join(" & ".join(map(str, row)) for row in rows)
    assert _core.parse_formula(rf"\begin{{pmatrix}} {body} \end{{pmatrix}}") == str(rows)


@given(entries=st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=8))
def test_entries_stay_apart_within_brackets(entries: list[int]) -> None:
    assert _core.parse_formula(f"({','.join(map(str, entries))})") == str(tuple(entries))


@given(whole=st.integers(0, 10**15), decimals=st.text("0123456789", max_size=6))
def test_commas_between_thousands_change_nothing(whole: int, decimals: str) -> None:
    plain, grouped = f"{whole}.{decimals}", f"{whole:,}.{decimals}"
    assert _core.parse_formula(grouped) == _core.parse_formula(plain)
    assert worth(_core.parse_formula(plain) or "") == Fraction(f"{whole}.{decimals}0")


@given(a=st.integers(0, 999), before=st.text("0123456789", max_size=4), period=st.integers(0, 9999))
def test_repeating_decimals_are_exact(a: int, before: str, period: int) -> None:
    digits = str(period)
    written = _core.parse_formula(rf"{a}.{before}\overline{{{digits}}}")
    scale = 10 ** len(before)
    tail = Fraction(period, (10 ** len(digits) - 1) * scale)
    assert worth(written or "") == a + Fraction(int(before or 0), scale) + tail


@given(text=st.text("0123456789.,;:|xyeif+-*/^_=<>!%'(){}[]&\\ $", max_size=24))
def test_whatever_is_read_is_written_and_small(text: str) -> None:
    written = _core.parse_formula(text)
    assert written is None or 0 < len(written) <= 40 * len(text) + 40


@pytest.mark.parametrize("text", ["", "\0", "a\0b", "\ud800", "odd", r"\text{odd}", "(" * 10**6, "-" * 10**6])
def test_what_is_no_formula_is_none(text: str) -> None:
    assert _core.parse_formula(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\frac{1}{2}", "1/2"),
        (r"x \geq 5", "x >= 5"),
        (r"\sqrt{2}/2", "sqrt(2)/2"),
        (r"x^{2}+2x+1", "x**2 + 2*x + 1"),
        (r"\{1, 2\}", "{1,2}"),
        (r"\\frac{1}{2}", r"\frac{1}{2}"),
        (r"\left[0, 1\right)", "[0,1)"),
        (r"x = 1 \text{ or } x = 2", "x=1 or x=2"),
    ],
)
def test_spellings_of_one_formula_read_alike(one: str, other: str) -> None:
    assert _core.parse_formula(one) == _core.parse_formula(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x-1", "x+1"),
        ("(1,2)", "(2,1)"),
        ("[1,2)", "(1,2]"),
        ("1.5", "15"),
        ("-5", "5"),
        ("204_5", "204"),
        ("204_5", "54"),
        (r"\hat{x}", "x"),
        (r"\mathbf{i}", "i"),
        ("x_1", "x1"),
    ],
)
def test_different_formulas_read_differently(one: str, other: str) -> None:
    assert _core.parse_formula(one) != _core.parse_formula(other)
