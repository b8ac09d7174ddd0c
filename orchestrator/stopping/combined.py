"""Rules made of rules. Rules written in Python take part like any other."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._core import Tally
from .rule import NativeRule, Stop, StoppingRule, native_rule

__all__ = ["After", "AllOf", "AnyOf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf(NativeRule[_core.AnyOf]):
    """Stops as soon as one of `rules` does, for the reason of the first that does.

    Attributes:
        rules: At least one.

    Raises:
        InvalidInputError: `rules` is empty or holds something else.
    """

    rules: tuple[StoppingRule, ...]

    def _build(self) -> _core.AnyOf:
        object.__setattr__(self, "rules", tuple(self.rules))
        return _core.AnyOf(rules=[native_rule(rule) for rule in self.rules])

    def should_stop(self, tally: Tally) -> Stop | None:
        """The decision to stop, or None to go on."""
        if not self._rule.should_stop(tally):
            return None
        return next((stop for rule in self.rules if (stop := rule.should_stop(tally)) is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf(NativeRule[_core.AllOf]):
    """Stops when all of `rules` do at once.

    Attributes:
        rules: At least one.

    Raises:
        InvalidInputError: `rules` is empty or holds something else.
    """

    rules: tuple[StoppingRule, ...]

    def _build(self) -> _core.AllOf:
        object.__setattr__(self, "rules", tuple(self.rules))
        return _core.AllOf(rules=[native_rule(rule) for rule in self.rules])

    def _reason(self, tally: Tally) -> str:
        stops = [rule.should_stop(tally) for rule in self.rules]
        return " and ".join(stop.reason for stop in stops if stop is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class After(NativeRule[_core.After]):
    """Stops when `rule` does, but not before there are `n` samples.

    Attributes:
        n: Samples, abstentions included, at least 1.
        rule: Decides from then on.

    Raises:
        InvalidInputError: `n` is below 1 or `rule` is no rule.
    """

    n: int
    rule: StoppingRule

    def _build(self) -> _core.After:
        return _core.After(n=self.n, rule=native_rule(self.rule))

    def should_stop(self, tally: Tally) -> Stop | None:
        """The decision to stop, or None to go on."""
        return self.rule.should_stop(tally) if self._rule.should_stop(tally) else None
