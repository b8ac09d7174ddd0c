"""Questions as requests: what is asked with its settings, and the digest that tells one question from another."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import InvalidInputError
from .monitors import Monitoring
from .prompts import Rendered
from .types import Message, Request

__all__ = [
    "DEFAULT_MAX_TOKENS",
    "MOST_CALLS",
    "Ask",
    "check_ranges",
    "check_round",
    "digest_for",
    "request_for",
    "without_none",
]

DEFAULT_MAX_TOKENS = 1024
"""Cap on an answer's tokens when neither the program nor the model sets one; every call has a worst case."""

MOST_CALLS = 10_000
"""Calls in one round of sampling: they are all prepared before the first is sent."""

Ask = str | Sequence[Message] | Rendered
"""What can be put to a model: a text, a chat, or a problem that `Context.ask` rendered."""

REQUEST_FIELDS = frozenset({"max_tokens", "temperature", "top_p", "stop", "seed", "logprobs"})
"""Settings that are fields of a request; others go into the body as they are."""


def request_for(
    ask: Ask, settings: Mapping[str, Any], *, chat: bool, watch: Monitoring | None = None
) -> Request:
    """What is sent for `ask`; it has no identity yet.

    Args:
        ask: What is put to the model.
        settings: `max_tokens`, `temperature`, `top_p`, `stop`, `logprobs`, `seed`, and further fields of the body.
        chat: Whether the model takes messages; a text is put to others as it is.
        watch: What watches its samples; they are drawn with the log-probabilities that it needs.

    Raises:
        InvalidInputError: A setting is out of its range.
    """
    options: dict[str, Any] = {"max_tokens": DEFAULT_MAX_TOKENS, **settings}
    ask = _rendered(ask, chat=chat)
    options["stop"] = (*ask.stop, *_as_stops(options.get("stop")))
    known = {name: options.pop(name) for name in tuple(options) if name in REQUEST_FIELDS}
    if known["max_tokens"] is None:
        raise InvalidInputError("max_tokens must be a whole number of at least 1, not None")
    check_ranges(
        temperature=known.get("temperature"),
        top_p=known.get("top_p"),
        max_tokens=known["max_tokens"],
        stop=known["stop"],
    )
    if watch is not None and watch.logprobs is not None:
        known["logprobs"] = max(watch.logprobs, known.get("logprobs") or 0)
    return Request(messages=ask.messages, prompt=ask.prompt, extra=options, watch=watch, **known)


def digest_for(request: Request, model: str) -> str:
    """What tells one question to `model` from another: equal ones have equal digests."""
    asked: tuple[object, ...] = (
        model, request.messages, request.prompt, request.n, request.max_tokens, request.temperature,
        request.top_p, request.stop, request.logprobs, sorted(request.extra.items()),
    )  # fmt: skip
    if request.texts:
        asked = (*asked, request.texts)
    if request.rating is not None:
        asked = (*asked, request.rating)
    return hashlib.blake2b(repr(asked).encode("utf-8", "replace"), digest_size=16).hexdigest()


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without those that leave it to others."""
    return {name: value for name, value in values.items() if value is not None}


def _rendered(ask: Ask, *, chat: bool) -> Rendered:
    if isinstance(ask, Rendered):
        return ask
    if not isinstance(ask, str):
        return Rendered(messages=tuple(ask))
    return Rendered(messages=({"role": "user", "content": ask},)) if chat else Rendered(prompt=ask)


def check_ranges(
    *,
    temperature: float | None = None,
    top_p: float | None = None,
    max_tokens: int | None = None,
    stop: str | Sequence[str] | None = None,
) -> None:
    """Refuse settings of a sampler that are out of their ranges; None is left to the model's settings.

    Raises:
        InvalidInputError: `temperature` is negative or not finite, `top_p` not in (0, 1], `max_tokens` no whole
            number of at least 1, or `stop` no text or list of texts, or one with an empty one, which would end
            every answer before it begins.
    """
    if max_tokens is not None and (not isinstance(max_tokens, int) or max_tokens < 1):
        raise InvalidInputError(f"max_tokens must be a whole number of at least 1, not {max_tokens!r}")
    if temperature is not None and not 0.0 <= temperature < math.inf:
        raise InvalidInputError(f"temperature must be at least 0 and finite, not {temperature!r}")
    if top_p is not None and not 0.0 < top_p <= 1.0:
        raise InvalidInputError(f"top_p must be in (0, 1], not {top_p!r}")
    if "" in _as_stops(stop):
        raise InvalidInputError(f"stop must be a list of texts, none of them empty, not {stop!r}")


def check_round(*, per_call: int = 1, **samples: int) -> None:
    """Refuse more samples than one round of calls can have.

    Args:
        per_call: Samples drawn by one request.
        samples: How many are drawn in the round, by the name of the parameter that says so.

    Raises:
        InvalidInputError: They take more than `MOST_CALLS` calls; names the parameter.
    """
    for name, count in samples.items():
        if count > MOST_CALLS * per_call:
            raise InvalidInputError(
                f"{name}={count} asks for more than {MOST_CALLS:,} calls in one round; ask for fewer, or in several "
                "rounds"
            )


def _as_stops(stop: object) -> tuple[str, ...]:
    if stop is None:
        return ()
    if isinstance(stop, str):
        return (stop,)
    if isinstance(stop, Sequence) and all(isinstance(text, str) for text in stop):
        return tuple(stop)
    raise InvalidInputError(f"stop must be a text or a list of texts, not {stop!r}")
