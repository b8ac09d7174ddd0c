"""What the steps of a composed program see while it runs, and what they share."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..budget import Budget
from ..context import Context
from ..contracts import Verifier
from ..expressions import Expression, Namespace
from ..strategies.attempts import Attempts
from ..strategies.nested import drawn_on
from ..templates import Template
from ..types import Candidate, Outcome, Problem, Score, StopReason

__all__ = ["Execution", "FailedError", "Frame"]


class FailedError(Exception):
    """A step cannot be made as it is written; it ends the program it stands in, which has an outcome all the same."""


@dataclass(slots=True, kw_only=True)
class Frame:
    """What a step sees while a program runs.

    Attributes:
        ctx: Where calls are made.
        problem: The problem being solved.
        values: The values of names, missing ones as None.
        attempts: What was drawn, what failed, and whether budget or deadline have ended it.
        run: What the whole program shares.
    """

    ctx: Context
    problem: Problem
    values: dict[str, Any]
    attempts: Attempts
    run: Execution

    @property
    def ended(self) -> bool:
        """Whether nothing further is to be done: the program has returned."""
        return self.run.returned is not None

    def reached(self) -> StopReason:
        """The limit that ended what was made on a branch here where it is not the branch's own; else `COMPLETE`."""
        deadline = self.ctx.deadline
        if deadline is not None and self.ctx.clock() >= deadline:
            return StopReason.DEADLINE
        return self.ctx.limited_by or StopReason.COMPLETE

    def cut_short(self, label: str, part: Context, limit: StopReason, drawn: int) -> None:
        """Tell that a limit of its own has ended what was made on the branch `part`, where `drawn` samples were."""
        part.cut_short(limit)
        self.ctx.step("cut short", f"{label}: its own {limit.value} is spent, {drawn} samples drawn")

    def evaluate(self, text: str) -> Any:
        """The value of an expression here."""
        return Expression.of(text).evaluate(self.values)

    def render(self, text: str, **further: Any) -> str:
        """A template filled with the values here; those of `further` hide others of their names."""
        return Template.of(text).render({**self.values, **further} if further else self.values)

    def branch(self, label: str, *, budget: Budget | None = None, aside: bool = False) -> Frame:
        """A frame whose calls are made on a branch; it shares all values."""
        return replace(self, ctx=self.ctx.branch(label=label, budget=budget, aside=aside))

    def apart(self, label: str, *, budget: Budget | None = None) -> Frame:
        """A frame on a branch with attempts of its own, which begin as ended as these are; it shares all values."""
        attempts = Attempts(stop_reason=self.attempts.stop_reason)
        return replace(self.branch(label, budget=budget), attempts=attempts)

    def beside(self, label: str, *, names: Mapping[str, Any] | None = None) -> Frame:
        """A frame for what runs beside others: on a branch, with values and attempts of its own."""
        return replace(self.apart(label), values={**self.values, **(names or {})}, run=self.run.beside())

    def join(self, part: Frame) -> None:
        """Take over what a part that ran beside others has obtained."""
        self.attempts.join(part.attempts)
        self.run.join(part.run)

    def gathered(self, names: Iterable[str]) -> Namespace:
        """The values of names that steps have given here, missing where they did not come to it."""
        return Namespace({name: self.values.get(name) for name in names})


@dataclass(slots=True, kw_only=True)
class Execution:
    """The state of one run of a program on one problem.

    Attributes:
        ctx: Where the program was called.
        before: Candidates that the problem had then.
        verifiers: The program's verifiers, each with the name that its scores go by here.
        returned: What the program has returned; None while it runs.
    """

    ctx: Context
    before: int
    verifiers: Sequence[tuple[Verifier, str]] = ()
    returned: Outcome | None = None
    _known: ChainMap[int, Candidate] = field(default_factory=ChainMap)
    _said: ChainMap[tuple[int, str], Score] = field(default_factory=ChainMap)

    def beside(self) -> Execution:
        """What a part knows that runs beside others: what was known before, and not what these find out meanwhile,
        which depends on who is first.
        """
        return replace(self, _known=self._known.new_child(), _said=self._said.new_child())

    def join(self, other: Execution) -> None:
        """Take over what a part has found out."""
        self._known.update(other._known.maps[0])
        self._said.update(other._said.maps[0])

    def keep(self, candidate: Candidate) -> None:
        """Note the form a candidate has now: with its scores, and with what it was made from."""
        self._known[id(candidate.sample)] = candidate

    def candidates(self) -> list[Candidate]:
        """What this program has obtained so far, in the order it arrived, in its latest form."""
        own = {id(one.sample) for one in drawn_on(self.ctx, since=self.before)} | self._known.keys()
        obtained = (one for one in self.ctx.candidates[self.before :] if id(one.sample) in own)
        return [self._known.get(id(one.sample), one) for one in obtained]

    def name_of(self, verifier: Verifier) -> str:
        """The name that scores by `verifier` go by in this program, where no other has it."""
        return next(name for known, name in self.verifiers if known is verifier or known == verifier)

    def said(self, candidate: Candidate, name: str) -> Score | None:
        """What the verifier of this name said of `candidate` in this run; None where it has not been asked."""
        return self._said.get((id(candidate.sample), name))

    def note(self, candidate: Candidate, name: str, score: Score) -> None:
        """Note what the verifier of this name has said of `candidate`."""
        self.keep(candidate)
        self._said[id(candidate.sample), name] = score
