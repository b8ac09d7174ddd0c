"""One of two blocks, as a condition says."""

import pytest
from primitives.playing import decisions, faults, paths, play

from orchestrator import Budget, Problem
from orchestrator.primitives import Branch, Case, Fail, If, Let, Repeat, Return, Sample, Set, Switch, Text
from orchestrator.prompts import Prompt

FOUR = {"": "the answer is 4"}


def ask(name, prompt="What is 2 + 2?", **more):
    return Sample(id=name, prompt=prompt, **more)


async def test_a_true_condition_makes_the_first_block_and_another_the_second():
    for text, expected in (("4", "4"), ("5", "9")):
        steps = (
            ask("draft"),
            If(
                condition="draft.best.text == '4'",
                then=(Return(value="draft"),),
                otherwise=(ask("second", prompt="again"), Return(value="second")),
            ),
        )
        events = []
        outcome = await play(steps, {"again": "9", "2 + 2": text}, events=events)
        assert outcome.answer.text == expected
        assert paths(events) == (["draft"] if text == "4" else ["draft", "second"])
        assert decisions(events)[0] == ("then" if text == "4" else "else")


async def test_a_missing_condition_is_not_true():
    steps = (
        ask("draft"),
        If(condition="draft.best.score > 0.5", then=(Fail(message="liked"),)),
        Return(value="draft"),
    )
    assert (await play(steps, FOUR)).answer.text == "4"


async def test_with_an_id_it_has_the_value_of_the_block_it_makes():
    steps = (
        ask("draft"),
        If(
            id="note",
            condition="draft.count > 1",
            then=(Text(template="several"),),
            otherwise=(Text(template="{{ draft.count }} alone"),),
        ),
        Return(value="draft"),
    )
    outcome = await play(steps, FOUR, note="note")
    assert outcome.detail["outputs"] == {"note": "1 alone"}


async def test_without_a_second_block_its_value_may_be_missing():
    steps = (
        ask("draft"),
        If(id="note", condition="draft.count > 1", then=(Text(template="several"),)),
        Return(value="draft"),
    )
    assert (await play(steps, FOUR, note="note == none")).detail["outputs"] == {"note": True}


async def test_set_changes_what_is_outside_and_a_name_given_inside_ends_with_the_block():
    steps = (
        Let(values={"tries": "1"}),
        ask("draft"),
        If(
            condition="true",
            then=(Let(values={"more": "tries + 1"}), Set(values={"tries": "more + 1"})),
        ),
        Return(value="draft"),
    )
    assert (await play(steps, FOUR, tries="tries")).detail["outputs"] == {"tries": 3}
    [fault] = faults(*steps, more="more", tries="tries")
    assert fault.startswith("outputs.more: ")


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda *steps: If(condition="true", then=steps),
        lambda *steps: If(condition="false", then=(Fail(message="x"),), otherwise=steps),
        lambda *steps: Switch(cases=(Case(when="true", steps=steps),)),
        lambda *steps: Switch(cases=(Case(when="false", steps=(Fail(message="x"),)),), otherwise=steps),
        lambda *steps: Repeat(max=1, steps=steps),
        lambda *steps: Branch(budget=Budget(requests=9), steps=steps),
    ],
)
async def test_a_name_ends_with_its_block_also_where_the_program_does(wrapped):
    inside = Text(id="x", template="stale"), Let(values={"y": "x"})
    if_drawn = If(condition="draft.best.text == '4' and y == 'stale'", then=(Return(value="draft"),))
    again = Text(id="x", template="fresh"), Let(values={"y": "2"}), ask("last"), Return(value="last")
    steps = ask("draft"), wrapped(*inside, if_drawn), *again
    outcome = await play(steps, {"": "4"}, x="x", y="y")
    assert outcome.detail["outputs"] == {"x": None, "y": None}
    outcome = await play(steps, {"": "5"}, x="x", y="y")
    assert outcome.detail["outputs"] == {"x": "fresh", "y": 2}


async def test_a_name_of_a_block_does_not_hide_a_field_of_the_problem_after_it():
    stale = Text(id="unit", template="STALE")
    block = If(condition="true", then=(stale, Sample(prompt="in {{ unit }}")))
    prompt = Prompt(template="{{ problem }} in {{ unit }}")
    steps = block, Sample(id="far", prompt=prompt), Return(value="far")
    problem = Problem(id="p", prompt="How far?", fields={"unit": "km"})
    outcome = await play(steps, {"How far? in km": "4", "in STALE": "9"}, problem=problem)
    assert outcome.answer.text == "4"


async def test_a_fail_inside_ends_the_program_with_its_words():
    steps = (
        ask("draft"),
        If(condition="draft.best.text != '5'", then=(Fail(message="got {{ draft.best.answer }}"),)),
        ask("never"),
        Return(value="never"),
    )
    events = []
    outcome = await play(steps, FOUR, events=events)
    assert outcome.answer is None
    assert outcome.error == "got 4"
    assert paths(events) == ["draft"]


def test_a_program_whose_two_blocks_return_needs_no_return_behind_it():
    both = If(condition="true", then=(Return(value="'4'"),), otherwise=(Fail(message="no"),))
    assert both.returns
    assert faults(both) == []
    alone = If(condition="true", then=(Return(value="'4'"),))
    assert not alone.returns
    assert faults(alone) == ["steps.0: the program can come to its end without an answer"]
    assert faults(both, ask("late"), late="late.count") == [
        "steps.1: this step is never reached: the one before it ends the program"
    ]


def test_blocks_of_different_types_have_no_common_value():
    step = If(id="both", condition="true", then=(Text(template="a"),), otherwise=(Sample(),))
    found = faults(step, Return(value="'4'"), both="both")
    assert "steps.0: its blocks have values of different types: a text, and candidates" in found


def test_a_block_that_ends_the_program_has_no_part_in_the_value():
    step = If(id="note", condition="true", then=(Text(template="a"),), otherwise=(Fail(message="no"),))
    assert faults(step, Return(value="note")) == []


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (If(condition="1 +", then=(Fail(message="x"),)), "steps.0.if: "),
        (
            If(condition="3", then=(Fail(message="x"),)),
            "steps.0.if: expected true or false, but `3` is a number",
        ),
        (If(condition="true", then=()), "steps.0.then: there is no step to make when it is true"),
        (
            If(condition="true", then=(Text(template="a"),)),
            "steps.0.then.0: nothing uses the value of this step",
        ),
        (
            If(id="x", condition="true", then=(Set(values={}),)),
            "steps.0.id: `if` has no value to be called `x`",
        ),
        (
            If(condition="true", then=(Text(id="a", template="{{ b }}"),), otherwise=(Fail(message="x"),)),
            "steps.0.then.0.text.template: ",
        ),
        (
            If(condition="true", then=(Fail(message="x"),), otherwise=(Fail(message="{{ x }}"),)),
            "steps.0.else.0.fail.message: ",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(step, fault):
    found = faults(step, Return(value="'4'"))
    assert [one for one in found if one.startswith(fault)], found
