import asyncio
import sqlite3

import anyio
import anyio.lowlevel
import pytest

from orchestrator import (
    ABMCTS,
    BestOfN,
    Budget,
    Controller,
    Fusion,
    Model,
    Outcome,
    Problem,
    Revise,
    SelfConsistency,
    Single,
    StopReason,
    run_sync,
)
from orchestrator.answers import AnswerReader
from orchestrator.backends import FunctionBackend, RetryPolicy, ScriptedBackend
from orchestrator.errors import (
    AuthenticationError,
    BudgetExceededError,
    ConnectFailedError,
    ConnectionLostError,
    InvalidInputError,
    JournalError,
    JournalMismatchError,
    MalformedResponseError,
    StatusError,
    UnknownPriceError,
)
from orchestrator.events import CallReplayed, CallSettled, ProblemFinished, RequestShrunk, SamplingStopped
from orchestrator.runtime import Journal
from orchestrator.stopping import FixedSize
from orchestrator.types import Capabilities, Price, Request, Sample, Score, Usage
from orchestrator.verifiers import Perplexity

NUMBER = AnswerReader(kind="number")


def problems(count):
    return [Problem(id=f"p{number}", prompt=f"{number} + {number}?") for number in range(count)]


def answering(function, **options):
    """A backend whose samples are `function(request)`, 10 prompt and 5 completion tokens each."""

    async def sample(request):
        text = function(request)
        if isinstance(text, Exception):
            raise text
        return Sample(text=text, usage=Usage(prompt_tokens=10, completion_tokens=5, requests=1))

    return FunctionBackend(sample, **options)


async def test_a_program_is_run_on_a_problem():
    async with Controller(models={"m": ScriptedBackend(["The answer is 4."])}, answers=NUMBER) as controller:
        outcome = await controller.run(Single(), "2 + 2?")
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.COMPLETE
    assert outcome.usage.requests == 1
    assert len(outcome.candidates) == 1


async def test_the_vote_of_five_samples_is_the_most_frequent_answer():
    backend = ScriptedBackend(["4", "5", "4", "4", "no idea at all"])
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        outcome = await controller.run(SelfConsistency(n=5, stop=FixedSize()), "2 + 2?")
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx(3 / 5)
    assert outcome.detail == {
        "votes": [3, 1],
        "clusters": [0, 1, 0, 0, None],
        "abstentions": 1,
        "margin": pytest.approx(2 / 5),
        "planned": 5,
        "stopped": None,
    }


async def test_once_the_leader_cannot_be_overtaken_the_rest_is_cancelled():
    never = anyio.Event()
    answered = 0

    async def answer(request):
        nonlocal answered
        if answered == 3:
            await never.wait()
        answered += 1
        return Sample(text="4", usage=Usage(prompt_tokens=10, completion_tokens=5, requests=1))

    events = []
    controller = Controller(models={"m": FunctionBackend(answer)}, answers=NUMBER, recorders=[events.append])
    async with controller:
        outcome = await controller.run(SelfConsistency(n=5, max_tokens=50), "2 + 2?")
        assert controller.ledger.statistics().held.total_tokens == 0
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.confidence == 1.0
    assert (outcome.detail["votes"], outcome.detail["clusters"]) == ([3], [0, 0, 0])
    assert outcome.detail["stopped"] == "the lead is safe with 2 samples to come"
    [stopped] = [event for event in events if isinstance(event, SamplingStopped)]
    assert stopped.cancelled == 2
    # P2: the cancelled calls are charged at their worst case, since what they used is not known.
    assert outcome.usage.completion_tokens == 3 * 5 + 2 * 50
    assert outcome.usage.estimated


async def test_one_failed_sample_of_five_leaves_four_votes():
    backend = ScriptedBackend(["4", StatusError.of(400, "no"), "4", "4", "4"])
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        outcome = await controller.run(SelfConsistency(n=5, stop=FixedSize()), "2 + 2?")
    assert outcome.detail["votes"] == [4]
    assert outcome.usage.requests == 5


async def test_when_every_call_fails_the_error_is_raised():
    backend = answering(lambda request: AuthenticationError("wrong key", status=401))
    async with Controller(models={"m": backend}) as controller:
        with pytest.raises(AuthenticationError, match="wrong key"):
            await controller.run(SelfConsistency(n=3), "2 + 2?")


async def test_a_problem_that_fails_does_not_stop_the_others():
    def answer(request):
        return ConnectFailedError("no") if "1 + 1" in request.messages[0]["content"] else "4"

    backend = Model(backend=answering(answer), retry=RetryPolicy(attempts=1))
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        outcomes = [outcome async for outcome in controller.map(Single(), problems(4), ordered=True)]
    assert [outcome.stop_reason for outcome in outcomes] == ["complete", "error", "complete", "complete"]
    assert outcomes[1].error == "no"
    assert outcomes[1].answer is None


async def test_the_budget_ends_the_run_with_the_best_answers_so_far():
    backend = answering(lambda request: "4")
    budget = Budget(total_tokens=200)
    async with Controller(models={"m": backend}, budget=budget, answers=NUMBER) as controller:
        program = SelfConsistency(n=4, stop=FixedSize(), max_tokens=20)
        outcomes = [outcome async for outcome in controller.map(program, problems(10), ordered=True)]
        statistics = controller.ledger.statistics()
    assert sum(outcome.usage.total_tokens for outcome in outcomes) <= 200
    assert statistics.spent.total_tokens <= 200
    assert statistics.held.total_tokens == 0
    assert outcomes[0].answer.text == "4"
    assert outcomes[-1].answer is None
    assert outcomes[-1].stop_reason is StopReason.BUDGET


async def test_a_request_that_does_not_fit_is_shrunk_to_what_fits():
    requests, events = [], []

    def answer(request):
        requests.append(request)
        return "4"

    backend = answering(answer)
    bound = await backend.count_prompt_tokens(_ask())
    controller = Controller(
        models={"m": backend},
        budget=Budget(total_tokens=bound + 40),
        answers=NUMBER,
        recorders=[events.append],
    )
    async with controller:
        outcome = await controller.run(Single(max_tokens=500), "2 + 2?")
    assert outcome.answer.text == "4"
    assert requests[0].max_tokens == 40
    assert [event.max_tokens for event in events if isinstance(event, RequestShrunk)] == [40]


def _ask():
    return Request(messages=({"role": "user", "content": "2 + 2?"},), max_tokens=1)


async def test_a_budget_too_small_for_one_call_is_an_error():
    async with Controller(
        models={"m": answering(lambda request: "4")}, budget=Budget(total_tokens=5)
    ) as controller:
        with pytest.raises(BudgetExceededError, match="total_tokens"):
            await controller.run(Single(), "2 + 2?")


async def test_a_deadline_gives_the_best_so_far():
    never = anyio.Event()
    answered = 0

    async def answer(request):
        nonlocal answered
        answered += 1
        if answered > 2:
            await never.wait()
        return "4"

    budget = Budget(seconds=0.5)
    async with Controller(
        models={"m": FunctionBackend(answer)}, per_problem=budget, answers=NUMBER
    ) as controller:
        outcome = await controller.run(SelfConsistency(n=8), "2 + 2?")
        assert controller.ledger.statistics().held.requests == 0
    assert outcome.stop_reason is StopReason.DEADLINE
    assert outcome.answer.text == "4"
    assert len(outcome.candidates) == 2


async def test_a_user_program_cut_off_by_the_deadline_still_has_an_outcome(monkeypatch):
    monkeypatch.setattr("orchestrator.runtime.controller.GRACE", 0.0)

    async def program(ctx, problem):
        await ctx.complete("2 + 2?")
        await anyio.sleep_forever()

    backend = ScriptedBackend(["4"])
    controller = Controller(models={"m": backend}, per_problem=Budget(seconds=0.5), answers=NUMBER)
    async with controller:
        outcome = await controller.run(program, "2 + 2?")
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.DEADLINE)


async def test_a_branch_has_its_own_budget_inside_the_problems():
    spent = {}

    async def program(ctx, problem):
        branch = ctx.branch(label="cheap", budget=Budget(requests=2))
        async for _ in branch.sample("2 + 2?", n=5):
            pass
        spent["branch"] = branch.ledger.spent.requests
        await ctx.complete("2 + 2?")
        return Outcome()

    backend = answering(lambda request: "4")
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        outcome = await controller.run(program, "2 + 2?")
    assert spent == {"branch": 2}
    assert outcome.usage.requests == 3
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_calls_are_known_by_problem_path_and_ordinal():
    seen = []

    async def program(ctx, problem):
        left, right = ctx.branch(label="side"), ctx.branch(label="side")
        seen.extend([str((await context.complete("?")).call) for context in (ctx, left, right, ctx)])
        return Outcome()

    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        await controller.run(program, Problem(id="p", prompt="?"))
    assert seen == ["p:#0", "p:side#0", "p:side~2#0", "p:#1"]


async def test_seeds_differ_by_call_and_repeat_by_run():
    async def seeds(seed):
        requests = []

        def answer(request):
            requests.append(request.seed)
            return "4"

        async with Controller(models={"m": answering(answer)}, seed=seed) as controller:
            await controller.run(SelfConsistency(n=4, stop=FixedSize()), "2 + 2?")
        return requests

    first, again, other = await seeds(1), await seeds(1), await seeds(2)
    assert first == again
    assert len({*first, *other}) == 8
    assert all(0 <= seed < 2**31 for seed in first)


async def test_map_reads_problems_only_as_it_has_room():
    read = 0

    def source():
        nonlocal read
        for problem in problems(1000):
            read += 1
            yield problem

    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        outcomes = controller.map(Single(), source(), at_once=4)
        async for _ in outcomes:
            await anyio.wait_all_tasks_blocked()
            break
        assert read <= 10
        await outcomes.aclose()


async def test_outcomes_come_in_order_or_as_they_finish():
    first_may_answer = anyio.Event()

    async def answer(request):
        if "0 + 0" in request.messages[0]["content"]:
            await first_may_answer.wait()
        return "4"

    async with Controller(models={"m": FunctionBackend(answer)}) as controller:
        order = []
        async for outcome in controller.map(Single(), problems(3), at_once=3):
            order.append(outcome.problem)
            if len(order) == 2:
                first_may_answer.set()
        assert order[-1] == "p0"
        ordered = [o.problem async for o in controller.map(Single(), problems(3), at_once=3, ordered=True)]
    assert ordered == ["p0", "p1", "p2"]


async def test_leaving_the_map_cancels_what_is_in_progress():
    never = anyio.Event()

    async def answer(request):
        if "0 + 0" not in request.messages[0]["content"]:
            await never.wait()
        return "4"

    backend = FunctionBackend(answer)
    async with Controller(models={"m": backend}) as controller:
        async for _ in controller.map(Single(), problems(5), at_once=5):
            break
        await anyio.wait_all_tasks_blocked()
        assert controller.ledger.statistics().held.requests == 0
        assert controller.ledger.spent.requests == 5


async def test_two_problems_with_one_id_are_refused():
    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        with pytest.raises(InvalidInputError, match="two problems have the id 'p0'"):
            async for _ in controller.map(Single(), [*problems(1), *problems(1)]):
                pass


async def test_a_money_limit_needs_a_price_before_the_first_call():
    backend = answering(lambda request: "4")
    with pytest.raises(UnknownPriceError, match="price of model"):
        async with Controller(models={"m": backend}, budget=Budget(usd=1)):
            pass


async def test_money_is_limited_exactly():
    backend = answering(lambda request: "4", price=Price(input=1_000_000, output=10_000_000))
    async with Controller(models={"m": backend}, budget=Budget(usd="0.001"), answers=NUMBER) as controller:
        program = SelfConsistency(n=4, stop=FixedSize(), max_tokens=20)
        outcomes = [outcome async for outcome in controller.map(program, problems(10))]
        spent = controller.ledger.spent
    assert spent.picodollars == sum(outcome.usage.picodollars for outcome in outcomes)
    assert spent.picodollars <= 10**9


@pytest.mark.parametrize("step", range(0, 60, 3))
async def test_cancelled_at_any_await_nothing_stays_held(step, tmp_path):
    backend = answering(lambda request: "4")
    controller = Controller(
        models={"m": backend},
        budget=Budget(total_tokens=10_000, requests=100),
        journal=str(tmp_path / "run.db"),
        answers=NUMBER,
    )
    async with controller:
        async with anyio.create_task_group() as tasks:

            async def go():
                await controller.run(SelfConsistency(n=4, stop=FixedSize(), max_tokens=20), "2 + 2?")

            tasks.start_soon(go)
            for _ in range(step):
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        statistics = controller.ledger.statistics()
        assert statistics.held.total_tokens == 0
        assert statistics.held.requests == 0
        assert statistics.holds == 0
        spent = controller.ledger.spent
    journal = Journal(tmp_path / "run.db", resume=True)
    assert journal.counts().in_doubt == 0
    assert journal.charged().total_tokens == spent.total_tokens
    journal.close()


async def test_a_resumed_run_sends_nothing_again_and_finishes_the_rest(tmp_path):
    path, sent = str(tmp_path / "run.db"), []
    program = SelfConsistency(n=3, stop=FixedSize())

    def answer(request):
        sent.append(request.call)
        return "4"

    async with Controller(models={"m": answering(answer)}, journal=path, answers=NUMBER) as controller:
        async for outcome in controller.map(program, problems(2), ordered=True):
            first = outcome
    assert len(sent) == 6

    events = []
    controller = Controller(
        models={"m": answering(answer)}, journal=path, resume=True, answers=NUMBER, recorders=[events.append]
    )
    async with controller:
        assert controller.ledger.spent.requests == 6
        outcomes = [outcome async for outcome in controller.map(program, problems(3), ordered=True)]
        assert controller.ledger.spent.requests == 9
    assert len(sent) == 9
    assert outcomes[1] == first
    assert [event.resumed for event in events if isinstance(event, ProblemFinished)] == [True, True, False]


async def test_a_problem_cut_short_by_the_budget_goes_on_from_its_recorded_calls(tmp_path):
    path, sent, events = str(tmp_path / "run.db"), [], []

    def answer(request):
        sent.append(str(request.call))
        return "4"

    program = SelfConsistency(n=6, stop=FixedSize(), max_tokens=20)
    options = {"models": {"m": answering(answer)}, "journal": path, "answers": NUMBER}
    async with Controller(budget=Budget(requests=4), **options) as controller:
        outcome = await controller.run(program, "2 + 2?")
    assert outcome.stop_reason is StopReason.BUDGET
    assert len(sent) == 4
    async with Controller(
        budget=Budget(requests=6), resume=True, recorders=[events.append], **options
    ) as controller:
        outcome = await controller.run(program, "2 + 2?")
        assert controller.ledger.spent.requests == 6
    assert outcome.stop_reason is StopReason.COMPLETE
    assert outcome.usage.requests == 6
    assert len(sent) == len(set(sent)) == 6
    assert sum(isinstance(event, CallReplayed) for event in events) == 4
    assert sum(isinstance(event, CallSettled) for event in events) == 2


async def test_another_program_is_not_resumed(tmp_path):
    path = str(tmp_path / "run.db")
    async with Controller(models={"m": answering(lambda request: "4")}, journal=path) as controller:
        await controller.run(Single(), "2 + 2?")
    async with Controller(
        models={"m": answering(lambda request: "4")}, journal=path, resume=True
    ) as controller:
        with pytest.raises(JournalMismatchError, match="another program"):
            await controller.run(Single(temperature=0.5), "2 + 2?")


async def test_the_same_seed_and_samples_give_the_same_journal(tmp_path):
    def rows(path):
        connection = sqlite3.connect(path)
        found = connection.execute(
            "SELECT c.id, c.problem, c.path, c.ordinal, c.attempt, c.digest, c.seed, r.status, r.completion_tokens "
            "FROM calls c JOIN results r ON r.call = c.id ORDER BY c.id"
        ).fetchall()
        connection.close()
        return found

    for name in ("a.db", "b.db"):
        backend = answering(lambda request: str(request.seed % 3))
        controller = Controller(
            models={"m": backend}, journal=str(tmp_path / name), seed=5, answers=NUMBER, concurrency=1
        )
        async with controller:
            async for _ in controller.map(SelfConsistency(n=5), problems(4), at_once=1):
                pass
    assert rows(tmp_path / "a.db") == rows(tmp_path / "b.db")
    assert rows(tmp_path / "a.db")


def test_a_program_runs_from_synchronous_code():
    outcome = run_sync(Single(), "2 + 2?", models={"m": ScriptedBackend(["4"])}, budget=Budget(requests=1))
    assert outcome.answer.text == "4"


async def test_run_sync_works_inside_a_running_loop():
    assert run_sync(Single(), "2 + 2?", models={"m": ScriptedBackend(["4"])}).answer.text == "4"


async def test_a_bug_in_a_program_is_raised_as_it_is():
    async def program(ctx, problem):
        return 1 / 0

    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        with pytest.raises(ZeroDivisionError):
            await controller.run(program, "?")
        [outcome] = [o async for o in controller.map(program, problems(1))]
    assert outcome.error.startswith("ZeroDivisionError: division by zero (test_controller.py:")


async def test_an_exception_in_the_loop_body_cancels_the_calls_in_flight():
    never = anyio.Event()

    async def answer(request):
        if request.call.ordinal:
            await never.wait()
        return "4"

    async def program(ctx, problem):
        async for _ in ctx.sample("?", n=4):
            raise RuntimeError("mine")

    async with Controller(models={"m": FunctionBackend(answer)}) as controller:
        with pytest.raises(RuntimeError, match="mine"):
            await controller.run(program, "?")
        assert controller.ledger.statistics().holds == 0


def test_a_controller_needs_models_and_sound_numbers():
    with pytest.raises(InvalidInputError, match="no models"):
        Controller(models={})
    with pytest.raises(InvalidInputError, match="concurrency"):
        Controller(models={"m": ScriptedBackend([])}, concurrency=0)
    with pytest.raises(InvalidInputError, match="resume needs the journal"):
        Controller(models={"m": ScriptedBackend([])}, resume=True)


async def test_a_server_that_gives_fewer_choices_than_asked_for_is_asked_again():
    requests = []

    async def answer(request):
        requests.append((str(request.call), request.n))
        return ["4", "4"][: request.n]

    backend = FunctionBackend(answer, capabilities=Capabilities(n=True))
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        outcome = await controller.run(SelfConsistency(n=5, per_call=5, stop=FixedSize()), "2 + 2?")
    assert len(outcome.candidates) == 5
    assert requests == [("0:#0", 5), ("0:#0#0", 3), ("0:#0#1", 1)]


async def test_a_request_for_several_samples_is_cut_down_to_those_the_budget_allows():
    backend = FunctionBackend(lambda_answer, capabilities=Capabilities(n=True))
    budget = Budget(completion_tokens=70)
    async with Controller(models={"m": backend}, budget=budget, answers=NUMBER) as controller:
        program = SelfConsistency(n=5, per_call=5, stop=FixedSize(), max_tokens=20)
        outcome = await controller.run(program, "2 + 2?")
        assert controller.ledger.spent.completion_tokens <= 70
    assert 3 <= len(outcome.candidates) <= 5
    assert outcome.answer.text == "4"


async def lambda_answer(request):
    return [Sample(text="4", usage=Usage(completion_tokens=20, requests=1))] * request.n


async def test_an_error_leaves_the_controller_as_it_was_raised():
    with pytest.raises(KeyError, match="mine"):
        async with Controller(models={"m": ScriptedBackend([])}):
            raise KeyError("mine")


async def test_an_unknown_model_is_named_with_those_there_are():
    async with Controller(models={"small": ScriptedBackend(["4"])}) as controller:
        with pytest.raises(InvalidInputError, match="no model 'large'; there are: small"):
            await controller.run(Single(model="large"), "?")


async def test_contexts_on_the_same_path_number_their_calls_together():
    seen = []

    async def program(ctx, problem):
        reading = ctx.using(answers=NUMBER)
        seen.extend([(await context.complete("?")).call.ordinal for context in (reading, ctx, reading)])
        return Outcome()

    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        await controller.run(program, Problem(id="p", prompt="?"))
    assert seen == [0, 1, 2]


async def test_a_call_made_again_is_no_call_of_a_branch_with_the_same_label():
    calls = []

    async def answer(request):
        calls.append(request.call)
        return "4"

    async def program(ctx, problem):
        for branch in (ctx.branch(label="side"), ctx.branch(label="side")):
            for _ in range(3):
                async for _ in branch.sample("?", n=2, per_call=2):
                    pass
        return Outcome()

    backend = FunctionBackend(answer, capabilities=Capabilities(n=True))
    async with Controller(models={"m": backend}) as controller:
        await controller.run(program, Problem(id="p", prompt="?"))
    assert len(calls) == 12
    assert len(set(calls)) == 12


async def test_a_branch_that_limits_money_needs_known_prices():
    async def program(ctx, problem):
        await ctx.branch(label="cheap", budget=Budget(usd=1)).complete("?")
        return Outcome()

    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        with pytest.raises(UnknownPriceError):
            await controller.run(program, "2 + 2?")
        assert controller.ledger.spent.requests == 0


async def resumed_under(tmp_path, per_problem):
    """Three calls whose first attempt always fails, under a limit of four requests; the outcomes of two runs."""

    def flaky(request):
        return StatusError("it broke", status=500) if request.attempt == 0 else "4"

    async def program(ctx, problem):
        return Outcome(candidates=[ctx.read(sample) async for sample in ctx.sample("?", n=3)])

    outcomes = []
    for resume in (False, True):
        model = Model(backend=answering(flaky), retry=RetryPolicy(base=0.0))
        async with Controller(
            models={"m": model},
            per_problem=per_problem,
            journal=str(tmp_path / "run.db"),
            resume=resume,
            concurrency=1,
        ) as controller:
            outcomes.append(await controller.run(program, Problem(id="p", prompt="?")))
            journal = controller.journal.charged()
            assert controller.ledger.spent.requests == journal.requests
            assert outcomes[-1].usage.requests == journal.requests
    return outcomes


async def test_a_resumed_problem_counts_all_it_paid_for_before_it_sends_more(tmp_path):
    before, after = await resumed_under(tmp_path, Budget(requests=4))
    assert before.usage.requests == 4
    assert after.usage.requests == 4
    assert after.stop_reason is StopReason.BUDGET
    assert len(after.candidates) == len(before.candidates) == 1


async def test_a_resumed_branch_counts_all_it_paid_for_before_it_sends_more(tmp_path):
    spent = []

    async def program(ctx, problem):
        side = ctx.branch(label="side", budget=Budget(requests=4))
        async for _ in side.sample("?", n=3):
            pass
        spent.append(side.ledger.spent.requests)
        raise RuntimeError("so that it is done again")

    for resume in (False, True):
        model = Model(
            backend=answering(
                lambda request: StatusError("it broke", status=500) if request.attempt == 0 else "4"
            ),
            retry=RetryPolicy(base=0.0),
        )
        path = str(tmp_path / "run.db")
        async with Controller(models={"m": model}, journal=path, resume=resume, concurrency=1) as controller:
            with pytest.raises(RuntimeError):
                await controller.run(program, Problem(id="p", prompt="?"))
    assert spent == [4, 4]


async def test_a_run_budget_that_binds_in_a_branch_ends_the_problem_and_is_resumed(tmp_path):
    async def program(ctx, problem):
        side = ctx.branch(label="side")
        return Outcome(candidates=[ctx.read(sample) async for sample in side.sample("?", n=5)])

    outcomes = []
    for resume, requests in ((False, 2), (True, 20)):
        async with Controller(
            models={"m": answering(lambda request: "4")},
            budget=Budget(requests=requests),
            journal=str(tmp_path / "run.db"),
            resume=resume,
        ) as controller:
            outcomes.append(await controller.run(program, Problem(id="p", prompt="?")))
    assert [outcome.stop_reason for outcome in outcomes] == [StopReason.BUDGET, StopReason.COMPLETE]
    assert [len(outcome.candidates) for outcome in outcomes] == [2, 5]


async def test_a_branch_that_used_up_its_own_budget_does_not_end_the_problem():
    async def program(ctx, problem):
        side = ctx.branch(label="side", budget=Budget(requests=2))
        return Outcome(candidates=[ctx.read(sample) async for sample in side.sample("?", n=5)])

    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        outcome = await controller.run(program, "2 + 2?")
    assert outcome.stop_reason is StopReason.COMPLETE
    assert len(outcome.candidates) == 2


@pytest.mark.parametrize("returned", [None, "4"])
async def test_a_program_that_returns_no_outcome_fails_its_own_problem_only(returned):
    async def program(ctx, problem):
        await ctx.complete("?")
        return returned if problem.id == "p1" else Outcome()

    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        with pytest.raises(InvalidInputError, match=f"not {type(returned).__name__}"):
            await controller.run(program, Problem(id="p1", prompt="?"))
        outcomes = {outcome.problem: outcome async for outcome in controller.map(program, problems(4))}
    assert len(outcomes) == 4
    assert outcomes["p1"].stop_reason is StopReason.ERROR
    assert "must return an Outcome" in outcomes["p1"].error
    assert outcomes["p1"].usage.requests == 1


async def test_a_program_that_awaits_something_cancelled_fails_its_own_problem_only():
    async def program(ctx, problem):
        if problem.id == "p1":
            raise asyncio.CancelledError
        return Outcome()

    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        with anyio.fail_after(5):
            outcomes = {outcome.problem: outcome async for outcome in controller.map(program, problems(4))}
    assert len(outcomes) == 4
    assert outcomes["p1"].stop_reason is StopReason.ERROR


@pytest.mark.parametrize(
    "told", [{"completion_tokens": -5}, {"prompt_tokens": 2**64}, {"seconds": float("nan")}]
)
async def test_a_backend_that_reports_the_impossible_is_charged_its_worst_case(told, tmp_path):
    async def lie(request):
        return Sample(text="4", usage=Usage(requests=1, **told))

    async with Controller(
        models={"m": FunctionBackend(lie)}, journal=str(tmp_path / "run.db"), answers=NUMBER
    ) as controller:
        outcome = await controller.run(Single(max_tokens=50), "2 + 2?")
        assert outcome.answer.text == "4"
        assert outcome.usage.completion_tokens == 50
        assert outcome.usage.prompt_tokens > 0
        assert outcome.usage.estimated
        assert controller.journal.charged().total_tokens == controller.ledger.spent.total_tokens
        assert controller.journal.counts().in_doubt == 0


async def test_a_request_that_is_not_fit_to_be_sent_costs_nothing():
    backend = answering(lambda request: InvalidInputError("a base model takes no messages"))
    async with Controller(models={"m": backend}) as controller:
        with pytest.raises(InvalidInputError, match="base model"):
            await controller.run(Single(), "2 + 2?")
        assert controller.ledger.spent.total_tokens == 0
        assert controller.ledger.spent.requests == 0


async def test_a_money_limit_holds_where_cached_tokens_are_the_dearer_ones():
    async def cached(request):
        return Sample(
            text="4", usage=Usage(prompt_tokens=80, completion_tokens=5, cached_tokens=80, requests=1)
        )

    backend = FunctionBackend(cached, price=Price(input=1, output=1, cached_input=100))
    async with Controller(models={"m": backend}, budget=Budget(usd="0.00000002")) as controller:
        await controller.run(SelfConsistency(n=5, max_tokens=50, stop=FixedSize()), "2 + 2?")
        state = controller.ledger.statistics()
        assert 0 < state.spent.picodollars <= 20_000
        assert state.overruns == 0


async def test_two_questions_given_as_text_are_two_problems_in_a_journal(tmp_path):
    backend = answering(lambda request: "1" if "one" in str(request.messages) else "2")
    for resume in (False, True):
        async with Controller(
            models={"m": backend}, answers=NUMBER, journal=str(tmp_path / "run.db"), resume=resume
        ) as controller:
            answers = [(await controller.run(Single(), text)).answer.text for text in ("one?", "two?")]
            assert answers == ["1", "2"]
            assert controller.ledger.spent.requests == 2
            with pytest.raises(JournalMismatchError, match="asked something else"):
                await controller.run(Single(), Problem(id="0", prompt="three?"))


async def test_a_retry_after_a_lost_answer_is_shrunk_to_what_the_first_attempt_left():
    caps, bound = [], await answering(lambda request: "4").count_prompt_tokens(_ask())

    def answer(request):
        caps.append(request.max_tokens)
        return ConnectionLostError("cut") if len(caps) == 1 else "4"

    model = Model(backend=answering(answer), retry=RetryPolicy(base=0.0))
    budget = Budget(total_tokens=2 * bound + 150)
    async with Controller(models={"m": model}, budget=budget, answers=NUMBER) as controller:
        outcome = await controller.run(Single(max_tokens=100), "2 + 2?")
        assert controller.ledger.statistics().overruns == 0
    assert caps == [100, 50]
    assert outcome.answer.text == "4"


async def test_branches_side_by_side_that_reach_the_budget_end_with_the_budget_as_the_reason():
    async def program(ctx, problem):
        async with asyncio.TaskGroup() as tasks:
            for label in ("left", "right"):
                tasks.create_task(ctx.branch(label=label).complete("?"))

    async with Controller(
        models={"m": answering(lambda request: "4")}, budget=Budget(requests=0)
    ) as controller:
        [outcome] = [outcome async for outcome in controller.map(program, problems(1))]
    assert outcome.stop_reason is StopReason.BUDGET


@pytest.mark.parametrize("label", ["", "a/b", "a#1", "a~2"])
async def test_a_branch_label_that_could_be_taken_for_another_path_is_refused(label):
    async def program(ctx, problem):
        ctx.branch(label=label)

    async with Controller(models={"m": answering(lambda request: "4")}) as controller:
        with pytest.raises(InvalidInputError, match="branch's label"):
            await controller.run(program, "?")


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_the_journal_could_not_hold_is_refused(seed):
    with pytest.raises(InvalidInputError, match="seed must be in"):
        Controller(models={"m": ScriptedBackend([])}, seed=seed)


async def test_a_context_that_reads_otherwise_numbers_its_calls_along_with_the_first():
    calls = []

    async def program(ctx, problem):
        await ctx.complete(ctx.ask(problem))
        await ctx.using(answers=NUMBER).complete(ctx.ask(problem))
        await ctx.complete(ctx.ask(problem))
        return Outcome()

    backend = answering(lambda request: calls.append((request.call.ordinal, request.seed)) or "1")
    async with Controller(models={"m": backend}) as controller:
        await controller.run(program, "q")
    assert [ordinal for ordinal, _ in calls] == [0, 1, 2]
    assert len({seed for _, seed in calls}) == 3


async def test_a_server_asked_again_for_missing_choices_is_not_given_the_same_seed():
    seeds = []

    async def one(request):
        seeds.append(request.seed)
        return [Sample(text=str(request.seed), usage=Usage(requests=1))]

    backend = FunctionBackend(one, capabilities=Capabilities(n=True))
    async with Controller(models={"m": backend}) as controller:
        await controller.run(SelfConsistency(n=4, per_call=4, stop=FixedSize()), "q")
    assert len(seeds) == len(set(seeds)) == 4


async def test_a_seed_of_ones_own_does_not_make_all_samples_one():
    seeds = []
    backend = answering(lambda request: seeds.append(request.seed) or "1")
    model = Model(backend=backend, sampling={"seed": 7})
    async with Controller(models={"m": model}) as controller:
        await controller.run(SelfConsistency(n=3, stop=FixedSize()), "q")
        await controller.run(Single(), Problem(id="1", prompt="q"))
    assert seeds == [7, 8, 9, 7]


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        ({"max_tokens": 0}, "max_tokens must be a whole number of at least 1, not 0"),
        ({"max_tokens": 1.5}, "max_tokens must be a whole number"),
        ({"max_tokens": "8"}, "max_tokens must be a whole number"),
        ({"temperature": -1}, "temperature must be at least 0"),
        ({"temperature": float("nan")}, "temperature must be at least 0"),
        ({"top_p": 0.0}, r"top_p must be in \(0, 1\]"),
        ({"stop": ["a", ""]}, "stop must be a list of texts, none of them empty"),
        ({"stop": ""}, "stop must be a list of texts, none of them empty"),
    ],
)
async def test_a_sampling_field_out_of_range_is_refused_before_anything_is_sent(sampling, message):
    async def program(ctx, problem):
        return Outcome(candidates=[ctx.read(await ctx.complete("q", **sampling))])

    async with Controller(models={"m": answering(lambda request: "1")}) as controller:
        with pytest.raises(InvalidInputError, match=message):
            await controller.run(program, "q")


async def test_a_backend_that_gives_no_sample_is_at_fault_and_not_the_deadline():
    async def answering_nothing(request):
        return []

    class Silent(FunctionBackend):
        async def complete(self, request):
            return []

    async with Controller(models={"m": Silent(answering_nothing)}) as controller:
        with pytest.raises(MalformedResponseError, match="returned no sample"):
            await controller.run(Single(), "q")


async def test_a_journal_that_cannot_be_written_ends_the_run(tmp_path):
    sent = []

    def answer(request):
        sent.append(request)
        controller.journal._error = JournalError("the disk is full")
        return "4"

    async def run():
        async with controller:
            async for _ in controller.map(Single(), problems(5), at_once=1):
                pass

    controller = Controller(models={"m": answering(answer)}, journal=str(tmp_path / "run.db"), answers=NUMBER)
    with pytest.raises(JournalError, match="full"):
        await run()
    assert len(sent) == 1


async def test_a_program_that_does_not_know_of_the_budget_still_ends_with_it_as_the_reason():
    async def program(ctx, problem):
        return Outcome(candidates=[ctx.read(sample) async for sample in ctx.sample("?", n=5)])

    async with Controller(
        models={"m": answering(lambda request: "4")}, budget=Budget(requests=3)
    ) as controller:
        outcome = await controller.run(program, "?")
    assert len(outcome.candidates) == 3
    assert outcome.stop_reason is StopReason.BUDGET


async def test_a_stream_that_is_dropped_cancels_its_calls():
    never, cancelled = anyio.Event(), []

    async def answer(request):
        if request.call.ordinal == 0:
            return "4"
        try:
            await never.wait()
        except BaseException:
            cancelled.append(request.call.ordinal)
            raise

    async def program(ctx, problem):
        async for _ in ctx.sample("?", n=3):
            break
        await anyio.wait_all_tasks_blocked()
        return Outcome(detail={"cancelled before the end": len(cancelled)})

    async with Controller(models={"m": FunctionBackend(answer)}) as controller:
        outcome = await controller.run(program, "?")
    assert outcome.detail == {"cancelled before the end": 2}


async def test_a_tie_is_reported():
    async with Controller(models={"m": ScriptedBackend(["4", "5"])}, answers=NUMBER) as controller:
        outcome = await controller.run(SelfConsistency(n=2, stop=FixedSize()), "2 + 2?")
    assert (outcome.answer.text, outcome.tied, outcome.confidence) == ("4", True, 0.5)


@pytest.mark.parametrize(
    ("program", "options", "said"),
    [
        (SelfConsistency(n=1), {"models": {"m": "gpt-4"}}, "model 'm' must be a backend"),
        (SelfConsistency(n=1), {"models": ScriptedBackend(["4"])}, "models must be backends by name"),
        (SelfConsistency(n=1), {"budget": 5}, "a budget must be a Budget"),
        (SelfConsistency, {}, "a control program is a function or an object to call"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_its_name(program, options, said):
    with pytest.raises(InvalidInputError, match=said):
        run_sync(program, "2 + 2?", **{"models": {"m": ScriptedBackend(["4"])}, **options})


async def test_a_reader_that_fails_is_the_programs_error_and_not_a_hang():
    def broken(text):
        raise LookupError("mine")

    async with Controller(
        models={"m": answering(lambda request: "4")}, answers=AnswerReader(function=broken)
    ) as controller:
        with pytest.raises(LookupError, match="mine"):
            await controller.run(SelfConsistency(n=3), "?")
        assert controller.ledger.statistics().holds == 0


async def test_a_backend_that_runs_dry_is_not_asked_for_ever():
    asked = []

    async def answer(request):
        asked.append(request.n)
        return ["4"] if len(asked) == 1 else []

    class Dry(FunctionBackend):
        async def complete(self, request):
            texts = await answer(request)
            return [Sample(text=text, usage=Usage(requests=1)) for text in texts]

    async def unused(request):
        raise AssertionError

    backend = Dry(unused, capabilities=Capabilities(n=True))
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        outcome = await controller.run(SelfConsistency(n=4, per_call=4, stop=FixedSize()), "?")
    assert asked == [4, 3]
    assert len(outcome.candidates) == 1


@pytest.mark.parametrize(
    "program",
    [Revise(length=1), ABMCTS(verifier=Perplexity(), num_nodes=1, models=("m",)), Fusion(models=("m",))],
    ids=lambda program: type(program).__name__,
)
def test_a_strategy_brings_neither_prompt_nor_models_along(program):
    backend = ScriptedBackend(lambda request: "4")
    assert run_sync(program, "2 + 2?", models={"m": backend}).answer.text == "4"
    with pytest.raises(InvalidInputError, match="no models"):
        run_sync(program, "2 + 2?")


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        ([], "gave 0 scores for 1 candidates"),
        ([0.5], "gave 0.5, which is no Score"),
        ([Score(value=1.5)], "gave the score 1.5: scores are in"),
        ([Score(value=-0.1)], "gave the score -0.1"),
    ],
)
def test_a_verifier_that_gives_what_is_no_score_is_named(scores, says):
    class Wrong:
        name = "wrong"

        async def score(self, ctx, problem, candidates, /):
            return scores

    with pytest.raises(InvalidInputError, match=f"the verifier 'wrong' {says}"):
        run_sync(BestOfN(n=1, verifier=Wrong()), "2 + 2?", models={"m": ScriptedBackend(["4"])})
