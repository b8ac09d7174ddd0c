"""What strategies share that make each answer in the light of earlier ones: chains of candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..asking import Ask
from ..context import Context
from ..contracts import Verifier
from ..types import Candidate, Outcome, Problem
from .attempts import Attempts
from .base import Strategy
from .quoting import shown, visible
from .selection import choose

__all__ = [
    "choose_in_chain",
    "extend",
    "linked",
    "prompt_values",
    "state",
]


async def extend(
    ctx: Context,
    strategy: Strategy,
    attempts: Attempts,
    ask: Ask,
    *,
    parent: Candidate | None = None,
    **sampling: Any,
) -> Candidate | None:
    """One more candidate, made from `parent`; None when its call failed or nothing allows it."""
    sample = await attempts.complete(ctx, strategy, ask, **sampling)
    if sample is None:
        return None
    candidate = replace(ctx.read(sample), parent=parent)
    attempts.candidates.append(candidate)
    return candidate


async def choose_in_chain(
    ctx: Context,
    problem: Problem,
    attempts: Attempts,
    *,
    verifier: Verifier | None = None,
    detail: Mapping[str, Any],
) -> Outcome:
    """The outcome by `verifier` or vote over a chain; ties go to the latest, which knew the others."""
    return linked(await choose(ctx, problem, attempts, verifier=verifier, latest=True, detail=detail))


def state(candidate: Candidate) -> str:
    """What makes two candidates the same step of a chain: the answer, else the words."""
    if candidate.answer is not None:
        return f"answer {candidate.answer.key}"
    return f"text {' '.join(visible(candidate.sample).split()).casefold()}"


def prompt_values(ctx: Context, problem: Problem, candidate: Candidate) -> dict[str, str]:
    """What a prompt about a candidate may name: `problem` as it was asked, and the candidate's text as `answer`."""
    return {"problem": ctx.prompt.question(problem), "answer": shown(candidate)}


def linked(outcome: Outcome) -> Outcome:
    """The outcome with every candidate's parent being that candidate of the outcome, scores included."""
    known: dict[int, Candidate] = {}
    for candidate in outcome.candidates:
        parent = candidate.parent
        if parent is not None:
            candidate = replace(candidate, parent=known.get(id(parent.sample), parent))
        known[id(candidate.sample)] = candidate
    return replace(outcome, candidates=tuple(known[id(one.sample)] for one in outcome.candidates))
