"""A text put together from values. Cost: no calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..expressions import TEXT, Type
from .base import Frame, Primitive, Scope, TemplateText

__all__ = ["Text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Primitive):
    """A template filled with the values of steps; its value is the text.

    Cost: no calls.

    Args:
        template: The template.
    """

    key: ClassVar[str] = "text"

    template: TemplateText

    def check(self, scope: Scope) -> Type:
        """A text."""
        scope.template(self.template, *self.place("template"))
        return TEXT

    async def run(self, frame: Frame) -> str:
        """The text."""
        return frame.render(self.template)
