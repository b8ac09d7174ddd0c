"""Blocks of steps side by side, all of them or until enough have come to something. Cost: the sum of all."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar

from ..costs import Costing, Size, Spending, total
from ..errors import InvalidInputError, most_telling
from ..expressions import TEXT, ListOf, Namespace, Record, Type, is_name, joined, longer, maybe
from ..strategies.attempts import Attempts
from ..types import Outcome, StopReason
from .base import Block, Primitive, check_block, names_of, run_block
from .bounds import alone, fields_of, list_of, valued_spending
from .frame import Frame
from .scope import NAMES, Scope

__all__ = ["Parallel"]

FIRST = re.compile(r"first\((\d{1,4})\)")

FIELDS = ("values", "winner")
"""Fields of its value besides the blocks' names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Primitive):
    """Makes blocks side by side, each on a branch named as it is and with names of its own.

    With `race` it ends once one block has come to a value, with `first(k)` once k have: the others are cancelled,
    what they have obtained by then is paid for, and their values are missing. A block has come to nothing when its
    value is missing, or the outcome of a program that failed without an answer, or when all its calls have failed;
    then the others decide, and its failures are the program's only when all blocks have come to nothing.

    Its value has as fields, for each block, a record of its names, missing where it does not count; `values`, the
    list of the values of the blocks that count, in the order they are written, where all are of one type; and for a
    race `winner`, the name of the block.

    Cost: the sum of the blocks' calls.

    Args:
        branches: The blocks by name, at least one, in an order that matters; they cannot end the program, nor `set`
            what is named outside.
        wait: `all`, `race`, or `first(k)` with k in [1, number of blocks].
    """

    key: ClassVar[str] = "parallel"
    pure: ClassVar[bool] = False
    beside: ClassVar[tuple[str, ...]] = ("wait",)

    branches: Mapping[str, Block]
    wait: str = "all"

    def __post_init__(self) -> None:
        Primitive.__post_init__(self)
        # Their order is part of the program (`values`), and of its equality.
        branches = OrderedDict((name, tuple(block)) for name, block in self.branches.items())
        object.__setattr__(self, "branches", branches)
        if not self.branches:
            raise InvalidInputError("parallel needs at least one block")
        wanted = _wanted(self.wait, len(self.branches))
        if wanted is None or not 1 <= wanted <= len(self.branches):
            raise InvalidInputError(
                f"wait must be all, race, or first(k) with k in 1..{len(self.branches)}, not {self.wait!r}"
            )

    @property
    def wanted(self) -> int:
        """How many blocks must come to a value before the others are cancelled; all: none is."""
        return _wanted(self.wait, len(self.branches)) or len(self.branches)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks it has inside, in the order they are written."""
        return tuple(self.branches.values())

    @property
    def calls_at_once(self) -> int:
        """The sum over the blocks."""
        return sum(max((step.calls_at_once for step in block), default=0) for block in self.blocks)

    # Before a run ----------------------------------------------------------------------------------------

    def check(self, scope: Scope) -> Type | None:
        """A record of the blocks' records."""
        fields: dict[str, Type] = {}
        kinds: list[Type | None] = []
        for name, block in self.branches.items():
            with scope.at(self.key, name):
                self._check_name(name, scope)
                with scope.block(side_by_side=True) as inside:
                    kinds.append(check_block(block, scope, valued=True))
                if self.wait != "all" and kinds[-1] is None:
                    scope.fault(
                        f"its last step has no value, so that it cannot count for `wait: {self.wait}`",
                        hint="end it with a step that has one",
                    )
            scope.show(inside, self.id, key=self.key, within=name)
            record = Record(f"what `{name}` has brought", dict(inside))
            fields[name] = record if self.wait == "all" else maybe(record)
        if self.wait == "race":
            fields["winner"] = maybe(TEXT)
        value = _one_type(kinds)
        if value is not None:
            fields["values"] = ListOf(value)
        return Record("what blocks side by side have brought", fields)

    def _check_name(self, name: str, scope: Scope) -> None:
        if not is_name(name):
            scope.fault(f"`{name}` cannot be a block's name: {NAMES}")
        if name in FIELDS:
            scope.fault(
                f"`{name}` is a field of what `{self.key}` brings, and cannot be a block's name",
                hint="choose another name",
            )
        if not self.branches[name]:
            scope.fault("there is no step in this block")

    # A run -----------------------------------------------------------------------------------------------

    async def run(self, frame: Frame) -> Any:
        """What the blocks have brought."""
        made = [
            _Made(name=name, steps=block, frame=frame.beside(name)) for name, block in self.branches.items()
        ]
        if self.wait == "all":
            counted = list(made)
            await _until(made, wanted=None)
        else:
            counted = await _until(made, wanted=self.wanted)
            frame.ctx.step(self.wait, f"{self.label}: {', '.join(one.name for one in counted) or 'none'}")
        for one in made:
            if counted and one not in counted:
                one.frame.attempts = Attempts(candidates=one.frame.attempts.candidates)
            frame.join(one.frame)
        names = {one.name: one.names if one in counted else None for one in made}
        values = [one.value for one in made if one in counted]
        winner = {"winner": counted[0].name if counted else None} if self.wait == "race" else {}
        return Namespace({**names, **winner, "values": values})

    # Its cost --------------------------------------------------------------------------------------------

    async def spending(self, costing: Costing) -> Spending:
        """The sum of all blocks: what loses a race may have been paid by then."""
        parts: list[Spending] = []
        fields: dict[str, Size] = {}
        values: list[Size] = []
        for name, block in self.branches.items():
            with alone(costing):
                part, value = await valued_spending(block, costing, label=name, on_branch=True)
                fields[name] = Size(fields=fields_of(block, costing))
            parts.append(part)
            values.append(value)
        if self.id is not None:
            fields["winner"] = Size(tokens=float(max(len(name.encode()) for name in self.branches)))
            longest, tokens = reduce(longer, values), sum(value.tokens for value in values)
            fields["values"] = list_of(longest, len(values), tokens=tokens)
            costing.sizes[self.id] = Size(fields=fields)
        note = "all of these" if self.wait == "all" else "all of these: who loses may have been paid"
        return Spending(
            label=self.label,
            kind=self.key,
            worst=total(parts),
            parts=tuple(parts),
            note=note,
            on_branch=False,
            flow="together",
        )


@dataclass(slots=True, kw_only=True, eq=False)
class _Made:
    """A block that is being made."""

    name: str
    steps: Block
    frame: Frame
    value: Any = None

    @property
    def names(self) -> Namespace:
        return self.frame.gathered(names_of(self.steps))

    @property
    def came_to_something(self) -> bool:
        """Whether it has a value that is not missing, and not one made of nothing but failed calls."""
        attempts = self.frame.attempts
        return not _is_nothing(self.value) and (bool(attempts.candidates) or not attempts.failures)


def _is_nothing(value: Any) -> bool:
    """Whether a value is missing, empty, or what a program came to that failed without an answer."""
    if isinstance(value, Outcome):
        return value.answer is None and value.stop_reason is StopReason.ERROR
    return value is None or (isinstance(value, list | tuple) and not value)


async def _until(made: Sequence[_Made], *, wanted: int | None) -> list[_Made]:
    """Make blocks side by side, cancelling the rest once `wanted` have come to something; these, as they finished."""
    finished: list[_Made] = []
    tasks: dict[str, asyncio.Task[None]] = {}

    async def make(one: _Made) -> None:
        one.value = await run_block(one.steps, one.frame)
        if not one.came_to_something:
            return
        finished.append(one)
        if len(finished) == wanted:
            for other in made:
                if other not in finished:
                    tasks[other.name].cancel()

    try:
        async with asyncio.TaskGroup() as group:
            for one in made:
                tasks[one.name] = group.create_task(make(one))
    except BaseExceptionGroup as errors:
        raise most_telling(errors) from None
    return finished[:wanted]


def _wanted(wait: str, blocks: int) -> int | None:
    """How many blocks are waited for; None when `wait` does not say."""
    if wait == "all":
        return blocks
    if wait == "race":
        return 1
    match = FIRST.fullmatch(wait)
    return None if match is None else int(match[1])


def _one_type(kinds: Sequence[Type | None]) -> Type | None:
    """The type that all have, or None."""
    value = kinds[0]
    for kind in kinds[1:]:
        value = None if value is None or kind is None else joined(value, kind)
    return value
