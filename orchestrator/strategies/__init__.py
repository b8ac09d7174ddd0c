"""Named strategies: one file each, with its formula, paper and cost in calls."""

from .best_of_n import BestOfN
from .self_consistency import SelfConsistency
from .single import Single

__all__ = ["BestOfN", "SelfConsistency", "Single"]
