"""Named strategies: one file each, with its formula, paper and cost in calls."""

from .acceptance import Acceptance, Agreement, Confident, Scored
from .adaptive import Adaptive
from .answer_probe import AnswerProbe
from .base import Strategy
from .best_of_n import BestOfN
from .budget_forcing import BudgetForcing
from .cascade import Cascade, Tier
from .confidence_stop import ConfidenceStop
from .critique_revise import CritiqueRevise
from .debate import Debate
from .fusion import Fusion
from .parallel_revise import ParallelRevise
from .revise import Revise
from .router import FittedScorer, FunctionScorer, PromptLength, Router, Scorer
from .self_consistency import SelfConsistency
from .single import Single
from .test_and_repair import TestAndRepair

__all__ = [
    "Acceptance",
    "Adaptive",
    "Agreement",
    "AnswerProbe",
    "BestOfN",
    "BudgetForcing",
    "Cascade",
    "ConfidenceStop",
    "Confident",
    "CritiqueRevise",
    "Debate",
    "FittedScorer",
    "FunctionScorer",
    "Fusion",
    "ParallelRevise",
    "PromptLength",
    "Revise",
    "Router",
    "Scored",
    "Scorer",
    "SelfConsistency",
    "Single",
    "Strategy",
    "TestAndRepair",
    "Tier",
]
