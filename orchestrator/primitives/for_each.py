"""The same steps for every item of a list, side by side. Cost: `max` times that of one item."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..concurrently import concurrently
from ..costs import Costing, Size, Spending, counted, scaled
from ..errors import InvalidInputError
from ..expressions import (
    NUMBER,
    UNKNOWN,
    Expression,
    ExpressionError,
    ListOf,
    Namespace,
    Record,
    Type,
    without_maybe,
)
from ..strategies.base import at_least
from .base import Block, ExpressionText, Primitive, check_block, names_of, run_block
from .bounds import alone, fields_of, list_of, number_size, valued_spending
from .frame import FailedError, Frame
from .repeat import check_turns
from .scope import Scope

__all__ = ["ForEach"]

MOST_ITEMS = 10_000
"""Items of one list: a branch is opened for each before the first begins."""


SAME_LENGTH = ("", "texts", "answers", "scores")
"""Fields of a list, itself included, that have an item for each of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForEach(Primitive):
    """Makes its steps for every item of a list side by side, each on a branch and with names of its own.

    Its value has as fields `values`, the list of the blocks' values in the order of the items, `each.<name>`, the
    list of what a name had for each item, and `count`, the number of items. A list longer than `max` ends the program
    as `fail` does: its outcome has no answer, what was drawn as candidates, and says so as `error`.

    Cost: max times the calls of the steps.

    Args:
        over: `in` in files: expression of a list, or of candidates.
        item: `as` in files: what an item is called in the steps.
        max: Items at most, in [1, 10000]; None where the list stands in `over` itself, as `[a, b]`.
        at_once: Items worked on at once; None for all.
        steps: At least one step; they cannot end the program, nor `set` what is named outside.
    """

    key: ClassVar[str] = "for_each"
    pure: ClassVar[bool] = False
    spelled: ClassVar[dict[str, str]] = {"over": "in", "item": "as"}

    over: ExpressionText
    item: str
    max: int | None = None
    at_once: int | None = None
    steps: Block

    def __post_init__(self) -> None:
        Primitive.__post_init__(self)
        at_least(1, max=self.max, at_once=self.at_once)
        if self.max is not None and self.max > MOST_ITEMS:
            raise InvalidInputError(f"max must be in 1..{MOST_ITEMS}, not {self.max}")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks it has inside, in the order they are written."""
        return (self.steps,)

    @property
    def turns(self) -> int:
        """How often its block is made, at most."""
        written = _items_written(self.over)
        if self.max is None:
            return MOST_ITEMS if written is None else written
        return self.max if written is None else min(self.max, written)

    @property
    def calls_at_once(self) -> int:
        """Those of one item, for as many as are worked on at once."""
        one = max((step.calls_at_once for step in self.steps), default=0)
        return one * min(self.at_once or self.turns, self.turns)

    # Before a run ----------------------------------------------------------------------------------------

    def check(self, scope: Scope) -> Type:
        """The type of what it brings."""
        item = self._check_list(scope)
        if not self.steps:
            scope.fault("there is no step to make for each item", self.key, "steps")
        check_turns(self, scope)
        scope.free(self.item, self.key, "as")
        with scope.at(self.key, "steps"), scope.block({self.item: item}, side_by_side=True) as inside:
            kind = check_block(self.steps, scope, valued=True)
        scope.show(inside, self.id, key=self.key, within="each")
        each = Record("the items of a loop", {name: ListOf(kind) for name, kind in inside.items()})
        values = {} if kind is None else {"values": ListOf(kind)}
        return Record("what a loop over items has brought", {**values, "each": each, "count": NUMBER})

    def _check_list(self, scope: Scope) -> Type:
        """The type of an item; unknown when `over` is no list, which is noted."""
        kind = scope.expression(self.over, self.key, "in")
        if kind is None:
            return UNKNOWN
        if self.max is None and _items_written(self.over) is None:
            scope.fault(
                f"how many items `{self.over}` has is not known before the run: say how many at most",
                self.key,
                hint="add `max`, such as max: 16",
            )
        self._check_length(scope)
        kind = without_maybe(kind)
        item = kind.item if isinstance(kind, ListOf | Record) else None
        if item is None:
            scope.fault(f"expected a list, but `{self.over}` is {kind}", self.key, "in")
            return UNKNOWN
        return item

    def _check_length(self, scope: Scope) -> None:
        """Note a list that is known to be longer than is allowed, or can be by what its own step says."""
        written = _items_written(self.over)
        name, _, field = self.over.strip().partition(".")
        listed = scope.most_items(name) if field in SAME_LENGTH else None
        if self.max is not None and written is not None and written > self.max:
            scope.fault(self._too_long(f"{written} items"), self.key, "max")
        elif self.max is not None and listed is not None and listed > self.max:
            hint = f"write max: {listed}, or make `{name}` shorter"
            scope.fault(self._too_long(f"up to {listed} items of `{name}`"), self.key, "max", hint=hint)

    def _too_long(self, items: str) -> str:
        named = "" if self.id is None else f" `{self.id}`"
        return f"{self.key}{named}: {items} where at most {self.max} are allowed (`max`)"

    # A run -----------------------------------------------------------------------------------------------

    async def run(self, frame: Frame) -> Any:
        """What the items have brought."""
        items: Sequence[Any] = frame.evaluate(self.over) or ()
        if len(items) > self.turns:
            raise FailedError(self._too_long(f"{len(items)} items"))
        parts = [
            frame.beside(f"{self.label}-{number}", names={self.item: item})
            for number, item in enumerate(items, 1)
        ]
        room = asyncio.Semaphore(self.at_once or max(1, len(parts)))

        async def make(part: Frame) -> Any:
            async with room:
                return await run_block(self.steps, part)

        values = await concurrently(make(part) for part in parts)
        for part in parts:
            frame.join(part)
        names = {name: [part.values.get(name) for part in parts] for name in names_of(self.steps)}
        return Namespace(values=values, each=Namespace(names), count=len(items))

    # Its cost --------------------------------------------------------------------------------------------

    async def spending(self, costing: Costing) -> Spending:
        """That of the longest item, for as many items as there can be."""
        over = Expression.of(self.over).size(costing.sizes)
        most = min(self.turns, over.count)
        with alone(costing, {self.item: over.item or Size(tokens=over.tokens)}):
            one, value = await valued_spending(self.steps, costing, label=f"{self.label}-*", on_branch=True)
            names = fields_of(self.steps, costing)
        if self.id is not None:
            each = Size(fields={name: list_of(size, most) for name, size in names.items()})
            fields = {"values": list_of(value, most), "each": each, "count": number_size(most)}
            costing.sizes[self.id] = Size(fields=fields)
        every = scaled(one, most)
        return Spending(
            label=self.label,
            kind=self.key,
            worst=every.worst,
            parts=(every,),
            note=f"at most {counted(most, 'item')}",
            on_branch=False,
        )


def _items_written(text: str) -> int | None:
    """How many items a list has that stands in an expression itself; None where it is computed."""
    try:
        return Expression.of(text).items
    except ExpressionError:
        return None  # which the check of the expression says
