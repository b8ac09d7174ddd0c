"""How sure the model was while it wrote, read from the log-probabilities of its tokens: no further call.

Each verifier here abstains on a sample without log-probabilities; its `logprobs` is how many top ones per token its
samples are to be drawn with. What it measures in nats, x at least 0, becomes the score x / (1 + x): of the same
order, 1/2 at one nat, and x = score / (1 - score) gives the measure back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, get_args

from ..confidence import GroupAggregation, token_confidences, trace_confidence
from ..errors import InvalidInputError
from ..types import TOP_LOGPROBS, Candidate, Problem, Sample, Score, TokenLogprob
from ..voting import self_certainties
from .free import SHORT_REASON
from .rules import Rule

__all__ = ["GroupAggregation", "GroupConfidence", "Perplexity", "SelfCertainty"]

ROUNDING = 1e-6
"""By how much a server's single precision may put a log-probability above 0."""


class _Signal(Rule):
    """The root of these: subclasses measure a sample whose tokens all have log-probabilities that are numbers."""

    longest_reason: ClassVar[float] = SHORT_REASON
    logprobs: ClassVar[int]

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """The measure of the sample's tokens, or an abstention that says why."""
        missing = self.missing(candidate.sample)
        if missing is not None:
            return Score(value=None, reason=missing)
        return self._measured(candidate.sample, candidate.sample.logprobs or ())

    def missing(self, sample: Sample) -> str | None:
        """Why `sample` cannot be measured; None where it can."""
        tokens = sample.logprobs
        if tokens is None:
            return f"no log-probabilities: draw the samples with logprobs={self.logprobs}"
        if not tokens:
            return "no tokens"
        if not all(token.logprob <= ROUNDING for token in tokens):  # NaN is not, either
            return "a log-probability is not a number of at most 0"
        if self.logprobs and None in token_confidences(tokens):
            return f"a token without top log-probabilities: ask for {self.logprobs}"
        return None

    def _measured(self, sample: Sample, tokens: Sequence[TokenLogprob]) -> Score:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Perplexity(_Signal):
    """One over the text's perplexity: exp(mean of log p(token)) in [0, 1], the geometric mean of its tokens' chances.

    Perplexity is exp(-1/T * sum over T tokens of log p), at least 1 (Jelinek et al. 1977): the lower it is, the
    less the model was surprised by what it wrote.
    """

    name: ClassVar[str] = "perplexity"
    logprobs: ClassVar[int] = 0

    def _measured(self, sample: Sample, tokens: Sequence[TokenLogprob]) -> Score:
        mean = math.fsum(token.logprob for token in tokens) / len(tokens)
        try:
            perplexity = math.exp(-mean)
        except OverflowError:
            perplexity = math.inf
        return Score(value=min(1.0, math.exp(mean)), reason=f"perplexity {perplexity:.4g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCertainty(_Signal):
    """How far the model's next-token distributions were from uniform, on average: c / (1 + c) for c nats.

    c is the self-certainty of Kang, Zhao, Song 2025, arXiv 2502.18581, as `voting.self_certainties` computes it.

    Args:
        vocabulary: Tokens the model knows, at least 1; then c is a lower bound of the paper's figure, the probability
            left to the unreported ones being at least 6e-8, the rounding of single precision. None compares the
            reported probabilities among themselves, for samples with equally many of them.

    Raises:
        InvalidInputError: `vocabulary` is below 1.
    """

    name: ClassVar[str] = "self_certainty"
    logprobs: ClassVar[int] = TOP_LOGPROBS

    vocabulary: int | None = None

    def __post_init__(self) -> None:
        if self.vocabulary is not None and self.vocabulary < 1:
            raise InvalidInputError(f"vocabulary must be at least 1, not {self.vocabulary}")

    def _measured(self, sample: Sample, tokens: Sequence[TokenLogprob]) -> Score:
        most = max(len(token.top) for token in tokens)
        if self.vocabulary is not None and self.vocabulary < most:
            return Score(
                value=None, reason=f"{most} top log-probabilities of a vocabulary of {self.vocabulary}"
            )
        (certainty,) = self_certainties([sample], vocabulary=self.vocabulary)
        return Score(value=_squashed(certainty), reason=f"self-certainty {certainty:.4g} nats")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupConfidence(_Signal):
    """How sure the model was where it was least sure, over groups of neighbouring tokens: C / (1 + C) for C nats.

    The confidence of token i is C_i = -1/k * sum over its k most likely tokens j of log P_i(j); a group is a window
    of `window` tokens and its confidence their mean; a text shorter than the window is one group (DeepConf: Fu et
    al. 2025, arXiv 2508.15260, §3). C is, by `aggregation`:

    - `lowest`: the least of all groups';
    - `bottom`: the mean of the lowest `share` of the groups, at least of one;
    - `tail`: the mean of the last `window` tokens;
    - `mean`: the mean of all tokens.

    Args:
        window: Tokens in a group, at least 1.
        aggregation: As above.
        share: For `bottom`, in (0, 1].

    Raises:
        InvalidInputError: A parameter is out of range.
    """

    name: ClassVar[str] = "group_confidence"
    logprobs: ClassVar[int] = TOP_LOGPROBS

    window: int = 2048
    aggregation: GroupAggregation = "lowest"
    share: float = 0.1

    def __post_init__(self) -> None:
        if self.window < 1:
            raise InvalidInputError(f"window must be at least 1, not {self.window}")
        if self.aggregation not in get_args(GroupAggregation):
            known = ", ".join(get_args(GroupAggregation))
            raise InvalidInputError(f"aggregation must be one of {known}, not {self.aggregation!r}")
        if not 0.0 < self.share <= 1.0:
            raise InvalidInputError(f"share must be in (0, 1], not {self.share}")

    def _measured(self, sample: Sample, tokens: Sequence[TokenLogprob]) -> Score:
        confidence = self.confidence(sample) or 0.0
        return Score(value=_squashed(confidence), reason=f"group confidence {confidence:.4g} nats")

    def confidence(self, sample: Sample) -> float | None:
        """C of a sample, in nats; None where it has no tokens, or one without top log-probabilities."""
        found = token_confidences(sample.logprobs or ())
        known = [confidence for confidence in found if confidence is not None]
        if not known or len(known) < len(found):
            return None
        return trace_confidence(known, window=self.window, aggregation=self.aggregation, share=self.share)


def _squashed(nats: float) -> float:
    return nats / (1.0 + nats)
