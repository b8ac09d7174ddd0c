"""YAML text as plain data that remembers where everything stands.

YAML 1.2, one document, no tags of one's own, no duplicate or merge keys. A file is refused before it costs
anything: size, nesting and the number of nodes (aliases counted as often as they are used) are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ..errors import ProgramFileError

__all__ = ["LARGEST_FILE", "Document", "KeyPath", "Place", "parse", "read"]

LARGEST_FILE = 256 * 1024  # bytes
MOST_NODES = 20_000
DEEPEST = 64

Key: TypeAlias = str | int
KeyPath: TypeAlias = tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A 1-based line and column."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed file.

    Attributes:
        file: Path as it was given.
        data: Mappings, lists and scalars.
        values: Where the value at each path begins.
        keys: Where the key that leads to each path stands.
    """

    file: str
    data: Any
    values: Mapping[KeyPath, Place] = field(default_factory=dict)
    keys: Mapping[KeyPath, Place] = field(default_factory=dict)

    def place(self, path: KeyPath, *, key: bool = False) -> Place | None:
        """Where `path` stands, or the nearest part of the file that holds it."""
        written = self._written(path)
        if key and written[-1:] == path[-1:] and written in self.keys:
            return self.keys[written]
        return self.values.get(written)

    def _written(self, path: KeyPath) -> KeyPath:
        """As much of `path` as stands in the file, without the names that a short way of writing leaves out:
        `cascade: [...]` is `cascade: {tiers: [...]}`.
        """
        written: KeyPath = ()
        for step in path:
            if (*written, step) in self.values:
                written = (*written, step)
            elif isinstance(step, int) or isinstance(self.at(written), dict):
                break
        return written

    def at(self, path: KeyPath) -> Any:
        """The value at `path`, or None when there is none."""
        value = self.data
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def parse(text: str, *, file: str) -> Document:
    """`text` as a document.

    Raises:
        ProgramFileError: It is not YAML, or goes beyond the bounds above; says where.
    """
    if len(text.encode("utf-8", "replace")) > LARGEST_FILE:
        raise ProgramFileError(f"larger than {LARGEST_FILE // 1024} KiB; a program file is short", file=file)
    with _translated(file):
        _check_bounds(text, file)
        root = YAML(typ="safe", pure=True).compose(text)
        if root is None:
            raise ProgramFileError("the file is empty", file=file, hint="start with `version: 1`")
        return _Builder(file).document(root)


def read(path: Path, *, file: str) -> Document:
    """The file at `path` as a document; errors as `parse`, and for a file that cannot be read."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise ProgramFileError(f"cannot be read: {error.strerror or error}", file=file) from error
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ProgramFileError("is not UTF-8 text", file=file, line=line) from error
    return parse(text, file=file)


@contextmanager
def _translated(file: str) -> Iterator[None]:
    try:
        yield
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(part) for part in (error.context, error.problem) if part) or "not YAML"
        raise ProgramFileError(
            f"not valid YAML: {what}",
            file=file,
            line=None if mark is None else mark.line + 1,
            column=None if mark is None else mark.column + 1,
            hint=_hint(what),
        ) from error
    except (YAMLError, ValueError) as error:  # characters YAML does not allow, numbers out of all bounds
        if isinstance(error, ProgramFileError):
            raise
        what = " ".join(str(error).split())
        raise ProgramFileError(f"not valid YAML: {what}", file=file) from error


def _hint(what: str) -> str | None:
    if "\\t" in what or "tab" in what:
        return "indent with spaces; YAML does not allow tabs"
    if "mapping values are not allowed" in what:
        return "put a text that contains ': ' in quotes"
    return None


def _check_bounds(text: str, file: str) -> None:
    depth = nodes = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        nodes += isinstance(event, NodeEvent)
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST or nodes > MOST_NODES:
            mark = event.start_mark
            what = (
                f"nested deeper than {DEEPEST} levels"
                if depth > DEEPEST
                else f"more than {MOST_NODES} values"
            )
            raise ProgramFileError(what, file=file, line=mark.line + 1, column=mark.column + 1)


class _Builder:
    """Turns nodes into data, noting places; counts what aliases repeat."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._values: dict[KeyPath, Place] = {}
        self._keys: dict[KeyPath, Place] = {}
        self._nodes = 0
        self._open: set[int] = set()
        self._scalars = YAML(typ="safe", pure=True).constructor

    def document(self, root: Node) -> Document:
        data = self._build(root, ())
        return Document(file=self._file, data=data, values=self._values, keys=self._keys)

    def _fail(self, message: str, node: Node, hint: str | None = None) -> ProgramFileError:
        place = _place(node)
        return ProgramFileError(message, file=self._file, line=place.line, column=place.column, hint=hint)

    def _build(self, node: Node, path: KeyPath) -> Any:
        self._nodes += 1
        if self._nodes > MOST_NODES or len(path) > DEEPEST:
            raise self._fail("aliases repeat too much of the file", node, "write the values out")
        self._values[path] = _place(node)
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._fail("an alias inside the value it stands for", node)
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self._build(item, (*path, number)) for number, item in enumerate(node.value)]
            assert isinstance(node, MappingNode)
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise self._fail("a key must be a text", key_node)
            key = str(key_node.value)
            if key == "<<":
                raise self._fail("merge keys (`<<`) are not part of YAML 1.2", key_node, "write the keys out")
            if key in data:
                first = self._keys[(*path, key)]
                raise self._fail(f"{key!r} is given twice (first on line {first.line})", key_node)
            self._keys[(*path, key)] = _place(key_node)
            data[key] = self._build(value_node, (*path, key))
        return data

    def _scalar(self, node: ScalarNode) -> Any:
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if kind in ("null", "bool", "int", "float"):
            return self._scalars.construct_object(node)
        if kind in ("str", "timestamp", "value"):
            return str(node.value)
        raise self._fail(f"the tag {node.tag!s} is not allowed: a program file is plain data", node)


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
