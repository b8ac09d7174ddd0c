"""Verifiers: what judges candidates."""

from __future__ import annotations

from ..context import name_of
from .execution import Execution
from .rules import Equivalent, Predicate, Regex, Rule
from .words import RequiredWords

__all__ = ["REGISTRY", "Equivalent", "Execution", "Predicate", "Regex", "RequiredWords", "Rule", "name_of"]

REGISTRY: dict[str, type] = {
    "equivalent": Equivalent,
    "execution": Execution,
    "regex": Regex,
    "required_words": RequiredWords,
}
"""Verifiers by the key they have in program files; `Predicate` takes a function and is for Python only."""
