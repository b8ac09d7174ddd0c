"""How sure the model was while it wrote, read from the log-probabilities of its tokens: no further call.

Each verifier here abstains on a sample without log-probabilities; its `logprobs` is how many top ones per token its
samples are to be drawn with. What it measures in nats, x at least 0, becomes the score x / (1 + x): of the same
order, 1/2 at one nat, and x = score / (1 - score) gives the measure back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, Literal, TypeAlias, get_args

from ..errors import InvalidInputError
from ..types import TOP_LOGPROBS, Candidate, Problem, Sample, Score, TokenLogprob
from ..voting import self_certainties
from .rules import Rule

__all__ = ["GroupAggregation", "GroupConfidence", "Perplexity", "SelfCertainty", "group_confidences"]

ROUNDING = 1e-6
"""By how much a server's single precision may put a log-probability above 0."""

GroupAggregation: TypeAlias = Literal["lowest", "bottom", "tail", "mean"]
"""What a trace's group confidences become: see `GroupConfidence`."""


class _Signal(Rule):
    """The root of these: subclasses measure a sample whose tokens all have log-probabilities that are numbers."""

    logprobs: ClassVar[int]

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """The measure of the sample's tokens, or an abstention that says why."""
        tokens = candidate.sample.logprobs
        if tokens is None:
            return Score(
                value=None, reason=f"no log-probabilities: draw the samples with logprobs={self.logprobs}"
            )
        if not tokens:
            return Score(value=None, reason="no tokens")
        if not all(token.logprob <= ROUNDING for token in tokens):  # NaN is not, either
            return Score(value=None, reason="a log-probability is not a number of at most 0")
        if self.logprobs and not all(_usable(token) for token in tokens):
            return Score(value=None, reason=f"a token without top log-probabilities: ask for {self.logprobs}")
        return self._measured(candidate.sample, tokens)

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
        confidence = self._aggregated([_confidence(token) for token in tokens])
        return Score(value=_squashed(confidence), reason=f"group confidence {confidence:.4g} nats")

    def _aggregated(self, confidences: list[float]) -> float:
        match self.aggregation:
            case "mean":
                return _mean(confidences)
            case "tail":
                return _mean(confidences[-self.window :])
            case "lowest":
                return min(group_confidences(confidences, window=self.window))
            case "bottom":
                groups = sorted(group_confidences(confidences, window=self.window))
                return _mean(groups[: max(1, math.floor(self.share * len(groups) + 1e-9))])


def group_confidences(confidences: Sequence[float], *, window: int) -> list[float]:
    """The means of all windows of `window` neighbours; of all `t` values when there are fewer.

    Returns:
        max(1, t - window + 1) means, from the first window to the last.
    """
    if len(confidences) <= window:
        return [_mean(confidences)]
    sums = [0.0, *accumulate(confidences)]
    return [(sums[end] - sums[end - window]) / window for end in range(window, len(sums))]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _confidence(token: TokenLogprob) -> float:
    """-1/k * sum of log P(j), probabilities reported as 0 left out."""
    known = [logprob for _, logprob in token.top if logprob != -math.inf]
    return max(0.0, -_mean(known))


def _usable(token: TokenLogprob) -> bool:
    """Whether it has a top log-probability that is not minus infinity, and all are at most 0 but for rounding."""
    known = [logprob for _, logprob in token.top if logprob != -math.inf]
    return bool(known) and all(logprob <= ROUNDING for logprob in known)


def _squashed(nats: float) -> float:
    return nats / (1.0 + nats)
