"""The OpenAI protocol's shapes, read and written without I/O: bodies, choices, usage, errors, server-sent
events.

Servers disagree about details, so reading is lenient where a value can be understood and strict where it
cannot; whatever cannot be read becomes a `MalformedResponseError` that quotes what was seen.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ..errors import InvalidInputError, MalformedResponseError, StatusError
from ..types import Request, TokenLogprob

__all__ = [
    "CHAT",
    "COMPLETIONS",
    "CONTINUES_REPLY",
    "NOT_THINKING",
    "AnsweredWholeError",
    "Choice",
    "EventSplitter",
    "Reply",
    "Reported",
    "begins_reply",
    "error_message",
    "excerpt",
    "loads",
    "parse_reply",
    "raise_embedded_error",
    "request_body",
    "retry_after",
    "route_of",
    "status_error",
]

CHAT = "/chat/completions"
COMPLETIONS = "/completions"

MAX_TOKENS_PLAUSIBLE = 2**31
"""A count above this is a broken server, not a long answer."""

LEAST_LOGPROB = -9999.0
"""JSON has no minus infinity: for a probability of 0 vLLM sends this, llama.cpp's server the least single-precision
number."""

RESERVED_FIELDS = frozenset(
    {
        "best_of",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "n",
        "n_cmpl",
        "n_predict",
        "prompt",
        "stream",
        "stream_options",
    }
)
"""Body fields `Request.extra` may not set: a reservation was made for what the request says."""


CONTINUES_REPLY = {"add_generation_prompt": False, "continue_final_message": True}
"""Fields by which vLLM goes on with a chat's last message instead of beginning a reply of its own."""

NOT_THINKING = {"chat_template_kwargs": {"enable_thinking": False}}
"""llama.cpp's server goes on with a chat's last message, but refuses to where the template would have the model
think: the thinking, if there is any, is in that message."""


# --- requests -----------------------------------------------------------------------------------------------


def route_of(request: Request) -> str:
    """Which route takes `request`.

    Raises:
        InvalidInputError: Not exactly one of `messages` and `prompt` is given, `n` or `max_tokens` is below
            1, or `extra` sets a field that decides what the call may cost.
    """
    if request.texts:
        raise InvalidInputError("texts to embed or to rate cannot be completed or streamed")
    if (request.messages is None) == (request.prompt is None):
        raise InvalidInputError("a request needs either messages or a prompt, and not both")
    if request.n < 1:
        raise InvalidInputError(f"n must be at least 1, not {request.n}")
    if request.max_tokens is not None and request.max_tokens < 1:
        raise InvalidInputError(f"max_tokens must be at least 1, not {request.max_tokens}")
    if request.extra and not RESERVED_FIELDS.isdisjoint(request.extra):
        names = ", ".join(sorted(RESERVED_FIELDS.intersection(request.extra)))
        raise InvalidInputError(f"extra may not set {names}: use the request's own fields")
    return COMPLETIONS if request.messages is None else CHAT


def begins_reply(request: Request) -> bool:
    """Whether a chat ends in the beginning of the model's reply, and nothing in `extra` says what to do with it."""
    if not request.messages or not CONTINUES_REPLY.keys().isdisjoint(request.extra):
        return False
    last = request.messages[-1]
    return last.get("role") == "assistant" and bool(last.get("content")) and not last.get("tool_calls")


def request_body(
    request: Request, *, model: str, n: int, cap_field: str = "max_tokens", least_logprobs: int = 0
) -> dict[str, Any]:
    """The JSON body for `request`, for the route `route_of` names.

    Args:
        request: What is asked for.
        model: The model's name, as the server knows it.
        n: Choices to ask for; may be below `request.n` where a server takes fewer at once.
        cap_field: How the chat route calls the cap on the answer's tokens.
        least_logprobs: Smallest number of rivals to ask for (llama.cpp gives no logprobs at all for 0).
    """
    body: dict[str, Any] = {"model": model}
    chat = request.messages is not None
    if chat:
        body["messages"] = request.messages
    else:
        body["prompt"] = request.prompt
    if n > 1:
        body["n"] = n
    if request.max_tokens is not None:
        body[cap_field if chat else "max_tokens"] = request.max_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.stop:
        body["stop"] = request.stop
    if request.seed is not None:
        body["seed"] = request.seed
    if request.logprobs is not None:
        rivals = max(request.logprobs, least_logprobs)
        if not chat:
            body["logprobs"] = rivals
        else:
            body["logprobs"] = True
            body["top_logprobs"] = rivals
    if request.extra:
        body.update(request.extra)
    return body


# --- replies ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice of a reply, before it is charged.

    `tokens` is set where the server counted this choice, `streamed` to the tokens that came where the text may be
    less than what was written. `lost` is one whose end never came: it is charged, and no sample.
    """

    text: str
    index: int = 0
    reasoning: str | None = None
    finish_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    tokens: int | None = None
    streamed: int | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The parts of a usage block that can be believed; None for a part that is missing or impossible."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer: its choices in order of their index, the usage block, and marks of who wrote it."""

    choices: tuple[Choice, ...]
    reported: Reported
    model: str | None = None
    llama_cpp: bool = False


class AnsweredWholeError(MalformedResponseError):
    """A good answer came whole where a stream was asked for; `body` is its decoded JSON."""

    def __init__(self, body: Any) -> None:
        super().__init__("the server answered whole where a stream was asked for")
        self.body = body


def excerpt(seen: object) -> str:
    """The first 200 characters of what was seen, on one line, for messages."""
    text = seen.decode(errors="replace") if isinstance(seen, bytes) else str(seen)
    flat = " ".join(text[:400].split())
    return flat if len(flat) <= 200 else flat[:200] + "…"


def loads(raw: bytes | str) -> Any:
    """Decoded JSON; raises `MalformedResponseError` quoting what was there instead."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise MalformedResponseError(f"not JSON: {excerpt(raw) or '(an empty body)'}") from error


def parse_reply(data: Any, *, chat: bool, wanted_logprobs: int | None = None) -> Reply:
    """The reply in a decoded JSON body.

    A refusal counts as the choice's text with finish reason `refusal`; content that is null (tool calls) is
    the empty text. Choices that carry an error are left out while another one is usable.

    Raises:
        StatusError: The body is an error in disguise (`{"error": ...}` with status 200).
        MalformedResponseError: There is no usable choice.
    """
    if not isinstance(data, dict):
        raise MalformedResponseError(f"not an object: {excerpt(json.dumps(data))}")
    raise_embedded_error(data)
    raw_choices = data.get("choices")
    if not isinstance(raw_choices, list) or not raw_choices:
        raise MalformedResponseError(f"no choices in the answer: {excerpt(json.dumps(data))}")
    usable = [raw for raw in raw_choices if isinstance(raw, dict) and not raw.get("error")]
    if not usable:
        for raw in raw_choices:
            if isinstance(raw, dict):
                raise_embedded_error(raw)
        raise MalformedResponseError(f"no usable choice in the answer: {excerpt(json.dumps(data))}")
    read = [_choice(raw, at, chat=chat, wanted=wanted_logprobs) for at, raw in enumerate(usable)]
    model = data.get("model")
    return Reply(
        choices=tuple(sorted(read, key=lambda choice: choice.index) if len(read) > 1 else read),
        reported=parse_usage(data.get("usage")),
        model=model if isinstance(model, str) else None,
        llama_cpp="timings" in data,
    )


def _choice(raw: dict[str, Any], at: int, *, chat: bool, wanted: int | None) -> Choice:
    index = raw.get("index")
    logprobs = raw.get("logprobs")
    finish = raw.get("finish_reason")
    finish = finish if isinstance(finish, str) else None
    if not chat:
        text: str | None = raw.get("text")
        reasoning = None
        if text is not None and not isinstance(text, str):
            raise MalformedResponseError(f"a choice without text: {excerpt(json.dumps(raw))}")
    else:
        message = raw.get("message")
        if not isinstance(message, dict):
            raise MalformedResponseError(f"a choice without a message: {excerpt(json.dumps(raw))}")
        text, reasoning = message_text(message)
        if not text and isinstance(refusal := message.get("refusal"), str) and refusal:
            text, finish = refusal, "refusal"
    return Choice(
        text=text or "",
        index=index if type(index) is int else at,
        reasoning=reasoning,
        finish_reason=finish,
        logprobs=parse_logprobs(logprobs, wanted=wanted) if logprobs else None,
    )


def message_text(message: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Text and reasoning of a message or a streamed delta; None for what it does not carry."""
    content = message.get("content")
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(content, list):
        content, thought = _parts_text(content)
        reasoning = reasoning or thought or None
    if content is not None and not isinstance(content, str):
        raise MalformedResponseError(f"content that is not text: {excerpt(json.dumps(content))}")
    return content, reasoning if isinstance(reasoning, str) else None


def _parts_text(parts: Sequence[Any]) -> tuple[str, str]:
    """Text and thinking of content given as a list of parts."""
    text, thought = [], []
    for part in parts:
        if isinstance(part, str):
            text.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            text.append(part["text"])
        elif isinstance(part, dict) and isinstance(part.get("thinking"), list):
            thought.append(_parts_text(part["thinking"])[0])
        elif isinstance(part, dict) and isinstance(part.get("thinking"), str):
            thought.append(part["thinking"])
    return "".join(text), "".join(thought)


def parse_logprobs(raw: Any, *, wanted: int | None = None) -> tuple[TokenLogprob, ...] | None:
    """Log-probabilities in either shape: `content` (chat; llama.cpp everywhere) or parallel lists
    (completions).

    Args:
        raw: The `logprobs` value of a choice.
        wanted: Rivals to keep per token (servers may send more); None keeps all.

    Returns:
        One a token, minus infinity for a probability of 0; None where there are none.
    """
    if not isinstance(raw, dict):
        return None
    try:
        if isinstance(raw.get("content"), list):
            return tuple(_content_logprob(entry, wanted) for entry in raw["content"])
        if isinstance(raw.get("tokens"), list):
            return _list_logprobs(raw, wanted)
    except (TypeError, ValueError, OverflowError, KeyError, AttributeError, IndexError) as error:
        raise MalformedResponseError(f"logprobs that cannot be read: {excerpt(json.dumps(raw))}") from error
    return None


def _content_logprob(entry: Mapping[str, Any], wanted: int | None) -> TokenLogprob:
    rivals = entry.get("top_logprobs") or ()
    return TokenLogprob(
        token=entry["token"],
        logprob=_logprob(entry["logprob"]),
        top=tuple((rival["token"], _logprob(rival["logprob"])) for rival in rivals[:wanted]),
    )


def _list_logprobs(raw: Mapping[str, Any], wanted: int | None) -> tuple[TokenLogprob, ...]:
    tokens, values = raw["tokens"], raw["token_logprobs"]
    rivals = raw.get("top_logprobs") or [None] * len(tokens)
    read = []
    for token, value, top in zip(tokens, values, rivals, strict=True):
        ranked = sorted((top or {}).items(), key=lambda pair: -pair[1])[:wanted]
        # The first token of an echoed prompt has no probability.
        logprob = 0.0 if value is None else _logprob(value)
        read.append(
            TokenLogprob(token=token, logprob=logprob, top=tuple((rival, _logprob(p)) for rival, p in ranked))
        )
    return tuple(read)


def _logprob(value: Any) -> float:
    logprob = float(value)
    return -math.inf if logprob <= LEAST_LOGPROB else logprob


def parse_usage(raw: Any) -> Reported:
    """What can be believed of a usage block: whole plausible numbers, details up to their totals."""
    if not isinstance(raw, dict):
        return Reported()
    prompt = _count(raw.get("prompt_tokens"))
    completion = _count(raw.get("completion_tokens"))
    cached = _detail(raw.get("prompt_tokens_details"), "cached_tokens")
    reasoning = _detail(raw.get("completion_tokens_details"), "reasoning_tokens")
    return Reported(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached if prompt is not None and cached <= prompt else 0,
        reasoning_tokens=reasoning if completion is not None and reasoning <= completion else 0,
    )


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= MAX_TOKENS_PLAUSIBLE else None


def _detail(block: Any, name: str) -> int:
    return (_count(block.get(name)) or 0) if isinstance(block, dict) else 0


# --- errors -------------------------------------------------------------------------------------------------


def error_message(body: Any) -> str:
    """The server's own words in an error body: OpenAI's, FastAPI's and plain shapes."""
    if isinstance(body, dict):
        for key in ("error", "message", "detail", "error_message"):
            value = body.get(key)
            if isinstance(value, dict) and isinstance(value.get("message"), str):
                return excerpt(value["message"])
            if value:
                return excerpt(value if isinstance(value, str) else json.dumps(value))
    return excerpt(body if isinstance(body, str | bytes) else json.dumps(body))


def status_error(status: int, raw: bytes, headers: Mapping[str, str]) -> StatusError:
    """The error for an HTTP status of 400 or above, with the server's message and its wish to wait.

    A 429 that says the account's quota is used up is not worth retrying, and marked so.
    """
    try:
        body: Any = json.loads(raw) if raw else ""
    except (ValueError, RecursionError):
        body = raw
    said = error_message(body) if raw else ""
    error = StatusError.of(
        status, f"HTTP {status}: {said}" if said else f"HTTP {status}", retry_after=retry_after(headers)
    )
    detail = body.get("error") if isinstance(body, dict) else None
    if isinstance(detail, dict) and "insufficient_quota" in (detail.get("code"), detail.get("type")):
        error.retryable = False
    return error


def raise_embedded_error(data: Mapping[str, Any]) -> None:
    """Raises for an error inside an answer with status 200, by the code it carries.

    Raises:
        StatusError: The error names an HTTP status.
        MalformedResponseError: It names none, so the model may have worked.
    """
    error = data.get("error")
    if not error:
        return
    said = error_message({"error": error})
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code)
    if type(code) is int and 400 <= code <= 599:
        raise StatusError.of(code, f"error {code} inside an answer with status 200: {said}")
    raise MalformedResponseError(f"error inside an answer with status 200: {said}")


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds the server asked to wait, at least 0; None when it did not say anything understandable.

    In this order: `retry-after-ms`, `retry-after` (seconds or an HTTP date), then
    `x-ratelimit-reset-requests` and `x-ratelimit-reset-tokens` (`1.5`, `6m0s`, `20ms`): the later of those
    whose `remaining` is 0, or the sooner one when no `remaining` says which limit was hit.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    wait = headers.get("retry-after")
    if wait is not None:
        seconds = _number(wait)
        return seconds if seconds is not None else _until(wait, now)
    resets, exhausted = [], []
    for limit in ("requests", "tokens"):
        seconds = _duration(headers.get(f"x-ratelimit-reset-{limit}"))
        if seconds is not None:
            resets.append(seconds)
            if _number(headers.get(f"x-ratelimit-remaining-{limit}")) == 0:
                exhausted.append(seconds)
    return max(exhausted) if exhausted else min(resets, default=None)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return max(value, 0.0) if math.isfinite(value) else None


def _until(text: str, now: datetime | None) -> float | None:
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((when - (now or datetime.now(UTC))).total_seconds(), 0.0)


def _duration(text: str | None) -> float | None:
    plain = _number(text)
    if plain is not None or text is None:
        return plain
    if not _DURATION.sub("", text).strip():
        parts = _DURATION.findall(text)
        return sum(float(amount) * _SECONDS[unit] for amount, unit in parts) if parts else None
    return None


# --- server-sent events -------------------------------------------------------------------------------------


class EventSplitter:
    """Cuts a byte stream of server-sent events into the payloads of their `data:` lines.

    An event is one `data:` line here, as every server of this protocol writes it; comments, event names and
    blank lines are passed over.
    """

    def __init__(self, *, limit: int) -> None:
        self._rest = b""
        self._limit = limit

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Payloads completed by `piece`; raises `MalformedResponseError` for a line longer than the limit."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > self._limit:
            raise MalformedResponseError(f"a streamed line of more than {self._limit} bytes")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()

    @property
    def leftover(self) -> bytes:
        """What came after the last line's end."""
        return self._rest.strip()
