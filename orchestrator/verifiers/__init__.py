"""Verifiers: what judges candidates."""

from __future__ import annotations

from ..context import name_of
from .arithmetic import ArithmeticTarget
from .composite import Composite
from .consistency import Consistency
from .constraints import ForbiddenWords, WordCount
from .correctness import CorrectnessModel, Graded
from .execution import Execution
from .generated_tests import GeneratedTests
from .json_schema import JsonSchema
from .judge import Judge
from .learned import Learned
from .logprobs import GroupConfidence, Perplexity, SelfCertainty
from .outcome_reward import OutcomeRewardModel
from .pairwise_judge import PairwiseJudge
from .process_reward import ProcessRewardModel
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
    "Execution",
    "ForbiddenWords",
    "GeneratedTests",
    "Graded",
    "GroupConfidence",
    "JsonSchema",
    "Judge",
    "Learned",
    "OutcomeRewardModel",
    "PairwiseJudge",
    "Perplexity",
    "Predicate",
    "ProcessRewardModel",
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
    "judge": Judge,
    "pairwise_judge": PairwiseJudge,
    "outcome_reward_model": OutcomeRewardModel,
    "process_reward_model": ProcessRewardModel,
    "execution": Execution,
    "generated_tests": GeneratedTests,
    "regex": Regex,
    "required_words": RequiredWords,
    "self_certainty": SelfCertainty,
    "stated_confidence": StatedConfidence,
    "word_count": WordCount,
}
"""Verifiers by the key they have in program files; `Predicate` takes a function and is for Python only."""
