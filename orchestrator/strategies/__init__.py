"""Named strategies: one file each, with its formula, paper and cost in calls."""

from .acceptance import Acceptance, Agreement, Confident, Scored
from .adaptive import Adaptive
from .base import Strategy
from .beam_search import BeamSearch
from .best_first_search import BestFirstSearch
from .best_of_n import BestOfN
from .budget_forcing import BudgetForcing
from .cascade import Cascade, Tier
from .critique_revise import CritiqueRevise
from .debate import Debate
from .diverse_verifier_tree_search import DiverseVerifierTreeSearch
from .fusion import Fusion
from .mcts import MCTS
from .parallel_revise import ParallelRevise
from .particle_filter import ParticleFilter
from .particle_gibbs import ParticleGibbs
from .revise import Revise
from .router import FittedScorer, FunctionScorer, PromptLength, Router, Scorer
from .self_consistency import SelfConsistency
from .single import Single
from .steps import Step, StepGenerator
from .test_and_repair import TestAndRepair
from .tree_search import Growth, TreeSearch

__all__ = [
    "MCTS",
    "Acceptance",
    "Adaptive",
    "Agreement",
    "BeamSearch",
    "BestFirstSearch",
    "BestOfN",
    "BudgetForcing",
    "Cascade",
    "Confident",
    "CritiqueRevise",
    "Debate",
    "DiverseVerifierTreeSearch",
    "FittedScorer",
    "FunctionScorer",
    "Fusion",
    "Growth",
    "ParallelRevise",
    "ParticleFilter",
    "ParticleGibbs",
    "PromptLength",
    "Revise",
    "Router",
    "Scored",
    "Scorer",
    "SelfConsistency",
    "Single",
    "Step",
    "StepGenerator",
    "Strategy",
    "TestAndRepair",
    "Tier",
    "TreeSearch",
]
