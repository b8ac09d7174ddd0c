"""Embeddings as calls: carried over HTTP, charged, retried, journaled and resumed."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiohttp import web
from openai import AsyncOpenAI

from orchestrator import Budget, Context, Controller, Model, Outcome, Problem
from orchestrator.answers import EmbeddingClusters
from orchestrator.backends import FunctionBackend, HttpBackend, OpenAIBackend, RetryPolicy, ScriptedBackend
from orchestrator.backends.embeddings import parse_embeddings
from orchestrator.errors import (
    BudgetExceededError,
    DeadlineExceededError,
    InvalidInputError,
    MalformedResponseError,
    StatusError,
)
from orchestrator.events import CallReplayed, RequestShrunk
from orchestrator.types import Price, Request, Sample, Usage
from orchestrator.voting import majority_vote


def vector_of(text: str) -> list[float]:
    """Something to tell texts by: their first letter's place on a circle of 26."""
    angle = (ord(text[0].lower()) - ord("a")) * math.tau / 26
    return [math.cos(angle), math.sin(angle)]


class Server:
    """Answers `/v1/embeddings`, last text first; `replies` come before good answers."""

    def __init__(self, *replies: tuple[int, Any]) -> None:
        self.replies = list(replies)
        self.bodies: list[dict[str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        if self.replies:
            status, reply = self.replies.pop(0)
            return web.json_response(reply, status=status)
        data = [{"index": at, "embedding": vector_of(text)} for at, text in enumerate(body["input"])]
        tokens = sum(len(text.split()) for text in body["input"])
        return web.json_response(
            {"data": data[::-1], "model": body["model"], "usage": {"prompt_tokens": tokens}}
        )


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v1/embeddings", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


class Embedding:
    """A program that embeds texts and returns how often each vector came out."""

    def __init__(self, texts: list[str], **options: Any) -> None:
        self.texts, self.options, self.vectors = texts, options, None

    async def __call__(self, ctx: Context, problem: Problem) -> Outcome:
        self.vectors = await ctx.embed(self.texts, **self.options)
        return Outcome()


async def test_texts_are_embedded_in_batches_and_keep_their_order() -> None:
    server = Server()
    async with serving(server) as url:
        backend = HttpBackend(base_url=url, model="e")
        vectors = await backend.embed(["apple", "beet", "carrot"], batch=2, dimensions=2)
        assert await backend.embed([]) == []
        await backend.aclose()
    assert vectors == [vector_of(letter) for letter in "abc"]
    assert server.bodies == [
        {"model": "e", "input": ["apple", "beet"], "encoding_format": "float", "dimensions": 2},
        {"model": "e", "input": ["carrot"], "encoding_format": "float", "dimensions": 2},
    ]


async def test_a_client_of_the_openai_package_embeds_as_well() -> None:
    server = Server()
    async with serving(server) as url, AsyncOpenAI(base_url=url, api_key="k") as client:
        vectors = await OpenAIBackend(client, model="e").embed(["apple", "zoo"], dimensions=2)
    assert vectors == [vector_of("a"), vector_of("z")]
    assert server.bodies[0] == {
        "model": "e",
        "input": ["apple", "zoo"],
        "encoding_format": "float",
        "dimensions": 2,
    }


async def test_an_embedding_is_charged_for_its_prompt_alone() -> None:
    server = Server()
    async with serving(server) as url:
        backend = HttpBackend(base_url=url, model="e", price=Price(input=3, output=1000, request=7))
        async with Controller(models={"e": backend}, budget=Budget(usd=1)) as controller:
            outcome = await controller.run(Embedding(["one two", "three four five"]), "q")
    usage = outcome.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.requests) == (5, 0, 1)
    assert usage.picodollars == 5 * 3 + 7
    assert not usage.estimated


async def test_an_answer_that_does_not_say_what_it_read_is_charged_at_its_worst_case() -> None:
    server = Server((200, {"data": [{"embedding": [1.0]}]}))
    async with (
        serving(server) as url,
        Controller(models={"e": HttpBackend(base_url=url, model="e")}) as controller,
    ):
        outcome = await controller.run(Embedding(["four"]), "q")
    assert outcome.usage.prompt_tokens == len("four") + 2
    assert outcome.usage.estimated


async def test_nothing_is_sent_that_does_not_fit_the_budget() -> None:
    server, events = Server(), []
    async with serving(server) as url:
        backend = HttpBackend(base_url=url, model="e")
        budget = Budget(prompt_tokens=20)
        async with Controller(models={"e": backend}, budget=budget, recorders=[events.append]) as controller:
            with pytest.raises(BudgetExceededError, match="23 prompt_tokens asked for"):
                await controller.run(Embedding(["fits", "does not fit any more"], batch=1), "q")
            assert controller.ledger.held == Usage()
            assert controller.ledger.spent.prompt_tokens <= 20
    assert ["does not fit any more"] not in [body["input"] for body in server.bodies]
    assert not [event for event in events if isinstance(event, RequestShrunk)]


async def test_an_embedding_is_retried_and_each_attempt_is_on_the_bill() -> None:
    server = Server((429, {"error": {"message": "slow down"}}), (200, {"data": []}))
    async with serving(server) as url:
        model = Model(backend=HttpBackend(base_url=url, model="e"), retry=RetryPolicy(base=0.0))
        program = Embedding(["apple"])
        async with Controller(models={"e": model}) as controller:
            outcome = await controller.run(program, "q")
    assert program.vectors == [vector_of("a")]
    # The refusal costs a request; the answer without a vector its worst case, 7 tokens; the good one its one word.
    assert (outcome.usage.requests, outcome.usage.prompt_tokens) == (3, 7 + 1)


async def test_a_resumed_run_embeds_nothing_again(tmp_path: Path) -> None:
    server, path, events = Server(), tmp_path / "run.db", []
    texts = ["apple", "beet", "carrot"]

    class Interrupted(Embedding):
        async def __call__(self, ctx: Context, problem: Problem) -> Outcome:
            self.vectors = await ctx.embed(self.texts, batch=2)
            if len(server.bodies) == 2 and not events:
                raise KeyError("stopped here")
            return Outcome()

    async with serving(server) as url:
        first = Interrupted(texts)
        async with Controller(
            models={"e": HttpBackend(base_url=url, model="e")}, journal=path, seed=1
        ) as controller:
            with pytest.raises(KeyError):
                await controller.run(first, Problem(id="p", prompt="q"))
        second = Interrupted(texts)
        async with Controller(
            models={"e": HttpBackend(base_url=url, model="e")},
            journal=path,
            seed=1,
            resume=True,
            recorders=[lambda event: events.append(event)],
        ) as controller:
            outcome = await controller.run(second, Problem(id="p", prompt="q"))
    assert len(server.bodies) == 2
    assert second.vectors == first.vectors
    assert len([event for event in events if isinstance(event, CallReplayed)]) == 2
    assert outcome.usage.prompt_tokens == 3
    rows = sqlite3.connect(path)
    try:
        [(body,)] = rows.execute("SELECT body FROM requests WHERE body LIKE '%carrot%'").fetchall()
    finally:
        rows.close()
    assert '"texts":["carrot"]' in body


async def test_answers_clustered_by_meaning_are_charged_and_not_embedded_again_on_resuming(
    tmp_path: Path,
) -> None:
    found: list[EmbeddingClusters] = []

    async def program(ctx: Context, problem: Problem) -> Outcome:
        answers = [
            ctx.answers.read(text)
            for text in ("an apple tree grows", "any old apple tree grows", "my house is red")
        ]
        found.append(clusters := EmbeddingClusters(ctx.embed, threshold=0.99))
        await clusters.learn(answers)
        if len(found) == 1:
            raise KeyError("stopped here")
        for answer in answers:
            clusters.add(answer)
        vote = majority_vote(clusters=clusters)
        return Outcome(answer=vote.answer, confidence=vote.confidence)

    server, price = Server(), Price(input=1_000_000, output=0)  # picodollars a token: one dollar a million
    problem, path = Problem(id="p", prompt="what is it?"), tmp_path / "run.db"
    async with serving(server) as url:
        models = {"e": HttpBackend(base_url=url, model="e", price=price)}
        async with Controller(models=models, journal=path, seed=1) as controller:
            with pytest.raises(KeyError):
                await controller.run(program, problem)
        async with Controller(models=models, journal=path, seed=1, resume=True) as controller:
            outcome = await controller.run(program, problem)
    assert len(server.bodies) == 1
    assert outcome.usage.requests == 1
    assert outcome.usage.prompt_tokens == 4 + 5 + 4
    assert outcome.usage.picodollars == 13_000_000
    assert found[1].ids == [0, 0, 1]
    assert str(outcome.answer) == "an apple tree grows"
    assert outcome.confidence == pytest.approx(2 / 3)


async def test_a_deadline_ends_embedding() -> None:
    async def never(request: Request) -> list[Sample]:
        await anyio.sleep_forever()
        raise AssertionError

    caught: list[Exception] = []

    async def program(ctx: Context, problem: Problem) -> Outcome:
        try:
            await ctx.branch(label="b", budget=Budget(seconds=0.01)).embed(["a"])
        except DeadlineExceededError as error:
            caught.append(error)
        return Outcome()

    async with Controller(models={"e": FunctionBackend(never)}) as controller:
        await controller.run(program, "q")
    assert [error.account for error in caught] == ["b"]


async def test_a_backend_that_has_no_embeddings_says_so() -> None:
    async with Controller(models={"e": ScriptedBackend(["a chat's text"])}) as controller:
        with pytest.raises(MalformedResponseError, match="returned 0 embeddings where 1 were asked for"):
            await controller.run(Embedding(["a"]), "q")


async def test_a_scripted_backend_plays_an_embedder() -> None:
    program = Embedding(["a b", "c"])
    backend = ScriptedBackend([Sample(text="", vector=(1.0, 0.0)), Sample(text="", vector=(0.0, 1.0))])
    async with Controller(models={"e": backend}, budget=Budget(completion_tokens=0)) as controller:
        outcome = await controller.run(program, "q")
    assert program.vectors == [[1.0, 0.0], [0.0, 1.0]]
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens) == (3, 0)


@pytest.mark.parametrize(
    ("texts", "options", "words"),
    [
        (["a", ""], {}, "text 1 to embed is ''"),
        ("abc", {}, "not one text"),
        (["a"], {"batch": 0}, "at least 1 text"),
        (["a"], {"input": "b"}, "may not set input"),
        (["a"], {"encoding_format": "base64"}, "may not set encoding_format"),
    ],
)
async def test_what_cannot_be_embedded_is_refused(texts: Any, options: dict[str, Any], words: str) -> None:
    backend = HttpBackend(base_url="http://127.0.0.1:9/v1", model="e")
    with pytest.raises(InvalidInputError, match=words):
        await backend.embed(texts, **options)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "not an object"),
        ({"data": []}, "expected 2 embeddings"),
        ({"data": [{"embedding": [1]}, 7]}, "no object"),
        ({"data": [{"embedding": [1], "index": 0}, {"embedding": [1], "index": 0}]}, "index of 0"),
        ({"data": [{"embedding": [1], "index": 0}, {"embedding": [1], "index": 2}]}, "index of 2"),
        ({"data": [{"embedding": [1]}, {"embedding": []}]}, "no list of numbers"),
        ({"data": [{"embedding": [1]}, {"embedding": ["x"]}]}, "no list of numbers"),
        ({"data": [{"embedding": [1]}, {"embedding": [10**400]}]}, "no list of numbers"),
        ({"data": [{"embedding": [1]}, {"embedding": [math.nan]}]}, "no list of numbers"),
        ({"data": [{"embedding": [1]}, {"embedding": "AAAA"}]}, "no list of numbers"),
    ],
)
def test_an_answer_that_is_no_embedding_is_malformed(data: Any, words: str) -> None:
    with pytest.raises(MalformedResponseError, match=words):
        parse_embeddings(data, count=2)


def test_an_error_with_status_200_is_an_error() -> None:
    with pytest.raises(StatusError, match="too long"):
        parse_embeddings({"error": {"code": 400, "message": "too long"}}, count=1)


async def test_the_budget_error_names_the_account() -> None:
    caught: list[BudgetExceededError] = []

    async def program(ctx: Context, problem: Problem) -> Outcome:
        try:
            await ctx.branch(label="small", budget=Budget(requests=1)).embed(["a", "b"], batch=1)
        except BudgetExceededError as error:
            caught.append(error)
        return Outcome()

    backend = ScriptedBackend(lambda request: Sample(text="", vector=(1.0,)))
    async with Controller(models={"e": backend}) as controller:
        await controller.run(program, "q")
    assert [(error.account, error.resource) for error in caught] == [("small", "requests")]
