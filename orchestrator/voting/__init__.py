"""Samples into one answer: plurality, weighted, by levels, by the scores of clusters; and what votes weigh."""

from __future__ import annotations

from .hierarchy import HierarchicalVote, hierarchical_vote, tool_call_vote
from .vote import (
    Aggregate,
    Calibration,
    Vote,
    best_of_clusters,
    majority_vote,
    weighted_vote,
)
from .weighting import LengthPenalty, LogProbability, SelfCertaintyRank, Weighting
from .weights import (
    length_penalty_weights,
    log_likelihoods,
    log_probability_weights,
    rank_weights,
    score_weights,
    self_certainties,
    self_certainty_weights,
)

__all__ = [
    "Aggregate",
    "Calibration",
    "HierarchicalVote",
    "LengthPenalty",
    "LogProbability",
    "SelfCertaintyRank",
    "Vote",
    "Weighting",
    "best_of_clusters",
    "hierarchical_vote",
    "length_penalty_weights",
    "log_likelihoods",
    "log_probability_weights",
    "majority_vote",
    "rank_weights",
    "score_weights",
    "self_certainties",
    "self_certainty_weights",
    "tool_call_vote",
    "weighted_vote",
]
