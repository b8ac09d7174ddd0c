"""Names for values, which can be changed. Cost: no calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ..costs import FREE, Costing, Spending
from ..expressions import UNKNOWN, fits
from ..spelling import did_you_mean
from .base import ExpressionText, Primitive
from .frame import Frame
from .scope import Scope
from .sizes import either, size_here

__all__ = ["Let", "Set"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Naming(Primitive):
    """The root of the steps that give values to names, all of them at once: none sees the others' new values.

    Args:
        values: For each name the expression whose value it gets.
    """

    pure: ClassVar[bool] = False

    values: Mapping[str, ExpressionText] = field(hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", dict(self.values))

    async def run(self, frame: Frame) -> None:
        """Give the names their values."""
        frame.values.update({name: frame.evaluate(text) for name, text in self.values.items()})

    async def spending(self, costing: Costing) -> Spending:
        """Nothing."""
        costing.sizes.update({name: size_here(costing, text) for name, text in self.values.items()})
        return Spending(label=self.label, kind=self.key, worst=FREE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Let(_Naming):
    """Gives names to values; `set` may change them later. The order of the names does not matter.

    Cost: no calls.

    Args:
        values: For each new name the expression whose value it gets.
    """

    key: ClassVar[str] = "let"

    @property
    def names(self) -> tuple[str, ...]:
        """The names."""
        return tuple(self.values)

    def check(self, scope: Scope) -> None:
        """It has no value itself."""
        kinds = {name: scope.expression(text, self.key, name) for name, text in self.values.items()}
        for name, kind in kinds.items():
            scope.declare(name, UNKNOWN if kind is None else kind, self.key, name, settable=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(_Naming):
    """Changes the values of names that `let` has given, to others of the same type.

    Once a call has failed, or budget or deadline have ended the program's calls, a value that is missing leaves the
    name as it is: what is there has been paid for.

    Steps side by side may not change what is outside: which came last would depend on chance.

    Cost: no calls.

    Args:
        values: For each name the expression whose value it gets.
    """

    key: ClassVar[str] = "set"

    async def run(self, frame: Frame) -> None:
        """Give the names their new values."""
        new = {name: frame.evaluate(text) for name, text in self.values.items()}
        kept = bool(frame.attempts.failures)
        frame.values.update({name: value for name, value in new.items() if value is not None or not kept})

    async def spending(self, costing: Costing) -> Spending:
        """Nothing."""
        new = {name: size_here(costing, text) for name, text in self.values.items()}
        kept = {name: costing.sizes[name] for name in new if name in costing.sizes}
        costing.sizes.update({name: either([size, kept.get(name, size)]) for name, size in new.items()})
        return Spending(label=self.label, kind=self.key, worst=FREE)

    def check(self, scope: Scope) -> None:
        """It has no value itself."""
        for name, text in self.values.items():
            place = (self.key, name)
            kind = scope.expression(text, *place)
            known = scope.types.get(name)
            if known is None:
                hint = did_you_mean(name, scope.types) or f"give it before, as in `let: {{{name}: {text}}}`"
                scope.fault(f"there is no `{name}` to set", *place, hint=hint)
                scope.suppose([name])
            elif not scope.settable(name):
                scope.fault(
                    f"`{name}` cannot be set here",
                    *place,
                    hint="set names that `let` has given, in blocks that do not run side by side",
                )
            elif kind is not None and not fits(kind, known):
                scope.fault(f"`{name}` is {known}, but `{text}` is {kind}", *place)
