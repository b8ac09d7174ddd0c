"""The steps of a composed program as parts of a picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ...costs import counted
from ...primitives.base import Block, Primitive
from ...primitives.branch import Branch
from ...primitives.conditional import If
from ...primitives.for_each import ForEach
from ...primitives.let import Let, Set
from ...primitives.parallel import Parallel
from ...primitives.repeat import Repeat
from ...primitives.returning import Fail, Return
from ...primitives.run import Run
from ...primitives.score import Score
from ...primitives.select import Select
from ...primitives.steps import Steps
from ...primitives.switch import Switch
from ...primitives.text import Text
from ...primitives.vote import Vote
from ..registries import key_of
from .picture import Box, Group, GroupKind, Lane, Part
from .strategies import Draw, budget_note, given, note, packed, verifier_part

__all__ = ["steps_part"]


def steps_part(program: Steps, title: str, draw: Draw) -> Part:
    """A composed program: its steps from top to bottom, and what it puts out besides the answer."""
    outputs = tuple(note(f"output {name}:", text) for name, text in program.outputs.items())
    lane = Lane(parts=tuple(_block(program.steps, draw)))
    return Group(title=title, notes=outputs, kind="program", lanes=(lane,))


def _block(steps: Block, draw: Draw) -> Iterator[Part]:
    return (_step(step, draw) for step in steps)


def _lane(steps: Block, draw: Draw, label: str = "") -> Lane:
    return Lane(parts=tuple(_block(steps, draw)), label=label)


def _step(step: Primitive, draw: Draw) -> Part:
    match step:
        case If():
            yes, no = _lane(step.then, draw, "then"), _lane(step.otherwise, draw, "else")
            return _group(step, "choice", step.condition, lanes=(yes, no))
        case Switch():
            lanes = [_lane(case.steps, draw, case.when) for case in step.cases]
            return _group(step, "choice", lanes=(*lanes, _lane(step.otherwise, draw, "else")))
        case Repeat():
            return _repeat(step, draw)
        case ForEach():
            return _for_each(step, draw)
        case Parallel():
            named = tuple(_lane(block, draw, name) for name, block in step.branches.items())
            return _group(step, "parallel", f"wait: {step.wait}", lanes=named)
        case Branch():
            limits = budget_note("budget", step.budget) or "no limits"
            return _group(step, "branch", limits, lanes=(_lane(step.steps, draw),))
        case Run():
            return _run(step, draw)
        case Score():
            return _score(step)
        case Return() | Fail():
            return _end(step)
        case Let() | Set():
            changes = tuple(note(f"{name} =", text) for name, text in step.values.items())
            return Box(title=_title(step), notes=changes)
        case Text():
            return Box(title=_title(step), notes=(note("", step.template).strip(),))
    return Box(title=_title(step), notes=_notes(step), kind="call" if step.most_calls else "plain")


def _title(step: Primitive, action: str | None = None) -> str:
    action = action or step.key
    return f"{step.id}: {action}" if step.id else action


def _group(step: Primitive, kind: GroupKind, *notes: str, lanes: tuple[Lane, ...], leaves: str = "") -> Group:
    return Group(title=_title(step), notes=notes, kind=kind, lanes=lanes, leaves=leaves)


def _notes(step: Any, *without: str) -> tuple[str, ...]:
    """A line for each parameter, called as in files."""
    names = {name: step.spelled.get(name, name) for name, _ in given(step)}
    left = [(name, value) for name, value in given(step) if name not in ("id", *without)]
    return packed(note(names[name], value) for name, value in left)


def _repeat(step: Repeat, draw: Draw) -> Part:
    conditions = (f"while {step.going}" if step.going else "", f"until {step.until}" if step.until else "")
    notes = (f"at most {counted(step.max, 'round')}", *filter(None, conditions))
    return _group(step, "loop", *notes, lanes=(_lane(step.steps, draw),), leaves=step.until or "")


def _for_each(step: ForEach, draw: Draw) -> Part:
    most = f"at most {step.max}" if step.max else ""
    at_once = f"{step.at_once} at once" if step.at_once else "all at once"
    notes = (f"{step.item} in {step.over}", ", ".join(filter(None, (most, at_once))))
    return _group(step, "each", *notes, lanes=(_lane(step.steps, draw),))


def _run(step: Run, draw: Draw) -> Part:
    part = draw(step.program, _title(step, key_of(step.program)))
    if step.problem is None:
        return part
    return dataclasses.replace(part, notes=(note("problem", step.problem), *part.notes))


def _score(step: Score) -> Part:
    part = verifier_part(step.by, _title(step, f"score by {key_of(step.by)}"))
    return dataclasses.replace(part, notes=(note("of", step.of), *part.notes))


def _end(step: Return | Fail) -> Part:
    if isinstance(step, Fail):
        return Box(title="fail", notes=(note("", step.message).strip(),), kind="end")
    value = step.value
    if isinstance(value, Vote | Select):
        notes = (f"{value.key} of {_texts(value.of)}", *_notes(value, "of"))
    else:
        notes = (value,)
    confidence = () if step.confidence is None else (note("confidence", step.confidence),)
    return Box(title="return", notes=(*notes, *confidence), kind="end")


def _texts(of: str | tuple[str, ...]) -> str:
    return of if isinstance(of, str) else ", ".join(of)
