"""Recorders to hand to `Controller(recorders=[...])`; none is on by default."""

from __future__ import annotations

from typing import Any

from .events import (
    CallFailed,
    CallReplayed,
    CallRetried,
    CallSettled,
    Event,
    LimitChanged,
    ProblemFinished,
    Recorder,
    RequestShrunk,
    SamplingStopped,
)

__all__ = ["structlog_recorder"]


def structlog_recorder(logger: Any = None) -> Recorder:
    """A recorder that logs one structured event per settled, replayed, failed or retried call, and per problem.

    Levels: `info` for what went well, `warning` for what was retried, shrunk or given up. Texts of prompts and
    samples are not logged: they stand in the journal.

    Args:
        logger: A structlog logger; None for `structlog.get_logger("orchestrator")`.
    """
    import structlog

    log = structlog.get_logger("orchestrator") if logger is None else logger

    def record(event: Event) -> None:
        match event:
            case CallSettled():
                log.info("call", **_call(event), samples=len(event.samples), **_usage(event))
            case CallReplayed():
                log.info("call replayed", **_call(event), samples=len(event.samples))
            case CallFailed():
                log.warning("call failed", **_call(event), error=event.error, **_usage(event))
            case CallRetried():
                log.warning(
                    "call retried",
                    **_call(event),
                    attempt=event.attempt,
                    error=event.error,
                    delay=round(event.delay, 3),
                )
            case RequestShrunk():
                log.warning("request shrunk", call=str(event.call), n=event.n, max_tokens=event.max_tokens)
            case LimitChanged():
                log.info("limit changed", model=event.model, limit=event.limit, reason=event.reason)
            case SamplingStopped():
                log.info(
                    "sampling stopped",
                    problem=event.problem,
                    path=event.path,
                    reason=event.reason.value,
                    cancelled=event.cancelled,
                )
            case ProblemFinished():
                outcome = event.outcome
                log.info(
                    "problem",
                    problem=event.problem,
                    answer=None if outcome.answer is None else outcome.answer.text,
                    confidence=round(outcome.confidence, 4),
                    stop_reason=outcome.stop_reason.value,
                    seconds=round(outcome.seconds, 3),
                    resumed=event.resumed,
                    error=outcome.error,
                )

    return record


def _call(event: CallSettled | CallReplayed | CallFailed | CallRetried) -> dict[str, str]:
    return {"call": str(event.call), "model": event.model}


def _usage(event: CallSettled | CallFailed) -> dict[str, Any]:
    usage = event.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "usd": usage.usd,
        "seconds": round(usage.seconds, 3),
        "estimated": usage.estimated,
    }
