"""What strategies cost at most, known before anything is sent: no run, whatever its models write, costs more."""

import math
import random
from importlib import import_module
from pathlib import Path

import pytest
from strategies.conformance import Case

from orchestrator import Controller, Model, Outcome
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, Scripted, ScriptedBackend
from orchestrator.costs import Cost

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("cases_*.py"))
CASES: list[Case] = [case for module in MODULES for case in import_module(f"strategies.{module}").CASES]
PRICE = {"input": 1, "output": 3, "request": 0.001}
KINDS = ("words", "fences", "lines", "numbers", "steps", "empty", "case")


def text_of(kind, cap, rng):
    """As many tokens as the cap allows."""
    if kind == "fences":
        return "`" * cap
    if kind == "empty":
        return rng.choice(["", " ", "\n\n"])
    if kind == "lines":
        return "\n".join(f"x{rng.randrange(10**6)}" for _ in range(cap))
    if kind == "numbers":
        return " ".join(str(rng.randrange(1000)) for _ in range(cap))
    if kind == "steps":
        return f"step {rng.randrange(10**6)} " + "." * (cap - 2)
    return " ".join(rng.choice(["so", "wait", "</think>", "hence", "yes", "Answer: 4"]) for _ in range(cap))


class Writing:
    """Writes texts as long as may be; of one kind, or in turn like the case's own models."""

    def __init__(self, case, kind, seed):
        self.case, self.kind, self.rng = case, kind, random.Random(seed)

    def __call__(self, request):
        if request.texts or self.kind == "case":
            return self.case.reply(request)
        kind = self.rng.choice(KINDS[:-1]) if self.kind == "mixed" else self.kind
        return Scripted(text=text_of(kind, request.max_tokens, self.rng))


def controller(case, kind, seed, **options):
    models = {
        name: Model(
            backend=ScriptedBackend(Writing(case, kind, seed), name=name, price=PRICE),
            sampling={"max_tokens": 24},
            retry=RetryPolicy(attempts=1),
        )
        for name in case.models
    }
    return Controller(models=models, answers=AnswerReader(kind=case.kind), **options)


@pytest.mark.parametrize("kind", [*KINDS, "mixed"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_no_run_costs_more_than_the_worst_case(case, kind):
    for seed in range(2 if kind == "mixed" else 1):
        async with controller(case, kind, seed) as running:
            worst = (await running.costing(case.problem).program(case.program)).worst
            assert all(math.isfinite(figure) for figure in figures(worst))
            spent = (await outcome_of(running, case)).usage
        used = (spent.requests, spent.prompt_tokens, spent.completion_tokens, spent.picodollars / 1e12)
        assert all(u <= w * (1 + 1e-12) for u, w in zip(used, figures(worst), strict=True)), (used, worst)


def figures(cost: Cost):
    return (cost.calls, cost.prompt_tokens, cost.completion_tokens, cost.usd)


async def outcome_of(running, case) -> Outcome:
    stream = running.map(case.program, [case.problem])
    async with stream:
        [outcome] = [outcome async for outcome in stream]
        return outcome
