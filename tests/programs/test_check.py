"""A file's `check`, which is asked about all that its program has drawn."""

import pytest

from orchestrator import Budget, Controller, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.backends.scripted import prompt_text
from orchestrator.primitives import Return, Run, Sample, Steps
from orchestrator.programs import loads

TINY = "version: 1\nmodels: {tiny: {local: gemma-3-270m}}\n"


async def checked(text, answers, **settings):
    """What a program with a check comes to, and the prompts it was asked."""
    model = ScriptedBackend(answers)
    program = loads(TINY + text)
    async with Controller(
        models={"tiny": model}, answers=AnswerReader(kind="number"), **settings
    ) as controller:
        outcome = await controller.run(program, "?")
    scores = [{name: score.value for name, score in one.scores.items()} for one in outcome.candidates]
    return scores, [prompt_text(request) for request in model.requests]


async def test_the_check_is_asked_where_the_program_has_a_verifier_of_its_name():
    own = "best_of_n: {n: 2, verifier: {regex: four}, threshold: null}"
    scores, _ = await checked(f"check: {{regex: five}}\nprogram: {{{own}}}\n", ["four", "five"])
    assert scores == [{"program.regex": 1.0, "regex": 0.0}, {"program.regex": 0.0, "regex": 1.0}]


async def test_the_check_is_not_asked_again_where_it_is_the_programs_verifier():
    judge = "check: {judge: {rubric: R, max_tokens: 3}}\n"
    scores, prompts = await checked(judge + "program: {best_of_n: {n: 1}}\n", ["4", "10"])
    assert scores == [{"judge": 1.0}]
    assert len(prompts) == 2


async def test_what_another_verifier_has_said_does_not_stand_for_a_check_that_could_not_be_paid():
    judge = "{judge: {rubric: %s, max_tokens: 3}}"
    text = f"check: {judge % 'R'}\nprogram: {{best_of_n: {{n: 1, verifier: {judge % 'S'}}}}}\n"
    scores, prompts = await checked(text, ["4", "10"], budget=Budget(requests=2))
    assert scores == [{"program.judge": 1.0}]
    assert len(prompts) == 2


async def test_the_check_is_asked_anew_where_its_verifier_was_asked_about_another_problem():
    judge = "{judge: {rubric: R, max_tokens: 3}}"
    step = f"{{id: a, best_of_n: {{n: 1, verifier: {judge}}}, problem: other}}"
    text = f"check: {judge}\nprogram: {{steps: [{step}, {{return: a}}]}}\n"
    scores, prompts = await checked(text, ["4", "10", "1"])
    assert scores == [{"program.judge": 1.0, "judge": 0.0}]
    assert ["other" in prompt for prompt in prompts] == [True, True, False]


@pytest.mark.parametrize(
    ("requests", "judged", "reason"),
    [
        (1, 0, StopReason.BUDGET),  # it is the program's own second sample that does not fit
        (2, 0, StopReason.COMPLETE),
        (3, 1, StopReason.COMPLETE),
        (4, 2, StopReason.COMPLETE),
    ],
)
@pytest.mark.parametrize("account", ["budget", "per_problem"])
async def test_a_limit_that_keeps_back_the_check_is_not_why_the_program_ended(
    account, requests, judged, reason
):
    vote = "self_consistency: {n: 2, max_tokens: 5, stop: fixed_size}"
    program = loads(f"{TINY}check: {{judge: {{max_tokens: 3}}}}\nprogram: {{{vote}}}\n")
    models = {"tiny": ScriptedBackend(["It is 4", "4", "7", "8"])}
    async with Controller(models=models, **{account: Budget(requests=requests)}) as controller:
        outcome = await controller.run(program, "?")
    assert outcome.stop_reason is reason
    scores = [one.scores.get("judge") for one in outcome.candidates]
    assert sum(score is not None and score.value is not None for score in scores) == judged


async def test_a_limit_that_keeps_back_the_check_of_a_part_ends_the_program():
    part = loads("version: 1\ncheck: {judge: {max_tokens: 60}}\nprogram: {single: {max_tokens: 5}}\n")
    steps = Steps(
        steps=(Run(id="a", program=part), Sample(id="b", max_tokens=5), Return(value="a")),
        outputs={"b": "b.count"},
    )
    models = {"tiny": ScriptedBackend(["4"])}
    async with Controller(models=models, budget=Budget(total_tokens=20)) as controller:
        outcome = await controller.run(steps, "?")
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["outputs"] == {"b": 0}
