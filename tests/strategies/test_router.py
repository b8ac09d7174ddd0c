from dataclasses import replace

import pytest

from orchestrator import Budget, Controller, Model, SelfConsistency, Single, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.errors import BackendError, BudgetExceededError, InvalidInputError
from orchestrator.strategies import FunctionScorer, PromptLength, Router
from orchestrator.types import Problem

NUMBER = AnswerReader(kind="number")


def scored(value):
    return FunctionScorer(function=lambda prompt: value)


async def run(program, *, problem="2 + 2?", budget=None, **texts):
    backends = {name: ScriptedBackend(said, name=name) for name, said in texts.items()}
    models = {
        name: Model(backend=backend, retry=RetryPolicy(attempts=1)) for name, backend in backends.items()
    }
    async with Controller(models=models, answers=NUMBER, budget=budget) as controller:
        return await controller.run(program, problem), backends


@pytest.mark.parametrize(
    ("score", "chosen"), [(0.0, "1"), (0.29, "1"), (0.3, "2"), (0.69, "2"), (0.7, "3"), (1.0, "3")]
)
async def test_thresholds_part_the_scores(score, chosen):
    program = Router(models=("a", "b", "c"), thresholds=(0.3, 0.7), scorer=scored(score))
    outcome, _ = await run(program, a=["1"], b=["2"], c=["3"])
    assert outcome.answer.text == chosen
    assert outcome.detail["score"] == score
    assert outcome.detail["chosen"] == outcome.detail["answered"] == int(chosen) - 1
    assert outcome.usage.requests == 1


@pytest.mark.parametrize(("score", "chosen"), [(0.49, "1"), (0.5, "2")])
async def test_without_thresholds_and_models_all_models_share_the_scores_evenly(score, chosen):
    outcome, _ = await run(Router(scorer=scored(score)), a=["1"], b=["2"])
    assert outcome.answer.text == chosen


@pytest.mark.parametrize(
    ("words", "score"), [(0, 0.0), (20, 0.0), (45, 0.25), (70, 0.5), (120, 1.0), (500, 1.0)]
)
def test_long_prompts_score_high(words, score):
    assert PromptLength(short=20, long=120).score("word " * words) == score


async def test_the_scorer_sees_the_question_alone():
    seen = []

    def look(prompt):
        seen.append(prompt)
        return 0

    turns = ({"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."})
    chat = Problem(id="p", messages=(*turns, {"role": "user", "content": "2 + 2?"}))
    await run(Router(scorer=FunctionScorer(function=look)), problem=chat, a=["4"], b=["4"])
    assert seen == ["Hi.\n\nHello.\n\n2 + 2?"]


async def test_programs_can_be_chosen_from():
    program = Router(
        programs=(Single(model="a"), SelfConsistency(model="b", n=3)), scorer=scored(1), temperature=None
    )
    outcome, _ = await run(program, a=[], b=["4", "5", "4"])
    assert outcome.answer.text == "4"
    assert outcome.detail["of_program"]["votes"] == [2, 1]
    assert (program.most_calls, program.calls_at_once) == (4, 3)
    assert replace(program, fallback=False).most_calls == 3


async def test_when_the_chosen_one_fails_the_stronger_then_the_weaker_are_asked():
    down = BackendError("down")
    program = Router(models=("a", "b", "c"), scorer=scored(0.5))
    outcome, models = await run(program, a=["1"], b=[down], c=[down])
    assert outcome.answer.text == "1"
    assert (outcome.detail["chosen"], outcome.detail["answered"]) == (1, 0)
    assert [model.started for model in models.values()] == [1, 1, 1]


def test_it_may_ask_all_it_falls_back_on():
    assert Router(models=("a", "b", "c")).most_calls == 3
    assert Router(models=("a", "b", "c"), fallback=False).most_calls == 1
    with pytest.raises(InvalidInputError, match="how many models the run has"):
        _ = Router().most_calls


async def test_without_fallback_its_failure_is_the_end():
    program = Router(scorer=scored(0), fallback=False)
    with pytest.raises(BackendError, match="down"):
        await run(program, a=[BackendError("down")], b=["2"])


async def test_when_all_fail_the_first_failure_is_raised():
    with pytest.raises(BackendError, match="first"):
        await run(Router(scorer=scored(0)), a=[BackendError("first")], b=[BackendError("second")])


async def test_what_the_budget_does_not_allow_is_passed_to_who_can():
    async def dear(ctx, problem):
        raise BudgetExceededError(account="run", resource="usd", requested=2, remaining=1)

    program = Router(programs=(Single(model="a"), dear), scorer=scored(1))
    outcome, _ = await run(program, a=["4"])
    assert outcome.answer.text == "4"
    assert outcome.detail["answered"] == 0


async def test_an_unreadable_answer_is_the_answer_of_the_chosen_one():
    outcome, models = await run(Router(scorer=scored(0)), a=["who knows"], b=["2"])
    assert outcome.answer is None
    assert outcome.stop_reason is StopReason.COMPLETE
    assert models["b"].started == 0


async def test_its_budget_ends_the_chosen_program_with_what_it_has():
    program = Router(programs=(SelfConsistency(model="a", n=6), Single(model="b")), scorer=scored(0))
    outcome, models = await run(program, budget=Budget(requests=2), a=["4", "4"], b=["2"])
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert models["b"].started == 0


@pytest.mark.parametrize("wrong", [1.5, -0.1, float("nan"), "high"])
async def test_a_score_out_of_range_is_refused(wrong):
    with pytest.raises(InvalidInputError, match=r"a number in \[0, 1\]"):
        await run(Router(scorer=scored(wrong)), a=["1"], b=["2"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"thresholds": (0.7, 0.3)},
        {"thresholds": (1.5,)},
        {"thresholds": (float("nan"),)},
        {"models": ("a", "b"), "thresholds": (0.1, 0.2)},
        {"models": ("a", "b"), "programs": (Single(),)},
        {"model": "a"},
    ],
)
def test_parameters_that_do_not_fit_are_refused(wrong):
    with pytest.raises(InvalidInputError):
        Router(**wrong)


async def test_thresholds_must_fit_the_models_of_the_run():
    with pytest.raises(InvalidInputError, match="one fewer than the 2 choices, not 2"):
        await run(Router(thresholds=(0.1, 0.2)), a=["1"], b=["2"])
