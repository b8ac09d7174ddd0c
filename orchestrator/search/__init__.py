"""Search over partial solutions: which to go on with, decided synchronously from what has been found.

One tree, and one way to ask and tell, under every algorithm; strategies of the same names do the calls.
"""

from .base import Expansion, Search, Wanted
from .particle_gibbs import ParticleSweeps
from .particles import Likelihood, Particles, Target
from .resampling import Resampling
from .tree import ROOT, Child, Tree

__all__ = [
    "ROOT",
    "Child",
    "Expansion",
    "Likelihood",
    "ParticleSweeps",
    "Particles",
    "Resampling",
    "Search",
    "Target",
    "Tree",
    "Wanted",
]
