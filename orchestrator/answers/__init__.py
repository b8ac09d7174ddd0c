"""Texts into answers: read the final answer, give it a canonical key, group equal ones."""

from __future__ import annotations

from ..types import Answer
from .clustering import (
    AverageLinkClusters,
    BehaviourClusters,
    Clustering,
    Clusters,
    Embedder,
    EmbeddingClusters,
    FuzzyClusters,
    LinkedClusters,
    PassMatrix,
    PredicateClusters,
    ToleranceClusters,
    cluster,
)
from .equivalence import Comparison, Equivalence, Reading, equivalent, explain
from .extract import AnswerReader, extract
from .normalize import KINDS, Kind, PercentRule, UnitRule, kinds, normalize
from .own_kinds import AnswerKind
from .second_opinion import MathVerify, math_verify_equal

__all__ = [
    "KINDS",
    "Answer",
    "AnswerKind",
    "AnswerReader",
    "AverageLinkClusters",
    "BehaviourClusters",
    "Clustering",
    "Clusters",
    "Comparison",
    "Embedder",
    "EmbeddingClusters",
    "Equivalence",
    "FuzzyClusters",
    "Kind",
    "LinkedClusters",
    "MathVerify",
    "PassMatrix",
    "PercentRule",
    "PredicateClusters",
    "Reading",
    "ToleranceClusters",
    "UnitRule",
    "cluster",
    "equivalent",
    "explain",
    "extract",
    "kinds",
    "math_verify_equal",
    "normalize",
]
