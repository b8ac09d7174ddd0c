"""Steps with a budget of their own. Cost: that of the steps, and no more than the budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..budget import Budget
from ..costs import Costing, Size, Spending, limited
from ..expressions import Record, Type, maybe
from ..types import StopReason
from .base import Block, Primitive, check_block, ending, names_of, run_block
from .bounds import block_spending, fields_of
from .frame import Frame
from .scope import Scope

__all__ = ["Branch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch(Primitive):
    """Makes its steps under limits of their own, inside those of the problem.

    When these are spent, or their seconds have passed, its further steps do nothing, and the program goes on behind
    it with what there is: shares and agreements are then those of what was drawn. The trace says so, and the
    `detail` of the problem's outcome has as `cut_short` the paths of all such branches, each with what ended it,
    `budget` or `deadline`.
    Its value has the names of its steps as fields, which may be missing.

    Cost: the calls of the steps, and no more than the budget.

    Args:
        budget: The limits.
        steps: At least one step.
    """

    key: ClassVar[str] = "branch"
    pure: ClassVar[bool] = False

    budget: Budget
    steps: Block

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks it has inside, in the order they are written."""
        return (self.steps,)

    @property
    def returns(self) -> bool:
        """Whether every path through it ends the program."""
        return any(step.returns for step in self.steps)

    def check(self, scope: Scope) -> Type | None:
        """A record of the names of its steps."""
        if not self.steps:
            scope.fault("there is no step to make on the branch", self.key, "steps")
        with scope.at(self.key, "steps"), scope.block() as inside:
            check_block(self.steps, scope)
        scope.show(inside, self.id, key=self.key)
        return Record("what a branch has brought", {name: maybe(kind) for name, kind in inside.items()})

    async def run(self, frame: Frame) -> Any:
        """The values of the names of its steps."""
        before = frame.attempts.ended
        part = frame.apart(self.label, budget=self.budget)
        with ending(self.steps, part):
            await run_block(self.steps, part)
            names = part.gathered(names_of(self.steps))
        limit = frame.reached() if part.attempts.ended else StopReason.COMPLETE
        if part.attempts.ended and limit is StopReason.COMPLETE and not before:
            drawn = len(part.attempts.candidates)
            frame.cut_short(self.label, part.ctx, part.attempts.stop_reason, drawn)
        part.attempts.stop_reason = limit
        frame.attempts.join(part.attempts)
        return names

    async def spending(self, costing: Costing) -> Spending:
        """The lesser of what the steps cost and what the budget allows, in each kind of cost."""
        outside = set(costing.sizes)
        made = await block_spending(self.steps, costing, label=self.label)
        fields = fields_of(self.steps, costing)
        for name in costing.sizes.keys() - outside:
            del costing.sizes[name]
        if self.id is not None:
            costing.sizes[self.id] = Size(fields=fields)
        return Spending(
            label=self.label,
            kind=self.key,
            worst=limited(made.worst, self.budget),
            parts=made.parts,
            note="within its budget",
        )
