import pytest
from primitives.programs import faults, made
from strategies.chains import play, texts, turns

from orchestrator import Budget, Outcome, Problem, StopReason
from orchestrator.errors import BackendError
from orchestrator.events import StepTaken
from orchestrator.primitives import Branch, Return, Run, Sample, Steps, Vote
from orchestrator.programs import loads
from orchestrator.strategies import Cascade, Router, SelfConsistency, Single, Tier
from orchestrator.strategies.acceptance import Agreement

VOTE = SelfConsistency(n=3)


async def test_a_strategy_runs_on_a_branch_with_its_outcome_as_the_value():
    steps = Run(id="voted", program=VOTE), Return(value="voted")
    outcome, model = await made(*steps, script=["4", "4", "4"], outputs={"agreement": "voted.agreement"})
    assert (outcome.answer.text, outcome.detail["outputs"]) == ("4", {"agreement": 1.0})
    assert {one.call.path for one in model.requests} == {"voted"}
    assert Steps(steps=steps).most_calls == 3
    assert Steps(steps=steps).calls_at_once == VOTE.calls_at_once


async def test_it_can_be_given_another_problem():
    steps = (
        Sample(id="a", prompt="Put otherwise: {{ problem }}", aside=True),
        Run(id="b", program=Single(), problem="{{ a.first.text }} {{ problem.unit }}?"),
        Return(value="b"),
    )
    problem = Problem(id="p", prompt="2 + 2", fields={"unit": "m"})
    outcome, model = await made(*steps, script=["Two and two", "4"], problem=problem)
    assert turns(model.requests[1]) == [("u", "Two and two m?")]
    assert outcome.problem == "p"


async def test_what_it_drew_before_it_failed_is_voted_on_and_nothing_is_missing():
    async def breaks(ctx, problem, /):
        await ctx.complete(ctx.ask(problem))
        raise BackendError("broken")

    steps = Run(id="a", program=breaks), Sample(), Return(value="a")
    outcome, _ = await made(*steps, script=["4", "5"], outputs={"a": "a.answer"})
    assert (outcome.answer.text, outcome.detail["outputs"]) == ("4", {"a": "4"})
    outcome, _ = await made(*steps, script=[BackendError("no"), "5"], outputs={"a": "a.answer"})
    assert (outcome.answer.text, outcome.detail["outputs"]) == ("5", {"a": None})


async def test_after_a_spent_budget_it_does_not_run():
    called = []

    async def program(ctx, problem, /):
        called.append(problem)
        return Outcome()

    steps = Sample(n=2), Run(id="a", program=program), Return(value="a")
    outcome, _ = await made(*steps, script=["4"], budget=Budget(requests=1))
    assert called == []
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.BUDGET)


async def test_the_problems_budget_that_ends_it_ends_the_program_be_the_next_call_ever_so_small():
    vote = SelfConsistency(n=3, max_tokens=400)
    steps = Run(id="a", program=vote), Sample(max_tokens=1), Return(value="a")
    long = "It is 4" + " so" * 60
    outcome, model = await made(*steps, script=[long, "5"], budget=Budget(total_tokens=86))
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.BUDGET)
    assert len(model.requests) == 1


async def test_a_budget_of_its_own_that_ends_it_leaves_the_program_going():
    tier = Tier(strategy=VOTE, budget=Budget(requests=2))
    steps = Run(id="a", program=Cascade(tiers=(tier,))), Sample(id="b"), Return(value="a")
    outcome, model = await made(*steps, script=["4", "4", "5"], outputs={"b": "b.answer"})
    assert outcome.answer.text == "4"
    assert outcome.detail["outputs"] == {"b": "5"}
    assert [one.call.path for one in model.requests] == ["a/tier0", "a/tier0", "b"]


SPENT = {
    "tiers": Cascade(
        tiers=(
            Tier(strategy=VOTE, accept=Agreement(), budget=Budget(total_tokens=3)),
            Tier(strategy=Single(), budget=Budget(requests=0)),
        )
    ),
    "file": loads("version: 1\nbudget: {per_problem: {requests: 0}}\nprogram: single\n"),
    "seconds": Cascade(tiers=(Tier(strategy=VOTE, budget=Budget(seconds=0)),)),
}
"""Programs whose own limits allow nothing."""


@pytest.mark.parametrize("name", SPENT)
async def test_limits_of_its_own_that_allow_nothing_leave_the_program_going(name):
    steps = Sample(id="a"), Run(id="b", program=SPENT[name]), Sample(id="c"), Return(value="c")
    outputs = {"a": "a.answer", "b": "b.stop_reason"}
    outcome, model = await made(*steps, script=["4", "5"], outputs=outputs)
    assert (outcome.answer.text, outcome.stop_reason) == ("5", StopReason.COMPLETE)
    assert outcome.detail["outputs"] == {"a": "4", "b": None}
    assert outcome.detail["cut_short"] == {"b": "deadline" if name == "seconds" else "budget"}
    assert [one.call.path for one in model.requests] == ["a", "c"]


async def test_the_problems_budget_that_a_program_inside_raises_for_ends_the_program():
    async def asks(ctx, problem, /):
        await ctx.complete(ctx.ask(problem), max_tokens=50)
        return Outcome()

    steps = (
        Sample(id="a", max_tokens=1),
        Run(id="b", program=asks),
        Sample(id="c", max_tokens=1),
        Return(value="a"),
    )
    outputs = {"b": "b.stop_reason", "c": "c.answer"}
    outcome, model = await made(*steps, script=["4", "5"], outputs=outputs, budget=Budget(total_tokens=16))
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.BUDGET)
    assert outcome.detail["outputs"] == {"b": None, "c": None}
    assert len(model.requests) == 1


FEW = Steps(
    steps=(
        Branch(id="few", budget=Budget(requests=1), steps=(Sample(id="a", n=2),)),
        Return(value="few.a"),
    )
)
"""A program whose branch is cut short."""


@pytest.mark.parametrize(
    ("program", "place"),
    [
        (FEW, "x"),
        (Steps(steps=(Run(id="y", program=FEW), Return(value="y"))), "x/y"),
        (
            Cascade(tiers=(Tier(strategy=FEW, accept=Agreement(at_least=0.9)), Tier(strategy=Single()))),
            "x/tier0",
        ),
        (Router(programs=(FEW,), thresholds=()), "x/choice0"),
    ],
)
async def test_what_a_branch_deep_inside_was_cut_short_by_is_told_with_what_was_here(program, place):
    own = Branch(id="own", budget=Budget(requests=0), steps=(Sample(id="z"),))
    inside = Run(id="x", program=program)
    script = ["4"] * 4
    outcome, _ = await made(inside, own, Return(value="x"), script=script, outputs={"z": "own.z.count"})
    assert outcome.detail["cut_short"] == {f"{place}/few": "budget", "own": "budget"}
    outcome, _ = await made(inside, Return(value=Vote(of=("x.candidates",))), script=script)
    assert outcome.detail["cut_short"] == {f"{place}/few": "budget"}


async def test_a_branch_cut_short_in_a_tier_is_told_where_the_cascade_is_the_program():
    cascade = Cascade(tiers=(Tier(strategy=FEW, accept=Agreement()), Tier(strategy=Single())))
    outcome, _ = await play(cascade, ["4", "5"])
    assert outcome.detail["cut_short"] == {"tier0/few": "budget"}
    assert (outcome.answer.text, outcome.stop_reason) == ("5", StopReason.COMPLETE)


async def test_a_program_that_its_own_limits_cut_short_is_told_and_one_that_the_problems_did_is_not():
    part = loads("version: 1\nbudget: {per_problem: {requests: 2}}\nprogram: {self_consistency: {n: 3}}\n")
    steps = Run(id="a", program=part), Sample(id="b"), Return(value="b")
    outputs, events = {"a": "a.stop_reason"}, []
    script = ["4", "5", "6"]
    outcome, _ = await made(*steps, script=script, outputs=outputs, events=events)
    assert (outcome.answer.text, outcome.stop_reason) == ("6", StopReason.COMPLETE)
    assert outcome.detail["outputs"] == {"a": "budget"}
    assert outcome.detail["cut_short"] == {"a": "budget"}
    told = [event.reason for event in events if isinstance(event, StepTaken) and event.step == "cut short"]
    assert told == ["a: its own budget is spent, 2 samples drawn"]
    outcome, _ = await made(*steps, script=script, outputs=outputs, budget=Budget(requests=1))
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["outputs"] == {"a": "budget"}
    assert "cut_short" not in outcome.detail


async def test_a_composed_program_can_be_a_tier_and_a_step():
    inner = Steps(steps=(Sample(id="a", n=2), Return(value="a")))
    cascade = Cascade(tiers=(Tier(strategy=inner, accept=Agreement(at_least=0.9)), Tier(strategy=VOTE)))
    outer = Steps(steps=(Run(id="all", program=cascade), Sample(), Return(value="all")))
    outcome, model = await play(outer, ["4", "5", "5", "5", "5", "6"])
    assert outcome.answer.text == "5"
    paths = [one.call.path for one in model.requests]
    assert paths[:2] == ["all/tier0/a"] * 2
    assert set(paths[2:-1]) == {"all/tier1"}
    assert paths[-1] == "sample"
    assert len(texts(outcome)) >= 5  # those of both tiers, and of the step after them
    assert outer.most_calls == 2 + 3 + 1


def test_its_problem_is_checked():
    [(place, _)] = faults(Run(id="a", program=VOTE, problem="{{ nothing }}"), Return(value="a"))
    assert place == "steps.0.problem"
