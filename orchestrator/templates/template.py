"""A template: parsed once, checked against the types of its names, and filled with values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..errors import TemplateError
from ..expressions import Size, Type, as_text, spend
from .unwritten import marked_size, unwritten_here

if TYPE_CHECKING:
    from .rendering import Renderer
    from .syntax import Tree

__all__ = ["LONGEST_SOURCE", "LONGEST_TEXT", "PLACEHOLDER", "Measured", "Template"]

LONGEST_SOURCE = 64 * 1024
"""Characters of a template, at most."""

LONGEST_TEXT = 4 * 1024 * 1024
"""Characters of a rendered template, at most."""

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}", re.ASCII)
"""A name between braces and nothing else."""

_RESERVED = frozenset(
    "and false False if in is none None not or true True self super caller varargs kwargs".split()  # noqa: SIM905
)
"""Words that no value is named by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is known of a filled template.

    Attributes:
        text: What is known of it, in order.
        counted: The same with a line's end for each thing that is not known, which keeps apart what stands around it:
            its tokens are to be counted.
        inserted: Tokens that the rest can have, at most; `math.inf` where no bound is known.
    """

    text: str
    counted: str
    inserted: float


_TAG = re.compile(r"\{[{%#]")


class Template:
    """A text in which `{{ name }}`, `{% if %}` and `{% for %}` stand for what is known when it is filled.

    The language is Jinja2's without everything that acts: values are named, their declared fields are read, compared,
    added up and put through the filters `default first indent join last length lower round trim truncate upper`.
    What is inserted is never read again, and what is missing is empty. Signs mean what they mean in expressions, and
    take what they take there; only conditions take any value, and ask whether it is there, not empty, 0 or false.

    Attributes:
        text: As it was written.
        names: The names it needs.
    """

    __slots__ = ("_pieces", "_renderer", "_tree", "names", "text")

    def __init__(self, text: str) -> None:
        """Use `Template.of`, which keeps what it has parsed.

        Raises:
            TemplateError: It is not in the language.
        """
        if len(text) > LONGEST_SOURCE:
            raise TemplateError(
                f"a template is at most {LONGEST_SOURCE:,} characters long, and this has {len(text):,}"
            )
        self.text = text
        self._tree: Tree | None = None
        self._renderer: Renderer | None = None
        self._pieces = _simple(text)
        self.names: frozenset[str]
        if self._pieces is None:
            self.names = frozenset(self._parsed().names)
        else:
            self.names = frozenset(self._pieces[1::2])

    @staticmethod
    @lru_cache(maxsize=256)
    def of(text: str) -> Template:
        """The template of a text.

        Raises:
            TemplateError: It is not in the language: says what, where, and what to write instead.
        """
        return Template(text)

    def __repr__(self) -> str:
        return f"Template.of({self.text!r})"

    def check(self, types: Mapping[str, Type]) -> None:
        """Refuse what cannot be filled in from names of these types.

        Raises:
            TemplateError: An unknown name or field, an operand of a wrong type, or a value without a text.
        """
        from .checking import check

        check(self._parsed().body, types)

    def render(self, values: Mapping[str, Any]) -> str:
        """The text with `values` in it; names that it does not need may be among them.

        Raises:
            TemplateError: A name has no value, a value has no text or not the field, or the text or its loops grow
                longer than they may.
        """
        for name in self.names:
            if name not in values:
                raise self._lacks(name, values)
        if self._pieces is None:
            needed = {name: values[name] for name in self.names}
            unwritten = unwritten_here()
            if unwritten is not None and any(marked_size(value) is not None for value in needed.values()):
                found = self.measure(needed, {})
                return found.counted + (unwritten.new(found.inserted) if found.inserted else "")
            return self._renders().render(needed)
        parts = self._pieces.copy()
        try:
            parts[1::2] = [as_text(values[name]) for name in parts[1::2]]
        except TypeError as error:
            raise self._unreadable(values, error) from error
        length = sum(map(len, parts))
        if length > LONGEST_TEXT:
            raise TemplateError(f"filled in, it is longer than {LONGEST_TEXT:,} characters")
        spend(length)
        return "".join(parts)

    def measure(self, values: Mapping[str, Any], sizes: Mapping[str, Size]) -> Measured:
        """How long the filled text can be, when only `values` are known of what goes into it.

        Raises:
            TemplateError: As `render`, and for a name that is in neither mapping.
        """
        from .measuring import measure

        return measure(self._parsed(), self._renders(), values, sizes)

    def place(self, name: str) -> int:
        """Characters from the start to where `name` is first used."""
        return self._parsed().names[name]

    def _parsed(self) -> Tree:
        if self._tree is None:
            from .syntax import parse

            self._tree = parse(self.text)
        return self._tree

    def _renders(self) -> Renderer:
        if self._renderer is None:
            from .rendering import Renderer

            self._renderer = Renderer(self._parsed().body)
        return self._renderer

    def _lacks(self, name: str, values: Mapping[str, Any]) -> TemplateError:
        known = ", ".join(sorted(values)) or "nothing"
        return TemplateError(f"there is no value for `{name}`, only: {known}", offset=self.place(name))

    def _unreadable(self, values: Mapping[str, Any], error: TypeError) -> TemplateError:
        for name in self._parsed().names:
            try:
                as_text(values[name])
            except TypeError:
                return TemplateError(str(error), offset=self.place(name))
        raise error


def _simple(text: str) -> list[str] | None:
    """Texts and, between them, the names of placeholders, where there is nothing else: most prompts, quickly."""
    pieces = PLACEHOLDER.split(text)
    if _RESERVED.intersection(pieces[1::2]) or any(_TAG.search(piece) for piece in pieces[::2]):
        return None
    # A brace before a placeholder begins another tag: Jinja reads `{{{ a }}}` as a mapping.
    if any(before.endswith("{") for before, _ in pairwise(pieces[::2])):
        return None
    return pieces
