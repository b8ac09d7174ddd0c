"""Arithmetic as Python does it: expression trees, how they are written, and their exact values."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Number:
    text: str

    def write(self) -> str:
        return self.text

    def value(self) -> Fraction:
        return Fraction(self.text)


@dataclass(frozen=True)
class Operation:
    sign: str
    left: Number | Operation
    right: Number | Operation

    def write(self) -> str:
        """Every operand in parentheses, so that the tree says the order and not a table of precedences."""
        return f"({self.left.write()}) {self.sign} ({self.right.write()})"

    def value(self) -> Fraction:
        """Raises ZeroDivisionError."""
        left, right = self.left.value(), self.right.value()
        match self.sign:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case _:
                return left / right
