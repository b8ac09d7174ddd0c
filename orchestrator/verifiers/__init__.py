"""Verifiers: what judges candidates."""

from __future__ import annotations

from ..context import Verifier
from .arithmetic import ArithmeticTarget
from .constraints import ForbiddenWords, WordCount
from .json_schema import JsonSchema
from .rules import Equivalent, Predicate, Regex, Rule
from .words import RequiredWords

__all__ = [
    "REGISTRY",
    "ArithmeticTarget",
    "Equivalent",
    "ForbiddenWords",
    "JsonSchema",
    "Predicate",
    "Regex",
    "RequiredWords",
    "Rule",
    "WordCount",
    "name_of",
]

REGISTRY: dict[str, type] = {
    "arithmetic_target": ArithmeticTarget,
    "equivalent": Equivalent,
    "forbidden_words": ForbiddenWords,
    "json_schema": JsonSchema,
    "regex": Regex,
    "required_words": RequiredWords,
    "word_count": WordCount,
}
"""Verifiers by the key they have in program files; `Predicate` takes a function and is for Python only."""


def name_of(verifier: Verifier) -> str:
    """The name scores by `verifier` are kept under."""
    name = getattr(verifier, "name", None)
    return name if isinstance(name, str) else type(verifier).__name__
