"""Named strategies: one file each, with its formula, paper and cost in calls."""

from .self_consistency import SelfConsistency
from .single import Single

__all__ = ["SelfConsistency", "Single"]
