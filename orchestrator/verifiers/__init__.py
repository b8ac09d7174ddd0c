"""Verifiers: what judges candidates."""

from __future__ import annotations

from ..context import name_of
from .judge import Judge
from .pairwise_judge import PairwiseJudge
from .rules import Equivalent, Predicate, Regex, Rule
from .words import RequiredWords

__all__ = [
    "REGISTRY",
    "Equivalent",
    "Judge",
    "PairwiseJudge",
    "Predicate",
    "Regex",
    "RequiredWords",
    "Rule",
    "name_of",
]

REGISTRY: dict[str, type] = {
    "equivalent": Equivalent,
    "judge": Judge,
    "pairwise_judge": PairwiseJudge,
    "regex": Regex,
    "required_words": RequiredWords,
}
"""Verifiers by the key they have in program files; `Predicate` takes a function and is for Python only."""
