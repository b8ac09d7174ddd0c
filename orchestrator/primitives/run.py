"""A program inside a program. Cost: the program's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ..contracts import ControlProgram
from ..costs import Costing, Spending
from ..expressions import Type, made_step
from ..strategies.attempts import Attempts
from ..strategies.nested import candidates_of, longest_text_of, most_calls_at_once, most_calls_of, run_nested
from ..types import LONGEST_REASON, Candidate, Outcome, StopReason
from .base import Primitive, TemplateText
from .frame import Frame
from .scope import Scope
from .sizes import candidate_size, candidates_size, measured, outcome_size
from .values import OUTCOME

__all__ = ["Run"]

CALLED = 32
"""Steps that calling a program counts as, beside the program's own."""

LIMITS = frozenset({StopReason.BUDGET, StopReason.DEADLINE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Primitive):
    """Runs a strategy or another program on a branch; its value is the outcome.

    Where budget, deadline or failing calls end it, the outcome is the vote over what it had drawn, and missing when
    that is nothing. Limits of its own, those of a cascade's tiers or of a file, end it alone, as they do a `branch`,
    and are told in the same places. Its candidates are candidates of this program too. The outcome's `agreement`, and
    the `confidence` of a vote, are shares of the samples drawn: where a vote stopped early, all `n` may agree less.
    Write `stop: fixed_size` where a program decides by them.

    Cost: the program's.

    Args:
        program: The program.
        problem: Template of the problem it is to solve; None for this program's. What else belongs to the problem,
            its further fields and what rules check answers by, stays the same.
    """

    key: ClassVar[str] = "run"
    pure: ClassVar[bool] = False
    beside: ClassVar[tuple[str, ...]] = ("problem",)

    program: ControlProgram
    problem: TemplateText | None = None

    @property
    def most_calls(self) -> int:
        """The program's."""
        return most_calls_of(self.program)

    @property
    def calls_at_once(self) -> int:
        """The program's."""
        return most_calls_at_once(self.program)

    def check(self, scope: Scope) -> Type:
        """An outcome."""
        if self.problem is not None:
            scope.template(self.problem, *self.place("problem"))
        return OUTCOME

    async def run(self, frame: Frame) -> Outcome | None:
        """The outcome."""
        if frame.attempts.ended:
            return None
        problem = frame.problem
        if self.problem is not None:
            problem = replace(problem, prompt=frame.render(self.problem), messages=None)
        made_step(frame.ctx.candidates, CALLED)
        ctx = frame.ctx.branch(label=self.label)
        part = Attempts()
        outcome = await run_nested(ctx, self.program, problem, part)
        ended = part.stop_reason if outcome is None else outcome.stop_reason
        if ended in LIMITS:
            part.stop_reason = frame.reached()
            if not part.ended:
                frame.cut_short(self.label, ctx, ended, 0 if outcome is None else len(outcome.candidates))
        frame.attempts.join(part)
        if outcome is None:
            return None
        candidates = tuple(self._renamed(frame, one) for one in outcome.candidates)
        frame.attempts.candidates += candidates
        for candidate in candidates:
            frame.run.keep(candidate)
        return replace(outcome, candidates=candidates)

    async def spending(self, costing: Costing) -> Spending:
        """The program's."""
        problem, inserted = costing.problem, 0.0
        if self.problem is not None:
            text = measured(costing, self.problem)
            problem, inserted = replace(problem, prompt=text.counted, messages=None), text.inserted
        inside = await costing.program(self.program, problem, inserted)
        brought = candidates_of(inside, self.program, costing)
        costing.inside = max(costing.inside, brought.tokens)
        if self.id is not None:
            item = candidate_size(brought.tokens, reason=LONGEST_REASON)
            costing.sizes[self.id] = outcome_size(candidates_size(item, brought.count))
        return replace(inside, label=self.label, on_branch=True)

    def longest_text(self, costing: Costing) -> float:
        """The program's."""
        return longest_text_of(self.program, costing)

    def _renamed(self, frame: Frame, candidate: Candidate) -> Candidate:
        """`candidate` with the scores that go by a name of this program's verifiers under one that says whose they
        are: another verifier may have given them.
        """
        own = {name for _, name in frame.run.verifiers}
        if own.isdisjoint(candidate.scores):
            return candidate
        scores = {
            f"{self.label}.{name}" if name in own else name: score for name, score in candidate.scores.items()
        }
        return replace(candidate, scores=scores)
