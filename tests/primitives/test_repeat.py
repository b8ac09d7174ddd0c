"""The same steps round after round."""

import time
from itertools import pairwise

import anyio
import pytest
from primitives.playing import decisions, faults, paths, play, playing

from orchestrator import Budget, Problem, StopReason
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.primitives import (
    Branch,
    Case,
    Fail,
    ForEach,
    If,
    Let,
    Repeat,
    Return,
    Sample,
    Set,
    Steps,
    Switch,
    Text,
)

FOUR = {"": "the answer is 4"}


def ask(name="draft", prompt="say", **more):
    return Sample(id=name, prompt=prompt, **more)


async def test_it_ends_with_the_round_after_which_until_is_true():
    events = []
    steps = (
        Repeat(id="loop", max=5, until="draft.best.text == '3'", steps=(ask(),)),
        Return(value="loop.draft"),
    )
    outcome = await play(steps, {"say": ["1", "2", "3", "4"]}, events=events, rounds="loop.rounds")
    assert outcome.answer.text == "3"
    assert outcome.detail["outputs"] == {"rounds": 3}
    assert paths(events) == ["draft", "draft~2", "draft~3"]
    assert decisions(events) == ["until"]


async def test_the_trace_counts_one_round_as_one():
    events = []
    steps = (Repeat(id="loop", max=5, until="draft.count > 0", steps=(ask(),)), Return(value="loop.draft"))
    await play(steps, {"say": ["1"]}, events=events)
    [reason] = [event.reason for event in events if type(event).__name__ == "StepTaken"]
    assert reason == "loop: draft.count > 0 after 1 round"


async def test_without_until_it_makes_all_its_rounds():
    steps = (Repeat(id="loop", max=3, steps=(ask(),)), Return(value="loop.draft"))
    outcome = await play(steps, {"say": ["1", "2", "3"]}, rounds="loop.rounds")
    assert outcome.answer.text == "3"
    assert outcome.detail["outputs"] == {"rounds": 3}


async def test_each_has_what_a_name_had_round_by_round():
    steps = (
        Repeat(id="loop", max=3, steps=(ask(), Text(id="note", template="{{ draft.best.text }}!"))),
        Return(value="loop.draft"),
    )
    outcome = await play(steps, {"say": ["1", BackendError("down"), "3"]}, notes="loop.each.note")
    assert outcome.detail["outputs"] == {"notes": ["1!", "!", "3!"]}


async def test_previous_is_missing_in_the_first_round_and_then_the_round_before():
    steps = (
        Repeat(
            id="loop",
            max=3,
            steps=(
                Let(values={"first": "previous == none"}),
                ask(prompt="say after [{{ previous.draft.best.text }}]"),
            ),
        ),
        Return(value="loop.draft"),
    )
    spoken = {"after []": "1", "after [1]": "2", "after [2]": "3"}
    outcome = await play(steps, spoken, first="loop.each.first")
    assert outcome.answer.text == "3"
    assert outcome.detail["outputs"] == {"first": [True, False, False]}


async def test_until_can_compare_a_round_with_the_one_before():
    steps = (
        Repeat(id="loop", max=5, until="draft.best.answer == previous.draft.best.answer", steps=(ask(),)),
        Return(value="loop.draft"),
    )
    outcome = await play(steps, {"say": ["1", "2", "2", "3"]}, rounds="loop.rounds")
    assert outcome.detail["outputs"] == {"rounds": 3}


async def test_while_is_asked_before_each_round_and_there_may_be_none():
    for tries, made in ((0, 0), (2, 2), (9, 3)):
        steps = (
            Let(values={"left": "problem.tries"}),
            Repeat(
                id="loop",
                max=3,
                going="left > 0",
                steps=(ask(), Set(values={"left": "left - 1"})),
            ),
            ask("last", prompt="say"),
            Return(value="last"),
        )
        events = []
        outcome = await play(
            steps,
            FOUR,
            problem=Problem(id="p", prompt="?", fields={"tries": tries}),
            events=events,
            rounds="loop.rounds",
            none="loop.draft == none",
            each="loop.each.draft[0] == none",
        )
        assert outcome.detail["outputs"] == {"rounds": made, "none": made == 0, "each": made == 0}
        assert decisions(events) == ([] if made == 3 else ["while"])


@pytest.mark.parametrize(
    "going",
    [
        "previous.draft.agreement < 1",
        "previous != none",
        "previous.draft.count < tries and tries > 1",
        "tries > 1 and (previous.draft.count + 1 < tries or previous.draft.best.score > tries)",
        "previous.draft.count < tries if tries > 1 else previous != none",
    ],
)
def test_a_while_that_cannot_be_true_before_the_first_round_is_refused(going):
    steps = Let(values={"tries": "3"}), Repeat(max=2, going=going, steps=(ask(),)), Return(value="tries")
    message = f"`{going}` is not true before the first round, where `previous` is missing: no round is made"
    assert faults(*steps) == [f"steps.1.repeat.while: {message}"]


@pytest.mark.parametrize(
    "going",
    [
        "previous == none or previous.draft.agreement < 1",
        "not previous.draft.agreement == 1",
        "previous.draft.count != tries",
        "tries > 1 or previous.draft.count > 1",
    ],
)
def test_a_while_that_can_be_true_before_the_first_round_is_not(going):
    steps = Let(values={"tries": "3"}), Repeat(max=2, going=going, steps=(ask(),)), Return(value="tries")
    assert faults(*steps) == []


async def test_loops_inside_one_another_each_look_back_at_their_own_rounds():
    inner = Repeat(
        id="inner",
        max=2,
        steps=(Text(id="word", template="{{ previous.word }}i"),),
    )
    outer = Repeat(
        id="outer",
        max=2,
        steps=(
            Text(id="line", template="{{ previous.line }}o"),
            inner,
            Text(id="both", template="{{ line }}{{ inner.word }}"),
        ),
    )
    steps = (outer, ask(), Return(value="draft"))
    outcome = await play(steps, FOUR, both="outer.each.both", lines="outer.line")
    assert outcome.detail["outputs"] == {"both": ["oii", "ooii"], "lines": "oo"}


async def test_a_return_inside_stops_the_loop_and_all_behind_it():
    events = []
    steps = (
        Repeat(
            max=5,
            steps=(ask(), If(condition="draft.best.text == '2'", then=(Return(value="draft"),))),
        ),
        ask("late"),
        Return(value="late"),
    )
    outcome = await play(steps, {"say": ["1", "2", "3"]}, events=events)
    assert outcome.answer.text == "2"
    assert paths(events) == ["draft", "draft~2"]


async def test_a_spent_budget_ends_the_loop_after_its_round():
    steps = (
        Repeat(id="loop", max=100, steps=(ask(),)),
        Return(value="loop.each.draft[1].best"),
    )
    outcome = await play(steps, FOUR, budget=Budget(requests=2), rounds="loop.rounds")
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.usage.requests == 2
    assert outcome.detail["outputs"] == {"rounds": 3}


async def test_a_failed_call_does_not_end_it():
    steps = (Repeat(id="loop", max=3, steps=(ask(),)), Return(value="loop.draft"))
    outcome = await play(steps, {"say": [BackendError("down"), "2", BackendError("down")]})
    assert outcome.answer.text == "2"
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_a_passed_deadline_ends_a_loop_that_makes_no_calls():
    now = time.monotonic()

    def clock():
        nonlocal now
        now += 0.1
        return now

    steps = (
        ask(),
        Let(values={"count": "0"}),
        Repeat(id="loop", max=1000, steps=(Set(values={"count": "count + 1"}),)),
        Return(value="draft"),
    )
    async with playing(lambda _: "4", budget=Budget(seconds=10), clock=clock) as (controller, _):
        outcome = await controller.run(
            Steps(steps=steps, outputs={"count": "count", "rounds": "loop.rounds"}),
            Problem(id="p", prompt="?"),
        )
    assert outcome.stop_reason is StopReason.DEADLINE
    assert 0 < outcome.detail["outputs"]["rounds"] < 200
    assert outcome.detail["outputs"]["rounds"] == outcome.detail["outputs"]["count"]


async def test_a_loop_that_makes_no_calls_can_be_cancelled():
    steps = (
        Let(values={"count": "0"}),
        Repeat(max=1000, steps=(Set(values={"count": "count + 1"}),)),
        Return(value="'4'"),
    )
    async with playing(lambda _: "4") as (controller, _), anyio.create_task_group() as tasks:
        tasks.start_soon(controller.run, Steps(steps=steps), Problem(id="p", prompt="?"))
        for _ in range(50):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert tasks.cancel_scope.cancelled_caught


@pytest.mark.parametrize("rounds", [0, -1, 1001])
def test_a_loop_makes_one_to_a_thousand_rounds(rounds):
    with pytest.raises(InvalidInputError, match=rf"max must be in 1\.\.1000, not {rounds}"):
        Repeat(max=rounds, steps=())


def nested(depth, rounds=1):
    steps = (Text(id=f"t{depth}", template="{{ previous.t1 }}x"),)
    for level in range(depth):
        steps = (Repeat(id=f"r{level}", max=rounds, steps=steps),)
    return steps[0]


def test_loops_inside_one_another_are_refused_where_they_could_go_on_for_hours():
    steps = (Text(id="x", template="x"),)
    for rounds in (1000, 1000, 10):
        steps = (Repeat(max=rounds, steps=steps),)
    [fault, *_] = [one for one in faults(*steps, Return(value="'4'")) if "nothing uses" not in one]
    assert fault == (
        "steps.0.repeat.steps.0.repeat.max: with the loops inside it, it makes up to 1,001,001 steps, "
        "and 250,000 are allowed"
    )
    deep = [one for one in faults(nested(7), Return(value="'4'")) if "inside one another" in one]
    assert deep == ["steps.0.repeat.steps: more than 6 loops inside one another"]


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (Repeat(max=2, steps=()), "steps.0.repeat.steps: there is no step to repeat"),
        (
            Repeat(max=2, until="draft.count", steps=(ask(),)),
            "steps.0.repeat.until: expected true or false, but `draft.count` is a number",
        ),
        (
            Repeat(max=2, going="draft.count > 1", steps=(ask(),)),
            "steps.0.repeat.while: ",
        ),
        (
            Repeat(max=2, steps=(ask("rounds"),)),
            "steps.0.repeat.steps: `rounds` is a field of what `repeat` brings",
        ),
        (
            Repeat(max=2, steps=(ask("previous"),)),
            "steps.0.repeat.steps.0.id: `previous` is the name of something",
        ),
        (
            Repeat(max=2, steps=(ask(prompt="{{ previous.draff.count }}"),)),
            "steps.0.repeat.steps.0.sample.prompt: ",
        ),
        (Repeat(max=2, steps=(ask(),)), "steps.0.repeat.steps.0.id: nothing uses `draft`"),
        (Repeat(id="loop", max=2, steps=(ask(),)), "steps.0.repeat.steps.0.id: nothing uses `draft`"),
        (Repeat(id="loop", max=2, steps=(ask(),)), "steps.0.id: nothing uses `loop`"),
        (
            Repeat(max=2, steps=(Fail(message="a"), ask())),
            "steps.0.repeat.steps.1: this step is never reached: the one before it ends the program",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(step, fault):
    found = faults(step, Return(value="'4'"))
    assert [one for one in found if one.startswith(fault)], found


def look_back(condition, *before, **values):
    """What is wrong with a loop that names these values and fails on a condition."""
    fail = If(condition=condition, then=(Fail(message="no"),))
    return faults(Repeat(max=3, steps=(*before, Let(values=values), fail)), Return(value="'4'"))


@pytest.mark.parametrize("names", ["abc", "abcdefg"])
def test_types_are_known_however_many_rounds_they_come_from(names):
    values = {"x": "1", names[0]: "previous.x"}
    values |= {name: f"previous.{before}" for before, name in pairwise(names)}
    last = names[-1]
    assert look_back(f"{last} > 3", **values) == []
    [fault] = look_back(f"{last}.text == 'x'", **values)
    assert fault.endswith(f"`{last}` is a number, which may be missing and has no fields")


@pytest.mark.parametrize(
    "counted",
    ["0 if previous == none else previous.a + 1", "max(previous.a, 0) + 1", "previous.a if there else 1"],
)
def test_a_name_that_goes_on_from_itself_has_the_type_it_begins_with(counted):
    before = (Let(values={"there": "previous.a != none"}),) if "there" in counted else ()
    assert look_back("a > 3", *before, a=counted) == []
    [fault] = look_back("a.text == 'x'", *before, a=counted)
    assert "`a` is a number" in fault


def test_a_name_that_comes_from_the_round_before_alone_is_refused():
    untold = "what `{}` is cannot be told from the round before"
    found = look_back("a.text == 'x'", a="previous.b", b="previous.a")
    assert found == [f"steps.0.repeat.steps.0.let.{name}: {untold.format(name)}" for name in "ab"]


def test_a_name_that_is_another_thing_in_every_round_is_refused():
    grown = ForEach(id="grown", over="[1]", item="one", steps=(Let(values={"z": "previous.grown"}),))
    found = faults(Repeat(max=3, steps=(grown,)), Return(value="'4'"))
    assert found[-1] == "steps.0.repeat.steps.0.id: what `grown` is cannot be told from the round before"


def test_a_name_that_only_the_next_round_looks_back_at_is_used():
    step = Repeat(max=2, steps=(ask(prompt="{{ previous.draft.best.text }}"),))
    assert faults(step, Return(value="'4'")) == []


def test_a_fault_in_a_loop_that_looks_back_is_told_once():
    step = Repeat(max=2, steps=(ask(prompt="{{ previous.draft.best.text }} {{ nobody }}"),))
    found = faults(step, Return(value="'4'"))
    assert len([one for one in found if "nobody" in one]) == 1


def test_a_loop_whose_block_always_returns_ends_the_program():
    assert faults(Repeat(max=2, steps=(Return(value="'4'"),))) == []
    assert faults(Repeat(max=2, going="true", steps=(Return(value="'4'"),))) == [
        "steps.0: the program can come to its end without an answer"
    ]


def test_most_calls_counts_rounds_items_and_the_longest_block():
    block = (ask("a", n=2), ask("b"))
    assert Repeat(max=3, steps=block).most_calls == 9
    assert ForEach(over="x", item="y", max=4, steps=block).most_calls == 12
    assert If(condition="true", then=block, otherwise=(ask("c", n=5),)).most_calls == 5
    assert Switch(cases=(Case(when="true", steps=block),), otherwise=()).most_calls == 3
    assert Branch(budget=Budget(), steps=block).most_calls == 3
    whole = Steps(steps=(Repeat(max=3, steps=(ForEach(over="x", item="y", max=4, steps=block),)),))
    assert whole.most_calls == 36


async def test_behind_a_loop_inside_previous_is_that_of_the_loop_around_again():
    inner = Repeat(max=2, steps=(Text(id="low", template="{{ previous.low }}y"),), id="inner")
    line = Text(id="line", template="{{ previous.line }}x{{ inner.low }}")
    steps = (Repeat(id="loop", max=3, steps=(inner, line)), Return(value="loop.line"))
    outcome = await play(steps, FOUR, lines="loop.each.line")
    assert outcome.detail["outputs"] == {"lines": ["xyy", "xyyxyy", "xyyxyyxyy"]}
