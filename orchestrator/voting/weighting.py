"""What samples' votes weigh, as data: the functions of `weights` with their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..errors import InvalidInputError
from ..types import TOP_LOGPROBS, Sample
from .weights import length_penalty_weights, log_probability_weights, self_certainty_weights

__all__ = ["LengthPenalty", "LogProbability", "SelfCertaintyRank", "Weighting"]


class Weighting(Protocol):
    """One weight a sample, at least 0; `logprobs` says what the samples must have been drawn with."""

    @property
    def logprobs(self) -> int | None:
        """Top log-probabilities a token that are needed; 0 for the written token's alone, None for none."""

    def weights(self, samples: Sequence[Sample], /) -> list[float]:
        """A weight for each of `n` samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProbability:
    """Each vote weighs its sample's probability, normalised by length; see `log_probability_weights`."""

    logprobs: ClassVar[int | None] = 0

    def weights(self, samples: Sequence[Sample], /) -> list[float]:
        """exp(mean log-probability of its tokens) of each sample."""
        return log_probability_weights(samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthPenalty:
    """Shorter samples weigh more; see `length_penalty_weights`.

    Args:
        power: At least 0; 0 is a plain vote.
    """

    logprobs: ClassVar[int | None] = None

    power: float = 1.0

    def __post_init__(self) -> None:
        _check(self.power)

    def weights(self, samples: Sequence[Sample], /) -> list[float]:
        """((5 + 1) / (5 + T))^power for a sample of T tokens."""
        return length_penalty_weights(samples, length_penalty=self.power)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCertaintyRank:
    """Borda voting by self-certainty; see `self_certainty_weights`.

    Args:
        power: At least 0; 0 is a plain vote, the larger, the more the most certain sample decides alone.
        top: Top log-probabilities a token to ask for, at least 1; most servers give up to 20.
        vocabulary: Tokens the model knows, or None.
    """

    power: float = 1.0
    top: int = TOP_LOGPROBS
    vocabulary: int | None = None

    def __post_init__(self) -> None:
        _check(self.power)
        if self.top < 1:
            raise InvalidInputError(f"top must be at least 1, not {self.top}")

    @property
    def logprobs(self) -> int | None:
        """The top log-probabilities to ask for."""
        return self.top

    def weights(self, samples: Sequence[Sample], /) -> list[float]:
        """(n - r + 1)^power for the sample that is the r-th most certain of n."""
        return self_certainty_weights(samples, power=self.power, vocabulary=self.vocabulary)


def _check(power: float) -> None:
    if not 0.0 <= power < float("inf"):
        raise InvalidInputError(f"power must be finite and at least 0, not {power}")
