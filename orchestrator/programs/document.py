"""YAML text as plain data that remembers where everything stands.

YAML 1.2, one document, no tags of one's own, no duplicate or merge keys. A file is refused before it costs
anything: size, nesting and the number of nodes (aliases counted as often as they are used) are bounded.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ..costs import counted
from ..errors import ProgramFileError
from .composing import ALIAS_BOMB, Composer, RefusedNodeError

__all__ = [
    "DEEPEST",
    "LARGEST_FILE",
    "MOST_NODES",
    "Document",
    "KeyPath",
    "Place",
    "Written",
    "parse",
    "read",
]

LARGEST_FILE = 128 * 1024
"""Bytes. Scanning so much text takes about 0.15 s."""

MOST_LINES = 10_000
"""Reading so many blank ones takes about 0.02 s."""

MOST_NODES = 2_000
"""Keys and values: some hundred and fifty steps, which take about 0.1 s to scan."""

DEEPEST = 64

Key: TypeAlias = str | int
KeyPath: TypeAlias = tuple[Key, ...]

LINE_END = re.compile(r"\r\n?|\n")

PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
"""An anchor and a tag before a value."""

BRACES = re.compile(r"""[^"'#]*[:-]\s+\{\{""")
"""A template where a value begins, without quotes."""

ENTRY = re.compile(r"\s*((?:- +)*)([\w.$-]+)\s*:(?:\s+([^\s#].*))?")
"""The dashes and the first key of a line, and what follows them."""

INSIDE = re.compile(r"\s*(?:- +)*(\w+):\s+(\w+)(?=:(?:\s|$))")
"""A key whose value begins with another on the same line."""

ALONE = re.compile(r"\s*(?:- +)*(\w+)\s*(?:#.*)?")
"""A word alone on a line."""

MISPLACED = ("expected <block end>", "mapping values are not allowed")
"""What the scanner says of a line that begins at a column where none can."""

FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no YAML file has."""


@dataclass(frozen=True, slots=True)
class Place:
    """A 1-based line and column."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Written:
    """How a text stands in the file: the indices of its first character and behind its last, and its style: none
    (plain), `'`, `"`, `|` or `>`.
    """

    start: int
    end: int
    style: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """A parsed file.

    Attributes:
        file: Path as it was given.
        data: Mappings, lists and scalars.
        values: Where the value at each path begins.
        keys: Where the key that leads to each path stands.
        text: All of it.
        written: How the texts of each path are written.
        nodes: How many keys and values it has.
        empty: The paths of keys with nothing behind them, not even `null`.
    """

    file: str
    data: Any
    values: Mapping[KeyPath, Place] = field(default_factory=dict)
    keys: Mapping[KeyPath, Place] = field(default_factory=dict)
    text: str = field(default="", repr=False)
    written: Mapping[KeyPath, Written] = field(default_factory=dict, repr=False)
    nodes: int = 0
    empty: frozenset[KeyPath] = frozenset()

    def place(self, path: KeyPath, *, key: bool = False, offset: int | None = None) -> Place | None:
        """Where `path` stands, or the nearest part of the file that holds it.

        Args:
            path: Keys and numbers of entries, from the top.
            key: Whether the key that leads there is meant, not the value.
            offset: The character of the text at `path` that is meant, from 0.
        """
        standing = self.standing(path)
        if key and standing[-1:] == path[-1:] and standing in self.keys:
            return self.keys[standing]
        if offset is not None:
            inside = self._inside(standing, offset)
            if inside is not None:
                return inside
        return self.values.get(standing)

    def at(self, path: KeyPath) -> Any:
        """The value at `path`, or None when there is none."""
        value = self.data
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def line(self, number: int) -> str | None:
        """The line of that number, from 1, without its end."""
        if not self.text or not 1 <= number <= len(self._starts):
            return None
        start = self._starts[number - 1]
        end = LINE_END.search(self.text, start)
        return self.text[start : len(self.text) if end is None else end.start()]

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(match.end() for match in LINE_END.finditer(self.text))]

    def standing(self, path: KeyPath) -> KeyPath:
        """As much of `path` as stands in the file, without the names that a short way of writing leaves out:
        `cascade: [...]` is `cascade: {tiers: [...]}`.
        """
        standing: KeyPath = ()
        for step in path:
            if (*standing, step) in self.values:
                standing = (*standing, step)
            elif isinstance(step, int) or isinstance(self.at(standing), dict):
                break
        return standing

    def _inside(self, path: KeyPath, offset: int) -> Place | None:
        written, value = self.written.get(path), self.at(path)
        if written is None or not isinstance(value, str):
            return None
        index = _index(self.text, written, value, offset)
        return None if index is None else self._place_of(index)

    def _place_of(self, index: int) -> Place:
        line = bisect_right(self._starts, index)
        return Place(line, index - self._starts[line - 1] + 1)


def _index(text: str, written: Written, value: str, offset: int) -> int | None:
    """Where in the file the character number `offset` of a text stands; None where escapes hide it.

    Spaces and line ends of the two may differ, as YAML folds lines and takes indentation away; all else stands there
    in order.
    """
    properties = PROPERTIES.match(text, written.start)
    index = written.start if properties is None else properties.end()
    if written.style in ("|", ">"):
        end = LINE_END.search(text, index)
        index = len(text) if end is None else end.end()
    elif written.style:
        index += 1
    for number, character in enumerate(value):
        if not character.isspace():
            while index < written.end and text[index].isspace():
                index += 1
            if index >= written.end or text[index] != character:
                return None
            if number == offset:
                return index
            index += 2 if character == written.style == "'" else 1
        elif number == offset:
            return index
        elif index < written.end and text[index] == character:
            index += 1
    return index if offset == len(value) else None


def parse(text: str, *, file: str, most_nodes: int = MOST_NODES) -> Document:
    """`text` as a document.

    Args:
        text: The whole file.
        file: What it is called in errors.
        most_nodes: Keys and values it may have.

    Raises:
        ProgramFileError: It is not YAML, or goes beyond the bounds above; says where.
    """
    if len(text) > LARGEST_FILE or len(text.encode("utf-8", "replace")) > LARGEST_FILE:
        raise ProgramFileError(f"larger than {LARGEST_FILE // 1024} KiB; a program file is short", file=file)
    source = Document(file=file, data=None, text=text)
    if len(source._starts) > MOST_LINES:
        raise ProgramFileError(f"more than {MOST_LINES:,} lines; a program file is short", file=file)
    if (match := FORBIDDEN.search(text)) is not None:
        place = source._place_of(match.start())
        raise _error(source, f"the character {_named(match[0])} may not stand in a file", place)
    with _translated(source):
        together = "" if most_nodes == MOST_NODES else " in all files of this program"
        too_many = f"more than {MOST_NODES:,} values{together}"
        composer = Composer(text, most_nodes=most_nodes, deepest=DEEPEST, too_many=too_many)
        root = composer.root()
        if root is None:
            raise ProgramFileError("the file is empty", file=file, hint="start with `version: 1`")
        return _Builder(source, composer.scalars, most_nodes).document(root)


def read(path: Path, *, file: str, most_nodes: int = MOST_NODES) -> Document:
    """The file at `path` as a document; errors as `parse`, and for a file that cannot be read."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 4)  # one byte more is too large, behind a byte order mark
        text = raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        if not isinstance(error, UnicodeDecodeError):
            why = getattr(error, "strerror", None) or error
            raise ProgramFileError(f"cannot be read: {why}", file=file) from error
        if len(raw) > LARGEST_FILE and error.start >= len(raw) - 4:
            return parse("#" * (LARGEST_FILE + 1), file=file)  # cut inside a character: too large
        line = raw[: error.start].count(b"\n") + 1
        raise ProgramFileError("is not UTF-8 text", file=file, line=line) from error
    return parse(text, file=file, most_nodes=most_nodes)


def _named(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return f"{code} ({'NUL' if character == chr(0) else unicodedata.name(character, 'a control character')})"


def _error(source: Document, message: str, place: Place, hint: str | None = None) -> ProgramFileError:
    return ProgramFileError(
        message,
        file=source.file,
        line=place.line,
        column=place.column,
        hint=hint,
        source=source.line(place.line),
    )


@contextmanager
def _translated(source: Document) -> Iterator[None]:
    try:
        yield
    except RefusedNodeError as error:
        raise _error(source, error.message, Place(error.line + 1, error.column + 1)) from None
    except MarkedYAMLError as error:
        at_the_end = "end of stream" in str(error.problem)
        mark = (at_the_end and error.context_mark) or error.problem_mark or error.context_mark
        what = " ".join(str(part) for part in (error.context, error.problem) if part) or "not YAML"
        place = None if mark is None else Place(mark.line + 1, mark.column + 1)
        hint = _hint(what)
        if place is not None:
            if misplaced := _misplaced(source, what, place):
                what, hint = misplaced
            elif "mapping values" in what and (uncolonned := _uncolonned(source, place)):
                hint = uncolonned
            elif BRACES.match((source.line(place.line) or "")[: place.column - 1]):
                hint = 'put a text that begins with `{{` in quotes, as in "{{ problem }}"'
        raise ProgramFileError(
            f"not valid YAML: {what}",
            file=source.file,
            line=None if place is None else place.line,
            column=None if place is None else place.column,
            hint=hint,
            source=None if place is None else source.line(place.line),
        ) from error
    except (YAMLError, ValueError) as error:
        if isinstance(error, ProgramFileError):
            raise
        what = " ".join(str(error).split())
        raise ProgramFileError(f"not valid YAML: {what}", file=source.file) from error


def _hint(what: str) -> str | None:
    if "\\t" in what or "tab" in what:
        return "indent with spaces; YAML does not allow tabs"
    if "mapping values are not allowed" in what:
        return "put a text that contains ': ' in quotes"
    if "flow mapping" in what:
        return "between braces, put a text that contains ': ', ',', '[' or a brace in quotes"
    return None


def _misplaced(source: Document, what: str, place: Place) -> tuple[str, str] | None:
    """What is said, and the hint, where a line begins at none of the columns that those before it begin at, or deeper
    than a value on the line before allows; else None.
    """
    found = _entry(source, place.line)
    before = next(
        ((line, entry) for line in range(place.line - 1, 0, -1) if (entry := _entry(source, line))), None
    )
    if found is None or before is None or not any(sign in what for sign in MISPLACED):
        return None
    line, last = before
    if "mapping values" in what:
        if place.column < found.column or found.column <= last.column or not last.has_value:
            return None
    elif place.column > found.column:
        return None
    said = f"`{found.name}` does not line up with the lines before it"
    for number, entry in ((place.line, found), before):
        if entry.name.startswith("-"):
            return said, f"put a space behind the dash in line {number}: `- {entry.name.lstrip('-')}`"
    if found.dash is not None and last.name == "if" and last.dash is not None and last.dash < found.dash:
        return said, f"write `then:` before it, as far as the `if` in line {line}"
    if found.dash is not None and (dashed := _nearest(source, place, found, dashed=True)) is not None:
        line, last = dashed
        spaces = counted((last.dash or 1) - 1, "space")
        return said, f"indent it as far as the `- ` in line {line}: by {spaces}"
    if "mapping values" not in what and (nearest := _nearest(source, place, found)) is not None:
        line, last = nearest
    return said, f"indent it as far as `{last.name}` in line {line}: by {counted(last.column - 1, 'space')}"


def _nearest(
    source: Document, place: Place, found: _Entry, *, dashed: bool = False
) -> tuple[int, _Entry] | None:
    """The line before `place` that begins at the nearest column, of several the latest; with `dashed`, of those that
    begin with a dash.
    """
    entries = ((line, _entry(source, line)) for line in range(place.line - 1, 0, -1))
    if dashed:
        items = [(line, one) for line, one in entries if one is not None and one.dash is not None]
        return min(items, key=lambda one: abs((one[1].dash or 0) - (found.dash or 0)), default=None)
    keys = [(line, one) for line, one in entries if one is not None]
    return min(keys, key=lambda one: abs(one[1].column - place.column), default=None)


@dataclass(frozen=True, slots=True)
class _Entry:
    """How a line begins: the column of its first dash, if any, the column of its first key, that key, and whether a
    value follows on the line.
    """

    dash: int | None
    column: int
    name: str
    has_value: bool


def _entry(source: Document, line: int) -> _Entry | None:
    """How a line begins; None where that is not with a key."""
    match = ENTRY.match(source.line(line) or "")
    if match is None:
        return None
    dash = None if match.start(1) == match.start(2) else match.start(1) + 1
    return _Entry(dash, match.start(2) + 1, match[2], bool(match[3]))


def _uncolonned(source: Document, place: Place) -> str | None:
    """A hint where a value is a mapping that does not begin on a line of its own, or a colon is missing before it."""
    line = source.line(place.line) or ""
    inside = INSIDE.match(line)
    if inside is not None and inside.end(2) + 1 == place.column:
        return f"put a text that contains ': ' in quotes; a mapping is written `{inside[1]}: {{{inside[2]}: ...}}`"
    alone = ALONE.fullmatch(source.line(place.line - 1) or "")
    if alone is not None and ENTRY.match(line):
        return f"a colon is missing behind `{alone[1]}` in line {place.line - 1}"
    return None


class _Builder:
    """Turns nodes into data, noting places; counts what aliases repeat."""

    def __init__(self, source: Document, scalars: Any, most_nodes: int) -> None:
        self._source = source
        self._most = most_nodes
        self._values: dict[KeyPath, Place] = {}
        self._keys: dict[KeyPath, Place] = {}
        self._written: dict[KeyPath, Written] = {}
        self._empty: set[KeyPath] = set()
        self._nodes = 0
        self._open: set[int] = set()
        self._scalars = scalars

    def document(self, root: Node) -> Document:
        data = self._build(root, ())
        return Document(
            file=self._source.file,
            data=data,
            values=self._values,
            keys=self._keys,
            text=self._source.text,
            written=self._written,
            nodes=self._nodes,
            empty=frozenset(self._empty),
        )

    def _fail(self, message: str, node: Node, hint: str | None = None) -> ProgramFileError:
        return _error(self._source, message, _place(node), hint)

    def _build(self, node: Node, path: KeyPath) -> Any:
        self._nodes += 1
        if self._nodes > self._most or len(path) > DEEPEST:
            raise self._fail(ALIAS_BOMB, node, "write the values out")
        self._values[path] = _place(node)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            raise self._fail("an alias inside the value it stands for", node)
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                self._check_tag(node, "seq")
                return [self._build(item, (*path, number)) for number, item in enumerate(node.value)]
            assert isinstance(node, MappingNode)
            self._check_tag(node, "map")
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                hint = 'put a template in quotes, as in "{{ problem }}"'
                raise self._fail("a key must be a text", key_node, hint)
            self._nodes += 1
            key = str(key_node.value)
            if key == "<<":
                raise self._fail("merge keys (`<<`) are not part of YAML 1.2", key_node, "write the keys out")
            if key in data:
                first = self._keys[(*path, key)]
                raise self._fail(f"{key!r} is given twice (first on line {first.line})", key_node)
            self._keys[(*path, key)] = _place(key_node)
            data[key] = self._build(value_node, (*path, key))
            if _is_empty(value_node):
                self._empty.add((*path, key))
                if value_node.start_mark.line > key_node.end_mark.line:
                    self._values[(*path, key)] = _place(key_node)
        return data

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        kind = _kind(node)
        if kind in ("null", "bool", "int", "float"):
            try:
                return self._scalars.construct_object(node)
            except (ValueError, OverflowError) as error:
                raise self._fail(f"not a number that can be read: {error}", node) from error
            except LookupError as error:  # `!!bool maybe`, `!!int ""`: a tag that its text does not fit
                raise self._fail(f"the tag {node.tag!s} does not fit what it stands before", node) from error
        if kind in ("str", "timestamp", "value", "merge"):
            self._written[path] = Written(node.start_mark.index, node.end_mark.index, node.style or "")
            return str(node.value)
        raise self._fail(f"the tag {node.tag!s} is not allowed: a program file is plain data", node)

    def _check_tag(self, node: Node, kind: str) -> None:
        if _kind(node) != kind:
            raise self._fail(f"the tag {node.tag!s} is not allowed: a program file is plain data", node)


def _kind(node: Node) -> str:
    return str(node.tag).removeprefix("tag:yaml.org,2002:")


def _is_empty(node: Node) -> bool:
    """Whether nothing is written; the scanner has that stand where the next thing does."""
    return isinstance(node, ScalarNode) and node.start_mark.index == node.end_mark.index


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
