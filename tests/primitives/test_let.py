from primitives.programs import faults, made

from orchestrator import Budget, StopReason
from orchestrator.errors import BackendError
from orchestrator.primitives import Let, Repeat, Return, Revise, Sample, Set, Text


async def test_names_can_be_given_and_changed_all_at_once():
    steps = (
        Sample(id="a", n=2),
        Let(values={"x": "a.first", "y": "a.last", "n": "a.count"}),
        Set(values={"x": "y", "y": "x", "n": "n + 1"}),
        Return(value="x"),
    )
    outcome, _ = await made(*steps, script=["4", "5"], outputs={"y": "y", "n": "n"})
    assert outcome.answer.text == "5"
    assert outcome.detail["outputs"] == {"y": "4", "n": 3}


async def test_a_text_is_put_together_and_read_as_the_answer():
    steps = (
        Sample(id="a", n=2),
        Text(
            id="sum", template="{% for one in a.texts %}{{ loop.index }}: {{ one }}; {% endfor %}so it is 9"
        ),
        Return(value="sum"),
    )
    outcome, _ = await made(*steps, script=["4", "5"], outputs={"t": "sum"})
    assert outcome.detail["outputs"] == {"t": "1: 4; 2: 5; so it is 9"}
    assert outcome.answer.text == "9"
    assert outcome.written.sample.text == "1: 4; 2: 5; so it is 9"
    assert [one.sample.text for one in outcome.candidates] == ["4", "5"]


def test_names_are_new_used_and_of_one_type():
    steps = (
        Let(values={"n": "1", "problem": "2", "m": "n"}),
        Set(values={"n": "'one'", "p": "3", "problem": "'x'"}),
        Return(value="'4'"),
    )
    (place, message), *others = faults(*steps)
    assert place == "steps.0.let.m"  # all at once: it does not see the new `n`
    assert "`n`" in message
    assert others == [
        ("steps.0.let.problem", "`problem` is the name of something else already"),
        ("steps.1.set.n", "`n` is a number, but `'one'` is a text"),
        ("steps.1.set.p", "there is no `p` to set"),
        ("steps.1.set.problem", "`problem` cannot be set here"),
    ]


def test_a_let_has_no_value_to_be_named():
    found = faults(Let(id="x", values={"n": "1"}), Return(value="'4'", confidence="n"))
    assert found == [("steps.0.id", "`let` has no value to be called `x`")]


def test_programs_with_names_can_be_told_apart_and_compared():
    assert Let(values={"a": "1", "b": "2"}) == Let(values={"b": "2", "a": "1"})
    assert len({Let(values={"a": "1"}), Let(values={"a": "1"})}) == 1


REVISED = (
    Sample(id="draft"),
    Let(values={"best": "draft.first"}),
    Repeat(
        max=5,
        steps=(Revise(id="next", of="best"), Set(values={"best": "next"})),
    ),
    Return(value="best"),
)


async def test_the_best_so_far_is_kept_when_the_budget_ends_a_loop():
    outcome, model = await made(*REVISED, script=["1", "2", "3", "4", "5", "6"], budget=Budget(requests=3))
    assert (outcome.answer.text, outcome.stop_reason, model.started) == ("3", StopReason.BUDGET, 3)


async def test_the_best_so_far_is_kept_when_a_call_fails():
    script = ["1", "2", BackendError("down"), "4", "5", "6"]
    outcome, _ = await made(*REVISED, script=script)
    assert outcome.answer.text == "6"


async def test_what_is_missing_though_nothing_failed_is_missing():
    steps = (
        Sample(id="a", n=2),
        Let(values={"x": "a.answer"}),
        Set(values={"x": "none if x == '4' else x"}),
        Return(value="a.last", confidence="1 if x == none else 0"),
    )
    outcome, _ = await made(*steps, script=["4", "4"])
    assert outcome.confidence == 1.0
