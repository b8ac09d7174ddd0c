"""Texts into answers: read the final answer, give it a canonical key, group equal ones."""

from __future__ import annotations

from ..types import Answer
from .cluster import Clusters, cluster
from .equivalence import equivalent
from .extract import AnswerReader, extract
from .normalize import KINDS, Kind, normalize

__all__ = [
    "KINDS",
    "Answer",
    "AnswerReader",
    "Clusters",
    "Kind",
    "cluster",
    "equivalent",
    "extract",
    "normalize",
]
