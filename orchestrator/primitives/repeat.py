"""The same steps round after round, until a condition is true. Cost: the sum over the most rounds it can make."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import anyio

from ..costs import FREE, UNKNOWN, Cost, Costing, Size, Spending, added, counted, scaled
from ..errors import InvalidInputError
from ..expressions import NUMBER, TRUTH, Expression, ListOf, Namespace, Record, Type, longer, maybe
from ..expressions import UNKNOWN as UNTOLD
from .base import Block, ExpressionText, Primitive, check_block, ending, names_of, run_block
from .bounds import block_spending, either, fields_of, list_of, number_size
from .frame import Frame
from .scope import Scope

__all__ = ["MOST_ROUNDS", "MOST_TURNS", "Repeat", "check_turns"]

MOST_ROUNDS = 1000
"""Rounds that one loop may make."""

MOST_TURNS = 250_000
"""Steps that a loop may make with all those inside it: it ends in seconds where none of them makes a call. Programs
that are called have loops of their own; while they run, all steps together are bounded (`expressions.work`).
"""

MOST_NESTED = 6
"""Loops inside one another that look back at their rounds: checking each takes checking its steps twice."""

MOST_ROUNDS_WORKED_OUT = 2_000
"""Rounds that are gone through to work out what a program costs; beyond them it is not known."""

PREVIOUS = "previous"

BEFORE = "`while` is asked before a round: give `{name}` a value with `let` before the loop, or use `until`"
"""What is said of a name of a round that `while` uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Primitive):
    """Makes its steps again and again, at most `max` times.

    Inside, `previous.<name>` is what a name had the round before, missing in the first. Its value has the names of
    the last round as fields (missing when there was none, which only `going` allows), `rounds`, and `each.<name>`,
    the list of what a name had round by round. It ends early once budget or deadline allow no further call.

    Cost: max times the calls of the steps.

    Args:
        max: Rounds at most, in [1, 1000].
        until: Expression asked after each round, with its names; true ends the loop.
        going: `while` in files: expression asked before each round, with `previous`; what is not true ends it.
        steps: At least one step.
    """

    key: ClassVar[str] = "repeat"
    pure: ClassVar[bool] = False
    spelled: ClassVar[dict[str, str]] = {"going": "while"}

    max: int
    until: ExpressionText | None = None
    going: ExpressionText | None = None
    steps: Block

    def __post_init__(self) -> None:
        if not 1 <= self.max <= MOST_ROUNDS:
            raise InvalidInputError(f"max must be in 1..{MOST_ROUNDS}, not {self.max}")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks it has inside, in the order they are written."""
        return (self.steps,)

    @property
    def turns(self) -> int:
        """How often its block is made, at most."""
        return self.max

    @property
    def returns(self) -> bool:
        """Whether every path through it ends the program."""
        return self.going is None and any(step.returns for step in self.steps)

    # Before a run ----------------------------------------------------------------------------------------

    def check(self, scope: Scope) -> Type | None:
        """The type of what it brings."""
        if not self.steps:
            scope.fault("there is no step to repeat", self.key, "steps")
        check_turns(self, scope)
        if _depth(self) > MOST_NESTED:
            scope.fault(f"more than {MOST_NESTED} loops inside one another", self.key, "steps")
            return None
        names = self._check_rounds(scope)
        for name in ("rounds", "each"):
            if name in names:
                scope.fault(
                    f"`{name}` is a field of what `{self.key}` brings, and cannot be the name of one of its steps",
                    self.key,
                    "steps",
                    hint="choose another name",
                )
        shown = names if self.going is None else {name: maybe(kind) for name, kind in names.items()}
        each = Record("the rounds of a loop", {name: ListOf(kind) for name, kind in names.items()})
        return Record("what a loop has brought", {**shown, "rounds": NUMBER, "each": each})

    def _check_rounds(self, scope: Scope) -> Mapping[str, Type]:
        """Check a round, again until `previous` has all that a round gives; the names it gives.

        At first nothing is known of what the round before has given. A type that is found is not lost again, so that
        each time makes one more known, or says of one that it may be missing, until nothing changes. Where this loop
        has been checked before, inside another that is checked again, that is where it goes on from.
        """
        known = scope.rounds.get(scope.path) or dict.fromkeys(names_of(self.steps), UNTOLD)
        for remaining in reversed(range(2 * len(known) + 2)):
            mark = scope.mark()
            fields = {name: maybe(kind) for name, kind in known.items()}
            before = maybe(Record("the round before", fields))
            with scope.at(self.key), scope.block({PREVIOUS: before}) as inside:
                if self.going is not None:
                    scope.explain(names_of(self.steps), BEFORE)
                    self._check_going(self.going, scope)
                with scope.at("steps"):
                    check_block(self.steps, scope)
                if self.until is not None:
                    scope.expression(self.until, "until", expected=TRUTH)
                looks_back = scope.used(PREVIOUS)
            if not looks_back or inside == known or not remaining:
                break
            scope.back_to(mark)
            known = dict(inside)
        scope.show(inside, self.id, key=self.key)
        if looks_back:
            scope.rounds[scope.path] = known
            scope.keep(inside)
            scope.settle(inside, known)
        return inside

    def _check_going(self, going: str, scope: Scope) -> None:
        kind = scope.expression(going, "while", expected=TRUTH)
        if kind is None or PREVIOUS not in Expression.of(going).names:
            return
        if not Expression.of(going).can_hold({PREVIOUS}):
            scope.fault(
                f"`{going}` is not true before the first round, where `{PREVIOUS}` is missing: no round is made",
                "while",
                hint=f"use `until`, or begin with `{PREVIOUS} == none or`",
            )

    # A run -----------------------------------------------------------------------------------------------

    async def run(self, frame: Frame) -> Any:
        """What the rounds have brought."""
        outer = {PREVIOUS: frame.values[PREVIOUS]} if PREVIOUS in frame.values else {}
        rounds = _Rounds.of(self.steps)
        frame.values[PREVIOUS] = None
        while rounds.count < self.max and self._goes_on(frame, rounds.count):
            await anyio.lowlevel.checkpoint()  # a loop that makes no calls must be cancelled as well
            if not await self._make_round(frame, rounds):
                break
            frame.values[PREVIOUS] = rounds.last
        del frame.values[PREVIOUS]
        frame.values.update(outer)
        return Namespace(rounds.last, rounds=rounds.count, each=Namespace(rounds.each))

    async def _make_round(self, frame: Frame, rounds: _Rounds) -> bool:
        """Make the next round; whether there may be one after it."""
        with ending(self.steps, frame):
            await run_block(self.steps, frame)
            if frame.ended:
                return False
            rounds.add(frame.gathered(names_of(self.steps)))
            return not self._is_done(frame, rounds.count)

    def _goes_on(self, frame: Frame, made: int) -> bool:
        if self.going is None or frame.evaluate(self.going) is True:
            return True
        frame.ctx.step("while", f"{self.label}: {self.going} is not true after {counted(made, 'round')}")
        return False

    def _is_done(self, frame: Frame, made: int) -> bool:
        if self.until is not None and frame.evaluate(self.until) is True:
            frame.ctx.step("until", f"{self.label}: {self.until} after {counted(made, 'round')}")
            return True
        deadline = frame.ctx.deadline
        if deadline is not None and frame.ctx.clock() >= deadline and not frame.attempts.ended:
            frame.attempts.note(frame.ctx.ledger.late())
        return frame.attempts.ended

    # Its cost --------------------------------------------------------------------------------------------

    async def spending(self, costing: Costing) -> Spending:
        """The sum over `max` rounds, each with what the rounds before it can have made longer."""
        outer = costing.sizes.get(PREVIOUS)
        bound, ends = await self._rounds(costing)
        costing.sizes.clear()
        costing.sizes.update(ends if outer is None else {**ends, PREVIOUS: outer})
        if self.id is not None:
            costing.sizes[self.id] = bound.size(self.max)
        note = f"at most {counted(self.max, 'round')}"
        return Spending(
            label=self.label,
            kind=self.key,
            worst=bound.worst,
            parts=bound.parts,
            note=note,
            on_branch=False,
            flow="rounds",
        )

    async def _rounds(self, costing: Costing) -> tuple[_Bound, dict[str, Size]]:
        """What the rounds cost at most, and how long the values of the names outside can be after them."""
        bound = _Bound(steps=self.steps)
        ends = {name: size for name, size in costing.sizes.items() if name != PREVIOUS}
        for number in range(self.max):
            if costing.rounds >= MOST_ROUNDS_WORKED_OUT:
                bound.unknown(ends)
                break
            costing.rounds += 1
            same = await bound.go_on(costing, ends)
            end = {name: costing.sizes[name] for name in ends}
            if number or self.going is not None:
                end = either(ends, end)
            ends = end
            if same:
                bound.again(self.max - number - 1)
                break
        return bound, ends


@dataclass(slots=True, kw_only=True)
class _Rounds:
    """What the rounds so far have brought."""

    last: Namespace
    each: dict[str, list[Any]]
    count: int = 0

    @classmethod
    def of(cls, steps: Block) -> _Rounds:
        names = names_of(steps)
        return cls(last=Namespace(dict.fromkeys(names)), each={name: [] for name in names})

    def add(self, names: Namespace) -> None:
        self.count += 1
        self.last = names
        for name, value in names.items():
            self.each[name].append(value)


@dataclass(slots=True, kw_only=True)
class _Bound:
    """What the rounds so far cost at most, and how long what they bring can be."""

    steps: Block
    worst: Cost = FREE
    round: Spending | None = None
    parts: tuple[Spending, ...] = ()
    last: dict[str, Size] = field(default_factory=dict)
    longest: dict[str, Size] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)

    async def go_on(self, costing: Costing, outside: Collection[str]) -> bool:
        """Go through a round; whether those after it are as this one, because it has made nothing longer."""
        costing.sizes[PREVIOUS] = Size(fields=self.last)
        before = {name: costing.sizes[name] for name in outside}
        made = await block_spending(self.steps, costing, label="round")
        brought = fields_of(self.steps, costing)
        same = brought == self.last and all(costing.sizes[name] == size for name, size in before.items())
        self.round, self.last = made, brought
        self._add(1)
        return same

    def again(self, times: int) -> None:
        """Further rounds that are as the last."""
        if times:
            self._add(times)

    def unknown(self, outside: dict[str, Size]) -> None:
        """Further rounds of which nothing is known."""
        self.worst = UNKNOWN
        self.parts = tuple(scaled(part, math.inf) for part in self.parts)
        endless = Size(tokens=math.inf, count=math.inf)
        for sizes in (outside, self.longest):
            sizes.update(dict.fromkeys(sizes, endless))
        self.tokens.update(dict.fromkeys(self.tokens, math.inf))

    def size(self, most: int) -> Size:
        """The size of what the loop brings."""
        each = {name: list_of(size, most, tokens=self.tokens[name]) for name, size in self.longest.items()}
        return Size(fields={**self.longest, "rounds": number_size(most), "each": Size(fields=each)})

    def _add(self, rounds: int) -> None:
        if self.round is not None:
            all_of_them = scaled(self.round, rounds)
            self.worst += all_of_them.worst
            self.parts = added(self.parts, all_of_them.parts)
        for name, size in self.last.items():
            self.longest[name] = longer(self.longest.get(name, size), size)
            self.tokens[name] = self.tokens.get(name, 0.0) + size.tokens * rounds


def check_turns(step: Primitive, scope: Scope) -> None:
    """Refuse loops inside one another that could go on for hours without a call; the innermost such is named."""
    inside = [one for block in step.blocks for one in block]
    if _turns(step) > MOST_TURNS and all(_turns(one) <= MOST_TURNS for one in inside):
        scope.fault(
            f"with the loops inside it, it makes up to {_turns(step):,} steps, and {MOST_TURNS:,} are allowed",
            step.key,
            "max",
        )


def _turns(step: Primitive) -> int:
    """Steps made by one step with those inside it, at most."""
    return 1 + step.turns * sum(_turns(one) for block in step.blocks for one in block)


def _depth(step: Primitive) -> int:
    """Loops of this kind inside one another, the step's own included."""
    inside = max((_depth(one) for block in step.blocks for one in block), default=0)
    return inside + isinstance(step, Repeat)
