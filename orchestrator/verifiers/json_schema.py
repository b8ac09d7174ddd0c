"""JSON of a given shape. Needs the extra `schema` (jsonschema), imported when a verifier is made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from ..answers import AnswerReader
from ..answers.json_values import loads_strictly
from ..errors import InvalidInputError
from ..patterns import Pattern
from ..types import Candidate, Problem, Score
from .rules import RIGHT, WRONG, Rule

__all__ = ["JsonSchema"]

LONGEST_REASON = 200
"""Characters of a validator's message that are kept: it quotes the value."""

_FIND = AnswerReader(kind="json")


@dataclass(frozen=True, kw_only=True, eq=False)
class JsonSchema(Rule):
    """Right where the JSON value a model wrote satisfies a schema.

    The value is the whole text or, unless `whole`, the last JSON in it (in a code block, after prose, after hidden
    thinking). NaN, infinities and an object that has a name twice are not JSON. `format` is an annotation, as the
    standard has it, and is not checked; references lead to places inside the schema only, nothing is fetched.

    Args:
        schema: A JSON Schema, of the draft its `$schema` names, else 2020-12.
        whole: Whether the text must be the JSON and nothing else, white space apart.

    Raises:
        InvalidInputError: It is no valid schema, it refers to something that is not in it, or jsonschema is not
            installed.
    """

    name: ClassVar[str] = "json_schema"

    schema: Mapping[str, Any]
    whole: bool = False

    def __post_init__(self) -> None:
        _ = self._validator  # a schema that is wrong is so here, not at the first candidate

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JsonSchema) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @cached_property
    def _identity(self) -> tuple[str, bool]:
        return json.dumps(self.schema, sort_keys=True), self.whole

    @cached_property
    def _validator(self) -> Any:
        return _validator_of(self.schema)

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether there is such a value; else where in it and what is wrong."""
        wrong = self._wrong(candidate.sample.text, truncated=candidate.sample.truncated)
        return Score(value=WRONG if wrong else RIGHT, reason=wrong or "")

    def _wrong(self, text: str, *, truncated: bool) -> str | None:
        written = text
        if not self.whole:
            found = _FIND.read(text, truncated=truncated)
            if found is None:
                return "no JSON in the text"
            written = found.text
        try:
            value = loads_strictly(written)
            return self._broken(value)
        except json.JSONDecodeError as error:
            return f"the text is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        except InvalidInputError:
            raise  # a pattern that takes too long
        except (ValueError, OverflowError) as error:  # what the standard library reads and JSON has not
            return f"the text is not JSON: {error}"[:LONGEST_REASON]
        except RecursionError:
            return "the JSON is nested too deeply"

    def _broken(self, value: Any) -> str | None:
        from jsonschema.exceptions import best_match

        error = best_match(self._validator.iter_errors(value))
        return None if error is None else f"at {error.json_path}: {error.message[:LONGEST_REASON]}"


def _validator_of(schema: Mapping[str, Any]) -> Any:
    """A validator that fetches nothing."""
    if not isinstance(schema, Mapping):
        raise InvalidInputError(f"schema must be a mapping, such as {{type: object}}, not {schema!r:.80}")
    try:
        import jsonschema
        from referencing import Registry, Resource
        from referencing.exceptions import Unresolvable
        from referencing.jsonschema import DRAFT202012
    except ImportError as error:
        raise InvalidInputError('json_schema needs jsonschema: pip install "orchestrator[schema]"') from error
    try:
        plain = json.loads(json.dumps(schema))
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"schema must be JSON: {error}") from error
    if not isinstance(plain.get("$schema", ""), str):
        raise InvalidInputError(f"schema: `$schema` must name a draft, not be {plain['$schema']!r}")
    latest = jsonschema.Draft202012Validator
    kind = jsonschema.validators.validator_for(plain, default=None if "$schema" in plain else latest)
    if kind is None:
        raise InvalidInputError(f"schema: {plain['$schema']!r} is no draft of JSON Schema that is known")
    try:
        kind.check_schema(plain)
        root = Resource.from_contents(plain, default_specification=DRAFT202012)
        registry = Registry().with_resource("", root)
        for resolver, reference in _references(registry.resolver_with_root(root), root):
            resolver.lookup(reference)
    except jsonschema.SchemaError as error:
        raise InvalidInputError(f"schema, at {error.json_path}: {error.message[:LONGEST_REASON]}") from error
    except Unresolvable as error:
        raise InvalidInputError(
            f"schema refers to {error.ref!r}, which is not in it; put it under `$defs`"
        ) from error
    bounded = {"pattern": _pattern, "patternProperties": _pattern_properties}
    return jsonschema.validators.extend(kind, bounded)(plain, registry=registry)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    """What `pattern` says of a text, in the time that a pattern may take."""
    from jsonschema import ValidationError

    if validator.is_type(instance, "string") and not Pattern.of(pattern).is_in(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """What `patternProperties` says of an object, in the time that patterns may take."""
    if validator.is_type(instance, "object"):
        for pattern, inner in patterns.items():
            for name, value in instance.items():
                if Pattern.of(pattern).is_in(name):
                    yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _references(resolver: Any, resource: Any) -> Iterator[tuple[Any, str]]:
    """Every reference of a schema, with what resolves it."""
    if isinstance(resource.contents, dict):
        for keyword in ("$ref", "$dynamicRef"):
            if isinstance(reference := resource.contents.get(keyword), str):
                yield resolver, reference
    for inner in resource.subresources():
        yield from _references(resolver.in_subresource(inner), inner)
