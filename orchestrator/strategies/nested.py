"""A program inside a strategy: run to its end, its failures as facts, with what it drew."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..budget import Budget
from ..context import Context
from ..contracts import ControlProgram, strategy_of
from ..costs import Costing, Size, Spending
from ..errors import InvalidInputError, most_telling
from ..types import Candidate, Outcome, Problem
from .attempts import Attempts
from .selection import by_vote

__all__ = [
    "budgets_in",
    "candidates_of",
    "check_budgets",
    "drawn_on",
    "longest_text_of",
    "most_calls_at_once",
    "most_calls_of",
    "run_nested",
]


async def run_nested(
    ctx: Context, program: ControlProgram, problem: Problem, attempts: Attempts
) -> Outcome | None:
    """The outcome of `program`, with the candidates it drew on `ctx` where it names none.

    What it raises for a failed call, a spent budget or a passed deadline is noted in `attempts`; the outcome is then
    the vote over what it had drawn by then, and None when that is nothing.

    Raises:
        InvalidInputError: The program returned no outcome.
    """
    outcome: Outcome | None = None
    with attempts.surviving():
        try:
            returned: Any = await program(ctx, problem)
        except BaseExceptionGroup as group:
            raise most_telling(group) from None
        if not isinstance(returned, Outcome):
            raise InvalidInputError(
                f"a control program must return an Outcome, not {type(returned).__name__}"
            )
        outcome = returned
    drawn = tuple(drawn_on(ctx))
    if outcome is None:
        return replace(by_vote(drawn), stop_reason=attempts.stop_reason) if drawn else None
    return outcome if outcome.candidates else replace(outcome, candidates=drawn)


def check_budgets(ctx: Context, program: object) -> None:
    """Refuse a program with a limit that cannot be kept on `ctx`, before it has made a call.

    Raises:
        UnknownPriceError: A budget in it limits money and a model's price is not known.
    """
    for budget in budgets_in(program):
        ctx.check_budget(budget)


def budgets_in(part: object, seen: set[int] | None = None) -> Iterator[Budget]:
    """The budgets in a program or a part of one, those of programs inside it included, each part once.

    A program whose budgets are not all fields of it or of its parts has a method `budgets` that gives them.
    """
    seen = set() if seen is None else seen
    if isinstance(part, Budget):
        yield part
    elif isinstance(part, tuple | list | Mapping):
        for one in part.values() if isinstance(part, Mapping) else part:
            yield from budgets_in(one, seen)
    elif is_dataclass(part) and not isinstance(part, type) and id(part) not in seen:
        seen.add(id(part))
        if callable(getattr(part, "score", None)):
            return  # a verifier's calls are its caller's
        if callable(own := getattr(part, "budgets", None)):
            yield from own()
        for one in fields(part):
            if one.compare:
                yield from budgets_in(getattr(part, one.name), seen)


def drawn_on(ctx: Context, *, since: int = 0) -> list[Candidate]:
    """The problem's candidates that were drawn on `ctx` or a branch of it, but for the first `since` of all."""
    return [candidate for candidate in ctx.candidates[since:] if _below(ctx.path, candidate)]


def _below(path: str, candidate: Candidate) -> bool:
    """Whether a candidate was drawn on `path` or a branch of it."""
    call = candidate.sample.call
    return call is not None and f"{call.path.partition('#')[0]}/".startswith(f"{path}/" if path else "")


def most_calls_of(program: ControlProgram) -> int:
    """Calls `program` makes at most.

    Raises:
        InvalidInputError: It does not say: a function of one's own.
    """
    calls = getattr(strategy_of(program), "most_calls", None)
    if not isinstance(calls, int):
        raise InvalidInputError(f"{program!r} does not say how many calls it makes (`most_calls`)")
    return calls


def most_calls_at_once(*programs: ControlProgram) -> int:
    """Calls that the widest of `programs` keeps in flight."""
    return max((int(getattr(program, "calls_at_once", 1)) for program in programs), default=1)


def candidates_of(found: Spending, program: ControlProgram, costing: Costing) -> Size:
    """How many candidates the outcome of a program that costs so much has, and how long their texts can be."""
    longest = longest_text_of(program, costing) if found.longest is None else found.longest
    return Size(count=found.worst.candidates, tokens=longest)


def longest_text_of(program: ControlProgram, costing: Costing) -> float:
    """Tokens that the text of one of a program's candidates has at most; infinite where it does not say."""
    longest = getattr(strategy_of(program), "longest_text", None)
    return math.inf if longest is None else float(longest(costing))
