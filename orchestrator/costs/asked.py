"""Which models a program asks, and in which ways that the bounds on its costs do not cover."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Asked"]


@dataclass(slots=True)
class Asked:
    """Names of models, gathered while costs are worked out.

    Attributes:
        models: All that are asked.
        quoting: Those whose prompts hold texts that are written on the way. Such a text counts as the tokens it can
            have, where a server that counts no prompts has the ledger hold it by its bytes.
        pressed: Those that are asked for a form or for log-probabilities, and once more without where a server
            refuses them.
    """

    models: set[str] = field(default_factory=set)
    quoting: set[str] = field(default_factory=set)
    pressed: set[str] = field(default_factory=set)

    def add(self, model: str, *, quoting: bool = False, pressed: bool = False) -> None:
        """Note that `model` is asked."""
        self.models.add(model)
        if quoting:
            self.quoting.add(model)
        if pressed:
            self.pressed.add(model)

    def __or__(self, other: Asked) -> Asked:
        return Asked(
            models=self.models | other.models,
            quoting=self.quoting | other.quoting,
            pressed=self.pressed | other.pressed,
        )
