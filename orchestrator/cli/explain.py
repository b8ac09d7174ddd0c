"""`orchestrator explain` and `run --dry-run`: what a program costs at most, with nothing generated."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console

from ..costs import FREE, Cost, counted
from ..errors import InvalidInputError
from ..programs.expected import FIGURES, Expected, expected_in
from ..programs.explaining import Explanation, Row, explain, rows
from ..runtime import Controller
from ..runtime.earlier import EarlierRun
from ..runtime.journal import RESUMING, RunRecord
from ..types import Problem
from .costs_notes import beyond, counting, uncounted
from .costs_table import figure, plain_table, terminal_table
from .failures import FAILED, complain
from .job import Flags, Job, make_job

__all__ = ["DryRun", "Options", "dry_run", "show"]

ANOTHERS = (
    "its figures are not what this program is expected to take: name a journal of its own, or take them all the same "
    "(--allow-changed-program)"
)

UNTOLD = (
    "without expected figures: parts that a journal does not tell apart, as they draw on one branch, or on branches "
    "of one label in an order that is not certain"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to compare with, whether servers count prompts, and how to write it."""

    journal: Path | None = None
    allow_changed_program: bool = False
    expected: Path | None = None
    exact: bool = False
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """The run to go on with, if any, whether servers count prompts, what is accepted, and how to write it."""

    journal: Path | None = None
    resume: bool = False
    allow_changed_program: bool = False
    exact: bool = False
    allow_over_budget: bool = False
    json: bool = False


def show(flags: Flags, options: Options) -> int:
    """Print the program `flags` describe as a tree with costs; returns the exit code."""
    if options.journal is not None and options.expected is not None:
        raise InvalidInputError("give either --from or --expect")
    job = make_job(flags)
    expected, source = _expected(job, options)
    found, notes = _explained(job, exact=options.exact)
    notes, table = [*notes, *source], rows(found.spending, expected)
    if found.spending.worst != found.most:
        notes.append(f"the parts are shown for problem {found.shown}, which can take most tokens")
    if options.journal is not None and any(row.expected is None for row in table):
        notes.append(UNTOLD)
    if options.json:
        print(json.dumps({**_as_dict(found), "notes": notes, "parts": [_row_dict(row) for row in table]}))
        return 0
    for line in (*_head(found), *notes):
        print(line)
    print()
    out = Console(highlight=False)
    if out.is_terminal:
        out.print(terminal_table(table, width=out.width))
    else:
        print("\n".join(plain_table(table)))
    return 0


def dry_run(flags: Flags, options: DryRun) -> int:
    """Print the worst case of the run `flags` describe; refuse one that exceeds its budget."""
    job = make_job(flags)
    if options.resume and options.journal is not None and not options.journal.exists():
        complain(f"there is no journal {options.journal} yet: the run would start it, and resume nothing")
        options = replace(options, resume=False)
    if options.resume and options.journal is not None:
        with EarlierRun(options.journal) as earlier:
            earlier.compare(_record(job), advice=RESUMING, allow_changed=options.allow_changed_program)
            found, notes = _explained(job, exact=options.exact, earlier=earlier)
    else:
        found, notes = _explained(job, exact=options.exact)
    if options.json:
        print(json.dumps({**_as_dict(found), "notes": notes}))
    else:
        for line in (*_head(found), *notes):
            print(line)
    if not found.over:
        return 0
    if options.allow_over_budget:
        complain("the budget is hard and cannot be overspent: the run is safe, and may end early")
        return 0
    complain(
        "refused: the worst case exceeds the budget. The budget is hard, so that a run is safe and may end early: "
        "--allow-over-budget accepts that"
    )
    return FAILED


def _record(job: Job) -> RunRecord:
    return RunRecord.of(job.program, answers=job.answers, prompt=job.prompt, models=job.models)


def _expected(job: Job, options: Options) -> tuple[Expected | Mapping[str, Cost] | None, list[str]]:
    """What parts are expected to take, and where that comes from."""
    if options.journal is not None:
        return _recorded(job, options.journal, allow_changed=options.allow_changed_program)
    if options.expected is not None:
        return expected_in(options.expected), [f"expected: as {options.expected} has it"]
    return None, []


def _recorded(job: Job, journal: Path, *, allow_changed: bool) -> tuple[Expected, list[str]]:
    """What parts took in the run of a journal."""
    with EarlierRun(journal) as earlier:
        same = earlier.compare(_record(job), advice=ANOTHERS, allow_changed=allow_changed)
        found = earlier.expected(mixed=allow_changed)
    if found.left_out and not found.problems:
        raise InvalidInputError(
            f"another program made calls for every problem in {str(journal)!r} before this one went on with its run: "
            "--allow-changed-program counts them all the same"
        )
    notes = [f"expected: means of {counted(found.problems, 'problem')} in {journal}"]
    if found.left_out:
        notes.append(f"left out: {counted(found.left_out, 'problem')}, which another program had begun")
    return found, [*notes, *([] if same else ["the journal is another program's"])]


def _explained(job: Job, *, exact: bool, earlier: EarlierRun | None = None) -> tuple[Explanation, list[str]]:
    """What the program costs at most, and what is to be said about that."""
    controller = Controller(models=job.models, answers=job.answers, prompt=job.prompt)
    problems, notes = job.problems, list[str]()
    if job.total == 0:
        problems, notes = [Problem(id="", prompt="")], ["there are no problems: worked out for an empty one"]

    async def work() -> Explanation:
        return await explain(
            job.program,
            problems,
            costing=lambda problem: controller.costing(problem, exact=exact),
            budget=job.budget,
            per_problem=job.per_problem,
            earlier=earlier,
        )

    async def started() -> tuple[Explanation, list[str]]:
        async with controller:
            return await work(), uncounted(job.models)

    found, bounded = anyio.run(started) if exact else (anyio.run(work), None)
    if found.begun:
        notes.append(
            f"{counted(found.begun, 'problem')} had been begun: what each has spent is counted, and its worst case "
            "as well, though calls that are in the journal are not sent again"
        )
    return found, [*notes, *counting(job.models, bounded), *beyond(found, job.models, bounded)]


def _head(found: Explanation) -> list[str]:
    lines = [f"each problem, at most: {_said(found.most)}"]
    if found.problem != found.most:
        lines.append(f"  within its budget: {_said(found.problem)}")
    lines.append(f"{counted(found.problems, 'problem')}, at most: {_said(found.unlimited)}")
    if found.spent != FREE:
        lines.append(f"  spent of it: {_said(found.spent)}; {counted(found.finished, 'problem')} finished")
    if found.run != found.unlimited:
        lines.append(f"  within the problems' budgets: {_said(found.run)}")
    lines.append(f"budget: {found.budget}; each problem: {found.per_problem}")
    return [*lines, *(found.over or ["fits the budget"])]


def _said(cost: Cost) -> str:
    calls, prompt, completion, usd = (figure(getattr(cost, name)) for name in FIGURES)
    together = "" if cost.together is None else f" (together {figure(cost.together)})"
    words = "call" if cost.calls == 1 else "calls"
    return f"{calls} {words}, {prompt} prompt + {completion} completion tokens{together}, {usd} US dollars"


def _as_dict(found: Explanation) -> dict[str, Any]:
    return {
        "problems": found.problems,
        "per_problem": _cost_dict(found.most),
        "per_problem_within_budget": _cost_dict(found.problem),
        "run": _cost_dict(found.unlimited),
        "run_within_budgets_of_problems": _cost_dict(found.run),
        "spent": _cost_dict(found.spent),
        "finished_problems": found.finished,
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
    figures = {name: getattr(cost, name) for name in (*FIGURES, "total_tokens")}
    return {name: None if value == math.inf else value for name, value in figures.items()}
