"""The composed examples check, are listed, and run on a scripted model within their budgets."""

import json
import re
import shutil
from pathlib import Path

import pytest

from orchestrator import Budget, Controller
from orchestrator.backends import FunctionBackend
from orchestrator.cli.app import main
from orchestrator.primitives import PRIMITIVES, Steps
from orchestrator.primitives.base import every_step
from orchestrator.programs import load
from orchestrator.types import StopReason

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
FILES = sorted((EXAMPLES / "composed").glob("*.yaml"))

TEXTS = [
    "The chef ate soup with a big spoon.",
    "31 - 12 = 19",
    "A bird built its nest in the tree.",
    "6 * 5 = 30",
    "It stopped in 1968.",
    "```python\ndef add(a, b):\n    return a + b\n```",
]


def scripted():
    """A model that writes one of the texts after the other, and as a judge one score after the other."""
    calls = []

    async def write(request):
        calls.append(request)
        if "response_format" in request.extra:
            return [json.dumps({"reason": "It could be shorter.", "score": 1 + len(calls) % 5})] * request.n
        return [TEXTS[(len(calls) + number) % len(TEXTS)] for number in range(request.n)]

    return FunctionBackend(write), calls


async def ran(program, problems):
    """The outcomes on scripted models, with the ledger of the run."""
    models = {name: scripted()[0] for name in program.specs}
    controller = Controller(
        models=models,
        budget=program.budget,
        per_problem=program.per_problem,
        answers=program.answers,
        prompt=program.prompt,
    )
    async with controller as running:
        outcomes = [outcome async for outcome in running.map(program, problems)]
        return outcomes, running.ledger


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_composed_example_runs_on_a_scripted_model_within_its_budget(path):
    if "execution" in path.read_text() and shutil.which("bwrap") is None:
        pytest.skip("needs a sandbox")
    program = load(path)
    problems = list(program.problems)
    assert 3 <= len(problems) <= 10
    assert all(problem.reference or problem.tests for problem in problems)
    outcomes, ledger = await ran(program, problems)
    assert [outcome.stop_reason for outcome in outcomes if outcome.error] == []
    assert any(outcome.answer is not None for outcome in outcomes)
    assert ledger.spent.total_tokens <= program.budget.total_tokens
    assert ledger.held.total_tokens == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_composed_example_ends_with_what_it_has_when_its_budget_is_spent(path):
    program = load(path)
    problems = list(program.problems)[:1]
    models = {name: scripted()[0] for name in program.specs}
    for requests in range(4):
        limits = {"models": models, "answers": program.answers, "prompt": program.prompt}
        async with Controller(**limits, budget=Budget(requests=requests)) as running:
            [outcome] = [outcome async for outcome in running.map(program, problems)]
            assert running.ledger.spent.requests <= requests
        assert outcome.stop_reason in (StopReason.BUDGET, StopReason.COMPLETE, StopReason.DECIDED)


def test_the_composed_examples_use_every_kind_of_step():
    used = set()
    for path in FILES:
        strategy = load(path).strategy
        tiers = [tier.strategy for tier in getattr(strategy, "tiers", ())]
        for program in [strategy, *tiers]:
            if isinstance(program, Steps):
                used |= {step.key for step in every_step(program.steps)}
    assert set(PRIMITIVES) - used == set()


def test_the_composed_examples_are_listed():
    listed = (EXAMPLES / "README.md").read_text()
    for path in FILES:
        assert f"| `composed/{path.name}` |" in listed, path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_composed_example_is_explained_and_dry_run(path, capsys):
    assert main(["check", str(path)]) == 0
    assert main(["explain", str(path)]) == 0
    [calls] = re.findall(r"# Costs at most (\d+) calls a problem", path.read_text())
    assert f"each problem, at most: {calls} calls" in capsys.readouterr().out
    assert main(["run", str(path), "--dry-run", "--allow-over-budget"]) == 0
    assert "each problem, at most: " in capsys.readouterr().out
