"""Named parts of a program file (`self_consistency: {n: 8}`), made from the dataclasses they name.

A part's keys are its dataclass's fields: adding a strategy, stopping rule or verifier means one line in a
registry.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from types import ModuleType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, create_model

from .. import monitors, plugins, stopping, strategies, verifiers, voting
from ..budget import Budget
from ..contracts import ControlProgram, Verifier
from ..errors import InvalidInputError
from ..monitors import Monitor
from ..stopping import StoppingRule
from ..strategies import Acceptance, FunctionScorer, Scorer, StepGenerator, Strategy, TreeSearch
from ..voting import Weighting
from .document import KeyPath
from .mistakes import Mistakes

if TYPE_CHECKING:
    from .names import Names

__all__ = [
    "ACCEPTANCES",
    "MONITORS",
    "SCORERS",
    "STOPPING_RULES",
    "STRATEGIES",
    "VERIFIERS",
    "WEIGHTINGS",
    "Registry",
    "build",
    "build_part",
    "find_part",
    "key_of",
    "parameters",
]


LONGEST_NAME = 60
"""Characters of an unknown name that are shown."""


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

    def known(self, names: Names | None = None) -> list[str]:
        """All keys: built in, brought by packages, and those that `names` declare."""
        brought = () if self.group is None else plugins.names(self.group)
        declared = () if names is None or self.section is None else names.of(self.section)
        return list(dict.fromkeys((*self.parts, *declared, *brought)))


def _keyed(*classes: type, suffixes: tuple[str, ...] = ()) -> dict[str, type]:
    return dict(sorted((_key(cls, suffixes), cls) for cls in classes))


def _key(cls: type, suffixes: tuple[str, ...]) -> str:
    """What a class is called in files: its name in snake case, or its `key` where that cannot be told from it."""
    return getattr(cls, "key", None) or _without_suffix(_snake(cls.__name__), suffixes)


def _without_suffix(name: str, suffixes: tuple[str, ...]) -> str:
    return next((name.removesuffix(suffix) for suffix in suffixes if name.endswith(suffix)), name)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


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


def _condition(value: Any, is_verifier: Callable[[str], bool]) -> Any:
    """`agreement >= 0.75` as `{agreement: 0.75}`, and with a verifier's key as a score by it."""
    match = CONDITION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    name, number = match[1], float(match[2])
    name = {"confidence": "confident"}.get(name, name)
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


_NESTED = (Budget, StepGenerator)
"""Parameters that are a mapping of their own."""


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
    value = registry.rewrite(value, partial(_is_verifier, mistakes.names))
    if registry is STRATEGIES and isinstance(value, dict) and "steps" in value:
        from .blocks import build_steps  # which builds its steps' parameters here

        return build_steps(value, at, mistakes)
    if isinstance(value, str):
        name, given = value, None
    elif isinstance(value, dict) and len(value) == 1:
        ((name, given),) = value.items()
    else:
        mistakes.add(at, f"expected one {registry.what}: {', '.join(registry.known(mistakes.names))}")
        return None
    here = at if isinstance(value, str) else (*at, name)
    if mistakes.names is not None and registry.section and mistakes.names.has(registry.section, name):
        if given is not None:
            mistakes.add(here, f"`{name}` is declared in `{registry.section}`, with its parameters")
            return None
        return mistakes.names.get(registry.section, name, here, mistakes)
    part = find_part(registry, name, (*at, name), mistakes)
    return None if part is None else build_part(part, given, here, mistakes, key=name, defaults=defaults)


def _is_verifier(names: Names | None, name: str) -> bool:
    return name in VERIFIERS.known(names)


def find_part(registry: Registry, name: str, at: KeyPath, mistakes: Mistakes) -> type | None:
    """The class of a key that stands at `at`; None when there is none, which is noted."""
    try:
        part = registry.find(name)
    except InvalidInputError as error:
        mistakes.add(at, str(error), key=True)
        return None
    if part is None:
        known = registry.known(mistakes.names)
        hint = mistakes.closest(name, known)
        others = "" if hint else f"; there are: {', '.join(known)}"
        mistakes.add(at, f"no {registry.what} `{name[:LONGEST_NAME]}`{others}", hint=hint, key=True)
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
    """A `part` of these parameters (a mapping, the first parameter alone, or None), or None with mistakes noted.

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


_WRONG: Any = object()


def _shorthand(part: type, given: Any, at: KeyPath, mistakes: Mistakes) -> Any:
    fields = parameters(part)
    if not fields:
        mistakes.add(at, f"`{at[-1]}` takes no parameters")
        return _WRONG
    return {next(iter(fields)): given}


def key_of(strategy: object) -> str:
    """What a strategy is called in files; a class's name where it has no key."""
    names = {part: name for name, part in STRATEGIES.parts.items()}
    return names.get(type(strategy), type(strategy).__name__)


def parameters(part: type) -> dict[str, dataclasses.Field[Any]]:
    """The parameters of a part, its own first, then those it shares with all of its kind."""
    own = list(inspect.get_annotations(part))
    fields = {field.name: field for field in dataclasses.fields(part) if field.init}
    return {name: fields[name] for name in [*own, *fields] if name in fields}


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
    before = len(mistakes.found)
    registries = {name: kind for name in parameters(part) if (kind := _part_of(part, name))}
    values = {
        name: value for name, value in defaults.items() if name in parameters(part) and value is not None
    }
    try:
        checked = _model(part).model_validate(given | {n: None for n in registries if n in given})
        set_here = {name.removeprefix(_OWN) for name in checked.model_fields_set}
        values |= {name: getattr(checked, _OWN + name) for name in set_here if name not in registries}
        values |= _beside(mistakes.document.file, values, set_here)
    except ValidationError as error:
        mistakes.add_validation(error, at, lambda _: parameters(part))
    for name, registry in registries.items():
        if name in given:
            make = _build_all if _is_several(part, name) else _build_one
            values[name] = make(registry, given[name], (*at, name), mistakes)
    for name, field in parameters(part).items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and instead_of is None and name not in values and name not in given:
            hint = _MISSING_HINTS.get(name, f"write `{{{key}: {{{name}: ...}}}}`" if not given else None)
            mistakes.add(at, f"`{name}` is missing in `{key}`", hint=hint)
    wrong = any(_is_wrong(values[name], given[name]) for name in registries if name in given)
    if wrong or len(mistakes.found) > before:
        return None
    try:
        return part(**values) if instead_of is None else dataclasses.replace(instead_of, **values)
    except InvalidInputError as error:
        mistakes.add(_blamed(str(error), given, at), str(error))
        return None


def _is_wrong(made: Any, given: Any) -> bool:
    """Whether what should have been made from `given` could not be; what was wrong has been noted."""
    return None in made if isinstance(made, tuple) else made is None and given is not None


def _beside(document: str, values: Mapping[str, Any], given: set[str]) -> dict[str, str]:
    """Parameters that name files, which are meant from the document's folder: those called `file`."""
    folder = Path(document).parent
    return {name: str(folder / values[name]) for name in given if name == "file" and values[name]}


def _build_one(kind: Registry | type, value: Any, at: KeyPath, mistakes: Mistakes) -> Any:
    if isinstance(kind, Registry):
        return None if value is None else build(kind, value, at, mistakes)
    if hasattr(kind, "inline"):
        return _build_inline(kind, value, at, mistakes)
    if isinstance(value, dict):
        return _make(str(at[-1]), kind, value, at, mistakes, {})
    if value is not None:
        mistakes.add(at, f"expected a mapping with any of {', '.join(parameters(kind))}")
    return None


def _build_all(kind: Registry | type, value: Any, at: KeyPath, mistakes: Mistakes) -> tuple[Any, ...]:
    """The parts of a list, such as the rules of `any: [...]`."""
    if not isinstance(value, list):
        each = (
            f"{kind.what}: {', '.join(kind.parts)}" if isinstance(kind, Registry) else _what_inline(kind).what
        )
        mistakes.add(at, f"expected a list, each entry one {each}")
        return ()
    return tuple(_build_one(kind, entry, (*at, number), mistakes) for number, entry in enumerate(value))


def _build_inline(part: type, value: Any, at: KeyPath, mistakes: Mistakes) -> Any:
    """A part with another one written inside it: `{self_consistency: {n: 8}, accept: agreement >= 0.75}`.

    The class names the parameter that is written so in `inline`.
    """
    inside, registry = part.inline, _what_inline(part)  # type: ignore[attr-defined]
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
        mistakes.add(at, f"expected one {registry.what} ({parts}), and any of {', '.join(known)}")
        return None
    name = names[0]
    made = build(registry, inner, at, mistakes)
    given = {name: value[name] for name in value if name in known}
    return None if made is None else _make(name, part, given, at, mistakes, {inside: made})


def _what_inline(part: type) -> Registry:
    registry = _part_of(part, part.inline)  # type: ignore[attr-defined]
    assert isinstance(registry, Registry)
    return registry


_MISSING_HINTS = {"verifier": "give it here, or as the file's `check:`"}


def _blamed(message: str, given: Mapping[str, Any], at: KeyPath) -> KeyPath:
    """The place of the first given parameter that an error's message names."""
    for word in re.findall(r"\w+", message):
        if word in given:
            return (*at, word)
    return at


def _part_of(part: type, name: str) -> Registry | type | None:
    """What a parameter is made from when it is itself a part, or several: its registry, a class with `inline`, or one
    of those written as a mapping."""
    hint = _without_none(get_type_hints(part)[name])
    kind = get_args(hint)[0] if get_origin(hint) is tuple else hint
    if isinstance(kind, type) and hasattr(kind, "inline") and dataclasses.is_dataclass(kind):
        return kind
    if isinstance(kind, type) and kind in _NESTED:
        return kind
    return _BY_ANNOTATION.get(kind)


def _python_only(hint: Any) -> bool:
    """Whether a parameter takes an object that no file can say: one of a protocol without a registry, a function."""
    kind = _without_none(hint)
    return getattr(kind, "_is_protocol", False) or get_origin(kind) is Callable or kind is Callable


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
        hint = Any if _part_of(part, name) else hints[name]
        if hint is not Any and _python_only(hint):
            continue
        if get_origin(_without_none(hint)) is tuple:
            hint = Annotated[hint, Strict(False)]
        fields[_OWN + name] = (hint, Field(default=None, alias=name))
    config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)
    return create_model(part.__name__, __config__=config, **fields)
