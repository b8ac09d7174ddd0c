"""Figures of a candidate that tell something about whether it is right: what `Learned` learns from.

Each is known by its name and the version of its definition, so that a model fitted on one definition is never given
another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..answers import Clusters
from ..errors import InvalidInputError
from ..types import Candidate, Problem
from .consistency import agreement
from .logprobs import GroupConfidence, Perplexity, SelfCertainty
from .rules import Rule
from .stated import StatedConfidence

__all__ = ["FEATURES", "Feature", "feature_named"]

Measure: TypeAlias = Callable[[Sequence[Candidate]], list[float | None]]
"""The figure of each candidate, finite, or None where it has none."""

SCORE = "score:"
"""Before a verifier's name: its score of the candidate, as it stands in `Candidate.scores`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A figure by name.

    Attributes:
        name: What files call it.
        version: Of its definition, from 1; one that changes what is measured counts it up.
        measure: Computes it for the candidates of one problem.
        comparative: Whether it depends on the other candidates.
        logprobs: Top log-probabilities the samples must have; None for none.
    """

    name: str
    version: int
    measure: Measure
    comparative: bool = False
    logprobs: int | None = None


def feature_named(name: str) -> Feature:
    """The feature of that name: one of `FEATURES`, or `score:` and a verifier's name.

    Raises:
        InvalidInputError: There is none.
    """
    if name.startswith(SCORE) and len(name) > len(SCORE):
        verifier = name.removeprefix(SCORE)
        return Feature(
            name=name, version=1, measure=lambda given: [_score_by(verifier, one) for one in given]
        )
    if name not in FEATURES:
        known = ", ".join(FEATURES)
        raise InvalidInputError(f"no feature {name!r}; there are: {known}, and {SCORE}NAME of a verifier")
    return FEATURES[name]


def _score_by(verifier: str, candidate: Candidate) -> float | None:
    score = candidate.scores.get(verifier)
    return None if score is None else score.value


def _of_rule(rule: Rule) -> Measure:
    """A rule's score as a feature; these look at the sample only."""
    nothing = Problem(id="")
    return lambda candidates: [rule.judge(nothing, candidate).value for candidate in candidates]


def _consistency(candidates: Sequence[Candidate]) -> list[float | None]:
    return [score.value for score in agreement(candidates, Clusters())]


def _abstentions(candidates: Sequence[Candidate]) -> list[float | None]:
    share = sum(candidate.answer is None for candidate in candidates) / max(1, len(candidates))
    return [share] * len(candidates)


def _log_tokens(candidates: Sequence[Candidate]) -> list[float | None]:
    return [_log_length(candidate) for candidate in candidates]


def _log_length(candidate: Candidate) -> float | None:
    tokens = candidate.sample.usage.completion_tokens or len(candidate.sample.logprobs or ())
    return math.log1p(tokens) if tokens > 0 else None


def _truncated(candidates: Sequence[Candidate]) -> list[float | None]:
    return [float(candidate.sample.truncated) for candidate in candidates]


FEATURES: Mapping[str, Feature] = {
    one.name: one
    for one in (
        Feature(name="perplexity", version=1, measure=_of_rule(Perplexity()), logprobs=Perplexity.logprobs),
        Feature(
            name="self_certainty",
            version=1,
            measure=_of_rule(SelfCertainty()),
            logprobs=SelfCertainty.logprobs,
        ),
        Feature(
            name="group_confidence",
            version=1,
            measure=_of_rule(GroupConfidence()),
            logprobs=GroupConfidence.logprobs,
        ),
        Feature(name="stated_confidence", version=1, measure=_of_rule(StatedConfidence())),
        Feature(name="consistency", version=1, measure=_consistency, comparative=True),
        Feature(name="abstentions", version=1, measure=_abstentions, comparative=True),
        Feature(name="log_tokens", version=1, measure=_log_tokens),
        Feature(name="truncated", version=1, measure=_truncated),
    )
}
"""By name: the scores of the verifiers of the same names; the share of the problem's candidates that abstain; the
natural logarithm of 1 + the sample's completion tokens (of its log-probabilities, where it was charged for none); 1
for a sample its token cap ended, else 0."""
