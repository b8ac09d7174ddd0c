"""Strategies and verifiers as parts of a picture, told from the parameters they were given."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ...budget import Budget
from ...contracts import is_program
from ...prompts import Prompt
from ...strategies import Cascade, Router, Strategy, Tier
from ..annotations import is_default, parameters
from ..registries import ACCEPTANCES, SCORERS, VERIFIERS, key_of
from .picture import Box, Group, Lane, Part, shortened

__all__ = ["Draw", "budget_note", "given", "note", "packed", "strategy_part", "verifier_part"]

Draw: TypeAlias = Callable[[object, str], Part]
"""Makes a part from any program, with a title of its own; strategies draw the programs inside them by it."""

LONGEST_NOTE = 80  # characters
PACKED = 40  # characters: parameters this short together share a line


def note(name: str, value: Any) -> str:
    """A parameter on a line."""
    return shortened(f"{name} {_shown(value)}", LONGEST_NOTE)


def budget_note(name: str, budget: Budget) -> str | None:
    """A budget on a line; None for one without limits."""
    return None if budget == Budget() else f"{name} {budget}"


def packed(notes: Iterable[str]) -> tuple[str, ...]:
    """Notes with short ones on one line."""
    lines: list[str] = []
    for text in notes:
        if lines and len(lines[-1]) + len(text) + 2 <= PACKED:
            lines[-1] += f", {text}"
        else:
            lines.append(text)
    return tuple(lines)


def strategy_part(strategy: object, title: str, draw: Draw) -> Part:
    """A strategy: a box, or a group where other programs and verifiers are parts of it."""
    if isinstance(strategy, Cascade) and strategy.tiers:
        return _cascade(strategy, title, draw)
    if isinstance(strategy, Router) and (strategy.models or strategy.programs):
        return _router(strategy, title, draw)
    notes, lanes = _described(strategy, draw)
    if lanes:
        return Group(title=title, notes=notes, kind="strategy", lanes=lanes)
    return Box(title=title, notes=notes, kind="call" if isinstance(strategy, Strategy) else "plain")


def verifier_part(verifier: object, title: str | None = None) -> Part:
    """A verifier: a box, or a group where other verifiers are parts of it."""
    notes, lanes = _described(verifier, lambda part, name: verifier_part(part, name))
    title = title or key_of(verifier)
    if lanes:
        return Group(title=title, notes=notes, kind="strategy", lanes=lanes)
    return Box(title=title, notes=notes, kind="check")


def _described(part: object, draw: Draw) -> tuple[tuple[str, ...], tuple[Lane, ...]]:
    """A line for each parameter that is not left at its default, and a lane for each part it has."""
    notes: list[str] = []
    lanes: list[Lane] = []
    for name, value in given(part):
        inside = value if isinstance(value, tuple) else (value,)
        if inside and all(map(_is_verifier, inside)):
            lanes += [Lane(label=name, parts=(verifier_part(one),)) for one in inside]
        elif inside and all(map(is_program, inside)):
            lanes += [Lane(label=name, parts=(draw(one, key_of(one)),)) for one in inside]
        else:
            notes.append(note(name, value))
    return packed(notes), tuple(lanes)


def given(part: object) -> Iterable[tuple[str, Any]]:
    """The parameters of `part` that differ from their defaults."""
    if not dataclasses.is_dataclass(part) or isinstance(part, type):
        return
    for name, field in parameters(type(part)).items():
        value = getattr(part, name)
        if not is_default(field, value):
            yield name, value


def _is_verifier(value: object) -> bool:
    return type(value) in VERIFIERS.parts.values() or (hasattr(value, "score") and not _is_scorer(value))


def _is_scorer(value: object) -> bool:
    return type(value) in SCORERS.parts.values() or type(value) in ACCEPTANCES.parts.values()


def _cascade(cascade: Cascade, title: str, draw: Draw) -> Part:
    """The tiers one below the other, and between them the rule that ends it."""
    parts: list[Part] = []
    for number, tier in enumerate(cascade.tiers):
        parts.append(_tier(tier, draw))
        if tier.accept is not None and number < len(cascade.tiers) - 1:
            parts.append(Box(title="enough if", notes=(_shown(tier.accept),), kind="gate"))
    notes = tuple(note(name, value) for name, value in given(cascade) if name != "tiers")
    return Group(title=title, notes=notes, kind="program", lanes=(Lane(parts=tuple(parts)),))


def _tier(tier: Tier, draw: Draw) -> Part:
    part = draw(tier.strategy, key_of(tier.strategy))
    limits = None if tier.budget is None else budget_note("budget", tier.budget)
    more = tuple(text for text in (limits, "with the samples so far" if tier.carry else None) if text)
    if limits is None:
        return dataclasses.replace(part, notes=(*part.notes, *more))
    return Group(title="tier", notes=more, kind="branch", lanes=(Lane(parts=(part,)),))


def _router(router: Router, title: str, draw: Draw) -> Part:
    """A lane for each choice, with the scores that lead to it."""
    choices: list[Part] = [draw(program, key_of(program)) for program in router.programs] or [
        Box(title="single", notes=(note("model", model),), kind="call") for model in router.models
    ]
    thresholds = router.thresholds or tuple(
        round(number / len(choices), 4) for number in range(1, len(choices))
    )
    labels = [*(f"score < {limit:g}" for limit in thresholds), "else"]
    lanes = tuple(Lane(label=label, parts=(choice,)) for label, choice in zip(labels, choices, strict=True))
    shown = ("models", "programs", "thresholds", "scorer")
    notes = [note("scorer", router.scorer)]
    notes += [note(name, value) for name, value in given(router) if name not in shown]
    return Group(title=title, notes=tuple(notes), kind="choice", lanes=lanes)


def _shown(value: Any) -> str:
    """A value as a file would write it, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Prompt):
        return value.template
    if isinstance(value, Budget):
        return str(value)
    if isinstance(value, tuple | list):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_shown(one)}" for name, one in value.items())
    if type(value) in ACCEPTANCES.parts.values():
        return _acceptance(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        inside = ", ".join(f"{name}: {_shown(one)}" for name, one in given(value))
        return f"{key_of(value)}({inside})" if inside else key_of(value)
    if value is None:
        return "none"
    return repr(value) if isinstance(value, int | float) else key_of(value)


def _acceptance(rule: Any) -> str:
    """A rule as the short way of writing it: `agreement >= 0.75`."""
    verifier = getattr(rule, "verifier", None)
    key = key_of(rule if verifier is None else verifier)
    return f"{'confidence' if key == 'confident' else key} >= {rule.at_least:g}"
