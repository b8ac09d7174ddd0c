"""Verifiers: what judges candidates."""

from __future__ import annotations

from ..context import name_of
from .arithmetic import ArithmeticTarget
from .composite import Composite
from .consistency import Consistency
from .constraints import ForbiddenWords, WordCount
from .correctness import CorrectnessModel, Graded
from .json_schema import JsonSchema
from .learned import Learned
from .logprobs import GroupConfidence, Perplexity, SelfCertainty
from .rules import Equivalent, Predicate, Regex, Rule
from .stated import StatedConfidence, stated_confidence
from .words import RequiredWords

__all__ = [
    "REGISTRY",
    "ArithmeticTarget",
    "Composite",
    "Consistency",
    "CorrectnessModel",
    "Equivalent",
    "ForbiddenWords",
    "Graded",
    "GroupConfidence",
    "JsonSchema",
    "Learned",
    "Perplexity",
    "Predicate",
    "Regex",
    "RequiredWords",
    "Rule",
    "SelfCertainty",
    "StatedConfidence",
    "WordCount",
    "name_of",
    "stated_confidence",
]

REGISTRY: dict[str, type] = {
    "arithmetic_target": ArithmeticTarget,
    "composite": Composite,
    "consistency": Consistency,
    "equivalent": Equivalent,
    "forbidden_words": ForbiddenWords,
    "group_confidence": GroupConfidence,
    "json_schema": JsonSchema,
    "learned": Learned,
    "perplexity": Perplexity,
    "regex": Regex,
    "required_words": RequiredWords,
    "self_certainty": SelfCertainty,
    "stated_confidence": StatedConfidence,
    "word_count": WordCount,
}
"""Verifiers by the key they have in program files; `Predicate` takes a function and is for Python only."""
