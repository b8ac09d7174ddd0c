"""CPU and throughput of HTTP clients against a static local server, side by side in one run.

    python tests/bench/http_clients.py [--calls 2000] [--rounds 5] [--concurrency 64]

The server is a process of its own; CPU is the user and system time of this process, all threads. Clients take
turns within each round, and the table shows medians over the rounds. Every client sends the same chat and
decodes the answer's JSON; HttpBackend and openai-python build their own objects of it as well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from orchestrator.backends.http import HttpBackend
from orchestrator.types import Request

QUESTION = (
    "Each pack of dvds costs 76 dollars. If there is a discount of 25 dollars on each pack, "
    "how much do you have to pay to buy each pack?"
)
MESSAGES = [{"role": "user", "content": QUESTION}]
BODY = {"model": "static", "messages": MESSAGES, "max_tokens": 100, "temperature": 0.7}

Call = Callable[[], Awaitable[Any]]


@asynccontextmanager
async def raw_asyncio(base_url: str) -> AsyncIterator[Call]:
    """The floor: sockets of asyncio, and no HTTP beyond what this server needs."""
    port = int(base_url.rsplit(":", 1)[1].split("/")[0])
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def call() -> Any:
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps(BODY).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(body) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        decoded = json.loads(await reader.readexactly(length))
        idle.append((reader, writer))
        return decoded

    yield call
    for _, writer in idle:
        writer.close()


@asynccontextmanager
async def raw_pyreqwest(base_url: str) -> AsyncIterator[Call]:
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().build() as client:

        async def call() -> Any:
            response = await client.post(f"{base_url}/chat/completions").body_json(BODY).build().send()
            return await response.json()

        yield call


@asynccontextmanager
async def raw_aiohttp(base_url: str) -> AsyncIterator[Call]:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer none"}
    timeout = aiohttp.ClientTimeout(total=600)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:

        async def call() -> Any:
            data = json.dumps(BODY).encode()
            async with session.post(f"{base_url}/chat/completions", data=data) as response:
                return json.loads(await response.read())

        yield call


@asynccontextmanager
async def http_backend(base_url: str) -> AsyncIterator[Call]:
    backend = HttpBackend(base_url=base_url, model="static", api_key="none", price=None)
    request = Request(messages=tuple(MESSAGES), max_tokens=100, temperature=0.7)
    yield lambda: backend.complete(request)
    await backend.aclose()


@asynccontextmanager
async def openai_python(base_url: str) -> AsyncIterator[Call]:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        arguments: dict[str, Any] = {**BODY}
        yield lambda: client.chat.completions.create(**arguments)


CLIENTS = {
    "asyncio sockets": raw_asyncio,
    "pyreqwest": raw_pyreqwest,
    "aiohttp": raw_aiohttp,
    "HttpBackend (aiohttp)": http_backend,
    "openai-python": openai_python,
}


async def measure(call: Call, *, calls: int, concurrency: int) -> tuple[float, float]:
    """CPU microseconds per call, and calls per second."""
    left = calls

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return (time.process_time() - cpu) / calls * 1e6, calls / (time.perf_counter() - wall)


async def run(base_url: str, *, calls: int, rounds: int, concurrency: int) -> None:
    results: dict[str, list[tuple[float, float]]] = {}
    async with AsyncExitStack() as stack:
        ready: dict[str, Call] = {}
        for name, client in CLIENTS.items():
            try:
                ready[name] = await stack.enter_async_context(client(base_url))
            except ImportError:
                print(f"{name} is not installed: left out", file=sys.stderr)
        for call in ready.values():
            await measure(call, calls=concurrency * 2, concurrency=concurrency)
        for _ in range(rounds):
            for name, call in ready.items():
                measured = await measure(call, calls=calls, concurrency=concurrency)
                results.setdefault(name, []).append(measured)
    print(f"| client | CPU per call, µs | calls/s | CPU against aiohttp |\n|{'---|' * 4}")
    cpu = {name: statistics.median(one[0] for one in measured) for name, measured in results.items()}
    for name, measured in results.items():
        rate = statistics.median(one[1] for one in measured)
        print(f"| {name} | {cpu[name]:.0f} | {rate:.0f} | {cpu[name] / cpu['aiohttp']:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args()
    script = Path(__file__).with_name("static_server.py")
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        base_url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        try:
            asyncio.run(run(base_url, **vars(options)))
        finally:
            server.stdin.close()


if __name__ == "__main__":
    main()
