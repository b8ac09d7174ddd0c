"""The JSON Schema of program files, for editors and for checks without this library.

It is made from what the loader itself goes by: the specs of the sections, and the fields of the dataclasses that
parts and steps are, with the ranges that these take. It says what files look like; what they mean (names that are
declared, types of expressions, what depends on several parameters) only the loader can say. Where a file may declare
a name of its own, any name passes.
"""

from __future__ import annotations

import dataclasses
import keyword
import types
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from ..expressions import is_name
from ..primitives import PRIMITIVES, ForEach, Let, Parallel, Primitive, Run, Score
from ..primitives.base import Block
from ..primitives.parallel import FIELDS, FIRST
from ..prompts import Prompt
from .annotations import (
    hint_of,
    is_mapping,
    is_required,
    is_several,
    kinds_of,
    names_models,
    parameters,
    python_only,
    shown_as,
    takes_null,
    without_none,
)
from .blocks import reserved
from .docstrings import said_of, summary
from .limits import limits_of
from .registries import ACCEPTANCES, CONDITION, STRATEGIES, VERIFIERS, Registry, kind_of
from .spec import IncludedSpec, ProgramSpec

__all__ = ["DIALECT", "schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema: TypeAlias = dict[str, Any]

NAME = "^[A-Za-z_][A-Za-z0-9_]*$"

NO_NAMES = sorted(word for word in {*keyword.kwlist, "true", "false", "none"} if not is_name(word))
VALUE_NAME = f"^(?!__)(?!({'|'.join(NO_NAMES)})$)[A-Za-z_][A-Za-z0-9_]*$"
"""A name that expressions can use."""

EXPRESSION: Schema = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
NOTHING: Schema = {"type": ["null", "object"], "maxProperties": 0}
"""What stands behind a name that the file declares."""

DECLARED_STEP: Schema = {
    "anyOf": [
        EXPRESSION,
        {"type": "null"},
        {"type": "object", "properties": {"of": EXPRESSION}, "additionalProperties": False},
    ]
}
"""The same in a step: nothing for a program, what it judges for a verifier."""

DECLARED: Schema = {"pattern": NAME, "not": {"enum": sorted(reserved())}}
"""A name that a file can give to a verifier or a program."""

OURS = __name__.partition(".")[0] + "."
"""How the modules of this package begin."""

FURTHER: Mapping[tuple[type, str], Schema] = {
    (Parallel, "wait"): {"pattern": rf"^(all|race|{FIRST.pattern})$"},
    (Parallel, "branches"): {"propertyNames": {"pattern": VALUE_NAME, "not": {"enum": list(FIELDS)}}},
    (ForEach, "item"): {"pattern": VALUE_NAME},
    (Let, "values"): {"propertyNames": {"pattern": VALUE_NAME}},
}
"""What is said of parameters that a class checks only where it stands among others."""


def schema(*, installed: bool = True) -> Schema:
    """The schema of program files, in JSON Schema's draft 2020-12.

    Args:
        installed: Whether the strategies and verifiers of other packages that are installed are in it, with their
            parameters; without, they pass where nothing is given to them.

    Raises:
        InvalidInputError: One of another package cannot be imported; names the package.
    """
    return _Builder(installed=installed).file()


class _Builder:
    """Gathers the definitions that the schema refers to."""

    def __init__(self, *, installed: bool) -> None:
        self._installed = installed
        self._definitions: Schema = {}

    def file(self) -> Schema:
        """The whole."""
        made = ProgramSpec.model_json_schema()
        self._definitions = {name: _tidied(one) for name, one in made.get("$defs", {}).items()}
        properties = {name: _tidied(one) for name, one in made["properties"].items()}
        self._close_models()
        self._definitions["AnswerSpec"]["properties"]["labels"] |= {"minItems": 2, "uniqueItems": True}
        strategy, verifier = self._registry(STRATEGIES), self._registry(VERIFIERS)
        properties["check"] = {"anyOf": [verifier, {"type": "null"}]}
        properties["program"] = {}
        for name, what in (("verifiers", verifier), ("programs", strategy)):
            properties[name] = {"type": "object", "additionalProperties": what}
        properties["prompts"]["propertyNames"] = {"pattern": NAME}
        for name in ("verifiers", "programs"):
            properties[name]["propertyNames"] = DECLARED
        checked = {"required": ["check"], "properties": {"check": {"not": {"type": "null"}}}}
        return {
            "$schema": DIALECT,
            "title": "A control program over language models",
            "description": "See `orchestrator check` for all that a schema cannot say.",
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "dependentSchemas": {
                "outputs": {"properties": {"program": {"type": "object", "required": ["steps"]}}}
            },
            "if": {"required": ["program"]},
            "then": {
                "required": ["version"],
                "allOf": [
                    {
                        "if": checked,
                        "then": {"properties": {"program": self._registry(STRATEGIES, filled=("verifier",))}},
                        "else": {"properties": {"program": strategy}},
                    },
                    {
                        "if": {"not": {"required": ["include"]}},
                        "then": {"required": ["models"], "properties": {"models": {"minProperties": 1}}},
                    },
                ],
            },
            "else": {
                "description": "A file that others include: it brings parts by name, and nothing else.",
                "propertyNames": {"enum": list(IncludedSpec.model_fields)},
                "anyOf": [{"required": [name]} for name in IncludedSpec.model_fields if name != "version"],
            },
            "$defs": dict(sorted(self._definitions.items())),
        }

    def _close_models(self) -> None:
        """A model of another package's backend takes any parameters, but is not of two kinds at once."""
        kinds = {"local": "LocalSpec", "base_url": "EndpointSpec", "replay": "ReplaySpec"}
        if "BackendSpec" in self._definitions:
            self._definitions["BackendSpec"]["propertyNames"] = {"not": {"enum": list(kinds)}}
        self._definitions["EndpointSpec"]["properties"]["base_url"]["pattern"] = "^https?://"

    def _defined(self, name: str, make: Any) -> Schema:
        if name not in self._definitions:
            self._definitions[name] = {}  # stands for itself inside its own definition
            self._definitions[name] = make()
        return {"$ref": f"#/$defs/{name}"}

    # Parts -----------------------------------------------------------------------------------------------

    def _parts(self, registry: Registry) -> Mapping[str, type]:
        """The parts of a kind by their keys."""
        if not self._installed:
            return registry.parts
        found = {key: registry.find(key) for key in registry.known()}
        return {key: part for key, part in found.items() if part is not None}

    def _registry(self, registry: Registry, *, filled: Iterable[str] = ()) -> Schema:
        """One part of a kind; parameters in `filled` need not be given."""
        name = registry.what.replace(" ", "_") + "".join(f"_with_{one}" for one in filled)
        return self._defined(name, lambda: self._named(registry, tuple(filled)))

    def _named(self, registry: Registry, filled: tuple[str, ...]) -> Schema:
        free = [key for key, part in self._parts(registry).items() if not _required(part, filled)]
        texts: list[Schema] = [{"type": "string", "enum": free}]
        is_open = registry in (STRATEGIES, VERIFIERS)
        if is_open:
            texts.append({"type": "string", **DECLARED})
        if registry is ACCEPTANCES:
            texts.append({"type": "string", "pattern": f"^{CONDITION.pattern}$"})
        properties = {key: self._part(registry, key, filled) for key in self._parts(registry)}
        one = {"minProperties": 1, "maxProperties": 1}
        mapping: Schema = {
            "type": "object",
            "properties": properties,
            "additionalProperties": NOTHING if is_open else False,
            **one,
        }
        if is_open:
            mapping["propertyNames"] = {"anyOf": [{"enum": list(properties)}, DECLARED]}
        if registry is STRATEGIES:
            composed = self._composed()
            mapping = {
                **mapping,
                "propertyNames": {"anyOf": [{"enum": [*properties, *composed]}, DECLARED]},
                "properties": properties | composed,
                "oneOf": [
                    {"required": ["steps"], "propertyNames": {"enum": list(composed)}},
                    {"propertyNames": {"not": {"enum": list(composed)}}, **one},
                ],
            }
            for bound_key in one:
                del mapping[bound_key]
        return {"description": f"A {registry.what}.", "anyOf": [*texts, mapping]}

    def _composed(self) -> Schema:
        """The keys of a program that is composed of steps."""
        return {
            "steps": self._steps(),
            "outputs": {"type": "object", "additionalProperties": EXPRESSION},
        }

    def _part(self, registry: Registry, key: str, filled: tuple[str, ...]) -> Schema:
        part = self._parts(registry)[key]
        changed = filled and set(filled) & set(_required(part))
        name = f"{registry.what.replace(' ', '_')}.{key}" + (
            "".join(f"_with_{n}" for n in filled) if changed else ""
        )
        return self._defined(name, lambda: self._behind_key(part, _required(part, filled)))

    def _behind_key(self, part: type, required: list[str], *, extra: Schema | None = None) -> Schema:
        """The parameters of a part: a mapping, one alone (see `short_form`), or nothing where none is required."""
        names = [(name, shown_as(part, name)) for name in parameters(part)]
        properties = {**(extra or {}), **self._parameters(part, [name for name, _ in names])}
        return _with_shorthand(properties, [*(extra or {}), *required]) | _described(summary(part))

    def _parameters(self, part: type, names: Iterable[str]) -> Schema:
        fields, said = parameters(part), said_of(part)
        found: Schema = {}
        for name in names:
            one = self._parameter(part, name)
            if one is None:
                continue
            default = fields[name].default
            if (
                default is not dataclasses.MISSING
                and isinstance(default, str | int | float)
                and "$ref" not in one
            ):
                one = {**one, "default": default}
            one = _limited(one, part, name)
            if takes_null(part, name) and one.get("type") in ("array", "object"):
                one["type"] = [one["type"], "null"]
            found[shown_as(part, name)] = one | _described(said.get(name))
        return found

    def _parameter(self, part: type, name: str) -> Schema | None:
        """What a parameter takes; None for one that no file can say."""
        hint = hint_of(part, name)
        inner = without_none(hint)
        made = self._made(part, name, inner)
        if made is not None:
            return {"anyOf": [made, {"type": "null"}]} if type(None) in get_args(hint) else made
        if python_only(hint):
            return None
        try:
            return _plain(hint)
        except TypeError:
            if part.__module__.startswith(OURS):
                raise
            return {}  # another package's class, which may take what only Python can say

    def _made(self, part: type, name: str, inner: Any) -> Schema | None:
        """A parameter that is made from parts or steps; None for a plain one."""
        if inner == Block:
            return self._steps(may_be_empty=not is_required(parameters(part)[name]))
        if inner == Mapping[str, Block]:
            return {"type": "object", "additionalProperties": self._steps()}
        if Prompt in kinds_of(inner):
            use = {"type": "object", "properties": {"use": {"type": "string"}}, "required": ["use"]}
            return {"anyOf": [{"type": "string"}, {**use, "additionalProperties": False}]}
        kind = kind_of(part, name)
        if kind is None:
            return None
        one = self._registry(kind) if isinstance(kind, Registry) else self._mapping_of(kind)
        return {"type": "array", "items": one} if is_several(part, name) else one

    def _mapping_of(self, kind: type) -> Schema:
        """A class that is written as a mapping of its own, or with another part inside it."""
        if not hasattr(kind, "inline"):
            names = list(parameters(kind))
            return self._defined(
                kind.__name__,
                lambda: _closed(self._parameters(kind, names), _required(kind)) | _described(summary(kind)),
            )
        return self._defined(kind.__name__, lambda: self._inline(kind, kind.inline))

    def _inline(self, kind: type, inside: str) -> Schema:
        registry = kind_of(kind, inside)
        assert isinstance(registry, Registry)
        actions = {key: self._part(registry, key, ()) for key in self._parts(registry)}
        common = self._parameters(kind, [name for name in parameters(kind) if name != inside])
        beside: Mapping[str, Schema] = {}
        if registry is STRATEGIES:
            composed = self._composed()
            actions["steps"], beside = composed["steps"], {"steps": {"outputs": composed["outputs"]}}
        texts = self._named(registry, ())["anyOf"][:2]
        mapping = _one_action(actions, common, beside, {}, declared=NOTHING, declared_beside={})
        return {"anyOf": [*texts, mapping]} | _described(summary(kind))

    # Steps -----------------------------------------------------------------------------------------------

    def _steps(self, *, may_be_empty: bool = False) -> Schema:
        step = self._defined("step", self._step)
        return {"type": "array", "items": step, **({} if may_be_empty else {"minItems": 1})}

    def _step(self) -> Schema:
        actions: Schema = {}
        beside: dict[str, Schema] = {}
        required: dict[str, list[str]] = {}
        for key, cls in PRIMITIVES.items():
            actions[key] = self._action(cls)
            beside[key] = self._parameters(cls, cls.beside)
            outer = [name for name in cls.beside if is_required(parameters(cls)[name])]
            required[key] = [shown_as(cls, name) for name in outer]
        for registry, short in ((STRATEGIES, Run), (VERIFIERS, Score)):
            for key, part in self._parts(registry).items():
                if key not in actions:
                    actions[key] = self._part_as_step(registry, key, part)
                    beside[key] = self._parameters(short, short.beside)
        called = "What later steps call its value."
        common = {"id": {"type": ["string", "null"], "pattern": VALUE_NAME, "description": called}}
        made = _one_action(
            actions,
            common,
            beside,
            required,
            declared=DECLARED_STEP,
            declared_beside=self._parameters(Run, Run.beside),
        )
        return made | _described("A step: one thing to do, and what its value is called.")

    def _action(self, cls: type[Primitive]) -> Schema:
        """What stands behind a primitive's key."""
        inner = [name for name in parameters(cls) if name != "id" and name not in cls.beside]
        if len(inner) == 1 and is_mapping(cls, inner[0]):
            found = self._parameters(cls, inner)[shown_as(cls, inner[0])]
            return {**found, **_described(summary(cls))}
        properties = self._parameters(cls, inner)
        instead = {name: steps for name in inner if (steps := _steps_in_place(cls, name))}
        needed = [shown_as(cls, name) for name in inner if is_required(parameters(cls)[name])]
        made = _with_shorthand(properties, needed)
        for name, steps in instead.items():
            keys = [shown_as(cls, name), *(step.key for step in steps)]
            mapping = _closed(
                {**properties, **{step.key: self._action(step) for step in steps}},
                [one for one in needed if one != keys[0]],
            )
            made["anyOf"][0] = {**mapping, "oneOf": [{"required": [key]} for key in keys]}
        return made | _described(summary(cls))

    def _part_as_step(self, registry: Registry, key: str, part: type) -> Schema:
        """A strategy or a verifier as a step: `judge: {of: drafts, model: small}`."""
        if registry is STRATEGIES:
            return self._part(registry, key, ())
        extra = {
            "of": {**EXPRESSION, "description": "What is judged: a candidate, candidates or an outcome."}
        }
        return self._defined(f"score.{key}", lambda: self._behind_key(part, _required(part), extra=extra))


def _one_action(
    actions: Mapping[str, Schema],
    common: Mapping[str, Schema],
    beside: Mapping[str, Schema],
    required: Mapping[str, list[str]],
    *,
    declared: Schema,
    declared_beside: Mapping[str, Schema],
) -> Schema:
    """A mapping with exactly one of `actions`, or a name that the file declares, and what may stand beside it."""
    properties = {**actions, **common}
    for more in (*beside.values(), declared_beside):
        properties |= more
    ways: list[Schema] = [
        {
            "required": [key, *required.get(key, ())],
            "propertyNames": {"enum": [key, *common, *beside.get(key, ())]},
        }
        for key in actions
    ]
    known = [*common, *declared_beside]
    fixed = [key for key in properties if key not in known]
    ways.append(
        {
            "propertyNames": {"anyOf": [{"enum": known}, {"pattern": NAME, "not": {"enum": fixed}}]},
            "not": {"propertyNames": {"enum": known}},
            "maxProperties": len(known) + 1,
        }
    )
    return {"type": "object", "properties": properties, "additionalProperties": declared, "oneOf": ways}


def _with_shorthand(properties: Mapping[str, Schema], required: list[str]) -> Schema:
    """Parameters as a mapping, the first one that names no model alone where no other is required, or none at all."""
    ways: list[Schema] = [_closed(properties, required)]
    first = next((name for name in properties if not names_models(name)), None)
    if first is not None and not set(required) - {first}:
        alone = {name: value for name, value in properties[first].items() if name != "default"}
        ways.append({"allOf": [{"not": {"type": ["object", "null"]}}, alone]})
    if not required:
        ways.append({"type": "null"})
    return {"anyOf": ways}


def _limited(one: Schema, part: type, name: str) -> Schema:
    """The schema of a parameter with what it takes beyond its type."""
    limits = {**limits_of(part, name), **FURTHER.get((part, name), {})}
    # A step's lists are checked only where it stands: what a step is made from has at least one entry.
    listed = any(get_origin(kind) is tuple for kind in kinds_of(hint_of(part, name)))
    if listed and issubclass(part, Primitive) and is_required(parameters(part)[name]):
        limits["minItems"] = 1
    if "items" in limits and "items" in one:
        limits["items"] = one["items"] | limits["items"]
    return one | limits


def _closed(properties: Mapping[str, Schema], required: list[str]) -> Schema:
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**made, "required": required} if required else made


def _required(part: type, filled: Iterable[str] = ()) -> list[str]:
    fields = parameters(part)
    return [shown_as(part, name) for name in fields if is_required(fields[name]) and name not in filled]


def _steps_in_place(part: type, name: str) -> list[type[Primitive]]:
    """The kinds of steps that a file can give in the place of a parameter, as in `return: {vote: {...}}`."""
    kinds = kinds_of(hint_of(part, name))
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Primitive)]


# Plain values --------------------------------------------------------------------------------------------

_TYPES: Mapping[Any, Schema] = {
    Any: {},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    Decimal: {"type": ["number", "string"]},
}


def _plain(hint: Any) -> Schema:
    """What an annotation takes."""
    if hint in _TYPES:
        return dict(_TYPES[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return dict(EXPRESSION) if "expression" in hint.__metadata__ else _plain(arguments[0])
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _plain(arguments[0])}
    if origin in (Union, types.UnionType):
        return _any_of([_plain(one) for one in arguments if not _is_step(one)])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _plain(arguments[1])}
    raise TypeError(f"no schema is known for {hint}")


def _is_step(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Primitive)


def _any_of(ways: list[Schema]) -> Schema:
    """One of several; types without parts go together."""
    simple = [way["type"] for way in ways if set(way) == {"type"}]
    flat = [name for one in simple for name in (one if isinstance(one, list) else [one])]
    rest = [way for way in ways if set(way) != {"type"}]
    if flat:
        rest.append({"type": flat[0] if len(flat) == 1 else list(dict.fromkeys(flat))})
    return rest[0] if len(rest) == 1 else {"anyOf": rest}


# Words ---------------------------------------------------------------------------------------------------


def _described(text: str | None) -> Schema:
    return {} if not text else {"description": text}


def _tidied(value: Any) -> Any:
    """A schema of pydantic's without the titles it makes up."""
    if isinstance(value, dict):
        return {
            key: _tidied(one) for key, one in value.items() if not (key == "title" and isinstance(one, str))
        }
    return [_tidied(one) for one in value] if isinstance(value, list) else value
