"""The kinds of parts that a program file can name, and the classes of each by their keys."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from .. import contracts, monitors, plugins, stopping, strategies, verifiers, voting
from ..budget import Budget
from ..contracts import ControlProgram, Verifier
from ..errors import InvalidInputError
from ..monitors import Monitor
from ..primitives import PRIMITIVES
from ..primitives.switch import Case
from ..spelling import snake_case
from ..stopping import StoppingRule
from ..strategies import Acceptance, FunctionScorer, Scorer, StepGenerator, Strategy, Tier, TreeSearch
from ..voting import Weighting
from .annotations import hint_of, parameters, shown_as, without_none

if TYPE_CHECKING:
    from .names import Names

__all__ = [
    "ACCEPTANCES",
    "CONDITION",
    "MONITORS",
    "REGISTRIES",
    "SCORERS",
    "STOPPING_RULES",
    "STRATEGIES",
    "VERIFIERS",
    "WEIGHTINGS",
    "Registry",
    "key_of",
    "key_order",
    "kind_of",
    "registry_of",
    "what_inline",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Parts of one kind by the key they have in files.

    Attributes:
        what: What such a part is called.
        parts: The classes by key.
        rewrite: Turns another way of writing a part into `{key: parameters}`; what it does not know it returns. It is
            also given what says whether a name is a verifier's.
        section: Where a file declares such parts by name, or None.
        group: The entry points by which packages bring such parts, or None.
        method: What makes a class of another package such a part.
    """

    what: str
    parts: Mapping[str, type]
    rewrite: Callable[[Any, Callable[[str], bool]], Any] = lambda value, _: value
    section: Literal["verifiers", "programs"] | None = None
    group: str | None = None
    method: str = "__call__"

    def find(self, name: str) -> type | None:
        """The class of that key, built in or brought by a package; None when there is none.

        Raises:
            InvalidInputError: A package brings it, and it cannot be imported or is no such part.
        """
        if name in self.parts or self.group is None:
            return self.parts.get(name)
        found = plugins.find(self.group, name, built_in=self.parts.keys())
        if found is None:
            return None
        if not (isinstance(found, type) and dataclasses.is_dataclass(found) and hasattr(found, self.method)):
            raise InvalidInputError(
                f"the {self.what} `{name}` of another package must be a dataclass with `{self.method}`, not {found!r}"
            )
        return found

    def key_of(self, part: type) -> str | None:
        """The key of a class, built in or brought by a package; None when it has none."""
        built_in = next((key for key, one in self.parts.items() if one is part), None)
        if built_in is not None or self.group is None:
            return built_in
        brought = plugins.name_of(self.group, part)
        return None if brought in self.parts else brought

    def instead(self, given: str) -> str | None:
        """A hint where `given` is not a key, but it is clear what is meant; else None."""
        if self.what == "strategy" and given in PRIMITIVES:
            return f"`{given}` is a step: write `steps: [{{{given}: ...}}]`"
        return None

    def known(self, names: Names | None = None) -> list[str]:
        """All keys: built in, brought by packages, and those that `names` declare."""
        brought = () if self.group is None else plugins.names(self.group)
        declared = () if names is None or self.section is None else names.of(self.section)
        return list(dict.fromkeys((*self.parts, *declared, *brought)))


def _keyed(*classes: type, suffixes: tuple[str, ...] = ()) -> dict[str, type]:
    return dict(sorted((_key(cls, suffixes), cls) for cls in classes))


def _key(cls: type, suffixes: tuple[str, ...]) -> str:
    """What a class is called in files: its name in snake case, or its `key` where that cannot be told from it."""
    return getattr(cls, "key", None) or _without_suffix(snake_case(cls.__name__), suffixes)


def _without_suffix(name: str, suffixes: tuple[str, ...]) -> str:
    return next((name.removesuffix(suffix) for suffix in suffixes if name.endswith(suffix)), name)


def _public(module: ModuleType, has: str) -> list[type]:
    """The parts a module offers: its public dataclasses with the method that makes them one."""
    public: list[type] = [getattr(module, name) for name in module.__all__]
    return [part for part in public if dataclasses.is_dataclass(part) and hasattr(part, has)]


def _strategies() -> list[type]:
    roots = (Strategy, TreeSearch)
    return [part for part in _public(strategies, "draw") if issubclass(part, Strategy) and part not in roots]


def _scorers() -> list[type]:
    return [part for part in _public(strategies, "score") if part is not FunctionScorer]


STRATEGIES = Registry(
    what="strategy", parts=_keyed(*_strategies()), section="programs", group=plugins.STRATEGIES
)
STOPPING_RULES = Registry(
    what="stopping rule", parts=_keyed(*_public(stopping, "should_stop"), suffixes=("_stop", "_of"))
)
MONITORS = Registry(what="monitor", parts=_keyed(*_public(monitors, "watch")))
VERIFIERS = Registry(
    what="verifier",
    parts=verifiers.REGISTRY,
    section="verifiers",
    group=plugins.VERIFIERS,
    method="score",
)
WEIGHTINGS = Registry(what="weighting", parts=_keyed(*_public(voting, "weights"), suffixes=("_rank",)))

CONDITION = re.compile(r"\s*(\w+)\s*>=\s*(\d*\.?\d+)\s*")
"""A rule of acceptance in short: `agreement >= 0.75`."""


COMPARED = re.compile(r"\s*(\w+)\s*([<>=!]{1,2})\s*(\d*\.?\d+)\s*")
"""What may be meant as one."""

CONFIDENCE = "confidence"
"""What the rule `confident` is called in short."""


def condition_meant(
    given: str, closest: Callable[[str, Iterable[str]], str | None], known: Iterable[str]
) -> str:
    """A hint for what is meant as a rule of acceptance in short and is none, which keeps its number."""
    match = COMPARED.fullmatch(given)
    if match is None:
        return "a rule is a name, `>=` and a number, such as `agreement >= 0.75`"
    name, sign, number = match.groups()
    names = [CONFIDENCE if one == "confident" else one for one in known if one != "scored"]
    if sign == ">=":
        found = closest(name, names)
        return re.sub(r"`(\w+)`", rf"`\1 >= {number}`", found) if found else f"there are: {', '.join(names)}"
    return f"only `>=` is possible, as in `{name} >= {number}`"


def _condition(value: Any, is_verifier: Callable[[str], bool]) -> Any:
    """`agreement >= 0.75` as `{agreement: 0.75}`, and with a verifier's key as a score by it."""
    match = CONDITION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    name, number = match[1], float(match[2])
    name = {CONFIDENCE: "confident"}.get(name, name)
    if is_verifier(name):
        return {"scored": {"verifier": name, "at_least": number}}
    return {name: {"at_least": number}}


ACCEPTANCES = Registry(
    what="rule of acceptance", parts=_keyed(*_public(strategies, "confidence")), rewrite=_condition
)

SCORERS = Registry(what="scorer of prompts", parts=_keyed(*_scorers(), suffixes=("_scorer",)))

_BY_ANNOTATION: Mapping[Any, Registry] = {
    Acceptance: ACCEPTANCES,
    ControlProgram: STRATEGIES,
    Monitor: MONITORS,
    Scorer: SCORERS,
    StoppingRule: STOPPING_RULES,
    Verifier: VERIFIERS,
    Weighting: WEIGHTINGS,
}


REGISTRIES = (STRATEGIES, VERIFIERS, STOPPING_RULES, WEIGHTINGS, ACCEPTANCES, MONITORS, SCORERS)
"""All kinds of parts."""

_NESTED = (Budget, Case, StepGenerator)
"""Parameters that are a mapping of their own."""


def registry_of(part: type) -> Registry | None:
    """The kind of parts that a class is of, where it has a key; None where it has none."""
    return next((registry for registry in REGISTRIES if registry.key_of(part) is not None), None)


def key_of(part: object) -> str:
    """What files call a part; what it would be called, where it has no key."""
    registry = registry_of(type(part))
    return (registry and registry.key_of(type(part))) or contracts.key_of(part)


_BESIDE = {
    "id",
    *(shown_as(step, name) for step in PRIMITIVES.values() for name in step.beside),
    *(name for name in parameters(Tier) if name != Tier.inline),
}
"""What stands beside what a list's item does."""


def key_order(keys: Sequence[str]) -> list[str]:
    """The order a file has the keys of a list's item in: the `id` of a step, what it does, and what stands beside.

    What it does may have a name that only the file knows, or a package: it is what does not stand beside.
    """
    built_in = [key for key in keys if key in PRIMITIVES or any(key in one.parts for one in REGISTRIES)]
    does = built_in or [key for key in keys if key not in _BESIDE]
    first = [key for key in ("id", *does[:1]) if key in keys]
    return first + [key for key in keys if key not in first]


def kind_of(part: type, name: str) -> Registry | type | None:
    """What a parameter is made from when it is itself a part, or several: its registry, a class with `inline`, or one
    of those written as a mapping."""
    hint = without_none(hint_of(part, name))
    kind = get_args(hint)[0] if get_origin(hint) is tuple else hint
    if isinstance(kind, type) and hasattr(kind, "inline") and dataclasses.is_dataclass(kind):
        return kind
    if isinstance(kind, type) and kind in _NESTED:
        return kind
    return _BY_ANNOTATION.get(kind) if isinstance(kind, type) else None


def what_inline(part: type) -> Registry:
    registry = kind_of(part, part.inline)  # type: ignore[attr-defined]
    assert isinstance(registry, Registry)
    return registry
