"""Verifiers: what judges candidates."""

from __future__ import annotations

from ..contracts import name_of
from .arithmetic import ArithmeticTarget
from .arithmetic_reachable import ArithmeticReachable
from .composite import Composite
from .consistency import Consistency
from .constraints import ForbiddenWords, WordCount
from .correctness import CorrectnessModel, Graded
from .execution import Execution
from .free import Free
from .generated_tests import Executor, GeneratedTests, RecordedPasses, SandboxExecutor
from .json_schema import JsonSchema
from .judge import Judge
from .learned import Learned
from .logprobs import GroupConfidence, Perplexity, SelfCertainty
from .outcome_reward import OutcomeRewardModel
from .pairwise_judge import PairwiseJudge
from .process_reward import ProcessRewardModel
from .rules import Equivalent, Predicate, Regex, Rule
from .screen import Screen
from .state_value import StateValue
from .state_vote import StateVote
from .stated import StatedConfidence, stated_confidence
from .words import RequiredWords

__all__ = [
    "REGISTRY",
    "ArithmeticReachable",
    "ArithmeticTarget",
    "Composite",
    "Consistency",
    "CorrectnessModel",
    "Equivalent",
    "Execution",
    "Executor",
    "ForbiddenWords",
    "Free",
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
    "RecordedPasses",
    "Regex",
    "RequiredWords",
    "Rule",
    "SandboxExecutor",
    "Screen",
    "SelfCertainty",
    "StateValue",
    "StateVote",
    "StatedConfidence",
    "WordCount",
    "name_of",
    "stated_confidence",
]

REGISTRY: dict[str, type] = {
    one.name: one
    for one in (
        ArithmeticReachable,
        ArithmeticTarget,
        Composite,
        Consistency,
        Equivalent,
        Execution,
        ForbiddenWords,
        GeneratedTests,
        GroupConfidence,
        JsonSchema,
        Judge,
        Learned,
        OutcomeRewardModel,
        PairwiseJudge,
        Perplexity,
        ProcessRewardModel,
        Regex,
        RequiredWords,
        Screen,
        SelfCertainty,
        StateValue,
        StateVote,
        StatedConfidence,
        WordCount,
    )
}
"""Verifiers by the key they have in program files; `Predicate` takes a function and is for Python only."""
