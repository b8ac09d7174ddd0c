"""Verifiers on recorded samples of real models, through the library's own replay: what choosing by them reaches.

    python tests/bench/recorded_verifiers.py DATA [--only game24]

DATA is a folder with one folder a data set; a set that is not there is left out, and said to be. Each set is a
function below that yields the rows of its table; `@data_set` puts it in.

game24: princeton-nlp/tree-of-thought-llm, `logs/game24`: GPT-4 on puzzles 900 to 999, 100 samples each by direct
prompting (IO) and by chain of thought (CoT), every one recorded as right or wrong. Expected, from the paper (Yao et
al. 2023, arXiv 2305.10601, Table 2): 7.3 and 4.0 % of samples right; 33 and 49 puzzles solved by the best of 100.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import BestOfN, Controller, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import ReplayBackend
from orchestrator.types import Candidate, Outcome, Sample
from orchestrator.verifiers import ArithmeticTarget, Rule

Rows = AsyncIterator["Row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table: what was run, what came of it, and what it was expected to be ("" for no figure)."""

    what: str
    found: str
    expected: str = ""


SETS: dict[str, Callable[[Path], Rows]] = {}


def data_set(function: Callable[[Path], Rows]) -> Callable[[Path], Rows]:
    """Puts a function of a set's folder into the table, under the function's name."""
    SETS[function.__name__] = function
    return function


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


async def outcomes(
    program: Any, backend: ReplayBackend, problems: Iterable[Problem], *, answers: AnswerReader
) -> list[Outcome]:
    """The outcome of every problem, by the library's controller."""
    async with Controller(models={backend.name: backend}, answers=answers, concurrency=64) as controller:
        return [outcome async for outcome in controller.map(program, problems)]


# Game of 24 ----------------------------------------------------------------------------------------------------

LAST_LINE = AnswerReader(kind="text")


@data_set
async def game24(folder: Path) -> Rows:
    with (folder / "puzzles_900_999.csv").open(encoding="utf-8") as file:
        numbers = [row["Puzzles"] for row in csv.DictReader(file)]
    rule = ArithmeticTarget(target=24)
    for prompting, mean, solved in (("io", "7.3 %", "33"), ("cot", "4.0 %", "49")):
        path = folder / f"samples_{prompting}_n100.jsonl.gz"
        backend = ReplayBackend.from_jsonl(path)
        problems = [
            Problem(id=one.id, prompt=numbers[int(one.id) - 900], tests=numbers[int(one.id) - 900])
            for one in backend.problems()
        ]
        agree, differ, right = verdicts(rule, problems, lines(path))
        yield Row(
            what=f"{prompting}: verdicts as recorded", found=f"{agree} of {agree + differ}", expected="all"
        )
        yield Row(
            what=f"{prompting}: samples right", found=f"{100 * right / (agree + differ):.1f} %", expected=mean
        )
        for n in (1, 10, 100):
            found = await outcomes(
                BestOfN(n=n, verifier=rule, per_call=n), backend, problems, answers=LAST_LINE
            )
            count = sum(outcome.confidence == 1.0 for outcome in found)
            yield Row(
                what=f"{prompting}: best of the first {n}",
                found=f"{count} of {len(found)}",
                expected=solved if n == 100 else "",
            )
            backend = ReplayBackend.from_jsonl(path)


def verdicts(rule: Rule, problems: Sequence[Problem], rows: Sequence[dict[str, Any]]) -> tuple[int, int, int]:
    """Samples a rule judges as recorded, those it judges otherwise (each printed), and those it finds right."""
    agree = differ = right = 0
    for problem, row in zip(problems, rows, strict=True):
        for text, recorded in zip(row["answers"], row["correct"], strict=True):
            candidate = Candidate(sample=Sample(text=text), answer=LAST_LINE.read(text))
            score = rule.judge(problem, candidate)
            right += score.value == 1.0
            agree += score.value == recorded
            differ += score.value != recorded
            if score.value != recorded:
                print(f"  problem {problem.id}, recorded {recorded}: {text!r}: {score}")
    return agree, differ, right


# The table -----------------------------------------------------------------------------------------------------


async def show(name: str, rows: Callable[[Path], Rows], folder: Path) -> None:
    print(f"\n{name:40s} {'found':>16s} {'expected':>10s}")
    async for row in rows(folder):
        print(f"  {row.what:38s} {row.found:>16s} {row.expected:>10s}")


FOLDERS = {"game24": "tot_game24"}
"""Where a set's folder is called otherwise than its function."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with one folder a data set")
    parser.add_argument("--only", choices=sorted(SETS), help="one set alone")
    options = parser.parse_args(arguments)
    for name, rows in SETS.items():
        if options.only not in (None, name):
            continue
        folder = options.data / FOLDERS.get(name, name)
        if folder.is_dir():
            asyncio.run(show(name, rows, folder))
        else:
            print(f"\n{name}: {folder} is not there, left out")


if __name__ == "__main__":
    main()
