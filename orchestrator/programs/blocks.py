"""Programs composed of steps, as a file writes them.

A step is a mapping with one action: the key of a primitive, or, short for `run` and `score`, that of a strategy or a
verifier, or a name that the file declares. Beside it stand its `id` and what its class has beside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from ..expressions import NUMBER, TEXT, UNKNOWN, ListOf, Type, is_name
from ..primitives import PRIMITIVES, Let, Primitive, Run, Score, Steps
from ..primitives.base import Block, Unmade, every_step
from .annotations import shown_as
from .document import KeyPath
from .mistakes import SHOWN_VALUE, Mistakes
from .parts import build, build_step, build_values
from .registries import STRATEGIES, VERIFIERS
from .spec import FieldKind

__all__ = ["FIELD_TYPES", "actions", "build_block", "build_blocks", "build_steps", "reserved"]

FIELD_TYPES: Mapping[FieldKind, Type] = {"text": TEXT, "number": NUMBER, "list": ListOf(TEXT)}
"""The types of a problem's fields, as a file declares them."""

ID = "id"

LONGEST_SHOWN = 80
"""Characters of a step that a hint shows, at most."""

JOINED = re.compile(r"(\w+):(\S.*)")
"""What would be a key and its value with a space between them."""

IN_REPEAT = ("while", "until")


def reserved() -> dict[str, str]:
    """Names that a file cannot give to verifiers and programs, and what they are."""
    return {
        **dict.fromkeys(
            (ID, *(key for part in PRIMITIVES.values() for key in _beside(part))), "a key of steps"
        ),
        **dict.fromkeys(("steps", "outputs"), "a key of programs"),
        **dict.fromkeys(STRATEGIES.parts, "a strategy"),
        **dict.fromkeys(VERIFIERS.parts, "a verifier"),
        **dict.fromkeys(PRIMITIVES, "a step"),
    }


def actions(mistakes: Mistakes) -> list[str]:
    """The keys that say what a step does, in the file that `mistakes` are about."""
    names = mistakes.names
    return list(dict.fromkeys((*PRIMITIVES, *STRATEGIES.known(names), *VERIFIERS.known(names))))


# Programs ------------------------------------------------------------------------------------------------


def build_steps(value: Mapping[str, Any], at: KeyPath, mistakes: Mistakes) -> Steps | None:
    """The program that `{steps: [...], outputs: {...}}` is; None with its mistakes noted."""
    before = len(mistakes.found)
    for name in value:
        if name not in ("steps", "outputs"):
            hint = mistakes.closest(name, ("steps", "outputs"))
            mistakes.add((*at, name), f"unknown key `{name}` beside `steps`", hint=hint, key=True)
    root, given = at, {name: value[name] for name in ("outputs",) if name in value}
    if at == ("program",) and "outputs" in mistakes.document.data:
        if given:
            mistakes.add((*at, "outputs"), "the file has `outputs` already", key=True)
        root, given = (), {"outputs": mistakes.document.data["outputs"]}
    outputs = build_values(Steps, ("outputs",), given, root, mistakes)
    steps = build_block(value["steps"], (*at, "steps"), mistakes)
    if steps is None:
        return None
    unmade = any(isinstance(step, Unmade) for step in every_step(steps))
    complete = not unmade and len(mistakes.found) == before
    program = Steps(steps=steps, **(outputs or {}))
    _note_faults(program, at, root, mistakes, complete=complete)
    return program if complete else None


def _note_faults(
    program: Steps, at: KeyPath, outputs: KeyPath, mistakes: Mistakes, *, complete: bool
) -> None:
    """Note what is wrong with how the steps of a program go together; models are checked for all of a file."""
    fields = {} if mistakes.names is None else mistakes.names.fields
    types: dict[str, Type] = dict.fromkeys(fields, UNKNOWN)
    types |= {name: FIELD_TYPES[kind] for name, kind in fields.items() if kind in get_args(FieldKind)}
    for fault in program.faults(problem_fields=types, complete=complete):
        root = outputs if fault.path[:1] == ("outputs",) else at
        path = _in_file((*root, *fault.path), mistakes)
        hint = fault.hint
        see = None if fault.see is None else mistakes.document.place(_in_file((*at, *fault.see), mistakes))
        if hint is not None and see is not None:
            hint = f"{hint}, in line {see.line}"
        mistakes.add(path, fault.message, hint=hint, offset=fault.offset)


def _in_file(path: KeyPath, mistakes: Mistakes) -> KeyPath:
    """Where a path leads in the file: a step that is short for `run` or `score` stands under another key there."""
    standing: KeyPath = ()
    for step in path:
        value = mistakes.document.at(mistakes.document.standing(standing))
        if step in (Run.key, Score.key) and isinstance(value, dict) and step not in value:
            step = next((key for key in value if key in actions(mistakes)), step)
        standing = (*standing, step)
    return standing


# Steps ---------------------------------------------------------------------------------------------------


def build_block(value: Any, at: KeyPath, mistakes: Mistakes) -> Block | None:
    """The steps of a list, with one that is `Unmade` for each that is wrong, which is noted; None for no list."""
    if not isinstance(value, list):
        dashed = (
            next((key for key in value if key.startswith("-")), None) if isinstance(value, dict) else None
        )
        hint = (
            "write `- ` before each step"
            if dashed is None
            else f"put a space behind the dash: `- {dashed[1:]}`"
        )
        mistakes.add(at, f"`{at[-1]}` must be a list of steps", hint=hint)
        return None
    known = frozenset(actions(mistakes))
    return tuple(
        _build_step(one, (*at, number), known, mistakes) or _unmade(one) for number, one in enumerate(value)
    )


def build_blocks(value: Any, at: KeyPath, mistakes: Mistakes) -> dict[str, Block] | None:
    """Blocks by name; None with their mistakes noted."""
    if not isinstance(value, dict):
        mistakes.add(at, f"`{at[-1]}` must be a mapping of names to lists of steps")
        return None
    blocks = {name: build_block(block, (*at, name), mistakes) for name, block in value.items()}
    made = {name: block for name, block in blocks.items() if block is not None}
    return made if len(made) == len(blocks) else None


def _build_step(value: Any, at: KeyPath, known: frozenset[str], mistakes: Mistakes) -> Primitive | None:
    if not isinstance(value, dict):
        said = "a step is a mapping with what it does, such as `{id: drafts, sample: {n: 4}}`"
        mistakes.add(at, said, hint=_with_colon(value, known))
        return None
    found = [key for key in value if key in known]
    if len(found) != 1:
        _note_actions(value, found, at, known, mistakes)
        return None
    [key] = found
    part = _class_of(key, mistakes)
    beside = {name: given for name, given in value.items() if name != key}
    if not _are_beside(part, key, beside, at, mistakes):
        return None
    if key in PRIMITIVES:
        step: Primitive | None = build_step(part, key, value[key], beside, at, mistakes)
        return step
    return _part_as_step(part, key, value[key], beside, at, mistakes)


def _with_colon(value: Any, known: frozenset[str]) -> str | None:
    """A hint where a text would be a step with a colon."""
    if isinstance(value, str) and (joined := JOINED.fullmatch(value)) and joined[1] in {ID, *known}:
        return (
            f"put a space behind the colon: `{joined[1]}: {joined[2]}`"
            if len(value) <= LONGEST_SHOWN
            else None
        )
    key, _, behind = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if key not in known:
        return None
    if not behind:
        return f"a colon is missing: `{key}: {{}}`"
    shown = f"{key}: {behind.strip()}"
    return "a colon is missing" + (f": `{shown}`" if len(shown) <= LONGEST_SHOWN else f" behind `{key}`")


def _unmade(value: Any) -> Unmade:
    """What stands for a step that is wrong: its `id`, or what may be meant as such, can be used by others."""
    if not isinstance(value, dict):
        return Unmade()
    let = value.get(Let.key)
    given = [value[ID]] if ID in value else list(value.values())
    if isinstance(let, str):  # `let: name = EXPRESSION`
        given.append(let.partition("=")[0].strip())
    return Unmade(
        given=tuple(name for name in (*given, *(let if isinstance(let, dict) else ())) if _is_id(name))
    )


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and is_name(value)


def _class_of(key: str, mistakes: Mistakes) -> type[Primitive]:
    """The class of steps with an action: those of strategies and verifiers are short for `run` and `score`."""
    if key in PRIMITIVES:
        return PRIMITIVES[key]
    return Run if key in STRATEGIES.known(mistakes.names) else Score


def _beside(part: type[Primitive]) -> tuple[str, ...]:
    return tuple(shown_as(part, name) for name in part.beside)


def _note_actions(
    value: Mapping[str, Any], found: list[str], at: KeyPath, known: frozenset[str], mistakes: Mistakes
) -> None:
    """Note that a step says nothing it does, or several things."""
    if found:
        first, second = found[:2]
        mistakes.add(
            (*at, second),
            f"a step does one thing, and this one has `{first}` and `{second}`",
            hint="make them two steps",
            key=True,
        )
        return
    usual = {ID, *(key for part in PRIMITIVES.values() for key in _beside(part))}
    strange = [key for key in value if key not in usual]
    if not strange:
        hints = [
            f"`{key}` stands beside {' or '.join(f'`{owner}`' for owner in owners)}, in one step"
            for key in value
            if (owners := [part.key for part in PRIMITIVES.values() if key in _beside(part)])
        ]
        said = f"this step does nothing; expected one of: {', '.join(PRIMITIVES)}"
        mistakes.add(at, said, hint=hints[0] if hints else None)
    if loops := [key for key in strange if key in IN_REPEAT]:
        key, strange = loops[0], []
        form = f"repeat: {{max: 8, {key}: ..., steps: [...]}}"
        mistakes.add((*at, key), f"`{key}` stands in a `repeat`", hint=f"write `{form}`", key=True)
    for key in strange:
        hint = mistakes.closest(key, [*known, *usual])
        expected = "" if hint else f"; expected one of: {', '.join(PRIMITIVES)}, a strategy or a verifier"
        mistakes.add_unknown((*at, key), f"no step `{key[:SHOWN_VALUE]}`{expected}", hint=hint, key=True)


def _are_beside(
    part: type[Primitive], key: str, beside: Mapping[str, Any], at: KeyPath, mistakes: Mistakes
) -> bool:
    """Whether all that stands beside a step's key may; what may not is noted."""
    allowed = (ID, *_beside(part))
    strange = [name for name in beside if name not in allowed]
    for name in strange:
        inside = name in {shown_as(part, field) for field in part.__dataclass_fields__}
        hint = f"it belongs inside: `{key}: {{{name}: ...}}`" if inside else mistakes.closest(name, allowed)
        mistakes.add((*at, name), f"unknown key `{name[:SHOWN_VALUE]}` beside `{key}`", hint=hint, key=True)
    return not strange


def _part_as_step(
    part: type[Primitive], key: str, given: Any, beside: Mapping[str, Any], at: KeyPath, mistakes: Mistakes
) -> Primitive | None:
    """A step whose key is that of a strategy or a verifier."""
    here: KeyPath = (*at, key)
    own: dict[str, Any] = {}
    if part is Score:
        if not isinstance(given, dict):
            given = {} if given is None else {"of": given}
        own = {"of": given["of"]} if "of" in given else {}
        given = {name: value for name, value in given.items() if name != "of"} or None
    registry, parameter = (VERIFIERS, "by") if part is Score else (STRATEGIES, "program")
    made = build(registry, key if given is None else {key: given}, here if given is None else at, mistakes)
    around = build_values(part, (ID, *part.beside), beside, at, mistakes)
    inside = build_values(part, tuple(own), own, here, mistakes)
    if part is Score and not own:
        mistakes.add(here, f"`of` is missing in `{key}`: what is judged", hint=f"write `{key}: {{of: ...}}`")
        return None
    if made is None or around is None or inside is None:
        return None
    return part(**{parameter: made}, **around, **inside)
