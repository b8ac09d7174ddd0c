"""Search over partial solutions: which to go on with, decided synchronously from what has been found.

One tree, and one way to ask and tell, under every algorithm; strategies of the same names do the calls.
"""

from .adaptive_branching import AdaptiveBranching
from .base import Expansion, Search, Wanted
from .beam import Beam, Subtrees
from .best_first import BestFirst
from .breadth_first import BreadthFirst
from .depth_first import DepthFirst
from .particle_gibbs import ParticleSweeps
from .particles import Likelihood, Particles, Target
from .puct import AnswerMass, Puct
from .resampling import Resampling
from .tree import ROOT, Child, Tree

__all__ = [
    "ROOT",
    "AdaptiveBranching",
    "AnswerMass",
    "Beam",
    "BestFirst",
    "BreadthFirst",
    "Child",
    "DepthFirst",
    "Expansion",
    "Likelihood",
    "ParticleSweeps",
    "Particles",
    "Puct",
    "Resampling",
    "Search",
    "Subtrees",
    "Target",
    "Tree",
    "Wanted",
]
