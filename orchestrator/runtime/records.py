"""Records as JSON and back, for the journal and for `--json`.

Only what differs from a default is written, so that rows stay small; a reader fills in the rest.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

from ..types import Answer, CallId, Candidate, Outcome, Sample, Score, StopReason, TokenLogprob, Usage

__all__ = [
    "decode_outcome",
    "decode_sample",
    "decode_usage",
    "dumps",
    "encode_outcome",
    "encode_sample",
    "encode_usage",
    "storable",
]

SampleFinder = Callable[[str, int, int], Sample | None]
"""Finds a recorded sample by call path, ordinal and choice index."""

SampleTest = Callable[[Sample], bool]

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dumps(value: Any) -> str:
    """Compact JSON, keys in their own order; lone surrogates become replacement characters."""
    return str(storable(_compact.encode(value)))


def storable(value: Any) -> Any:
    """`value` as SQLite can hold it: lone surrogates in a text become replacement characters."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def encode_usage(usage: Usage) -> dict[str, Any]:
    """`usage` as a JSON object without its zero fields; money as integer picodollars."""
    return {name: value for name in Usage.__slots__ if (value := getattr(usage, name))}


def decode_usage(fields: Mapping[str, Any]) -> Usage:
    """The inverse of `encode_usage`."""
    return Usage(**fields)


def encode_sample(sample: Sample) -> dict[str, Any]:
    """`sample` as a JSON object; its call is left to the row it stands in."""
    fields: dict[str, Any] = {"text": sample.text, "usage": encode_usage(sample.usage)}
    for name in ("reasoning", "finish_reason", "seed", "model"):
        if (value := getattr(sample, name)) is not None:
            fields[name] = value
    for name in ("index", "resumptions"):
        if value := getattr(sample, name):
            fields[name] = value
    if sample.logprobs is not None:
        fields["logprobs"] = [[entry.token, entry.logprob, entry.top] for entry in sample.logprobs]
    if sample.vector is not None:
        fields["vector"] = _encode_vector(sample.vector)
    return fields


def decode_sample(fields: Mapping[str, Any], call: CallId | None) -> Sample:
    """The inverse of `encode_sample`."""
    known = dict(fields)
    logprobs = known.pop("logprobs", None)
    vector = known.pop("vector", None)
    return Sample(
        vector=None if vector is None else _decode_vector(vector),
        usage=decode_usage(known.pop("usage", {})),
        logprobs=None if logprobs is None else tuple(_decode_logprob(*entry) for entry in logprobs),
        call=call,
        **known,
    )


def _encode_vector(vector: tuple[float, ...]) -> str:
    """Little-endian doubles in base64: exact, and half of what their decimals would take."""
    return base64.b64encode(struct.pack(f"<{len(vector)}d", *vector)).decode()


def _decode_vector(text: str) -> tuple[float, ...]:
    raw = base64.b64decode(text)
    return struct.unpack(f"<{len(raw) // 8}d", raw)


def _decode_logprob(token: str, logprob: float, top: list[tuple[str, float]]) -> TokenLogprob:
    rivals = tuple((rival, value) for rival, value in top)
    return TokenLogprob(token=token, logprob=logprob, top=rivals)


def _encode_answer(answer: Answer | None) -> dict[str, str] | None:
    return None if answer is None else {"text": answer.text, "key": answer.key, "kind": answer.kind}


def _encode_candidate(candidate: Candidate, is_apart: SampleTest | None) -> dict[str, Any]:
    sample = candidate.sample
    fields: dict[str, Any] = {"answer": _encode_answer(candidate.answer)}
    is_of_several = sample.call is None or sample.resumptions  # no row has it
    if is_of_several or (is_apart is not None and is_apart(sample)):
        fields["sample"] = encode_sample(sample)
    if sample.call is not None:
        fields["call"] = [sample.call.path, sample.call.ordinal, sample.index]
    if candidate.scores:
        fields["scores"] = {
            name: [score.value, list(score.steps), score.reason] for name, score in candidate.scores.items()
        }
    return fields


def encode_outcome(outcome: Outcome, *, is_apart: SampleTest | None = None) -> dict[str, Any]:
    """`outcome` as a JSON object; candidates point to the journal's calls where they came from one.

    Args:
        outcome: The outcome.
        is_apart: Which samples are written out all the same, because their calls do not lead to them.
    """
    written = {} if outcome.written is None else {"written": _encode_candidate(outcome.written, is_apart)}
    return {
        "answer": _encode_answer(outcome.answer),
        **written,
        "confidence": outcome.confidence,
        "candidates": [_encode_candidate(candidate, is_apart) for candidate in outcome.candidates],
        "stop_reason": outcome.stop_reason.value,
        "usage": encode_usage(outcome.usage),
        "seconds": outcome.seconds,
        "tied": outcome.tied,
        "error": outcome.error,
        "detail": dict(outcome.detail),
    }


def decode_outcome(problem: str, fields: Mapping[str, Any], find_sample: SampleFinder) -> Outcome:
    """The inverse of `encode_outcome`; `find_sample` looks the candidates' samples up."""
    candidates = [
        candidate
        for entry in fields["candidates"]
        if (candidate := _decode_candidate(problem, entry, find_sample)) is not None
    ]
    written = fields.get("written")
    return Outcome(
        answer=_decode_answer(fields["answer"]),
        written=None if written is None else _decode_candidate(problem, written, find_sample),
        confidence=fields["confidence"],
        candidates=tuple(candidates),
        stop_reason=StopReason(fields["stop_reason"]),
        usage=decode_usage(fields["usage"]),
        seconds=fields["seconds"],
        problem=problem,
        tied=fields["tied"],
        error=fields["error"],
        detail=fields["detail"],
    )


def _decode_answer(fields: Mapping[str, str] | None) -> Answer | None:
    return None if fields is None else Answer(**fields)


def _decode_candidate(problem: str, fields: Mapping[str, Any], find_sample: SampleFinder) -> Candidate | None:
    at = fields.get("call")
    call = None if at is None else CallId(problem=problem, path=at[0], ordinal=at[1])
    sample = decode_sample(fields["sample"], call) if "sample" in fields else find_sample(*fields["call"])
    if sample is None:
        return None
    scores = {
        name: Score(value=value, steps=tuple(steps), reason=reason)
        for name, (value, steps, reason) in fields.get("scores", {}).items()
    }
    return Candidate(sample=sample, answer=_decode_answer(fields["answer"]), scores=scores)
