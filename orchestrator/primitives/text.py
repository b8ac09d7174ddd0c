"""A text put together from values. Cost: no calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..costs import FREE, Costing, Size, Spending
from ..expressions import TEXT, Type
from .base import Primitive, TemplateText
from .frame import Frame
from .scope import Scope
from .sizes import measured, tokens_of

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

    async def spending(self, costing: Costing) -> Spending:
        """Nothing."""
        if self.id is not None:
            text = measured(costing, self.template)
            costing.sizes[self.id] = Size(tokens=await tokens_of(costing, text.counted) + text.inserted)
        return Spending(label=self.label, kind=self.key, worst=FREE)
