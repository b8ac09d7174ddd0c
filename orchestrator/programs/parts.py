"""Named parts of a program file (`self_consistency: {n: 8}`), made from the dataclasses they name.

A part's keys are its dataclass's fields.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from ..errors import InvalidInputError
from ..primitives import Primitive
from ..primitives.base import Block
from ..prompts import Prompt
from ..spelling import snake_case
from .annotations import (
    OWN,
    hint_of,
    is_mapping,
    is_required,
    is_several,
    kinds_of,
    model_of,
    names_models,
    parameters,
    python_only,
    short_form,
    shown_as,
    takes_none,
    takes_null,
    without_none,
)
from .document import KeyPath
from .mistakes import SHOWN_VALUE, Mistakes
from .names import Names
from .registries import (
    ACCEPTANCES,
    STRATEGIES,
    VERIFIERS,
    Registry,
    condition_meant,
    kind_of,
    what_inline,
)

__all__ = ["build", "build_part", "build_step", "build_values", "find_part"]


def build(
    registry: Registry,
    value: Any,
    at: KeyPath,
    mistakes: Mistakes,
    *,
    defaults: Mapping[str, Any] | None = None,
) -> Any:
    """The part `value` names, or None with its mistakes noted.

    Three ways to write one: `lead` (all defaults), `{beta: 0.95}` (its first parameter that does not name a
    model), `{self_consistency: {n: 8}}`.

    Args:
        registry: The parts there are.
        value: What the file says.
        at: Where it says it.
        mistakes: Receives what is wrong.
        defaults: Values for parameters of these names that the file does not give.
    """
    written = value
    value = registry.rewrite(value, partial(_is_verifier, mistakes.names))
    if registry is STRATEGIES and isinstance(value, dict) and "steps" in value:
        from .blocks import build_steps  # which builds its steps' parameters here

        return build_steps(value, at, mistakes)
    if isinstance(value, str):
        name, given = value, None
    elif isinstance(value, dict) and len(value) == 1:
        ((name, given),) = value.items()
    else:
        known = ", ".join(registry.known(mistakes.names))
        given = [f"`{key}`" for key in value] if isinstance(value, dict) else []
        hint = f"this has {len(given)}: {', '.join(given)}" if len(given) > 1 else None
        if registry is STRATEGIES and isinstance(value, list):
            key = f"{at[-1]}: " if isinstance(at[-1], str) else ""
            hint = f"steps stand under a key of their own: `{key}{{steps: [...]}}`"
        mistakes.add(at, f"expected one {registry.what}: {known}", hint=hint)
        return None
    here = at if isinstance(value, str) else (*at, name)
    if mistakes.names is not None and registry.section and mistakes.names.has(registry.section, name):
        made = mistakes.names.get(registry.section, name, here, mistakes, key=here != at)
        if given not in (None, {}):
            said = f"`{name}` is declared in `{registry.section}`, and takes no further parameters"
            mistakes.add(here, said, hint=f"give them there, and write `{name}: {{}}` here", key=True)
            return None
        return made
    compared = registry is ACCEPTANCES and isinstance(written, str) and SIGN.search(written) is not None
    part = find_part(registry, name, (*at, name), mistakes, rule=written if compared else None)
    return None if part is None else build_part(part, given, here, mistakes, key=name, defaults=defaults)


def _is_verifier(names: Names | None, name: str) -> bool:
    return name in VERIFIERS.known(names)


def find_part(
    registry: Registry, name: str, at: KeyPath, mistakes: Mistakes, *, rule: str | None = None
) -> type | None:
    """The class of a key that stands at `at`; None when there is none, which is noted.

    Args:
        registry: The parts there are.
        name: The key.
        at: Where it stands.
        mistakes: Receives what is wrong.
        rule: The whole, where it is written as a comparison.
    """
    try:
        part = registry.find(name)
    except InvalidInputError as error:
        mistakes.add(at, str(error), key=True)
        return None
    if part is None:
        known = registry.known(mistakes.names)
        if rule is not None:
            known = [*known, *VERIFIERS.known(mistakes.names)]
            hint: str | None = condition_meant(rule, mistakes.closest, known)
        else:
            keys = [*known, "steps"] if registry is STRATEGIES else known
            hint = registry.instead(name) or mistakes.closest(name, keys)
        others = "" if hint else f"; there are: {', '.join(known)}"
        note = mistakes.add if hint else mistakes.add_unknown
        note(at, f"no {registry.what} `{name[:SHOWN_VALUE]}`{others}", hint=hint, key=True)
    return part


def build_part(
    part: type,
    given: Any,
    at: KeyPath,
    mistakes: Mistakes,
    *,
    key: str | None = None,
    defaults: Mapping[str, Any] | None = None,
    instead_of: Any = None,
) -> Any:
    """A `part` of these parameters (a mapping, one alone as `short_form` says, or None); None with mistakes noted.

    Args:
        part: Its class.
        given: What the file says.
        at: Where it says it.
        mistakes: Receives what is wrong.
        key: What it is called there; None for the last step of `at`.
        defaults: Values for parameters of these names that are not given.
        instead_of: A `part` that has all parameters that are not given; None makes one from the defaults.
    """
    if given is not None and not isinstance(given, dict):
        given = _shorthand(part, given, at, mistakes)
    if given is _WRONG:
        return None
    called = str(at[-1]) if key is None else key
    return _make(called, part, given or {}, at, mistakes, defaults or {}, instead_of=instead_of)


SIGN = re.compile("[<>=]")

_WRONG: Any = object()


def _shorthand(part: type, given: Any, at: KeyPath, mistakes: Mistakes) -> Any:
    name = short_form(part)
    if name is None:
        mistakes.add(at, f"`{at[-1]}` takes no parameters")
        return _WRONG
    return {shown_as(part, name): given}


def _make(
    key: str,
    part: type,
    given: dict[str, Any],
    at: KeyPath,
    mistakes: Mistakes,
    defaults: Mapping[str, Any],
    *,
    instead_of: Any = None,
) -> Any:
    names = tuple((name, shown_as(part, name)) for name in parameters(part))
    here = {name: value for name, value in defaults.items() if name in parameters(part) and value is not None}
    values = _values(part, names, given, at, mistakes)
    complete = instead_of is not None or _is_complete(key, part, names, {**here, **given}, at, mistakes)
    if values is None or not complete:
        return None
    places = {name: (*at, name) for name in given}
    return _construct(part, {**here, **values}, places, at, mistakes, instead_of)


def build_step(
    part: type[Primitive], key: str, inside: Any, beside: Mapping[str, Any], at: KeyPath, mistakes: Mistakes
) -> Any:
    """A step, whose parameters stand in two places: most behind its key, some beside it.

    Args:
        part: Its class.
        key: The key.
        inside: What stands behind it: a mapping of parameters, or the first one alone.
        beside: What stands beside it.
        at: Where the step is.
        mistakes: Receives what is wrong.
    """
    names = [(name, shown_as(part, name)) for name in parameters(part)]
    outer = tuple(pair for pair in names if pair[0] == "id" or pair[0] in part.beside)
    inner = tuple(pair for pair in names if pair not in outer)
    here: KeyPath = (*at, key)
    if len(inner) == 1 and is_mapping(part, inner[0][0]):
        inner, inside, here = ((inner[0][0], key),), {key: inside}, at  # `let: {name: EXPRESSION}`
    elif not isinstance(inside, dict):
        inside = {} if inside is None else {inner[0][1]: inside}
    values, around = _values(part, inner, inside, here, mistakes), _values(part, outer, beside, at, mistakes)
    complete = _is_complete(key, part, inner, inside, here, mistakes)
    complete &= _is_complete(key, part, outer, beside, at, mistakes)
    if values is None or around is None or not complete:
        return None
    places = {name: (*here, name) for name in inside} | {name: (*at, name) for name in beside}
    return _construct(part, {**values, **around}, places, (*at, key), mistakes)


def build_values(
    part: type, names: tuple[str, ...], given: Mapping[str, Any], at: KeyPath, mistakes: Mistakes
) -> dict[str, Any] | None:
    """The values of some parameters of a part; None when any is wrong, which is noted.

    Args:
        part: Its class.
        names: The parameters that may stand here.
        given: What the file says, by key.
        at: Where it says it.
        mistakes: Receives what is wrong.
    """
    return _values(part, tuple((name, shown_as(part, name)) for name in names), given, at, mistakes)


def _values(
    part: type, names: tuple[tuple[str, str], ...], given: Mapping[str, Any], at: KeyPath, mistakes: Mistakes
) -> dict[str, Any] | None:
    """The values of parameters; None when any is wrong, which is noted.

    Args:
        part: The class they are parameters of.
        names: Those that may stand here, each with its key in files.
        given: What the file says, by key.
        at: Where it says it.
        mistakes: Receives what is wrong.
    """
    right = _note_nulls(part, names, given, at, mistakes)
    given = _without_nulls(part, names, given)
    for name, key in names:
        if key in given and _is_unsayable(part, name):
            mistakes.add((*at, key), f"`{key}` can be given in Python only", key=True)
            right, given = False, {one: value for one, value in given.items() if one != key}
    sayable = [key for name, key in names if not _is_unsayable(part, name)]
    makers = {name: maker for name, key in names if key in given and (maker := _maker(part, name))}
    steps = {name: step for name, key in names if (step := _step_in_place(part, name, given))}
    plain = {key: value for key, value in given.items() if key not in {step.key for step in steps.values()}}
    plain |= {key: None for name, key in names if name in makers}
    values: dict[str, Any] = {}
    try:
        made = frozenset(name for name, _ in names if _maker(part, name))
        checked = model_of(part, names, made).model_validate(plain)
        set_here = {name.removeprefix(OWN) for name in checked.model_fields_set}
        values |= {name: getattr(checked, OWN + name) for name in set_here if name not in makers}
        values |= _beside(mistakes.document.file, values, set_here)
    except ValidationError as error:
        right = False
        steps_keys = [kind.key for name, _ in names for kind in _steps_for(part, name)]
        mistakes.add_validation(error, at, lambda _: [*sayable, *steps_keys], plain)
    for name, key in names:
        if key in given and names_models(name):
            _note_unknown_models(given[key], (*at, key), mistakes)
    for name, step in steps.items():
        key = dict(names)[name]
        if key in given:
            mistakes.add((*at, step.key), f"`{step.key}` stands in the place of `{key}`: give one", key=True)
            right = False
        values[name] = build_part(step, given[step.key], (*at, step.key), mistakes)
        right = right and values[name] is not None
    for name, maker in makers.items():
        key = dict(names)[name]
        values[name] = maker(given[key], (*at, key), mistakes)
        right = right and not _is_wrong(values[name], given[key])
    return values if right else None


def _is_unsayable(part: type, name: str) -> bool:
    """Whether no file can say what a parameter is."""
    hint = hint_of(part, name)
    return hint is not Any and _maker(part, name) is None and python_only(hint)


def _without_nulls(
    part: type, names: tuple[tuple[str, str], ...], given: Mapping[str, Any]
) -> Mapping[str, Any]:
    """What a file gives, without what it leaves empty where the class takes no None; pydantic notes plain values."""
    empty = {
        key
        for name, key in names
        if given.get(key, name) is None and not takes_none(part, name)
        if takes_null(part, name) or _maker(part, name)
    }
    return {key: value for key, value in given.items() if key not in empty}


def _note_nulls(
    part: type, names: tuple[tuple[str, str], ...], given: Mapping[str, Any], at: KeyPath, mistakes: Mistakes
) -> bool:
    """Whether no part is left empty that a class has by default and has to have; those that are, are noted."""
    right = True
    for name, key in names:
        wanted = _maker(part, name) and not takes_null(part, name) and not is_required(parameters(part)[name])
        if wanted and given.get(key, name) is None:
            mistakes.add(
                (*at, key), f"`{key}` cannot be `null`", hint="leave it out for what it is by default"
            )
            right = False
    return right


def _note_unknown_models(value: Any, at: KeyPath, mistakes: Mistakes) -> None:
    """Note the names in a parameter that names models, one or several, which are none of the file's."""
    if isinstance(value, list):
        for number, one in enumerate(value):
            _note_unknown_models(one, (*at, number), mistakes)
    elif isinstance(value, str) and mistakes.models and value not in mistakes.models:
        hint = mistakes.closest(value, mistakes.models)
        others = "" if hint else f"; there are: {', '.join(mistakes.models)}"
        mistakes.add(at, f"no model `{value[:SHOWN_VALUE]}`{others}", hint=hint)


def _is_complete(
    key: str,
    part: type,
    names: tuple[tuple[str, str], ...],
    given: Mapping[str, Any],
    at: KeyPath,
    mistakes: Mistakes,
) -> bool:
    """Whether no parameter without a default is missing; those that are, are noted."""
    fields, given = parameters(part), _without_nulls(part, names, given)
    beside = [shown_as(part, name) for name in getattr(part, "beside", ())]
    missing = [
        (name, shown)
        for name, shown in names
        if is_required(fields[name]) and shown not in given and _step_in_place(part, name, given) is None
    ]
    for name, shown in missing:
        form = f"write `{{{key}: {{{shown}: ...}}}}`" if not given else None
        if shown in beside:
            form = f"write `{shown}: ...` beside `{key}`, not inside it"
        if _is_unsayable(part, name):
            form = "it can be given in Python only"
        hint = _MISSING_HINTS.get(shown, form)
        mistakes.add(at, f"`{shown}` is missing in `{key}`", hint=hint)
    return not missing


def _construct(
    part: type,
    values: Mapping[str, Any],
    places: Mapping[str, KeyPath],
    at: KeyPath,
    mistakes: Mistakes,
    instead_of: Any = None,
) -> Any:
    """The part of these values; None when it refuses them, which is noted where the one it names stands."""
    try:
        return part(**values) if instead_of is None else dataclasses.replace(instead_of, **values)
    except InvalidInputError as error:
        blamed = (places[word] for word in re.findall(r"\w+", str(error)) if word in places)
        mistakes.add(next(blamed, at), str(error))
        return None


def _is_wrong(made: Any, given: Any) -> bool:
    """Whether what should have been made from `given` could not be; what was wrong has been noted."""
    return None in made if isinstance(made, tuple) else made is None and given is not None


def _beside(document: str, values: Mapping[str, Any], given: set[str]) -> dict[str, str]:
    """Parameters that name files, which are meant from the document's folder: those called `file`."""
    folder = Path(document).parent
    return {name: str(folder / values[name]) for name in given if name == "file" and values[name]}


def _build_one(kind: Registry | type, value: Any, at: KeyPath, mistakes: Mistakes) -> Any:
    """The part that a parameter is; of null, none."""
    return None if value is None else _build_entry(kind, value, at, mistakes)


def _build_entry(kind: Registry | type, value: Any, at: KeyPath, mistakes: Mistakes) -> Any:
    """A part that there must be, such as one of a list; None when it is wrong, which is noted."""
    if isinstance(kind, Registry):
        return build(kind, value, at, mistakes)
    if hasattr(kind, "inline"):
        return _build_inline(kind, value, at, mistakes)
    if isinstance(value, dict):
        called = snake_case(kind.__name__) if isinstance(at[-1], int) else at[-1]
        return _make(called, kind, value, at, mistakes, {})
    mistakes.add(at, f"expected a mapping with any of {', '.join(parameters(kind))}")
    return None


def _build_all(kind: Registry | type, value: Any, at: KeyPath, mistakes: Mistakes) -> tuple[Any, ...]:
    """The parts of a list, such as the rules of `any: [...]`."""
    if not isinstance(value, list):
        mistakes.add(at, f"expected a list, each entry {_entry_of(kind)}")
        return ()
    return tuple(_build_entry(kind, entry, (*at, number), mistakes) for number, entry in enumerate(value))


def _entry_of(kind: Registry | type) -> str:
    """What an entry of a list of such parts is, in words."""
    if isinstance(kind, Registry):
        return f"one {kind.what}: {', '.join(kind.parts)}"
    if hasattr(kind, "inline"):
        return f"one {what_inline(kind).what}"
    return f"a mapping with {', '.join(shown_as(kind, name) for name in parameters(kind))}"


def _build_inline(part: type, value: Any, at: KeyPath, mistakes: Mistakes) -> Any:
    """A part with another one written inside it: `{self_consistency: {n: 8}, accept: agreement >= 0.75}`.

    The class names the parameter that is written so in `inline`.
    """
    inside, registry = part.inline, what_inline(part)  # type: ignore[attr-defined]
    known = [name for name in parameters(part) if name != inside]
    if isinstance(value, str):
        value = {value: None}
    names = [name for name in value if name not in known] if isinstance(value, dict) else []
    if "steps" in names:
        inner = {name: value[name] for name in names}
    elif len(names) == 1:
        inner = {names[0]: value[names[0]]}
    else:
        parts = ", ".join(registry.known(mistakes.names))
        found = [name for name in names if name not in registry.known(mistakes.names)]
        if len(names) > 1 and len(found) == len(names) - 1:
            [does] = set(names) - set(found)
            for name in found:
                said = (
                    f"unknown key `{name[:SHOWN_VALUE]}` beside `{does}`; expected any of {', '.join(known)}"
                )
                hint = registry.instead(name) or mistakes.closest(name, known)
                mistakes.add((*at, name), said, hint=hint, key=True)
            return None
        hints = (registry.instead(name) or mistakes.closest(name, known) for name in found)
        said = f"expected one {registry.what} ({parts}), and any of {', '.join(known)}"
        mistakes.add(at, said, hint=next(filter(None, hints), None) if len(names) > 1 else None)
        return None
    name = names[0]
    made = build(registry, inner, at, mistakes)
    given = {name: value[name] for name in value if name in known}
    return None if made is None else _make(name, part, given, at, mistakes, {inside: made})


_MISSING_HINTS = {"verifier": "give it here, or as the file's `check:`"}


Maker: TypeAlias = "Callable[[Any, KeyPath, Mistakes], Any]"


@cache
def _maker(part: type, name: str) -> Maker | None:
    """What makes a parameter that is itself a part, several, or steps; None for a plain value."""
    from .blocks import build_block, build_blocks  # whose steps' parameters are made here

    hint = without_none(hint_of(part, name))
    if hint == Block:
        return build_block
    if hint == Mapping[str, Block]:
        return build_blocks
    if Prompt in kinds_of(hint):
        return _build_prompt
    kind = kind_of(part, name)
    if kind is None:
        return None
    return partial(_build_all if is_several(part, name) else _build_one, kind)


def _build_prompt(value: Any, at: KeyPath, mistakes: Mistakes) -> Any:
    """A template, or one of the file's prompts: `{use: NAME}`."""
    if value is None or isinstance(value, str):
        if value is not None and mistakes.names is not None and mistakes.names.has("prompts", value):
            said = f"`{value}` is the name of a prompt, and stands here for a text that is sent"
            mistakes.add(at, said, hint=f"write `{{use: {value}}}`")
            return None
        return value
    if mistakes.names is None or not isinstance(value, dict):
        mistakes.add(at, f"`{at[-1]}` must be a text, or `{{use: NAME}}` for one of the file's `prompts`")
        return None
    return mistakes.names.prompt(value, at, mistakes)


def _step_in_place(part: type, name: str, given: Mapping[str, Any]) -> type[Primitive] | None:
    """The kind of step that a file gives in the place of a parameter, as in `return: {vote: {...}}`."""
    return next((kind for kind in _steps_for(part, name) if kind.key in given), None)


def _steps_for(part: type, name: str) -> list[type[Primitive]]:
    """The kinds of steps that can stand in the place of a parameter."""
    kinds = (kind for kind in kinds_of(hint_of(part, name)) if isinstance(kind, type))
    return [kind for kind in kinds if issubclass(kind, Primitive)]
