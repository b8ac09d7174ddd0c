"""Agreement as a score: how many of the samples say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..answers import Clustering, Clusters
from ..context import Context
from ..types import Candidate, Problem, Score
from .free import SHORT_REASON, Free

__all__ = ["Consistency", "agreement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency(Free):
    """The share of the candidates whose answer equals the candidate's own; those that abstain agree with none.

    count(a) / n for a candidate with answer a among n candidates: self-consistency (Wang et al. 2022, arXiv
    2203.11171, §2) as a score. Comparative: it is about the candidates it is given together. A candidate without a
    readable answer is not scored, and counts in n.

    Args:
        by: Makes an empty clustering that says which answers are equal, for example `FuzzyClusters`; from Python
            only.
    """

    name: ClassVar[str] = "consistency"
    longest_reason: ClassVar[float] = SHORT_REASON
    comparative: ClassVar[bool] = True

    by: Callable[[], Clustering] = Clusters

    async def score(
        self, ctx: Context | None, problem: Problem, candidates: Sequence[Candidate], /
    ) -> list[Score]:
        """One score per candidate, in order."""
        return agreement(candidates, self.by())


def agreement(candidates: Sequence[Candidate], clusters: Clustering) -> list[Score]:
    """The share of `candidates` that agree with each of them, by a clustering that is empty yet."""
    for candidate in candidates:
        clusters.add(candidate.answer)
    sizes, n = clusters.sizes, len(candidates)
    return [
        Score(value=None, reason="no readable answer")
        if cluster is None
        else Score(value=sizes[cluster] / n, reason=f"{sizes[cluster]} of {n} agree")
        for cluster in clusters.ids
    ]
