"""Reward models over HTTP, as calls like any other: texts in, scores out.

A request with `texts` and a `Rating` has one choice a text, whose `vector` holds the text's scores. It is reserved,
retried, limited, journaled and resumed as every call is; its worst case is its prompt, and what the route writes.

Shapes that are known by name (`PROTOCOLS`), as the servers have them:

- `vllm_classify`: vLLM's `/classify`: class probabilities of each text, or of one conversation;
- `vllm_pooling`: vLLM's `/pooling`: whatever the model's pooler gives for each text, or for one conversation;
- `vllm_score`: vLLM's `/score`: one number for each text against a query;
- `rerank`: the shape of Jina and Cohere, which vLLM and llama.cpp's server speak at `/v1/rerank`: the same, sorted;
- any other as a mapping with `route`, `body` and `scores`, such as Text Embeddings Inference's
  `{route: /rerank, body: {query: "{{ query }}", texts: "{{ texts }}"}, scores: "[].score"}`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import InvalidInputError, MalformedResponseError, StatusError
from ..templates import PLACEHOLDER
from ..types import TOP_LOGPROBS, Price, Rating, Request, Sample, TokenLogprob, Usage
from .embeddings import vector_samples
from .wire import COMPLETIONS, excerpt, parse_logprobs, parse_usage, raise_embedded_error

__all__ = [
    "COMPLETION_LOGPROBS",
    "PROTOCOLS",
    "advised",
    "parse_rating",
    "places_in",
    "rated",
    "rating_body",
    "rating_from",
    "rating_request",
]

PLACES = frozenset({"messages", "model", "query", "text", "texts"})
"""What a body can have places for; `messages` and `texts` are lists, so a place for one is a value of its own."""

FROM_OUTSIDE = ("route", "body", "scores", "width", "serve")
"""Keys of a mapping that describes a route."""

PATH = re.compile(r"(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)?\[\](?:\.[A-Za-z_]\w*)*")

NOT_SERVED = frozenset({404, 405, 501})
"""Statuses of a server that does not have a route: none there, not for posting, not switched on (llama.cpp)."""

_POOLING = "vllm serve MODEL --runner pooling"
_MODEL_AND_TEXTS = {"model": "{{ model }}", "input": "{{ texts }}"}

PROTOCOLS: Mapping[str, Rating] = {
    "vllm_classify": Rating(
        route="/classify",
        body=_MODEL_AND_TEXTS,
        scores="data[].probs",
        serve=f"{_POOLING} --convert classify",
    ),
    "vllm_pooling": Rating(
        route="/pooling",
        body={**_MODEL_AND_TEXTS, "encoding_format": "float"},
        scores="data[].data",
        serve=_POOLING,
    ),
    "vllm_score": Rating(
        route="/score",
        body={"model": "{{ model }}", "text_1": "{{ query }}", "text_2": "{{ texts }}"},
        scores="data[].score",
        serve=f"{_POOLING} (a model with one label)",
    ),
    "rerank": Rating(
        route="/v1/rerank",
        body={"model": "{{ model }}", "query": "{{ query }}", "documents": "{{ texts }}"},
        scores="results[].relevance_score",
        serve=f"llama-server --reranking, or {_POOLING}",
    ),
}
"""Routes by the name they have in program files."""

COMPLETION_LOGPROBS = Rating(
    route=f"/v1{COMPLETIONS}",
    body={
        "model": "{{ model }}",
        "prompt": "{{ texts }}",
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": TOP_LOGPROBS,
    },
    scores="choices[].logprobs",
    writes=1,
    serve="vllm serve MODEL, or llama-server",
)
"""The token a language model would write after each text, for models whose reward is the probability of a token."""


# --- describing a route -------------------------------------------------------------------------------------


def rating_from(protocol: str | Mapping[str, Any]) -> Rating:
    """The route that a name or a mapping describes.

    Raises:
        InvalidInputError: No such name, a key that is unknown or missing, or a value that is not what it must be.
    """
    if isinstance(protocol, str):
        if protocol not in PROTOCOLS:
            names = ", ".join(PROTOCOLS)
            raise InvalidInputError(
                f"no protocol {protocol!r}; there are: {names}, or a mapping with route, body and scores"
            )
        return PROTOCOLS[protocol]
    unknown = [str(key) for key in protocol if key not in FROM_OUTSIDE]
    missing = [key for key in FROM_OUTSIDE[:3] if key not in protocol]
    if unknown or missing:
        wrong = f"no {unknown[0]!r}" if unknown else f"a {missing[0]!r}"
        raise InvalidInputError(f"protocol: a mapping has {wrong}; its keys are {', '.join(FROM_OUTSIDE)}")
    rating = Rating(**protocol)
    _check(rating)
    return rating


def _check(rating: Rating) -> None:
    route = rating.route
    if not isinstance(route, str) or not route.startswith("/") or route.startswith("//"):
        raise InvalidInputError(f"protocol: route must be a path such as /predict, not {route!r}")
    if not isinstance(rating.scores, str) or PATH.fullmatch(rating.scores) is None:
        raise InvalidInputError(
            f"protocol: scores must be a path such as data[].score, with [] once, not {rating.scores!r}"
        )
    if type(rating.width) is not int or rating.width < 1:
        raise InvalidInputError(f"protocol: width must be a whole number of at least 1, not {rating.width!r}")
    if not isinstance(rating.serve, str):
        raise InvalidInputError(f"protocol: serve must be a text, not {rating.serve!r}")
    if not isinstance(rating.body, Mapping):
        raise InvalidInputError(f"protocol: body must be a mapping, not {rating.body!r}")
    places = places_in(rating.body)
    if unknown := places - PLACES:
        raise InvalidInputError(
            f"protocol: body has a place for {min(unknown)!r}; places are: {', '.join(sorted(PLACES))}"
        )
    if not places & {"text", "texts", "messages"}:
        raise InvalidInputError("protocol: body needs a place for {{ texts }}, {{ text }} or {{ messages }}")


def places_in(body: Any) -> set[str]:
    """Names of the places in a body.

    Raises:
        InvalidInputError: A list stands inside a text.
    """
    names: set[str] = set()
    for text in _texts_of(body):
        found = PLACEHOLDER.findall(text)
        if PLACEHOLDER.fullmatch(text.strip()) is None and {"texts", "messages"}.intersection(found):
            raise InvalidInputError(
                f"protocol: a list needs a value of its own in the body, not a part of {text!r}"
            )
        names.update(found)
    return names


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts_of(part)


# --- asking -------------------------------------------------------------------------------------------------


def rating_request(texts: Sequence[str], rating: Rating) -> Request:
    """The request for the scores of `texts`: several only where the body has a place for several.

    Raises:
        InvalidInputError: A text is empty or no text, or there are several where one fits.
    """
    for at, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            raise InvalidInputError(f"text {at} to rate is {text!r}; expected a text that is not empty")
    if len(texts) > 1 and "texts" not in places_in(rating.body):
        raise InvalidInputError(f"{rating.route} as described takes one text a request, not {len(texts)}")
    return Request(texts=tuple(texts), rating=rating, n=len(texts), max_tokens=rating.writes)


def rating_body(request: Request, *, model: str) -> dict[str, Any]:
    """The JSON body of `request`: what is inserted is never looked at for places again."""
    rating = request.rating
    assert rating is not None
    text = request.texts[0]
    values: dict[str, Any] = {
        "model": model,
        "query": rating.query,
        "text": text,
        "texts": list(request.texts),
        "messages": [*map(dict, rating.messages), {"role": "assistant", "content": text}],
    }
    body: dict[str, Any] = _placed(rating.body, values)
    return body


def _placed(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        whole = PLACEHOLDER.fullmatch(value.strip())
        if whole is not None:
            return values[whole[1]]
        return PLACEHOLDER.sub(lambda match: str(values[match[1]]), value)
    if isinstance(value, Mapping):
        return {name: _placed(part, values) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_placed(part, values) for part in value]
    return value


def advised(error: StatusError, rating: Rating, *, root: str) -> StatusError:
    """`error`, and how to start a server that has the route where this one does not; waiting would not help."""
    refused = error.status == 400 and "support" in str(error)
    if error.status not in NOT_SERVED and not refused:
        return error
    hint = f"; start one that has it: {rating.serve}" if rating.serve else "; is the route right?"
    told = StatusError.of(error.status, f"{error}: {root} was asked for {rating.route}{hint}")
    told.retryable = False
    return told


# --- reading ------------------------------------------------------------------------------------------------


def parse_rating(data: Any, rating: Rating, *, count: int) -> list[tuple[float, ...]]:
    """The scores in a decoded JSON body, in the order of their texts.

    Entries that have an `index` are put in its place. A score is a number or a list of `width` numbers; several of
    them for one text (one a step) are written one after the other.

    Raises:
        StatusError: The body is an error in disguise.
        MalformedResponseError: There is not one entry a text, or one is not what it should be. It is not worth
            asking again: a model that only reads gives the same answer.
    """
    try:
        if isinstance(data, dict):
            raise_embedded_error(data)
        entries, rest = _entries(data, rating)
        if len(entries) != count:
            raise MalformedResponseError(
                f"{rating.route}: expected {count} entries at {rating.scores}, found {len(entries)}: {_shown(data)}"
            )
        scores: dict[int, tuple[float, ...]] = {}
        for at, entry in enumerate(entries):
            index = entry.get("index", at) if isinstance(entry, dict) else at
            if type(index) is not int or not 0 <= index < count or index in scores:
                raise MalformedResponseError(
                    f"{rating.route}: an entry with an index of {index!r} among {count}"
                )
            scores[index] = _score(_at(entry, rest, rating), rating)
    except MalformedResponseError as error:
        error.retryable = False
        raise
    return [scores[index] for index in range(count)]


def _entries(data: Any, rating: Rating) -> tuple[list[Any], list[str]]:
    """The list with one entry a text, and the names that lead from an entry to its scores."""
    before, _, after = rating.scores.partition("[]")
    entries = _at(data, [name for name in before.split(".") if name], rating)
    if not isinstance(entries, list):
        raise MalformedResponseError(f"{rating.route}: no list at {before or 'the top'}[]: {_shown(data)}")
    return entries, [name for name in after.split(".") if name]


def _at(value: Any, names: Sequence[str], rating: Rating) -> Any:
    for name in names:
        if not isinstance(value, dict) or name not in value:
            raise MalformedResponseError(
                f"{rating.route}: no {name!r} on the way to {rating.scores}: {_shown(value)}"
            )
        value = value[name]
    return value


def _score(value: Any, rating: Rating) -> tuple[float, ...]:
    if rating.tokens:
        return (_probability(value, rating),)
    numbers: list[float] = []
    for row in _rows(value, rating.width):
        if len(row) != rating.width or not all(map(_is_number, row)):
            expected = "a number" if rating.width == 1 else f"{rating.width} numbers"
            raise MalformedResponseError(f"{rating.route}: a score that is not {expected}: {_shown(row)}")
        numbers += map(float, row)
    if not numbers:
        raise MalformedResponseError(f"{rating.route}: a text without a score: {_shown(value)}")
    return tuple(numbers)


def _rows(value: Any, width: int) -> list[list[Any]]:
    """A value as scores: a number, a list of numbers, or a list of either."""
    if not isinstance(value, list):
        return [[value]]
    if any(isinstance(part, list) for part in value):
        return [part if isinstance(part, list) else [part] for part in value]
    return [value] if width > 1 else [[part] for part in value]


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _probability(raw: Any, rating: Rating) -> float:
    """P(good) / (P(good) + P(bad)) for the next token, from its log-probability and its rivals'.

    A token that is not among the rivals counts with the lowest log-probability listed, which is the most it can have.
    """
    written = parse_logprobs(raw)
    good, bad = rating.tokens
    if not written:
        raise MalformedResponseError(f"{rating.route}: no log-probabilities: {_shown(raw)}")
    known = _best_by_text(written[0])
    if any(math.isnan(logprob) or logprob == math.inf for logprob in known.values()):
        raise MalformedResponseError(f"{rating.route}: a log-probability that is no number: {_shown(raw)}")
    if max(known.get(good, -math.inf), known.get(bad, -math.inf)) == -math.inf:
        raise MalformedResponseError(
            f"{rating.route}: neither {good!r} nor {bad!r} is among the {len(known)} likeliest tokens, but "
            f"{', '.join(map(repr, list(known)[:5]))}; is this the model for that convention?"
        )
    least = min(known.values())
    difference = known.get(bad, least) - known.get(good, least)
    return 1.0 / (1.0 + math.exp(min(difference, 700.0)))


def _best_by_text(token: TokenLogprob) -> dict[str, float]:
    """Log-probabilities by text without the spaces around it: of `+` and ` +`, two tokens, the likelier one's."""
    known: dict[str, float] = {}
    for text, logprob in ((token.token, token.logprob), *token.top):
        text = str(text).strip()
        known[text] = max(logprob, known.get(text, -math.inf))
    return known


def _shown(value: Any) -> str:
    return excerpt(json.dumps(value))


# --- charging -----------------------------------------------------------------------------------------------


def rated(
    data: Any, request: Request, *, most_tokens: int, price: Price | None, seconds: float
) -> list[Sample]:
    """Samples with the scores of a decoded answer; the first carries what the request is charged.

    Args:
        data: The decoded body.
        request: What was asked.
        most_tokens: Prompt tokens charged, and marked `estimated`, when the answer does not say how many were read.
        price: What the model costs, or None for free.
        seconds: How long the call took.
    """
    rating = request.rating
    assert rating is not None
    scores = parse_rating(data, rating, count=len(request.texts))
    usage = replace(_usage(data, request, most_tokens=most_tokens, price=price), seconds=seconds)
    return vector_samples(scores, data, request, usage)


def _usage(data: Any, request: Request, *, most_tokens: int, price: Price | None) -> Usage:
    """Tokens as reported; at their worst case where the answer does not say, or cannot mean all texts.

    llama.cpp's server reports the tokens of the first of several prompts.
    """
    assert request.rating is not None
    least = request.rating.writes * len(request.texts)
    reported = parse_usage(data.get("usage") if isinstance(data, dict) else None)
    written = reported.completion_tokens or 0
    exact = bool(reported.prompt_tokens) and written >= least
    prompt = reported.prompt_tokens if exact and reported.prompt_tokens else most_tokens
    written, cached = (written, reported.cached_tokens) if exact else (least, 0)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=written,
        requests=1,
        picodollars=0 if price is None else price.cost(prompt, written, cached_tokens=cached),
        cached_tokens=cached,
        estimated=not exact,
    )
