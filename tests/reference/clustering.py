"""Clusters by their definitions: transitive closures and joins tried one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def numbered(groups: Sequence[int]) -> list[int]:
    """Group names as numbers from 0 in first-seen order."""
    seen: dict[int, int] = {}
    return [seen.setdefault(group, len(seen)) for group in groups]


def transitive_closure(items: Sequence[T], equal: Callable[[T, T], bool]) -> list[int]:
    """First-seen numbers of the classes of the closure of `equal`, by Warshall's algorithm."""
    n = range(len(items))
    together = [[i == j or equal(items[i], items[j]) or equal(items[j], items[i]) for j in n] for i in n]
    for k in n:
        for i in n:
            for j in n:
                together[i][j] = together[i][j] or (together[i][k] and together[k][j])
    return numbered([row.index(True) for row in together])


def average_link(similarity: Sequence[Sequence[float]], threshold: float) -> list[int]:
    """First-seen numbers of clusters: join the pair with the largest mean similarity while it is high enough."""
    clusters = [[item] for item in range(len(similarity))]

    def mean(a: list[int], b: list[int]) -> float:
        return sum(similarity[i][j] for i in a for j in b) / (len(a) * len(b))

    while len(clusters) > 1:
        best, i, j = max(
            (mean(clusters[i], clusters[j]), i, j) for i in range(len(clusters)) for j in range(i)
        )
        if best < threshold:
            break
        clusters[j] += clusters.pop(i)
    home = {item: number for number, cluster in enumerate(clusters) for item in cluster}
    return numbered([home[item] for item in range(len(similarity))])
