"""Texts into answers: read the final answer, give it a canonical key, group equal ones."""

from __future__ import annotations

from ..types import Answer
from .behaviour import BehaviourClusters, PassMatrix
from .cluster import Clustering, Clusters, cluster
from .embeddings import AverageLinkClusters, Embedder, EmbeddingClusters
from .equivalence import equivalent
from .extract import AnswerReader, extract
from .fuzzy import FuzzyClusters
from .linked import LinkedClusters, PredicateClusters
from .normalize import KINDS, Kind, normalize
from .second_opinion import MathVerify, math_verify_equal
from .tolerance import ToleranceClusters

__all__ = [
    "KINDS",
    "Answer",
    "AnswerReader",
    "AverageLinkClusters",
    "BehaviourClusters",
    "Clustering",
    "Clusters",
    "Embedder",
    "EmbeddingClusters",
    "FuzzyClusters",
    "Kind",
    "LinkedClusters",
    "MathVerify",
    "PassMatrix",
    "PredicateClusters",
    "ToleranceClusters",
    "cluster",
    "equivalent",
    "extract",
    "math_verify_equal",
    "normalize",
]
