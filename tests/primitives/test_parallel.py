"""Blocks of steps side by side."""

import anyio
import pytest
from primitives.playing import decisions, faults, paths, play, playing

from orchestrator import Budget, Problem, StopReason
from orchestrator.backends import Scripted
from orchestrator.backends.scripted import prompt_text
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.primitives import (
    Fail,
    If,
    Let,
    Parallel,
    Repeat,
    Return,
    Run,
    Sample,
    Score,
    Select,
    Set,
    Steps,
    Text,
    Vote,
)
from orchestrator.stopping import FixedSize
from orchestrator.strategies import SelfConsistency, Single
from orchestrator.verifiers import Judge, Predicate


def ask(name="draft", prompt="say", **more):
    return Sample(id=name, prompt=prompt, **more)


def three(wait="all", **more):
    blocks = {name: (ask(prompt=f"as {name}"),) for name in ("red", "green", "blue")}
    return Parallel(id="all", branches=blocks, wait=wait, **more)


def gated(texts, order):
    """What each prompt is answered with, in this order: each waits until the one before has gone out."""
    gates = {piece: anyio.Event() for piece in [*order, None]}
    after = dict(zip(order, [*order[1:], None], strict=True))
    gates[order[0]].set()

    def reply(request):
        piece = next(piece for piece in texts if piece in prompt_text(request))
        item = texts[piece]
        if piece not in after:
            return item if isinstance(item, Scripted) else Scripted(text=item, gate=anyio.Event())
        return Scripted(
            **({"error": item} if isinstance(item, Exception) else {"text": item}),
            gate=_Next(gates[piece], gates[after[piece]]),
        )

    return reply


class _Next:
    def __init__(self, own, following):
        self.own, self.following = own, following

    async def wait(self):
        await self.own.wait()
        self.following.set()


TEXTS = {"as red": "1", "as green": "2", "as blue": "3"}


async def test_all_blocks_have_their_names_and_values_in_the_order_they_are_written():
    for order in (["as red", "as green", "as blue"], ["as blue", "as green", "as red"]):
        events = []
        steps = (three(), Return(value="all.green.draft"))
        outcome = await play(
            steps,
            gated(TEXTS, order),
            events=events,
            red="all.red.draft.best.text",
            third="all.values[2].best.text",
            count="len(all.values)",
        )
        assert outcome.answer.text == "2"
        assert outcome.detail["outputs"] == {"red": "1", "third": "3", "count": 3}
        assert paths(events)[:3] == ["red", "green", "blue"]


async def test_a_race_is_won_by_the_first_and_the_others_are_cancelled():
    steps = (three("race"), Return(value="all.values[0]"))
    events = []
    outcome = await play(
        steps,
        gated(TEXTS, ["as green"]),
        events=events,
        winner="all.winner",
        red="all.red == none",
        blue="all.blue.draft == none",
    )
    assert outcome.answer.text == "2"
    assert outcome.detail["outputs"] == {"winner": "green", "red": True, "blue": True}
    assert outcome.stop_reason is StopReason.COMPLETE
    assert outcome.usage.requests == 3  # what was cancelled is charged at its worst case
    assert decisions(events) == ["race"]


async def test_the_first_two_of_three_count():
    steps = (three("first(2)"), Vote(id="vote", of="all.values[0]"), Return(value="vote"))
    outcome = await play(
        steps,
        gated(TEXTS, ["as blue", "as red"]),
        values="len(all.values)",
        first="all.values[0].best.text",
        green="all.green == none",
    )
    assert outcome.answer.text == "1"
    assert outcome.detail["outputs"] == {"values": 2, "first": "1", "green": True}


async def test_a_block_that_comes_to_nothing_does_not_win():
    texts = {**TEXTS, "as green": BackendError("down")}
    steps = (three("race"), Return(value="all.values[0]"))
    outcome = await play(steps, gated(texts, ["as green", "as red"]), winner="all.winner")
    assert outcome.answer.text == "1"
    assert outcome.detail["outputs"] == {"winner": "red"}
    assert outcome.error is None


async def test_a_text_made_of_failed_calls_alone_does_not_win():
    blocks = {
        name: (ask(prompt=f"as {name}"), Text(template="said {{ draft.best.text }}"))
        for name in ("red", "green")
    }
    steps = (Parallel(id="all", branches=blocks, wait="race"), Return(value="all.values[0]"))
    texts = {"as red": BackendError("down"), "as green": "2"}
    outcome = await play(steps, gated(texts, ["as red", "as green"]), winner="all.winner")
    assert outcome.detail["outputs"] == {"winner": "green"}


async def test_a_program_that_failed_does_not_win_whatever_it_has_drawn():
    fails = Steps(steps=(ask(prompt="as red"), Fail(message="no: {{ draft.best.text }}")))
    blocks = {"red": (Run(program=fails),), "green": (Run(program=Single()),)}
    steps = (Parallel(id="all", branches=blocks, wait="race"), Return(value=Vote(of="all.values")))
    script = gated({"as red": "1", "2 + 2": "2"}, ["as red", "2 + 2"])
    outcome = await play(steps, script, winner="all.winner")
    assert outcome.detail["outputs"] == {"winner": "green"}
    assert outcome.answer.text == "2"


async def test_what_a_strategy_has_drawn_counts_though_a_judge_has_failed():
    vote = Run(id="drawn", program=SelfConsistency(n=3, stop=FixedSize()))
    steps = (
        Parallel(id="all", branches={"b": (vote, Score(id="j", of="drawn", by=Judge()))}, wait="race"),
        Return(value=Vote(of="all.values")),
    )
    for script, budget in (({"You judge": BackendError("down"), "": "4"}, None), ({"": "4"}, 3)):
        outcome = await play(steps, script, budget=Budget(requests=budget), winner="all.winner")
        assert outcome.detail["outputs"] == {"winner": "b"}


async def test_a_race_that_nobody_wins_has_no_values_and_the_failures_are_the_programs():
    steps = (three("race"), Return(value="all.values[0]"))
    with pytest.raises(BackendError, match="red is down"):
        await play(
            steps, {f"as {name}": BackendError(f"{name} is down") for name in ("red", "green", "blue")}
        )
    goes_on = (three("race"), ask("late", prompt="late"), Return(value="late"))
    outcome = await play(
        goes_on,
        {"late": "4", "": BackendError("down")},
        winner="all.winner == none",
        values="len(all.values)",
    )
    assert outcome.detail["outputs"] == {"winner": True, "values": 0}


async def test_what_a_loser_has_drawn_by_then_is_a_candidate():
    blocks = {
        "slow": (ask("one", prompt="slow one"), ask("two", prompt="slow two {{ one.best.text }}")),
        "fast": (ask("one", prompt="fast"),),
    }
    steps = (Parallel(id="all", branches=blocks, wait="race"), Return(value="all.values[0]"))
    texts = {"slow one": "1", "fast": "2", "slow two": "3"}
    outcome = await play(
        steps, gated(texts, ["slow one", "fast"]), slow="all.slow.one == none", winner="all.winner"
    )
    assert outcome.answer.text == "2"
    assert [one.sample.text for one in outcome.candidates] == ["1", "2"]
    assert outcome.detail["outputs"] == {"slow": True, "winner": "fast"}


async def test_blocks_whose_values_have_different_types_have_no_common_list():
    blocks = {"a": (ask("x"),), "b": (Text(id="y", template="t"),)}
    steps = (Parallel(id="all", branches=blocks), Return(value="all.a.x"))
    outcome = await play(steps, {"": "4"}, y="all.b.y")
    assert outcome.detail["outputs"] == {"y": "t"}
    assert any("values" in fault for fault in faults(*steps, values="all.values"))


async def test_a_budget_that_one_block_cannot_pay_leaves_the_others():
    steps = (three(), Return(value="all.red.draft"))
    outcome = await play(steps, {"": "4"}, budget=Budget(requests=2))
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.usage.requests == 2


async def test_once_the_budget_is_spent_blocks_side_by_side_ask_nothing():
    events = []
    steps = (ask("a"), ask("b"), three("race"), Return(value="a"))
    outcome = await play(
        steps, {"": "4"}, budget=Budget(requests=1), events=events, b="b.count", red="all.red == none"
    )
    assert outcome.answer.text == "4"
    assert paths(events) == ["a", "b", "red", "green", "blue"]


async def test_a_mistake_in_one_block_cancels_the_others_and_is_raised_alone():
    def reply(request):
        if "red" in prompt_text(request):
            return Scripted(text="1", gate=anyio.Event())
        raise RuntimeError("a broken backend")

    async with playing(reply) as (controller, backends):
        with pytest.raises(RuntimeError, match="a broken backend"):
            await controller.run(
                Steps(steps=(three(), Return(value="all.red.draft"))), Problem(id="p", prompt="?")
            )
        assert controller.ledger.statistics().holds == 0
    assert backends["m"].in_flight == 0


async def test_blocks_side_by_side_have_loops_of_their_own():
    blocks = {
        name: (
            Repeat(
                id="loop",
                max=3,
                until=f"note == '{'x' * times}'",
                steps=(Text(id="note", template="{{ previous.note }}x"),),
            ),
            Text(template="{{ loop.note }}"),
        )
        for name, times in (("one", 1), ("three", 3))
    }
    steps = (Parallel(id="all", branches=blocks), ask(), Return(value="draft"))
    outcome = await play(steps, {"": "4"}, values="all.values", rounds="all.three.loop.rounds")
    assert outcome.detail["outputs"] == {"values": ["x", "xxx"], "rounds": 3}


@pytest.mark.parametrize("wait", ["some", "first(0)", "first(4)", "first", "race ", "first(-1)", ""])
def test_how_many_are_waited_for_is_checked(wait):
    with pytest.raises(InvalidInputError, match=r"wait must be all, race, or first\(k\) with k in 1\.\.3"):
        three(wait)


def test_there_is_at_least_one_block():
    with pytest.raises(InvalidInputError, match="at least one block"):
        Parallel(branches={})


@pytest.mark.parametrize(
    ("branches", "fault"),
    [
        ({"a": ()}, "steps.1.parallel.a: there is no step in this block"),
        ({"a/b": (ask(),)}, "steps.1.parallel.a/b: `a/b` cannot be a block's name: "),
        ({"winner": (ask(),)}, "steps.1.parallel.winner: `winner` is a field of what `parallel` brings"),
        ({"a": (Return(value="'4'"),)}, "steps.1.parallel.a.0: `return` cannot end the program here"),
        (
            {"a": (If(condition="true", then=(Fail(message="x"),)),)},
            "steps.1.parallel.a.0.then.0: `fail` cannot end the program here",
        ),
        ({"a": (Set(values={"kept": "2"}),)}, "steps.1.parallel.a.0.set.kept: "),
        ({"a": (Text(template="x"), ask())}, "steps.1.parallel.a.0: nothing uses the value of this step"),
        (
            {"a": (ask("x"), ask("y", prompt="{{ x.count }}")), "b": (ask("z", prompt="{{ x.count }}"),)},
            "steps.1.parallel.b.0.sample.prompt: ",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(branches, fault):
    step = Parallel(id="all", branches=branches)
    found = faults(Let(values={"kept": "1"}), step, Return(value="'4'"), kept="kept")
    assert [one for one in found if one.startswith(fault)], found


def test_what_cannot_win_is_refused_in_a_race():
    blocks = {"a": (ask(),), "b": (Let(values={"x": "1"}),)}
    assert any(
        fault.startswith(
            "steps.0.parallel.b: its last step has no value, so that it cannot count for `wait: race`"
        )
        for fault in faults(Parallel(branches=blocks, wait="race"), Return(value="'4'"))
    )


def test_calls_at_once_are_those_of_all_blocks():
    blocks = {"a": (ask(n=2), ask("c")), "b": (ask("b", n=4),)}
    step = Parallel(branches=blocks)
    assert (step.most_calls, step.calls_at_once) == (7, 6)


async def test_the_best_of_all_blocks_can_be_selected():
    steps = (
        three(),
        Select(id="best", of="[all.red.draft.best, all.blue.draft.best]", by="first"),
        Return(value="best"),
    )
    assert (await play(steps, TEXTS)).answer.text == "1"


async def test_the_failures_of_a_block_that_lost_are_not_the_programs():
    good = (ask("aside", "as green", aside=True), Text(id="said", template="{{ aside.best.text }}"))
    race = Parallel(id="both", branches={"bad": (ask(prompt="as red"),), "good": good}, wait="race")
    script = gated({"as red": BackendError("down"), "as green": "2"}, ["as red", "as green"])
    outcome = await play((race, Return(value="both.bad.draft")), script, said="both.good.said")
    assert outcome.answer is None
    assert outcome.detail["outputs"] == {"said": "2"}


async def test_blocks_do_not_know_what_the_others_have_scored_meanwhile():
    asked = []

    def length(problem, candidate):
        asked.append(candidate.sample.text)
        return True

    verifier = Predicate(function=length)
    late = (ask("later", "as blue", aside=True), Score(id="judged", of="drafts", by=verifier))
    blocks = {"now": (Score(id="judged", of="drafts", by=verifier),), "late": late}
    steps = (
        ask("drafts", "as red"),
        Parallel(id="both", branches=blocks),
        Score(id="again", of="drafts", by=verifier),
        Return(value="again"),
    )
    used = {
        "now": "both.now.judged.scores",
        "late": "both.late.judged.scores",
        "texts": "both.late.later.texts",
    }
    await play(steps, {"as red": "1", "as blue": "3"}, **used)
    assert asked == ["1", "1"]
