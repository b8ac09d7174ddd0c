"""Named strategies: one file each, with its formula, paper and cost in calls."""

from .acceptance import Acceptance, Agreement, Confident, Scored
from .adaptive import Adaptive
from .base import Strategy
from .best_of_n import BestOfN
from .self_consistency import SelfConsistency
from .single import Single

__all__ = [
    "Acceptance",
    "Adaptive",
    "Agreement",
    "BestOfN",
    "Confident",
    "Scored",
    "SelfConsistency",
    "Single",
    "Strategy",
]
