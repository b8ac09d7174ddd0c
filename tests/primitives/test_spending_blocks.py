"""What steps that branch, loop and run side by side cost at most: reached by a model that writes all it may."""

import math

import pytest
from primitives.playing import PROBLEM, playing

from orchestrator import Budget
from orchestrator.costs import costing_of
from orchestrator.primitives import (
    Branch,
    ForEach,
    If,
    Let,
    Parallel,
    Repeat,
    Return,
    Sample,
    Set,
    Steps,
    Text,
)

END = Return(value="'4'")


def ask(prompt="say", name=None, **more):
    return Sample(id=name, prompt=prompt, max_tokens=5, **more)


def all_it_may(request):
    """As many marks as tokens are allowed, no two of which are read as one."""
    return "!" * request.max_tokens


async def spending_of(*steps):
    async with playing(all_it_may) as (_, backends):
        return await Steps(steps=steps).worst_case(costing_of(PROBLEM, models=backends))


REACHED = {
    "rounds": (Repeat(max=4, steps=(ask(),)),),
    "rounds that show the one before": (
        Repeat(max=4, steps=(ask("[{{ previous.draft.best.text }}]", "draft"),)),
    ),
    "rounds inside rounds": (Repeat(max=3, steps=(ask(), Repeat(max=2, steps=(ask("say it again"),)))),),
    "what the last round brought": (
        Repeat(id="loop", max=2, steps=(ask(name="draft"),)),
        ask("[{{ loop.draft.best.text }}]"),
    ),
    "the dearer block": (If(condition="true", then=(ask("a longer one"), ask()), otherwise=(ask(),)),),
    "items": (ForEach(over="['a', 'b', 'c']", item="x", steps=(ask("about it"), ask(n=2))),),
    "blocks side by side": (Parallel(branches={"a": (ask(),), "b": (ask("another"), ask())}),),
    "a branch": (Branch(budget=Budget(requests=9), steps=(ask(), ask())),),
    "a branch whose budget ends it": (Branch(budget=Budget(requests=1), steps=(ask(), ask())), ask()),
}


@pytest.mark.parametrize("name", REACHED)
async def test_the_bound_is_reached_where_nothing_ends_the_steps_early(name):
    steps = (*REACHED[name], END)
    worst = (await spending_of(*steps)).worst
    async with playing(all_it_may) as (controller, _):
        spent = (await controller.run(Steps(steps=steps), PROBLEM)).usage
    assert spent.requests == worst.calls
    if name != "a branch whose budget ends it":  # the tokens of what it could not ask are in the bound
        assert spent.prompt_tokens == worst.prompt_tokens
        assert spent.completion_tokens == worst.completion_tokens


async def test_rounds_that_show_all_before_them_cost_more_each_time():
    steps = (
        Let(values={"notes": "'!'"}),
        Repeat(
            max=4,
            steps=(
                ask("[{{ notes }}]", "draft"),
                Text(id="more", template="{{ notes }}{{ draft.best.text }}"),
                Set(values={"notes": "more"}),
            ),
        ),
        END,
    )
    worst = (await spending_of(*steps)).worst
    async with playing(all_it_may) as (controller, _):
        spent = (await controller.run(Steps(steps=steps), PROBLEM)).usage
    assert spent.prompt_tokens == 3 + 8 + 13 + 18
    assert spent.prompt_tokens <= worst.prompt_tokens <= spent.prompt_tokens + 0 + 1 + 2 + 3  # a seam a round


async def test_a_race_costs_what_all_its_blocks_do():
    blocks = {name: (ask(), ask("another")) for name in ("a", "b", "c")}
    race = (await spending_of(Parallel(branches=blocks, wait="race"), END)).worst
    assert race == (await spending_of(Parallel(branches=blocks), END)).worst
    assert race.calls == 6


async def test_a_list_of_known_length_counts_for_less_than_its_bound():
    loop = ForEach(over="problem.parts", item="x", max=100, steps=(ask("about it"),))
    assert (await spending_of(loop, END)).worst.calls == 3
    drafts = ForEach(over="drafts", item="x", max=100, steps=(ask("about {{ x.text }}"),))
    assert (await spending_of(ask(name="drafts", n=2), drafts, END)).worst.calls == 4


async def test_loops_that_make_nothing_longer_are_worked_out_at_once_and_others_up_to_a_bound():
    steps = (ask("[{{ previous.draft.best.text }}]", "draft"),)
    for _ in range(2):
        steps = (Repeat(max=300, steps=steps),)
    assert (await spending_of(*steps, END)).worst.calls == 90_000
    growing = (ask("[{{ notes }}]", "draft"), Set(values={"notes": "notes + draft.best.text"}))
    long = Repeat(max=1000, steps=growing)
    outside = Let(values={"notes": "''"})
    assert (await spending_of(outside, long, END)).worst.calls == 1000
    endless = Repeat(max=400, steps=(long,))
    assert (await spending_of(outside, endless, END)).worst.calls == math.inf


async def test_the_parts_are_those_of_the_blocks():
    steps = (
        If(condition="true", then=(ask(),)),
        Repeat(id="loop", max=3, steps=(ask(name="draft"),)),
        ForEach(over="['a']", item="x", steps=(ask(),)),
        Parallel(branches={"a": (ask(),)}, wait="race"),
        Branch(id="part", budget=Budget(requests=1), steps=(ask(),)),
    )
    parts = (await spending_of(*steps, END)).parts
    assert [(part.label, part.note, [inner.label for inner in part.parts]) for part in parts[:-1]] == [
        ("if", "one of these", ["then", "else"]),
        ("loop", "at most 3 rounds", ["draft"]),
        ("for_each", "at most 1 item", ["for_each-*"]),
        ("parallel", "all of these: who loses may have been paid", ["a"]),
        ("part", "within its budget", ["sample"]),
    ]
