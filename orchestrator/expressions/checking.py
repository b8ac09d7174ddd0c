"""The type of an expression, and what is wrong with it, told with the place and what was expected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..errors import ExpressionError
from ..spelling import did_you_mean
from .functions import FUNCTIONS, is_list
from .operands import Fault, calculated, compared
from .reading import unheard
from .tree import (
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Constant,
    Field,
    Item,
    Items,
    Logical,
    Name,
    Negation,
    Node,
    Not,
)
from .types import (
    ANSWER,
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    ListOf,
    Maybe,
    Record,
    Type,
    fits,
    is_answer,
    is_unknown,
    joined,
    maybe,
    without_maybe,
)

__all__ = ["Checker", "UnknownTypeError", "in_quotes", "inside", "instead"]

LONGEST_SHOWN = 60
"""Characters of a part that a message shows, at most."""

MOST_SHOWN = 2
"""Parts that a hint names, at most."""

PATH = re.compile(r"\w+(?:\.\w+)*")
"""A name, or a field of one."""


class UnknownTypeError(Exception):
    """A part is of a type that is not known, so that nothing can be said of the whole."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Finds the types of an expression's parts.

    Attributes:
        text: The expression.
        types: The types of the names that can be used.
    """

    text: str
    types: Mapping[str, Type]

    def kind(self, node: Node) -> Type:
        """The type of a part.

        Raises:
            ExpressionError: It, or a part of it, names what is not there or is of a wrong type.
            UnknownTypeError: It names what is of an unknown type.
        """
        match node:
            case Constant(value=value):
                return _kind_of(value)
            case Name():
                return self._name(node)
            case Field():
                return self._field(node)
            case Item():
                return self._item(node)
            case Negation(of=of):
                return self._number(of)
            case Arithmetic():
                return self._arithmetic(node)
            case Not() | Comparison() | Logical():
                with suppress(UnknownTypeError):  # it is true or false, of whatever type its parts are
                    self._decide(node)
                return TRUTH
            case Choice():
                return self._choice(node)
            case Call(function=function, arguments=arguments):
                given = [Given(self, one, kind) for one, kind in self._known_of(arguments)]
                return FUNCTIONS[function].kind(given)
            case Items():
                return self._items(node)

    def _decide(self, node: Not | Comparison | Logical) -> None:
        match node:
            case Not(of=of):
                self.expect(of, TRUTH)
            case Comparison(operators=operators, values=values):
                for operator, left, right in zip(operators, values, values[1:], strict=False):
                    self._compare(operator, left, right)
            case Logical(values=values):
                for part in values:
                    self.expect(part, TRUTH)

    def _known_of(self, nodes: Sequence[Node]) -> list[tuple[Node, Type]]:
        """The parts whose types are known, with these: the others are of the same, as they stand beside them.

        Raises:
            UnknownTypeError: None is known.
        """
        found = []
        for node in nodes:
            with suppress(UnknownTypeError):
                found.append((node, self.kind(node)))
        if not found:
            raise UnknownTypeError
        return found

    def expect(self, node: Node, expected: Type) -> Type:
        """The type of a part that must be `expected`, or may be missing.

        Raises:
            ExpressionError: It is not.
        """
        kind = self.kind(node)
        if without_maybe(kind) != expected:
            raise self.refused(node, kind, expected)
        return kind

    def refused(self, node: Node, kind: Type, expected: Type | str) -> ExpressionError:
        """The error that something else was expected than a part is."""
        return ExpressionError(
            f"expected {expected}, but `{self.written(node)}` is {kind}",
            offset=node.start,
            hint=instead(self.written(node), kind, (expected,)),
        )

    def written(self, node: Node) -> str:
        """A part as it is written, on one line, cut short where it is long."""
        text = " ".join(self.text[node.start : node.end].split())
        return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} ..."

    def _name(self, node: Name, otherwise: str | None = None) -> Type:
        if node.name in self.types:
            return _known(self.types[node.name])
        if node.name in FUNCTIONS:
            raise ExpressionError(
                f"`{node.name}` is a function", offset=node.start, hint=f"write `{node.name}(...)`"
            )
        known = f"there are: {', '.join(sorted(self.types))}" if self.types else "there are none"
        raise ExpressionError(
            f"no name `{node.name}` here; {known}",
            offset=node.start,
            hint=did_you_mean(node.name, self.types) or otherwise,
        )

    def _field(self, node: Field) -> Type:
        owner = self.kind(node.of)
        kind = without_maybe(owner)
        if not isinstance(kind, Record):
            raise ExpressionError(
                f"`{self.written(node.of)}` is {owner} and has no fields", offset=node.name_start
            )
        if node.name not in kind.fields:
            known = f"; there are: {', '.join(kind.fields)}" if kind.fields else ""
            raise ExpressionError(
                f"{kind} has no `{node.name}`{known}",
                offset=node.name_start,
                hint=inside(self.written(node.of), kind, node.name) or did_you_mean(node.name, kind.fields),
            )
        found = _known(kind.fields[node.name])
        return maybe(found) if isinstance(owner, Maybe) else found

    def _item(self, node: Item) -> Type:
        kind = without_maybe(self.kind(node.of))
        item = kind.item if isinstance(kind, ListOf | Record) else None
        if item is None:
            raise self.refused(node.of, kind, "a list")
        return maybe(item)

    def _number(self, node: Node) -> Type:
        return self.expect(node, NUMBER)

    def _arithmetic(self, node: Arithmetic) -> Type:
        left, right = self.kind(node.left), self.kind(node.right)
        self._accept(calculated(node.operator, left, right), (node.left, left), (node.right, right))
        divided = node.operator in ("/", "//", "%")
        by_nothing = not (isinstance(node.right, Constant) and node.right.value)
        if isinstance(left, Maybe) or isinstance(right, Maybe) or (divided and by_nothing):
            return maybe(without_maybe(left))
        return left

    def _compare(self, operator: str, left: Node, right: Node) -> None:
        one, other = self._side(left, right), self._side(right, left)
        self._accept(compared(operator, one, other), (left, one), (right, other))
        for node, kind in ((left, other), (right, one)):
            if is_answer(kind):
                self._hear(node)

    def _side(self, node: Node, beside: Node) -> Type:
        """The type of one side of a comparison; a name that is not there may be meant as a text."""
        if isinstance(node, Name) and node.name not in self.types and not isinstance(beside, Name):
            kind = without_maybe(self.kind(beside))
            return self._name(node, in_quotes(node.name) if kind == TEXT or is_answer(kind) else None)
        return self.kind(node)

    def _hear(self, node: Node) -> None:
        """Refuse texts that stand beside an answer and can be none."""
        if isinstance(node, Items):
            for item in node.items:
                self._hear(item)
        elif isinstance(node, Constant) and isinstance(node.value, str) and (wrong := unheard(node.value)):
            raise ExpressionError(wrong[0], offset=node.start, hint=wrong[1])

    def _accept(self, fault: Fault | None, *operands: tuple[Node, Type]) -> None:
        if fault is not None:
            raise self.refused(*operands[fault.side], fault.expected)

    def _choice(self, node: Choice) -> Type:
        with suppress(UnknownTypeError):
            self.expect(node.condition, TRUTH)
        arms = self._known_of((node.then, node.otherwise))
        if len(arms) == 1:
            return maybe(arms[0][1])
        (_, then), (_, otherwise) = arms
        kind = joined(then, otherwise)
        if kind is None:
            raise self.refused(node.otherwise, otherwise, f"{without_maybe(then)} as before `if`")
        return kind

    def _items(self, node: Items) -> Type:
        (_, kind), *others = self._known_of(node.items)
        for item, found in others:
            both = joined(kind, found)
            if both is None:
                raise self.refused(item, found, f"{without_maybe(kind)} as the items before")
            kind = both
        return ListOf(kind)


@dataclass(frozen=True, slots=True)
class Given:
    """An argument of a function."""

    checker: Checker
    node: Node
    kind: Type

    @property
    def constant(self) -> Any:
        """Its value where it is written out; else None."""
        return self.node.value if isinstance(self.node, Constant) else None

    def refuse(self, expected: str) -> ExpressionError:
        """The error that something else was expected here."""
        return self.checker.refused(self.node, self.kind, expected)


def _known(kind: Type) -> Type:
    if is_unknown(kind):
        raise UnknownTypeError
    return kind


def _kind_of(value: Any) -> Type:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return TRUTH
    return TEXT if isinstance(value, str) else NUMBER


def in_quotes(text: str) -> str:
    """A hint that what is taken for names should be a text."""
    return f"a text stands in quotes: `'{text}'`"


def inside(written: str, kind: Record, name: str) -> str | None:
    """A hint where a field of a record's field has the name that the record has not."""
    parts = {owner: without_maybe(part) for owner, part in kind.fields.items()}
    owners = [owner for owner, part in parts.items() if name in _fields(part)]
    paths = [f"`{written}.{owner}.{name}`" for owner in owners[:MOST_SHOWN]]
    return f"did you mean {' or '.join(paths)}?" if paths and PATH.fullmatch(written) else None


def instead(written: str, kind: Type, expected: Sequence[Type | str]) -> str | None:
    """A hint what to write instead of a part, so that it is one of what was expected."""
    plain = without_maybe(kind)
    if PATH.fullmatch(written) and (found := _fitting(plain, expected)):
        paths = [f"`{written}.{path}`" for path in found[:MOST_SHOWN]]
        joint = " or ".join(paths)
        return f"{joint} is {expected[0]}" if len(expected) == 1 else f"did you mean {joint}?"
    converted = _converted(written, kind, expected[0]) if len(expected) == 1 else None
    return converted or _item_of(written, plain, expected)


def _item_of(written: str, kind: Type, expected: Sequence[Type | str]) -> str | None:
    """A hint where a list, or what a record has as its `values`, has items that are expected."""
    for path, part in {written: kind, f"{written}.values": _fields(kind).get("values")}.items():
        if isinstance(part, ListOf) and PATH.fullmatch(path) and _is_one_of(part.item, expected):
            return f"did you mean one item of `{path}`, such as `{path}[0]`?"
    return None


def _fitting(kind: Type, expected: Sequence[Type | str]) -> list[str]:
    """The fields of a record that are of a type that is expected."""
    fields = _fields(kind)
    groups = {name: one.fields for name, one in fields.items() if isinstance(one, Record) and _is_group(one)}
    parts = fields | {f"{name}.{part}": one for name, inner in groups.items() for part, one in inner.items()}
    found = [name for name, one in parts.items() if _is_one_of(one, expected)]
    if len(expected) > 1:  # a count is hardly meant where more than numbers can stand
        found = [name for name in found if parts[name] != NUMBER]
    return [name for name in found if name != "id" or "text" not in found]


def _fields(kind: Type) -> dict[str, Type]:
    return dict(kind.fields) if isinstance(kind, Record) else {}


def _is_group(kind: Record) -> bool:
    """Whether it is a record of nothing but names, such as what a loop has brought of each."""
    return not kind.text and kind.item is None


def _is_one_of(kind: Type, expected: Sequence[Type | str]) -> bool:
    return any(fits(kind, one) if isinstance(one, ListOf) else without_maybe(kind) == one for one in expected)


def _converted(written: str, kind: Type, expected: Type | str) -> str | None:
    plain = without_maybe(kind)
    if is_list(plain) and expected == NUMBER:
        return f"`len({written})` is {expected}"
    if is_list(plain) and expected == TRUTH:
        return f"did you mean `len({written}) > 0`?"
    if expected == TRUTH and isinstance(kind, Maybe):
        return f"`{written} != None` says whether it is there"
    if plain in (ANSWER, TEXT) and expected == NUMBER and PATH.fullmatch(written):
        return f"`number({written})` is the number it says"
    if expected == ANSWER and plain in (NUMBER, TRUTH):
        return f"an answer can be compared with answers and texts, such as {'4' if plain == NUMBER else 'true'!r}"
    if plain == ANSWER and expected == TEXT:
        return "a step `text` makes a text of an answer"
    return None
