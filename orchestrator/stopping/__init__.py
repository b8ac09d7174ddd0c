"""When to stop sampling: synchronous decisions over a tally of votes, made natively.

A rule only says whether what has been seen suffices. It never waits, samples or cancels; whoever samples
asks it after each sample. The answer of a stopped vote stays the plurality of everything seen, ties to the
first seen. Rules combine: `BetaStop() | WindowStop(size=5)`, `MajorityStop() & After(n=8, rule=BetaStop())`.
"""

from .._core import Tally
from .agreement import AgreementStop
from .combined import After, AllOf, AnyOf
from .counts import EntropyStop, FixedSize, LeadStop, MajorityStop, ScoreStop
from .learned import LearnedStop
from .order import ConvergenceStop, WindowStop
from .posterior import BetaStop, DirichletStop, ValueOfSample
from .rule import Stop, StoppingRule

__all__ = [
    "After",
    "AgreementStop",
    "AllOf",
    "AnyOf",
    "BetaStop",
    "ConvergenceStop",
    "DirichletStop",
    "EntropyStop",
    "FixedSize",
    "LeadStop",
    "LearnedStop",
    "MajorityStop",
    "ScoreStop",
    "Stop",
    "StoppingRule",
    "Tally",
    "ValueOfSample",
    "WindowStop",
]
