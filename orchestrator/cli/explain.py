"""`orchestrator explain` and `run --dry-run`: what a program costs at most, with nothing sent."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console
from rich.table import Table

from ..costs import Cost
from ..errors import InvalidInputError
from ..programs.expected import FIGURES, Expected, expected_from, expected_in
from ..programs.explaining import Explanation, Row, explain, rows
from ..runtime import Controller
from ..types import Problem
from .failures import FAILED, complain
from .job import Flags, make_job

__all__ = ["Options", "dry_run", "show"]

COLUMNS = ("calls", "prompt tokens", "completion tokens", "US dollars")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to compare with, and how to write it."""

    journal: Path | None = None
    expected: Path | None = None
    json: bool = False


def show(flags: Flags, options: Options) -> int:
    """Print the program `flags` describe as a tree with costs; returns the exit code."""
    if options.journal is not None and options.expected is not None:
        raise InvalidInputError("give either --from or --expect")
    found, note = _explained(flags)
    expected: Expected | Mapping[str, Cost] | None = None
    if options.journal is not None:
        expected = expected_from(options.journal)
        note = (*note, f"expected: means of {expected.problems} problems in {options.journal}")
    elif options.expected is not None:
        expected = expected_in(options.expected)
    table = rows(found.spending, expected)
    if options.json:
        print(
            json.dumps({**_as_dict(found), "notes": list(note), "parts": [_row_dict(row) for row in table]})
        )
        return 0
    for line in (*_head(found), *note):
        print(line)
    print()
    out = Console(highlight=False)
    if out.is_terminal:
        out.print(_rich(table))
    else:
        print("\n".join(_plain(table)))
    return 0


def dry_run(flags: Flags, *, allow_over_budget: bool, as_json: bool) -> int:
    """Print the worst case of the run `flags` describe; refuse one that exceeds its budget."""
    found, note = _explained(flags)
    if as_json:
        print(json.dumps({**_as_dict(found), "notes": list(note)}))
    else:
        for line in (*_head(found), *note):
            print(line)
    if not found.over:
        return 0
    if allow_over_budget:
        complain("the budget is hard and cannot be overspent: the run is safe, and may end early")
        return 0
    complain(
        "refused: the worst case exceeds the budget. The budget is hard, so that a run is safe and may end early: "
        "--allow-over-budget accepts that"
    )
    return FAILED


def _explained(flags: Flags) -> tuple[Explanation, Sequence[str]]:
    job = make_job(flags)
    controller = Controller(models=job.models, answers=job.answers, prompt=job.prompt)
    note: tuple[str, ...] = ()
    problems = job.problems
    if job.total == 0:
        problems, note = [Problem(id="", prompt="")], ("there are no problems: worked out for an empty one",)

    async def work() -> Explanation:
        return await explain(
            job.program,
            problems,
            costing=controller.costing,
            budget=job.budget,
            per_problem=job.per_problem,
        )

    return anyio.run(work), note


def _head(found: Explanation) -> list[str]:
    lines = [f"each problem, at most: {_said(found.spending.worst)}"]
    if found.problem != found.spending.worst:
        lines.append(f"  within its budget: {_said(found.problem)}")
    lines.append(f"{found.problems} problem(s), at most: {_said(found.unlimited)}")
    if found.run != found.unlimited:
        lines.append(f"  within the problems' budgets: {_said(found.run)}")
    lines.append(f"budget: {_limits(found.budget)}; each problem: {_limits(found.per_problem)}")
    return [*lines, *(found.over or ["fits the budget"])]


def _said(cost: Cost) -> str:
    calls, prompt, completion, usd = (_figure(getattr(cost, name)) for name in FIGURES)
    return f"{calls} calls, {prompt} prompt + {completion} completion tokens, {usd} US dollars"


def _figure(value: float) -> str:
    if value == math.inf:
        return "unknown"
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:,.4g}"


def _limits(budget: Any) -> str:
    names = ("usd", "prompt_tokens", "completion_tokens", "total_tokens", "requests", "seconds")
    given = [(name, getattr(budget, name)) for name in names]
    return ", ".join(f"{name} {value}" for name, value in given if value is not None) or "no limits"


def _cells(row: Row, *, expected: bool) -> list[str]:
    spending = row.spending
    kind = "" if spending.kind == spending.label else f" ({spending.kind})"
    cells = [f"{'  ' * row.depth}{spending.label}{kind}"]
    cells += [_figure(getattr(spending.worst, name)) for name in FIGURES]
    if expected:
        cells += ["" if row.expected is None else _figure(getattr(row.expected, name)) for name in FIGURES]
    return [*cells, spending.note]


def _titles(table: Sequence[Row]) -> tuple[bool, list[str]]:
    expected = any(row.expected is not None for row in table)
    further = [f"expected {name}" for name in COLUMNS] if expected else []
    return expected, ["part", *COLUMNS, *further, ""]


def _plain(table: Sequence[Row]) -> list[str]:
    expected, titles = _titles(table)
    cells = [titles, *(_cells(row, expected=expected) for row in table)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at in (0, len(row) - 1) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _rich(table: Sequence[Row]) -> Table:
    expected, titles = _titles(table)
    shown = Table(box=None, pad_edge=False)
    for at, title in enumerate(titles):
        shown.add_column(title, justify="left" if at in (0, len(titles) - 1) else "right")
    for row in table:
        shown.add_row(*_cells(row, expected=expected))
    return shown


def _as_dict(found: Explanation) -> dict[str, Any]:
    return {
        "problems": found.problems,
        "per_problem": _cost_dict(found.spending.worst),
        "per_problem_within_budget": _cost_dict(found.problem),
        "run": _cost_dict(found.unlimited),
        "run_within_budgets_of_problems": _cost_dict(found.run),
        "fits": not found.over,
        "over": found.over,
    }


def _row_dict(row: Row) -> dict[str, Any]:
    spending = row.spending
    return {
        "path": row.path,
        "depth": row.depth,
        "label": spending.label,
        "kind": spending.kind,
        "note": spending.note,
        "worst": _cost_dict(spending.worst),
        "expected": None if row.expected is None else _cost_dict(row.expected),
        "expected_of_its_own": None if row.own is None else _cost_dict(row.own),
    }


def _cost_dict(cost: Cost) -> dict[str, float | None]:
    """JSON has no infinity: None is what is not known."""
    figures = {name: getattr(cost, name) for name in FIGURES}
    return {name: None if value == math.inf else value for name, value in figures.items()}
