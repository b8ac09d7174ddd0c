"""A loaded file as a part of another program."""

from dataclasses import replace

import pytest

from orchestrator import Cascade, Controller, Problem, Single, Tier
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.backends.scripted import prompt_text
from orchestrator.errors import UnknownPriceError
from orchestrator.primitives import Return, Run, Sample, Steps
from orchestrator.programs import Program, loads
from orchestrator.prompts import Prompt
from orchestrator.strategies import Agreement

FILE = """
version: 1
budget: {requests: 1, per_problem: {requests: 2}}
prompt: {template: "By the file: {{ problem }}"}
answer: {labels: [yes, no]}
program: {self_consistency: {n: 3, max_tokens: 5, stop: fixed_size}}
"""
PROBLEM = Problem(id="p", prompt="2 + 2?")
OUTER = Prompt(template="By the run: {{ problem }}")


async def play(program, *answers, **settings):
    """What a program comes to, what was asked, and what it costs at most."""
    model = ScriptedBackend(list(answers))
    settings = {"answers": AnswerReader(kind="number"), "prompt": OUTER, **settings}
    async with Controller(models={"m": model}, **settings) as controller:
        worst = (await controller.costing(PROBLEM).program(program)).worst
        outcome = await controller.run(program, PROBLEM)
    return outcome, [prompt_text(request) for request in model.requests], worst


async def test_it_keeps_its_limits_of_a_problem_its_prompt_and_how_it_reads_answers():
    steps = Steps(
        steps=(Run(id="a", program=loads(FILE)), Sample(id="b"), Return(value="a")), outputs={"b": "b.answer"}
    )
    outcome, asked, worst = await play(steps, "yes", "yes", "4")
    assert outcome.answer.text == "yes"
    assert outcome.detail["outputs"] == {"b": "4"}
    assert asked == ["By the file: 2 + 2?"] * 2 + ["By the run: 2 + 2?"]
    assert worst.prompt_tokens >= outcome.usage.prompt_tokens


async def test_what_it_costs_at_most_is_counted_with_its_own_prompt():
    long = loads(FILE.replace("By the file", "By the file " * 50).replace("requests: 2", "requests: 9"))
    tiers = Cascade(
        tiers=(Tier(strategy=long, accept=Agreement(at_least=1.0)), Tier(strategy=Single(max_tokens=5)))
    )
    outcome, _, worst = await play(tiers, "yes", "no", "yes", "4")
    assert worst.prompt_tokens == outcome.usage.prompt_tokens


async def test_what_it_does_not_say_is_the_runs():
    steps = Steps(steps=(Run(id="a", program=loads("version: 1\nprogram: single\n")), Return(value="a")))
    outcome, asked, _ = await play(steps, "It is 4")
    assert (outcome.answer.text, asked) == ("4", ["By the run: 2 + 2?"])


async def test_alone_it_is_run_as_the_controller_says():
    outcome, asked, worst = await play(loads(FILE), "4", "4", "4")
    assert (outcome.answer.text, asked) == ("4", ["By the run: 2 + 2?"] * 3)
    assert worst.prompt_tokens == outcome.usage.prompt_tokens


async def test_its_money_needs_prices_before_the_first_call():
    limited = loads(FILE.replace("per_problem: {requests: 2}", "per_problem: {usd: 1}"))
    steps = Steps(
        steps=(Sample(id="a"), Run(id="b", program=limited), Return(value="b")), outputs={"a": "a.count"}
    )
    model = ScriptedBackend(["4"])
    async with Controller(models={"m": model}) as controller:
        with pytest.raises(UnknownPriceError):
            await controller.run(steps, PROBLEM)
    assert model.requests == []


async def test_its_limits_of_a_problem_bound_what_it_costs_where_they_are_kept():
    judged = loads(FILE.replace("program:", "check: {judge: {max_tokens: 5}}\nprogram:"))
    steps = Steps(steps=(Run(id="a", program=judged), Return(value="a")))
    outcome, asked, worst = await play(steps, "yes", "yes")
    assert worst.calls == outcome.usage.requests == len(asked) == 2
    outcome, asked, worst = await play(replace(judged, check=None), "4", "4", "4")
    assert worst.calls == outcome.usage.requests == 3  # alone, and so is what it only stands around:
    outcome, asked, worst = await play(Program(strategy=replace(judged, check=None)), "4", "4", "4")
    assert worst.calls == outcome.usage.requests == 3
