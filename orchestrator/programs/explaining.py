"""What a program costs before it is run: its parts with their worst cases, and with what they cost before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..budget import Budget
from ..contracts import ControlProgram
from ..costs import FREE, Cost, Costing, Spending, limited
from ..errors import InvalidInputError
from ..types import PICODOLLARS_PER_USD, Problem
from .expected import Expected, shares

__all__ = ["Explanation", "Row", "explain", "overruns", "rows"]

ROUNDING = 1e-12


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
    """A part of a program in a table.

    Attributes:
        depth: How deep it stands.
        path: The path of its calls; `#` instead of `/` before a part without a branch of its own.
        spending: What it costs at most.
        expected: What it is expected to take for a problem, with its parts; None where it is not known.
        own: The share of `expected` that no part of it has.
    """

    depth: int
    path: str
    spending: Spending
    expected: Cost | None = None
    own: Cost | None = None


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
    """A program's parts as rows, each before its own.

    Args:
        spending: The program.
        expected: What parts took in an earlier run, or are expected to take, by their paths.
    """
    table = list(_rows(spending, depth=0, path=""))
    if isinstance(expected, Expected):
        return _with_means(table, expected)
    if expected is not None:
        return [replace(row, expected=expected.get(row.path)) for row in table]
    return table


def _rows(spending: Spending, *, depth: int, path: str) -> Iterator[Row]:
    yield Row(depth=depth, path=path, spending=spending)
    for part in spending.parts:
        mark = ("/" if path else "") if part.on_branch else "#"
        yield from _rows(part, depth=depth + 1, path=f"{path}{mark}{part.label}")


def _with_means(table: Sequence[Row], expected: Expected) -> list[Row]:
    """Rows with the means for a problem, what a row's parts took being in it as well; None for
    parts that are not told apart.
    """
    share = 1 / max(expected.problems, 1)
    means = [None if own is None else own.times(share) for own in shares(table[0].spending, expected.calls)]
    found = []
    for number, (row, own) in enumerate(zip(table, means, strict=True)):
        end = next((at for at in range(number + 1, len(table)) if table[at].depth <= row.depth), len(table))
        whole = sum((one for one in means[number:end] if one is not None), FREE)
        found.append(replace(row, own=own, expected=None if own is None else whole))
    return found
