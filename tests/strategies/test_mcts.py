"""MCTS as a strategy: its calls, how nodes are valued, what is chosen, when it stops, and what a resumed run does."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import anyio
import pytest
from search.scripted_trees import ScriptedTree, Worth, rows, said_in
from strategies.conformance import Case, Models, Standstill, controller_of

from orchestrator import Budget, Controller, Model, Problem, StopReason, load
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.search import ROOT
from orchestrator.strategies import MCTS, StepGenerator
from orchestrator.types import Sample, Score, TokenLogprob
from orchestrator.verifiers import Consistency

NUMBER = AnswerReader(kind="number")
STEPS = StepGenerator(tokens=10, rest_tokens=10)
GROWN = []
"""The trees of the searches that ended, for tests to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched(MCTS):
    """MCTS whose tree can be looked at."""

    def outcome(self, growth, candidates):
        GROWN.append(growth.tree)
        return MCTS.outcome(self, growth, candidates)


@dataclass(frozen=True)
class Scores:
    """A verifier by function of the text; what it returns is the value."""

    function: object
    name = "scores"

    async def score(self, ctx, problem, candidates):
        return [Score(value=self.function(candidate.sample.text)) for candidate in candidates]


HALF = Scores(lambda text: 0.5)


def search_of(verifier=HALF, **options):
    given = {"branching": 2, "widening": 0.0, "width": 1, "steps": STEPS, "finish_tokens": 16, **options}
    return Watched(verifier=verifier, **given)


async def run(program, script, *, budget=None, answers=NUMBER):
    backend = ScriptedBackend(script)
    models = {"m": Model(backend=backend, retry=RetryPolicy(attempts=1))}
    async with Controller(models=models, answers=answers, budget=budget) as controller:
        outcome = await controller.run(program, Problem(id="p", prompt="What is 2 + 2?"))
    return outcome, GROWN[-1] if GROWN else None


def in_turn(*texts):
    """One text a choice, in the order they are asked for; the last for all further ones."""
    left = list(texts)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


# Simulations ----------------------------------------------------------------------------------------------


async def test_simulations_write_steps_where_value_and_few_visits_promise_most():
    worth = {"a": 0.6, "b": 0.5, "a\n\nc": 0.1, "a\n\nd": 0.3}
    judge = Scores(lambda text: worth.get(text.strip(), 0.0))
    program = search_of(judge, num_simulations=3, c_puct=0.2, descend=False)
    outcome, tree = await run(program, in_turn("a", "b", "c", "d", "e", "f", "so it is 4."))
    # a: 0.6 + x > 0.5 + x; then Q(a) = (0.6 + 0.2) / 2 = 0.4 < 0.5: b
    assert [tree.text(node).split() for node in range(len(tree))] == [
        [],
        ["a"],
        ["b"],
        ["a", "c"],
        ["a", "d"],
        ["b", "e"],
        ["b", "f"],
    ]
    assert [tree.visits(node) for node in range(3)] == [3, 1, 1]
    assert tree.total(ROOT) == pytest.approx(0.55 + 0.2 + 0.0)
    assert outcome.detail == {
        "visits": [1],
        "simulations": 3,
        "nodes": 6,
        "complete": 0,
        "depth": 2,
        "forced": True,
    }
    assert outcome.answer.text == "4"
    assert outcome.usage.requests == program.most_calls == 4


async def test_simulations_go_on_to_a_complete_solution():
    worth = {"a": 0.6, "b": 0.5, "a\n\nc": 0.1, "a\n\nd": 0.3}
    judge = Scores(lambda text: worth.get(text.strip(), 0.4))
    program = search_of(judge, num_simulations=3, max_steps=3)
    outcome, tree = await run(program, in_turn("a", "b", "c", "d", "it is 4.", "it is 5."))
    assert [tree.text(node).split() for node in (5, 6)] == [
        ["a", "d", "it", "is", end] for end in ("4.", "5.")
    ]
    assert outcome.detail["complete"] == 2
    assert not outcome.detail["forced"]


async def test_coming_back_to_a_complete_solution_takes_no_call():
    program = search_of(num_simulations=30, patience=None, branching=1)
    outcome, tree = await run(program, lambda request: "The answer is 4.")
    assert outcome.usage.requests == 1
    assert tree.visits(1) == 29
    assert (outcome.stop_reason, outcome.confidence) == (StopReason.COMPLETE, 1.0)
    assert outcome.detail["visits"] == [30]


async def test_it_ends_when_the_answer_mass_is_stable():
    program = search_of(num_simulations=30, patience=4, branching=1)
    outcome, tree = await run(program, lambda request: "The answer is 4.")
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.detail["visits"] == [4]  # found, and come back to three times
    assert tree.visits(ROOT) == 4


async def test_what_is_under_way_when_it_is_decided_is_called_off():
    hanging = anyio.Event()
    never = anyio.Event()
    texts = in_turn("slow", "The answer is 4.")

    class Half(ScriptedBackend):
        async def complete(self, request):
            if said_in(request):
                self.in_flight += 1
                try:
                    hanging.set()
                    await never.wait()
                finally:
                    self.in_flight -= 1
            return await super().complete(request)

    backend = Half(texts)
    likes_four = Scores(lambda text: 0.9 if "4" in text else 0.5)
    program = search_of(likes_four, num_simulations=50, width=2, patience=5, c_puct=2.0)
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        outcome = await controller.run(program, Problem(id="p", prompt="What is 2 + 2?"))
        assert controller.ledger.statistics().holds == 0
    assert hanging.is_set()
    assert backend.in_flight == 0
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.DECIDED)


async def test_failed_expansions_are_tried_once_more_and_end_at_some_point():
    calls = []

    def fails_after_a(request):
        calls.append(said_in(request))
        if said_in(request).startswith("a"):
            raise BackendError("too long")
        return "a" if len(calls) % 2 else "so it is 4." if not request.stop else "b"

    program = search_of(num_simulations=12, c_puct=0.0, branching=1, max_steps=3)
    outcome, tree = await run(program, fails_after_a)
    assert calls[:4] == ["", "a\n\n", "a\n\n", ""]
    assert tree.closed(1)
    assert outcome.answer is not None


# Priors ---------------------------------------------------------------------------------------------------


def likely(text, probability):
    logprob = TokenLogprob(token=text, logprob=0.0 if probability == 1.0 else -2.0)
    return Sample(text=text, logprobs=(logprob,), finish_reason="stop")


@pytest.mark.parametrize(("prior", "gone_on_from"), [("likelihood", "b"), ("uniform", "a")])
async def test_equal_values_are_told_apart_by_likelihood(prior, gone_on_from):
    asked = []

    def reply(request):
        asked.append(request.logprobs)
        return likely("a", 0.1) if len(asked) == 1 else likely("b", 1.0) if len(asked) == 2 else "c"

    _, tree = await run(search_of(num_simulations=2, prior=prior), reply)
    [node] = [node for node in (1, 2) if tree.child_count(node)]
    assert tree.text(node).strip() == gone_on_from
    assert asked[0] == (0 if prior == "likelihood" else None)


# Values ---------------------------------------------------------------------------------------------------


async def test_rollouts_value_a_node_by_the_mean_score_of_the_solutions_they_write():
    texts = in_turn("a", "so it is 4.", "so it is 5.", "so it is 4.", "so it is 4.", "?")
    right = Scores(lambda text: float("4" in text))
    program = search_of(right, num_simulations=1, branching=1, value="rollout", rollouts=4)
    outcome, tree = await run(program, texts)
    assert tree.value(1) == 0.75
    assert not tree.complete(1)
    assert [one.sample.text for one in tree.rollouts[1]] == ["a\n\nso it is 4.", "a\n\nso it is 5."] + [
        "a\n\nso it is 4."
    ] * 2
    assert outcome.usage.requests == 2  # the step, and its four rollouts in one request
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.75)
    assert len(outcome.candidates) == 4
    assert outcome.detail["forced"] is False


async def test_a_vote_values_a_node_by_its_rollouts_that_give_the_leading_answer_and_asks_no_verifier():
    texts = in_turn("a", "b", "so it is 4.", "so it is 5.", "so it is 5.", "so it is 5.", "?")
    asked = []
    spy = Scores(lambda text: asked.append(text))
    outcome, tree = await run(search_of(spy, num_simulations=1, value="vote", rollouts=2), texts)
    assert (tree.value(1), tree.value(2)) == (0.5, 1.0)
    assert tree.total(ROOT) == 0.75
    assert asked == []
    assert (outcome.answer.text, outcome.confidence) == ("5", 0.75)


async def test_rollouts_that_fail_leave_the_node_unjudged():
    def reply(request):
        if not request.stop and said_in(request):
            raise BackendError("no rollouts today")
        return "a" if request.stop else "so it is 4."

    program = search_of(num_simulations=2, value="vote", branching=1)
    outcome, tree = await run(program, reply)
    assert tree.value(1) is None
    assert (len(tree), outcome.answer.text) == (3, "4")


async def test_a_complete_solution_is_its_own_rollout():
    texts = in_turn("The answer is 4.", "a", "so it is 4.", "so it is 5.", "?")
    outcome, tree = await run(search_of(num_simulations=1, value="vote", rollouts=2), texts)
    assert [tree.value(node) for node in (1, 2)] == [1.0, 0.5]
    assert outcome.usage.requests == 2
    assert outcome.detail["visits"] == [2, 1]


# The choice -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choose", "answer"),
    # 3 twice with 0.1 each, 4 with 0.3, 5 with 0.25; visits go to the best of them
    [("visits", "4"), ("score", "4"), ("weighted", "4"), ("vote", "3")],
)
async def test_the_answer_is_chosen_by_visits_by_score_by_sum_or_by_vote(choose, answer):
    texts = [f"The answer is {number}." for number in (3, 3, 4, 5)]
    worth = {"3": 0.1, "4": 0.3, "5": 0.25}
    verifier = Scores(lambda text: worth[text[-2]])
    program = search_of(verifier, num_simulations=6, branching=4, c_puct=0.0, patience=None, choose=choose)
    outcome, _ = await run(program, in_turn(*texts, "?"))
    assert outcome.answer.text == answer
    if choose == "visits":  # five simulations came back to 4
        assert outcome.detail["visits"] == [2, 6, 1]
        assert outcome.confidence == pytest.approx(6 / 9)


# Budget and journal ---------------------------------------------------------------------------------------


async def test_a_budget_that_ends_it_leaves_enough_for_an_answer():
    program = search_of(num_simulations=30)
    outcome, _ = await run(
        program, lambda request: "a" if request.stop else "so it is 4.", budget=Budget(requests=5)
    )
    assert (outcome.answer.text, outcome.stop_reason, outcome.usage.requests) == ("4", StopReason.BUDGET, 5)
    assert outcome.detail["forced"]


TREE = ScriptedTree(seed=4, depth=5, ending=0.1)


def scripted_case(width=1):
    program = Watched(
        num_simulations=12,
        branching=2,
        width=width,
        max_steps=4,
        patience=None,
        verifier=Worth(tree=TREE),
        steps=STEPS,
    )
    return Case(name="mcts", program=program, reply=TREE.model(), answer="", calls=13)


async def outcome_of(models, **options):
    async with controller_of(models.case, models, **options) as controller:
        return await controller.run(models.case.program, models.case.problem)


@pytest.mark.parametrize("width", [1, 3])
async def test_killed_anywhere_and_resumed_it_grows_the_same_tree(tmp_path, width):
    undisturbed = Models(scripted_case(width))
    expected = await outcome_of(undisturbed)
    whole = rows(GROWN[-1])
    assert undisturbed.calls >= 6
    for killed_after in range(0, undisturbed.calls, 2):
        journal = str(tmp_path / f"{killed_after}.db")
        first, standstill = Models(scripted_case(width), hanging_from=killed_after), Standstill(killed_after)
        first.never = standstill
        async with controller_of(first.case, first, journal=journal, events=standstill) as controller:
            task = asyncio.ensure_future(controller.run(first.case.program, first.case.problem))
            await standstill.reached.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        second = Models(scripted_case(width))
        outcome = await outcome_of(second, journal=journal, resume=True)
        assert rows(GROWN[-1]) == whole
        assert second.calls == undisturbed.calls - killed_after
        assert (outcome.answer, outcome.detail) == (expected.answer, expected.detail)


# Parameters -----------------------------------------------------------------------------------------------


def test_calls_are_those_of_simulations_and_rollouts_and_one_to_end_with():
    assert MCTS(num_simulations=10, verifier=HALF).most_calls == 11
    assert MCTS(num_simulations=10, branching=4, value="vote").most_calls == 51
    assert MCTS(num_simulations=10, width=3, verifier=HALF).calls_at_once == 3
    assert MCTS(num_simulations=10, width=3, branching=4, value="vote").calls_at_once == 12


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"num_simulations": 0}, "num_simulations"),
        ({"c_puct": -1.0}, "c_puct must be finite and at least 0"),
        ({"branching": 0}, "branching must be at least 1, not 0"),
        ({"rollouts": 0}, "rollouts must be at least 1, not 0"),
        ({"widening": 2.0}, r"widening must be in \[0, 1\]"),
        ({"patience": 0}, "patience"),
        ({"threshold": -0.1}, r"threshold must be in \[0, 1\], not -0.1"),
        ({"width": 0}, "width must be at least 1, not 0"),
        ({"prune": 2.0}, r"prune must be in \[0, 1\], not 2.0"),
        ({"verifier": Consistency()}, "take value: vote"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, says):
    with pytest.raises(InvalidInputError, match=says):
        MCTS(**{"verifier": HALF, **wrong})


def test_a_program_file_needs_no_verifier_for_a_vote(tmp_path):
    (tmp_path / "program.yaml").write_text(
        "version: 1\n"
        "models: {m: {base_url: 'http://127.0.0.1:1/v1', model: m}}\n"
        "program: {mcts: {value: vote, num_simulations: 5, choose: visits, steps: {tokens: 40}}}\n"
    )
    program = load(str(tmp_path / "program.yaml")).strategy
    assert program == MCTS(value="vote", num_simulations=5, steps=StepGenerator(tokens=40))
