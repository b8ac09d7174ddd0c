"""The steps of a composed program as parts of a picture."""

from __future__ import annotations

import dataclasses
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
from .picture import Box, BoxKind, Group, GroupKind, Lane, Part
from .strategies import Draw, budget_note, given, note, packed, verifier_part

__all__ = ["steps_part"]


def steps_part(program: Steps, title: str, draw: Draw, *, end: BoxKind = "exit") -> Group:
    """A composed program: its steps from top to bottom, and what it puts out besides the answer.

    Args:
        program: The program.
        title: What it is called.
        draw: Draws the programs inside it.
        end: What its ends are: those of a program inside another one are its exits.
    """
    outputs = tuple(note(f"output {name}:", text) for name, text in program.outputs.items())
    lane = _Steps(draw=draw, end=end).lane(program.steps)
    return Group(title=title, notes=outputs, kind="program", lanes=(lane,))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """Draws the steps of a program."""

    draw: Draw
    end: BoxKind

    def lane(self, steps: Block, label: str = "") -> Lane:
        return Lane(parts=tuple(map(self.step, steps)), label=label)

    def step(self, step: Primitive) -> Part:
        match step:
            case If():
                yes, no = self.lane(step.then, "then"), self.lane(step.otherwise, "else")
                return _group(step, "choice", step.condition, lanes=(yes, no))
            case Switch():
                lanes = [self.lane(case.steps, case.when) for case in step.cases]
                return _group(step, "choice", lanes=(*lanes, self.lane(step.otherwise, "else")))
            case Repeat():
                return self.repeat(step)
            case ForEach():
                return self.for_each(step)
            case Parallel():
                named = tuple(self.lane(block, name) for name, block in step.branches.items())
                return _group(step, "parallel", f"wait: {step.wait}", lanes=named)
            case Branch():
                limits = budget_note("budget", step.budget) or "no limits"
                return _group(step, "branch", limits, lanes=(self.lane(step.steps),))
            case Run():
                return self.run(step)
            case Score():
                return _score(step)
            case Return() | Fail():
                return _end(step, self.end)
            case Let() | Set():
                changes = tuple(note(f"{name} =", text) for name, text in step.values.items())
                return Box(title=_title(step), notes=changes)
            case Text():
                return Box(title=_title(step), notes=(note("", step.template).strip(),))
        return Box(title=_title(step), notes=_notes(step), kind="call" if step.most_calls else "plain")

    def repeat(self, step: Repeat) -> Part:
        conditions = (
            f"while {step.going}" if step.going else "",
            f"until {step.until}" if step.until else "",
        )
        notes = (f"at most {counted(step.max, 'round')}", *filter(None, conditions))
        return _group(step, "loop", *notes, lanes=(self.lane(step.steps),), leaves=step.until or "")

    def for_each(self, step: ForEach) -> Part:
        most = f"at most {step.max}" if step.max else ""
        at_once = f"{step.at_once} at once" if step.at_once else "all at once"
        notes = (f"{step.item} in {step.over}", ", ".join(filter(None, (most, at_once))))
        return _group(step, "each", *notes, lanes=(self.lane(step.steps),))

    def run(self, step: Run) -> Part:
        part = self.draw(step.program, _title(step, key_of(step.program)))
        if step.problem is None:
            return part
        return dataclasses.replace(part, notes=(note("problem", step.problem), *part.notes))


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


def _score(step: Score) -> Part:
    part = verifier_part(step.by, _title(step, f"score by {key_of(step.by)}"))
    return dataclasses.replace(part, notes=(note("of", step.of), *part.notes))


def _end(step: Return | Fail, kind: BoxKind) -> Part:
    if isinstance(step, Fail):
        return Box(title="fail", notes=(note("", step.message).strip(),), kind=kind)
    value = step.value
    if isinstance(value, Vote | Select):
        notes = (f"{value.key} of {_texts(value.of)}", *_notes(value, "of"))
    else:
        notes = (value,)
    confidence = () if step.confidence is None else (note("confidence", step.confidence),)
    return Box(title="return", notes=(*notes, *confidence), kind=kind)


def _texts(of: str | tuple[str, ...]) -> str:
    return of if isinstance(of, str) else ", ".join(of)
