"""Equal answers are one answer: by key, by tolerance, by a predicate, by spelling, by meaning, by behaviour."""

from __future__ import annotations

from .behaviour import BehaviourClusters, PassMatrix
from .clusters import Clustering, Clusters, cluster
from .embeddings import AverageLinkClusters, Embedder, EmbeddingClusters
from .fuzzy import FuzzyClusters
from .linked import LinkedClusters, PredicateClusters
from .tolerance import ToleranceClusters

__all__ = [
    "AverageLinkClusters",
    "BehaviourClusters",
    "Clustering",
    "Clusters",
    "Embedder",
    "EmbeddingClusters",
    "FuzzyClusters",
    "LinkedClusters",
    "PassMatrix",
    "PredicateClusters",
    "ToleranceClusters",
    "cluster",
]
