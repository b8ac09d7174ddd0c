"""Monitors over a model served on this machine."""

import pytest

from orchestrator import Budget, Controller, Outcome
from orchestrator.backends.local import LocalBackend
from orchestrator.monitors import RepetitionGuard, ThinkingBudget

pytestmark = pytest.mark.local_model


async def test_a_model_in_a_loop_is_cut_and_one_that_thinks_too_long_answers():
    pytest.importorskip("xllamacpp")
    model = LocalBackend("smollm2-135m-instruct", parallel=1, context_length=512)
    guard = RepetitionGuard(repeats=3, characters=30)
    budget = ThinkingBudget(tokens=12, delimiter=None, end="Final answer: the capital is")
    drawn = []

    async def program(ctx, problem):
        begun = ctx.ask(problem).continued("Countries:\n" + "* The EU\n" * 8)
        drawn.append(await ctx.complete(begun, temperature=0.0, max_tokens=200, monitors=[guard]))
        ask = "Think aloud about the capital of France."
        drawn.append(await ctx.complete(ask, temperature=0.0, max_tokens=40, monitors=[budget]))
        return Outcome()

    async with Controller(models={"m": model}, budget=Budget(total_tokens=5000)) as controller:
        outcome = await controller.run(program, "List all countries.")
        assert controller.ledger.statistics().holds == 0
    looped, thought = drawn
    assert looped.cut.startswith("repetition_guard: the same 9 bytes ")
    assert looped.text.count("* The EU") >= 3
    assert looped.usage.completion_tokens < 60
    before, answered, after = thought.text.partition("\nFinal answer: the capital is")
    assert answered
    assert before
    assert "Paris" in after
    assert thought.resumptions == 1
    assert 12 < thought.usage.completion_tokens <= 40
    assert outcome.usage.completion_tokens == sum(sample.usage.completion_tokens for sample in drawn)
