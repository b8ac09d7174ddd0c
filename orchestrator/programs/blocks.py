"""Programs composed of steps, as a file writes them.

A step is a mapping with one action: the key of a primitive, or, short for `run` and `score`, that of a strategy or a
verifier, or a name that the file declares. Beside it stand its `id` and what its class has beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..expressions import NUMBER, TEXT, ListOf, Type
from ..primitives import PRIMITIVES, Primitive, Run, Score, Steps
from .document import KeyPath
from .mistakes import Mistakes
from .parts import STRATEGIES, VERIFIERS, build, build_part, build_step_part, shown_as
from .spec import FieldKind

__all__ = ["FIELD_TYPES", "action_of", "actions", "build_block", "build_steps", "reserved"]

FIELD_TYPES: Mapping[FieldKind, Type] = {"text": TEXT, "number": NUMBER, "list": ListOf(TEXT)}
"""The types of a problem's fields, as a file declares them."""

ID = "id"

STEP = "a step is a mapping with what it does, such as `{id: drafts, sample: {n: 4}}`"


def reserved() -> dict[str, str]:
    """Names that a file cannot give to verifiers and programs, and what they are."""
    beside = {name: "a key of steps" for part in PRIMITIVES.values() for name in _beside(part)}
    return {
        **beside,
        ID: "a key of steps",
        "steps": "a key of programs",
        "outputs": "a key of programs",
        **dict.fromkeys(STRATEGIES.parts, "a strategy"),
        **dict.fromkeys(VERIFIERS.parts, "a verifier"),
        **dict.fromkeys(PRIMITIVES, "a step"),
    }


def actions(mistakes: Mistakes) -> list[str]:
    """The keys that say what a step does, in the file that `mistakes` are about."""
    names = mistakes.names
    return list(dict.fromkeys((*PRIMITIVES, *STRATEGIES.known(names), *VERIFIERS.known(names))))


def build_steps(value: Mapping[str, Any], at: KeyPath, mistakes: Mistakes) -> Steps | None:
    """The program that `{steps: [...], outputs: {...}}` is; None with its mistakes noted."""
    before = len(mistakes.found)
    for name in value:
        if name not in ("steps", "outputs"):
            hint = mistakes.closest(name, ("steps", "outputs"))
            mistakes.add((*at, name), f"unknown key `{name}` beside `steps`", hint=hint, key=True)
    steps = build_block(value["steps"], (*at, "steps"), mistakes)
    if at == ("program",) and "outputs" in mistakes.document.data:
        if "outputs" in value:
            mistakes.add((*at, "outputs"), "the file has `outputs` already", key=True)
        value, outside = {**value, "outputs": mistakes.document.data["outputs"]}, True
    else:
        outside = False
    given = {name: value[name] for name in ("outputs",) if name in value}
    root = () if outside else at
    outputs = build_part(_Outputs, given, root, mistakes) if given else None
    if steps is None or len(mistakes.found) > before:
        return None
    program = Steps(steps=steps, outputs={} if outputs is None else outputs.outputs)
    _note_faults(program, at, root, mistakes)
    return program
