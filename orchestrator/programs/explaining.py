"""What a program costs before it is run: its parts with their worst cases, and with what they cost before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..budget import Budget
from ..contracts import ControlProgram
from ..costs import FREE, Asked, Cost, Costing, Spending, cost_of, limited
from ..errors import InvalidInputError
from ..spelling import did_you_mean
from ..types import PICODOLLARS_PER_USD, Problem, Usage
from .expected import Expected, shares

__all__ = ["Earlier", "Explanation", "Row", "explain", "overruns", "rows"]

ROUNDING = 1e-12


class Earlier(Protocol):
    """What an earlier run has spent that is to be resumed."""

    def charged(self) -> Usage:
        """All of it."""

    def spent(self, problem: Problem) -> Usage:
        """What it has spent on a problem."""

    def finished(self, problem: Problem) -> bool:
        """Whether it has the problem's outcome, so that nothing is asked for it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a program costs at most.

    Attributes:
        spending: The program with its parts, on the problem that can take most tokens.
        shown: That problem's id.
        most: The most in each kind that a problem can take, whichever it is, with what it has taken before.
        run: All problems together, each within the limits of a problem, and what was spent before.
        unlimited: The same if no problem had a limit.
        spent: What was spent before, by the run that is resumed.
        problems: How many there are.
        finished: Those among them that cost nothing more.
        begun: Those that have spent something and go on.
        budget: Limits of the run.
        per_problem: Limits of each problem.
        asked: The models that are asked, and how.
    """

    spending: Spending
    shown: str
    most: Cost
    run: Cost
    unlimited: Cost
    spent: Cost
    problems: int
    finished: int
    begun: int
    budget: Budget
    per_problem: Budget
    asked: Asked

    @property
    def problem(self) -> Cost:
        """`most`, within the limits of a problem."""
        return limited(self.most, self.per_problem)

    @property
    def over(self) -> list[str]:
        """Which limits the worst case exceeds, and by how much; empty where it fits."""
        return [
            *overruns(self.most, self.per_problem, "each problem's"),
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
    earlier: Earlier | None = None,
) -> Explanation:
    """What `program` costs at most on `problems`; nothing is sent.

    A problem that an earlier run has begun is counted with what it has spent and with its worst case: which of its
    calls are met again, and cost nothing, is not known before.

    Args:
        program: The control program.
        problems: At least one.
        costing: Makes the costing for one, such as a controller's.
        budget: Limits of the run.
        per_problem: Limits of each problem.
        earlier: What the run that is resumed has spent.

    Raises:
        InvalidInputError: There are no problems.
    """
    dearest: Spending | None = None
    spent = FREE if earlier is None else cost_of(earlier.charged())
    shown, asked = "", Asked()
    most, run, unlimited = FREE, spent, spent
    count = finished = begun = 0
    for problem in problems:
        working_out = costing(problem)
        found = await working_out.program(program)
        count += 1
        if dearest is None or found.worst.total_tokens > dearest.worst.total_tokens:
            dearest, shown = found, problem.id
        if earlier is not None and earlier.finished(problem):
            finished += 1
            continue
        asked |= working_out.asked
        before = FREE if earlier is None else cost_of(earlier.spent(problem))
        begun += before.calls > 0
        most = most.or_else(before + found.worst)
        unlimited += found.worst
        run += limited(found.worst, per_problem, spent=before)
    if dearest is None:
        raise InvalidInputError("there are no problems to work out the costs of")
    return Explanation(
        spending=dearest,
        shown=shown,
        most=most,
        run=run,
        unlimited=unlimited,
        spent=spent,
        problems=count,
        finished=finished,
        begun=begun,
        budget=budget or Budget(),
        per_problem=per_problem or Budget(),
        asked=asked,
    )


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

    Raises:
        InvalidInputError: There is no part of such a path.
    """
    table = list(_rows(spending, depth=0, path=""))
    if isinstance(expected, Expected):
        return _with_means(table, expected)
    if expected is None:
        return table
    paths = [row.path for row in table]
    for path in expected:
        if path not in paths:
            hint = did_you_mean(path, paths) or f"there are: {', '.join(repr(one) for one in paths)}"
            raise InvalidInputError(f"no part has the path {path!r} that figures are expected for; {hint}")
    return [replace(row, expected=expected.get(row.path)) for row in table]


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
