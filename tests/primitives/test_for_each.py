"""The same steps for every item of a list, side by side."""

from dataclasses import replace

import anyio
import pytest
from primitives.playing import PROBLEM, faults, paths, play, playing

from orchestrator import Budget, StopReason
from orchestrator.backends import Scripted
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.expressions import TEXT, ListOf
from orchestrator.primitives import (
    Branch,
    Fail,
    ForEach,
    If,
    Let,
    Parallel,
    Repeat,
    Return,
    Run,
    Sample,
    Set,
    Split,
    Steps,
    Text,
    Vote,
)

FIELDS = {"parts": ListOf(TEXT)}


def test_loops_over_items_inside_one_another_are_refused_where_they_could_go_on_for_hours():
    inner = ForEach(id="inner", over="problem.parts", item="other", max=1000, steps=(Text(template="x"),))
    outer = ForEach(id="outer", over="problem.parts", item="part", max=1000, steps=(inner,))
    steps = (outer, Return(value="'4'", confidence="outer.count"))
    [fault, *_] = faults(*steps, fields=FIELDS)
    assert fault == (
        "steps.0.for_each.max: with the loops inside it, it makes up to 1,001,001 steps, and 250,000 are allowed"
    )


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


TOO_LONG = "for_each `loop`: 3 items where at most 2 are allowed (`max`)"


async def test_a_list_longer_than_its_bound_ends_the_program_with_what_was_drawn():
    steps = (
        ask("draft", prompt="draft"),
        each(ask(), max=2),
        ask("never", prompt="never"),
        Return(value="never"),
    )
    outcome = await play(steps, {"draft": "4"}, values="loop.values == none", draft="draft.best.text")
    assert outcome.answer is None
    assert (outcome.stop_reason, outcome.error) == (StopReason.ERROR, TOO_LONG)
    assert [one.sample.text for one in outcome.candidates] == ["4"]
    assert outcome.usage.requests == 1
    assert outcome.detail["outputs"] == {"values": True, "draft": "4"}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda step: each(step, id="outer", item="outer_part", over="['a', 'b']", max=None),
        lambda step: Parallel(id="outer", branches={"left": (step,)}),
        lambda step: Branch(id="outer", budget=Budget(requests=9), steps=(step,)),
        lambda step: Repeat(id="outer", max=2, steps=(step,)),
    ],
)
async def test_a_list_that_is_too_long_ends_the_program_from_inside_other_steps(wrapped):
    steps = (ask("draft", prompt="draft"), wrapped(each(ask(), max=2)), Return(value="draft"))
    outcome = await play(steps, {"draft": "4"}, seen="outer == none")
    assert (outcome.answer, outcome.error) == (None, TOO_LONG)
    assert len(outcome.candidates) == 1


async def test_a_list_that_is_too_long_inside_a_nested_program_ends_that_one():
    inner = Steps(steps=(each(ask(), max=2), Return(value="loop.values[0]")))
    steps = (Run(id="inner", program=inner), ask("draft", prompt="draft"), Return(value="draft"))
    outcome = await play(steps, {"draft": "4"}, reason="inner.stop_reason")
    assert (outcome.answer.text, outcome.detail["outputs"]) == ("4", {"reason": "error"})


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
        (
            each(ask(), over="['a', 'b', 'c']", max=2),
            "steps.0.for_each.max: for_each `loop`: 3 items where at most 2 are allowed (`max`)",
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


@pytest.mark.parametrize("over", ["many", "many.texts"])
def test_more_samples_or_pieces_than_are_allowed_are_told_before_a_run(over):
    cut = Split(text="problem.text", most=20)
    for step, most in ((ask(prompt="?", n=9), 9), (cut, 20)):
        if most == 20 and over != "many":
            continue
        step = replace(step, id="many")
        found = faults(step, each(ask(), over=over), Return(value="'4'"), count="loop.count")
        message = f"for_each `loop`: up to {most} items of `many` where at most 8 are allowed (`max`)"
        assert found == [f"steps.1.for_each.max: {message}"]
        assert faults(step, each(ask(), over=over, max=most), Return(value="'4'"), n="loop.count") == []


def test_a_loop_over_items_that_makes_too_many_steps_is_refused():
    steps = tuple(Set(values={"own": "own + 1"}) for _ in range(25))
    found = faults(each(Let(values={"own": "1"}), *steps, max=10_000), Return(value="'4'"), fields=FIELDS)
    assert found[0] == (
        "steps.0.for_each.max: with the loops inside it, it makes up to 260,001 steps, and 250,000 are allowed"
    )


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
