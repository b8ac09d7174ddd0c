"""A strategy's parameters, as `--set` and the flags of single parameters give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

from ..errors import InvalidInputError, ProgramFileError
from ..programs.document import Document, KeyPath, Place, parse
from ..programs.mistakes import Mistakes
from ..programs.parts import build_part

__all__ = ["adjusted"]

NOWHERE = Place(0, 0)
"""Where a strategy itself stands, whose parameters are on lines from 1."""


def adjusted(
    program: Any, *, called: str, flags: Mapping[str, Any], settings: Sequence[str], models: Sequence[str]
) -> Any:
    """`program` with the parameters that were given.

    Args:
        program: A strategy's class, a strategy, or a function of one's own.
        called: What it was asked for by.
        flags: Parameters with a flag of their own, such as `n`.
        settings: What `--set` was given: `PARAMETER=VALUE`, the value in YAML.
        models: Names of the models there are.

    Raises:
        InvalidInputError: A parameter that there is not, that is missing, or whose value does not fit; says which.
    """
    if not is_dataclass(program):
        for flag, used in (("--n", "n" in flags), ("--set", bool(settings))):
            if used:
                raise InvalidInputError(
                    f"{flag} is for strategies; a function of your own decides that itself"
                )
        return program
    strategy = program if isinstance(program, type) else type(program)
    _refuse_unknown(strategy, flags, called)
    document, keys = _read(settings, called)
    given: Mapping[str, Any] = document.data[called]
    if twice := [name for name in given if name in flags]:
        raise InvalidInputError(f"{twice[0]} is given twice: by --set and by --{twice[0].replace('_', '-')}")
    if strategy is program:
        _refuse_missing(strategy, {**given, **flags}, called)
    elif not given:
        changed: Any = replace(program, **flags)  # type: ignore[type-var]
        return changed
    mistakes = Mistakes(document, models=models)
    base = None if strategy is program else program
    made = build_part(strategy, given, (called,), mistakes, defaults=flags, instead_of=base)
    if mistakes.found:
        raise InvalidInputError("\n".join(_told(mistake, keys, called) for mistake in mistakes.found))
    return made


def _read(settings: Sequence[str], called: str) -> tuple[Document, list[str]]:
    """The values of all settings as one document, in which setting number i stands on line i; and their keys."""
    data: dict[str, Any] = {}
    places: dict[KeyPath, Place] = {(called,): NOWHERE}
    for number, setting in enumerate(settings, start=1):
        key, sign, text = setting.partition("=")
        key = key.strip()
        if not sign or not key.isidentifier():
            outer, dot, inner = key.partition(".")
            hint = f"; for a part of a parameter, --set '{outer}={{{inner}: ...}}'" if sign and dot else ""
            raise InvalidInputError(f"--set takes PARAMETER=VALUE, not {setting!r}{hint}")
        if key in data:
            raise InvalidInputError(f"--set gives {key} twice")
        if not text.strip():
            raise InvalidInputError(f"--set {key}: a value is missing; write null for none")
        try:
            parsed = parse(text, file=f"--set {key}")
        except ProgramFileError as error:
            column = "" if error.column is None else f" (at character {error.column})"
            raise InvalidInputError(f"--set {key}: {error.message}{column}") from error
        data[key] = parsed.data
        for path, place in parsed.values.items():
            places[called, key, *path] = Place(number, place.column)
    return Document(file="--set", data={called: data}, values=places), list(data)


def _told(mistake: ProgramFileError, keys: Sequence[str], called: str) -> str:
    where = f"--set {keys[mistake.line - 1]}" if mistake.line else called
    column = f" (at character {mistake.column})" if mistake.column and mistake.column > 1 else ""
    hint = "" if mistake.hint is None else f"\n  hint: {mistake.hint}"
    return f"{where}: {mistake.message}{column}{hint}"


def _refuse_unknown(strategy: type, given: Mapping[str, Any], called: str) -> None:
    known = {parameter.name for parameter in fields(strategy)}
    for parameter in given:
        if parameter not in known:
            raise InvalidInputError(f"{called} has no parameter for --{parameter.replace('_', '-')}")


def _refuse_missing(strategy: type, given: Mapping[str, Any], called: str) -> None:
    needed = [
        parameter.name
        for parameter in fields(strategy)
        if parameter.default is MISSING and parameter.default_factory is MISSING
    ]
    if missing := [name for name in needed if name not in given]:
        raise InvalidInputError(
            f"{called} needs {', '.join(missing)}: give it as --set {missing[0]}=VALUE, or write a program file, as "
            f"in examples/{called}.yaml"
        )
