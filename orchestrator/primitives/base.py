"""What a step of a composed program is, and how steps in a block are checked and made one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias

from ..contracts import hold_tuples
from ..costs import Costing, Spending
from ..expressions import UNKNOWN, Type, made_step
from .frame import Frame
from .scope import Scope

__all__ = [
    "Block",
    "ExpressionText",
    "Primitive",
    "TemplateText",
    "Unmade",
    "check_block",
    "ending",
    "every_step",
    "names_of",
    "run_block",
]

ExpressionText: TypeAlias = Annotated[str, "expression"]
"""A parameter that holds an expression."""

TemplateText: TypeAlias = Annotated[str, "template"]
"""A parameter that holds a template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitive:
    """The root of the steps.

    Its name in files is its `key`, its parameters are its fields.

    Args:
        id: What later steps call its value; None for a step whose value is not named.
    """

    key: ClassVar[str]
    pure: ClassVar[bool] = True
    """Whether all it does is have a value, so that without a use for it the step is for nothing."""
    spelled: ClassVar[Mapping[str, str]] = {}
    """Parameters that have another name in files: those that are keywords of Python."""
    beside: ClassVar[tuple[str, ...]] = ()
    """Parameters that stand beside its key in files, not inside."""

    id: str | None = None

    def __post_init__(self) -> None:
        hold_tuples(self)

    @property
    def returns(self) -> bool:
        """Whether every path through it ends the program."""
        return False

    @property
    def label(self) -> str:
        """Its step in the path of its calls."""
        return self.id or self.key

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it gives to values in the block where it stands."""
        return () if self.id is None else (self.id,)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks it has inside, in the order they are written."""
        return ()

    @property
    def most_items(self) -> int | None:
        """Items its value has at most, where it is a list and that is known."""
        return None

    @property
    def turns(self) -> int:
        """How often each of its blocks is made, at most."""
        return 1

    @property
    def most_calls(self) -> int:
        """Calls it makes at most, those of verifiers excluded: here, those of all steps in it, `turns` times."""
        return self.turns * sum(step.most_calls for block in self.blocks for step in block)

    @property
    def calls_at_once(self) -> int:
        """Calls it keeps in flight: here, those of the widest step in it."""
        return max((step.calls_at_once for block in self.blocks for step in block), default=0)

    def longest_text(self, costing: Costing) -> float:
        """Tokens of the longest candidate it can bring, at most: here, that the steps in it can."""
        return max((step.longest_text(costing) for block in self.blocks for step in block), default=0.0)

    def place(self, parameter: str) -> tuple[str, ...]:
        """Where a parameter stands in files, from the step."""
        name = self.spelled.get(parameter, parameter)
        return (name,) if parameter in self.beside else (self.key, name)

    def check(self, scope: Scope) -> Type | None:
        """The type of its value; None where it has none. Notes what is wrong with it in `scope`."""
        raise NotImplementedError

    async def run(self, frame: Frame) -> Any:
        """Its value; None where it is missing. A failed call, a spent budget and a passed deadline are noted in
        `frame.attempts`, not raised.
        """
        raise NotImplementedError

    async def spending(self, costing: Costing) -> Spending:
        """What it costs at most; notes in `costing.sizes` how long its value can be, under its id."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmade(Primitive):
    """Stands for a step that is so wrong that it could not be made, while those around it are checked.

    Args:
        given: The names it seems to give.
    """

    key: ClassVar[str] = "unmade"
    pure: ClassVar[bool] = False

    given: tuple[str, ...] = ()

    def check(self, scope: Scope) -> None:
        """Nothing is known of it."""
        scope.suppose(self.given)


Block: TypeAlias = tuple[Primitive, ...]
"""Steps made one after the other; its value is the last one's."""


def names_of(block: Block) -> tuple[str, ...]:
    """The names that a block gives, those of blocks inside it excluded: they end with these."""
    return tuple(name for step in block for name in step.names)


def every_step(steps: Block) -> Iterator[Primitive]:
    """Steps with those in their blocks, in the order they are written."""
    for step in steps:
        yield step
        for block in step.blocks:
            yield from every_step(block)


def check_block(steps: Block, scope: Scope, *, valued: bool = False) -> Type | None:
    """Check steps one after the other, noting what is wrong; the type of the block's value.

    Args:
        steps: The block.
        scope: Where its names go.
        valued: Whether the value of the block is used, and so that of its last step.
    """
    kind: Type | None = None
    scope.expect({name: number for number, step in enumerate(steps) for name in step.names})
    for number, step in enumerate(steps):
        with scope.at(number):
            if number and steps[number - 1].returns and not isinstance(step, Unmade):
                scope.fault("this step is never reached: the one before it ends the program")
            if step.returns and not step.blocks and scope.side_by_side:
                scope.fault(
                    f"`{step.key}` cannot end the program here: other steps run beside this one",
                    hint="put it behind the steps that run side by side",
                )
            before = scope.trouble
            kind = step.check(scope)
            if kind is None and scope.trouble > before:
                kind = UNKNOWN  # what is wrong with it has been noted, and is not to be told again of what uses it
            if step.id is not None:
                if kind is None:
                    scope.fault(f"`{step.key}` has no value to be called `{step.id}`", "id")
                else:
                    scope.declare(step.id, kind, "id", most_items=step.most_items)
                    if valued and number == len(steps) - 1:
                        scope.use(step.id)
            elif step.pure and not (valued and number == len(steps) - 1):
                scope.fault("nothing uses the value of this step", hint="give it an `id`, and use that")
    return kind


@contextmanager
def ending(steps: Block, frame: Frame) -> Iterator[None]:
    """What is done in a block of these steps: the names that they give end with it, however it ends."""
    try:
        yield
    finally:
        for name in names_of(steps):
            frame.values.pop(name, None)


async def run_block(steps: Block, frame: Frame) -> Any:
    """Make steps one after the other, until the program returns; the value of the last one made."""
    value: Any = None
    for step in steps:
        made_step(frame.ctx.candidates)
        value = await step.run(frame)
        if not frame.attempts.ended and (limit := frame.ctx.limited_by) is not None:
            frame.attempts.stop_reason = limit  # it was met inside: on a branch, in a strategy, by a verifier
        if step.id is not None:
            frame.values[step.id] = value
        if frame.ended:
            break
    return value
