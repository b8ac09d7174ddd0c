"""What each sample's vote should weigh: by its likelihood, the model's certainty, its length, a verifier's score.

Each function gives one weight a sample, at least 0, for `weighted_vote(answers, weights)`; only their ratios
matter. `log_likelihoods` gives natural logarithms, for `weighted_vote(answers, log_weights=...)`. A sample of
no tokens has weight 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..errors import InvalidInputError
from ..types import Candidate, Sample, TokenLogprob
from .ballots import checked_numbers

__all__ = [
    "length_penalty_weights",
    "log_likelihoods",
    "log_probability_weights",
    "rank_weights",
    "score_weights",
    "self_certainties",
    "self_certainty_weights",
]

_SINGLE_ROUNDING = 2.0**-24
"""What single precision, in which models compute their log-probabilities, can tell from 1. A smaller rest is noise
of rounding, and its logarithm, counted once for each unreported token, would make up most of a certainty."""


def log_probability_weights(samples: Sequence[Sample]) -> list[float]:
    """exp(1/T * sum of log p(token)) over a sample's T tokens: its probability, normalised by length.

    The "normalized weighted sum" of Wang et al. 2022, arXiv 2203.11171, §2. In [0, 1].

    Raises:
        InvalidInputError: a sample has no log-probabilities, or one that is not a number.
    """
    totals = _log_probabilities(samples)
    return [
        math.exp(total / len(sample.logprobs)) if sample.logprobs else 0.0
        for sample, total in zip(samples, totals, strict=True)
    ]


def log_likelihoods(samples: Sequence[Sample], *, length_penalty: float = 0.0) -> list[float]:
    """log p(y) / lp(y), natural, with the length penalty lp(y) = ((5 + T) / (5 + 1))^length_penalty.

    The penalty is that of Wu et al. 2016, arXiv 1609.08144, §7, for texts of T tokens; with 0 the vote weighs
    samples by their plain probability, which favours short ones.

    Args:
        samples: With log-probabilities.
        length_penalty: At least 0.

    Raises:
        InvalidInputError: `length_penalty` is negative or not finite, or as for `log_probability_weights`.
    """
    _check_power("length_penalty", length_penalty)
    totals = _log_probabilities(samples)
    return [
        total / ((5 + len(sample.logprobs)) / 6) ** length_penalty if sample.logprobs else -math.inf
        for sample, total in zip(samples, totals, strict=True)
    ]


def length_penalty_weights(samples: Sequence[Sample], *, length_penalty: float = 1.0) -> list[float]:
    """((5 + 1) / (5 + T))^length_penalty for a sample of T tokens: one over the penalty of `log_likelihoods`.

    T is the number of log-probabilities where the sample has them, else its completion tokens. A sample cut
    off by its token cap is as long as it got.

    Raises:
        InvalidInputError: `length_penalty` is negative or not finite.
    """
    _check_power("length_penalty", length_penalty)
    lengths = [
        sample.usage.completion_tokens if sample.logprobs is None else len(sample.logprobs)
        for sample in samples
    ]
    return [(6 / (5 + length)) ** length_penalty if length else 0.0 for length in lengths]


def self_certainties(samples: Sequence[Sample], *, vocabulary: int | None = None) -> list[float]:
    """How far the model's next-token distributions are from uniform, on average over a sample's tokens.

    Self-certainty is the mean over tokens i of KL(U || p_i) = -1/V * sum over all V tokens j of
    log(V * p_i(j)) (Kang, Zhao, Song 2025, arXiv 2502.18581). Endpoints report only the top k of V
    probabilities. With `vocabulary` = V the rest of the probability is taken to be spread evenly over the
    other V - k tokens, which makes the result a lower bound; a rest below 6e-8 is taken to be 6e-8, since
    probabilities in single precision do not tell a smaller one from 0. Without it the sum is over the k reported ones
    alone, with k in place of V: the same order as the mean of -1/k * sum of log p_i(j) as long as k is the
    same for all.

    Args:
        samples: With top log-probabilities (`Request.logprobs` of 1 or more). Reported probabilities of 0 are
            left out.
        vocabulary: V, the number of tokens the model knows, or None.

    Returns:
        One figure a sample in nats, at least 0; 0 for a sample of no tokens.

    Raises:
        InvalidInputError: a token has no top log-probabilities, one that is not a number, or more of them
            than `vocabulary`.
    """
    return [
        math.fsum(_certainty(token, number, vocabulary) for token in tokens) / max(1, len(tokens))
        for number, tokens in enumerate(_tokens(samples))
    ]


def self_certainty_weights(
    samples: Sequence[Sample], *, power: float = 1.0, vocabulary: int | None = None
) -> list[float]:
    """Borda voting by self-certainty: (n - r + 1)^power for the sample at rank r by `self_certainties`.

    Kang et al. 2025, arXiv 2502.18581; their power depends on n. See `rank_weights`.
    """
    return rank_weights(self_certainties(samples, vocabulary=vocabulary), power=power)


def rank_weights(scores: Sequence[float], *, power: float = 1.0) -> list[float]:
    """(n - r + 1)^power for the r-th best of n scores; equal scores share the mean of their ranks.

    Uses only the order of the scores, so that any scale will do. Power 0 is a majority vote; the larger the
    power, the more the best sample decides alone.

    Raises:
        InvalidInputError: a score is not a number, or `power` is negative, not finite, or so large that a weight
            would be.
    """
    _check_power("power", power)
    if power * math.log(max(1, len(scores))) > 700:
        raise InvalidInputError(f"power must leave {len(scores)}^power a finite number, not {power}")
    for number, score in enumerate(checked_numbers("score", scores)):
        if math.isnan(score):
            raise InvalidInputError(f"the score of sample {number} is not a number")
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for place, score in enumerate(sorted(scores), start=1):  # n - r + 1 counts from the worst
        first.setdefault(score, place)
        last[score] = place
    return [float(((first[score] + last[score]) / 2) ** power) for score in scores]


def score_weights(candidates: Sequence[Candidate], *, verifier: str | None = None) -> list[float]:
    """Each candidate's score in [0, 1] by a verifier; 0 where it abstained or was not asked.

    Args:
        candidates: As a strategy returns them.
        verifier: The name its scores go by; None where the candidates have scores of one verifier only.

    Raises:
        InvalidInputError: no candidate has a score of that name, or `verifier` is None and there are several.
    """
    names = sorted({name for candidate in candidates for name in candidate.scores})
    if verifier is None:
        if len(names) > 1:
            raise InvalidInputError(f"say which verifier's scores are meant: {', '.join(names)}")
        verifier = names[0] if names else ""
    if candidates and verifier not in names:
        raise InvalidInputError(
            f"no candidate has a score by {verifier!r}; there are: {', '.join(names) or 'none'}"
        )
    scores = [candidate.scores.get(verifier) for candidate in candidates]
    return [0.0 if score is None or score.value is None else score.value for score in scores]


def _tokens(samples: Sequence[Sample]) -> list[tuple[TokenLogprob, ...]]:
    for number, sample in enumerate(samples):
        if sample.logprobs is None:
            raise InvalidInputError(
                f"sample {number} has no log-probabilities: ask for them with logprobs=0, or 20 for the top 20"
            )
    return [sample.logprobs or () for sample in samples]


def _log_probabilities(samples: Sequence[Sample]) -> list[float]:
    """The log-probability of each text, 0 for one of no tokens."""
    totals = [math.fsum(token.logprob for token in tokens) for tokens in _tokens(samples)]
    for number, total in enumerate(totals):
        if math.isnan(total) or total == math.inf:
            raise InvalidInputError(f"the log-probabilities of sample {number} add up to {total}")
    return totals


def _certainty(token: TokenLogprob, sample: int, vocabulary: int | None) -> float:
    """KL(U || p) of one token's distribution, as far as it was reported."""
    known = [logprob for _, logprob in token.top if logprob != -math.inf]
    if not known or not all(map(math.isfinite, known)):
        raise InvalidInputError(
            f"token {token.token!r} of sample {sample} needs finite top log-probabilities: "
            "ask for them with logprobs=20"
        )
    if vocabulary is None or vocabulary == len(known):
        return max(0.0, -math.fsum(known) / len(known) - math.log(len(known)))
    others = vocabulary - len(known)
    if others < 0:
        raise InvalidInputError(f"{len(known)} top log-probabilities of a vocabulary of {vocabulary}")
    rest = max(1.0 - math.fsum(map(math.exp, known)), _SINGLE_ROUNDING)
    tail = others * math.log(rest / others)
    return max(0.0, -(math.fsum(known) + tail) / vocabulary - math.log(vocabulary))


def _check_power(name: str, value: float) -> None:
    if not 0.0 <= value < math.inf:
        raise InvalidInputError(f"{name} must be finite and at least 0, not {value}")
