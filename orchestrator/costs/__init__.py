"""What a program costs at most, and where, before anything is spent.

Worst cases are sums over the calls a program can make, each with its prompt and its cap on the answer. What sampling
again after a failure costs is not in them, nor what a server writes beyond its cap: the ledger holds those to the
budget while the program runs.
"""

from ..expressions import Size
from .cost import FREE, UNKNOWN, Cost, limited
from .costing import Costing, costing_of
from .spending import Spending, added, counted, repeated, scaled, total, without_candidates

__all__ = [
    "FREE",
    "UNKNOWN",
    "Cost",
    "Costing",
    "Size",
    "Spending",
    "added",
    "costing_of",
    "counted",
    "limited",
    "repeated",
    "scaled",
    "total",
    "without_candidates",
]
