"""Named parts of a program file (`self_consistency: {n: 8}`), made from the dataclasses they name.

A part's keys are its dataclass's fields: adding a strategy, stopping rule or verifier means one line in a
registry.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, create_model

from .. import stopping, strategies, verifiers
from ..context import Verifier
from ..errors import InvalidInputError
from ..stopping import StoppingRule
from .document import KeyPath
from .mistakes import Mistakes, did_you_mean

__all__ = ["STOPPING_RULES", "STRATEGIES", "VERIFIERS", "Registry", "build", "parameters"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Parts of one kind by the key they have in files."""

    what: str
    parts: Mapping[str, type]


def _keyed(*classes: type, suffixes: tuple[str, ...] = ()) -> dict[str, type]:
    return {_without_suffix(_snake(cls.__name__), suffixes): cls for cls in classes}


def _without_suffix(name: str, suffixes: tuple[str, ...]) -> str:
    return next((name.removesuffix(suffix) for suffix in suffixes if name.endswith(suffix)), name)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _stopping_rules() -> list[type]:
    """Every rule the module offers: its public dataclasses that decide to stop."""
    public: list[type] = [getattr(stopping, name) for name in stopping.__all__]
    return [part for part in public if dataclasses.is_dataclass(part) and hasattr(part, "should_stop")]


STRATEGIES = Registry(
    what="strategy", parts=_keyed(strategies.Single, strategies.SelfConsistency, strategies.BestOfN)
)
STOPPING_RULES = Registry(what="stopping rule", parts=_keyed(*_stopping_rules(), suffixes=("_stop", "_of")))
VERIFIERS = Registry(what="verifier", parts=verifiers.REGISTRY)

_BY_ANNOTATION: Mapping[Any, Registry] = {StoppingRule: STOPPING_RULES, Verifier: VERIFIERS}


def build(
    registry: Registry,
    value: Any,
    at: KeyPath,
    mistakes: Mistakes,
    *,
    defaults: Mapping[str, Any] | None = None,
) -> Any:
    """The part `value` names, or None with its mistakes noted.

    Three ways to write one: `lead` (all defaults), `{beta: 0.95}` (its first parameter),
    `{self_consistency: {n: 8}}`.

    Args:
        registry: The parts there are.
        value: What the file says.
        at: Where it says it.
        mistakes: Receives what is wrong.
        defaults: Values for parameters of these names that the file does not give.
    """
    if isinstance(value, str):
        name, given = value, None
    elif isinstance(value, dict) and len(value) == 1:
        ((name, given),) = value.items()
    else:
        mistakes.add(at, f"expected one {registry.what}: {', '.join(registry.parts)}")
        return None
    part = registry.parts.get(name)
    if part is None:
        hint = did_you_mean(name, registry.parts)
        known = "" if hint else f"; there are: {', '.join(registry.parts)}"
        mistakes.add((*at, name), f"no {registry.what} `{name}`{known}", hint=hint, key=True)
        return None
    here = at if isinstance(value, str) else (*at, name)
    if given is not None and not isinstance(given, dict):
        given = _shorthand(part, given, here, mistakes)
    return None if given is _WRONG else _make(part, given or {}, here, mistakes, defaults or {})


_WRONG: Any = object()


def _shorthand(part: type, given: Any, at: KeyPath, mistakes: Mistakes) -> Any:
    fields = parameters(part)
    if not fields:
        mistakes.add(at, f"`{at[-1]}` takes no parameters")
        return _WRONG
    return {next(iter(fields)): given}


def parameters(part: type) -> dict[str, dataclasses.Field[Any]]:
    """The parameters of a part, in order."""
    return {field.name: field for field in dataclasses.fields(part) if field.init}


def _make(
    part: type, given: dict[str, Any], at: KeyPath, mistakes: Mistakes, defaults: Mapping[str, Any]
) -> Any:
    before = len(mistakes.found)
    registries = {name: registry for name in parameters(part) if (registry := _registry_of(part, name))}
    values = {
        name: value for name, value in defaults.items() if name in parameters(part) and value is not None
    }
    try:
        checked = _model(part).model_validate(given | {n: None for n in registries if n in given})
        set_here = {name.removeprefix(_OWN) for name in checked.model_fields_set}
        values |= {name: getattr(checked, _OWN + name) for name in set_here if name not in registries}
    except ValidationError as error:
        mistakes.add_validation(error, at, lambda _: parameters(part))
    for name, registry in registries.items():
        if name in given:
            make = _build_all if _is_several(part, name) else build
            values[name] = make(registry, given[name], (*at, name), mistakes)
    for name, field in parameters(part).items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values and name not in given:
            mistakes.add(at, f"`{name}` is missing in `{at[-1]}`", hint=_MISSING_HINTS.get(name))
    if len(mistakes.found) > before:
        return None
    try:
        return part(**values)
    except InvalidInputError as error:
        mistakes.add(_blamed(str(error), given, at), str(error))
        return None


def _build_all(registry: Registry, value: Any, at: KeyPath, mistakes: Mistakes) -> tuple[Any, ...]:
    """The parts of a list, such as the rules of `any: [...]`."""
    if not isinstance(value, list):
        mistakes.add(at, f"expected a list, each entry one {registry.what}: {', '.join(registry.parts)}")
        return ()
    return tuple(build(registry, entry, (*at, number), mistakes) for number, entry in enumerate(value))


_MISSING_HINTS = {"verifier": "give it here, or as the file's `check:`"}


def _blamed(message: str, given: Mapping[str, Any], at: KeyPath) -> KeyPath:
    """The place of the first given parameter that an error's message names."""
    for word in re.findall(r"\w+", message):
        if word in given:
            return (*at, word)
    return at


def _registry_of(part: type, name: str) -> Registry | None:
    hint = _without_none(get_type_hints(part)[name])
    return _BY_ANNOTATION.get(get_args(hint)[0] if get_origin(hint) is tuple else hint)


def _is_several(part: type, name: str) -> bool:
    return get_origin(_without_none(get_type_hints(part)[name])) is tuple


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else hint
    return hint


_OWN = "own_"
"""Stands before a parameter's name in its model, where `schema` and others are pydantic's."""


@cache
def _model(part: type) -> type[BaseModel]:
    """A pydantic model with `part`'s fields; every one optional, as defaults stay the dataclass's own."""
    hints = get_type_hints(part)
    fields: dict[str, Any] = {}
    for name in parameters(part):
        hint = Any if _registry_of(part, name) else hints[name]
        if get_origin(_without_none(hint)) is tuple:
            hint = Annotated[hint, Strict(False)]
        fields[_OWN + name] = (hint, Field(default=None, alias=name))
    config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)
    return create_model(part.__name__, __config__=config, **fields)
