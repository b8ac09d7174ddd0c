"""Named strategies: one file each, with its formula, paper and cost in calls."""

from .acceptance import Acceptance, Agreement, Confident, Scored
from .adaptive import Adaptive
from .base import Strategy
from .best_of_n import BestOfN
from .cascade import Cascade, Tier
from .debate import Debate
from .fusion import Fusion
from .router import FunctionScorer, PromptLength, Router, Scorer
from .self_consistency import SelfConsistency
from .single import Single

__all__ = [
    "Acceptance",
    "Adaptive",
    "Agreement",
    "BestOfN",
    "Cascade",
    "Confident",
    "Debate",
    "FunctionScorer",
    "Fusion",
    "PromptLength",
    "Router",
    "Scored",
    "Scorer",
    "SelfConsistency",
    "Single",
    "Strategy",
    "Tier",
]
