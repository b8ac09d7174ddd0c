"""Reading and writing the protocol's shapes."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.backends.transcript import Transcript
from orchestrator.backends.wire import (
    EventSplitter,
    Reported,
    loads,
    parse_logprobs,
    parse_reply,
    parse_usage,
    request_body,
    retry_after,
    status_error,
)
from orchestrator.errors import (
    ConnectionLostError,
    MalformedResponseError,
    OrchestratorError,
    RateLimitedError,
    StatusError,
)
from orchestrator.types import Request, TokenLogprob


def one(message: Any, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, **more}]}


@pytest.mark.parametrize(
    ("message", "text", "reasoning", "finish"),
    [
        ({"content": "hi"}, "hi", None, "stop"),
        ({"content": None, "tool_calls": [{"id": "1"}]}, "", None, "stop"),
        ({}, "", None, "stop"),
        ({"content": None, "refusal": "I cannot"}, "I cannot", None, "refusal"),
        ({"content": "4", "reasoning_content": "2+2"}, "4", "2+2", "stop"),
        ({"content": "4", "reasoning": "2+2"}, "4", "2+2", "stop"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab", None, "stop"),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"text": "b"}]},
            "b",
            "hm",
            "stop",
        ),
    ],
)
def test_messages_of_all_kinds_are_read(message: Any, text: str, reasoning: str | None, finish: str) -> None:
    [choice] = parse_reply(one(message, finish_reason="stop"), chat=True).choices
    assert (choice.text, choice.reasoning, choice.finish_reason) == (text, reasoning, finish)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "not an object"),
        ({}, "no choices in the answer: {}"),
        ({"choices": []}, "no choices"),
        ({"choices": "x" * 900}, "x…"),
        ({"choices": [3]}, "no usable choice"),
        (one(None), "without a message"),
        (one({"content": 5}), "content that is not text: 5"),
        (one({"content": ""}, logprobs={"content": [{"token": "a"}]}), "logprobs that cannot be read"),
    ],
)
def test_what_cannot_be_read_is_quoted(data: Any, words: str) -> None:
    with pytest.raises(MalformedResponseError) as caught:
        parse_reply(data, chat=True)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 260


def test_choices_come_in_the_order_of_their_index_and_broken_ones_are_left_out() -> None:
    choices = [
        {"index": 1, "text": "b"},
        {"index": 2, "error": {"code": 502, "message": "gone"}},
        {"index": 0, "text": "a"},
    ]
    reply = parse_reply({"choices": choices}, chat=False)
    assert [choice.text for choice in reply.choices] == ["a", "b"]
    with pytest.raises(StatusError, match="gone"):
        parse_reply({"choices": choices[1:2]}, chat=False)


def test_logprobs_are_read_in_both_shapes() -> None:
    rivals = [{"token": "b", "logprob": -1}, {"token": "c", "logprob": -2}]
    content = {"content": [{"token": "a", "logprob": -0.5, "top_logprobs": rivals}]}
    lists = {"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"c": -2.0, "b": -1.0}]}
    for raw in (content, lists):
        [choice] = parse_reply({"choices": [{"text": "a", "logprobs": raw}]}, chat=False).choices
        assert choice.logprobs is not None
        assert (choice.logprobs[0].token, choice.logprobs[0].logprob) == ("a", -0.5)
        assert choice.logprobs[0].top == (("b", -1.0), ("c", -2.0))
        [choice] = parse_reply(
            {"choices": [{"text": "a", "logprobs": raw}]}, chat=False, wanted_logprobs=1
        ).choices
        assert choice.logprobs is not None
        assert choice.logprobs[0].top == (("b", -1.0),)


@pytest.mark.parametrize(
    "sent", [-9999.0, -3.4028234663852886e38, -math.inf], ids=["vllm", "llama.cpp", "inf"]
)
def test_what_a_server_sends_for_a_probability_of_zero_is_minus_infinity(sent: float) -> None:
    content = {
        "content": [{"token": "a", "logprob": sent, "top_logprobs": [{"token": "b", "logprob": sent}]}]
    }
    lists = {"tokens": ["a"], "token_logprobs": [sent], "top_logprobs": [{"b": sent}]}
    for raw in (content, lists):
        assert parse_logprobs(raw) == (TokenLogprob(token="a", logprob=-math.inf, top=(("b", -math.inf),)),)
    rare = {"content": [{"token": "a", "logprob": -9000.0}]}
    assert parse_logprobs(rare) == (TokenLogprob(token="a", logprob=-9000.0),)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (None, Reported()),
        ("many", Reported()),
        ({"prompt_tokens": 3, "completion_tokens": 4}, Reported(prompt_tokens=3, completion_tokens=4)),
        ({"prompt_tokens": -3, "completion_tokens": 4.0}, Reported()),
        ({"prompt_tokens": True, "completion_tokens": 10**15}, Reported()),
        ({"prompt_tokens": "3", "completion_tokens": None}, Reported()),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 8}},
            Reported(prompt_tokens=9, cached_tokens=8),
        ),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 10}}, Reported(prompt_tokens=9)),
        (
            {"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 4}},
            Reported(completion_tokens=5, reasoning_tokens=4),
        ),
        ({"completion_tokens": 5, "completion_tokens_details": None}, Reported(completion_tokens=5)),
    ],
)
def test_only_possible_usage_is_believed(raw: Any, read: Reported) -> None:
    assert parse_usage(raw) == read


NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-requests": "1h", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-reset-tokens": "1.5"}, 1.5),
        ({"x-ratelimit-reset-tokens": "later"}, None),
        (
            {
                "x-ratelimit-reset-requests": "9s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "1s",
                "x-ratelimit-remaining-tokens": "500",
            },
            9.0,
        ),
    ],
)
def test_the_time_to_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=NOW) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"error": {"message": "no"}}', "HTTP 500: no"),
        (b'{"error": "no"}', "HTTP 500: no"),
        (b'{"object": "error", "message": "no"}', "HTTP 500: no"),
        (b'{"detail": [{"msg": "no"}]}', 'HTTP 500: [{"msg": "no"}]'),
        (b"<html>\n  no</html>", "HTTP 500: <html> no</html>"),
        (b"", "HTTP 500"),
        (b"[1]", "HTTP 500: [1]"),
    ],
)
def test_the_servers_own_words_are_found(raw: bytes, words: str) -> None:
    assert str(status_error(500, raw, {})) == words


def test_a_spent_quota_is_not_worth_retrying() -> None:
    error = status_error(429, b'{"error": {"message": "pay", "code": "insufficient_quota"}}', {})
    assert isinstance(error, RateLimitedError)
    assert not error.retryable


def test_logprobs_are_asked_for_as_each_route_wants_them() -> None:
    plain, chat = Request(prompt="a", logprobs=0), Request(messages=(), logprobs=0)
    assert request_body(plain, model="m", n=1)["logprobs"] == 0
    assert request_body(plain, model="m", n=1, least_logprobs=1)["logprobs"] == 1
    body = request_body(chat, model="m", n=1, least_logprobs=1)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 1)


@given(st.lists(st.integers(1, 12)), st.binary(max_size=60))
def test_events_are_the_same_however_the_stream_is_cut(cuts: list[int], noise: bytes) -> None:
    stream = b"data: a\r\n\r\n: comment\n\ndata:b\n\nevent: x\ndata: c\n" + noise.replace(b"d", b"e")
    whole = EventSplitter(limit=1000)
    expected = list(whole.feed(stream))
    splitter, seen = EventSplitter(limit=1000), []
    for cut in cuts:
        seen += splitter.feed(stream[:cut])
        stream = stream[cut:]
    seen += splitter.feed(stream)
    assert seen == expected
    assert seen[:3] == [b"a", b"b", b"c"]
    assert splitter.leftover == whole.leftover


def test_a_line_without_end_is_refused() -> None:
    splitter = EventSplitter(limit=100)
    for _ in range(10):
        assert list(splitter.feed(b"x" * 10)) == []
    with pytest.raises(MalformedResponseError, match="more than 100 bytes"):
        list(splitter.feed(b"x"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "text", "content", "usage", "error", "code", "logprobs", "delta"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.booleans())
@settings(max_examples=60)
def test_no_answer_raises_anything_but_our_errors(data: Any, chat: bool) -> None:
    try:
        reply = parse_reply(data, chat=chat)
    except OrchestratorError:
        return
    assert all(isinstance(choice.text, str) for choice in reply.choices)


def test_json_nested_too_deep_and_bytes_that_are_none_are_malformed() -> None:
    for raw in (b"[" * 100_000, b"\xff\xfe\x00", b""):
        with pytest.raises(MalformedResponseError, match="not JSON"):
            loads(raw)


# --- transcripts --------------------------------------------------------------------------------------------


def read(*payloads: str, chat: bool = True, wanted: int | None = None) -> Transcript:
    transcript = Transcript(chat=chat, wanted_logprobs=wanted)
    for payload in payloads:
        list(transcript.feed(payload.encode()))
    return transcript


def test_interleaved_choices_are_kept_apart() -> None:
    transcript = read(
        '{"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "x"}}]}',
        '{"choices": [{"index": 1, "delta": {"content": "y"}, "finish_reason": "length"}]}',
        '{"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}, "finish_reason": "stop"}]}',
        '{"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 5}}',
        "[DONE]",
    )
    reply = transcript.reply()
    assert [(c.text, c.reasoning, c.finish_reason) for c in reply.choices] == [
        ("a", "hm", "stop"),
        ("xy", None, "length"),
    ]
    assert reply.reported == Reported(prompt_tokens=4, completion_tokens=5)


def test_an_error_inside_a_stream_is_raised() -> None:
    with pytest.raises(RateLimitedError, match="busy"):
        read('{"error": {"code": 429, "message": "busy"}}')


def test_an_error_after_the_first_words_of_a_stream_may_be_billed() -> None:
    words = {"choices": [{"index": 0, "delta": {"content": "The"}}]}
    for events, billed in (([], False), ([words], True)):
        with pytest.raises(StatusError) as caught:
            read(*map(json.dumps, [*events, {"error": {"code": 503, "message": "overloaded"}}]))
        assert caught.value.maybe_billed is billed


def test_a_stream_that_ends_too_early_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLostError):
        read().reply()
    with pytest.raises(ConnectionLostError):
        read('{"choices": [{"index": 0, "delta": {"content": "a"}}]}').reply()
    with pytest.raises(MalformedResponseError, match="without a single choice"):
        read("[DONE]").reply()


def test_of_a_stream_that_ends_too_early_the_choices_that_had_ended_can_be_had() -> None:
    open_ = '{"choices": [{"index": 0, "delta": {"content": "a"}}]}'
    done = '{"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}]}'
    with pytest.raises(ConnectionLostError):
        read(open_).reply(some=True)
    with pytest.raises(ConnectionLostError):
        read(open_, done).reply()
    reply = read(open_, done).reply(some=True)
    assert [(choice.text, choice.streamed, choice.lost) for choice in reply.choices] == [
        ("a", 1, True),
        ("b", 1, False),
    ]


def test_streamed_logprobs_are_gathered() -> None:
    piece = '{"choices": [{"text": "a", "logprobs": {"content": [{"token": "a", "logprob": -1}]}}]}'
    reply = read(piece, piece, "[DONE]", chat=False, wanted=0).reply()
    assert [token.token for token in reply.choices[0].logprobs or ()] == ["a", "a"]
