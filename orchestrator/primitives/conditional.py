"""One of two blocks, as a condition says. Cost: the dearer one's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar

from ..costs import FREE, Cost, Costing, Size, Spending
from ..expressions import TRUTH, Type, joined, longer, maybe
from .base import Block, ExpressionText, Primitive, check_block, ending, run_block
from .bounds import either, valued_spending
from .frame import Frame
from .scope import Scope

__all__ = ["If", "check_arm", "either_spending", "most_calls_of_arms", "run_arm", "value_of_arms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Primitive):
    """Makes `then` where `condition` is true, else `otherwise`; a condition that is missing is not true.

    With an `id`, its value is that of the block it makes, and both have to have one of the same type; without
    `otherwise` it may be missing. Names given in a block end with it.

    Cost: the calls of the block that has more.

    Args:
        condition: Expression that is true or false.
        then: At least one step.
        otherwise: `else` in files; may be empty.
    """

    key: ClassVar[str] = "if"
    pure: ClassVar[bool] = False
    spelled: ClassVar[dict[str, str]] = {"otherwise": "else"}
    beside: ClassVar[tuple[str, ...]] = ("then", "otherwise")

    condition: ExpressionText
    then: Block
    otherwise: Block = ()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks it has inside, in the order they are written."""
        return (self.then, self.otherwise)

    @property
    def returns(self) -> bool:
        """Whether every path through it ends the program."""
        return all(any(step.returns for step in block) for block in self.blocks)

    @property
    def most_calls(self) -> int:
        """Those of the block that makes more."""
        return most_calls_of_arms(self.blocks)

    def check(self, scope: Scope) -> Type | None:
        """The type of the blocks' value, where it has an `id`."""
        scope.expression(self.condition, self.key, expected=TRUTH)
        if not self.then:
            scope.fault("there is no step to make when it is true", "then", hint="negate the condition")
        then = check_arm(self.then, scope, "then", valued=self.id is not None)
        otherwise = check_arm(self.otherwise, scope, "else", valued=self.id is not None)
        return value_of_arms(self, [(self.then, then), (self.otherwise, otherwise)], scope)

    async def run(self, frame: Frame) -> Any:
        """The value of the block it makes."""
        holds = frame.evaluate(self.condition) is True
        frame.ctx.step("then" if holds else "else", f"{self.label}: {self.condition}")
        return await run_arm(self.then if holds else self.otherwise, frame)

    async def spending(self, costing: Costing) -> Spending:
        """The dearer block, in each kind of cost."""
        return await either_spending(self, [("then", self.then), ("else", self.otherwise)], costing)


def most_calls_of_arms(blocks: Sequence[Block]) -> int:
    """Calls of the block that makes most."""
    return max(sum(step.most_calls for step in block) for block in blocks)


def check_arm(block: Block, scope: Scope, *at: str | int, valued: bool) -> Type | None:
    """Check one of the blocks of which one is made."""
    with scope.at(*at), scope.block():
        return check_block(block, scope, valued=valued)


async def run_arm(block: Block, frame: Frame) -> Any:
    """Make one of the blocks of which one is made; its value."""
    with ending(block, frame):
        return await run_block(block, frame)


def value_of_arms(step: Primitive, arms: Sequence[tuple[Block, Type | None]], scope: Scope) -> Type | None:
    """The type of the value of a step that makes one of several blocks; None where it is not used.

    A block that ends the program has no part in it, and one without steps has a value that is missing.
    """
    going_on = [(block, kind) for block, kind in arms if not any(one.returns for one in block)]
    kinds = [kind for block, kind in going_on if block]
    if step.id is None or not kinds or any(kind is None for kind in kinds):
        return None
    value: Type | None = kinds[0]
    for kind in kinds[1:]:
        both = None if value is None or kind is None else joined(value, kind)
        if both is None:
            scope.fault(
                f"its blocks have values of different types: {value}, and {kind}",
                hint="end each with a step of the same kind, or take its `id` away",
            )
            return value
        value = both
    return value if len(kinds) == len(going_on) or value is None else maybe(value)


async def either_spending(step: Primitive, arms: Sequence[tuple[str, Block]], costing: Costing) -> Spending:
    """What a step costs at most that makes one of several blocks."""
    before = dict(costing.sizes)
    parts: list[Spending] = []
    ends: list[dict[str, Size]] = []
    value = Size()
    for label, block in arms:
        costing.sizes.clear()
        costing.sizes.update(before)
        part, size = await valued_spending(block, costing, label=label)
        value = longer(value, size)
        parts.append(part)
        ends.append({name: costing.sizes[name] for name in before})
    costing.sizes.clear()
    costing.sizes.update(either(*ends))
    if step.id is not None:
        costing.sizes[step.id] = value
    worst = reduce(Cost.or_else, (part.worst for part in parts), FREE)
    return Spending(
        label=step.label,
        kind=step.key,
        worst=worst,
        parts=tuple(parts),
        note="one of these",
        on_branch=False,
        flow="one",
    )
