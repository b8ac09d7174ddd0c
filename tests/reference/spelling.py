"""Formulas as models write them: LaTeX or plain infix, with the choices that both leave."""

from __future__ import annotations

import random
from fractions import Fraction

from reference.formulas import Tree

__all__ = ["spelled"]

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


class Speller:
    """One way of writing, LaTeX or infix; each part is its text and how tightly it binds."""

    def __init__(self, choose: random.Random, *, latex: bool) -> None:
        self.choose = choose
        self.latex = latex

    def structure(self, tree: Tree) -> str:
        parts = [self.part(part)[0] for part in tree.args]
        match tree.op:
            case "tuple":
                return f"({', '.join(parts)})"
            case "interval":
                return f"{str(tree.value)[0]}{', '.join(parts)}{str(tree.value)[1]}"
            case "set":
                return r"\{" + ", ".join(parts) + r"\}"
            case "matrix":
                p, q, r, s = parts
                return rf"\begin{{pmatrix}} {p} & {q} \\ {r} & {s} \end{{pmatrix}}"
            case "equation":
                return f"{parts[0]} = {parts[1]}"
            case "inequality":
                return f"{parts[0]} {self.relation(str(tree.value))} {parts[1]}"
        return self.part(tree)[0]

    def relation(self, sign: str) -> str:
        return self.choose.choice((r"\le", r"\leq")) if sign == "<=" and self.latex else sign

    def part(self, tree: Tree) -> tuple[str, int]:
        match tree.op:
            case "number":
                assert isinstance(tree.value, Fraction)
                return self.number(tree.value)
            case "variable":
                return str(tree.value), ATOM
            case "pi":
                return (r"\pi" if self.latex else "pi"), ATOM
            case "add" | "sub":
                sign = "+" if tree.op == "add" else "-"
                right = self.bracketed(tree.args[1], SUM if tree.op == "add" else PRODUCT, signed=False)
                return f"{self.bracketed(tree.args[0], SUM)} {sign} {right}", SUM
            case "neg":
                return "-" + self.bracketed(tree.args[0], PRODUCT, signed=False), SUM
            case "mul":
                return self.product(tree), PRODUCT
            case "div":
                return self.quotient(tree)
            case "pow" | "exp" | "sqrt" | "cbrt":
                return self.power(tree)
            case "factorial":
                return self.bracketed(tree.args[0], ATOM) + "!", POWER
        return self.function(tree), ATOM

    def number(self, value: Fraction) -> tuple[str, int]:
        p, q = value.numerator, value.denominator
        if q == 1:
            return str(p), ATOM
        while q % 2 == 0:
            q //= 2
        while q % 5 == 0:
            q //= 5
        if q == 1 and self.choose.random() < 0.5:
            return self.decimal(value), ATOM
        if not self.latex:
            return f"{value.numerator}/{value.denominator}", PRODUCT
        return rf"\frac{{{value.numerator}}}{{{value.denominator}}}", ATOM

    @staticmethod
    def decimal(value: Fraction) -> str:
        places = 0
        while (value * 10**places).denominator != 1:
            places += 1
        digits = str(int(value * 10**places)).rjust(places + 1, "0")
        return f"{digits[:-places]}.{digits[-places:]}"

    def bracketed(self, tree: Tree, level: int, *, signed: bool = True) -> str:
        """The part, in brackets if it binds less tightly than `level`; with a sign only where it leads."""
        text, binding = self.part(tree)
        if binding >= level and (signed or not text.startswith("-")):
            return text
        return rf"\left({text}\right)" if self.latex and self.choose.random() < 0.5 else f"({text})"

    def product(self, tree: Tree) -> str:
        left = self.bracketed(tree.args[0], PRODUCT)
        right = self.bracketed(tree.args[1], PRODUCT, signed=False)
        # A fraction after a digit would be a mixed number.
        # What follows a slash without a sign may be meant to be under it.
        if self.latex and "/" not in left and right[0] in "xyan(" and left[-1] in "0123456789)}":
            return left + self.choose.choice(("", " ")) + right
        if not self.latex and left.isdigit() and right[0] in "xyan(":
            return left + right
        return left + (self.choose.choice((r" \cdot ", r" \times ")) if self.latex else "*") + right

    def quotient(self, tree: Tree) -> tuple[str, int]:
        over, under = tree.args
        if self.latex and self.choose.random() < 0.8:
            command = self.choose.choice((r"\frac", r"\dfrac"))
            return f"{command}{{{self.part(over)[0]}}}{{{self.part(under)[0]}}}", ATOM
        return f"{self.bracketed(over, PRODUCT)}/{self.bracketed(under, POWER)}", PRODUCT

    def power(self, tree: Tree) -> tuple[str, int]:
        if tree.op == "exp":
            base, exponent = "e", self.part(tree.args[0])[0]
        elif tree.op == "pow":
            base, exponent = self.bracketed(tree.args[0], ATOM), self.part(tree.args[1])[0]
        elif self.choose.random() < 0.7:
            return self.root(tree)
        else:
            base, exponent = self.bracketed(tree.args[0], ATOM), "1/2" if tree.op == "sqrt" else "1/3"
        if self.latex:
            return f"{base}^{{{exponent}}}", POWER
        sign = self.choose.choice(("^", "**"))
        return base + sign + (exponent if exponent.isdigit() else f"({exponent})"), POWER

    def root(self, tree: Tree) -> tuple[str, int]:
        inside = self.part(tree.args[0])[0]
        if self.latex:
            return rf"\sqrt{'[3]' if tree.op == 'cbrt' else ''}{{{inside}}}", ATOM
        return (f"sqrt({inside})", ATOM) if tree.op == "sqrt" else (f"({inside})^(1/3)", POWER)

    def function(self, tree: Tree) -> str:
        inside = ", ".join(self.part(part)[0] for part in tree.args)
        if not self.latex:
            return f"{tree.op}({inside})"
        if tree.op == "abs":
            return rf"\left|{inside}\right|"
        if tree.op == "binomial":
            n, k = (self.part(part)[0] for part in tree.args)
            return rf"\binom{{{n}}}{{{k}}}"
        return rf"\{tree.op}" + self.choose.choice((f"({inside})", rf"\left({inside}\right)"))


def spelled(tree: Tree, choose: random.Random) -> str:
    return Speller(choose, latex=choose.random() < 0.6).structure(tree)
