"""What all strategies share: how their calls are made, and what a list of strategies says of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, ClassVar

from ..asking import Ask, check_ranges
from ..context import Context
from ..contracts import key_of, programs_in
from ..costs import UNKNOWN, Cost, Costing, Size, Spending, total
from ..errors import InvalidInputError
from ..monitors import Monitor
from ..sampling import SampleStream
from ..types import Outcome, Problem

__all__ = ["Strategy", "at_least", "at_most", "in_unit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """The root of the named strategies: control programs that are data.

    A strategy never raises for a failed call, a spent budget or a passed deadline once it has a candidate: it ends
    with its best answer so far and says why in `Outcome.stop_reason`.

    Args:
        model: Name of the model its samples come from; None for the first.
        temperature: At least 0. None leaves it to the model's settings, and where these do not say it is
            `usual_temperature` (0.7).
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.
        monitors: What watches its samples while they are written and may cut them, such as a `RepetitionGuard`; those
            of programs inside it as well, but none drawn aside.

    Attributes:
        usual_temperature: What it samples with where neither its parameters nor its model's settings say.
        paper: Where it was published, or "".
        cost: Its calls as a formula of its parameters, a verifier's own excluded.
        pays: When to take it.
    """

    usual_temperature: ClassVar[float] = 0.7
    paper: ClassVar[str] = ""
    cost: ClassVar[str]
    pays: ClassVar[str]

    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    monitors: tuple[Monitor, ...] = ()

    def __post_init__(self) -> None:
        check_ranges(temperature=self.temperature, max_tokens=self.max_tokens)

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
        usual = {"temperature": self.usual_temperature}
        return ctx.sample(ask, n=n, model=model or self.model, monitors=monitors, usual=usual, **given)

    # What it costs at most ---------------------------------------------------------------------------------

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts.

        A bound for a strategy that does not say it better: `most_calls` calls, each with the question, all of the
        strategy's own texts and every answer before it, and its verifiers for as many candidates. Unknown where it
        does not say how many calls it makes, and where it has programs inside.
        """
        calls = self._calls_said()
        given = [getattr(self, part.name) for part in fields(self) if part.name != "monitors"]
        if calls is None or any(True for _ in programs_in(given)):
            return self._spending(note="it does not say what it costs")
        texts = "\n".join(value for value in self._values() if isinstance(value, str))
        longest = self.longest_text(costing)
        found = []
        for model in costing.ctx.models:
            ask = costing.ask(model).adding(texts) if texts else costing.ask(model)
            found.append(
                await self._drawing(costing, ask, n=calls, model=model, inserted=longest * (calls - 1) / 2)
            )
        dearest = found[0].worst
        for other in found[1:]:
            dearest = dearest.or_else(other.worst)
        drawn = Spending(label="answers", kind="sample", worst=dearest, note="bound", on_branch=False)
        scored = [
            await costing.scoring(value, calls, Size(tokens=longest))
            for value in self._values()
            if callable(getattr(value, "score", None))
        ]
        return self._spending(drawn, *scored)

    def longest_text(self, costing: Costing) -> float:
        """Tokens that the text of one of its candidates has at most."""
        models = [self.model] if self.model is not None else list(costing.ctx.models)
        return max(self._longest(costing, model) for model in models)

    def _longest(self, costing: Costing, model: str | None = None, **sampling: Any) -> int:
        """Tokens of an answer drawn by this strategy's settings at most."""
        given = {"max_tokens": self.max_tokens, **sampling}
        return costing.using(monitors=self.monitors).answer_tokens(model or self.model, **given)

    async def _drawing(
        self,
        costing: Costing,
        ask: Ask,
        *,
        n: int = 1,
        per_call: int = 1,
        inserted: float = 0.0,
        label: str = "answers",
        model: str | None = None,
        aside: bool = False,
        alike: bool = False,
        note: str = "",
        **sampling: Any,
    ) -> Spending:
        """What `n` samples cost at most, drawn as this strategy's settings say; `aside` as on a branch aside, and
        `alike` as `Costing.draw` has it.
        """
        given = {"max_tokens": self.max_tokens, **sampling}
        cost = await costing.using(aside=aside).draw(
            ask,
            model=model or self.model,
            n=n,
            per_call=per_call,
            inserted=inserted,
            monitors=() if aside else self.monitors,
            alike=alike,
            **given,
        )
        return Spending(label=label, kind="sample", worst=cost, note=note, on_branch=False)

    def _spending(self, *parts: Spending, worst: Cost | None = None, note: str = "") -> Spending:
        """This strategy as what it consists of; without parts and cost, unknown."""
        key = key_of(self)
        if worst is None:
            worst = total(parts) if parts else UNKNOWN
        return Spending(label=key, kind=key, worst=worst, parts=parts, note=note)

    def _calls_said(self) -> int | None:
        try:
            return self.most_calls
        except (NotImplementedError, InvalidInputError):
            return None

    def _values(self) -> list[Any]:
        """The values of its parameters, those in lists one by one."""
        found: list[Any] = []
        for part in fields(self):
            value = getattr(self, part.name)
            found += value if isinstance(value, tuple) and part.name != "monitors" else [value]
        return found


def at_least(low: int, **numbers: Any) -> None:
    """Refuse numbers below `low`, and what is no number; None passes.

    Raises:
        InvalidInputError: One is; names it.
    """
    for name, value in numbers.items():
        if value is not None and not isinstance(value, Real):
            raise InvalidInputError(f"{name} must be a number of at least {low}, not {value!r:.60}")
        if value is not None and value < low:
            raise InvalidInputError(f"{name} must be at least {low}, not {value}")


def at_most(high: int, **numbers: int) -> None:
    """Refuse numbers above `high`: so many parts would be made before the budget could say anything.

    Raises:
        InvalidInputError: One is; names it.
    """
    for name, value in numbers.items():
        if value > high:
            raise InvalidInputError(f"{name} must be at most {high:,}, not {value}")


def in_unit(**numbers: float | None) -> None:
    """Refuse numbers outside [0, 1]; None passes.

    Raises:
        InvalidInputError: One is; names it.
    """
    for name, value in numbers.items():
        if value is not None and not 0.0 <= value <= 1.0:
            raise InvalidInputError(f"{name} must be in [0, 1], not {value}")
