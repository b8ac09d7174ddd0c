"""What is found out about a server, and what is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from orchestrator.backends.base import upper_bound_prompt_tokens
from orchestrator.backends.discovery import Flavour, Memo, Server, merge, read_findings, server_root
from orchestrator.errors import ConnectFailedError, StatusError
from orchestrator.types import Capabilities, Request

PLAIN = Request(prompt="once upon a time")


async def test_the_memo_computes_once_for_all_who_ask_at_once() -> None:
    memo, asked, ready = Memo(8), [], anyio.Event()
    answers: list[int | None] = []

    async def compute() -> int:
        asked.append(1)
        await ready.wait()
        return 5

    async def ask() -> None:
        answers.append(await memo.get(b"k", compute))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        ready.set()
    assert (answers, asked) == ([5, 5, 5], [1])


async def test_when_the_one_who_computes_is_cancelled_the_next_takes_over() -> None:
    memo, ready = Memo(8), anyio.Event()
    answers: list[int | None] = []

    async def forever() -> int:
        await anyio.sleep_forever()
        return 0

    async def quick() -> int:
        await ready.wait()
        return 7

    async def ask() -> None:
        answers.append(await memo.get(b"k", quick))

    async with anyio.create_task_group() as group:
        async with anyio.create_task_group() as first:
            first.start_soon(memo.get, b"k", forever)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            first.cancel_scope.cancel()
        ready.set()
    assert answers == [7]


async def test_the_memo_forgets_what_was_not_used_for_longest_and_what_failed() -> None:
    memo = Memo(2)

    async def one() -> int:
        return 1

    async def fails() -> None:
        return None

    await memo.get(b"a", one)
    await memo.get(b"b", one)
    await memo.get(b"a", one)
    await memo.get(b"c", one)
    assert [memo.peek(key) for key in (b"a", b"b", b"c")] == [1, None, 1]
    assert await memo.get(b"d", fails) is None
    assert await memo.get(b"d", one) == 1


async def test_a_server_still_starting_is_asked_again() -> None:
    up = False

    async def probe(path: str, body: Mapping[str, Any] | None = None) -> Any:
        if not up:
            raise ConnectFailedError("refused")
        if path == "/props":
            return {"total_slots": 3, "default_generation_settings": {"n_ctx": 512}}
        raise StatusError("no", status=404)

    server = Server(probe, model="m")
    await server.prepare()
    assert server.flavour is Flavour.UNKNOWN
    up = True
    await server.prepare()
    assert server.flavour is Flavour.LLAMA_CPP
    assert server.capabilities.parallel == 3


async def test_a_prompt_that_is_not_only_text_is_counted_by_the_bound() -> None:
    async def probe(path: str, body: Mapping[str, Any] | None = None) -> Any:
        return {"total_slots": 1} if path == "/props" else {"tokens": [1, 2]}

    server = Server(probe, model="m")
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    request = Request(messages=({"role": "user", "content": [image]},))
    assert await server.count_prompt(PLAIN) == 2
    assert await server.count_prompt(request) == upper_bound_prompt_tokens(request)


async def test_a_count_the_server_contradicts_is_corrected() -> None:
    async def probe(path: str, body: Mapping[str, Any] | None = None) -> Any:
        return {"total_slots": 1} if path == "/props" else {"tokens": [1, 2]}

    server = Server(probe, model="m")
    await server.count_prompt(PLAIN)
    server.saw(PLAIN, 4)
    assert await server.count_prompt(PLAIN) == 4
    server.saw(PLAIN, 3)
    assert await server.count_prompt(PLAIN) == 4


@pytest.mark.parametrize("odd", [None, [], 3, {"tokens": "x"}, {"count": "4"}, {"data": 7}])
async def test_odd_answers_to_probes_leave_the_bound(odd: Any) -> None:
    async def probe(path: str, body: Mapping[str, Any] | None = None) -> Any:
        return {"total_slots": 1} if path == "/props" else odd

    assert await Server(probe, model="m").count_prompt(PLAIN) == upper_bound_prompt_tokens(PLAIN)


async def test_vllm_counts_a_reply_that_has_begun_as_it_will_go_on_with_it() -> None:
    asked = []

    async def probe(path: str, body: Mapping[str, Any] | None = None) -> Any:
        asked.append(body)
        models = {"data": [{"id": "m", "max_model_len": 64}]}
        return {"/version": {"version": "0.9"}, "/models": models, "/tokenize": {"count": 5}}.get(path)

    server = Server(probe, model="m")
    question = {"role": "user", "content": "hi"}
    await server.count_prompt(Request(messages=(question,)))
    assert asked[-1]["add_generation_prompt"] is True
    await server.count_prompt(Request(messages=(question, {"role": "assistant", "content": "Hello"})))
    assert (asked[-1]["add_generation_prompt"], asked[-1]["continue_final_message"]) == (False, True)


def test_findings_name_the_server_by_what_only_it_says() -> None:
    models = {"data": [{"id": "other"}, {"id": "m", "max_model_len": 4096}]}
    assert read_findings(None, {"version": "0.9"}, models, model="m").flavour is Flavour.VLLM
    assert read_findings(None, {"version": "0.9"}, models, model="x").flavour is Flavour.UNKNOWN
    assert read_findings({"total_slots": 0}, None, None, model="m").capabilities.parallel is None
    assert read_findings({"a": 1}, None, None, model="m").flavour is Flavour.UNKNOWN


def test_what_was_stated_wins_over_what_was_found() -> None:
    stated, found = Capabilities(n=False, chat=True), Capabilities(n=True, seed=True)
    assert merge(stated, found) == Capabilities(n=False, chat=True, seed=True)


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("http://h:1/v1", "http://h:1"),
        ("http://h:1/v1/", "http://h:1"),
        ("http://h:1/api/v1", "http://h:1/api"),
        ("http://h:1", "http://h:1"),
    ],
)
def test_the_servers_own_routes_are_beside_v1(base: str, root: str) -> None:
    assert server_root(base) == root
