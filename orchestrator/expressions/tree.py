"""The parts that expressions are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Arithmetic",
    "Call",
    "Choice",
    "Comparison",
    "Constant",
    "Field",
    "Item",
    "Items",
    "Logical",
    "Name",
    "Negation",
    "Node",
    "Not",
    "walk",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of an expression: where it begins and ends, in characters from 0."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Part):
    """A number, a text, true, false or none."""

    value: int | float | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Part):
    """What a step or the program has given a name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Part):
    """`of.name`."""

    of: Node
    name: str

    @property
    def name_start(self) -> int:
        """Where the field's name begins."""
        return self.end - len(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Part):
    """`of[index]`; from the end where `index` is negative."""

    of: Node
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation(Part):
    """`-of`."""

    of: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Part):
    """`not of`."""

    of: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Part):
    """`left operator right`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Part):
    """`values[0] operators[0] values[1] operators[1] ...`: true when each pair of neighbours is."""

    operators: tuple[str, ...]
    values: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logical(Part):
    """Values joined by `and`, or by `or`."""

    operator: str
    values: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Part):
    """`then if condition else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Part):
    """A function of the language with its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Part):
    """`[a, b]`."""

    items: tuple[Node, ...]


Node: TypeAlias = (
    Constant
    | Name
    | Field
    | Item
    | Negation
    | Not
    | Arithmetic
    | Comparison
    | Logical
    | Choice
    | Call
    | Items
)


def walk(node: Node) -> Iterable[Node]:
    """A tree's parts, each before what it consists of."""
    yield node
    for part in _parts(node):
        yield from walk(part)


def _parts(node: Node) -> tuple[Node, ...]:
    match node:
        case Field(of=of) | Item(of=of) | Negation(of=of) | Not(of=of):
            return (of,)
        case Arithmetic(left=left, right=right):
            return (left, right)
        case Comparison(values=values) | Logical(values=values):
            return values
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Call(arguments=arguments):
            return arguments
        case Items(items=items):
            return items
    return ()
