"""The parameters of parts: a dataclass's fields, their names in files, and what values they take."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    create_model,
)

__all__ = [
    "OWN",
    "hint_of",
    "is_default",
    "is_mapping",
    "is_required",
    "is_several",
    "kinds_of",
    "model_of",
    "names_models",
    "parameters",
    "python_only",
    "short_form",
    "shown_as",
    "takes_none",
    "takes_null",
    "whole",
    "without_none",
]


def parameters(part: type) -> dict[str, dataclasses.Field[Any]]:
    """The parameters of a part, its own first, then those it shares with all of its kind."""
    own = list(inspect.get_annotations(part))
    fields = {field.name: field for field in dataclasses.fields(part) if field.init}
    return {name: fields[name] for name in [*own, *fields] if name in fields}


def shown_as(part: type, name: str) -> str:
    """What a parameter is called in files, where its name in Python must be another."""
    spelled: Mapping[str, str] = getattr(part, "spelled", {})
    return spelled.get(name, name)


def names_models(parameter: str) -> bool:
    """Whether a parameter names models: it is called `model`, `..._model`, `models` or `..._models`."""
    return parameter.endswith(("model", "models"))


def short_form(part: type) -> str | None:
    """The parameter that a file gives when it gives one alone, as in `judge: RUBRIC`; None where there is none.

    It is the first that does not name a model: a text that stands alone is never taken for a model's name.
    """
    return next((name for name in parameters(part) if not names_models(name)), None)


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether a parameter has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    """Whether `value` is what a parameter has that is not given; 1 is not 1.0, and neither is true."""
    if is_required(field):
        return False
    factory = field.default_factory
    default = field.default if factory is dataclasses.MISSING else factory()
    return type(value) is type(default) and bool(value == default)


@cache
def _hints(part: type) -> dict[str, Any]:
    return get_type_hints(part, include_extras=True)


def hint_of(part: type, name: str) -> Any:
    """A parameter's annotation."""
    return _hints(part)[name]


def without_none(hint: Any) -> Any:
    """What an annotation takes besides None."""
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else hint
    return hint


def kinds_of(hint: Any) -> tuple[Any, ...]:
    """The kinds that an annotation takes one of, None excluded."""
    hint = without_none(hint)
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def is_several(part: type, name: str) -> bool:
    """Whether a parameter is a list."""
    return get_origin(without_none(hint_of(part, name))) is tuple


def is_mapping(part: type, name: str) -> bool:
    """Whether a parameter is a mapping whose keys a file chooses."""
    return get_origin(without_none(hint_of(part, name))) is _MAPPING


def takes_none(part: type, name: str) -> bool:
    """Whether a parameter can be None."""
    hint = hint_of(part, name)
    return hint is Any or type(None) in get_args(hint)


def takes_null(part: type, name: str) -> bool:
    """Whether a file can write `null` for a parameter: where it can be None, and for a list or a mapping that is
    empty where it is not given.
    """
    field = parameters(part)[name]
    return takes_none(part, name) or is_default(field, ()) or is_default(field, {})


def python_only(hint: Any) -> bool:
    """Whether a parameter takes an object that no file can say: one of a protocol without a registry, a function."""
    kind = without_none(hint)
    return getattr(kind, "_is_protocol", False) or get_origin(kind) is Callable or kind is Callable


_MAPPING = get_origin(Mapping[str, str])

OWN = "own_"
"""Stands before a parameter's name in its model, where `schema` and others are pydantic's."""


@cache
def model_of(part: type, names: tuple[tuple[str, str], ...], made: frozenset[str]) -> type[BaseModel]:
    """A pydantic model with fields of `part`; every one optional, as defaults stay the dataclass's own.

    Args:
        part: The class.
        names: The fields, each with its key in files.
        made: Those among them that are made from parts, and not checked here.
    """
    fields: dict[str, Any] = {}
    for name, shown in names:
        hint = Any if name in made else hint_of(part, name)
        if hint is not Any and python_only(hint):
            continue
        fields[OWN + name] = (_as_written(hint), Field(default=None, alias=shown))
    config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)
    return create_model(part.__name__, __config__=config, **fields)


def _as_written(hint: Any) -> Any:
    """An annotation for values as YAML has them: lists for tuples, 4.0 for 4, numbers and truths for expressions."""
    if hint is int:
        return _WHOLE
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _EXPRESSION if "expression" in hint.__metadata__ else hint
    if origin in (Union, types.UnionType):
        if any(_is_expression(one) for one in arguments) and any(
            get_origin(one) is tuple for one in arguments
        ):
            return _EXPRESSIONS
        plain = [one for one in arguments if not dataclasses.is_dataclass(one)]
        written = [one if one is int and float in plain else _as_written(one) for one in plain]
        return Union[tuple(written)]  # noqa: UP007 - built, not written
    if origin is tuple:
        entries = tuple(one if one is Ellipsis else _as_written(one) for one in arguments)
        return Annotated[tuple.__class_getitem__(entries), Strict(False)]
    if origin is _MAPPING:
        return dict.__class_getitem__((arguments[0], _as_written(arguments[1])))
    return hint


def _is_expression(hint: Any) -> bool:
    return get_origin(hint) is Annotated and "expression" in hint.__metadata__


def _expression(value: Any) -> Any:
    """A number or a truth as the expression it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else value


def _one_or_several(value: Any) -> str | None:
    if isinstance(value, list):
        return "<several>"
    return "<one>" if isinstance(value, str | int | float) else None


def whole(value: Any) -> Any:
    """A number that is whole as such, however it is written: JSON does not tell 4.0 from 4."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_WHOLE: Any = Annotated[int, BeforeValidator(whole)]
_EXPRESSION: Any = Annotated[str, BeforeValidator(_expression)]
_EXPRESSIONS: Any = Annotated[
    Annotated[_EXPRESSION, Tag("<one>")]
    | Annotated[tuple[_EXPRESSION, ...], Strict(False), Tag("<several>")],
    Discriminator(
        _one_or_several,
        custom_error_type="expressions",
        custom_error_message="must be an expression or a list of them",
    ),
]
