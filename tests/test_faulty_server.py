"""The test server does what it is told, and counts it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from faulty_server import Fault, FaultyServer

from orchestrator.backends.http import HttpBackend
from orchestrator.errors import BackendError
from orchestrator.types import Request

ASK = Request(prompt="a b c", max_tokens=4)


async def attempt(backend: HttpBackend) -> str:
    try:
        return (await backend.complete(ASK))[0].text
    except BackendError as error:
        return type(error).__name__


async def test_the_script_comes_first_and_chance_by_seed_after_it(
    serve: Callable[..., Awaitable[FaultyServer]],
) -> None:
    rates = {Fault.SERVER_ERROR: 0.3, Fault.BROKEN_JSON: 0.2}
    runs = []
    for seed in (1, 1, 2):
        server = await serve(script=[Fault.CLOSED], rates=rates, seed=seed)
        backend = HttpBackend(base_url=server.base_url, model="m")
        runs.append([await attempt(backend) for _ in range(60)])
        assert server.calls == 60
        assert server.faults[Fault.CLOSED] == 1
        good = runs[-1].count("The answer is 0")
        assert 10 < good < 50
        # Broken JSON was written by the model all the same.
        assert server.tokens_produced == 4 * (good + server.faults[Fault.BROKEN_JSON])
    assert runs[0] == runs[1] != runs[2]
    assert runs[0][0] == "ConnectionLostError"


def test_it_runs_beside_code_that_blocks() -> None:
    import urllib.request

    with FaultyServer(answer=lambda body, choice: "hi").in_thread() as server:
        call = urllib.request.Request(f"{server.base_url}/completions", b'{"model": "m", "prompt": "x"}')
        with urllib.request.urlopen(call) as answer:
            assert b'"text": "hi"' in answer.read()
    assert server.calls == 1
