"""What verifiers cost at most: no judgement costs more, whatever the candidates say."""

import math
import random

import pytest

from orchestrator import Controller, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import Scripted, ScriptedBackend
from orchestrator.backends.scripted import tokens_of
from orchestrator.costs import FREE
from orchestrator.expressions import Size
from orchestrator.types import Candidate, Outcome, Sample
from orchestrator.verifiers import (
    REGISTRY,
    Composite,
    GeneratedTests,
    Judge,
    PairwiseJudge,
    RecordedPasses,
    Regex,
    Screen,
    StateValue,
    StateVote,
)

PROBLEM = Problem(id="p", prompt="def f(x): `doubles`\n\nx", reference="four", fields={"entry_point": "f"})
JUDGE = Judge(samples=3, per_call=2, temperature=0.5, form="json", max_tokens=12)
VERIFIERS = [
    Judge(),
    Judge(show_reference=True, form="yes_no"),
    JUDGE,
    PairwiseJudge(),
    PairwiseJudge(method="round_robin", swap=False, form="json", max_tokens=9),
    PairwiseJudge(method="bradley_terry", max_pairs=4),
    StateValue(votes=2, max_tokens=10),
    StateValue(votes=3, per_call=3, answer_template="{{ problem }} {{ answer }} {{ thoughts }} {{ state }}"),
    StateVote(votes=4, per_call=2, max_tokens=10),
    Composite(parts=(JUDGE, Regex(pattern="4"))),
    Screen(first=Regex(pattern="."), then=Judge()),
    GeneratedTests(n=3, max_tokens=20, executor=RecordedPasses(rows={})),
]


def text_of(tokens, rng):
    pieces = ["`", "so", "<answer-", "\n", "4", "Answer: 4", "def f(x): pass", "</think>"]
    text = ""
    while len(tokens_of(text)) < tokens:
        text += f" {rng.choice(pieces)}{rng.randrange(1000)}"
    return "".join(tokens_of(text)[:tokens])


def test_every_verifier_says_what_it_costs():
    assert [name for name, part in REGISTRY.items() if not hasattr(part, "worst_case")] == []


@pytest.mark.parametrize("verifier", VERIFIERS, ids=lambda one: one.name)
@pytest.mark.parametrize("count", [1, 2, 5])
async def test_no_judgement_costs_more_than_the_worst_case(verifier, count):
    for seed in range(5):
        rng = random.Random(f"{seed}/{count}")
        size = rng.randrange(1, 60)
        texts = [text_of(size, rng) for _ in range(count)]
        backend = ScriptedBackend(
            lambda request, rng=rng: Scripted(text=text_of(request.max_tokens, rng)),
            price={"input": 1, "output": 2},
        )

        async def judged(ctx, problem, texts=texts):
            reader = AnswerReader(kind="text")
            candidates = [
                Candidate(sample=Sample(text=text), answer=reader.read(text, truncated=False))
                for text in texts
            ]
            await ctx.score(verifier, problem, candidates)
            return Outcome(candidates=tuple(candidates))

        async with Controller(models={"m": backend}) as controller:
            found = await controller.costing(PROBLEM).scoring(verifier, count, Size(tokens=size))
            spent = (await controller.run(judged, PROBLEM)).usage
        worst = found.worst
        assert math.isfinite(worst.usd)
        assert spent.requests <= worst.calls
        assert spent.prompt_tokens <= worst.prompt_tokens
        assert spent.completion_tokens <= worst.completion_tokens
        assert spent.picodollars / 1e12 <= worst.usd * (1 + 1e-12)


async def test_a_rule_costs_nothing():
    controller = Controller(models={"m": ScriptedBackend([])})
    found = await controller.costing(PROBLEM).scoring(Regex(pattern="4"), 9, Size(tokens=math.inf))
    assert found.worst == FREE
