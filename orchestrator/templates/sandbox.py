"""Jinja2's sandbox, closed further: no globals, no attributes, and tokens that know their place."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.lexer import Lexer
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..errors import TemplateError

__all__ = ["DEEPEST_EXPRESSION", "DEEPEST_NESTING", "Sandbox", "too_deep"]

MOST_TOKENS = 5_000
"""Words, signs and texts between tags in a template, at most."""

DEEPEST_NESTING = 10
"""Blocks inside blocks, at most."""

DEEPEST_EXPRESSION = 30
"""Operations inside operations, at most."""

LONGEST_NUMBER = 20
"""Characters of a number, at most."""


def too_deep(place: int | None) -> TemplateError:
    """The error of what is nested more than it may be."""
    return TemplateError("nested too deeply", offset=place, hint="take it apart")


class _Limits:
    """Counts tokens and how deep they are, so that Jinja2's parser sees nothing that would take it long."""

    def __init__(self) -> None:
        self.count = self.brackets = self.blocks = 0
        self.before = ""
        """The kind of the token before, white space left out."""

    def pass_by(self, kind: str, value: str, place: int) -> None:
        """Count a token, or raise `TemplateError` where there are too many."""
        if kind == "whitespace":
            return
        self.count += 1
        if kind == "operator":
            self.brackets += (value in "([{") - (value in ")]}")
        elif kind == "name" and self.before == "block_begin":
            self.blocks += (value in ("if", "for")) - (value in ("endif", "endfor"))
        elif kind in ("integer", "float") and len(value) > LONGEST_NUMBER:
            raise TemplateError(f"a number of more than {LONGEST_NUMBER} digits", offset=place)
        if self.count > MOST_TOKENS:
            raise TemplateError(f"a template of more than {MOST_TOKENS:,} words and signs", offset=place)
        if self.brackets > DEEPEST_EXPRESSION or self.blocks > DEEPEST_NESTING:
            raise too_deep(place)
        self.before = kind


class _PlacingLexer(Lexer):
    """Numbers tokens by characters from the start instead of by lines: so do then nodes and syntax errors."""

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        place, limits = 0, _Limits()
        tokens = super().tokeniter(source, name, filename, state)
        try:
            for _, kind, value in tokens:
                # White space that a tag strips is in no token.
                found = source.index(value, place)
                limits.pass_by(kind, value, found)
                yield found, kind, value
                place = found + len(value)
        except TemplateSyntaxError as error:
            error.lineno = place
            raise
        if limits.before in ("comment_begin", "raw_begin"):
            # Jinja2 lets these be when nothing comes after them.
            raise TemplateSyntaxError(f"Missing end of {limits.before.removesuffix('_begin')}", place)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 without globals and tests, that reads no attribute and no item of anything."""

    def __init__(self) -> None:
        super().__init__(keep_trailing_newline=True, autoescape=False, undefined=StrictUndefined)
        self.globals, self.tests, self.filters = {}, {}, {}
        self._lexer = _PlacingLexer(self)

    @property
    def lexer(self) -> Lexer:
        return self._lexer

    def getattr(self, obj: object, attribute: str) -> object:
        raise TemplateError(f"a template reads no attribute `{attribute}`")

    def getitem(self, obj: object, argument: object) -> object:
        raise TemplateError("a template takes no items by number or key")
