"""A loaded program as a picture."""

from __future__ import annotations

from pathlib import Path

from ...primitives.steps import Steps
from ..loader import Program
from ..registries import key_of
from ..spec import BackendSpec, EndpointSpec, LocalSpec, ModelSpec, ReplaySpec
from .picture import Box, Group, Lane, Part, shortened
from .steps import steps_part
from .strategies import budget_note, note, strategy_part

__all__ = ["sketch"]


def sketch(program: Program) -> Group:
    """`program` as a picture: above, what it runs on and its limits; below, what it does from problem to answer."""
    strategy = program.strategy
    if isinstance(strategy, Steps):
        whole = steps_part(strategy, "", draw, end="end")
        outputs, parts = whole.notes, whole.lanes[0].parts
    else:
        answer = Box(title="answer", notes=(program.answers.kind,), kind="end")
        outputs, parts = (), (draw(strategy, key_of(strategy)), answer)
    lane = Lane(parts=(Box(title="problem", kind="start"), *parts))
    notes = (*_notes(program), *outputs)
    return Group(title=Path(program.file).name, notes=notes, kind="program", lanes=(lane,))


def draw(program: object, title: str) -> Part:
    """A program inside another, under a title."""
    if isinstance(program, Program):
        program = program.strategy
    if isinstance(program, Steps):
        return steps_part(program, title, draw)
    return strategy_part(program, title, draw)


def _notes(program: Program) -> tuple[str, ...]:
    models = [f"model {name}: {shortened(_served(spec), 60)}" for name, spec in program.specs.items()]
    limits = [budget_note("budget", program.budget), budget_note("per problem", program.per_problem)]
    check = None if program.check is None else note("check", program.check)
    return (*models, *(text for text in (*limits, check) if text))


def _served(spec: ModelSpec) -> str:
    match spec:
        case LocalSpec():
            return spec.local
        case EndpointSpec():
            return spec.model
        case ReplaySpec():
            return spec.replay
        case BackendSpec():
            return spec.backend
