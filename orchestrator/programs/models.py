"""The models a program file describes, as backends."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from .. import plugins
from ..backends import Backend, HttpBackend, ReplayBackend, RetryPolicy
from ..backends.local import LocalBackend
from ..backends.model import Model
from ..errors import InvalidInputError
from ..pricing import price_of
from ..serving.models import HUB_ID, available, looks_like_a_path
from ..types import Price
from .document import KeyPath
from .mistakes import Mistakes
from .spec import (
    KINDS,
    BackendSpec,
    EndpointSpec,
    LocalSpec,
    ModelSpec,
    PriceSpec,
    ReplaySpec,
    SamplingSpec,
)

__all__ = ["api_key_from", "check_backend", "check_local", "make_model", "usual_price"]

USUAL_KEY_VARIABLE = "OPENAI_API_KEY"

LONGEST_ATTEMPT = 600.0
"""Seconds one attempt may take where nobody says."""


def make_model(spec: ModelSpec, *, folder: Path, keyed: bool = True) -> Model:
    """`spec` with a backend; paths in it are relative to `folder`. Without `keyed` it is not to be asked anything.

    Raises:
        InvalidInputError: A key's environment variable is not set, or recorded samples cannot be read.
    """
    return Model(
        backend=_backend(spec, folder, keyed=keyed),
        sampling=_sampling(spec.sampling),
        concurrency=spec.concurrency,
        requests_per_minute=spec.requests_per_minute,
        tokens_per_minute=spec.tokens_per_minute,
        retry=None if spec.retries is None else RetryPolicy(attempts=spec.retries + 1),
    )


def api_key_from(variable: str | None) -> str | None:
    """The key in an environment variable; None asks for the usual one, which may be missing.

    Raises:
        InvalidInputError: The variable was named and is not set.
    """
    key = os.environ.get(variable or USUAL_KEY_VARIABLE)
    if not key and variable is not None:
        raise InvalidInputError(f"the environment variable {variable} (api_key_env) is not set")
    return key or None


def usual_price(model: str, base_url: str) -> Price | None:
    """What a provider lists for `model`; None over plain HTTP: a server of one's own has no list price."""
    return price_of(model) if base_url.startswith("https://") else None


def _backend(spec: ModelSpec, folder: Path, *, keyed: bool) -> Backend:
    match spec:
        case LocalSpec():
            return LocalBackend(
                _weights(spec.local, folder),
                parallel=spec.parallel,
                context_length=spec.context_length,
                timeout=spec.timeout or LONGEST_ATTEMPT,
            )
        case EndpointSpec():
            return HttpBackend(
                base_url=spec.base_url,
                model=spec.model,
                api_key=api_key_from(spec.api_key_env) if keyed else None,
                price=_price(spec.price) or usual_price(spec.model, spec.base_url),
                chat=spec.chat,
                headers=spec.headers,
                timeout=spec.timeout or LONGEST_ATTEMPT,
            )
        case ReplaySpec():
            return ReplayBackend.from_jsonl(folder / spec.replay, price=_price(spec.price))
        case BackendSpec():
            return _brought(spec, folder)


def check_backend(spec: BackendSpec, at: KeyPath, mistakes: Mistakes) -> None:
    """Note what is wrong with the name of a backend that another package brings, and with its parameters.

    Its package is imported; nothing is called.
    """
    try:
        factory = _factory(spec.backend)
    except InvalidInputError as error:
        hint = mistakes.closest(spec.backend, plugins.names(plugins.BACKENDS))
        mistakes.add((*at, "backend"), str(error), hint=hint)
        return
    try:
        taken = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # a callable that does not say what it takes
        return
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken):
        names = [parameter.name for parameter in taken if parameter.kind is not parameter.VAR_POSITIONAL]
        known = [*names, *(name for name in BackendSpec.model_fields if name != "sampling")]
        for name in _parameters(spec):
            if name not in names:
                said = f"`{spec.backend}` takes no `{name}`; it takes: {', '.join(names) or 'nothing'}"
                mistakes.add((*at, name), said, hint=mistakes.closest(name, known), key=True)
    for parameter in taken:
        needed = parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        )
        if needed and parameter.name not in _parameters(spec):
            mistakes.add(at, f"`{parameter.name}` is missing in `{at[-1]}`")


def check_local(spec: LocalSpec, folder: Path, at: KeyPath, mistakes: Mistakes) -> None:
    """Note that no model on this machine is called so, or that there is no such file.

    Nothing is fetched. A Hugging Face id passes: whether it is one can only be asked there.
    """
    name = _weights(spec.local, folder)
    if looks_like_a_path(name):
        if not Path(name).expanduser().is_file():
            mistakes.add((*at, "local"), f"there is no model file `{spec.local}`")
        return
    known = [card.name for card in available()]
    if name not in known and not HUB_ID.fullmatch(name):
        hint = mistakes.closest(name, known)
        hint = hint or next((f"did you mean `{one}`?" for one in known if one.startswith(name.lower())), None)
        others = "" if hint else f"; there are: {', '.join(known)}, and the path of a .gguf file"
        mistakes.add((*at, "local"), f"no model on this machine is called `{name[:60]}`{others}", hint=hint)


def _brought(spec: BackendSpec, folder: Path) -> Backend:
    """A backend made by another package; a parameter called `file` is meant from `folder`."""
    given = _parameters(spec)
    if isinstance(given.get("file"), str):
        given["file"] = str(folder / given["file"])
    try:
        backend = _factory(spec.backend)(**given)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"the backend `{spec.backend}` cannot be made: {error}") from error
    if not isinstance(backend, Backend):
        raise InvalidInputError(
            f"`{spec.backend}` must make a backend (an object with `capabilities` and `complete`), not a "
            f"{type(backend).__name__}"
        )
    return backend


def _factory(name: str) -> Callable[..., Any]:
    found = plugins.find(plugins.BACKENDS, name, built_in=KINDS)
    if found is None:
        known = ", ".join(plugins.names(plugins.BACKENDS)) or "none is installed"
        raise InvalidInputError(f"no package brings a backend `{name}`; there are: {known}")
    if not callable(found):
        raise InvalidInputError(f"the backend `{name}` must be a class or a function, not {found!r}")
    return cast(Callable[..., Any], found)


def _parameters(spec: BackendSpec) -> dict[str, Any]:
    return dict(spec.model_extra or {})


def _weights(name: str, folder: Path) -> str:
    """A relative path to a file is meant from the program file's folder; a model's name stays."""
    beside = folder / name
    return str(beside) if beside.is_file() else name


def _price(spec: PriceSpec | None) -> Mapping[str, float] | None:
    return None if spec is None else {name: value for name, value in spec if value is not None}


def _sampling(spec: SamplingSpec) -> dict[str, Any]:
    given = {name: value for name, value in spec if value is not None and name != "extra"}
    if "temperature" in spec.model_fields_set:
        given["temperature"] = spec.temperature  # a None that is written keeps the field out of requests
    return {**spec.extra, **given}
