"""A loaded program as a picture."""

from __future__ import annotations

from pathlib import Path

from ...primitives import Steps
from ..loader import Program
from .picture import Box, Group, Lane, Part, ends, shortened
from .steps import steps_part
from .strategies import budget_note, key_of_part, strategy_part, verifier_part

__all__ = ["sketch"]


def sketch(program: Program) -> Group:
    """`program` as a picture: above, what it runs on and its limits; below, what it does from problem to answer."""
    start = Box(title="problem", kind="start")
    strategy = draw(program.strategy, key_of_part(program.strategy))
    parts: list[Part] = [start, strategy]
    if program.check is not None:
        checked = verifier_part(program.check, f"check: {key_of_part(program.check)}")
        parts.append(checked)
    if not ends(strategy):
        parts.append(Box(title="answer", notes=(program.answers.kind,), kind="end"))
    return Group(
        title=Path(program.file).name,
        notes=_notes(program),
        kind="program",
        lanes=(Lane(parts=tuple(parts)),),
    )


def draw(program: object, title: str) -> Part:
    """Any program under a title."""
    if isinstance(program, Program):
        program = program.strategy
    if isinstance(program, Steps):
        return steps_part(program, title, draw)
    return strategy_part(program, title, draw)


def _notes(program: Program) -> tuple[str, ...]:
    models = [f"model {name}: {shortened(_served(spec), 60)}" for name, spec in program.specs.items()]
    limits = [budget_note("budget", program.budget), budget_note("per problem", program.per_problem)]
    return (*models, *(text for text in limits if text))


def _served(spec: object) -> str:
    return str(getattr(spec, "local", None) or getattr(spec, "model", None) or getattr(spec, "replay", ""))
