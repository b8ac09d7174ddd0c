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


async def test_verdicts_held_to_a_schema_can_be_read_and_all_are_charged_exactly():
    backend = LocalBackend("smollm2-135m-instruct", parallel=2, context_length=1024)
    judges = (
        Judge(lowest=1, highest=5, form="json"),
        PairwiseJudge(form="json", expected=False),
        Judge(form="yes_no", max_tokens=4),
    )
    (scored, compared, _), calls = await judged(backend, *judges)
    assert len(calls) == 2 + 2 * (2 - 1) + 2
    assert all(value is not None and 0.0 <= value <= 1.0 for value in scored + compared)
    for call in calls[:4]:
        assert call.samples[0].finish_reason == "stop"
    for sample in (call.samples[0] for call in (*calls[:2], *calls[4:])):
        assert all(len(token.top) == 20 for token in sample.logprobs)
        assert sample.text in "".join(token.token for token in sample.logprobs)
