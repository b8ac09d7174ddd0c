"""Verifiers: what judges candidates."""

from __future__ import annotations

from ..context import name_of
from .outcome_reward import OutcomeRewardModel
from .process_reward import ProcessRewardModel
from .rules import Equivalent, Predicate, Regex, Rule
from .words import RequiredWords

__all__ = [
    "REGISTRY",
    "Equivalent",
    "OutcomeRewardModel",
    "Predicate",
    "ProcessRewardModel",
    "Regex",
    "RequiredWords",
    "Rule",
    "name_of",
]

REGISTRY: dict[str, type] = {
    "equivalent": Equivalent,
    "outcome_reward_model": OutcomeRewardModel,
    "process_reward_model": ProcessRewardModel,
    "regex": Regex,
    "required_words": RequiredWords,
}
"""Verifiers by the key they have in program files; `Predicate` takes a function and is for Python only."""
