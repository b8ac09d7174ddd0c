"""Judges played by a real model: what it says is poor, but readable, and every token of it is charged."""

import pytest

from orchestrator import Budget, Controller, Outcome, Problem
from orchestrator.backends.local import LocalBackend
from orchestrator.events import CallSettled
from orchestrator.types import Candidate, Sample, Usage
from orchestrator.verifiers import Judge, PairwiseJudge

pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.local_model

PROBLEM = Problem(id="p", prompt="What is the capital of France?")
ANSWERS = ("Paris.", "It is London.")


async def judged(backend, *verifiers):
    """Each verifier's scores, the calls that settled, and what the run was charged."""
    events = []

    async def program(ctx, problem):
        candidates = [Candidate(sample=Sample(text=text), answer=None) for text in ANSWERS]
        scores = [await ctx.score(verifier, problem, candidates) for verifier in verifiers]
        return Outcome(detail={"scores": [[score.value for score in row] for row in scores]})

    async with Controller(
        models={"m": backend}, budget=Budget(total_tokens=8_000, requests=20), recorders=[events.append]
    ) as controller:
        outcome = await controller.run(program, PROBLEM)
        statistics, spent = controller.ledger.statistics(), controller.ledger.spent
    assert statistics.holds == statistics.held.total_tokens == 0
    calls = [event for event in events if isinstance(event, CallSettled)]
    assert sum((call.usage for call in calls), Usage()).total_tokens == spent.total_tokens
    assert outcome.usage.total_tokens == spent.total_tokens
    assert not spent.estimated
    return outcome.detail["scores"], calls


async def test_verdicts_held_to_a_schema_can_always_be_read_and_are_charged_exactly():
    backend = LocalBackend("smollm2-135m-instruct", parallel=2, context_length=1024)
    judges = (
        Judge(form="json", max_tokens=300, expected=False),
        Judge(lowest=1, highest=5, form="json", max_tokens=300),
        PairwiseJudge(form="json", max_tokens=300, expected=False),
    )
    scores, calls = await judged(backend, *judges)
    assert len(calls) == 2 + 2 + 2
    for row in scores:
        assert all(value is not None and 0.0 <= value <= 1.0 for value in row)
    assert all(call.samples[0].finish_reason == "stop" for call in calls)


async def test_log_probabilities_of_a_real_model_are_read():
    backend = LocalBackend("smollm2-135m-instruct", parallel=2, context_length=1024)
    _, calls = await judged(backend, Judge(), Judge(form="yes_no"), PairwiseJudge())
    assert len(calls) == 6
    assert all(len(token.top) == 20 for call in calls for token in call.samples[0].logprobs)
    for call in calls:
        [sample] = call.samples
        assert "".join(token.token for token in sample.logprobs).startswith(sample.text)
