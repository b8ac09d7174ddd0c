"""How sure a model was while it wrote, token by token and by groups of neighbouring tokens.

The confidence of token i is C_i = -1/k * sum over its k most likely tokens j of log P_i(j), in nats; a group is a
window of tokens and its confidence their mean; a text shorter than the window is one group (DeepConf: Fu et al. 2025,
arXiv 2508.15260, §3.1). The surer the model is of one token, the less likely are the others of the k, and the higher
is C_i; it is least, log k, where the k are equally likely and nothing else is possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from . import _core
from ._core import GroupConfidence, group_confidences
from .types import TokenLogprob

__all__ = [
    "GroupAggregation",
    "GroupConfidence",
    "group_confidences",
    "token_confidences",
    "trace_confidence",
]

GroupAggregation: TypeAlias = Literal["lowest", "bottom", "tail", "mean"]
"""What a text's group confidences become: see `trace_confidence`."""


def token_confidences(tokens: Iterable[TokenLogprob]) -> list[float | None]:
    """C_i of each token, at least 0; probabilities reported as 0 are left out.

    None for a token without any other, or with a number that is no log-probability (above 0 by more than 1e-6, for
    servers that compute in single precision).
    """
    return _core.token_confidences([[logprob for _, logprob in token.top] for token in tokens])


def trace_confidence(
    confidences: Sequence[float],
    *,
    window: int,
    aggregation: GroupAggregation = "lowest",
    share: float = 0.1,
) -> float:
    """One figure for a text, in nats, from its tokens' confidences.

    Args:
        confidences: Of `t` tokens, at least one.
        window: Tokens in a group, at least 1.
        aggregation: `lowest` is the least of all groups' confidences; `bottom` the mean of the lowest `share` of the
            groups, rounded down, at least of one; `tail` the last group's; `mean` the mean of all tokens.
        share: For `bottom`, in (0, 1].

    Raises:
        InvalidInputError: There are no confidences, one is negative or not finite, or `window` or `share` is out of
            range.
    """
    if aggregation == "bottom" or not confidences:
        return _core.bottom_confidence(confidences, window=window, share=share)
    groups = GroupConfidence(window=window)
    groups.feed(confidences)
    match aggregation:
        case "lowest":
            return groups.lowest
        case "tail":
            return groups.current
        case "mean":
            return groups.mean
