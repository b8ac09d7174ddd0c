"""An expression: read once, checked against the types of the names, evaluated as often as needed."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from ..errors import ExpressionError
from .checking import Checker, UnknownTypeError
from .deciding import can_hold
from .evaluation import Computed, compiled
from .sizes import size_of
from .syntax import parse
from .tree import Items, Name, Node, walk
from .types import UNKNOWN, Size, Type

__all__ = ["Expression"]


@dataclass(frozen=True, slots=True)
class Expression:
    """A computation over named values, such as `agreement >= 0.8 and n < 32`. Make one with `of`.

    Its syntax is Python's: numbers, texts, `True`, `False`, `None` (also in small letters), names, fields,
    comparisons, `in`, `is None`, `and`, `or`, `not`, `+ - * / // %`, `THIS if CONDITION else THAT`, lists,
    an item by its number, and the functions of `FUNCTIONS`. There is nothing else: no loop, no power, no call of a
    value's own. An expression reads declared fields of values only, changes nothing, and ends.

    Values may be missing. A field of what is missing is missing, and so is what arithmetic makes of it; divided by
    zero, too large, or not a number is missing too. `<`, `<=`, `>`, `>=` with what is missing are false; `==` and
    `!=` compare it as the value `None`. In `and`, `or`, `not` and `if` it counts as false. `min`, `max`, `any` and
    `all` pass over missing items; of none at all they are missing, missing, false and true.

    Attributes:
        text: As it was written.
        names: The names whose values it needs.
    """

    text: str
    names: frozenset[str]
    _tree: Node = field(repr=False, compare=False)
    _compute: Computed = field(repr=False, compare=False)

    @staticmethod
    def of(text: str) -> Expression:
        """The expression written in `text`.

        Raises:
            ExpressionError: It is not in the language, longer than 1,000 characters, has more than 200 parts, or
                parts more than 30 deep inside each other.
        """
        if not isinstance(text, str):
            raise ExpressionError(f"expected an expression, a text, but got {type(text).__name__}")
        return _read(text)

    @property
    def items(self) -> int | None:
        """How many items it has, where it is a list written out, as `[a, b]`; else None."""
        return len(self._tree.items) if isinstance(self._tree, Items) else None

    def check(self, types: Mapping[str, Type]) -> Type:
        """The type of its value, where names have these types; unknown where that of a name it uses is.

        Raises:
            ExpressionError: It names what is not there, or does with a value what its type does not allow.
        """
        try:
            return Checker(self.text, types).kind(self._tree)
        except UnknownTypeError:
            return UNKNOWN

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Its value. Where `check` has passed, this raises nothing on values of the types that it was given.

        Args:
            values: The values of its names at least; None for one that is missing.
        """
        return self._compute(values)

    def can_hold(self, missing: Set[str]) -> bool:
        """Whether it may be true where these names are missing; true as well where that cannot be told."""
        return can_hold(self._tree, missing)

    def size(self, sizes: Mapping[str, Size]) -> Size:
        """How long its value can be in a prompt, where the values of names are at most so long; without a bound for
        names that are not in `sizes`.
        """
        return size_of(self._tree, sizes)


@functools.lru_cache(maxsize=4096)
def _read(text: str) -> Expression:
    tree = parse(text)
    names = frozenset(node.name for node in walk(tree) if isinstance(node, Name))
    return Expression(text, names, tree, compiled(tree))
