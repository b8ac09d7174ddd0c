"""Formulas by sympy: what an expression is worth, how models spell it, and whether two are the same."""

from __future__ import annotations

import sympy

__all__ = ["SYMBOLS", "infix", "latex", "same"]

SYMBOLS = sympy.symbols("x y a n", real=True)


def latex(expression: sympy.Expr) -> str:
    """The expression as LaTeX, `\\frac{x}{2}`; products with a dot, as "x 2" is no formula."""
    return sympy.latex(expression, fold_short_frac=False, mul_symbol="dot")


def infix(expression: sympy.Expr) -> str:
    """The expression as plain text, `x**2/2`."""
    return sympy.sstr(expression).replace("**", "^").replace("Abs(", "abs(")


def same(first: sympy.Expr, second: sympy.Expr) -> bool | None:
    """Whether two expressions have equal values wherever both have one; None when sympy cannot tell.

    The difference is evaluated with 60 digits at three points, which can only show that two expressions
    differ; where it does not, it is simplified.
    """
    difference = first - second
    for point in ("1.3715", "0.2931", "2.1177"):
        at = {symbol: sympy.Rational(point) + k for k, symbol in enumerate(SYMBOLS)}
        value = difference.subs(at).evalf(60, maxn=200)
        if not value.is_number or value.has(sympy.nan, sympy.zoo):
            return None
        if abs(value) > sympy.Float("1e-40"):
            return False
    return True if difference == 0 or sympy.simplify(difference) == 0 else None
