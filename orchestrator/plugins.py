"""Parts that other packages bring, by the names of their entry points.

A package names its parts in its `pyproject.toml`, under the group of their kind:

    [project.entry-points."orchestrator.strategies"]
    first_of_two = "my_package:FirstOfTwo"

Nothing is looked up, let alone imported, until a name is asked for that is not built in; what is built in stays what
it is.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from operator import attrgetter
from typing import Any

from .errors import InvalidInputError

__all__ = ["ANSWER_KINDS", "BACKENDS", "STRATEGIES", "VERIFIERS", "find", "name_of", "names"]

STRATEGIES = "orchestrator.strategies"
VERIFIERS = "orchestrator.verifiers"
BACKENDS = "orchestrator.backends"
ANSWER_KINDS = "orchestrator.answer_kinds"


def names(group: str) -> tuple[str, ...]:
    """The names of all parts of a group, sorted; none of their packages is imported."""
    return tuple(sorted({point.name for point in _points(group, tuple(sys.path))}))


def find(group: str, name: str, *, built_in: Collection[str] = ()) -> Any | None:
    """What a package brings under `name`; None when no package does.

    Args:
        group: One of the groups above.
        name: The name that a program file uses.
        built_in: Names of the group that no package can give another meaning.

    Raises:
        InvalidInputError: It cannot be imported, two packages bring it, or its package claims a name that is
            built in; names the package.
    """
    points = _points(group, tuple(sys.path))
    found = {_of(point): point for point in points if point.name == name}
    if not found or name in built_in:
        return None
    if len(found) > 1:
        raise InvalidInputError(
            f"{len(found)} packages bring `{name}` for {group}: {', '.join(sorted(found))}; uninstall all but one"
        )
    [(package, point)] = found.items()
    if shadowing := sorted({one.name for one in points if _of(one) == package and one.name in built_in}):
        raise InvalidInputError(
            f"{package} brings {', '.join(f'`{one}`' for one in shadowing)} for {group}, which is built in: "
            "its author must choose another name"
        )
    try:
        return point.load()
    except Exception as error:  # whatever another package's module does when it is imported
        raise InvalidInputError(
            f"`{name}` of {package} cannot be imported ({point.value}): {type(error).__name__}: {error}"
        ) from error


def name_of(group: str, part: object) -> str | None:
    """The name under which a package brings `part`, None when none does; nothing is imported for it."""
    return next((point.name for point in _points(group, tuple(sys.path)) if _is(point, part)), None)


def _is(point: EntryPoint, part: object) -> bool:
    """Whether an entry point leads to `part`, as far as its package has been imported."""
    module = sys.modules.get(point.module)
    try:
        return module is not None and (attrgetter(point.attr)(module) if point.attr else module) is part
    except AttributeError:
        return False


@lru_cache(maxsize=8)
def _points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The entry points of a group that the packages on `path`, Python's own, have."""
    return tuple(entry_points(group=group))


def _of(point: EntryPoint) -> str:
    """The package an entry point belongs to, with its version."""
    return "an unknown package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
