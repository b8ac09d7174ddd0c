"""`/embeddings` of the OpenAI protocol, as a call like any other: one that reads texts and writes nothing.

A request with `texts` has one choice a text and a cap of 0 completion tokens, so that ledger, retries, limits and
journal treat it as they treat every call: its worst case is its prompt.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Sequence
from typing import Any

from ..errors import InvalidInputError, MalformedResponseError
from ..types import Price, Request, Sample, Usage
from .base import Backend
from .wire import excerpt, parse_usage, raise_embedded_error

__all__ = [
    "EMBEDDINGS",
    "TEXTS_PER_CALL",
    "batches",
    "embed",
    "embedded",
    "embedding_body",
    "embedding_request",
    "parse_embeddings",
    "vector_samples",
]

EMBEDDINGS = "/embeddings"

TEXTS_PER_CALL = 64
"""Texts put into one request unless the caller says otherwise; OpenAI takes 2,048, small servers a few dozen."""

RESERVED_FIELDS = frozenset({"encoding_format", "input", "model"})
"""Body fields that further options may not set."""


def batches(texts: Sequence[str], size: int) -> list[Sequence[str]]:
    """`texts` in order, in pieces of at most `size`.

    Raises:
        InvalidInputError: `size` is below 1, or `texts` is one text instead of several.
    """
    if size < 1:
        raise InvalidInputError(f"a batch must have at least 1 text, not {size}")
    if isinstance(texts, str):
        raise InvalidInputError("texts to embed must be a sequence of texts, not one text")
    return [texts[start : start + size] for start in range(0, len(texts), size)]


def embedding_request(texts: Sequence[str], options: dict[str, Any]) -> Request:
    """The request for one vector per text.

    Raises:
        InvalidInputError: A text is empty or no text, or an option is one the request sets itself.
    """
    for at, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            raise InvalidInputError(f"text {at} to embed is {text!r}; expected a text that is not empty")
    if not RESERVED_FIELDS.isdisjoint(options):
        names = ", ".join(sorted(RESERVED_FIELDS.intersection(options)))
        raise InvalidInputError(f"options of an embedding may not set {names}")
    return Request(texts=tuple(texts), n=len(texts), max_tokens=0, extra=options)


async def embed(backend: Backend, request: Request) -> list[list[float]]:
    """The vectors of the texts of `request`, in order.

    Raises:
        MalformedResponseError: There is not one a text.
    """
    samples = await backend.complete(request)
    vectors = [list(sample.vector) for sample in samples if sample.vector is not None]
    if len(vectors) != len(request.texts):
        raise MalformedResponseError(
            f"{backend.name!r} returned {len(vectors)} embeddings where {len(request.texts)} were asked for, one for "
            "each text; does it have any?"
        )
    return vectors


def embedding_body(request: Request, *, model: str) -> dict[str, Any]:
    """The JSON body of `request`."""
    return {"model": model, "input": list(request.texts), "encoding_format": "float", **request.extra}


def parse_embeddings(data: Any, *, count: int) -> list[tuple[float, ...]]:
    """The vectors in a decoded JSON body, in the order of their texts.

    Raises:
        StatusError: The body is an error in disguise.
        MalformedResponseError: There is not one vector a text, or one is not what a vector is.
    """
    if not isinstance(data, dict):
        raise MalformedResponseError(f"not an object: {excerpt(json.dumps(data))}")
    raise_embedded_error(data)
    entries = data.get("data")
    if not isinstance(entries, list) or len(entries) != count:
        raise MalformedResponseError(f"expected {count} embeddings: {excerpt(json.dumps(data))}")
    vectors: dict[int, tuple[float, ...]] = {}
    for at, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise MalformedResponseError(f"an embedding that is no object: {excerpt(json.dumps(entry))}")
        index = entry.get("index", at)
        if type(index) is not int or not 0 <= index < count or index in vectors:
            raise MalformedResponseError(f"an embedding with an index of {index!r} among {count}")
        vectors[index] = _vector(entry.get("embedding"))
    return [vectors[index] for index in range(count)]


def _vector(raw: Any) -> tuple[float, ...]:
    try:
        vector = tuple(array("d", raw)) if isinstance(raw, list) else ()
    except (TypeError, OverflowError):
        vector = ()
    if not vector or not all(map(math.isfinite, vector)):
        raise MalformedResponseError(f"an embedding that is no list of numbers: {excerpt(json.dumps(raw))}")
    return vector


def embedded(
    data: Any, request: Request, *, most_tokens: int, price: Price | None, seconds: float
) -> list[Sample]:
    """Samples with the vectors of a decoded answer; the first carries what the request is charged.

    Args:
        data: The decoded body.
        request: What was asked.
        most_tokens: Charged, and marked `estimated`, when the answer does not say how many tokens it read.
        price: What the model costs, or None for free.
        seconds: How long the call took.
    """
    vectors = parse_embeddings(data, count=len(request.texts))
    read = parse_usage(data.get("usage")).prompt_tokens
    tokens = read or most_tokens
    usage = Usage(
        prompt_tokens=tokens,
        requests=1,
        picodollars=0 if price is None else price.cost(tokens, 0),
        seconds=seconds,
        estimated=not read,
    )
    return vector_samples(vectors, data, request, usage)


def vector_samples(
    vectors: Sequence[tuple[float, ...]], data: Any, request: Request, usage: Usage
) -> list[Sample]:
    """A sample for each text of `request`, with its vector; the first carries all of `usage`."""
    model = data.get("model") if isinstance(data, dict) else None
    return [
        Sample(
            text="",
            vector=vector,
            usage=usage if at == 0 else Usage(),
            model=model if isinstance(model, str) else None,
            index=at,
            call=request.call,
        )
        for at, vector in enumerate(vectors)
    ]
