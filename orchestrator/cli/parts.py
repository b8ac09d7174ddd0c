"""`orchestrator strategies` and `orchestrator verifiers`: what there is, and the parameters of each."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin

from ..errors import InvalidInputError
from ..programs.annotations import hint_of, is_required, is_several, parameters, python_only, shown_as
from ..programs.docstrings import about, said_of
from ..programs.registries import Registry, kind_of
from ..spelling import did_you_mean, snake_case

__all__ = ["show_all", "show_one"]

WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}
LONGEST_DEFAULT = 60
"""Characters of a default that are shown in a list."""


def show_all(registry: Registry) -> None:
    """Print the parts of a kind, each with what it does, what it costs, and its parameters."""
    for name in registry.known():
        try:
            part = registry.find(name)
        except InvalidInputError as error:  # a package's, which must not keep the others from being shown
            print(f"{name}: {error}")
            continue
        assert part is not None
        _show_facts(name, part)
        lines = [_signature(part, one, short=True) for one in _in_files(part)]
        print("    parameters:" + ("" if lines else " none"))
        for line in lines:
            print(f"        {line}")


def show_one(registry: Registry, name: str) -> None:
    """Print all about one part: how it works, and what each parameter means.

    Raises:
        InvalidInputError: There is no such part.
    """
    part = registry.find(name)
    if part is None:
        known = registry.known()
        hint = did_you_mean(name, known) or f"there are: {', '.join(known)}"
        raise InvalidInputError(f"no {registry.what} {name!r}; {hint}")
    _show_facts(name, part)
    if text := about(part):
        print(f"\n{text}")
    print("\nParameters:" + ("" if _in_files(part) else " none"))
    _show_parameters(part, "    ")


def _show_parameters(part: type, margin: str) -> None:
    """Print what each parameter means, and below one that is a mapping of its own what is in it."""
    said = said_of(part)
    for one in _in_files(part):
        print(f"{margin}{_signature(part, one)}")
        for line in said.get(one.name, "").splitlines():
            print(f"{margin}    {line}")
        inner = kind_of(part, one.name)
        if isinstance(inner, type):
            _show_parameters(inner, f"{margin}    ")


def _show_facts(name: str, part: type) -> None:
    module = sys.modules[part.__module__].__doc__ or ""
    summary, _, cost = module.strip().partition(" Cost:")
    pays = getattr(part, "pays", "")
    if not pays:  # verifiers may share a module, whose summary is then of all of them
        summary = (inspect.getdoc(part) or summary).splitlines()[0]
    calls = getattr(part, "cost", "") or cost.split("\n")[0].strip().rstrip(".").replace(" calls a ", " a ")
    print(f"{name}: {summary}")
    for fact, text in (("when it pays", pays), ("calls", calls), ("source", getattr(part, "paper", ""))):
        if text:
            print(f"    {fact}: {text}")


def _in_files(part: type) -> list[Field[Any]]:
    """The parameters that a file can give."""
    return [
        one
        for one in parameters(part).values()
        if kind_of(part, one.name) is not None or not python_only(hint_of(part, one.name))
    ]


def _signature(part: type, parameter: Field[Any], *, short: bool = False) -> str:
    """A parameter with its type and its default: `form: number | json = number`."""
    said = f"{shown_as(part, parameter.name)}: {_kind(part, parameter.name)}"
    if is_required(parameter):
        return f"{said}, required"
    factory = parameter.default_factory
    default = _written(parameter.default if factory is MISSING else factory())
    if short and len(default) > LONGEST_DEFAULT:
        default = default[: LONGEST_DEFAULT - 3] + "..."
    return f"{said} = {default}"


def _kind(part: type, name: str) -> str:
    """What a parameter takes, in words."""
    made = kind_of(part, name)
    if made is None:
        return _words(hint_of(part, name))
    what = made.what if isinstance(made, Registry) else snake_case(made.__name__).replace("_", " ")
    return f"list of {what}" if is_several(part, name) else what


def _words(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin in (Union, types.UnionType):
        given = [one for one in arguments if one is not type(None)]
        if {int, float} <= set(given):
            given.remove(int)
        return " | ".join([*map(_words, given), *(["none"] if type(None) in arguments else [])])
    if origin is tuple:
        return f"list of {_words(arguments[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return "mapping"
    return WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _written(value: Any) -> str:
    """A default as a file would have it."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if re.fullmatch(r"[\w.-]+", value) else repr(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if is_dataclass(value):
        return snake_case(type(value).__name__)
    return str(value)
