"""A local server with the routes reward models are served at, in the shapes of vLLM, llama.cpp and others.

What it thinks of a text is up to the test; what it read it counts in words, as it reports it.

    async with RewardServer(reward=lambda text: 0.9 if "4" in text else 0.1) as server:
        backend = HttpBackend(base_url=server.base_url, model="rm")
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from typing import Any, Self

from aiohttp import web

VLLM = {"/classify", "/pooling", "/score", "/v1/rerank", "/v1/completions"}
LLAMA_CPP = {"/v1/rerank", "/v1/completions"}
TEI = {"/predict", "/rerank"}

STEP_TAG = "<extra_0>"


class RewardServer:
    """See the module.

    Args:
        reward: The reward of a text in [0, 1], or of a beginning of a solution that ends at a step.
        script: What happens to each call in turn before good answers: None for one, or a status and a JSON body.
        routes: Routes it has; `VLLM`, `LLAMA_CPP` or `TEI`.
        raw: Answer with logits instead of probabilities, as a server that applies no activation does.
        reports: Whether it says how many tokens it read.
        longest: Words a text may have; one more and the call is refused, as vLLM does.
    """

    def __init__(
        self,
        *,
        reward: Callable[[str], float],
        script: Iterable[tuple[int, Any] | None] = (),
        routes: Iterable[str] = VLLM,
        raw: bool = False,
        reports: bool = True,
        longest: int = 10_000,
    ) -> None:
        self._reward, self._script, self._routes = reward, iter(script), set(routes)
        self._raw, self._reports, self._longest = raw, reports, longest
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.words_read = 0
        self.words_written = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{route:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.gate.set()
        await self._runner.cleanup()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, body in self.calls]

    @property
    def texts(self) -> list[str]:
        """Every text it was asked about, in order."""
        return [text for path, body in self.calls for text in _texts(path, body)]

    async def _answer(self, request: web.Request) -> web.Response:
        path, body = request.path, await request.json()
        if path not in self._routes:
            if path == "/v1/rerank":  # llama.cpp's server, started without --reranking
                error = {
                    "code": 501,
                    "message": "This server does not support reranking. Start it with `--reranking`",
                }
                return web.json_response({"error": error}, status=501)
            return web.json_response({"detail": "Not Found"}, status=404)
        self.calls.append((path, body))
        self.arrived.set()
        step = next(self._script, None)
        if step is not None:
            return web.json_response(step[1], status=step[0])
        texts = _texts(path, body)
        if max(len(text.split()) for text in texts) > self._longest:
            message = f"This model's maximum context length is {self._longest} tokens"
            return web.json_response({"error": {"message": message, "code": 400}}, status=400)
        await self.gate.wait()
        return web.json_response(self._reply(path, body, texts))

    def _reply(self, path: str, body: dict[str, Any], texts: list[str]) -> Any:
        read = sum(len(text.split()) for text in texts) + len(_query(body).split()) * len(texts)
        self.words_read += read
        usage = {"prompt_tokens": read, "total_tokens": read, "completion_tokens": 0}
        reply: dict[str, Any] = {"model": body.get("model")}
        if self._reports:
            reply["usage"] = usage
        rewards = [self._shown(self._reward(text)) for text in texts]
        match path:
            case "/classify":
                data = [
                    {"index": at, "label": "LABEL_0", "probs": [value], "num_classes": 1}
                    for at, value in enumerate(rewards)
                ]
                return {**reply, "object": "list", "data": data}
            case "/score":
                data = [{"index": at, "object": "score", "score": value} for at, value in enumerate(rewards)]
                return {**reply, "object": "list", "data": data}
            case "/pooling":
                data = [
                    {"index": at, "object": "pooling", "data": self._rows(text)}
                    for at, text in enumerate(texts)
                ]
                return {**reply, "object": "list", "data": data}
            case "/v1/rerank":
                results = [{"index": at, "relevance_score": value} for at, value in enumerate(rewards)]
                results.sort(key=lambda result: -result["relevance_score"])
                return {**reply, "object": "list", "results": results}
            case "/v1/completions":
                usage["completion_tokens"] = len(texts)
                self.words_written += len(texts)
                choices = [
                    {"index": at, "text": "+", "logprobs": self._next(text)} for at, text in enumerate(texts)
                ]
                return {**reply, "choices": choices}
            case "/rerank":
                return sorted(
                    ({"index": at, "score": value} for at, value in enumerate(rewards)),
                    key=lambda one: -one["score"],
                )
            case _:
                return [{"label": "right", "score": value} for value in rewards]

    def _shown(self, probability: float) -> float:
        return math.log(probability / (1.0 - probability)) if self._raw else probability

    def _rows(self, text: str) -> list[list[float]]:
        """Class probabilities, or logits, at every step tag of a text."""
        beginnings = text.split(STEP_TAG)[:-1]
        rewards = [self._reward(STEP_TAG.join(beginnings[: end + 1])) for end in range(len(beginnings))]
        if self._raw:
            return [[math.log(1.0 - value), math.log(value)] for value in rewards]
        return [[1.0 - value, value] for value in rewards]

    def _next(self, text: str) -> dict[str, Any]:
        """Log-probabilities of the token after a text, in the shape of the completions route."""
        good = self._reward(text)
        top = {" +": math.log(0.9 * good), " -": math.log(0.9 * (1.0 - good)), "\n": math.log(0.1)}
        return {"tokens": [" +"], "token_logprobs": [top[" +"]], "top_logprobs": [top], "text_offset": [0]}


def _query(body: dict[str, Any]) -> str:
    return str(body.get("query", body.get("text_1", "")))


def _texts(path: str, body: dict[str, Any]) -> list[str]:
    if "messages" in body:
        return ["\n".join(message["content"] for message in body["messages"])]
    for name in ("input", "text_2", "documents", "prompt", "texts", "inputs"):
        if name in body:
            texts = body[name]
            return [texts] if isinstance(texts, str) else list(texts)
    raise AssertionError(f"no texts in what was posted to {path}: {body}")
