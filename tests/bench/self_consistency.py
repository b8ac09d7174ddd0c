"""CPU per call and calls per second of self-consistency over 16 samples, ours beside what users would pick instead.

    pip install ".[test]" "its_hub[lm]==1.2.0"
    python tests/bench/self_consistency.py

Every contender asks the same static HTTP server on loopback (a process of its own) the same questions, 64 calls in
flight, in alternating rounds; medians are printed. Ours runs with budget, retries, adaptive limit, answer
extraction, voting and events on, once without and once with the journal (two committed rows a call).
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path

import aiohttp
import openai

from orchestrator import Budget, Controller, Model, Problem, SelfConsistency
from orchestrator.answers import AnswerReader
from orchestrator.backends import HttpBackend
from orchestrator.stopping import FixedSize

SAMPLES, AT_ONCE, PROBLEMS, ROUNDS = 16, 4, 60, 7
QUESTION = "Each pack of dvds costs 76 dollars. With a discount of 25 dollars, what does a pack cost?"
MESSAGES = [{"role": "user", "content": QUESTION}]

Contender = Callable[[str], Awaitable[None]]


async def at_once(make: Callable[[], Awaitable[object]]) -> None:
    """Run `PROBLEMS` problems, `AT_ONCE` at a time."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with turns:
            await make()

    await asyncio.gather(*(one() for _ in range(PROBLEMS)))


async def raw_aiohttp(base_url: str) -> None:
    body = {"model": "m", "messages": MESSAGES, "max_tokens": 256, "temperature": 0.7}
    connector = aiohttp.TCPConnector(limit=SAMPLES * AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call() -> str:
            async with session.post(f"{base_url}/chat/completions", json=body) as response:
                return (await response.json())["choices"][0]["message"]["content"]

        await at_once(lambda: asyncio.gather(*(call() for _ in range(SAMPLES))))


async def openai_python(base_url: str) -> None:
    async with openai.AsyncOpenAI(base_url=base_url, api_key="k", max_retries=0) as client:

        async def call() -> object:
            return await client.chat.completions.create(
                model="m", messages=MESSAGES, max_tokens=256, temperature=0.7
            )

        await at_once(lambda: asyncio.gather(*(call() for _ in range(SAMPLES))))


async def its_hub(base_url: str) -> None:
    from its_hub.core.algorithms.self_consistency import SelfConsistency as TheirSelfConsistency
    from its_hub.core.lms.openai_lm import OpenAICompatibleLanguageModel

    model = OpenAICompatibleLanguageModel(
        base_url, "k", "m", is_async=True, max_tokens=256, temperature=0.7, max_concurrency=SAMPLES * AT_ONCE
    )
    strategy = TheirSelfConsistency(consistency_space_projection_func=lambda text: text.split()[-1])
    try:
        await at_once(lambda: strategy.ainfer(model, QUESTION, budget=SAMPLES))
    finally:
        closed = model.close()
        if asyncio.iscoroutine(closed):
            await closed


async def ours(base_url: str, journal: str | None = None) -> None:
    backend = HttpBackend(base_url=base_url, model="m", price={"input": 0.10, "output": 0.40})
    controller = Controller(
        models={"m": Model(backend=backend, concurrency=SAMPLES * AT_ONCE)},
        budget=Budget(usd=100, total_tokens=10**9, requests=10**6, seconds=600),
        journal=journal,
        answers=AnswerReader(kind="number"),
    )
    program = SelfConsistency(n=SAMPLES, stop=FixedSize(), max_tokens=256)
    async with controller:
        problems = (Problem(id=str(number), prompt=QUESTION) for number in range(PROBLEMS))
        async for outcome in controller.map(program, problems, at_once=AT_ONCE):
            assert outcome.answer is not None
        assert controller.ledger.spent.requests == PROBLEMS * SAMPLES


async def ours_with_journal(base_url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await ours(base_url, journal=str(Path(folder, "run.db")))


def contenders() -> dict[str, Contender]:
    found: dict[str, Contender] = {
        "raw aiohttp (no strategy, no budget)": raw_aiohttp,
        "openai-python (no strategy, no budget)": openai_python,
        "orchestrator, budget": ours,
        "orchestrator, budget + journal": ours_with_journal,
    }
    if find_spec("its_hub") is None:
        print('its_hub is not installed; for its row: pip install "its_hub[lm]==1.2.0"', file=sys.stderr)
    else:
        found["its_hub"] = its_hub
    return found


def main() -> None:
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("static_server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    base_url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
    calls = PROBLEMS * SAMPLES
    cpu: dict[str, list[float]] = {}
    rate: dict[str, list[float]] = {}
    try:
        for round_ in range(ROUNDS + 1):
            for name, contender in contenders().items():
                wall_before, cpu_before = time.perf_counter(), time.process_time()
                asyncio.run(contender(base_url))
                wall, used = time.perf_counter() - wall_before, time.process_time() - cpu_before
                if round_:  # the first round warms up
                    cpu.setdefault(name, []).append(used / calls * 1e6)
                    rate.setdefault(name, []).append(calls / wall)
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()
    print(f"{calls} calls a round, {ROUNDS} rounds, medians")
    print(f"{'':42}{'CPU us/call':>12}{'calls/s':>10}")
    for name in cpu:
        print(f"{name:42}{statistics.median(cpu[name]):12.0f}{statistics.median(rate[name]):10.0f}")


if __name__ == "__main__":
    main()
