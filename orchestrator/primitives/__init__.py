"""The steps that control programs are composed of, where no named strategy fits."""

from collections.abc import Mapping
from types import MappingProxyType

from .base import Fault, Primitive
from .critique import Critique
from .let import Let, Set
from .returning import Fail, Return
from .revise import Revise
from .run import Run
from .sample import Sample
from .score import Score
from .select import Select
from .split import Split
from .steps import Steps
from .text import Text
from .vote import Vote

__all__ = [
    "PRIMITIVES",
    "Critique",
    "Fail",
    "Fault",
    "Let",
    "Primitive",
    "Return",
    "Revise",
    "Run",
    "Sample",
    "Score",
    "Select",
    "Set",
    "Split",
    "Steps",
    "Text",
    "Vote",
]

PRIMITIVES: Mapping[str, type[Primitive]] = MappingProxyType(
    {
        step.key: step
        for step in (
            Critique,
            Fail,
            Let,
            Return,
            Revise,
            Run,
            Sample,
            Score,
            Select,
            Set,
            Split,
            Text,
            Vote,
        )
    }
)
"""The steps by the key they have in program files."""
