"""What a class takes for a parameter beyond its type, as JSON Schema says it: smallest and largest numbers, texts and
lists that must not be empty.

The classes check this themselves when they are made, and nowhere else is it said: so they are asked, by making them.
A value counts as taken when the class takes it beside some values of the others, so that a limit that depends on
another parameter is none here. What a class says only of several together, this does not find.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin

from .annotations import hint_of, is_mapping, is_required, kinds_of, parameters, without_none
from .registries import Registry, kind_of

__all__ = ["limits_of"]

Limits: TypeAlias = dict[str, Any]

FAR = 2**20
"""A number that is out of most ranges; not so far that making it takes long."""

LOWEST = 16
"""Below this, the least of a range is found."""

NEAR = 1e-9
"""What a number is moved by, to see whether it is itself taken."""

ROUND = (0.0, 1e-6, 0.5, 1.0, 2.0)
"""Where ranges of numbers end that are not whole."""

LONGEST = 3
"""Entries that a list must have, at most."""

OTHERS: Mapping[Any, tuple[Any, ...]] = {
    int: (1, 0, 1000, 10_000, -4 * FAR, 4 * FAR),
    float: (0.5, 0.0, 1.0, 1.001, 1000.0),
    str: ("x", "y", "z"),
}
"""Values of a kind that are tried for the other parameters."""


@cache
def limits_of(part: type, name: str) -> Mapping[str, Any]:
    """What can be said of a parameter's value in JSON Schema's words: `minimum`, `maximum`, `exclusiveMinimum`,
    `exclusiveMaximum`, `pattern`, `minLength`, `minItems`, `items` and `minProperties`, and `type` where only null is
    taken. Nothing where the class cannot be made here.
    """
    kinds = kinds_of(hint_of(part, name))

    def takes(value: Any) -> bool:
        return any(_is_made(part, {**others, name: value}) for others in _others(part, name))

    found = _range(takes, kinds)
    if any(get_origin(kind) is tuple for kind in kinds):
        found |= _lengths(takes, part, name)
    if is_mapping(part, name) and not takes({}) and takes({"x": ()}):
        found["minProperties"] = 1
    return found


def _range(takes: Callable[[Any], bool], kinds: Collection[Any]) -> Limits:
    """What can be said of numbers and texts."""
    found: Limits = {}
    if int in kinds:
        found |= _whole(takes)
    if float in kinds:
        found |= _broken(takes)
    if str in kinds and takes("x"):
        found |= {"pattern": r"\S"} if not takes(" ") else {"minLength": 1} if not takes("") else {}
    return found


def _whole(takes: Callable[[Any], bool]) -> Limits:
    """The range of whole numbers that are taken."""
    low = next((value for value in range(LOWEST) if takes(value)), None)
    if low is None:  # where none is taken, but its absence is: a class that does not have what its parent has
        return {"type": "null"} if takes(None) and not takes(FAR) else {}
    found: Limits = {} if takes(-1) else {"minimum": low}
    return found if takes(FAR) else {**found, "maximum": _last(takes, low, FAR)}


def _last(takes: Callable[[Any], bool], inside: int, outside: int) -> int:
    """The last whole number that is taken, from one that is up to one that is not."""
    while outside - inside > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if takes(middle) else (inside, middle)
    return inside


def _broken(takes: Callable[[Any], bool]) -> Limits:
    """The range of numbers that are taken, as far as it ends at a round one."""
    found: Limits = {}
    for bound, outward in (("inimum", -1), ("aximum", 1)):
        if takes(outward * float(FAR)):
            continue
        for end in ROUND:
            if takes(end) and not takes(end + outward * NEAR):
                found["m" + bound] = end
            elif not takes(end) and not takes(end + outward * NEAR) and takes(end - outward * NEAR):
                found["exclusiveM" + bound] = end
    return found


def _lengths(takes: Callable[[Any], bool], part: type, name: str) -> Limits:
    """How many entries a list must have, and what can be said of each."""
    entries = tuple(_entries(part, name))
    least = next((length for length in range(LONGEST) if takes(entries[:length])), 0)
    found: Limits = {"minItems": least} if least else {}
    kinds = [get_args(kind)[0] for kind in kinds_of(hint_of(part, name)) if get_origin(kind) is tuple]
    items = _range(lambda value: takes((value,)) or takes((value, *entries[:1])), kinds)
    return {**found, "items": items} if items else found


# Making a class -------------------------------------------------------------------------------------------


def _is_made(part: type, values: Mapping[str, Any]) -> bool:
    try:
        part(**values)
    except Exception:  # those of other packages may say no in their own way
        return False
    return True


@cache
def _others(part: type, name: str) -> tuple[Mapping[str, Any], ...]:
    """Values of the other parameters to make a class with: those of its example, and each changed by itself."""
    example = _example(part)
    if example is None:
        return ()
    known = {one: value for one, value in example.items() if one != name}
    others = [one for one in parameters(part) if one != name and kind_of(part, one) is None]
    return (known, *({**known, one: value} for one in others for value in _choices(part, one)))


@cache
def _example(part: type) -> Mapping[str, Any] | None:
    """Values a class can be made with: of what is required and, where that is not enough, of one that is not."""
    fields = parameters(part)
    required = [name for name in fields if is_required(fields[name])]
    base = {name: next(_choices(part, name), None) for name in required}
    ways = ({**base, name: value} for name in fields for value in _choices(part, name))
    return next((way for way in chain([base], ways) if _is_made(part, way)), None)


def _choices(part: type, name: str) -> Iterator[Any]:
    """Values to try for a parameter."""
    hint = hint_of(part, name)
    if any(get_origin(kind) is tuple for kind in kinds_of(hint)):
        values = tuple(_entries(part, name))
        yield from (values[:length] for length in range(1, LONGEST))
    elif is_mapping(part, name):
        yield from ({}, {"x": ()})
    else:
        yield from _entries(part, name)
    if without_none(hint) is not hint:
        yield None


def _entries(part: type, name: str) -> Iterator[Any]:
    """Values to try for a parameter, or for what a list has."""
    kind = kind_of(part, name)
    if isinstance(kind, Registry):
        yield from _simple(tuple(kind.parts.values()))
        return
    for hint in kinds_of(hint_of(part, name)):
        one = get_args(hint)[0] if get_origin(hint) is tuple else hint
        one = get_args(one)[0] if get_origin(one) is Annotated else one
        yield from get_args(one) if get_origin(one) is Literal else OTHERS.get(one, ())


@cache
def _simple(classes: tuple[type, ...]) -> tuple[Any, ...]:
    """Parts that can be made with nothing given."""
    return tuple(
        cls() for cls in classes if not any(map(is_required, parameters(cls).values())) and _is_made(cls, {})
    )
