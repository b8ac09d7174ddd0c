"""The models a program file describes, as backends."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..backends import Backend, HttpBackend, ReplayBackend, RetryPolicy
from ..backends.local import LocalBackend
from ..errors import InvalidInputError
from ..pricing import price_of
from ..runtime import Model
from ..types import Price
from .spec import EndpointSpec, LocalSpec, ModelSpec, PriceSpec, ReplaySpec, SamplingSpec

__all__ = ["api_key_from", "make_model", "usual_price"]

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


def _weights(name: str, folder: Path) -> str:
    """A relative path to a file is meant from the program file's folder; a model's name stays."""
    beside = folder / name
    return str(beside) if beside.is_file() else name


def _price(spec: PriceSpec | None) -> Mapping[str, float] | None:
    return None if spec is None else {name: value for name, value in spec if value is not None}


def _sampling(spec: SamplingSpec) -> dict[str, Any]:
    given = {name: value for name, value in spec if value is not None and name != "extra"}
    return {**spec.extra, **given}
