"""Programs and tests that a model wrote, judged by their agreement."""

import gzip
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from orchestrator import Controller, Outcome, Problem
from orchestrator.answers import AnswerReader, PassMatrix
from orchestrator.backends import ReplayBackend, ScriptedBackend
from orchestrator.backends.recordings import Recorded, RecordedProblem
from orchestrator.errors import InvalidInputError
from orchestrator.types import Candidate, Sample
from orchestrator.verifiers.generated_tests import (
    GeneratedTests,
    RecordedPasses,
    SandboxExecutor,
    assertions_in,
    cluster_scores,
)

DATA = Path(__file__).parents[1] / "data"

WHOLE = AnswerReader(kind="code", function=lambda text: text)


def lines(name):
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def candidate(text):
    return Candidate(sample=Sample(text=text), answer=WHOLE.read(text))


# Four samples, three tests: two programs pass the first two tests, one all three, one none.
ROWS = ["110", "110", "111", "000"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("tests", [6 / 10, 6 / 10, 1.0, 0.0]),
        ("agreement", [2 / 4, 2 / 4, 1 / 4, 0.0]),
        ("product", [2 / 4 * 6 / 10, 2 / 4 * 6 / 10, 1 / 4, 0.0]),
        ("codet", [0.5**0.5 * 6 / 10, 0.5**0.5 * 6 / 10, 0.5, 0.0]),
        # weights 5 * 3/4, 1 * 3/4, 4 * 1/4
        ("weighted", [0.5**0.125 * 4.5 / 5.5, 0.5**0.125 * 4.5 / 5.5, 0.25**0.125, 0.0]),
    ],
)
def test_a_clusters_score_by_every_rule(rule, expected):
    assert cluster_scores(PassMatrix.of(ROWS), [5, 1, 4], rule) == pytest.approx(expected)


def test_programs_that_did_not_run_do_not_count():
    scores = cluster_scores(PassMatrix.of(["10", None, "10"]), [1, 1], "codet")
    assert scores == pytest.approx([0.5, 0.0, 0.5])
    assert list(cluster_scores(PassMatrix.of(["00", "00"]), [1, 1], "weighted")) == [0.0, 0.0]


def test_tests_are_read_from_what_a_model_writes():
    text = """Here are the tests:
```python
assert add(1, 2) == 3
assert add(1,2)==3
1. assert add(0, 0) == 0  # zero
- `assert add(2, 2) == 4`
assert sub(1, 2) == 3
assert add(1, 2 ==
assert add(1, 1) == 2; import os
print(add(1, 2))
```"""
    assert assertions_in(text, "add") == [
        "assert add(1, 2) == 3",
        "assert add(0, 0) == 0",
        "assert add(2, 2) == 4",
    ]


@pytest.mark.parametrize(
    "endless", ["+".join(["1"] * 500), "-" * 300_000 + "1", "0x" + "f" * 5000, "'\ud800'", "1\0"]
)
def test_a_line_that_cannot_be_read_or_written_is_no_test(endless):
    assert assertions_in(f"assert add(1, 2) == {endless}\nassert add(1, 1) == 2", "add") == [
        "assert add(1, 1) == 2"
    ]


class Scored:
    """A program that draws `n` samples and keeps a verifier's scores of them."""

    def __init__(self, verifier, n):
        self.verifier, self.n, self.kept = verifier, n, {}

    async def __call__(self, ctx, problem):
        candidates = [
            ctx.read(sample) async for sample in ctx.sample(ctx.ask(problem), n=self.n, per_call=self.n)
        ]
        scores = await ctx.score(self.verifier, problem, candidates)
        self.kept[problem.id] = [(c.sample.text, score) for c, score in zip(candidates, scores, strict=True)]
        return Outcome(candidates=candidates)


async def scored(models, program, problems):
    async with Controller(models=models, answers=WHOLE) as controller:
        for problem in problems:
            outcome = await controller.run(program, problem)
            assert outcome.error is None, outcome.error
    return outcome


needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="apt install bubblewrap")

SQUARE = "def square(x):\n    return x * x"
DOUBLE = "def square(x):\n    return 2 * x"
BROKEN = "def square(x) return"


@needs_bubblewrap
async def test_the_model_writes_tests_and_the_programs_are_run_on_them():
    tests = ["assert square(3) == 9\nassert square(2) == 4", "assert square(3) == 9\nassert square(5) == 10"]
    programs = [DOUBLE, SQUARE, BROKEN, SQUARE]
    program = Scored(GeneratedTests(n=2, model="tester", rule="codet"), n=4)
    problem = Problem(id="p", prompt="def square(x):\n    '''x times x'''")
    outcome = await scored(
        {"m": ScriptedBackend(programs), "tester": ScriptedBackend(tests)}, program, [problem]
    )
    values = [score.value for _, score in program.kept["p"]]
    # Frequencies 2, 1, 1: the squares pass 3 of 4 in two samples of four, the double 2 of 4 in one.
    assert values == pytest.approx([0.5 * 2 / 4, 0.5**0.5 * 3 / 4, 0.0, 0.5**0.5 * 3 / 4])
    assert program.kept["p"][1][1].reason == "passes 2 of 3 generated tests, as do 1 others"
    assert outcome.usage.requests == 1 + 2
    assert len(outcome.candidates) == 4


async def test_only_the_first_tests_of_each_sample_are_taken_and_counted_by_sample():
    texts = ["assert square(3) == 9\nassert square(2) == 4", "assert square(3) == 9\nassert square(5) == 10"]

    class Asked:
        async def passes(self, problem, programs, tests):
            self.tests = tests
            return ["1" * len(tests)] * len(programs)

    for per_sample, expected in ((1, [9]), (2, [9, 4, 10])):
        executor = Asked()
        verifier = GeneratedTests(n=2, per_sample=per_sample, model="tester", executor=executor)
        models = {"m": ScriptedBackend([SQUARE]), "tester": ScriptedBackend(texts)}
        await scored(models, Scored(verifier, n=1), [Problem(id="p", prompt="def square(x):")])
        assert [int(test.split("== ")[1]) for test in executor.tests] == expected


async def test_without_a_readable_test_it_abstains_on_all():
    program = Scored(GeneratedTests(n=2, model="tester", executor=RecordedPasses(rows={})), n=1)
    problem = Problem(id="p", prompt="def square(x):")
    models = {"m": ScriptedBackend([SQUARE]), "tester": ScriptedBackend(["no", "idea"])}
    await scored(models, program, [problem])
    assert program.kept["p"][0][1].value is None
    assert program.kept["p"][0][1].reason == "the model wrote no test that can be read"


async def test_a_model_that_fails_makes_it_abstain_on_all():
    program = Scored(GeneratedTests(n=2, model="tester", executor=RecordedPasses(rows={})), n=1)
    models = {"m": ScriptedBackend([SQUARE]), "tester": ScriptedBackend([])}
    await scored(models, program, [Problem(id="p", prompt="def square(x):")])
    assert program.kept["p"][0][1].value is None
    assert "no tests could be had" in program.kept["p"][0][1].reason


async def test_a_candidate_without_a_program_abstains_and_does_not_count():
    problem = Problem(id="p", prompt="?", fields={"tests": ["assert f()"]})
    verifier = GeneratedTests(column="tests", executor=RecordedPasses(rows={"p": {SQUARE: "1"}}))
    scores = await verifier.score(None, problem, [candidate(SQUARE), candidate("```python\ncut")])
    assert [score.value for score in scores] == [1.0, None]


async def test_a_function_without_a_name_is_the_callers_mistake():
    with pytest.raises(InvalidInputError, match="name it in a column `entry_point`"):
        await GeneratedTests().score(None, Problem(id="p", prompt="Square a number."), [candidate(SQUARE)])
    with pytest.raises(InvalidInputError, match="column 'made' must be a list of tests"):
        await GeneratedTests(column="made").score(None, Problem(id="p", prompt="?"), [candidate(SQUARE)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0},
        {"per_sample": 0},
        {"rule": "best"},
        {"temperature": -1.0},
        {"temperature": float("inf")},
        {"temperature": float("nan")},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError):
        GeneratedTests(**wrong)


def test_equal_parameters_make_equal_verifiers():
    assert GeneratedTests() == GeneratedTests()
    assert hash(GeneratedTests()) == hash(GeneratedTests())
    assert GeneratedTests().comparative
    assert GeneratedTests(executor=SandboxExecutor(seconds=2)) != GeneratedTests()


# Recorded: HumanEval, 164 tasks, 100 samples of CodeGen-16B and as many of tests.


@pytest.fixture(scope="module")
def tasks():
    frequencies = {line["task"]: line["test_freq"] for line in lines("codet_frequencies.jsonl.gz")}
    return [{**task, "test_freq": frequencies[task["task"]]} for task in lines("codet_passes.jsonl.gz")]


def as_recordings(tasks):
    """What was sampled, with `program 7` for the text of the distinct program number 7."""
    recordings, rows = {}, {}
    for task in tasks:
        counts = {f"test {number}": count for number, count in enumerate(task["test_freq"])}
        problem = Problem(id=task["task"], prompt=f"Task {task['task']}.", fields={"made": counts})
        samples = [Recorded(text=f"program {number}") for number in task["sample_to_solution"]]
        recordings[problem.id] = RecordedProblem(problem=problem, samples=samples)
        rows[problem.id] = {f"program {number}": row for number, row in enumerate(task["passes"])}
    return ReplayBackend(recordings), RecordedPasses(rows=rows)


def expected_share(task, values):
    """How often the best is right, where equal ones are drawn from; abstentions on all: any."""
    scores = np.array([-1.0 if value is None else value for value in values])
    right = np.array([task["correct"][solution] == "1" for solution in task["sample_to_solution"]])
    return right[scores >= scores.max() - 1e-12].mean()


@pytest.mark.parametrize(
    ("rule", "percent"),
    [("codet", 37.30), ("product", 36.49), ("tests", 21.83), ("agreement", 33.60), ("weighted", 39.99)],
)
async def test_the_recorded_programs_chosen_by_every_rule(tasks, rule, percent):
    backend, passes = as_recordings(tasks)
    program = Scored(GeneratedTests(rule=rule, column="made", executor=passes), n=100)
    await scored({"m": backend}, program, backend.problems())
    shares = [
        expected_share(task, [score.value for _, score in program.kept[task["task"]]]) for task in tasks
    ]
    assert 100 * np.mean(shares) == pytest.approx(percent, abs=0.006)


def test_a_sample_at_random_is_right_for_22_1_per_cent(tasks):
    shares = [expected_share(task, [0.5] * 100) for task in tasks]
    assert 100 * np.mean(shares) == pytest.approx(22.13, abs=0.005)


def test_exponents_fitted_on_half_of_the_tasks_beat_codets_on_the_other(tasks, monkeypatch):
    """Size exponent a and support exponent c of the `weighted` rule, over a grid; mean of 200 splits."""
    from orchestrator.verifiers import generated_tests

    grid = [(a, c) for a in (0.08, 0.125, 0.17, 0.25, 0.35, 0.5, 0.7, 1.0) for c in (0.0, 0.5, 1.0, 2.0)]
    shares = np.zeros((len(grid), len(tasks)))
    for column, task in enumerate(tasks):
        matrix = PassMatrix.of([task["passes"][solution] for solution in task["sample_to_solution"]])
        for row, (a, c) in enumerate(grid):
            monkeypatch.setitem(generated_tests._EXPONENTS, "weighted", (a, 1.0, c))
            shares[row, column] = expected_share(task, cluster_scores(matrix, task["test_freq"], "weighted"))
    codet, fitted, plain = grid.index((0.5, 0.0)), [], []
    draw = random.Random(0)
    for _ in range(200):
        order = draw.sample(range(len(tasks)), len(tasks))
        half, other = order[: len(order) // 2], order[len(order) // 2 :]
        best = shares[:, half].mean(axis=1).argmax()
        fitted.append(shares[best, other].mean())
        plain.append(shares[codet, other].mean())
    assert 100 * np.mean(plain) == pytest.approx(37.2, abs=0.05)
    assert 100 * np.mean(fitted) == pytest.approx(39.34, abs=0.05)


def test_a_template_that_is_none_is_refused():
    with pytest.raises(InvalidInputError):
        GeneratedTests(template="{{ problem")
