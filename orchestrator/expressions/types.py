"""The types that expressions and templates are checked against, and how a field of a value is read.

A value may be missing (`None`): the answer of a text without one, the score of a candidate that was not judged, the
result of a step whose call failed. Reading a field of what is missing is missing, a comparison with it is false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from ..types import Answer
from .work import ITEM, spend

__all__ = [
    "ANSWER",
    "NOTHING",
    "NUMBER",
    "TEXT",
    "TRUTH",
    "UNKNOWN",
    "ListOf",
    "Maybe",
    "Namespace",
    "Record",
    "Size",
    "Type",
    "as_text",
    "declare",
    "fits",
    "is_answer",
    "is_declared",
    "is_unknown",
    "joined",
    "kind_of",
    "maybe",
    "read_field",
    "without_maybe",
]


@dataclass(frozen=True, slots=True)
class Plain:
    """A type without parts, by its name in messages."""

    name: str

    def __str__(self) -> str:
        return self.name


NUMBER = Plain("a number")
TRUTH = Plain("true or false")
TEXT = Plain("a text")
ANSWER = Plain("an answer")
NOTHING = Plain("none")
"""The type of `None` itself."""
UNKNOWN = Plain("something unknown")
"""The type of a value that a mistake told elsewhere hides: nothing that is done with it is called wrong."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items have one type."""

    item: Type

    def __str__(self) -> str:
        return f"a list, each item {self.item}"


@dataclass(frozen=True, slots=True)
class Record:
    """A value with named fields, such as a candidate.

    Attributes:
        name: What it is called in messages, with its article.
        fields: The fields' types.
        item: What it holds, where it is a list as well; else None.
        text: Whether the whole can be put into a text.
    """

    name: str
    fields: Mapping[str, Type] = field(default_factory=dict, hash=False)
    item: Type | None = None
    text: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value of this type, or none."""

    of: Type

    def __str__(self) -> str:
        return f"{self.of}, which may be missing"


Type: TypeAlias = Plain | ListOf | Record | Maybe


def without_maybe(kind: Type) -> Type:
    """The type of the value where there is one."""
    return kind.of if isinstance(kind, Maybe) else kind


def maybe(kind: Type) -> Maybe:
    """`kind`, or none."""
    return kind if isinstance(kind, Maybe) else Maybe(kind)


def is_unknown(kind: Type) -> bool:
    """Whether nothing is known of such a value, or of the items of such a list."""
    kind = without_maybe(kind)
    return is_unknown(kind.item) if isinstance(kind, ListOf) else kind == UNKNOWN


def is_answer(kind: Type) -> bool:
    """Whether such a value is an answer, or a list of answers."""
    kind = without_maybe(kind)
    return is_answer(kind.item) if isinstance(kind, ListOf) else kind == ANSWER


def fits(kind: Type, expected: Type) -> bool:
    """Whether a value of `kind` can stand where `expected` is: a value may be missing where the program can go on
    without it, so that `Maybe` on either side makes no difference.
    """
    kind, expected = without_maybe(kind), without_maybe(expected)
    if UNKNOWN in (kind, expected):
        return True
    if isinstance(kind, ListOf) and isinstance(expected, ListOf):
        return fits(kind.item, expected.item)
    return kind == expected


def joined(one: Type, other: Type) -> Type | None:
    """The type of a value that is of one of two types; None where there is none."""
    if one == other:
        return one
    if is_unknown(one) or is_unknown(other):
        return UNKNOWN
    if NOTHING in (one, other):
        return maybe(other if one == NOTHING else one)
    if isinstance(one, ListOf) and isinstance(other, ListOf):
        item = joined(one.item, other.item)
        return None if item is None else ListOf(item)
    if without_maybe(one) == without_maybe(other):
        return maybe(one)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How long a value can be when it is put into a prompt.

    A text that a model wrote is taken to be read as at most as many tokens as it was written with.

    Attributes:
        tokens: Tokens of the whole value, at most; of a list those of its items, without the commas between them.
            `math.inf` where no bound is known.
        count: Items of a list, at most.
        fields: Sizes of fields whose size is not the value's own.
        item: Size of each item of a list; None for one of `tokens`.
    """

    tokens: float = 0.0
    count: float = 1.0
    fields: Mapping[str, Size] = field(default_factory=dict)
    item: Size | None = None

    @property
    def commas(self) -> float:
        """Commas between the items of a list when it is put into a text, with those of lists in it."""
        return max(self.count * (1.0 if self.item is None else self.item.commas + 1.0) - 1.0, 0.0)


NUMBER_SIZE = Size(tokens=24.0)
"""A number: `repr` of one has at most 24 characters, and a token at least one."""

TRUTH_SIZE = Size(tokens=5.0)
"""`true` or `false`."""


class Namespace(dict[str, Any]):
    """A value whose fields are its keys: what a loop or a parallel step has brought."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Kind:
    """What values of a Python type are called, and how they are read: their fields, and the whole as a text."""

    name: str
    fields: Mapping[str, Callable[[Any], Any]]
    other: Callable[[Any, str], Any] | None
    text: Callable[[Any], str] | None


_KINDS: dict[type, _Kind] = {}


def declare(
    python_type: type,
    name: str,
    fields: Mapping[str, tuple[Type, Callable[[Any], Any]]],
    *,
    item: Type | None = None,
    text: Callable[[Any], str] | None = None,
    other: Callable[[Any, str], Any] | None = None,
) -> Record:
    """The record type of values of `python_type`, whose fields are these and no others.

    Args:
        python_type: The values' class itself, not one above it.
        name: What such a value is called in messages, with its article.
        fields: For each field its type and its reader.
        item: The type of its items, where it is a list as well.
        text: What a template inserts for the whole value; None where that is a mistake.
        other: Reads a field by a name that is not among `fields`, for values whose fields differ; raises KeyError.
    """
    readers = {key: reader for key, (_, reader) in fields.items()}
    _KINDS[python_type] = _Kind(name, MappingProxyType(readers), other, text)
    types = MappingProxyType({key: kind for key, (kind, _) in fields.items()})
    return Record(name, types, item, text is not None)


def is_declared(value: Any) -> bool:
    """Whether it is a value with fields of the language."""
    return type(value) is Namespace or type(value) in _KINDS


def read_field(value: Any, name: str) -> Any:
    """The field of a value: by its declared reader, never by attribute; a missing value's fields are missing.

    Raises:
        KeyError: The value has no such field.
    """
    if value is None:
        return None
    if type(value) is Namespace:
        return value[name]
    kind = _KINDS[type(value)]
    if isinstance(value, tuple):  # what is read from a list, such as its best item, takes going through it
        spend(ITEM * len(value))
    reader = kind.fields.get(name)
    if reader is not None:
        return reader(value)
    if kind.other is None:
        raise KeyError(name)
    return kind.other(value, name)


def kind_of(value: Any) -> Type:
    """The type of a value at hand, as far as it can be seen; that of a missing one is unknown."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, str):
        return TEXT
    if type(value) is Answer:
        return ANSWER
    if type(value) in _KINDS:
        return Record(_KINDS[type(value)].name)
    if isinstance(value, list | tuple):
        return ListOf(next((kind_of(item) for item in value if item is not None), UNKNOWN))
    return Record(f"a {type(value).__name__.lower()}")


def as_text(value: Any) -> str:
    """A value as a template inserts it: lists are joined by commas, what is missing is empty.

    Raises:
        TypeError: It is no value of the language, or one that has no text.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    kind = _KINDS.get(type(value))
    if kind is not None and kind.text is not None:
        return kind.text(value)
    if type(value) in (list, tuple):
        spend(ITEM * len(value))
        text = ", ".join([as_text(item) for item in value])
        spend(len(text))
        return text
    raise TypeError(f"a {type(value).__name__} cannot be put into a text")
