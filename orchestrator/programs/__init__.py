"""Program files: one control program each, with its models, budget, prompt and problems."""

from .loader import Program, load, loads
from .problems import ProblemFile
from .writing import dump

__all__ = ["ProblemFile", "Program", "dump", "load", "loads"]
