"""Ratings as calls: asked over HTTP in the shapes of several servers, charged, retried, journaled and resumed."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI
from reward_server import LLAMA_CPP, TEI, RewardServer

from orchestrator import Budget, Context, Controller, Model, Outcome, Problem, StopReason
from orchestrator.backends import FunctionBackend, HttpBackend, OpenAIBackend, RetryPolicy, ScriptedBackend
from orchestrator.backends.rewards import (
    COMPLETION_LOGPROBS,
    PROTOCOLS,
    parse_rating,
    rating_body,
    rating_from,
    rating_request,
)
from orchestrator.errors import (
    BackendError,
    BudgetExceededError,
    DeadlineExceededError,
    InvalidInputError,
    MalformedResponseError,
    ModelNotFoundError,
    StatusError,
)
from orchestrator.events import CallReplayed, CallRetried
from orchestrator.types import Price, Rating, Request, Sample, Usage

CLASSIFY = PROTOCOLS["vllm_classify"]
PAIRS = replace(PROTOCOLS["vllm_pooling"], width=2)
TEI_RERANK = {
    "route": "/rerank",
    "body": {"query": "{{ query }}", "texts": "{{ texts }}"},
    "scores": "[].score",
}
TEI_PREDICT = {"route": "/predict", "body": {"inputs": "{{ text }}"}, "scores": "[].score"}


def by_length(text: str) -> float:
    """A reward that can be checked by eye: a tenth for each word."""
    return len(text.split()) / 10


class Rates:
    """A program that has texts rated, one list after the other, and keeps what came."""

    def __init__(self, *lists: Sequence[str], rating: Rating = CLASSIFY, **options: Any) -> None:
        self.lists, self.rating, self.options = lists, rating, options
        self.said: list[Any] = []

    async def __call__(self, ctx: Context, problem: Problem) -> Outcome:
        for texts in self.lists:
            self.said += await ctx.rate(texts, self.rating, **self.options)
        return Outcome()


def http(server: RewardServer, **options: Any) -> HttpBackend:
    return HttpBackend(base_url=server.base_url, model="rm", **options)


@pytest.mark.parametrize(
    ("protocol", "routes", "body"),
    [
        ("vllm_classify", {"/classify"}, {"model": "rm", "input": ["a b", "a"]}),
        ("vllm_score", {"/score"}, {"model": "rm", "text_1": "2 + 2?", "text_2": ["a b", "a"]}),
        ("rerank", LLAMA_CPP, {"model": "rm", "query": "2 + 2?", "documents": ["a b", "a"]}),
        (TEI_RERANK, TEI, {"query": "2 + 2?", "texts": ["a b", "a"]}),
    ],
)
async def test_each_protocol_posts_its_body_and_gives_scores_in_the_order_of_the_texts(
    protocol: Any, routes: set[str], body: dict[str, Any]
) -> None:
    program = Rates(["a b", "a"], rating=replace(rating_from(protocol), query="2 + 2?"))
    async with (
        RewardServer(reward=by_length, routes=routes) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        await controller.run(program, "q")
    assert program.said == [(0.2,), (0.1,)]
    assert server.bodies == [body]


async def test_a_pooling_model_gives_a_row_a_step() -> None:
    program = Rates(["a<extra_0>b c<extra_0>", "d<extra_0>"], rating=PAIRS)
    async with (
        RewardServer(reward=by_length) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        await controller.run(program, "q")
    assert program.said == [(0.9, 0.1, 0.8, 0.2), (0.9, 0.1)]


async def test_a_route_that_takes_one_text_gets_one_call_a_text() -> None:
    program = Rates(["a", "a b"], rating=rating_from(TEI_PREDICT))
    async with (
        RewardServer(reward=by_length, routes=TEI) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        await controller.run(program, "q")
    assert program.said == [(0.1,), (0.2,)]
    assert sorted(body["inputs"] for body in server.bodies) == ["a", "a b"]


async def test_a_conversation_is_sent_as_messages() -> None:
    body = {"model": "{{ model }}", "messages": "{{ messages }}"}
    rating = replace(CLASSIFY, body=body, messages=({"role": "user", "content": "2 + 2?"},))
    program = Rates(["4"], rating=rating)
    async with (
        RewardServer(reward=by_length) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        await controller.run(program, "q")
    assert server.bodies == [
        {
            "model": "rm",
            "messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}],
        }
    ]


@pytest.mark.parametrize("client", [AsyncOpenAI, OpenAI])
async def test_a_client_of_the_openai_package_rates_as_well(client: Any) -> None:
    program = Rates(["a b", "a"])
    async with RewardServer(reward=by_length) as server:
        with_key = client(base_url=server.base_url, api_key="k")
        async with Controller(models={"rm": OpenAIBackend(with_key, model="rm")}) as controller:
            outcome = await controller.run(program, "q")
        if client is AsyncOpenAI:
            await with_key.close()
        else:
            with_key.close()
    assert program.said == [(0.2,), (0.1,)]
    assert outcome.usage.prompt_tokens == server.words_read == 3


async def test_texts_are_asked_about_once_in_a_problem_and_in_batches() -> None:
    program = Rates(["a", "b", "a", "c"], ["c", "d"], batch=2)
    async with (
        RewardServer(reward=by_length) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        await controller.run(program, Problem(id="p1", prompt="q"))
        assert sorted(map(tuple, (body["input"] for body in server.bodies))) == [("a", "b"), ("c",), ("d",)]
        await controller.run(Rates(["a"]), Problem(id="p2", prompt="q"))
        assert server.texts.count("a") == 2  # another problem, another bill
    assert program.said == [(0.1,)] * 6


async def test_another_question_about_the_same_text_is_another_call() -> None:
    async def program(ctx: Context, problem: Problem) -> Outcome:
        for query in ("one", "two", "one"):
            await ctx.rate(["a"], replace(PROTOCOLS["vllm_score"], query=query))
        return Outcome()

    async with (
        RewardServer(reward=by_length) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        await controller.run(program, "q")
    assert [body["text_1"] for body in server.bodies] == ["one", "two"]


async def test_a_text_asked_about_twice_at_once_is_waited_for() -> None:
    said: list[Any] = []

    async def program(ctx: Context, problem: Problem) -> Outcome:
        async def one(branch: Context) -> None:
            said.extend(await branch.rate(["a"], CLASSIFY))

        async with anyio.create_task_group() as tasks:
            for label in ("left", "right"):
                tasks.start_soon(one, ctx.branch(label=label))
            await server.arrived.wait()
            server.gate.set()
        return Outcome()

    async with (
        RewardServer(reward=by_length) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        server.gate.clear()
        await controller.run(program, "q")
    assert said == [(0.1,), (0.1,)]
    assert len(server.calls) == 1


async def test_whoever_waits_for_a_call_that_is_cancelled_asks_instead() -> None:
    said: list[Any] = []

    async def program(ctx: Context, problem: Problem) -> Outcome:
        first, second = ctx.branch(label="first"), ctx.branch(label="second")

        async def wait() -> None:
            said.extend(await second.rate(["a"], CLASSIFY))

        async with anyio.create_task_group() as tasks:
            async with anyio.create_task_group() as losers:
                losers.start_soon(first.rate, ["a"], CLASSIFY)
                await server.arrived.wait()
                tasks.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                losers.cancel_scope.cancel()
            server.gate.set()
        return Outcome()

    async with (
        RewardServer(reward=by_length) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        server.gate.clear()
        await controller.run(program, "q")
        assert controller.ledger.held == Usage()
    assert said == [(0.1,)]
    assert len(server.calls) == 2


# --- the bill -----------------------------------------------------------------------------------------------


async def test_a_rating_is_charged_what_the_server_says_it_read() -> None:
    async with RewardServer(reward=by_length) as server:
        backend = http(server, price=Price(input=3, output=1000, request=7))
        async with Controller(models={"rm": backend}, budget=Budget(usd=1)) as controller:
            outcome = await controller.run(Rates(["one two", "three four five"]), "q")
    usage = outcome.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.requests) == (5, 0, 1)
    assert usage.picodollars == 5 * 3 + 7
    assert not usage.estimated
    assert server.words_read == 5


async def test_without_a_report_a_rating_is_charged_at_its_worst_case() -> None:
    async with (
        RewardServer(reward=by_length, reports=False) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        outcome = await controller.run(Rates(["four"]), "q")
    assert outcome.usage.prompt_tokens == len("four") + 64 + 16  # and the template around it
    assert outcome.usage.estimated


async def test_a_token_written_for_each_text_is_reserved_and_charged() -> None:
    rating = replace(COMPLETION_LOGPROBS, tokens=("+", "-"))
    program = Rates(["a ки", "a ки b ки"], rating=rating)
    async with RewardServer(reward=by_length) as server:
        backend = http(server, price=Price(input=1, output=100))
        async with Controller(models={"rm": backend}, budget=Budget(completion_tokens=2)) as controller:
            outcome = await controller.run(program, "q")
            again = await controller.run(refused := Rates(["c ки"], rating=rating), "q")
    assert [round(score, 9) for [score] in program.said] == [0.2, 0.4]
    assert outcome.usage.completion_tokens == server.words_written == 2
    assert outcome.usage.picodollars == 6 * 1 + 2 * 100
    assert isinstance(refused.said[0], BudgetExceededError)
    assert again.stop_reason is StopReason.BUDGET


async def test_a_report_that_cannot_be_about_all_texts_is_not_believed() -> None:
    # llama.cpp's server reports the tokens of the first of several prompts.
    top = {"content": [{"token": "+", "logprob": -0.1, "top_logprobs": [{"token": "-", "logprob": -3.0}]}]}
    reply = {
        "choices": [{"index": 0, "logprobs": top}, {"index": 1, "logprobs": top}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }
    program = Rates(["a", "b"], rating=replace(COMPLETION_LOGPROBS, tokens=("+", "-")))
    async with (
        RewardServer(reward=by_length, script=[(200, reply)]) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        outcome = await controller.run(program, "q")
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens) == (2 * (1 + 64 + 16), 2)
    assert outcome.usage.estimated


async def test_nothing_is_sent_that_does_not_fit_the_budget() -> None:
    program = Rates(["fits"], ["does not fit any more " * 20])
    async with (
        RewardServer(reward=by_length) as server,
        Controller(models={"rm": http(server)}, budget=Budget(prompt_tokens=100)) as controller,
    ):
        outcome = await controller.run(program, "q")
        assert controller.ledger.held == Usage()
        assert controller.ledger.spent.prompt_tokens == server.words_read == 1
    assert program.said[0] == (0.1,)
    assert isinstance(program.said[1], BudgetExceededError)
    assert server.texts == ["fits"]
    assert outcome.stop_reason is StopReason.BUDGET


async def test_the_journal_has_the_calls_the_server_counted(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    program = Rates(["a", "b b", "c"], batch=2)
    async with (
        RewardServer(reward=by_length, script=[(429, {"error": {"message": "slow down"}})]) as server,
        Controller(
            models={"rm": Model(backend=http(server), retry=RetryPolicy(base=0.0))}, journal=path
        ) as controller,
    ):
        outcome = await controller.run(program, "q")
    rows = sqlite3.connect(path)
    try:
        [(calls, tokens)] = rows.execute("SELECT count(*), sum(prompt_tokens) FROM results").fetchall()
        [(body,)] = rows.execute("SELECT body FROM requests WHERE body LIKE '%b b%'").fetchall()
    finally:
        rows.close()
    assert calls == len(server.calls) == outcome.usage.requests == 3
    assert tokens == server.words_read == outcome.usage.prompt_tokens == 4
    assert '"route":"/classify"' in body


async def test_a_resumed_run_asks_nothing_again(tmp_path: Path) -> None:
    path, events = tmp_path / "run.db", []

    class Interrupted(Rates):
        async def __call__(self, ctx: Context, problem: Problem) -> Outcome:
            await super().__call__(ctx, problem)
            if not events:
                raise KeyError("stopped here")
            return Outcome()

    first, second = Interrupted(["a", "b b", "c"], batch=2), Interrupted(["a", "b b", "c"], batch=2)
    problem = Problem(id="p", prompt="q")
    async with RewardServer(reward=by_length) as server:
        async with Controller(models={"rm": http(server)}, journal=path, seed=1) as controller:
            with pytest.raises(KeyError):
                await controller.run(first, problem)
        events.append(None)
        async with Controller(
            models={"rm": http(server)}, journal=path, seed=1, resume=True, recorders=[events.append]
        ) as controller:
            outcome = await controller.run(second, problem)
    assert len(server.calls) == 2
    assert second.said == first.said == [(0.1,), (0.2,), (0.1,)]
    assert len([event for event in events if isinstance(event, CallReplayed)]) == 2
    assert outcome.usage.prompt_tokens == 4


@dataclass
class Interruptible:
    """A program of branches that have texts rated, one after the other in `order`, and end in one more question.

    To a journal it is the same program in whatever order: as if branches side by side had come in another.
    """

    order: tuple[str, ...] = field(compare=False)
    stop: bool = field(compare=False)
    said: dict[str, Any] = field(compare=False, default_factory=dict)

    async def __call__(self, ctx: Context, problem: Problem) -> Outcome:
        texts = {"left": ["shared", "a b"], "right": ["shared", "a b c"]}
        for label in self.order:
            branch = ctx.branch(label=label)
            self.said[label] = await branch.rate(texts[label], CLASSIFY, model="rm", batch=2)
            await branch.complete(label, model="m")
        if self.stop:
            raise KeyError("stopped here")
        return Outcome()


async def test_who_asked_first_does_not_matter_to_a_resumed_run(tmp_path: Path) -> None:
    first, second = Interruptible(("left", "right"), stop=True), Interruptible(("right", "left"), stop=False)
    problem, events = Problem(id="p", prompt="q"), list[Any]()
    options: dict[str, Any] = {"journal": tmp_path / "run.db", "seed": 1}
    async with RewardServer(reward=by_length) as server:
        models = {"m": ScriptedBackend(["x", "y"]), "rm": http(server)}
        async with Controller(models=models, **options) as controller:
            with pytest.raises(KeyError):
                await controller.run(first, problem)
        assert [body["input"] for body in server.bodies] == [["shared", "a b"], ["a b c"]]
        async with Controller(models=models, resume=True, recorders=[events.append], **options) as controller:
            outcome = await controller.run(second, problem)
    assert second.said == first.said == {"left": [(0.1,), (0.2,)], "right": [(0.1,), (0.3,)]}
    assert len(server.calls) == 2
    assert models["m"].started == 2
    assert outcome.usage.requests == 4
    replayed = [event.call for event in events if isinstance(event, CallReplayed)]
    assert len(replayed) == len(set(replayed)) == 4


async def test_a_deadline_leaves_the_scores_that_came_in() -> None:
    async def answer(request: Request) -> list[Sample]:
        if request.texts == ("slow",):
            await anyio.sleep_forever()
        return [Sample(text="", vector=(0.5,))]

    async def program(ctx: Context, problem: Problem) -> Outcome:
        branch = ctx.branch(label="b", budget=Budget(seconds=0.05))
        said.extend(await branch.rate(["quick", "slow"], CLASSIFY, batch=1))
        return Outcome()

    said: list[Any] = []
    async with Controller(models={"rm": FunctionBackend(answer)}) as controller:
        await controller.run(program, "q")
        assert controller.ledger.held == Usage()
    assert said[0] == (0.5,)
    assert isinstance(said[1], DeadlineExceededError)


# --- failures -----------------------------------------------------------------------------------------------


async def test_one_failed_batch_leaves_the_others() -> None:
    script = [(500, {"error": "out of memory"}), None]
    program = Rates(["a", "b"], batch=1)
    async with (
        RewardServer(reward=by_length, script=script) as server,
        Controller(
            models={"rm": Model(backend=http(server), retry=RetryPolicy(attempts=1))}, concurrency=1
        ) as controller,
    ):
        await controller.run(program, "q")
    assert isinstance(program.said[0], BackendError)
    assert program.said[1] == (0.1,)


async def test_a_text_too_long_for_the_model_does_not_take_its_batch_with_it() -> None:
    program = Rates(["a b", "a b c d", "a"])
    async with (
        RewardServer(reward=by_length, longest=3) as server,
        Controller(models={"rm": http(server)}) as controller,
    ):
        outcome = await controller.run(program, "q")
    assert program.said[0] == (0.2,)
    assert isinstance(program.said[1], StatusError)
    assert "maximum context length" in str(program.said[1])
    assert program.said[2] == (0.1,)
    assert outcome.usage.requests == len(server.calls) == 4  # refused together, then each alone
    assert outcome.usage.prompt_tokens == server.words_read == 3


@pytest.mark.parametrize(
    ("rating", "words"),
    [
        (CLASSIFY, "was asked for /classify; start one that has it: vllm serve MODEL --runner pooling"),
        (
            PROTOCOLS["rerank"],
            "Start it with `--reranking`: .* was asked for /v1/rerank; .* llama-server --reranking",
        ),
        (rating_from(TEI_PREDICT), "was asked for /predict; is the route right"),
    ],
)
async def test_a_server_without_the_route_is_asked_once_and_the_error_says_how_to_start_it(
    rating: Rating, words: str
) -> None:
    events: list[Any] = []
    program = Rates(["a"], rating=rating)
    async with (
        RewardServer(reward=by_length, routes=()) as server,
        Controller(models={"rm": http(server)}, recorders=[events.append]) as controller,
    ):
        outcome = await controller.run(program, "q")
    [error] = program.said
    assert isinstance(error, ModelNotFoundError | StatusError)
    with pytest.raises(StatusError, match=words):
        raise error
    assert not [event for event in events if isinstance(event, CallRetried)]
    assert outcome.usage == Usage(requests=1, seconds=outcome.usage.seconds)


async def test_a_backend_that_rates_nothing_says_so() -> None:
    program = Rates(["a"])
    async with Controller(
        models={"m": Model(backend=ScriptedBackend(["a chat's text"]), retry=RetryPolicy(attempts=1))}
    ) as controller:
        await controller.run(program, "q")
    assert "returned 0 scores where 1 were asked for" in str(program.said[0])


async def test_a_scripted_backend_plays_a_reward_model() -> None:
    program = Rates(["a b", "c"])
    backend = ScriptedBackend([Sample(text="", vector=(1.0,)), Sample(text="", vector=(0.5,))])
    async with Controller(models={"m": backend}, budget=Budget(completion_tokens=0)) as controller:
        outcome = await controller.run(program, "q")
    assert program.said == [(1.0,), (0.5,)]
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens) == (3, 0)


@pytest.mark.parametrize(
    "entry", [None, "0.5", math.nan, math.inf, True, {}, [], [0.1, "x"], [[0.1], [None]], 10**400]
)
def test_a_score_that_is_no_number_is_malformed_and_not_worth_asking_again(entry: Any) -> None:
    data = {"data": [{"index": 0, "score": entry}]}
    with pytest.raises(
        MalformedResponseError, match=r"/score: a (score that is not a number|text without)"
    ) as caught:
        parse_rating(data, PROTOCOLS["vllm_score"], count=1)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "no 'data' on the way"),
        ({"data": {}}, "no list at data"),
        ({"data": [{"probs": [1]}]}, "expected 2 entries at data.*probs, found 1"),
        ({"data": [{"probs": [1]}, 7]}, "no 'probs' on the way"),
        ({"data": [{"probs": [1], "index": 0}, {"probs": [1], "index": 0}]}, "index of 0"),
        ({"data": [{"probs": [1], "index": 0}, {"probs": [1], "index": 2}]}, "index of 2"),
        ({"data": [{"probs": [1], "index": "0"}, {"probs": [1], "index": 1}]}, "index of '0'"),
    ],
)
def test_an_answer_of_another_shape_is_malformed(data: Any, words: str) -> None:
    with pytest.raises(MalformedResponseError, match=words):
        parse_rating(data, CLASSIFY, count=2)


@pytest.mark.parametrize("rows", [[[0.1, 0.2, 0.7]], [[0.1]], [0.1, 0.2, 0.7], 0.5])
def test_a_row_with_another_number_of_classes_is_malformed(rows: Any) -> None:
    with pytest.raises(MalformedResponseError, match="a score that is not 2 numbers"):
        parse_rating({"data": [{"data": rows}]}, PAIRS, count=1)


def test_an_error_with_status_200_is_an_error() -> None:
    with pytest.raises(StatusError, match="too long"):
        parse_rating({"error": {"code": 400, "message": "too long"}}, CLASSIFY, count=1)


NUMBERS = st.one_of(st.integers(), st.floats(), st.just(10**400))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["data", "index", "probs", "error", "code"]), inner, max_size=3),
    ),
    max_leaves=8,
)
LOGPROBS = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {
            "content": st.lists(
                st.fixed_dictionaries({"token": JSON, "logprob": JSON, "top_logprobs": JSON}), max_size=2
            )
        }
    ),
    st.fixed_dictionaries({"tokens": JSON, "token_logprobs": JSON, "top_logprobs": JSON}),
)


def scores_or_none(data: Any, rating: Rating, count: int) -> list[tuple[float, ...]] | None:
    try:
        return parse_rating(data, rating, count=count)
    except (MalformedResponseError, StatusError):
        return None


@given(data=JSON, entries=st.lists(JSON, max_size=2))
def test_whatever_a_server_answers_is_read_or_malformed(data: Any, entries: list[Any]) -> None:
    for value in (data, {"data": entries}, {"data": [{"probs": entry} for entry in entries]}):
        scores = scores_or_none(value, CLASSIFY, len(entries))
        if scores is not None:
            assert len(scores) == len(entries)
            assert all(math.isfinite(number) for numbers in scores for number in numbers)


@given(logprobs=LOGPROBS)
@example(logprobs={"content": [{"token": "+", "logprob": 10**400, "top_logprobs": []}]})
@example(logprobs={"content": [{"token": "+", "logprob": -math.inf, "top_logprobs": []}]})
def test_whatever_log_probabilities_a_server_gives_are_a_probability_or_malformed(logprobs: Any) -> None:
    data = {"choices": [{"index": 0, "logprobs": logprobs}]}
    scores = scores_or_none(data, replace(COMPLETION_LOGPROBS, tokens=("+", "-")), 1)
    assert scores is None or 0.0 <= scores[0][0] <= 1.0


def test_the_rarer_of_two_tokens_counts_at_most_as_the_rarest_listed() -> None:
    rating = replace(COMPLETION_LOGPROBS, tokens=("+", "-"))

    def read(**top: float) -> float:
        named = {
            {"plus": " +", "plus_alone": "+", "minus": " -", "other": "x"}[name]: p for name, p in top.items()
        }
        logprobs = {name: math.log(p) if p else -9999.0 for name, p in named.items()}  # 0 as vLLM sends it
        best = max(logprobs, key=lambda name: logprobs[name])
        raw = {"tokens": [best], "token_logprobs": [logprobs[best]], "top_logprobs": [logprobs]}
        [[score]] = parse_rating({"choices": [{"index": 0, "logprobs": raw}]}, rating, count=1)
        return score

    assert read(plus=0.6, minus=0.2) == pytest.approx(0.75)
    assert read(plus=0.6, plus_alone=0.01, minus=0.2) == pytest.approx(0.75)
    assert read(plus=0.9, other=0.1) == pytest.approx(0.9)
    assert read(minus=0.9, other=0.1) == pytest.approx(0.1)
    assert (read(plus=0.9, minus=0.0), read(plus=0.0, minus=0.9)) == (1.0, pytest.approx(0.0))
    assert read(plus=0.9, other=0.0) == 1.0
    with pytest.raises(MalformedResponseError, match="neither '\\+' nor '-' is among the 1 likeliest"):
        read(other=1.0)
    with pytest.raises(MalformedResponseError, match="neither '\\+' nor '-' is among"):
        read(plus=0.0, minus=0.0, other=1.0)


# --- describing a route -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        ("vllm", "no protocol 'vllm'; there are: vllm_classify"),
        ({"route": "/a", "scores": "[].s"}, "a mapping has a 'body'"),
        ({**TEI_PREDICT, "header": {}}, "a mapping has no 'header'"),
        ({**TEI_PREDICT, "tokens": ("+", "-")}, "a mapping has no 'tokens'"),
        ({**TEI_PREDICT, "route": "https://elsewhere/predict"}, "route must be a path"),
        ({**TEI_PREDICT, "route": "//elsewhere/predict"}, "route must be a path"),
        ({**TEI_PREDICT, "scores": "data.score"}, "scores must be a path"),
        ({**TEI_PREDICT, "scores": "data[].rows[].score"}, "scores must be a path"),
        ({**TEI_PREDICT, "scores": "data[].__class__()"}, "scores must be a path"),
        ({**TEI_PREDICT, "width": 0}, "width must be a whole number"),
        ({**TEI_PREDICT, "body": []}, "body must be a mapping"),
        ({**TEI_PREDICT, "body": {"inputs": "always the same"}}, "body needs a place"),
        ({**TEI_PREDICT, "body": {"inputs": "{{ txt }}"}}, "a place for 'txt'"),
        ({**TEI_PREDICT, "body": {"inputs": "all of {{ texts }}"}}, "a value of its own"),
    ],
)
def test_a_description_of_a_route_that_cannot_be_is_refused(protocol: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        rating_from(protocol)


def test_places_are_filled_once_and_nested_values_stay_what_they_are() -> None:
    rating = rating_from(
        {
            "route": "/r",
            "body": {
                "pair": ["{{ query }}", "{{ text }}"],
                "as_one": "Q: {{ query }} A: {{ text }}",
                "k": 3,
                "on": True,
            },
            "scores": "[].s",
        }
    )
    request = rating_request(["{{ query }}"], replace(rating, query="{{ text }}"))
    assert rating_body(request, model="m") == {
        "pair": ["{{ text }}", "{{ query }}"],
        "as_one": "Q: {{ text }} A: {{ query }}",
        "k": 3,
        "on": True,
    }


@pytest.mark.parametrize(
    ("texts", "batch", "words"),
    [
        (["a", ""], 8, "text 1 to rate is ''"),
        ("abc", 8, "must be a sequence of texts, not 'abc'"),
        ([7], 8, "must be a sequence of texts"),
        (["a"], 0, "at least 1 text"),
    ],
)
async def test_what_cannot_be_rated_is_refused(texts: Any, batch: int, words: str) -> None:
    async with Controller(
        models={"rm": HttpBackend(base_url="http://127.0.0.1:9/v1", model="rm")}
    ) as controller:
        with pytest.raises(InvalidInputError, match=words):
            await controller.run(Rates(texts, batch=batch), "q")


def test_several_texts_do_not_fit_where_one_does() -> None:
    with pytest.raises(InvalidInputError, match="takes one text a request, not 2"):
        rating_request(["a", "b"], rating_from(TEI_PREDICT))
