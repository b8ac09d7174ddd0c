"""The same steps for every item of a list, side by side."""

import anyio
import pytest
from primitives.playing import PROBLEM, faults, paths, play, playing

from orchestrator import Budget, StopReason
from orchestrator.backends import Scripted
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.expressions import TEXT, ListOf
from orchestrator.primitives import (
    Fail,
    ForEach,
    If,
    Let,
    Return,
    Sample,
    Set,
    Steps,
    Text,
    Vote,
)

FIELDS = {"parts": ListOf(TEXT)}


def each(*steps, over="problem.parts", **more):
    return ForEach(**{"id": "loop", "over": over, "item": "part", "max": 8, **more}, steps=steps)


def ask(name="said", prompt="about {{ part }}", **more):
    return Sample(id=name, prompt=prompt, **more)


async def test_its_values_are_in_the_order_of_the_items_each_on_a_branch_of_its_own():
    events = []
    steps = (
        each(ask(), Text(template="{{ part }}: {{ said.best.text }}")),
        Vote(id="all", of=["loop.each.said[0]", "loop.each.said[2]"]),
        Return(value="all"),
    )
    outcome = await play(
        steps,
        {"one": "1", "two": "2", "three": "1"},
        events=events,
        values="loop.values",
        count="loop.count",
    )
    assert outcome.answer.text == "1"
    assert outcome.detail["outputs"] == {"values": ["one: 1", "two: 2", "three: 1"], "count": 3}
    assert paths(events)[:3] == ["loop-1", "loop-2", "loop-3"]
    assert sorted(paths(events)[3:]) == ["loop-1/said", "loop-2/said", "loop-3/said"]


async def test_which_item_finishes_first_changes_nothing():
    kinds = {"one": "1", "two": "2", "three": "3"}
    outcomes = []
    for slow in kinds:
        release = anyio.Event()

        def reply(request, slow=slow, release=release):
            text = str(request.messages[-1]["content"])
            piece = next(piece for piece in kinds if piece in text)
            if piece != slow and not release.is_set():
                release.set()
                return Scripted(text=kinds[piece])
            return Scripted(text=kinds[piece], gate=release if piece == slow else None)

        steps = (each(ask()), Return(value="loop.values[1]"))
        outcomes.append(await play(steps, reply, values="loop.each.said"))
    assert {outcome.answer.text for outcome in outcomes} == {"2"}
    assert outcomes[0].detail == outcomes[1].detail == outcomes[2].detail


async def test_at_once_limits_how_many_items_are_worked_on():
    most, now = 0, 0

    class Counted:
        async def wait(self):
            nonlocal most, now
            now += 1
            most = max(most, now)
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
            now -= 1

    for at_once, expected in ((1, 1), (2, 2), (None, 3)):
        most = 0
        steps = (each(ask(), at_once=at_once), Return(value="loop.values[0]"))
        await play(steps, lambda _: Scripted(text="4", gate=Counted()))
        assert most == expected


async def test_of_candidates_each_is_an_item():
    steps = (
        ask("drafts", prompt="draft", n=2),
        each(ask(prompt="check {{ part.text }}"), over="drafts", max=2),
        Return(value="drafts"),
    )
    outcome = await play(steps, {"draft": ["1", "2"], "check 1": "yes", "check 2": "no"}, count="loop.count")
    assert outcome.detail["outputs"] == {"count": 2}
    assert sorted(one.sample.text for one in outcome.candidates) == ["1", "2", "no", "yes"]


async def test_a_list_that_is_written_out_needs_no_bound():
    steps = (each(ask(), over="['one', 'two']", max=None), Return(value="loop.values[0]"))
    outcome = await play(steps, {"one": "1", "two": "2"}, count="loop.count")
    assert outcome.detail["outputs"] == {"count": 2}
    assert steps[0].most_calls == 2
    assert steps[0].calls_at_once == 2


async def test_an_empty_or_missing_list_has_no_values():
    steps = (
        ask("drafts", prompt="draft"),
        each(ask(), over="problem.parts", max=1),
        Return(value="drafts"),
    )
    empty = PROBLEM.__class__(id="p", prompt="?", fields={"parts": []})
    outcome = await play(steps, {"draft": "4"}, problem=empty, values="loop.values", count="loop.count")
    assert outcome.detail["outputs"] == {"values": [], "count": 0}
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_a_list_longer_than_its_bound_is_a_failure_and_the_program_goes_on():
    steps = (
        each(ask(), max=2),
        ask("draft", prompt="draft"),
        Return(value="draft"),
    )
    outcome = await play(steps, {"draft": "4"}, values="loop.values == none")
    assert outcome.answer.text == "4"
    assert outcome.usage.requests == 1
    assert outcome.detail["outputs"] == {"values": True}


async def test_a_list_longer_than_its_bound_is_what_went_wrong_where_there_is_nothing_else():
    steps = (each(ask(), max=2), Return(value="loop.values[0]"))
    with pytest.raises(InvalidInputError, match=r"loop: `problem\.parts` has 3 items, and max is 2"):
        await play(steps, {})


async def test_an_item_whose_call_fails_is_missing_and_the_others_are_not():
    steps = (each(ask(), Text(template="{{ said.best.text }}")), Return(value="loop.each.said[2]"))
    outcome = await play(steps, {"one": "1", "two": BackendError("down"), "three": "3"}, values="loop.values")
    assert outcome.answer.text == "3"
    assert outcome.detail["outputs"] == {"values": ["1", "", "3"]}


async def test_a_budget_for_two_of_three_gives_two():
    steps = (each(ask(), at_once=1), Return(value="loop.values[0]"))
    outcome = await play(steps, {"": "4"}, budget=Budget(requests=2), counts="loop.each.said[2].count")
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["outputs"] == {"counts": 0}


async def test_a_resumed_run_meets_the_calls_of_each_item(tmp_path):
    program = Steps(
        steps=(each(ask(), ask("again", prompt="then {{ said.best.text }}")), Return(value="loop.values[2]")),
        outputs={"s": "loop.each.said[0].count"},
    )
    journal, sent = str(tmp_path / "run.db"), []

    def reply(request):
        sent.append(str(request.call))
        return "4"

    for resume, budget in ((False, Budget(requests=4)), (True, None)):
        async with playing(reply, journal=journal, resume=resume, budget=budget) as (controller, _):
            outcome = await controller.run(program, PROBLEM)
    assert outcome.answer.text == "4"
    assert len(sent) == len(set(sent)) == 6
    assert outcome.usage.requests == 6


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (
            each(ask(), over="problem.text"),
            "steps.0.for_each.in: expected a list, but `problem.text` is a text",
        ),
        (
            each(ask(), max=None),
            "steps.0.for_each: how many items `problem.parts` has is not known before the run",
        ),
        (each(), "steps.0.for_each.steps: there is no step to make for each item"),
        (each(ask(), item="problem"), "steps.0.for_each.as: `problem` is the name of something else already"),
        (each(ask(), item="a-b"), "steps.0.for_each.as: `a-b` cannot be a name: "),
        (each(ask("a/b")), "steps.0.for_each.steps.0.id: `a/b` cannot be a name: "),
        (each(ask(), Return(value="said")), "steps.0.for_each.steps.1: `return` cannot end the program here"),
        (
            each(ask(), If(condition="said.count > 0", then=(Fail(message="x"),))),
            "steps.0.for_each.steps.1.then.0: `fail` cannot end the program here",
        ),
        (each(ask(), Set(values={"total": "1"})), "steps.0.for_each.steps.1.set.total: "),
        (each(Set(values={"kept": "1"})), "steps.0.for_each.steps.0.set.kept: "),
        (each(ask(), max=5000, over="nobody"), "steps.0.for_each.in: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(step, fault):
    found = faults(Let(values={"kept": "1"}), step, Return(value="'4'"), fields=FIELDS, kept="kept")
    found = [one.replace("steps.1.", "steps.0.", 1) for one in found]
    assert [one for one in found if one.startswith(fault)], found


def test_a_name_of_the_block_can_be_set_in_it():
    step = each(Let(values={"own": "1"}), Set(values={"own": "own + 1"}))
    assert faults(step, Return(value="'4'"), fields=FIELDS, own="loop.each.own") == []


@pytest.mark.parametrize(
    ("more", "message"),
    [({"max": 0}, "max must be at least 1"), ({"at_once": 0}, "at_once"), ({"max": 10001}, r"1\.\.10000")],
)
def test_bounds_are_at_least_one(more, message):
    with pytest.raises(InvalidInputError, match=message):
        each(ask(), **more)
