"""Steps with a budget of their own."""

import time

import anyio
import pytest
from primitives.playing import PROBLEM, faults, paths, play, playing

from orchestrator import Budget, Controller, Problem, StopReason
from orchestrator.backends import Scripted, ScriptedBackend
from orchestrator.errors import BackendError, UnknownPriceError
from orchestrator.events import StepTaken
from orchestrator.primitives import (
    Branch,
    ForEach,
    Let,
    Parallel,
    Repeat,
    Return,
    Run,
    Sample,
    Set,
    Steps,
    Text,
)
from orchestrator.strategies import Agreement, Cascade, Router, SelfConsistency, Single, Tier

FOUR = {"": "the answer is 4"}


def ask(name="draft", prompt="say", **more):
    return Sample(id=name, prompt=prompt, **more)


def branch(*steps, name="part", **budget):
    return Branch(id=name, budget=Budget(**budget), steps=steps)


async def test_its_names_are_fields_of_its_value_and_its_calls_are_on_a_branch():
    events = []
    steps = (branch(ask(), requests=5), Return(value="part.draft"))
    outcome = await play(steps, FOUR, events=events)
    assert outcome.answer.text == "4"
    assert paths(events) == ["part", "part/draft"]


async def test_when_its_own_budget_is_spent_the_program_goes_on():
    steps = (
        branch(ask("a"), ask("b"), ask("c"), requests=2),
        ask("d"),
        Return(value="d"),
    )
    outcome = await play(steps, FOUR, c="part.c.count", d="d.count")
    assert outcome.detail["outputs"] == {"c": 0, "d": 1}
    assert outcome.stop_reason is StopReason.COMPLETE
    assert outcome.usage.requests == 3


async def test_when_the_budget_of_the_problem_is_spent_in_it_the_program_is_ended():
    events = []
    steps = (
        branch(ask("a"), ask("b"), requests=5),
        ask("c"),
        Return(value="part.a"),
    )
    outcome = await play(steps, FOUR, budget=Budget(requests=1), events=events, c="c.count")
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert paths(events) == [
        "part",
        "part/a",
        "part/b",
    ]  # not even a branch is opened for what cannot be paid


@pytest.mark.parametrize("name", ["run", PROBLEM.id])
async def test_a_branch_with_the_name_of_the_run_or_the_problem_runs_out_of_its_own_limits_only(name):
    steps = branch(ask("a", n=2), name=name, requests=1), ask("b"), Return(value="b")
    outcome = await play(steps, FOUR, a=f"{name}.a.count", b="b.count")
    assert outcome.detail["outputs"] == {"a": 1, "b": 1}
    assert outcome.detail["cut_short"] == {name: "budget"}
    assert outcome.stop_reason is StopReason.COMPLETE
    outcome = await play(steps, FOUR, budget=Budget(requests=1), a=f"{name}.a.count", b="b.count")
    assert outcome.detail["outputs"] == {"a": 1, "b": 0}
    assert outcome.stop_reason is StopReason.BUDGET


async def test_a_loop_of_branches_goes_on_after_each_is_spent_and_not_after_the_problem_is():
    loop = Repeat(id="loop", max=10, steps=(branch(ask("a", n=2), ask("b"), requests=2),))
    steps = (loop, Return(value="loop.each.part[0].a"))
    for limit, requests, rounds in ((None, 20, 10), (4, 4, 3)):
        outcome = await play(steps, FOUR, budget=Budget(requests=limit), rounds="loop.rounds")
        assert outcome.usage.requests == requests
        assert outcome.detail["outputs"] == {"rounds": rounds}


async def test_the_problems_limit_that_keeps_back_some_of_its_samples_ends_the_program_and_not_the_branch():
    events = []
    steps = (
        Repeat(id="loop", max=3, steps=(branch(ask("a", n=3), requests=9), ask("b"))),
        Return(value="loop.part.a"),
    )
    outcome = await play(steps, FOUR, budget=Budget(requests=2), events=events, rounds="loop.rounds")
    assert outcome.stop_reason is StopReason.BUDGET
    assert "cut_short" not in outcome.detail
    assert outcome.detail["outputs"] == {"rounds": 1}
    assert paths(events) == ["part", "part/a"]
    assert not [event for event in events if isinstance(event, StepTaken) and event.step == "cut short"]


async def test_a_branch_inside_a_branch_that_is_spent_leaves_the_outer_one_going():
    steps = (
        branch(
            branch(ask("a"), ask("b"), name="inner", requests=1),
            ask("c"),
            ask("d"),
            name="outer",
            requests=2,
        ),
        Return(value="outer.c"),
    )
    outcome = await play(steps, FOUR, b="outer.inner.b.count", c="outer.c.count", d="outer.d.count")
    assert outcome.detail["outputs"] == {"b": 0, "c": 1, "d": 0}
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_its_seconds_end_it_and_not_the_program():
    now = time.monotonic()

    def reply(request):
        nonlocal now
        now += 3.0
        return "4"

    steps = (
        branch(ask("a"), ask("b"), ask("c"), seconds=5),
        ask("d"),
        Return(value="d"),
    )
    async with playing(reply, clock=lambda: now) as (controller, _):
        outcome = await controller.run(
            Steps(steps=steps, outputs={"b": "part.b.count", "c": "part.c.count", "d": "d.count"}),
            Problem(id="p", prompt="?"),
        )
    assert outcome.detail["outputs"] == {"b": 1, "c": 0, "d": 1}
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_a_call_that_is_late_for_its_seconds_is_cancelled():
    steps = (branch(ask("a"), seconds=0.01), ask("d", prompt="last"), Return(value="d"))

    def reply(request):
        text = str(request.messages[-1]["content"])
        return "4" if "last" in text else Scripted(text="5", gate=anyio.Event())

    outcome = await play(steps, reply, a="part.a.count")
    assert outcome.answer.text == "4"
    assert outcome.detail["outputs"] == {"a": 0}


async def test_what_is_drawn_in_it_counts_for_the_program():
    steps = (branch(ask("a", n=3), requests=2), Return(value="part.a.best"))
    outcome = await play(steps, FOUR)
    assert len(outcome.candidates) == 2
    assert outcome.confidence == 1.0


async def test_set_changes_what_is_outside_and_a_return_inside_ends_the_program():
    events = []
    steps = (
        Let(values={"note": "''"}),
        branch(ask(), Set(values={"note": "draft.best.text"}), Return(value="draft"), requests=5),
    )
    outcome = await play(steps, FOUR, events=events, note="note", part="part.draft.count")
    assert outcome.answer.text == "4"
    assert outcome.detail["outputs"] == {"note": "the answer is 4", "part": 1}


async def test_when_all_its_calls_fail_its_names_are_missing():
    steps = (branch(ask("a"), requests=3), ask("d", prompt="last"), Return(value="d"))
    outcome = await play(steps, {"last": "4", "": BackendError("down")}, a="part.a.best == none")
    assert outcome.detail["outputs"] == {"a": True}


async def test_money_cannot_be_limited_where_a_price_is_not_known_and_that_is_said_before_any_call():
    inside = Parallel(branches={"x": (Branch(budget=Budget(usd=1), steps=(Sample(),)),)})
    steps = (ask("first"), Repeat(max=2, steps=(inside,)), Return(value="first"))
    backend = ScriptedBackend(lambda _: "4", name="m")
    async with Controller(models={"m": backend}) as controller:
        with pytest.raises(UnknownPriceError):
            await controller.run(Steps(steps=steps), Problem(id="p", prompt="?"))
    assert backend.started == 0


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (branch(), "steps.0.branch.steps: there is no step to make on the branch"),
        (branch(ask(prompt="{{ nobody }}")), "steps.0.branch.steps.0.sample.prompt: "),
        (branch(ask()), "steps.0.branch.steps.0.id: nothing uses `draft`"),
        (branch(Text(template="a")), "steps.0.branch.steps.0: nothing uses the value of this step"),
        (
            ForEach(over="['a']", item="x", steps=(branch(Return(value="x")),)),
            "steps.0.for_each.steps.0.branch.steps.0: `return` cannot end the program here",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(step, fault):
    found = faults(step, Return(value="'4'"))
    assert [one for one in found if one.startswith(fault)], found


BRANCHED = Steps(steps=(Branch(id="b", budget=Budget(usd=1), steps=(Sample(id="s"),)), Return(value="b.s")))
TIERS = Cascade(
    tiers=(
        Tier(strategy=SelfConsistency(n=2), accept=Agreement(), budget=Budget(usd=1)),
        Tier(strategy=Single()),
    )
)


@pytest.mark.parametrize(
    "program",
    [
        Steps(steps=(ask("a"), Run(program=BRANCHED), Return(value="a"))),
        Steps(steps=(ask("a"), Run(program=TIERS), Return(value="a"))),
        Steps(steps=(ask("a"), Run(program=Router(programs=(Single(), BRANCHED))), Return(value="a"))),
        Cascade(tiers=(Tier(strategy=SelfConsistency(n=2), accept=Agreement()), Tier(strategy=BRANCHED))),
        Router(programs=(Single(), TIERS)),
    ],
)
async def test_money_that_is_limited_deep_inside_is_refused_without_a_price_before_any_call(program):
    backend = ScriptedBackend(lambda _: "4", name="m")
    async with Controller(models={"m": backend}) as controller:
        with pytest.raises(UnknownPriceError):
            await controller.run(program, "?")
    assert backend.requests == []


async def test_a_branch_out_of_its_budget_is_told_in_the_trace_and_the_outcome():
    drafts = Branch(id="few", budget=Budget(requests=1), steps=(Sample(id="drafts", prompt="draft", n=3),))
    events = []
    outcome = await play((drafts, Return(value="few.drafts")), {"draft": "4"}, events=events)
    assert (outcome.answer.text, outcome.confidence, len(outcome.candidates)) == ("4", 1.0, 1)
    assert outcome.detail["cut_short"] == {"few": "budget"}
    told = [event.reason for event in events if isinstance(event, StepTaken) and event.step == "cut short"]
    assert told == ["few: its own budget is spent, 1 samples drawn"]


async def test_a_branch_within_its_budget_is_not_cut_short():
    drafts = Branch(id="all", budget=Budget(requests=3), steps=(Sample(id="drafts", prompt="draft", n=3),))
    outcome = await play((drafts, Return(value="all.drafts")), {"draft": "4"})
    assert "cut_short" not in outcome.detail


async def test_a_branch_that_is_come_to_after_the_budget_is_spent_is_not_cut_short_by_its_own():
    drafts = Branch(id="few", budget=Budget(requests=1), steps=(Sample(id="drafts", prompt="draft", n=3),))
    steps = Sample(id="all", prompt="draft", n=2), drafts, Return(value="all")
    outcome = await play(steps, {"draft": "4"}, budget=Budget(requests=1), n="few.drafts.count")
    assert outcome.stop_reason is StopReason.BUDGET
    assert "cut_short" not in outcome.detail
