"""A local server of the OpenAI protocol that misbehaves on request, and counts everything it was asked for.

Faults come from a script (one entry per model call, in the order they arrive) and, when it is used up, at
random by seed. What it writes is counted in words; a fault that happens after the model has worked (half a
body, broken JSON, a stall cut short) still counts its tokens as produced, as a provider would bill them.

    async with FaultyServer(script=[Fault.RATE_LIMITED, None]) as server:
        backend = HttpBackend(base_url=server.base_url, model="test")

    with FaultyServer(rates={Fault.SERVER_ERROR: 0.1}, seed=3).in_thread() as server:
        subprocess.run([..., "--base-url", server.base_url])
"""

from __future__ import annotations

import asyncio
import enum
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self


class Fault(enum.Enum):
    """What can go wrong with one call."""

    RATE_LIMITED = "429 with Retry-After"
    SERVER_ERROR = "500"
    UNAUTHORIZED = "401"
    NOT_FOUND = "404"
    BAD_REQUEST = "400"
    BROKEN_JSON = "a body that is cut inside the JSON, with its length right"
    HALF_BODY = "a body shorter than its length says, then the end of the connection"
    CLOSED = "the connection is closed before an answer"
    RESET = "the connection is reset before an answer"
    STALL = "no answer until the client goes away"
    SLOW_HEADERS = "a first line, and then nothing until the client goes away"
    STALLED_BODY = "headers and a first byte, and then nothing until the client goes away"
    GARBAGE = "bytes that are not HTTP"
    HUGE_BODY = "a body without end, until the client goes away"
    REDIRECT = "307 to another host"
    GOODBYE = "a good answer, then the connection is closed without a word"


AFTER_THE_WORK = {
    Fault.BROKEN_JSON,
    Fault.GOODBYE,
    Fault.HALF_BODY,
    Fault.HUGE_BODY,
    Fault.STALL,
    Fault.STALLED_BODY,
}
"""Faults that strike when the model has written its answer."""


@dataclass(frozen=True)
class Canned:
    """An answer to give as it stands; a body that is not bytes is written as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One model call as it arrived, and what became of it."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    fault: Fault | None
    completion_tokens: int


Step = Fault | Canned | dict[str, Any] | None


class FaultyServer:
    """See the module.

    Args:
        script: What happens to each call in turn: None for a good answer, a `Fault`, a `Canned`, or a JSON
            object to answer with.
        rates: Once the script is used up, the chance of each fault, in [0, 1], adding up to at most 1.
        seed: Seeds those chances.
        answer: The text of choice `k` for a request body.
        retry_after: Value of `Retry-After` on a 429.
        api_key: Wanted as a bearer token; None takes any call.
        flavour: `plain`, `llama.cpp` or `vllm`: which further routes it has, and how it reports usage.
        slots: Choices and requests at once a `llama.cpp` works on.
        delay: Least and most seconds a good answer takes, drawn by seed.
        streams: Whether it knows of streams; else it answers whole whatever is asked.
        pause_after: Tokens a stream writes before it waits for the gate.
        half: Whether it then has sent half of the next event.
        reasoning: What choice `k` thinks, streamed apart before its text; "" for nothing.

    Attributes:
        seen: Every model call, in the order of arrival.
        probes: Paths of all other requests, in the order of arrival.
        abandoned: Connections the client closed while an answer was due.
        connections: Connections opened so far; `open_connections` of them are open still.
        peak: Most calls worked on at once.
        streamed: Completion tokens sent in streams.
        gate: While this event is not set, good answers wait before they are sent (streams: after `pause_after`
            tokens).
    """

    def __init__(
        self,
        *,
        script: Iterable[Step] = (),
        rates: Mapping[Fault, float] | None = None,
        seed: int = 0,
        answer: Callable[[dict[str, Any], int], str] | None = None,
        retry_after: str = "0",
        api_key: str | None = None,
        flavour: str = "plain",
        slots: int = 4,
        delay: tuple[float, float] = (0.0, 0.0),
        streams: bool = True,
        pause_after: int = 1,
        half: bool = False,
        reasoning: Callable[[dict[str, Any], int], str] | None = None,
    ) -> None:
        self._script = iter(script)
        self._rates = dict(rates or {})
        self._random = random.Random(seed)
        self._answer = answer or (lambda body, choice: f"The answer is {choice} .")
        self._retry_after, self._api_key = retry_after, api_key
        self._reasoning = reasoning or (lambda body, choice: "")
        self.flavour, self.slots, self._delay = flavour, slots, delay
        self._streams, self._pause_after, self._half = streams, pause_after, half
        self.streamed = 0
        self.seen: list[Seen] = []
        self.probes: list[str] = []
        self.abandoned = self.in_flight = self.peak = self.connections = self.open_connections = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self._changed = asyncio.Event()
        self._handlers: set[asyncio.Task[None]] = set()

    # --- running it
    # -------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    @contextmanager
    def in_thread(self) -> Iterator[Self]:
        """Runs it in a thread with an event loop of its own, for tests that start processes or block."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        asyncio.run_coroutine_threadsafe(self.__aenter__(), loop).result(10)
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self.__aexit__(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    # --- what it saw
    # ------------------------------------------------------------------------------------------

    @property
    def calls(self) -> int:
        """Model calls that arrived, good and bad."""
        return len(self.seen)

    @property
    def faults(self) -> Counter[Fault]:
        """How often each fault happened."""
        return Counter(seen.fault for seen in self.seen if seen.fault is not None)

    @property
    def tokens_produced(self) -> int:
        """Completion tokens written, those nobody received included."""
        return sum(seen.completion_tokens for seen in self.seen)

    async def until(self, condition: Callable[[FaultyServer], bool]) -> None:
        """Waits until `condition(server)` holds; for tests in the server's own loop."""
        while not condition(self):
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 10)

    # --- connections
    # ------------------------------------------------------------------------------------------

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        self.connections += 1
        self.open_connections += 1
        try:
            while (request := await _read_request(reader)) is not None:
                if not await self._respond(*request, reader, writer):
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._handlers.discard(task)
            writer.close()
            self.open_connections -= 1
            self._changed.set()

    async def _respond(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        raw: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Answers one request; False when the connection is to be closed."""
        if not path.endswith("/completions"):
            self.probes.append(path)
            status, reply = self._extra_route(path, json.loads(raw) if raw else {})
            return await _send(writer, status, reply)
        body = json.loads(raw)
        if self._api_key is not None and headers.get("authorization") != f"Bearer {self._api_key}":
            step: Step = Fault.UNAUTHORIZED
        else:
            step = self._next_step()
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        self._note(path, headers, body, step)
        try:
            if isinstance(step, Fault):
                return await self._fail(step, path, body, reader, writer)
            if step is None:
                return await self._write(path, body, reader, writer)
            canned = step if isinstance(step, Canned) else Canned(step)
            return await _send(writer, canned.status, canned.body, canned.headers)
        finally:
            self.in_flight -= 1
            self._changed.set()

    def _note(self, path: str, headers: dict[str, str], body: dict[str, Any], step: Step) -> None:
        fault = step if isinstance(step, Fault) else None
        works = step is None or fault in AFTER_THE_WORK
        tokens = sum(len(text.split()) for text in self._texts(body)) if works else 0
        self.seen.append(Seen(path=path, headers=headers, body=body, fault=fault, completion_tokens=tokens))
        self._changed.set()

    def _next_step(self) -> Step:
        for step in self._script:
            return step
        draw = self._random.random()
        for fault, rate in self._rates.items():
            if (draw := draw - rate) < 0:
                return fault
        return None

    async def _gone(self, reader: asyncio.StreamReader) -> bool:
        """Waits until the client closes the connection."""
        while await reader.read(4096):
            pass
        self.abandoned += 1
        self._changed.set()
        return False

    # --- good answers
    # -----------------------------------------------------------------------------------------

    def _texts(self, body: dict[str, Any]) -> list[str]:
        texts = [self._answer(body, choice) for choice in range(body.get("n", 1))]
        cap = body.get("max_tokens") or body.get("max_completion_tokens")
        return [" ".join(text.split()[:cap]) if cap else text for text in texts]

    def _usage(self, body: dict[str, Any], texts: list[str]) -> dict[str, int]:
        prompt = body.get("prompt") or " ".join(str(m["content"]) for m in body.get("messages", ()))
        # llama.cpp's server counts the first choice only.
        counted = texts[:1] if self.flavour == "llama.cpp" else texts
        written = sum(len(text.split()) for text in counted)
        read = len(prompt.split())
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

    def _reply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        texts = self._texts(body)
        choices: list[dict[str, Any]] = []
        for index, text in enumerate(texts):
            content: dict[str, Any] = (
                {"message": {"role": "assistant", "content": text}} if "chat" in path else {"text": text}
            )
            choices.append({"index": index, "finish_reason": "stop", "logprobs": None, **content})
        mark = {"timings": {}} if self.flavour == "llama.cpp" else {}
        return {"choices": choices, "model": body["model"], "usage": self._usage(body, texts), **mark}

    async def _write(
        self,
        path: str,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        if self.flavour == "llama.cpp" and body.get("n", 1) > self.slots:
            error = {"code": 400, "message": f"Field 'n': Value must be between 1 <= value <= {self.slots}"}
            return await _send(writer, 400, {"error": error})
        if self._delay[1] > 0:
            await asyncio.sleep(self._random.uniform(*self._delay))
        if not body.get("stream") or not self._streams:
            if not await self._open_gate(reader):
                return False
            return await _send(writer, 200, self._reply(path, body))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        written = 0
        for event in self._events(path, body):
            line = b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"
            if written == self._pause_after and not self.gate.is_set():
                if self._half:
                    writer.write(line[: len(line) // 2])
                    await writer.drain()
                if not await self._open_gate(reader):
                    return False
                line = line[len(line) // 2 :] if self._half else line
            writer.write(line)
            await writer.drain()
            tokens = sum(_holds_a_token(choice) for choice in event["choices"])
            written, self.streamed = written + tokens, self.streamed + tokens
            self._changed.set()
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()
        return False

    async def _open_gate(self, reader: asyncio.StreamReader) -> bool:
        """Waits for the gate; False when the client goes away first."""
        if self.gate.is_set():
            return True
        opened = asyncio.ensure_future(self.gate.wait())
        gone = asyncio.ensure_future(self._gone(reader))
        try:
            await asyncio.wait({opened, gone}, return_when=asyncio.FIRST_COMPLETED)
            return opened.done()
        finally:
            opened.cancel()
            gone.cancel()
            await asyncio.gather(opened, gone, return_exceptions=True)

    def _events(self, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The events of a streamed answer, one per word."""
        chat, texts = "chat" in path, self._texts(body)
        llama = self.flavour == "llama.cpp"
        pieces = [self._pieces(body, index, text) for index, text in enumerate(texts)]
        ends = {len(piece) for piece in pieces}
        for at in range(max(ends)):  # all choices side by side, a token of each at a time
            for index, piece in enumerate(pieces):
                if at < len(piece):
                    content = {"delta": piece[at]} if chat else {"text": piece[at].get("content", "")}
                    choice = {"index": index, "finish_reason": None, **content}
                    yield {"model": body["model"], "choices": [choice]}
                if at == len(piece) - 1:
                    yield from self._ending(body, index, texts[index], chat=chat)
        if not llama:
            yield {"choices": [], "usage": self._usage(body, texts)}

    def _pieces(self, body: dict[str, Any], index: int, text: str) -> list[dict[str, str]]:
        """The deltas of a choice's tokens."""
        deltas = [("reasoning_content", self._reasoning(body, index)), ("content", text)]
        return [
            {name: word if at == 0 else " " + word}
            for name, words in deltas
            for at, word in enumerate(words.split(" "))
            if words or name == "content"
        ]

    def _ending(self, body: dict[str, Any], index: int, text: str, *, chat: bool) -> Iterator[dict[str, Any]]:
        llama = self.flavour == "llama.cpp"
        end: dict[str, Any] = {"delta": {}} if chat else {"text": ""}
        ending = {"choices": [{"index": index, "finish_reason": "stop", **end}]}
        counted = {"usage": self._usage(body, [text]), "timings": {}} if llama else {}
        if llama and chat:
            yield ending
            yield {"choices": [], **counted}
        else:
            yield {**ending, **counted}

    def _extra_route(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Routes besides the model's: what llama.cpp's server and vLLM tell about themselves."""
        words = str(body.get("content", body.get("prompt", ""))).split()
        if self.flavour == "llama.cpp":
            conversation = " ".join(str(message["content"]) for message in body.get("messages", ()))
            routes: dict[str, Any] = {
                "/props": {"total_slots": self.slots, "default_generation_settings": {"n_ctx": 1024}},
                "/apply-template": {"prompt": conversation},
                "/tokenize": {"tokens": list(range(len(words)))},
                "/v1/models": {"data": [{"id": "test", "meta": {"n_ctx": 1024}}]},
            }
        elif self.flavour == "vllm":
            if "messages" in body:
                words = " ".join(str(message["content"]) for message in body["messages"]).split()
            routes = {
                "/version": {"version": "0.11.0"},
                "/tokenize": {"count": len(words), "max_model_len": 4096, "tokens": list(range(len(words)))},
                "/v1/models": {"data": [{"id": "test", "max_model_len": 4096}]},
            }
        else:
            routes = {}
        return (200, routes[path]) if path in routes else (404, {"error": {"message": "no such route"}})

    # --- bad answers
    # ------------------------------------------------------------------------------------------

    async def _fail(
        self,
        fault: Fault,
        path: str,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Does what the fault says; False when it ends the connection."""
        good = json.dumps(self._reply(path, body)).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        refusals = {
            Fault.RATE_LIMITED: (429, "slow down", {"Retry-After": self._retry_after}),
            Fault.SERVER_ERROR: (500, "it broke", {}),
            Fault.UNAUTHORIZED: (401, f"wrong key: {self.seen[-1].headers.get('authorization')}", {}),
            Fault.NOT_FOUND: (404, f"no model {body.get('model')!r}", {}),
            Fault.BAD_REQUEST: (400, "this cannot be", {}),
            Fault.REDIRECT: (307, "elsewhere", {"Location": "http://elsewhere.invalid/v1?key=secret"}),
        }
        if fault in refusals:
            status, message, headers = refusals[fault]
            return await _send(writer, status, {"error": {"message": message}}, headers)
        match fault:
            case Fault.BROKEN_JSON:
                broken = good[: len(good) // 2]
                writer.write(head % len(broken) + broken)
                await writer.drain()
                return True
            case Fault.HALF_BODY:
                writer.write(head % len(good) + good[: len(good) // 2])
            case Fault.GOODBYE:
                writer.write(head % len(good) + good)
            case Fault.RESET:
                # With linger time 0, closing sends a reset.
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return False
            case Fault.SLOW_HEADERS:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-")
                return await self._gone(reader)
            case Fault.STALLED_BODY:
                writer.write(head % len(good) + good[:1])
                return await self._gone(reader)
            case Fault.STALL:
                return await self._gone(reader)
            case Fault.GARBAGE:
                writer.write(b"\x00\x01 this is not HTTP at all\r\n\r\n")
            case Fault.HUGE_BODY:
                writer.write(head % 2**40)
                return await self._pour(reader, writer)
        await writer.drain()
        return False

    async def _pour(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            while True:
                writer.write(b" " * 65536)
                await writer.drain()
        except ConnectionError:
            return await self._gone(reader)


def _holds_a_token(choice: dict[str, Any]) -> bool:
    return bool(choice.get("text") or any(choice.get("delta", {}).values()))


async def _read_request(
    reader: asyncio.StreamReader,
) -> tuple[str, str, dict[str, str], bytes] | None:
    """Method, path, headers and body; None at the end of the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, path, _ = first.split(" ")
    return method, path, headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def _send(
    writer: asyncio.StreamWriter, status: int, body: Any, headers: Mapping[str, str] | None = None
) -> bool:
    """A whole answer; True, because the connection stays open."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", "Content-Length": str(len(raw)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    writer.write(f"HTTP/1.1 {status} Reason\r\n{lines}\r\n".encode() + raw)
    await writer.drain()
    return True
