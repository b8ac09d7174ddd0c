"""What all strategies share: how their calls are made, and what a list of strategies says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..asking import Ask
from ..context import Context
from ..errors import InvalidInputError
from ..monitors import Monitor
from ..sampling import SampleStream
from ..types import Outcome, Problem

__all__ = ["Strategy", "at_least", "in_unit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """The root of the named strategies: control programs that are data.

    A strategy never raises for a failed call, a spent budget or a passed deadline once it has a candidate: it ends
    with its best answer so far and says why in `Outcome.stop_reason`.

    Args:
        model: Name of the model its samples come from; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.
        monitors: What watches its samples while they are written and may cut them, such as a `RepetitionGuard`; those
            of programs inside it as well, but none drawn aside.

    Attributes:
        paper: Where it was published, or "".
        cost: Its calls as a formula of its parameters, a verifier's own excluded.
        pays: When to take it.
    """

    paper: ClassVar[str] = ""
    cost: ClassVar[str]
    pays: ClassVar[str]

    model: str | None = None
    temperature: float | None = 0.7
    max_tokens: int | None = None
    monitors: tuple[Monitor, ...] = ()

    @property
    def most_calls(self) -> int:
        """Calls one problem takes at most: `cost`, evaluated. Those of a verifier, what is sent again, and those in
        which a sample goes on that a monitor has cut are excluded.
        """
        raise NotImplementedError

    @property
    def choice(self) -> str:
        """What its answer is called beside those of single samples, as in "the vote of 16"."""
        return "the answer"

    @property
    def each(self) -> str:
        """What its answer is chosen from, one by one; independent draws are samples."""
        return "one sample"

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return 1

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Solve `problem`."""
        raise NotImplementedError

    def draw(
        self, ctx: Context, ask: Ask, *, n: int = 1, model: str | None = None, **sampling: Any
    ) -> SampleStream:
        """`n` samples as this strategy's settings say; `model` and `sampling` override them."""
        given = {"temperature": self.temperature, "max_tokens": self.max_tokens, **sampling}
        monitors = () if ctx.aside else self.monitors
        return ctx.sample(ask, n=n, model=model or self.model, monitors=monitors, **given)


def at_least(low: int, **numbers: int | None) -> None:
    """Refuse numbers below `low`; None passes.

    Raises:
        InvalidInputError: One is; names it.
    """
    for name, value in numbers.items():
        if value is not None and value < low:
            raise InvalidInputError(f"{name} must be at least {low}, not {value}")


def in_unit(**numbers: float | None) -> None:
    """Refuse numbers outside [0, 1]; None passes.

    Raises:
        InvalidInputError: One is; names it.
    """
    for name, value in numbers.items():
        if value is not None and not 0.0 <= value <= 1.0:
            raise InvalidInputError(f"{name} must be in [0, 1], not {value}")
