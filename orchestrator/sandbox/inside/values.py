"""Python values as JSON: the only thing that crosses between a program under test and those who judge it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["NotPlainError", "decode", "encode"]

SMALL = 2**63  # integers beyond it are written in hexadecimal: quick to read, and no limit on digits applies

DEEPEST = 200  # nested containers; deeper ones would meet the JSON decoder's own limit


class NotPlainError(TypeError):
    """A value that is not plain data."""


def encode(value: Any, other: Callable[[Any], Any] | None = None, depth: int = 0) -> Any:
    """`value` as JSON; `decode` gives an equal value of the same plain type back.

    Plain are None, booleans, numbers (also complex, Fraction and Decimal), texts, bytes, and lists, tuples, sets
    and mappings of them. A subclass counts as its base: what is compared is data, never a class's own idea of
    equality.

    Args:
        value: The value.
        other: Encodes what is not plain.
        depth: Containers around it.

    Raises:
        NotPlainError: It, or something in it, is not plain, or is nested too deeply.
    """
    if depth > DEEPEST:
        raise NotPlainError(f"nested more than {DEEPEST} deep")
    if value is None or value is True or value is False:
        return value
    if isinstance(value, int):
        return int(value) if -SMALL < value < SMALL else ["i", hex(value)]
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    for mark, kind in _CONTAINERS:
        if isinstance(value, kind):
            return [mark, *(encode(item, other, depth + 1) for item in kind.__iter__(value))]
    if isinstance(value, dict):
        pairs = dict.items(value)
        return ["d", *([encode(k, other, depth + 1), encode(v, other, depth + 1)] for k, v in pairs)]
    if isinstance(value, bytes | bytearray):
        return ["b" if isinstance(value, bytes) else "B", value.hex()]
    if isinstance(value, complex):
        return ["c", value.real, value.imag]
    if type(value).__name__ in ("Fraction", "Decimal") and type(value).__module__ in ("fractions", "decimal"):
        return [type(value).__name__[0], str(value)]
    if other is None:
        raise NotPlainError(f"a value of type {type(value).__name__} is not plain data")
    return other(value)


_CONTAINERS: tuple[tuple[str, Any], ...] = (("l", list), ("t", tuple), ("s", set), ("f", frozenset))


def decode(value: Any, other: Callable[[str, Any], Any] | None = None) -> Any:
    """The value `encode` wrote; `other` reads the marks that its `other` wrote.

    Raises:
        ValueError, TypeError: It is not what `encode` writes.
    """
    if not isinstance(value, list):
        return value
    mark, *rest = value
    match mark:
        case "l":
            return [decode(item, other) for item in rest]
        case "t":
            return tuple(decode(item, other) for item in rest)
        case "s":
            return {decode(item, other) for item in rest}
        case "f":
            return frozenset(decode(item, other) for item in rest)
        case "d":
            return {decode(name, other): decode(item, other) for name, item in rest}
        case "i":
            return int(rest[0], 16)
        case "b":
            return bytes.fromhex(rest[0])
        case "B":
            return bytearray.fromhex(rest[0])
        case "c":
            return complex(*rest)
        case "F" | "D":
            return _exact(mark, rest[0])
    if other is None:
        raise ValueError(f"unknown mark {mark!r}")
    return other(mark, rest[0])


def _exact(mark: str, text: str) -> Any:
    if len(text) > 400 or "e" in text.lower():  # 1e9999999 would be expanded when compared
        raise ValueError(f"a number of {len(text)} characters with an exponent or too many digits")
    if mark == "F":
        from fractions import Fraction

        return Fraction(text)
    from decimal import Decimal

    return Decimal(text)
