"""Every example checks, explains, dry-runs, and keeps its bounds on a scripted model."""

import itertools
import json
import shutil
from pathlib import Path

import pytest

from orchestrator import Controller, Problem
from orchestrator.backends import Scripted, ScriptedBackend
from orchestrator.backends.scripted import tokens_of
from orchestrator.cli.app import main
from orchestrator.costs import Cost
from orchestrator.programs import load
from orchestrator.types import TokenLogprob

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
FILES = sorted([*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("composed/*.yaml")])

TEXTS = [
    "The chef ate soup with a big spoon.",
    "31 - 12 = 19",
    "A bird built its nest in the tree.\n\nIt was small.",
    "The final answer is 30.",
    "8",
    "(5 - 3) * 2 * 6 = 24",
    "```python\ndef add(a, b):\n    return a + b\n```",
]

of_every_example = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES).with_suffix(""))
)


def scripted():
    """A model that writes one of the texts after the other, and as a judge one score after the other."""
    numbers = itertools.count()

    def write(request):
        number = next(numbers)
        text = TEXTS[number % len(TEXTS)]
        if "response_format" in request.extra:
            text = json.dumps({"reason": "It could be shorter.", "score": 1 + number % 5})
        tokens = tokens_of(text)[: request.max_tokens]
        sure = tuple(
            TokenLogprob(token=token, logprob=-0.1 * (at % 3), top=((token, -0.1 * (at % 3)), ("?", -3.0)))
            for at, token in enumerate(tokens)
        )
        return Scripted(text=text, logprobs=None if request.logprobs is None else sure)

    return ScriptedBackend(write)


def within(usage, worst: Cost):
    return (
        usage.requests <= worst.calls
        and usage.prompt_tokens <= worst.prompt_tokens
        and usage.completion_tokens <= worst.completion_tokens
    )


@of_every_example
def test_it_checks_explains_and_dry_runs(path, capsys):
    assert main(["check", str(path)]) == 0
    assert main(["explain", str(path)]) == 0
    assert "each problem, at most: " in capsys.readouterr().out
    assert main(["run", str(path), "--dry-run", "--allow-over-budget"]) == 0
    assert "each problem, at most: " in capsys.readouterr().out


@of_every_example
async def test_it_runs_on_a_scripted_model_within_its_budget_and_its_worst_case(path):
    if "execution" in path.read_text() and shutil.which("bwrap") is None:
        pytest.skip("needs a sandbox")
    program = load(path)
    problems = list(program.problems or [])[:2] or [Problem(id="1", prompt="What is a quarter of six?")]
    settings = {"answers": program.answers, "prompt": program.prompt, "budget": program.budget}
    for problem in problems:
        models = {name: scripted() for name in program.specs}
        async with Controller(models=models, per_problem=program.per_problem, **settings) as controller:
            outcome = await controller.run(program, problem)
            spending = await program.worst_case(controller.costing(problem))
            assert outcome.usage.requests > 0
            assert outcome.candidates
            assert within(outcome.usage, spending.worst)
            assert controller.ledger.held.total_tokens == 0
