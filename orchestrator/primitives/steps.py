"""A program composed of steps. Cost: that of its steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from ..answers import AnswerReader
from ..context import Context
from ..contracts import Verifier, logprobs_for, name_of
from ..costs import Cost, Costing, Spending
from ..errors import InvalidInputError
from ..expressions import ANSWER, NUMBER, TEXT, Expression, Type, bounded, fits, reading
from ..strategies.attempts import Attempts
from ..strategies.nested import check_budgets
from ..types import Outcome, Problem, StopReason
from .base import Block, ExpressionText, check_block, every_step, run_block
from .bounds import block_spending
from .frame import Execution, FailedError, Frame
from .run import Run
from .scope import Fault, Scope
from .score import Score
from .sizes import problem_size
from .values import field_types, plain, problem_type

__all__ = ["Steps"]


_Run: TypeAlias = tuple[Sequence[str], Mapping[str, Type], AnswerReader]
"""What a program is checked for: names of models, types of a problem's fields, and how answers are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """A control program composed of steps, which are made one after the other until one returns.

    Names, types and bounds are checked before anything is asked, once for problems whose records have the same
    fields. A failed call, a spent budget and a passed deadline leave values missing, and the program goes on with
    what it has; once budget or deadline allow nothing, its further steps cost nothing, and it ends with the best so
    far.

    Every step that makes calls makes them on a branch of its `id`, or of its key where it has none.

    Args:
        steps: The steps; every path through them ends in `return` or `fail`.
        outputs: Expressions by name whose values the outcome's `detail` has as `outputs`; those of steps that were
            not reached are missing. `problem`, and what the steps name, can be used in them.

    Raises:
        InvalidInputError: When called: the steps have faults, and these are they.
    """

    key: ClassVar[str] = "steps"

    steps: Block
    outputs: Mapping[str, ExpressionText] = field(default_factory=dict, hash=False)
    _verifiers: tuple[tuple[Verifier, str], ...] = field(init=False, repr=False, compare=False)
    _sound: list[_Run] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        object.__setattr__(self, "outputs", dict(self.outputs))
        scoring = [step.by for step in every_step(self.steps) if isinstance(step, Score)]
        object.__setattr__(self, "_verifiers", _named(scoring))
        object.__setattr__(self, "_sound", [])

    @property
    def most_calls(self) -> int:
        """Calls one problem takes at most; those of verifiers, and what is sent again, are excluded.

        Raises:
            InvalidInputError: It runs a program that does not say: a function of one's own.
        """
        return sum(step.most_calls for step in self.steps)

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return max((step.calls_at_once for step in self.steps), default=1)

    def faults(
        self,
        *,
        problem_fields: Mapping[str, Type] | None = None,
        models: Sequence[str] | None = None,
        complete: bool = True,
    ) -> list[Fault]:
        """What is wrong with the program; nothing is run.

        What nothing uses is told only where nothing else is wrong: what is wrong may be what was to use it.

        Args:
            problem_fields: Types of the fields of the problems' records besides `id` and `text`; None for none.
            models: Names of the models; None when they are not known, and any name passes.
            complete: Whether this is all of the program; else what may be wrong because of what is not there is
                passed over.
        """
        scope = Scope({"problem": problem_type(problem_fields or {})}, models=models)
        with scope.at(self.key):
            check_block(self.steps, scope)
            if complete and not any(step.returns for step in self.steps):
                scope.fault(
                    "the program can come to its end without an answer",
                    *([len(self.steps) - 1] if self.steps else []),
                    hint="end every path in `return` or `fail`",
                )
        for name, text in self.outputs.items():
            scope.expression(text, "outputs", name)
        if complete and not scope.faults:
            scope.note_unused()
        return scope.faults

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Solve `problem`.

        Raises:
            InvalidInputError: The program has faults, or does too much between its calls.
            UnknownPriceError: A budget inside limits money and a model's price is not known; no call has been made.
        """
        with reading(ctx.answers):
            self._check(ctx.models, field_types(problem), ctx.answers)
        check_budgets(ctx, self)
        run = Execution(ctx=ctx, before=len(ctx.candidates), verifiers=self._verifiers)
        logprobs = logprobs_for(*(verifier for verifier, _ in self._verifiers))
        frame = Frame(
            ctx=ctx if logprobs is None else ctx.using(sampling={"logprobs": logprobs}),
            problem=problem,
            values={"problem": problem},
            attempts=Attempts(),
            run=run,
        )
        with bounded(), reading(ctx.answers):
            outcome = await self._made(frame)
            further = self._outputs(frame) if self.outputs else {}
        return replace(outcome, detail={**outcome.detail, **further}) if further else outcome

    async def _made(self, frame: Frame) -> Outcome:
        """What the steps have come to."""
        try:
            await run_block(self.steps, frame)
        except FailedError as error:
            frame.ctx.step("failed", str(error))
            candidates = tuple(frame.run.candidates())
            return Outcome(candidates=candidates, stop_reason=StopReason.ERROR, error=str(error))
        if frame.run.returned is None:  # the check has seen that every path returns
            raise AssertionError("the program has ended without a return")
        return frame.run.returned

    async def worst_case(self, costing: Costing) -> Spending:
        """What a problem costs at most: all of its steps, as if each were reached."""
        costing = costing.with_problem(costing.problem)
        costing.sizes["problem"] = await problem_size(costing)
        made = await block_spending(self.steps, costing, label=self.key)
        leaves = (one for one in every_step(self.steps) if not one.blocks and not isinstance(one, Run))
        longest = max((one.longest_text(costing) for one in leaves), default=0.0)
        longest = max(longest, costing.inside)
        count = max(costing.returned.count, float(self._puts_together(costing)))
        if count:
            longest = max(longest, costing.returned.tokens)
        worst = made.worst + Cost(candidates=count)
        return replace(made, worst=worst, kind=self.key, on_branch=False, longest=longest)

    def longest_text(self, costing: Costing) -> float:
        """Tokens of the longest candidate, at most; infinite where the program can return a text of its own."""
        if self._reads_text(costing):
            return math.inf
        return max((step.longest_text(costing) for step in self.steps), default=0.0)

    def _reads_text(self, costing: Costing) -> bool:
        """Whether it can return a text, which becomes a candidate."""
        return self._returns(costing, TEXT, NUMBER)

    def _puts_together(self, costing: Costing) -> bool:
        """Whether it can return an answer that is none of a candidate's that a call has drawn."""
        return self._returns(costing, TEXT, NUMBER, ANSWER)

    def _returns(self, costing: Costing, *kinds: Type) -> bool:
        scope = Scope({"problem": problem_type(field_types(costing.problem))})
        check_block(self.steps, scope)
        return any(fits(kind, own) for kind in scope.returned for own in kinds)

    def _check(self, models: Sequence[str], fields: Mapping[str, Type], answers: AnswerReader) -> None:
        """Refuse what has faults, once for the same models, fields and way to read answers."""
        if (models, fields, answers) in self._sound:
            return
        faults = self.faults(problem_fields=fields, models=models)
        if faults:
            raise InvalidInputError("\n".join(["the program cannot be run:", *map(_in_words, faults)]))
        self._sound.append((models, fields, answers))
        del self._sound[:-MOST_KEPT]

    def _outputs(self, frame: Frame) -> dict[str, Any]:
        values = {}
        for name, text in self.outputs.items():
            expression = Expression.of(text)
            values[name] = plain(expression.evaluate({**dict.fromkeys(expression.names), **frame.values}))
        return {"outputs": values}


MOST_KEPT = 100
"""Kinds of problems that a program is known to be sound for, the latest ones."""


def _named(verifiers: Sequence[Verifier]) -> tuple[tuple[Verifier, str], ...]:
    """Each different verifier with a name of its own: that of its kind, with a number from the second on."""
    named: list[tuple[Verifier, str]] = []
    kinds: dict[str, int] = {}
    for verifier in verifiers:
        if not any(known is verifier or known == verifier for known, _ in named):
            kind = name_of(verifier)
            number = kinds[kind] = kinds.get(kind, 0) + 1
            named.append((verifier, kind if number == 1 else f"{kind}-{number}"))
    return tuple(named)


def _in_words(fault: Fault) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault.path).lstrip(".")
    return f"  {place}: {fault.message}" + (f" ({fault.hint})" if fault.hint else "")
