"""Verifiers: what judges candidates."""

from __future__ import annotations

from ..context import name_of
from .execution import Execution
from .generated_tests import GeneratedTests
from .rules import Equivalent, Predicate, Regex, Rule
from .words import RequiredWords

__all__ = [
    "REGISTRY",
    "Equivalent",
    "Execution",
    "GeneratedTests",
    "Predicate",
    "Regex",
    "RequiredWords",
    "Rule",
    "name_of",
]

REGISTRY: dict[str, type] = {
    "equivalent": Equivalent,
    "execution": Execution,
    "generated_tests": GeneratedTests,
    "regex": Regex,
    "required_words": RequiredWords,
}
"""Verifiers by the key they have in program files; `Predicate` takes a function and is for Python only."""
