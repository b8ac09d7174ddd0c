"""Verifiers: what judges candidates."""

from __future__ import annotations

from ..context import name_of
from .rules import Equivalent, Predicate, Regex, Rule
from .words import RequiredWords

__all__ = ["REGISTRY", "Equivalent", "Predicate", "Regex", "RequiredWords", "Rule", "name_of"]

REGISTRY: dict[str, type] = {
    "equivalent": Equivalent,
    "regex": Regex,
    "required_words": RequiredWords,
}
"""Verifiers by the key they have in program files; `Predicate` takes a function and is for Python only."""
