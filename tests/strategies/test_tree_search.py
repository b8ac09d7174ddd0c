"""What all tree searches share: calls, values, and an answer whenever budget, deadline or failures end them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import anyio
import pytest
from search.scripted_trees import ScriptedTree, Worth, rows, said_in
from strategies.conformance import Case, Models, Standstill, controller_of

from orchestrator import Budget, Controller, Model, Problem, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import Scripted, prompt_text, tokens_of
from orchestrator.errors import BackendError, BudgetExceededError, ContextLengthError, InvalidInputError
from orchestrator.search import Search, Wanted
from orchestrator.strategies import (
    ABMCTS,
    MCTS,
    BeamSearch,
    BestFirstSearch,
    DiverseVerifierTreeSearch,
    ParticleFilter,
    ParticleGibbs,
    StepGenerator,
    TreeOfThoughts,
    TreeSearch,
)
from orchestrator.strategies.selection import by_vote
from orchestrator.traces import Trace
from orchestrator.types import Sample, Score, TokenLogprob, Usage
from orchestrator.verifiers import Consistency, PairwiseJudge, StateVote

NUMBER = AnswerReader(kind="number")
STEPS = StepGenerator(tokens=10, rest_tokens=10)
DOLLAR_A_MILLION = {"input": 1.0, "output": 1.0}


class Breadth(Search):
    """Two continuations of every node, in the order of the nodes."""

    def __init__(self, *, most, prune):
        super().__init__(width=2, prune=prune)
        self.open, self.left = [0], most

    def _next(self):
        if not self.open or not self.left:
            return None
        self.left -= 1
        return Wanted(node=self.open.pop(0), children=2)

    def _applied(self, expansion, nodes):
        self.open += [node for node in nodes if not self.tree.complete(node) and not self.tree.closed(node)]


GROWN = []
"""The trees of the searches that ended, for tests to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreadthFirst(TreeSearch):
    """Goes on from every node in turn."""

    most: int = 7

    def search(self, seed):
        return Breadth(most=self.most, prune=self.prune)

    def outcome(self, growth, candidates):
        GROWN.append(growth.tree)
        return TreeSearch.outcome(self, growth, candidates)


@dataclass(frozen=True)
class Scores:
    """A verifier by function of the candidate; what it returns is the value, an error is raised."""

    function: object
    name = "scores"

    async def score(self, ctx, problem, candidates):
        values = [self.function(candidate) for candidate in candidates]
        for value in values:
            if isinstance(value, Exception):
                raise value
        return [Score(value=value) for value in values]


LENGTH = Scores(lambda candidate: min(1.0, len(candidate.sample.text) / 100))


def search_of(verifier=LENGTH, **options):
    return BreadthFirst(
        **{"verifier": verifier, "steps": STEPS, "max_steps": 3, "finish_tokens": 16, **options}
    )


def endless(request):
    """Steps without end, all different; asked for the rest of a solution it ends it with 4."""
    if not request.stop:
        return "so it is 4."
    return f"step {request.call.path.rpartition('/')[2]} of {len(said_in(request))}"


async def run(program, script, *, budget=None, backend=None, answers=NUMBER):
    model = backend or ScriptedBackend(script)
    models = {"m": Model(backend=model, retry=RetryPolicy(attempts=1))}
    async with Controller(models=models, answers=answers, budget=budget) as controller:
        outcome = await controller.run(program, Problem(id="p", prompt="What is 2 + 2?"))
        statistics = controller.ledger.statistics()
        assert statistics.holds == 0
        assert statistics.held == statistics.kept == Usage()
    return outcome, model


# The search ----------------------------------------------------------------------------------------------


async def test_steps_are_drawn_valued_and_gone_on_from_until_solutions_are_complete():
    script = iter(
        ["one", "two", "three", "so the answer is 5.", "the answer is 6.", "four", "7", "4", "8", "9"]
    )
    outcome, model = await run(search_of(most=4), lambda request: next(script))
    tree = GROWN[-1]
    assert [tree.spans[node] for node in range(len(tree))] == [
        *["", "one\n\n", "two\n\n"],
        *["three\n\n", "so the answer is 5.", "the answer is 6.", "four\n\n"],
        *["7", "4"],  # the third step is written to the end
    ]
    assert [said_in(request) for request in model.requests] == [
        *["", "one\n\n", "two\n\n", "one\n\nthree\n\n"]
    ]
    assert [request.stop for request in model.requests] == [("\n\n",), ("\n\n",), ("\n\n",), ()]
    assert {request.call.path for request in model.requests} == {f"search/{number}" for number in range(4)}
    assert outcome.answer.text == "5"  # the longest solution
    assert outcome.stop_reason is StopReason.COMPLETE
    assert [candidate.sample.text for candidate in outcome.candidates] == [
        *["one\n\nso the answer is 5.", "two\n\nthe answer is 6.", "one\n\nthree\n\n7", "one\n\nthree\n\n4"]
    ]
    assert outcome.detail == {"score": 0.24, "nodes": 8, "complete": 4, "depth": 3, "forced": False}


@pytest.mark.parametrize(("choose", "answer"), [("score", "5"), ("weighted", "4"), ("vote", "4")])
async def test_the_answer_is_chosen_by_score_by_sum_or_by_vote(choose, answer):
    texts = iter(["the answer is 5.", "the answer is 4.", "so the answer is 4."])
    verifier = Scores(lambda candidate: 0.6 if candidate.answer.text == "5" else 0.35)
    program = BestFirstSearch(expansions=1, branching=3, verifier=verifier, choose=choose)
    outcome, _ = await run(program, lambda request: next(texts))
    assert outcome.answer.text == answer


async def test_weak_steps_are_not_gone_on_from():
    script = iter(["bad", "good", "the answer is 4.", "the answer is 5."])
    verifier = Scores(lambda candidate: 0.1 if "bad" in candidate.sample.text else 0.9)
    outcome, model = await run(search_of(verifier, prune=0.5), lambda request: next(script))
    assert [said_in(request) for request in model.requests] == ["", "good\n\n"]
    assert outcome.answer.text == "4"


async def test_the_verifier_sees_the_whole_text_and_an_answer_only_where_there_is_one():
    seen = {}

    def note(candidate):
        text = candidate.sample.text
        assert text not in seen, "equal texts are judged once"
        seen[text] = None if candidate.answer is None else candidate.answer.text
        return 0.5

    def reply(request):
        said = said_in(request)
        return "3 + 1" if not said else "so 4"

    await run(search_of(Scores(note), max_steps=2, most=2), reply)
    assert seen == {"3 + 1\n\n": None, "3 + 1\n\nso 4": "4"}


async def test_steps_come_with_the_log_probabilities_their_verifier_looks_at():
    @dataclass(frozen=True)
    class Certain(Scores):
        logprobs = 3

    logprobs = (TokenLogprob(token="one", logprob=-0.5),)

    def reply(request):
        return Sample(text="the answer is 4.", logprobs=logprobs, finish_reason="stop")

    _, model = await run(
        search_of(Certain(lambda candidate: candidate.sample.logprobs[0].logprob + 1)), reply
    )
    assert model.requests[0].logprobs == 3
    assert GROWN[-1].value(1) == 0.5
    assert GROWN[-1].prior(1) == pytest.approx(0.6065, abs=1e-4)  # exp(-0.5)


# Verifiers that do not judge -----------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, BackendError("the judge is down")])
async def test_without_values_the_search_goes_on_and_the_answer_is_the_vote(value):
    texts = iter(["one", "two", "the answer is 4.", "the answer is 5.", "the answer is 4.", "three"])
    program = search_of(Scores(lambda candidate: value), most=3)
    outcome, _ = await run(program, lambda request: next(texts))
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx(2 / 3)
    assert outcome.stop_reason is StopReason.COMPLETE
    assert all(GROWN[-1].value(node) is None for node in range(7))


async def test_what_a_verifier_raises_ends_the_program_and_leaves_nothing_in_flight():
    def judge(candidate):
        return ValueError("a mistake in the verifier") if "step 1" in candidate.sample.text else 0.5

    model = ScriptedBackend(endless)
    async with Controller(models={"m": model}, answers=NUMBER) as controller:
        with pytest.raises(ValueError, match="a mistake in the verifier"):
            await controller.run(search_of(Scores(judge)), "2 + 2?")
        assert controller.ledger.statistics().holds == 0
    assert model.in_flight == 0


async def test_a_verifier_out_of_budget_ends_the_search_with_what_there_is():
    exhausted = BudgetExceededError(account="run", resource="requests", requested=1, remaining=0)
    verifier = Scores(lambda candidate: exhausted if "\n\n" in candidate.sample.text[:-2] else 0.5)
    outcome, model = await run(search_of(verifier), endless)
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["forced"]
    assert model.requests[-1].call.path == "finish"


# An answer whenever it ends ------------------------------------------------------------------------------


async def test_a_search_that_finds_no_answer_has_its_best_partial_solution_written_to_the_end():
    texts = iter(["poor", "fine"])
    verifier = Scores(lambda candidate: 0.9 if candidate.sample.text.startswith("fine") else 0.2)
    outcome, model = await run(
        search_of(verifier, most=1), lambda request: "4." if request.call.path == "finish" else next(texts)
    )
    assert said_in(model.requests[-1]) == "fine\n\n"
    assert (model.requests[-1].max_tokens, model.requests[-1].stop) == (16, ())
    assert outcome.answer.text == "4"
    assert outcome.candidates[-1].sample.text == "fine\n\n4."
    assert outcome.stop_reason is StopReason.COMPLETE
    assert outcome.detail["forced"]


async def test_without_values_it_is_the_longest_partial_solution_that_is_written_to_the_end():
    _, model = await run(search_of(Scores(lambda candidate: None), most=2), endless)
    assert said_in(model.requests[-1]) == "step 0 of 0\n\nstep 1 of 13\n\n"


BUDGETS = {
    "requests": (Budget(requests=4), lambda usage: usage.requests <= 4),
    "total_tokens": (Budget(total_tokens=200), lambda usage: usage.total_tokens <= 200),
    "prompt_tokens": (Budget(prompt_tokens=120), lambda usage: usage.prompt_tokens <= 120),
    "completion_tokens": (Budget(completion_tokens=80), lambda usage: usage.completion_tokens <= 80),
    "usd": (Budget(usd="0.0002"), lambda usage: usage.picodollars <= 200_000_000),
}
"""A search of 5 steps of 10 tokens keeps back 6 + 50 prompt tokens and 16 completion tokens."""


@pytest.mark.parametrize("limit", BUDGETS)
async def test_a_budget_that_cuts_the_search_leaves_enough_to_end_the_best_partial_solution(limit):
    budget, within = BUDGETS[limit]
    model = ScriptedBackend(endless, price=DOLLAR_A_MILLION)
    outcome, _ = await run(search_of(most=1000, max_steps=5), None, budget=budget, backend=model)
    *searching, finishing = model.requests
    assert len(searching) >= 2, "the search had its part"
    assert finishing.call.path == "finish"
    assert finishing.max_tokens == 16, "what it may need was kept back whole"
    assert said_in(finishing).startswith("step 0")
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert within(outcome.usage)


@pytest.mark.parametrize("budget", [Budget(requests=1), Budget(total_tokens=30), Budget(usd="0.00003")])
async def test_a_budget_below_what_is_kept_back_is_spent_on_a_straight_answer(budget):
    model = ScriptedBackend(endless, price=DOLLAR_A_MILLION)
    outcome, _ = await run(search_of(), None, budget=budget, backend=model)
    assert [(request.call.path, said_in(request)) for request in model.requests] == [("finish", "")]
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET


@pytest.mark.parametrize(
    "budget",
    [
        Budget(requests=36),
        Budget(requests=12),
        Budget(total_tokens=1500),
        Budget(completion_tokens=500),
        Budget(usd="0.0015"),
    ],
    ids=["requests", "a request each", "total_tokens", "completion_tokens", "usd"],
)
async def test_problems_that_share_a_budget_can_each_end_their_best_partial_solution(budget):
    # Each keeps 72 tokens back, 16 of them to be written; without a budget each makes 7 calls.
    model = ScriptedBackend(endless, price=DOLLAR_A_MILLION)
    program = BeamSearch(
        n=4, beam_width=2, max_steps=5, finish_tokens=16, steps=STEPS, verifier=Scores(lambda candidate: 0.5)
    )
    problems = [Problem(id=f"{number}", prompt="What is 2 + 2?") for number in range(12)]
    async with Controller(
        models={"m": Model(backend=model, concurrency=12)}, answers=NUMBER, budget=budget
    ) as controller:
        outcomes = [outcome async for outcome in controller.map(program, problems, at_once=12)]
        statistics = controller.ledger.statistics()
    assert [outcome.answer and outcome.answer.text for outcome in outcomes] == ["4"] * 12
    assert {outcome.stop_reason for outcome in outcomes} == {StopReason.BUDGET}
    assert statistics.held == statistics.kept == Usage()
    assert all(
        left is None or left >= 0
        for left in (
            statistics.remaining.requests,
            statistics.remaining.total_tokens,
            statistics.remaining.completion_tokens,
            statistics.remaining.picodollars,
        )
    )


async def test_a_search_that_is_called_off_keeps_nothing():
    steps, ended = 0, False
    while not ended:
        async with Controller(
            models={"m": ScriptedBackend(endless)}, budget=Budget(requests=6)
        ) as controller:
            task = asyncio.ensure_future(controller.run(search_of(), "2 + 2?"))
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            ended = task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert controller.ledger.statistics().kept == controller.ledger.held == Usage()
        steps += 1 if steps < 40 else 5
    assert steps > 10


async def test_a_budget_for_nothing_is_an_error_that_says_so():
    with pytest.raises(BudgetExceededError, match="requests"):
        await run(search_of(), endless, budget=Budget(requests=0))


async def test_once_an_answer_is_found_a_cut_search_needs_no_further_call():
    def reply(request):
        return "the answer is 5." if request.call.path == "search/0" else endless(request)

    outcome, model = await run(search_of(), reply, budget=Budget(requests=3))
    assert outcome.answer.text == "5"
    assert all(request.call.path.startswith("search") for request in model.requests)
    assert not outcome.detail["forced"]


async def test_a_search_that_got_fewer_steps_than_it_asked_for_says_that_the_budget_ended_it():
    # Two steps of 10 tokens beside the 16 that are kept back: one fits, and is a solution, so nothing is left to ask.
    budget = Budget(completion_tokens=30)
    outcome, model = await run(search_of(), lambda request: "the answer is 5.", budget=budget)
    assert [request.n for request in model.requests] == [1]
    assert outcome.answer.text == "5"
    assert outcome.stop_reason is StopReason.BUDGET


async def test_a_deadline_in_the_middle_of_a_step_leaves_time_to_end_the_best_partial_solution():
    never = anyio.Event()

    def reply(request):
        step = Scripted(text="never", gate=never) if said_in(request) else "step"
        return "so 4" if request.call.path == "finish" else step

    outcome, model = await run(search_of(), reply, budget=Budget(seconds=0.5))
    assert outcome.answer.text == "4"
    assert outcome.candidates[-1].sample.text == "step\n\nso 4"
    assert outcome.stop_reason is StopReason.DEADLINE
    assert model.in_flight == 0
    assert model.cancelled >= 1


async def test_where_the_way_so_far_does_not_fit_the_model_the_answer_is_begun_anew():
    class Small(ScriptedBackend):
        async def complete(self, request):
            if len(tokens_of(prompt_text(request))) > 12:
                raise ContextLengthError("the prompt is too long")
            return await super().complete(request)

    program = search_of(max_steps=9, most=3)
    outcome, model = await run(program, None, backend=Small(lambda request: endless(request)))
    assert [(request.call.path, said_in(request)) for request in model.requests][-1] == ("finish", "")
    assert outcome.answer.text == "4"


async def test_where_the_way_so_far_costs_too_much_the_answer_is_begun_anew():
    class Costly(ScriptedBackend):
        """Counts a reply that is continued as fifty tokens more than were said."""

        async def count_prompt_tokens(self, request):
            return await super().count_prompt_tokens(request) + 50 * bool(said_in(request))

    budget = Budget(prompt_tokens=50)
    outcome, model = await run(search_of(most=1), None, budget=budget, backend=Costly(endless))
    assert [(request.call.path, said_in(request)) for request in model.requests] == [
        ("search/0", ""),
        ("finish", ""),
    ]
    assert outcome.answer.text == "4"


async def test_where_the_way_so_far_costs_too_much_as_much_of_it_is_kept_as_can_be():
    class Costly(ScriptedBackend):
        """Counts every step of a reply that is continued as forty tokens more."""

        async def count_prompt_tokens(self, request):
            return await super().count_prompt_tokens(request) + 40 * said_in(request).count("step")

    # Two steps are 80 tokens and the rest of the prompt; what is kept back is 36, and 10 or so have been spent twice.
    budget = Budget(prompt_tokens=100)
    outcome, model = await run(search_of(most=2), None, budget=budget, backend=Costly(endless))
    assert [(request.call.path, said_in(request).count("step")) for request in model.requests] == [
        ("search/0", 0),
        ("search/1", 1),
        ("finish", 1),
    ]
    assert outcome.answer.text == "4"
    assert outcome.usage.prompt_tokens <= 100


async def test_when_every_call_fails_the_first_failure_is_raised():
    with pytest.raises(BackendError, match="down since search/0"):
        await run(search_of(), lambda request: BackendError(f"down since {request.call.path}"))


@pytest.mark.parametrize(
    ("last", "budget", "reason"),
    [
        (BackendError("down"), None, StopReason.ERROR),
        (Scripted(text="never", gate=anyio.Event()), Budget(seconds=0.3), StopReason.DEADLINE),
    ],
    ids=["failing", "hanging"],
)
async def test_a_partial_solution_that_cannot_be_ended_is_there_as_it_stands(last, budget, reason):
    outcome, _ = await run(
        search_of(),
        lambda request: "step" if request.call.path == "search/0" else last,
        budget=budget,
    )
    assert outcome.stop_reason is reason
    assert outcome.answer is None
    assert [candidate.sample.text for candidate in outcome.candidates] == ["step"]
    assert outcome.error is not None


async def test_solutions_found_are_there_when_the_program_around_it_calls_it_off():
    hanging, never = anyio.Event(), anyio.Event()

    @dataclass(frozen=True)
    class Slow(Scores):
        async def score(self, ctx, problem, candidates):
            if any("step" in candidate.sample.text for candidate in candidates):
                hanging.set()
                await never.wait()
            return await Scores.score(self, ctx, problem, candidates)

    texts = iter(["one", "two", "the answer is 5.", "the answer is 5.", "step", "step"])

    async def impatient(ctx, problem):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(search_of(Slow(lambda candidate: 0.5)), ctx, problem)
            await hanging.wait()
            tasks.cancel_scope.cancel()
        return by_vote(ctx.candidates)

    outcome, model = await run(impatient, lambda request: next(texts))
    assert outcome.answer.text == "5"
    assert [candidate.sample.text for candidate in outcome.candidates] == ["one\n\nthe answer is 5."] * 2
    assert model.in_flight == 0


# Resumed -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched(BeamSearch):
    """A beam whose tree can be looked at."""

    def outcome(self, growth, candidates):
        GROWN.append(growth.tree)
        return BeamSearch.outcome(self, growth, candidates)


TREE = ScriptedTree(seed=12, depth=4, ending=0.1)


def scripted_case():
    """A beam of two in a scripted tree, for a model that has written nothing yet."""
    program = Watched(n=4, beam_width=2, max_steps=4, verifier=Worth(tree=TREE), steps=STEPS)
    return Case(name="beam_search", program=program, reply=TREE.model(), answer="", calls=7)


async def test_a_search_killed_anywhere_and_resumed_grows_the_same_tree_and_sends_nothing_twice(tmp_path):
    undisturbed = Models(scripted_case())
    async with controller_of(undisturbed.case, undisturbed) as controller:
        expected = await controller.run(undisturbed.case.program, undisturbed.case.problem)
    whole = GROWN[-1]
    assert undisturbed.calls >= 5
    for killed_after in range(undisturbed.calls):
        journal = str(tmp_path / f"{killed_after}.db")
        first, standstill = Models(scripted_case(), hanging_from=killed_after), Standstill(killed_after)
        first.never = standstill
        async with controller_of(first.case, first, journal=journal, events=standstill) as controller:
            task = asyncio.ensure_future(controller.run(first.case.program, first.case.problem))
            await standstill.reached.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        second = Models(scripted_case())
        async with controller_of(second.case, second, journal=journal, resume=True) as controller:
            outcome = await controller.run(second.case.program, second.case.problem)
        assert rows(GROWN[-1]) == rows(whole)
        assert second.calls == undisturbed.calls - killed_after
        assert outcome.answer == expected.answer
        assert outcome.detail == expected.detail


async def test_a_search_cut_by_its_budget_and_resumed_with_more_grows_the_same_tree(tmp_path):
    undisturbed = Models(scripted_case())
    async with controller_of(undisturbed.case, undisturbed) as controller:
        expected = await controller.run(undisturbed.case.program, undisturbed.case.problem)
    whole, journal = GROWN[-1], str(tmp_path / "run.db")
    sent = 0
    for requests in (2, 4, 100):
        models = Models(scripted_case())
        budget = Budget(requests=requests)
        async with controller_of(
            models.case, models, journal=journal, resume=sent > 0, budget=budget
        ) as controller:
            outcome = await controller.run(models.case.program, models.case.problem)
        sent += models.calls
        assert outcome.usage.requests == sent <= requests
    assert rows(GROWN[-1]) == rows(whole)
    assert outcome.answer == expected.answer


# Trace ---------------------------------------------------------------------------------------------------


async def test_a_trace_says_which_node_each_expansion_goes_on_from():
    trace = Trace()
    models = {"m": ScriptedBackend(lambda request: "one two three\n\n")}
    program = BeamSearch(verifier=LENGTH, n=1, beam_width=1, max_steps=2, steps=STEPS)
    async with Controller(models=models, recorders=[trace]) as controller:
        await controller.run(program, Problem(id="q", prompt="Count."))
    said = str(trace.take("q"))
    assert "on from: the question" in said
    assert "on from: node 1, value " in said
    assert ": one two three\n" in said


async def test_a_trace_says_which_nodes_are_judged_together():
    trace = Trace()
    models = {"m": ScriptedBackend(lambda request: "- one\n- two\n")}
    async with Controller(models=models, recorders=[trace]) as controller:
        await controller.run(TreeOfThoughts(verifier=LENGTH, max_steps=2), Problem(id="q", prompt="Count."))
    said = str(trace.take("q"))
    assert "judging: nodes 1, 2\n" in said
    assert said.count("on from: the question") == 1


# Parameters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"max_steps": 0}, "max_steps must be at least 1"),
        ({"finish_tokens": 0}, "finish_tokens must be at least 1"),
        ({"prune": 1.5}, r"prune must be in \[0, 1\], not 1.5"),
        ({"max_tokens": 50}, r"max_tokens does not cap the steps .* give steps: \{tokens: ..., rest_tokens"),
        ({"verifier": PairwiseJudge()}, "the verifier 'pairwise_judge' compares candidates"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, says):
    with pytest.raises(InvalidInputError, match=says):
        BeamSearch(**{"verifier": LENGTH, **wrong})


@pytest.mark.parametrize(
    "build",
    [
        lambda **fields: ABMCTS(verifier=LENGTH, unit="answer", **fields),
        lambda **fields: TreeOfThoughts(verifier=LENGTH, **fields),
    ],
    ids=["ab_mcts", "tree_of_thoughts"],
)
def test_a_search_that_writes_whole_replies_has_a_cap_on_them(build):
    assert build(max_tokens=50).max_tokens == 50


def test_only_searches_that_judge_together_what_they_compare_take_a_verifier_that_compares():
    assert TreeOfThoughts(verifier=StateVote()).verifier == StateVote()
    assert MCTS(value="vote", verifier=Consistency()).verifier == Consistency()
    for search in (
        lambda: MCTS(value="verifier", verifier=StateVote()),
        lambda: ABMCTS(verifier=StateVote()),
        lambda: BestFirstSearch(verifier=StateVote()),
        lambda: DiverseVerifierTreeSearch(verifier=StateVote()),
        lambda: ParticleFilter(verifier=StateVote()),
        lambda: ParticleGibbs(verifier=StateVote()),
    ):
        with pytest.raises(InvalidInputError, match="state_vote"):
            search()
