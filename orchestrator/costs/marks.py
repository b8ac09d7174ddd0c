"""What stands in a prompt for texts that models have not written yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import InvalidInputError
from ..types import Request

__all__ = ["Marks"]


@dataclass(slots=True)
class Marks:
    """Characters that stand for texts not written yet: of Unicode's private use, which no problem has a use for."""

    held: dict[str, float] = field(default_factory=dict)

    def new(self, tokens: float) -> str:
        """A mark for a text of at most so many tokens."""
        mark = chr(0xF0000 + len(self.held))
        if len(self.held) >= 0xFFFE:
            raise InvalidInputError("the program has too many parts for its cost to be worked out")
        self.held[mark] = tokens
        return mark

    def tokens(self, text: str) -> float | None:
        """Tokens of a text at most, what is written as many as it has bytes; None for one without marks."""
        found = [mark for mark in text if mark in self.held]
        if not found:
            return None
        written = len(text.encode("utf-8", "surrogatepass")) - len("".join(found).encode())
        return written + sum(self.held[mark] for mark in found)

    def taken_out(self, request: Request, *, seam: str) -> tuple[Request, float]:
        """`request` with `seam` for each mark, which parts what stands around it, and what they stand for."""
        held = 0.0

        def counted(value: Any) -> Any:
            nonlocal held
            if isinstance(value, str):
                found = [mark for mark in value if mark in self.held]
                held += sum(self.held[mark] for mark in found)
                return value.translate({ord(mark): seam for mark in found}) if found else value
            if isinstance(value, Mapping):
                return {key: counted(part) for key, part in value.items()}
            if isinstance(value, list | tuple):
                return type(value)(counted(part) for part in value)
            return value

        prompt, messages = counted(request.prompt), counted(request.messages)
        texts = counted(request.texts)
        rating = request.rating
        if rating is not None:
            rating = replace(rating, query=counted(rating.query), messages=counted(rating.messages))
        return request.replace(prompt=prompt, messages=messages, texts=texts, rating=rating), held
