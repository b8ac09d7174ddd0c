"""Program files: one control program each, with its models, budget, prompt and problems."""

from .loader import Program, load
from .problems import ProblemFile

__all__ = ["ProblemFile", "Program", "load"]
