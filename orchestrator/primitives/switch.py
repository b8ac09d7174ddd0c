"""The first of several blocks whose condition is true. Cost: the dearest one's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..contracts import hold_tuples
from ..costs import Costing, Spending
from ..expressions import TRUTH, Type
from .base import Block, ExpressionText, Primitive
from .conditional import check_arm, either_spending, most_calls_of_arms, run_arm, value_of_arms
from .frame import Frame
from .scope import Scope

__all__ = ["Case", "Switch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A block with the condition under which it is made.

    Args:
        when: Expression that is true or false; missing is not true.
        steps: At least one step.
    """

    when: ExpressionText
    steps: Block

    def __post_init__(self) -> None:
        hold_tuples(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Primitive):
    """Makes the steps of the first case whose condition is true, and `otherwise` where none is.

    With an `id`, its value is that of the block it makes, and all have to have one of the same type; without
    `otherwise` it may be missing. Names given in a block end with it.

    Cost: the calls of the block that has most.

    Args:
        cases: At least one, asked in order.
        otherwise: `else` in files; may be empty.
    """

    key: ClassVar[str] = "switch"
    pure: ClassVar[bool] = False
    spelled: ClassVar[dict[str, str]] = {"otherwise": "else"}
    beside: ClassVar[tuple[str, ...]] = ("otherwise",)

    cases: tuple[Case, ...]
    otherwise: Block = ()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks it has inside, in the order they are written."""
        return (*(case.steps for case in self.cases), self.otherwise)

    @property
    def returns(self) -> bool:
        """Whether every path through it ends the program."""
        return all(any(step.returns for step in block) for block in self.blocks)

    @property
    def most_calls(self) -> int:
        """Those of the block that makes most."""
        return most_calls_of_arms(self.blocks)

    def check(self, scope: Scope) -> Type | None:
        """The type of the blocks' value, where it has an `id`."""
        arms: list[tuple[Block, Type | None]] = []
        if not self.cases:
            scope.fault("there is no case", self.key)
        for number, case in enumerate(self.cases):
            scope.expression(case.when, self.key, number, "when", expected=TRUTH)
            if not case.steps:
                scope.fault("there is no step to make in this case", self.key, number, "steps")
            kind = check_arm(case.steps, scope, self.key, number, "steps", valued=self.id is not None)
            arms.append((case.steps, kind))
        arms.append((self.otherwise, check_arm(self.otherwise, scope, "else", valued=self.id is not None)))
        return value_of_arms(self, arms, scope)

    async def run(self, frame: Frame) -> Any:
        """The value of the block it makes."""
        for number, case in enumerate(self.cases):
            if frame.evaluate(case.when) is True:
                frame.ctx.step(f"case {number}", f"{self.label}: {case.when}")
                return await run_arm(case.steps, frame)
        frame.ctx.step("else", f"{self.label}: no case")
        return await run_arm(self.otherwise, frame)

    async def spending(self, costing: Costing) -> Spending:
        """The dearest block, in each kind of cost."""
        arms = [(case.when, case.steps) for case in self.cases]
        return await either_spending(self, [*arms, ("else", self.otherwise)], costing)
