"""YAML's events as nodes, in one pass that ends as soon as a file is too deep or has too many values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import ComposerError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scanner import Scanner

__all__ = ["ALIAS_BOMB", "Composer", "RefusedNodeError"]

OTHER_YAML = "a program file is YAML 1.2: leave the %YAML line out"
ALIAS_BOMB = "aliases repeat too much of the file"


class RefusedNodeError(Exception):
    """A node beyond a bound; `line` and `column` count from 0."""

    def __init__(self, message: str, mark: Any) -> None:
        self.message, self.line, self.column = message, int(mark.line), int(mark.column)
        super().__init__(message)


class BoundedScanner(Scanner):
    """Ends a file as soon as its brackets are too deep: the scanner looks a thousand characters ahead of each.
    It also remembers that the next token is known: it is asked some eight times for each.
    """

    deepest = 64

    def reset_scanner(self) -> None:
        """Begin."""
        self._known = False
        Scanner.reset_scanner(self)

    def fetch_flow_collection_start(self, token: Any, to_push: str) -> None:
        """Open a bracket."""
        if len(self.flow_context) >= self.deepest:
            raise RefusedNodeError(too_deep(self.deepest), self.reader.get_mark())
        Scanner.fetch_flow_collection_start(self, token, to_push)

    def scan_yaml_directive_value(self, start_mark: Any) -> Any:
        """The version after `%YAML`: 1.2, and no other."""
        while self.reader.peek() == " ":
            self.reader.forward()
        if self.reader.prefix(3) != "1.2" or self.reader.peek(3).isdigit():
            raise RefusedNodeError(OTHER_YAML, start_mark)
        return Scanner.scan_yaml_directive_value(self, start_mark)

    def check_token(self, *choices: Any) -> bool:
        """Whether the next token is one of these kinds."""
        token = self.peek_token()
        return token is not None and (not choices or isinstance(token, choices))

    def peek_token(self) -> Any:
        """The next token."""
        if not self._known:
            while self.need_more_tokens():
                self.fetch_more_tokens()
            self._known = True
        return self.tokens[0] if self.tokens else None

    def get_token(self) -> Any:
        """Take the next token."""
        token = self.peek_token()
        self._known = False
        if token is not None:
            self.tokens_taken += 1
            del self.tokens[0]
        return token


def too_deep(deepest: int) -> str:
    """What is said of a file with more levels."""
    return f"nested deeper than {deepest} levels"


class Composer:
    """Makes nodes of the one document in a text; what an alias stands for is the same node again.

    Args:
        text: All of it.
        most_nodes: Nodes it may have.
        deepest: Levels it may have.
        too_many: What is said of one with more nodes.

    Attributes:
        scalars: Makes values of scalar nodes.
    """

    def __init__(self, text: str, *, most_nodes: int, deepest: int, too_many: str) -> None:
        yaml = YAML(typ="safe", pure=True)
        yaml.Scanner = type("_Scanner", (BoundedScanner,), {"deepest": deepest})
        self.scalars: Any = yaml.constructor
        self._events: Iterator[Any] = iter(yaml.parse(text))
        self._resolver = yaml.resolver
        self._most, self._deepest, self._too_many = most_nodes, deepest, too_many
        self._nodes = self._depth = 0
        self._anchors: dict[str, Node] = {}

    def root(self) -> Node | None:
        """The document's node; None when there is no document.

        Raises:
            RefusedNodeError: It goes beyond a bound.
            MarkedYAMLError: It is not YAML, or there are two documents.
        """
        root = first = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    what = "expected a single document in the stream"
                    raise ComposerError(what, first, "but found another document", event.start_mark)
                event = next(self._events)
                first = event.start_mark
                root = self._node(event)
        return root

    def _node(self, event: Any) -> Node:
        if not isinstance(event, NodeEvent):  # pragma: no cover - the parser gives a node where one belongs
            raise ComposerError(None, None, "expected a value", event.start_mark)
        self._nodes += 1
        if self._nodes > self._most:
            raise RefusedNodeError(self._too_many, event.start_mark)
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                raise ComposerError(None, None, f"found undefined alias {event.anchor!r}", event.start_mark)
            return self._anchors[event.anchor]
        if isinstance(event, ScalarEvent):
            return self._anchored(event, self._scalar(event))
        self._depth += 1
        if self._depth > self._deepest:
            raise RefusedNodeError(too_deep(self._deepest), event.start_mark)
        node: Node
        if isinstance(event, SequenceStartEvent):
            node = self._sequence(event)
        else:
            assert isinstance(event, MappingStartEvent)
            node = self._mapping(event)
        self._depth -= 1
        return node

    def _anchored(self, event: Any, node: Node) -> Node:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: ScalarEvent) -> Node:
        tag = self._tag(ScalarNode, event, event.value)
        return ScalarNode(tag, event.value, event.start_mark, event.end_mark, style=event.style)

    def _sequence(self, event: SequenceStartEvent) -> Node:
        items: list[Node] = []
        node = SequenceNode(self._tag(SequenceNode, event, None), items, event.start_mark, event.end_mark)
        self._anchored(event, node)
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event))
        return node

    def _mapping(self, event: MappingStartEvent) -> Node:
        pairs: list[tuple[Node, Node]] = []
        node = MappingNode(self._tag(MappingNode, event, None), pairs, event.start_mark, event.end_mark)
        self._anchored(event, node)
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event)
            pairs.append((key, self._node(next(self._events))))
        return node

    def _tag(self, kind: type[Node], event: Any, value: str | None) -> Any:
        """The tag that was written, or the one YAML 1.2 gives a value of this look."""
        if event.tag is None or event.tag == "!":
            return self._resolver.resolve(kind, value, event.implicit)
        return event.ctag
