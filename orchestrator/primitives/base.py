"""What the steps of a composed program share: how they are checked before a run, and what they see while it runs."""

from __future__ import annotations

import difflib
import keyword
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, TypeAlias

from ..budget import Budget
from ..context import Context
from ..contracts import Verifier
from ..costs import Costing, Spending
from ..expressions import (
    Expression,
    ExpressionError,
    ListOf,
    Namespace,
    Type,
    fits,
    made_step,
    without_maybe,
)
from ..strategies.attempts import Attempts
from ..strategies.nested import drawn_on
from ..templates import Template, TemplateError
from ..types import Candidate, Outcome, Problem, Score

__all__ = [
    "Block",
    "Execution",
    "ExpressionText",
    "Fault",
    "Frame",
    "Primitive",
    "Scope",
    "StepPath",
    "TemplateText",
    "check_block",
    "closest",
    "every_step",
    "listed",
    "names_of",
    "run_block",
]

StepPath: TypeAlias = tuple[str | int, ...]
"""Where something stands in a composed program, as a file writes it: `("steps", 2, "repeat", "until")`."""


ExpressionText: TypeAlias = Annotated[str, "expression"]
"""A parameter that holds an expression."""

TemplateText: TypeAlias = Annotated[str, "template"]
"""A parameter that holds a template."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAMES = "names have letters, digits and `_`, and begin with no digit"
"""What names are made of: those of steps stand in the paths of their calls, and in expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A mistake in a composed program.

    Attributes:
        path: Where.
        message: What is wrong, and what was expected.
        hint: What to write instead, or None.
        offset: Characters into the text at `path`, from 0; None where the whole is meant.
    """

    path: StepPath
    message: str
    hint: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitive:
    """The root of the steps.

    Its name in files is its class's in snake case (or `key`), its parameters are its fields.

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


Block: TypeAlias = tuple[Primitive, ...]
"""Steps made one after the other; its value is the last one's."""


def names_of(block: Block) -> tuple[str, ...]:
    """The names that a block gives, those of blocks inside it excluded: they end with these."""
    return tuple(name for step in block for name in step.names)


@dataclass(slots=True)
class _Name:
    """A name given to a value: its type, where, and what uses it; `shown_by` are those that have it as a field."""

    name: str
    kind: Type
    path: StepPath
    used: bool = False
    settable: bool = False
    shown_by: list[_Name] = field(default_factory=list)

    @property
    def needed(self) -> bool:
        return self.used or any(shown.needed for shown in self.shown_by)


class Given(dict[str, Type]):
    """The names given in a block, with their types."""

    def __init__(self) -> None:
        self.entries: list[_Name] = []


class Scope:
    """The names a step may use, with their types; gathers the mistakes found while steps are checked.

    Args:
        names: What is known at the start, such as `problem`; these need not be used.
        models: Names of the models; None when they are not known yet, and any name passes.

    Attributes:
        faults: The mistakes found so far.
        side_by_side: Whether what is checked runs beside other steps, and so cannot end the program.
        returned: The types of the values that the program can return.
    """

    def __init__(self, names: Mapping[str, Type], *, models: Sequence[str] | None = None) -> None:
        self.models = models
        self.faults: list[Fault] = []
        self._path: StepPath = ()
        self._names = {name: _Name(name, kind, (), used=True) for name, kind in names.items()}
        self._fixed: frozenset[str] = frozenset(names)
        self._given: list[_Name] = []
        self._showing: dict[str, list[_Name]] = {}
        self.side_by_side = False
        self.returned: list[Type] = []

    @property
    def types(self) -> dict[str, Type]:
        """The names that can be used here."""
        return {name: entry.kind for name, entry in self._names.items()}

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """A part of the program, relative to where the scope is."""
        before = self._path
        self._path = (*before, *path)
        try:
            yield
        finally:
            self._path = before

    def fault(self, message: str, *at: str | int, hint: str | None = None, offset: int | None = None) -> None:
        """Note that what stands at `at` is wrong."""
        self.faults.append(Fault(path=(*self._path, *at), message=message, hint=hint, offset=offset))

    # Names -----------------------------------------------------------------------------------------------

    def declare(self, name: str, kind: Type, *at: str | int, settable: bool = False) -> None:
        """Give `name` to a value; one that can be used here already cannot be given again."""
        if not self.free(name, *at):
            return
        entry = self._names[name] = _Name(name, kind, (*self._path, *at), settable=settable)
        self._given.append(entry)
        for shown in self._showing.pop(name, ()):
            shown.shown_by.append(entry)

    def free(self, name: str, *at: str | int) -> bool:
        """Whether a value can be given this name here; notes why not."""
        if not is_name(name):
            self.fault(f"`{name}` cannot be a name: {NAMES}", *at)
            return False
        if name in self._names:
            self.fault(f"`{name}` is the name of something else already", *at, hint="choose another name")
            return False
        return True

    def used(self, name: str) -> bool:
        """Whether something has used `name`."""
        return name in self._names and self._names[name].used

    def use(self, name: str) -> None:
        """Note that `name` is used."""
        if name in self._names:
            self._names[name].used = True

    def _use_meant(self, text: str) -> None:
        """Note as used what a text that is wrong may have meant, so that its mistake is not told again as a name that
        nothing uses.
        """
        for word in NAME.findall(text):
            for name in (word, *difflib.get_close_matches(word, self._names, n=1, cutoff=0.6)):
                self.use(name)

    def settable(self, name: str) -> bool:
        """Whether `set` may change the value of `name` here."""
        return name in self._names and self._names[name].settable and name not in self._fixed

    @contextmanager
    def block(
        self, names: Mapping[str, Type] | None = None, *, side_by_side: bool = False
    ) -> Iterator[Given]:
        """A block with names of its own, which end with it.

        Args:
            names: What it begins with, such as a loop's item; these hide what is outside, and need not be used.
            side_by_side: Whether it runs beside others, so that `set` may change nothing outside.

        Yields:
            A mapping that has the names given in the block, with their types, when the block has ended.
        """
        outside, fixed, beside, before = self._names, self._fixed, self.side_by_side, len(self._given)
        self._names = outside | {name: _Name(name, kind, ()) for name, kind in (names or {}).items()}
        self._fixed = fixed | set(names or ()) | (set(outside) if side_by_side else set())
        self.side_by_side = beside or side_by_side
        inside = Given()
        try:
            yield inside
        finally:
            here = {id(entry) for entry in self._names.values()}
            inside.entries = [entry for entry in self._given[before:] if id(entry) in here]
            inside.update((entry.name, entry.kind) for entry in inside.entries)
            self._names, self._fixed, self.side_by_side = outside, fixed, beside

    def show(self, inside: Given, by: str | None) -> None:
        """Note that the names of a block that has ended are fields of `by`: they are used where that is.

        `by` may be given to its value later: a step's `id` is when the step has been checked.
        """
        if by is None:
            return
        if by in self._names:
            for entry in inside.entries:
                entry.shown_by.append(self._names[by])
        else:
            self._showing.setdefault(by, []).extend(inside.entries)

    def keep(self, inside: Given) -> None:
        """Note that all names of a block that has ended are used, as a loop that looks back uses them."""
        for entry in inside.entries:
            entry.used = True

    def mark(self) -> tuple[int, int]:
        """How far the check has come; see `back_to`."""
        return len(self.faults), len(self._given)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Forget the mistakes and the names noted since `mark`, to check a block again with other names."""
        faults, given = mark
        del self.faults[faults:], self._given[given:]

    def note_unused(self) -> None:
        """Note the names that nothing uses."""
        for entry in self._given:
            if not entry.needed:
                self.faults.append(
                    Fault(
                        path=entry.path,
                        message=f"nothing uses `{entry.name}`",
                        hint="use it in a later step or in `outputs`, or take the step out",
                    )
                )

    # Texts -----------------------------------------------------------------------------------------------

    def expression(
        self,
        text: str,
        *at: str | int,
        expected: Type | tuple[Type, ...] | None = None,
        hint: str | None = None,
    ) -> Type | None:
        """The type of an expression; None when it is wrong, which is noted.

        Args:
            text: The expression.
            at: Where it stands.
            expected: The type it must have, or several of which it must have one.
            hint: What to write instead of one of another type.
        """
        try:
            expression = Expression.of(text)
            for name in expression.names:
                self.use(name)
            kind = expression.check(self.types)
        except ExpressionError as error:
            self.fault(error.message, *at, hint=error.hint, offset=error.offset)
            self._use_meant(text)
            return None
        wanted = expected if isinstance(expected, tuple) else () if expected is None else (expected,)
        if wanted and not any(fits(kind, one) for one in wanted):
            self.fault(f"expected {listed(wanted)}, but `{text}` is {kind}", *at, hint=hint)
            return None
        return kind

    def template(self, text: str, *at: str | int) -> None:
        """Check a template; what is wrong with it is noted."""
        try:
            template = Template.of(text)
            for name in template.names:
                self.use(name)
            template.check(self.types)
        except TemplateError as error:
            self.fault(error.message, *at, hint=error.hint, offset=error.offset)
            self._use_meant(text)

    def model(self, name: str | None, *at: str | int) -> None:
        """Check that a model of this name is there; None is the first."""
        if name is not None and self.models is not None and name not in self.models:
            self.fault(
                f"no model `{name}`; there are: {', '.join(self.models)}",
                *at,
                hint=closest(name, self.models),
            )


def is_name(text: str) -> bool:
    """Whether expressions can name something so; words of the language itself are none."""
    return NAME.fullmatch(text) is not None and not keyword.iskeyword(text)


def listed(kinds: Sequence[Type]) -> str:
    """Types in words: `a vote, an outcome or a list of candidates or answers`."""
    words = [str(kind) for kind in kinds if not isinstance(kind, ListOf)]
    items = [_several(without_maybe(kind.item)) for kind in kinds if isinstance(kind, ListOf)]
    return _or([*words, *([f"a list of {_or(list(dict.fromkeys(items)))}"] if items else [])])


def _several(kind: Type) -> str:
    word = str(kind)
    return f"{word.split(' ', 1)[1]}s" if word.startswith(("a ", "an ")) else word


def _or(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def closest(given: str, known: Sequence[str]) -> str | None:
    """A hint with the closest known word, or None."""
    close = difflib.get_close_matches(given.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None


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

    def gathered(self, block: Block) -> Namespace:
        """The values of the names that `block` has given here."""
        return Namespace({name: self.values.get(name) for name in names_of(block)})


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
    for number, step in enumerate(steps):
        with scope.at(number):
            if number and steps[number - 1].returns:
                scope.fault("this step is never reached: the one before it ends the program")
            if step.returns and not step.blocks and scope.side_by_side:
                scope.fault(
                    f"`{step.key}` cannot end the program here: other steps run beside this one",
                    hint="put it behind the steps that run side by side",
                )
            before = len(scope.faults)
            kind = step.check(scope)
            if step.id is not None:
                if kind is None and len(scope.faults) > before:
                    continue  # what is wrong with it has been noted
                if kind is None:
                    scope.fault(f"`{step.key}` has no value to be called `{step.id}`", "id")
                else:
                    scope.declare(step.id, kind, "id")
                    if valued and number == len(steps) - 1:
                        scope.use(step.id)
            elif step.pure and not (valued and number == len(steps) - 1):
                scope.fault("nothing uses the value of this step", hint="give it an `id`, and use that")
    return kind


async def run_block(steps: Block, frame: Frame) -> Any:
    """Make steps one after the other, until the program returns; the value of the last one made."""
    value: Any = None
    for step in steps:
        made_step(frame.ctx.candidates)
        value = await step.run(frame)
        if step.id is not None:
            frame.values[step.id] = value
        if frame.ended:
            break
    return value
