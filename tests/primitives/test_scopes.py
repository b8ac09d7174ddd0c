"""Which names can be used where, which must be, and what can never be reached."""

import pytest
from primitives.playing import faults

from orchestrator import Budget
from orchestrator.expressions import TEXT, ListOf
from orchestrator.primitives import (
    Branch,
    Case,
    ForEach,
    If,
    Let,
    Parallel,
    Repeat,
    Return,
    Sample,
    Set,
    Switch,
    Text,
)

FIELDS = {"parts": ListOf(TEXT)}
END = Return(value="'4'")


def ask(name, prompt="say"):
    return Sample(id=name, prompt=prompt)


def around(*inner, id=None):
    """Each kind of step with blocks, around the same steps."""
    return {
        "then": If(condition="true", then=inner),
        "else": If(condition="true", then=(ask(None),), otherwise=inner),
        "switch": Switch(cases=(Case(when="true", steps=inner),)),
        "repeat": Repeat(id=id, max=2, steps=inner),
        "for_each": ForEach(id=id, over="problem.parts", item="part", max=3, steps=inner),
        "parallel": Parallel(id=id, branches={"side": inner}),
        "branch": Branch(id=id, budget=Budget(), steps=inner),
    }


EVERYWHERE = list(around())


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_a_name_given_in_a_block_ends_with_it(kind):
    step = around(ask("inner"), ask(None, "{{ inner.count }}"))[kind]
    [fault] = faults(step, ask(None, "{{ inner.count }}"), END, fields=FIELDS)
    assert fault.startswith("steps.1.sample.prompt: ")
    assert "inner" in fault


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_what_is_named_outside_can_be_used_inside_and_counts_as_used(kind):
    step = around(ask(None, "{{ outer.count }}"))[kind]
    assert faults(ask("outer"), step, END, fields=FIELDS) == []


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_a_name_that_can_be_used_already_cannot_be_given_again(kind):
    step = around(ask("outer"))[kind]
    found = faults(ask("outer"), step, END, outer="outer", fields=FIELDS)
    assert [one for one in found if "`outer` is the name of something else already" in one]


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_the_same_name_can_be_given_again_behind_a_block(kind):
    step = around(ask("again"), ask(None, "{{ again.count }}"))[kind]
    assert faults(step, ask("again"), END, again="again", fields=FIELDS) == []


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_a_name_that_nothing_uses_is_told(kind):
    step = around(ask("idle"), ask(None))[kind]
    [fault] = faults(step, END, fields=FIELDS)
    assert fault.endswith(".id: nothing uses `idle`")


@pytest.mark.parametrize("kind", ["repeat", "for_each", "parallel", "branch"])
def test_names_shown_as_fields_are_used_where_the_step_that_shows_them_is(kind):
    step = around(ask("inner"), ask(None), id="shown")[kind]
    assert faults(step, END, shown="shown", fields=FIELDS) == []
    unused = [one.rpartition(": ")[2] for one in faults(step, END, fields=FIELDS)]
    assert sorted(unused) == ["nothing uses `inner`", "nothing uses `shown`"]


def test_names_shown_by_a_step_inside_another_are_used_where_the_outermost_is():
    inner = Repeat(id="inner", max=2, steps=(ask("draft"),))
    outer = Repeat(id="outer", max=2, steps=(inner,))
    assert faults(outer, END, rounds="outer.inner.draft.count") == []
    assert len(faults(outer, END)) == 3


def test_two_loops_with_the_same_names_are_used_apart():
    loops = [Repeat(id=name, max=2, steps=(ask("draft"),)) for name in ("one", "two")]
    found = faults(*loops, END, one="one.draft")
    assert sorted(found) == [
        "steps.1.id: nothing uses `two`",
        "steps.1.repeat.steps.0.id: nothing uses `draft`",
    ]


@pytest.mark.parametrize("kind", ["then", "else", "switch", "repeat", "branch"])
def test_set_may_change_what_is_outside_in_blocks_that_run_alone(kind):
    step = around(Set(values={"total": "total + 1"}))[kind]
    assert faults(Let(values={"total": "0"}), step, END, total="total", fields=FIELDS) == []


@pytest.mark.parametrize("kind", ["for_each", "parallel"])
@pytest.mark.parametrize("within", ["then", "repeat", "branch"])
def test_set_may_change_nothing_outside_of_blocks_side_by_side(kind, within):
    change = around(Set(values={"total": "total + 1"}))[within]
    found = faults(Let(values={"total": "0"}), around(change)[kind], END, total="total", fields=FIELDS)
    assert [one for one in found if one.partition(": ")[0].endswith("set.total")]
    own = around(Let(values={"own": "0"}), around(Set(values={"own": "own + 1"}))[within], id="all")[kind]
    assert faults(own, END, fields=FIELDS, all="all") == []


@pytest.mark.parametrize("kind", ["then", "else", "switch", "repeat", "branch"])
def test_a_step_behind_one_that_ends_the_program_is_never_reached(kind):
    step = around(Return(value="'4'"), ask(None))[kind]
    [fault] = [one for one in faults(step, END, fields=FIELDS) if "never reached: the one before" in one][:1]
    assert fault.startswith("steps.0.")


@pytest.mark.parametrize("kind", ["for_each", "parallel"])
def test_a_program_cannot_be_ended_by_one_of_several_side_by_side(kind):
    found = faults(around(Return(value="'4'"))[kind], END, fields=FIELDS)
    assert [one for one in found if "`return` cannot end the program here" in one]


def test_previous_is_known_in_loops_alone_and_is_that_of_the_innermost():
    [fault] = faults(ask(None, "{{ previous.draft.count }}"), END)
    assert "previous" in fault
    inner = Repeat(max=2, steps=(ask("low", "{{ previous.low.count }} {{ previous.high.count }}"),))
    outer = Repeat(max=2, steps=(ask("high", "{{ previous.high.count }}"), inner))
    [fault] = faults(outer, END)
    assert fault.startswith("steps.0.repeat.steps.1.repeat.steps.0.sample.prompt: ")
    assert "high" in fault


def test_what_previous_has_can_be_given_by_a_later_step_and_have_the_type_of_one_that_looks_back():
    steps = (
        Let(values={"start": "previous.score"}),
        Text(id="line", template="{{ start }} {{ previous.line }}"),
        ask("draft", "{{ line }}"),
        Let(values={"score": "draft.agreement + 1"}),
    )
    assert faults(Repeat(max=3, steps=steps), END) == []


def test_the_value_of_a_loop_that_may_make_no_round_has_the_types_of_its_names():
    loop = Repeat(id="loop", max=2, going="previous == none", steps=(Let(values={"n": "1"}),))
    assert faults(loop, END, double="loop.n * 2", most="max(loop.each.n)") == []
    [fault] = faults(loop, END, wrong="loop.n + 'x'")
    assert fault.startswith("outputs.wrong: ")


@pytest.mark.parametrize("name", ["a/b", "a#1", "a~2", "1st", "", "für/", "if", "None", "a b"])
def test_names_are_identifiers_because_paths_and_expressions_have_them(name):
    found = faults(ask(name), END)
    assert [one for one in found if f"steps.0.id: `{name}` cannot be a name: " in one]


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_set_may_change_what_it_could_before_behind_a_block(kind):
    step = around(ask(None))[kind]
    change = Set(values={"total": "total + 1"})
    assert faults(Let(values={"total": "0"}), step, change, END, total="total", fields=FIELDS) == []
