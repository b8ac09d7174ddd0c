"""What a program costs before it is run: its parts with their worst cases, and with what they cost before."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..budget import Budget
from ..contracts import ControlProgram
from ..costs import FREE, Cost, Costing, Spending, limited
from ..errors import InvalidInputError
from ..types import PICODOLLARS_PER_USD, Problem

__all__ = ["Explanation", "Row", "expected_from", "expected_in", "explain", "overruns", "rows"]

FIGURES = ("calls", "prompt_tokens", "completion_tokens", "usd")

ROUNDING = 1e-12

FROM_ABOVE = r"(?:[^/#]+/)*"
SEVERAL = r"(?:-?\d+|-[0-9a-f]{12})?(?:~\d+)?"
"""After a label: the number of one of several branches, or the digest of what a verifier judged there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a program costs at most.

    Attributes:
        spending: The program with its parts, on the problem that can cost most.
        run: All problems together, each within the limits of a problem.
        unlimited: All problems together, if no problem had a limit.
        problems: How many there are.
        budget: Limits of the run.
        per_problem: Limits of each problem.
    """

    spending: Spending
    run: Cost
    unlimited: Cost
    problems: int
    budget: Budget
    per_problem: Budget

    @property
    def problem(self) -> Cost:
        """A problem, within its limits."""
        return limited(self.spending.worst, self.per_problem)

    @property
    def over(self) -> list[str]:
        """Which limits the worst case exceeds, and by how much; empty where it fits."""
        return [
            *overruns(self.spending.worst, self.per_problem, "each problem's"),
            *overruns(self.run, self.budget, "the run's"),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A part of a program in a table: how deep it stands, and the path of its calls."""

    depth: int
    path: str
    spending: Spending
    expected: Cost | None = None


async def explain(
    program: ControlProgram,
    problems: Iterable[Problem],
    *,
    costing: Callable[[Problem], Costing],
    budget: Budget | None = None,
    per_problem: Budget | None = None,
) -> Explanation:
    """What `program` costs at most on `problems`; nothing is sent.

    Args:
        program: The control program.
        problems: At least one.
        costing: Makes the costing for one, such as a controller's.
        budget: Limits of the run.
        per_problem: Limits of each problem.

    Raises:
        InvalidInputError: There are no problems.
    """
    dearest: Spending | None = None
    run, unlimited, count = FREE, FREE, 0
    for problem in problems:
        found = await costing(problem).program(program)
        run, unlimited, count = run + limited(found.worst, per_problem), unlimited + found.worst, count + 1
        if dearest is None or _weight(found.worst) > _weight(dearest.worst):
            dearest = found
    if dearest is None:
        raise InvalidInputError("there are no problems to work out the costs of")
    return Explanation(
        spending=dearest,
        run=run,
        unlimited=unlimited,
        problems=count,
        budget=budget or Budget(),
        per_problem=per_problem or Budget(),
    )


def _weight(cost: Cost) -> tuple[float, float]:
    return cost.total_tokens, cost.calls


def overruns(cost: Cost, budget: Budget, whose: str) -> list[str]:
    """Which limits `cost` exceeds, in words."""
    usd = None if budget.picodollars is None else budget.picodollars / PICODOLLARS_PER_USD
    pairs: list[tuple[str, float, float | None]] = [
        ("requests", cost.calls, budget.requests),
        ("prompt tokens", cost.prompt_tokens, budget.prompt_tokens),
        ("completion tokens", cost.completion_tokens, budget.completion_tokens),
        ("tokens", cost.total_tokens, budget.total_tokens),
        ("US dollars", cost.usd, usd),
    ]
    over = []
    for name, most, limit in pairs:
        if limit is not None and most > limit * (1 + ROUNDING):
            needed = "an unknown number" if most == math.inf else f"{most:,.10g}"
            over.append(f"{whose} budget has {limit:,.10g} {name}, and it can take {needed}")
    return over


def rows(spending: Spending, expected: Mapping[str, Cost] | Expected | None = None) -> list[Row]:
    """A program's parts as rows, each before its own."""
    return list(_rows(spending, expected, depth=0, path=""))


def _rows(
    spending: Spending, expected: Mapping[str, Cost] | Expected | None, *, depth: int, path: str
) -> Iterator[Row]:
    cost = None
    if isinstance(expected, Expected):
        cost = expected.at(path) if spending.on_branch or not depth else None
    elif expected is not None:
        cost = expected.get(path)
    yield Row(depth=depth, path=path, spending=spending, expected=cost)
    for part in spending.parts:
        mark = ("/" if path else "") if part.on_branch else "#"
        yield from _rows(part, expected, depth=depth + 1, path=f"{path}{mark}{part.label}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What calls took in an earlier run.

    Attributes:
        calls: The path of each call, and what it took.
        problems: Problems they were made for.
    """

    calls: Sequence[tuple[str, Cost]] = field(repr=False)
    problems: int

    def at(self, path: str) -> Cost:
        """The mean for a problem of all calls on branches of this path, and below."""
        steps = path.replace("#", "/").split("/") if path else []
        pattern = re.compile("".join(f"{FROM_ABOVE}{re.escape(step)}{SEVERAL}(?:[/#]|$)" for step in steps))
        found = sum((cost for at, cost in self.calls if pattern.match(at)), FREE)
        return found.times(1 / self.problems) if self.problems else FREE


def expected_from(journal: str | Path) -> Expected:
    """What the calls in a journal took.

    Raises:
        InvalidInputError: It is no journal.
    """
    path = Path(journal)
    if not path.is_file():
        raise InvalidInputError(f"there is no journal {str(path)!r}")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        found = connection.execute(
            "SELECT c.path, r.requests, r.prompt_tokens, r.completion_tokens, r.picodollars "
            "FROM calls c JOIN results r ON r.call = c.id"
        ).fetchall()
        [(problems,)] = connection.execute("SELECT COUNT(DISTINCT problem) FROM calls").fetchall()
    except sqlite3.DatabaseError as error:
        raise InvalidInputError(f"{str(path)!r} is no journal: {error}") from error
    finally:
        connection.close()
    calls = [
        (at, Cost(calls=n, prompt_tokens=read, completion_tokens=written, usd=paid / PICODOLLARS_PER_USD))
        for at, n, read, written, paid in found
    ]
    return Expected(calls=calls, problems=problems)


def expected_in(file: str | Path) -> dict[str, Cost]:
    """What parts are expected to take for a problem, by their paths, from a JSON file.

    Raises:
        InvalidInputError: It is not `{path: {calls, prompt_tokens, completion_tokens, usd}}`.
    """
    try:
        given: Any = json.loads(Path(file).read_text(encoding="utf-8"))
        return {str(path): _cost(figures) for path, figures in given.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        form = '{"path": {"calls": ..., "prompt_tokens": ..., "completion_tokens": ...}}'
        raise InvalidInputError(f"{str(file)!r} must be JSON like {form}: {error}") from error


def _cost(figures: Mapping[str, Any]) -> Cost:
    if unknown := sorted(set(figures) - set(FIGURES)):
        raise ValueError(f"unknown key {unknown[0]!r}; there are: {', '.join(FIGURES)}")
    return Cost(**{name: float(value) for name, value in figures.items()})
