"""Control programs over language models, under a budget that cannot be overspent.

Names are loaded when first used, so that importing the package is quick.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        answers,
        backends,
        budget,
        errors,
        events,
        monitors,
        primitives,
        ranking,
        sandbox,
        scaling,
        stopping,
        strategies,
        verifiers,
        voting,
    )
    from .backends import Model
    from .budget import Budget, Ledger
    from .context import Context
    from .contracts import ControlProgram
    from .errors import OrchestratorError
    from .primitives import Steps
    from .programs import dump, load, loads
    from .prompts import Prompt
    from .runtime import Controller, run_sync
    from .strategies import BestOfN, Cascade, SelfConsistency, Single, Tier
    from .types import Answer, Candidate, Outcome, Problem, Request, Sample, Score, StopReason, Usage
    from .version import __version__

if (
    find_spec(f"{__name__}._core") is None
):  # Python was started in a clone, whose folder hides what is installed
    raise ImportError(
        f"{__path__[0]} is the source tree, without its compiled part: start Python in another directory, where "
        "the installed package is found, or run `pip install -e .`"
    )

_HOME = {
    "ABMCTS": "strategies",
    "Adaptive": "strategies",
    "Answer": "types",
    "BeamSearch": "strategies",
    "BestFirstSearch": "strategies",
    "AnswerProbe": "strategies",
    "BestOfN": "strategies",
    "Budget": "budget",
    "BudgetForcing": "strategies",
    "Candidate": "types",
    "Cascade": "strategies",
    "ConfidenceStop": "strategies",
    "Context": "context",
    "ControlProgram": "contracts",
    "Controller": "runtime",
    "CritiqueRevise": "strategies",
    "Debate": "strategies",
    "DiverseVerifierTreeSearch": "strategies",
    "Fusion": "strategies",
    "Ledger": "budget",
    "MCTS": "strategies",
    "Model": "backends",
    "OrchestratorError": "errors",
    "Outcome": "types",
    "ParallelRevise": "strategies",
    "ParticleFilter": "strategies",
    "ParticleGibbs": "strategies",
    "Problem": "types",
    "Prompt": "prompts",
    "Request": "types",
    "Revise": "strategies",
    "Router": "strategies",
    "Sample": "types",
    "Score": "types",
    "SelfConsistency": "strategies",
    "Single": "strategies",
    "Steps": "primitives",
    "StopReason": "types",
    "TestAndRepair": "strategies",
    "Tier": "strategies",
    "Trace": "traces",
    "TreeOfThoughts": "strategies",
    "Usage": "types",
    "__version__": "version",
    "dump": "programs",
    "load": "programs",
    "loads": "programs",
    "run_sync": "runtime",
}
_MODULES = (
    "answers",
    "backends",
    "budget",
    "errors",
    "events",
    "monitors",
    "primitives",
    "ranking",
    "sandbox",
    "scaling",
    "stopping",
    "strategies",
    "verifiers",
    "voting",
)

__all__ = [
    "ABMCTS",
    "MCTS",
    "Adaptive",
    "Answer",
    "AnswerProbe",
    "BeamSearch",
    "BestFirstSearch",
    "BestOfN",
    "Budget",
    "BudgetForcing",
    "Candidate",
    "Cascade",
    "ConfidenceStop",
    "Context",
    "ControlProgram",
    "Controller",
    "CritiqueRevise",
    "Debate",
    "DiverseVerifierTreeSearch",
    "Fusion",
    "Ledger",
    "Model",
    "OrchestratorError",
    "Outcome",
    "ParallelRevise",
    "ParticleFilter",
    "ParticleGibbs",
    "Problem",
    "Prompt",
    "Request",
    "Revise",
    "Router",
    "Sample",
    "Score",
    "SelfConsistency",
    "Single",
    "Steps",
    "StopReason",
    "TestAndRepair",
    "Tier",
    "Trace",
    "TreeOfThoughts",
    "Usage",
    "__version__",
    "answers",
    "backends",
    "budget",
    "dump",
    "errors",
    "events",
    "load",
    "loads",
    "monitors",
    "primitives",
    "ranking",
    "run_sync",
    "sandbox",
    "scaling",
    "stopping",
    "strategies",
    "verifiers",
    "voting",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    elif name in _MODULES:
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
