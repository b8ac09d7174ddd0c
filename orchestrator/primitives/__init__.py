"""The steps that control programs are composed of, where no named strategy fits."""

from collections.abc import Mapping
from types import MappingProxyType

from .base import Primitive
from .branch import Branch
from .conditional import If
from .critique import Critique
from .for_each import ForEach
from .let import Let, Set
from .parallel import Parallel
from .repeat import Repeat
from .returning import Fail, Return
from .revise import Revise
from .run import Run
from .sample import Sample
from .scope import Fault
from .score import Score
from .select import Select
from .split import Split
from .steps import Steps
from .switch import Case, Switch
from .text import Text
from .vote import Vote

__all__ = [
    "PRIMITIVES",
    "Branch",
    "Case",
    "Critique",
    "Fail",
    "Fault",
    "ForEach",
    "If",
    "Let",
    "Parallel",
    "Primitive",
    "Repeat",
    "Return",
    "Revise",
    "Run",
    "Sample",
    "Score",
    "Select",
    "Set",
    "Split",
    "Steps",
    "Switch",
    "Text",
    "Vote",
]

PRIMITIVES: Mapping[str, type[Primitive]] = MappingProxyType(
    {
        step.key: step
        for step in (
            Branch,
            Critique,
            Fail,
            ForEach,
            If,
            Let,
            Parallel,
            Repeat,
            Return,
            Revise,
            Run,
            Sample,
            Score,
            Select,
            Set,
            Split,
            Switch,
            Text,
            Vote,
        )
    }
)
"""The steps by the key they have in program files."""
