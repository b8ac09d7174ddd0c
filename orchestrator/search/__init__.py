"""Search over partial solutions: which to go on with, decided synchronously from what has been found.

One tree, and one way to ask and tell, under every algorithm; strategies of the same names do the calls.
"""

from .base import Expansion, Search, Wanted
from .breadth_first import BreadthFirst
from .depth_first import DepthFirst
from .tree import ROOT, Child, Tree

__all__ = ["ROOT", "BreadthFirst", "Child", "DepthFirst", "Expansion", "Search", "Tree", "Wanted"]
