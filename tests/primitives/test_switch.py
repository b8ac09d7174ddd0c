"""The first of several blocks whose condition is true."""

import pytest
from primitives.playing import decisions, faults, play

from orchestrator.primitives import Case, Fail, Return, Sample, Switch, Text

FOUR = {"": "the answer is 4"}


def switch(*conditions, **more):
    cases = [Case(when=when, steps=(Text(template=f"case {at}"),)) for at, when in enumerate(conditions)]
    return Switch(id="note", cases=tuple(cases), **more)


@pytest.mark.parametrize(
    ("conditions", "expected", "decided"),
    [
        (("false", "drafts.count == 2", "true"), "case 1", "case 1"),
        (("true", "true"), "case 0", "case 0"),
        (("drafts.best.score > 0.5", "false"), "none", "else"),
    ],
)
async def test_the_first_case_that_is_true_is_made(conditions, expected, decided):
    events = []
    steps = (
        Sample(id="drafts", n=2),
        switch(*conditions, otherwise=(Text(template="none"),)),
        Return(value="drafts"),
    )
    outcome = await play(steps, FOUR, events=events, note="note")
    assert outcome.detail["outputs"] == {"note": expected}
    assert decisions(events)[0] == decided


async def test_without_another_block_nothing_is_made_where_no_case_is_true():
    steps = (Sample(id="drafts"), switch("false"), Return(value="drafts"))
    assert (await play(steps, FOUR, note="note == none")).detail["outputs"] == {"note": True}


def test_it_returns_only_where_every_block_does():
    whole = Switch(
        cases=(
            Case(when="true", steps=(Return(value="'1'"),)),
            Case(when="false", steps=(Fail(message="2"),)),
        ),
        otherwise=(Return(value="'3'"),),
    )
    assert faults(whole) == []
    without = Switch(cases=whole.cases)
    assert faults(without) == ["steps.0: the program can come to its end without an answer"]


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (Switch(cases=()), "steps.0.switch: there is no case"),
        (
            Switch(cases=(Case(when="1", steps=(Fail(message="x"),)),)),
            "steps.0.switch.0.when: expected true or false, but `1` is a number",
        ),
        (Switch(cases=(Case(when="true", steps=()),)), "steps.0.switch.0.steps: there is no step to make"),
        (
            Switch(cases=(Case(when="true", steps=(Text(id="a", template="b"),)),)),
            "steps.0.switch.0.steps.0.id: nothing uses `a`",
        ),
        (
            Switch(cases=(Case(when="true", steps=(Fail(message="x"),)),), otherwise=(Text(template="b"),)),
            "steps.0.else.0: nothing uses the value of this step",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(step, fault):
    found = faults(step, Return(value="'4'"))
    assert [one for one in found if one.startswith(fault)], found
