"""What the steps of a composed program can name, and what is wrong with them, found before a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from ..expressions import (
    TEXT,
    UNKNOWN,
    Expression,
    ExpressionError,
    ListOf,
    Record,
    Type,
    fits,
    in_quotes,
    instead,
    is_name,
    is_unknown,
    without_maybe,
)
from ..spelling import did_you_mean
from ..templates import Template, TemplateError

__all__ = ["NAME", "NAMES", "Fault", "Given", "Scope", "StepPath", "listed"]

StepPath: TypeAlias = tuple[str | int, ...]
"""Where something stands in a composed program, as a file writes it: `("steps", 2, "repeat", "until")`."""


NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WORDS = re.compile(r"[A-Za-z]\w*(?: +\w+)*[.!?]?")
"""Words of a language rather than an expression, such as `very friendly`."""

NAMES = "names have letters, digits and `_`, and begin neither with a digit nor with `__`"
"""What names are made of: those of steps stand in the paths of their calls, and in expressions."""


ENDED = "`{name}` ends with its block: `let` a name before, and `set` it there"

FILLED = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
"""What a template does not insert as it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A mistake in a composed program.

    Attributes:
        path: Where.
        message: What is wrong, and what was expected.
        hint: What to write instead, or None.
        offset: Characters into the text at `path`, from 0; None where the whole is meant.
        see: Where else to look, such as where a name is given; None for nowhere.
    """

    path: StepPath
    message: str
    hint: str | None = None
    offset: int | None = None
    see: StepPath | None = None


@dataclass(frozen=True, slots=True)
class _Absent:
    """Why a name that is given somewhere cannot be used here: what to write instead, and where it is given."""

    hint: str
    see: StepPath | None = None


@dataclass(slots=True)
class _Name:
    """A name given to a value: its type, where, and what uses it; `shown_by` are those that have it as a field."""

    name: str
    kind: Type
    path: StepPath
    used: bool = False
    settable: bool = False
    supposed: bool = False
    most_items: int | None = None
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
        rounds: What the rounds of loops that look back give, as far as is known, by where the loops stand.
    """

    def __init__(self, names: Mapping[str, Type], *, models: Sequence[str] | None = None) -> None:
        self.models = models
        self.faults: list[Fault] = []
        self._unknown = 0
        self._path: StepPath = ()
        self._names = {name: _Name(name, kind, (), used=True) for name, kind in names.items()}
        self._fixed: frozenset[str] = frozenset(names)
        self._given: list[_Name] = []
        self._showing: dict[str, list[_Name]] = {}
        self._absent: dict[str, _Absent] = {}
        self._templates: list[str] = []
        self.side_by_side = False
        self.returned: list[Type] = []
        self.rounds: dict[StepPath, Mapping[str, Type]] = {}

    @property
    def types(self) -> dict[str, Type]:
        """The names that can be used here."""
        return {name: entry.kind for name, entry in self._names.items()}

    @property
    def path(self) -> StepPath:
        """Where it is in the program."""
        return self._path

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """A part of the program, relative to where the scope is."""
        before = self._path
        self._path = (*before, *path)
        try:
            yield
        finally:
            self._path = before

    def fault(
        self,
        message: str,
        *at: str | int,
        hint: str | None = None,
        offset: int | None = None,
        see: StepPath | None = None,
    ) -> None:
        """Note that what stands at `at` is wrong."""
        path = (*self._path, *at)
        self.faults.append(Fault(path=path, message=message, hint=hint, offset=offset, see=see))

    @property
    def trouble(self) -> int:
        """How much is wrong so far, with what could not be looked at because of mistakes elsewhere."""
        return len(self.faults) + self._unknown

    # Names -----------------------------------------------------------------------------------------------

    def declare(
        self,
        name: str,
        kind: Type,
        *at: str | int,
        settable: bool = False,
        most_items: int | None = None,
    ) -> None:
        """Give `name` to a value; one that can be used here already cannot be given again."""
        if not self.free(name, *at):
            return
        entry = self._names[name] = _Name(
            name, kind, (*self._path, *at), settable=settable, most_items=most_items
        )
        self._given.append(entry)
        for shown in self._showing.pop(name, ()):
            shown.shown_by.append(entry)

    def suppose(self, names: Iterable[str]) -> None:
        """Take these names to be given by something that is wrong: what they stand for is not known, and neither is
        whether they are.
        """
        self._unknown += 1
        for name in names:
            if name not in self._names:
                self._names[name] = _Name(name, UNKNOWN, self._path, used=True, settable=True, supposed=True)

    def expect(self, names: Mapping[str, int]) -> None:
        """Note that steps further down in this block give these names: each with the step's number."""
        for name, number in names.items():
            self._absent[name] = _Absent("it is given only later", (*self._path, number))

    def explain(self, names: Iterable[str], hint: str) -> None:
        """Note what to write instead where one of these names is used and is not there."""
        self._absent.update((name, _Absent(hint.replace("{name}", name))) for name in names)

    def free(self, name: str, *at: str | int) -> bool:
        """Whether a value can be given this name here; notes why not."""
        if not is_name(name):
            is_word = NAME.fullmatch(name) and not name.startswith("__")
            why = "it is a keyword of Python, and so of expressions" if is_word else NAMES
            self.fault(f"`{name}` cannot be a name: {why}", *at)
            return False
        if name in self._names and not self._names[name].supposed:
            self.fault(f"`{name}` is the name of something else already", *at, hint="choose another name")
            return False
        return True

    def most_items(self, name: str) -> int | None:
        """Items the list called `name` has at most; None where that is not known."""
        return self._names[name].most_items if name in self._names else None

    def used(self, name: str) -> bool:
        """Whether something has used `name`."""
        return name in self._names and self._names[name].used

    def use(self, name: str) -> None:
        """Note that `name` is used."""
        if name in self._names:
            self._names[name].used = True

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
        absent, self._absent = self._absent, dict(self._absent)
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
            self._names, self._fixed, self.side_by_side, self._absent = outside, fixed, beside, absent
            self.explain(inside, ENDED)

    def show(self, inside: Given, by: str | None, *, key: str, within: str = "") -> None:
        """Note that the names of a block that has ended are fields of `by`: they are used where that is.

        `by` may be given to its value later: a step's `id` is when the step has been checked.

        Args:
            inside: The names.
            by: The `id` of the step that the block is in.
            key: That step's key.
            within: The field of `by` that has them as its own; "" where they are fields of `by` itself.
        """
        field_ = f"{by or 'ID'}.{within and within + '.'}{{name}}"
        how = f"use `{field_}`" if by else f"give that an `id`, and use `{field_}`"
        self.explain(inside, f"`{{name}}` ends with the `{key}` that it is given in: {how}")
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

    def settle(self, inside: Given, before: Mapping[str, Type]) -> None:
        """Note the names of a loop's rounds of which it cannot be told what they are; `before` are their types as the
        round after sees them. Where something else is wrong, that may be why.
        """
        for entry in inside.entries if not self.faults else ():
            if _is_unsettled(entry.kind) or before.get(entry.name) != entry.kind:
                self.faults.append(
                    Fault(
                        path=entry.path,
                        message=f"what `{entry.name}` is cannot be told from the round before",
                        hint="say what it is in the first round, as in "
                        f"`0 if previous == none else previous.{entry.name}`",
                    )
                )

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
                        hint=self._bare(entry.name)
                        or "use it in a later step or in `outputs`, or take the step out",
                    )
                )

    def _bare(self, name: str) -> str | None:
        """A hint where a template has a field of `name` in plain words."""
        for text in self._templates:
            found = re.search(rf"(?<![\w.]){name}\.\w+", FILLED.sub(" ", text))
            if found:
                return f"in a template a name stands in braces: `{{{{ {found.group()} }}}}`"
        return None

    # Texts -----------------------------------------------------------------------------------------------

    def expression(
        self,
        text: str,
        *at: str | int,
        expected: Type | tuple[Type, ...] | None = None,
        hint: str | None = None,
    ) -> Type | None:
        """The type of an expression; None when it is wrong, which is noted, or uses what is wrong.

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
            self._refused(text, error, *at, otherwise=_meant(text, expected))
            return None
        if is_unknown(kind):
            self._unknown += 1
            return None
        wanted = expected if isinstance(expected, tuple) else () if expected is None else (expected,)
        if wanted and not any(fits(kind, one) for one in wanted):
            hint = hint or instead(text, kind, wanted)
            self.fault(f"expected {listed(wanted)}, but `{text}` is {kind}", *at, hint=hint)
            return None
        return kind

    def template(self, text: str, *at: str | int) -> None:
        """Check a template; what is wrong with it is noted."""
        self._templates.append(text)
        try:
            template = Template.of(text)
            for name in template.names:
                self.use(name)
            template.check(self.types)
        except TemplateError as error:
            self._refused(text, error, *at)

    def prompt(self, text: str, own: Mapping[str, str | None], *at: str | int) -> None:
        """Check a template that has texts of its own besides the values of steps.

        Args:
            text: The template.
            own: The names of these texts, each with the expression whose value it shows; None for another.
            at: Where it stands.
        """
        for name, source in own.items():
            known = self._names.get(name)
            same = source is not None and re.match(rf"{name}\b", source)
            offset = None if known is None or same else _first_use(text, name)
            if offset is not None:
                self.fault(
                    f"`{name}` has a meaning of its own in this prompt, and is the name of a value as well",
                    *at,
                    offset=offset,
                    hint="call that value something else",
                )
                return
        with self.block(dict.fromkeys(own, TEXT)):
            self.template(text, *at)

    def _refused(
        self, text: str, error: ExpressionError | TemplateError, *at: str | int, otherwise: str | None = None
    ) -> None:
        """Note an error in a text; where it is about a name that is given elsewhere, with where that is. Without a
        hint of its own it has another.
        """
        word = None if error.offset is None else NAME.match(text, error.offset)
        absent = None if word is None or word[0] in self._names else self._absent.get(word[0])
        if absent is None or text[: error.offset].rstrip().endswith("."):
            self.fault(error.message, *at, hint=error.hint or otherwise, offset=error.offset)
        else:
            self.fault(error.message, *at, hint=absent.hint, offset=error.offset, see=absent.see)

    def model(self, name: str | None, *at: str | int) -> None:
        """Check that a model of this name is there; None is the first."""
        if name is not None and self.models is not None and name not in self.models:
            self.fault(
                f"no model `{name}`; there are: {', '.join(self.models)}",
                *at,
                hint=did_you_mean(name, self.models),
            )


def _is_unsettled(kind: Type) -> bool:
    """Whether it, or a part of it, is of an unknown type."""
    kind = without_maybe(kind)
    if isinstance(kind, ListOf):
        return _is_unsettled(kind.item)
    if isinstance(kind, Record):
        return any(map(_is_unsettled, kind.fields.values())) or (
            kind.item is not None and _is_unsettled(kind.item)
        )
    return kind == UNKNOWN


def _first_use(text: str, name: str) -> int | None:
    """Where a template uses a name; None where it does not, or is none."""
    try:
        template = Template.of(text)
    except TemplateError:
        return None
    return template.place(name) if name in template.names else None


def _meant(text: str, expected: Type | tuple[Type, ...] | None) -> str | None:
    """A hint where an expression that is nothing but words stands where a text can."""
    wanted = expected if isinstance(expected, tuple) else (expected,)
    if not WORDS.fullmatch(text) or not (expected is None or TEXT in wanted):
        return None
    return f"{in_quotes(text)}, in a file as `\"'{text}'\"`"


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
