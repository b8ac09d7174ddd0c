"""How a program file is laid out: a tree of texts, mappings and lists with their comments, as YAML in one form.

Two spaces a level, lists inside their key; what fits on a line and was meant for one (`flow`) stays on one. Words are
plain, texts of several lines are block scalars.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ..errors import InvalidInputError

__all__ = ["Collection", "Entry", "Node", "Scalar", "emit", "quoted", "text_scalar"]

WIDTH = 100
"""Characters of a line, where it can be broken."""


@dataclass(slots=True, kw_only=True)
class Scalar:
    """A value without parts.

    Attributes:
        text: What is written, on one line; of a block its header, `|-` or `>-`.
        block: The lines of a block scalar without their margin; empty for none.
        flow_text: What is written inside `{}` and `[]`, where more characters need quotes; None for `text`.
        anchor: The name by which other places repeat it, or None.
    """

    text: str
    block: tuple[str, ...] = ()
    flow_text: str | None = None
    anchor: str | None = None


@dataclass(slots=True, kw_only=True)
class Entry:
    """A key with its value, or an item of a list (`key` is None).

    Attributes:
        key: The key as it is written.
        value: What it has.
        before: Comment lines before it; "" is an empty line.
        beside: The comment at the end of its line.
        after: Comment lines after it, before its collection ends.
    """

    key: str | None
    value: Node
    before: list[str] = field(default_factory=list)
    beside: str = ""
    after: list[str] = field(default_factory=list)

    @property
    def commented(self) -> bool:
        """Whether there are comments at it or inside it."""
        inside = self.value.entries if isinstance(self.value, Collection) else ()
        return (
            bool(self.beside)
            or any(self.before)
            or any(self.after)
            or any(entry.commented for entry in inside)
        )


@dataclass(slots=True, kw_only=True)
class Collection:
    """A mapping or a list; `flow` asks for one line, where that is possible."""

    entries: list[Entry]
    is_list: bool = False
    flow: bool = False
    anchor: str | None = None


Node: TypeAlias = Scalar | Collection


# Texts ---------------------------------------------------------------------------------------------------

PLAIN = re.compile(r"[\w/.($^+<=~\\](?:[^\s].*)?", re.DOTALL)
WORD = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
NUMBER_LIKE = re.compile(r"[-+.]?[0-9][0-9a-zA-Z_.:+\-]*|[-+]?\.(?:inf|nan)", re.IGNORECASE)
OTHER_TYPE = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "=", "<<"})
"""Words that YAML, in one of its versions, takes for something else than a text."""

FLOW_MARKS = frozenset(",[]{}")


def is_plain(text: str, *, flow: bool = False) -> bool:
    """Whether `text` can stand without quotes, as the same text for every version of YAML."""
    return (
        PLAIN.fullmatch(text) is not None
        and text.isprintable()
        and text == text.strip()
        and ": " not in text
        and " #" not in text
        and not text.endswith(":")
        and text.lower() not in OTHER_TYPE
        and NUMBER_LIKE.fullmatch(text) is None
        and not (flow and FLOW_MARKS & set(text))
        and not text.startswith(("...", "=", "<"))
    )


def is_word(text: str) -> bool:
    """Whether `text` is a name, which is never written in quotes."""
    return WORD.fullmatch(text) is not None and is_plain(text)


def quoted(text: str) -> str:
    """`text` in quotes: double ones, or single ones where they save escapes."""
    if text.isprintable() and "'" not in text and ('"' in text or "\\" in text):
        return f"'{text}'"
    return '"' + "".join(_escaped(char) for char in text) + '"'


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xD800 <= code < 0xE000:
        raise InvalidInputError("half of a surrogate pair cannot be written into a file")
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def key_text(text: str) -> str:
    """A key as it is written; keys are texts, also `n` and `on`."""
    plain = is_plain(text, flow=True) or text in ("n", "y", "on", "off", "no", "yes")
    return text if plain else quoted(text)


def text_scalar(text: str) -> Scalar:
    """`text` in the form it is easiest to read in: plain, in quotes, or as a block."""
    if "\n" in text and _fits_literal(text):
        return literal(text)
    if len(text) > WIDTH - 20 and _fits_folded(text):
        return folded(text)
    inside = text if is_plain(text, flow=True) else quoted(text)
    return Scalar(text=text if is_plain(text) else quoted(text), flow_text=inside)


def _fits_literal(text: str) -> bool:
    body = text.removesuffix("\n")
    lines = body.split("\n")
    return (
        bool(lines[0])
        and bool(lines[-1])
        and not lines[0].startswith(" ")
        and all(line.isprintable() and not line.endswith(" ") for line in lines)
    )


def _fits_folded(text: str) -> bool:
    return text.isprintable() and text == " ".join(text.split())


def literal(text: str) -> Scalar:
    """`text` line by line."""
    ends = text.endswith("\n")
    return Scalar(text="|" if ends else "|-", block=tuple(text.removesuffix("\n").split("\n")))


def folded(text: str) -> Scalar:
    """`text` on lines that are read as one."""
    lines = textwrap.wrap(text, WIDTH - 10, break_long_words=False, break_on_hyphens=False)
    return Scalar(text=">-", block=tuple(lines))


# Lines ---------------------------------------------------------------------------------------------------


def emit(root: Collection) -> str:
    """The file's text; settles in the tree what stands on one line."""
    _settle(root, 0)
    _close_up(root)
    lines = list(_entries(root, 0)) if root.entries else [inline(root)]
    while lines and not lines[0]:
        del lines[0]
    return "".join(f"{line}\n" for line in lines)


def _settle(collection: Collection, margin: int) -> None:
    """Decide which collections stand on one line, and move comments to where the others have a place for them.

    The first line of an item is its first entry's (`- id: drafts`): comments on both come before it.
    """
    for entry in collection.entries:
        value = entry.value
        if not isinstance(value, Collection):
            continue
        value.flow = not value.entries or (value.flow and _fits(entry, margin))
        if value.flow:
            continue
        _settle(value, margin + 2)
        first = value.entries[0]
        while first.before[:1] == [""]:
            del first.before[0]
        if _opens_on_line(entry):
            entry.before += [line for line in (entry.beside, *first.before) if line]
            entry.beside, first.before = "", []


def _close_up(collection: Collection) -> bool:
    """Take away the empty lines behind texts that keep theirs (`|+`), which they would be of.

    Returns:
        Whether it ends with such a text.
    """
    keeps = False
    for entry in collection.entries:
        keeps = _closed_up(entry.before, keeps)
        if isinstance(entry.value, Scalar):
            keeps = bool(entry.value.block) and "+" in entry.value.text
        else:
            keeps = not entry.value.flow and _close_up(entry.value)
        keeps = _closed_up(entry.after, keeps)
    return keeps


def _closed_up(lines: list[str], keeps: bool) -> bool:
    """Take the empty lines off that come first, behind a text that keeps them; whether it still is what is before."""
    while keeps and lines[:1] == [""]:
        del lines[0]
    return keeps and not lines


def _fits(entry: Entry, margin: int) -> bool:
    start = margin + (2 if entry.key is None else len(entry.key) + 2)
    return _is_inline(entry.value) and start + len(inline(entry.value)) <= WIDTH + 10


def _is_inline(node: Node) -> bool:
    if isinstance(node, Scalar):
        return not node.block
    return not any(entry.commented or not _is_inline(entry.value) for entry in node.entries)


def _opens_on_line(entry: Entry) -> bool:
    """Whether a block is an item that begins on the line of its dash."""
    return entry.key is None and entry.value.anchor is None


def _entries(collection: Collection, margin: int) -> Iterator[str]:
    for entry in collection.entries:
        yield from _comments(entry.before, margin)
        yield from _entry(entry, margin)
        yield from _comments(entry.after, margin)


def _comments(lines: list[str], margin: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        if line:
            yield " " * margin + line
        elif not number or lines[number - 1]:
            yield ""


def _entry(entry: Entry, margin: int) -> Iterator[str]:
    head = " " * margin + ("-" if entry.key is None else f"{entry.key}:")
    beside = f"  {entry.beside}" if entry.beside else ""
    value = entry.value
    if isinstance(value, Scalar):
        yield _line(head, value.anchor, value.text) + beside
        yield from (" " * (margin + 2) + line if line else "" for line in value.block)
    elif value.flow:
        yield _line(head, value.anchor, inline(value)) + beside
    elif _opens_on_line(entry):
        lines = _entries(value, margin + 2)
        yield f"{head} {next(lines).lstrip(' ')}"
        yield from lines
    else:
        yield _line(head, value.anchor, "") + beside
        yield from _entries(value, margin + 2)


def _line(head: str, anchor: str | None, text: str) -> str:
    return " ".join(part for part in (head, "" if anchor is None else f"&{anchor}", text) if part)


def inline(node: Node) -> str:
    """`node` on one line, as it stands inside `{}` and `[]`."""
    if isinstance(node, Scalar):
        return node.text if node.flow_text is None else node.flow_text
    parts = []
    for entry in node.entries:
        value = _line("", entry.value.anchor, inline(entry.value))
        parts.append(value if entry.key is None else f"{entry.key}: {value}".rstrip())
    return f"[{', '.join(parts)}]" if node.is_list else f"{{{', '.join(parts)}}}"
