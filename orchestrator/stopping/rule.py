"""What a stopping rule is, and the base of those that decide natively."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast, runtime_checkable

from .. import _core
from .._core import Tally
from ..errors import InvalidInputError

if TYPE_CHECKING:
    from .combined import AllOf, AnyOf

__all__ = ["NativeRule", "Stop", "StoppingRule", "native_rule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The decision to stop.

    Attributes:
        reason: Why, in words.
        leader: The cluster that leads, or None when nothing was readable.
    """

    reason: str
    leader: int | None


@lru_cache(maxsize=1024)
def _stop(reason: str, leader: int | None) -> Stop:
    """The decision, made once: to look it up costs a tenth of making it, and decisions repeat."""
    return Stop(reason=reason, leader=leader)


@runtime_checkable
class StoppingRule(Protocol):
    """Decides from a tally, with no other state, so that the same samples always give the same decision."""

    def should_stop(self, tally: Tally) -> Stop | None:
        """The decision to stop, or None to go on."""


Native = TypeVar("Native", bound=_core.StoppingRule)


class NativeRule(Generic[Native]):
    """A frozen dataclass of parameters whose decision is native.

    A subclass builds its rule from its parameters in `_build`, which also checks them, and words its reason
    in `_reason`, or once in `_fixed_reason` where that needs the parameters only. `a | b` stops when one of
    the two does, `a & b` when both do.
    """

    __slots__ = ("_fixed", "_rule")
    _rule: Native
    _fixed: str | None

    def __post_init__(self) -> None:
        try:
            rule = self._build()
        except TypeError as error:  # the extension's, which lists signatures
            given = ", ".join(f"{name}={value!r:.40}" for name, value in self._parameters().items())
            raise InvalidInputError(f"{type(self).__name__} cannot be made of {given}") from error
        object.__setattr__(self, "_rule", rule)
        object.__setattr__(self, "_fixed", self._fixed_reason())

    def _build(self) -> Native:
        raise NotImplementedError

    def _fixed_reason(self) -> str | None:
        return None

    def _reason(self, tally: Tally) -> str:
        raise NotImplementedError

    def should_stop(self, tally: Tally) -> Stop | None:
        """The decision to stop, or None to go on."""
        if not self._rule.should_stop(tally):
            return None
        return _stop(self._fixed or self._reason(tally), tally.leader)

    def __or__(self, other: StoppingRule) -> AnyOf:
        from .combined import AnyOf

        return AnyOf(rules=(self, other))

    def __and__(self, other: StoppingRule) -> AllOf:
        from .combined import AllOf

        return AllOf(rules=(self, other))

    def __reduce__(self) -> tuple[Any, ...]:
        # Native rules are not pickled or copied but built again from the parameters.
        return partial(type(self), **self._parameters()), ()

    def _parameters(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(cast(Any, self))}


def native_rule(rule: StoppingRule) -> _core.StoppingRule:
    """The rule as native engines and combinators ask it; one written in Python is called back.

    Raises:
        InvalidInputError: `rule` has no `should_stop`, or is a class.
    """
    if isinstance(rule, type):
        raise InvalidInputError(f"give a stopping rule, not its class: {rule.__name__}(...)")
    if isinstance(rule, NativeRule):
        return cast(_core.StoppingRule, rule._rule)
    if isinstance(rule, StoppingRule):
        return _core.PythonRule(rule)
    raise InvalidInputError(f"a stopping rule has a method should_stop(tally), which {rule!r} has not")
