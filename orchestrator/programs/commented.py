"""YAML text as a layout with the comments at what they are about.

A comment on a line of its own is about the entry after it; indented deeper, it is about the end of the block above.
A comment at the end of a line is about what the line begins.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import AliasEvent, MappingStartEvent, NodeEvent, ScalarEvent, SequenceStartEvent
from ruamel.yaml.tokens import AliasToken, AnchorToken, BlockEntryToken, ScalarToken, TagToken

from .layout import Collection, Entry, Node, Scalar, is_word, key_text, quoted, text_scalar

__all__ = ["comments_of", "read_layout", "repeats_or_tags"]

MARGIN = " \t"


@dataclass(slots=True, kw_only=True)
class _Placed:
    """An entry and where it stands in the text, in characters from 0.

    Attributes:
        entry: The entry.
        start: Where its key or dash is.
        column: How far that is from its line's start.
        within: The entry whose value holds it, or None.
        flow_end: Where the `{}` or `[]` it stands in ends; None for a block.
    """

    entry: Entry
    start: int
    column: int
    within: _Placed | None
    flow_end: int | None = None


@dataclass(slots=True, kw_only=True)
class _Comment:
    text: str
    start: int
    column: int
    alone: bool


def read_layout(text: str) -> Collection:
    """The layout of `text`, which is a mapping in YAML that `document.parse` takes."""
    reader = _Reader(text)
    root = reader.read()
    _Attacher(reader).attach()
    return root


def repeats_or_tags(text: str) -> bool:
    """Whether `text` has `&` and `*` that repeat a part, or a tag (`!`)."""
    marks = (AliasToken, AnchorToken, TagToken)
    return any(isinstance(token, marks) for token in YAML(typ="safe", pure=True).scan(text))


def comments_of(text: str) -> list[str]:
    """The comments in `text`, in its order."""
    return [comment.text for comment in _Reader(text).comments()]


class _Reader:
    """Builds the layout from the parser's events, noting where each entry stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.placed: list[_Placed] = []
        self._line_starts = [0, *(number + 1 for number, char in enumerate(text) if char == "\n")]
        tokens = list(YAML(typ="safe", pure=True).scan(text))
        self._scalars = [token for token in tokens if isinstance(token, ScalarToken)]
        self._starts = {token.end_mark.index: token.start_mark.index for token in self._scalars}
        self._dashes = [token.start_mark.index for token in tokens if isinstance(token, BlockEntryToken)]

    def line_of(self, index: int) -> int:
        """The number of the line that `index` is on, from 0."""
        return bisect.bisect_right(self._line_starts, index) - 1

    def lines(self) -> Iterator[tuple[int, str]]:
        """Where each line starts, and the line."""
        for start in self._line_starts:
            end = self.text.find("\n", start)
            yield start, self.text[start : len(self.text) if end < 0 else end]

    # The tree --------------------------------------------------------------------------------------------

    def read(self) -> Collection:
        """The whole."""
        self._events = (
            event
            for event in YAML(typ="safe", pure=True).parse(self.text)
            if isinstance(event, NodeEvent)
            or type(event).__name__.endswith(("MappingEndEvent", "SequenceEndEvent"))
        )
        root = self._node(next(self._events), None)
        assert isinstance(root, Collection)
        return root

    def _node(self, event: Any, within: _Placed | None) -> Node:
        if isinstance(event, AliasEvent):
            return Scalar(text=f"*{event.anchor}")
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        collection = Collection(
            entries=[],
            is_list=isinstance(event, SequenceStartEvent),
            flow=bool(event.flow_style),
            anchor=event.anchor,
        )
        placed: list[_Placed] = []
        while isinstance(first := next(self._events), NodeEvent):
            one = self._placed(collection, first, within)
            placed.append(one)
            one.entry.value = self._node(
                next(self._events) if isinstance(event, MappingStartEvent) else first, one
            )
            collection.entries.append(one.entry)
        for one in placed:
            one.flow_end = first.end_mark.index if collection.flow else None
        return collection

    def _placed(self, collection: Collection, event: Any, within: _Placed | None) -> _Placed:
        start = event.start_mark.index
        key = None
        if not collection.is_list:
            key = f"*{event.anchor} " if isinstance(event, AliasEvent) else self._key(event)
        elif not collection.flow:
            start = self._dashes[bisect.bisect_left(self._dashes, start) - 1]
        column = start - self._line_starts[self.line_of(start)]
        entry = Entry(key=key, value=Scalar(text=""))
        self.placed.append(_Placed(entry=entry, start=start, column=column, within=within))
        return self.placed[-1]

    def _key(self, event: ScalarEvent) -> str:
        return self._source(event) if event.style is None and event.value else key_text(event.value)

    def _source(self, event: ScalarEvent) -> str:
        """A scalar as it is written, without its anchor."""
        end = event.end_mark.index
        return self.text[self._starts.get(end, end) : end]

    def _scalar(self, event: ScalarEvent) -> Scalar:
        made = self._restyled(event.value, self._source(event), event.style)
        made.anchor = event.anchor
        return made

    def _restyled(self, value: str, source: str, style: str | None) -> Scalar:
        """Words lose their quotes, blocks stay blocks, and a text that went over several lines becomes one."""
        if style in ("|", ">"):
            return _block(value, source)
        if "\n" in source:
            return text_scalar(value)
        if style is None:
            return Scalar(text=source, flow_text=source or "null")
        return Scalar(text=value if is_word(value) else quoted(value))

    # Comments --------------------------------------------------------------------------------------------

    def comments(self) -> Iterator[_Comment]:
        """Every comment, in order."""
        inside = self._inside_scalars()
        for start, line in self.lines():
            at = line.find("#")
            while at >= 0:
                alone = not line[:at].strip()
                if (at == 0 or line[at - 1] in MARGIN) and not self._covered(start + at, inside):
                    yield _Comment(text=line[at:].rstrip(), start=start + at, column=at, alone=alone)
                    break
                at = line.find("#", at + 1)

    def blank_lines(self) -> Iterator[int]:
        """Where empty lines outside of texts start."""
        inside = self._inside_scalars()
        for start, line in self.lines():
            if not line.strip() and start < len(self.text) and not self._covered(start, inside):
                yield start

    def _inside_scalars(self) -> list[tuple[int, int]]:
        """From where to where texts go, in which `#` and empty lines mean nothing."""
        spans = []
        for token in self._scalars:
            start, end = token.start_mark.index, token.end_mark.index
            if token.style in ("|", ">"):
                header = self.text[start:end].partition("\n")[0].partition("#")[0]
                start = self.text.find("\n", start, end) + 1 or end
                if "+" not in header:  # the empty lines behind a text are not its own
                    end = start + len(self.text[start:end].rstrip())
            spans.append((start, end))
        return spans

    @staticmethod
    def _covered(index: int, spans: list[tuple[int, int]]) -> bool:
        number = bisect.bisect_right(spans, (index, index)) - 1
        number += number + 1 < len(spans) and spans[number + 1][0] == index
        return number >= 0 and spans[number][0] <= index < spans[number][1]


def _block(value: str, source: str) -> Scalar:
    """A block of the same kind, unless its end or its margin would not be seen."""
    last = value.rstrip("\n").rpartition("\n")[2]
    if not last.strip():
        return Scalar(text=quoted(value))
    if source.startswith("|"):
        return _literal(value)
    header = source.partition("\n")[0]
    if last != last.rstrip() or any(char.isdigit() or char == "+" for char in header):
        return text_scalar(value)
    return _folded(source)


def _literal(value: str) -> Scalar:
    body = value.removesuffix("\n")
    chomp = "-" if body == value else "+" if body.endswith("\n") else ""
    indented = "2" if body.startswith((" ", "\n")) else ""
    return Scalar(text=f"|{indented}{chomp}", block=tuple(body.split("\n")))


def _folded(source: str) -> Scalar:
    header, _, body = source.rstrip().partition("\n")
    lines = body.split("\n")
    margin = next(len(line) - len(line.lstrip(" ")) for line in lines if line.strip())
    return Scalar(text=header.split()[0], block=tuple(line[margin:] for line in lines))


@dataclass(slots=True)
class _Attacher:
    """Gives each comment, and each empty line, to the entry it is about."""

    reader: _Reader
    starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.reader.placed.sort(key=lambda placed: placed.start)
        self.starts = [placed.start for placed in self.reader.placed]

    def attach(self) -> None:
        blanks = list(self.reader.blank_lines())
        for comment in self.reader.comments():
            lines = self._for_line(comment) if comment.alone else self._at_end(comment)
            while blanks and blanks[0] < comment.start:
                self._blank(blanks.pop(0), comment, lines)
            if lines is not None:
                lines.append(comment.text)
        for blank in blanks:
            self._blank(blank, None, None)

    def _blank(self, blank: int, comment: _Comment | None, lines: list[str] | None) -> None:
        """An empty line goes before the next entry, or before the comment that comes first."""
        following = self._after(blank)
        if (
            comment is not None
            and lines is not None
            and (following is None or comment.start < following.start)
        ):
            lines.append("")
        elif following is not None:
            following.entry.before.append("")

    def _before(self, index: int) -> _Placed | None:
        number = bisect.bisect_left(self.starts, index)
        return self.reader.placed[number - 1] if number else None

    def _after(self, index: int) -> _Placed | None:
        number = bisect.bisect_left(self.starts, index)
        return self.reader.placed[number] if number < len(self.starts) else None

    def _at_end(self, comment: _Comment) -> list[str] | None:
        """Where a comment at a line's end goes when it cannot be beside its entry; None when it is there."""
        entry = self._before(comment.start)
        if entry is None:
            return self.reader.placed[0].entry.before
        while entry.flow_end is not None and entry.flow_end <= comment.start and entry.within is not None:
            entry = entry.within
        if entry.entry.beside:
            return entry.entry.before
        entry.entry.beside = comment.text
        return None

    def _for_line(self, comment: _Comment) -> list[str]:
        above, below = self._before(comment.start), self._after(comment.start)
        enclosing = above
        while enclosing is not None:
            if enclosing.flow_end is not None and enclosing.flow_end > comment.start:
                inside = below is not None and below.start < enclosing.flow_end
                return below.entry.before if inside and below is not None else enclosing.entry.after
            if enclosing.flow_end is None and enclosing.column <= comment.column:
                if below is not None and below.column >= enclosing.column:
                    break
                return enclosing.entry.after
            enclosing = enclosing.within
        if below is None:
            assert above is not None
            return above.entry.after
        return below.entry.before
