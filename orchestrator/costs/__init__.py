"""What a program costs at most, and where, before anything is spent.

Worst cases are sums over the calls a program can make, each with its prompt and its cap on the answer. What sampling
again after a failure costs is not in them, nor what a server writes beyond its cap: the ledger holds those to the
budget while the program runs. `Asked` says which models that can happen to.
"""

from ..expressions import Size
from .asked import Asked
from .cost import FREE, UNKNOWN, Cost, cost_of, limited
from .costing import Costing, costing_of
from .spending import Flow, Spending, added, counted, repeated, scaled, total, without_candidates

__all__ = [
    "FREE",
    "UNKNOWN",
    "Asked",
    "Cost",
    "Costing",
    "Flow",
    "Size",
    "Spending",
    "added",
    "cost_of",
    "costing_of",
    "counted",
    "limited",
    "repeated",
    "scaled",
    "total",
    "without_candidates",
]
