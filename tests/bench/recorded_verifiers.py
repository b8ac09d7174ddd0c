"""Verifiers on recorded samples of real models, through the library's own replay: what choosing by them reaches.

    python tests/bench/recorded_verifiers.py DATA [--only game24]

DATA is a folder with one folder a data set; a set that is not there is left out, and said to be. Each set is a
function below that yields the rows of its table; `@data_set` puts it in.

game24: princeton-nlp/tree-of-thought-llm, `logs/game24`: GPT-4 on puzzles 900 to 999, 100 samples each by direct
prompting (IO) and by chain of thought (CoT), every one recorded as right or wrong. Expected, from the paper (Yao et
al. 2023, arXiv 2305.10601, Table 2): 7.3 and 4.0 % of samples right; 33 and 49 puzzles solved by the best of 100.

codet_humaneval: microsoft/CodeT, HumanEval: 164 tasks, 100 samples of CodeGen-16B and as many of tests, with which
program passes which test as recorded from one execution. The figure is how often the chosen program is right, equal
ones drawn from. Expected: the same by sums over the recorded table, in which the 16 programs without any text also
take part, while the verifier abstains on them. The paper (Chen et al. 2022, arXiv 2207.10397) has 36.7 % by CodeT.
The exponents of `weighted` are also fitted on one half of the tasks and reported on the other, mean of 200 splits,
next to CodeT's on the same halves.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from orchestrator import BestOfN, Context, Controller, Problem
from orchestrator.answers import AnswerReader, PassMatrix
from orchestrator.backends import ReplayBackend
from orchestrator.backends.recordings import Recorded, RecordedProblem
from orchestrator.types import Candidate, Outcome, Sample
from orchestrator.verifiers import ArithmeticTarget, Rule, generated_tests
from orchestrator.verifiers.generated_tests import GeneratedTests, RecordedPasses, cluster_scores

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


# HumanEval, by tests a model wrote -----------------------------------------------------------------------------

WHOLE = AnswerReader(kind="code", function=lambda text: text)
EXPONENTS = [(a, c) for a in (0.08, 0.125, 0.17, 0.25, 0.35, 0.5, 0.7, 1.0) for c in (0.0, 0.5, 1.0, 2.0)]
"""Of the cluster's size and of a test's share of programs, to choose from for `weighted`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A program that draws `n` samples and lets a verifier score them; each outcome's candidates keep the scores."""

    verifier: GeneratedTests
    n: int

    async def __call__(self, ctx: Context, problem: Problem) -> Outcome:
        candidates = [
            ctx.read(sample) async for sample in ctx.sample(ctx.ask(problem), n=self.n, per_call=self.n)
        ]
        scores = await ctx.score(self.verifier, problem, candidates)
        return Outcome(
            candidates=candidates,
            detail={"scores": [-1.0 if score.value is None else score.value for score in scores]},
        )


@data_set
async def codet_humaneval(folder: Path) -> Rows:
    tasks = lines(folder / "humaneval_codegen16b_n100_tests.jsonl.gz")
    chance = np.mean([right_among_best(task, np.zeros(100)) for task in tasks])
    yield Row(what="a sample at random", found=f"{100 * chance:.1f} %", expected="22.1 %")
    backend, passes = as_recordings(tasks)
    for rule, expected in (
        ("tests", "21.8 %"),
        ("agreement", "33.6 %"),
        ("product", "36.5 %"),
        ("codet", "37.3 %"),
        ("weighted", ""),
    ):
        program = Scored(verifier=GeneratedTests(rule=rule, column="made", executor=passes), n=100)
        found = await outcomes(program, backend, backend.problems(), answers=WHOLE)
        shares = [
            right_among_best(task, np.array(outcome.detail["scores"]))
            for task, outcome in zip(tasks, found, strict=True)
        ]
        what = f"{rule}, its exponents fitted here" if rule == "weighted" else rule
        yield Row(what=what, found=f"{100 * np.mean(shares):.1f} %", expected=expected)
    fitted, plain = held_out(tasks, splits=200)
    yield Row(what="weighted, fitted on the other half", found=f"{100 * fitted:.1f} %")
    yield Row(what="codet on the same halves", found=f"{100 * plain:.1f} %")


def as_recordings(tasks: Sequence[dict[str, Any]]) -> tuple[ReplayBackend, RecordedPasses]:
    """What was sampled, and which program passed which test."""
    recordings, rows = {}, {}
    for task in tasks:
        made = dict(zip(task["tests"], task["test_freq"], strict=True))
        problem = Problem(id=task["task_id"], prompt=task["prompt"], fields={"made": made})
        programs = task["solutions"]
        samples = [Recorded(text=programs[number]) for number in task["sample_to_solution"]]
        recordings[problem.id] = RecordedProblem(problem=problem, samples=samples)
        rows[problem.id] = dict(zip(programs, task["passes"], strict=True))
    return ReplayBackend(recordings), RecordedPasses(rows=rows)


def right_among_best(task: dict[str, Any], scores: np.ndarray) -> float:
    """How often the sample of the highest score is right, where equal ones are drawn from."""
    right = np.array([int(task["correct"][number]) for number in task["sample_to_solution"]])
    return float(right[scores >= scores.max() - 1e-12].mean())


def held_out(tasks: Sequence[dict[str, Any]], *, splits: int) -> tuple[float, float]:
    """Tasks right by exponents chosen on the other half of them, and by CodeT's; means over random halves."""
    shares = np.zeros((len(EXPONENTS), len(tasks)))
    for column, task in enumerate(tasks):
        matrix = PassMatrix.of([task["passes"][number] for number in task["sample_to_solution"]])
        for row, (a, c) in enumerate(EXPONENTS):
            with patch.dict(generated_tests._EXPONENTS, {"weighted": (a, 1.0, c)}):
                scores = cluster_scores(matrix, task["test_freq"], "weighted")
            shares[row, column] = right_among_best(task, scores)
    draw = random.Random(0)
    fitted, plain = [], []
    for _ in range(splits):
        order = draw.sample(range(len(tasks)), len(tasks))
        half, other = order[: len(order) // 2], order[len(order) // 2 :]
        fitted.append(shares[shares[:, half].mean(axis=1).argmax(), other].mean())
        plain.append(shares[EXPONENTS.index((0.5, 0.0)), other].mean())
    return float(np.mean(fitted)), float(np.mean(plain))


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
