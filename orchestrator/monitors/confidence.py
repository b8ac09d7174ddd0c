"""A floor under a model's confidence: a sample that falls through it is cut."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from ..confidence import GroupConfidence, token_confidences
from ..errors import InvalidInputError
from ..types import TOP_LOGPROBS, Chunk, Watch

__all__ = ["ConfidenceFloor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceFloor:
    """Cuts a sample as soon as the confidence of a group of its tokens is below `threshold`.

    A group is a window of `window` tokens, its confidence the mean of -1/k * sum over a token's k top
    log-probabilities (see `confidence`). Nothing is cut before a whole window has been written, nor by the chunk a
    sample ends with: it is complete then. A sample with a token that came without top log-probabilities cannot be
    measured and is let go on.

    Source: Fu et al., "Deep Think with Confidence", arXiv 2508.15260, §3.3.

    Args:
        threshold: In nats, at least 0. It depends on the model, on `top` and on `window`: see `ConfidenceStop`, which
            takes it from samples.
        window: Tokens in a group, at least 1.
        top: Top log-probabilities a token to ask for, at least 1; most servers give up to 20.

    Raises:
        InvalidInputError: A parameter is out of range.
    """

    name: ClassVar[str] = "confidence_floor"

    threshold: float
    window: int = 2048
    top: int = TOP_LOGPROBS

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold < math.inf:
            raise InvalidInputError(f"threshold must be at least 0 and finite, not {self.threshold}")
        for name in ("window", "top"):
            if getattr(self, name) < 1:
                raise InvalidInputError(f"{name} must be at least 1, not {getattr(self, name)}")

    @property
    def logprobs(self) -> int:
        """Top log-probabilities samples must be drawn with."""
        return self.top

    def watch(self) -> Watch:
        """A watch over one choice."""
        return _Groups(threshold=self.threshold, groups=GroupConfidence(window=self.window))


@dataclass(slots=True, kw_only=True)
class _Groups:
    """The groups of one choice so far."""

    threshold: float
    groups: GroupConfidence
    measured: bool = True

    def feed(self, chunk: Chunk, /) -> str | None:
        if not chunk.logprobs or not self.measured:
            return None
        found = token_confidences(chunk.logprobs)
        known = [confidence for confidence in found if confidence is not None]
        self.measured = len(known) == len(found)
        if not self.measured:
            return None
        self.groups.feed(known)
        if chunk.finish_reason is not None or not self.groups.full or self.groups.lowest >= self.threshold:
            return None
        return f"group confidence {self.groups.lowest:.4g} below {self.threshold:.4g}"
