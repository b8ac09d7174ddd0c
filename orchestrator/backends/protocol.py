"""What every backend of the OpenAI protocol shares; subclasses only carry bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from ..errors import BackendTimeoutError, ConnectionLostError, InvalidInputError, StatusError
from ..types import Capabilities, Chunk, Price, Progress, Request, Sample, Usage, Watch
from .accounting import missing_counts, reported_prompt, settle
from .base import price_of
from .discovery import Flavour, Server, merge
from .embeddings import EMBEDDINGS, TEXTS_PER_CALL, batches, embedded, embedding_body, embedding_request
from .rewards import advised, rated, rating_body
from .transcript import Transcript
from .wire import (
    CHAT,
    CONTINUES_REPLY,
    NOT_THINKING,
    AnsweredWholeError,
    Reply,
    begins_reply,
    loads,
    parse_reply,
    raise_embedded_error,
    request_body,
    route_of,
)

__all__ = ["ProtocolBackend"]


class ProtocolBackend:
    """A model behind a server of the OpenAI protocol: one `complete` is one HTTP request, never retried here.

    llama.cpp's server is asked for a stream also by `complete`: it goes on writing an answer that nobody
    waits for unless that answer is streamed, and only streamed answers count the tokens of each choice. Every server
    is asked for one where a request is watched, unless it is known to have none: once all choices have ended or been
    cut the stream is closed, so that the server can stop.

    A stream that breaks off gives the choices that had ended, and the others are charged what came of them; where
    none had ended the attempt has failed.

    An answer that is streamed keeps `request.progress` told of what has come. A server may have written a few tokens
    more when its stream is closed, and reasoning that it does not stream is not seen before its count: a cut or
    cancelled answer is charged what came.
    """

    def __init__(
        self,
        *,
        model: str,
        base_url: str,
        price: Price | Mapping[str, Any] | None = None,
        chat: bool | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        if not model:
            raise InvalidInputError("a backend needs the model's name")
        self._model = model
        self._price = price_of(price)
        official = is_official(base_url)
        # OpenAI's newer models refuse the old name of the cap.
        self._cap_field = "max_completion_tokens" if official else "max_tokens"
        given = capabilities or Capabilities()
        if chat is not None:
            given = merge(Capabilities(chat=chat), given)
        self._server = Server(self._probe, model=model, given=given, ask=not official)

    @property
    def name(self) -> str:
        """The model's name, as the server knows it."""
        return self._model

    @property
    def price(self) -> Price | None:
        """What it costs, or None when nobody said."""
        return self._price

    @property
    def capabilities(self) -> Capabilities:
        """What is known so far; what the user stated is never overwritten."""
        return self._server.capabilities

    @property
    def flavour(self) -> Flavour:
        """Which server it is, as far as `prepare` could tell."""
        return self._server.flavour

    @property
    def counts_prompts(self) -> bool:
        """Whether the server counts prompts exactly, as far as `prepare` could tell."""
        return self.flavour is not Flavour.UNKNOWN

    async def prepare(self) -> None:
        """Finds out which server it is and what it can do; a server that does not say costs nothing."""
        await self._server.prepare()

    async def count_prompt_tokens(self, request: Request) -> int:
        """Prompt tokens of `request`: exact with llama.cpp and vLLM, else an upper bound from its bytes."""
        if request.texts:
            return self._server.bound(request)
        route_of(request)
        return await self._server.count_prompt(request)

    async def complete(self, request: Request) -> list[Sample]:
        """One attempt at `request`.

        Returns:
            At most `request.n` samples, fewer when the server gave fewer; their usages add up to the
            request's.

        Raises:
            InvalidInputError: The request cannot be sent as it is.
            BackendError: The attempt failed; the subclass says how.
        """
        if request.rating is not None:
            return await self._ratings(request)
        if request.texts:
            return await self._vectors(request)
        route, body = self._body(request)
        chat = route == CHAT
        started = perf_counter()
        if self._server.flavour is Flavour.LLAMA_CPP or (
            request.watch is not None and self._server.capabilities.streaming is not False
        ):
            reply = await self._read_stream(route, body, request)
        else:
            data = loads(await self._send(route, body))
            reply = parse_reply(data, chat=chat, wanted_logprobs=request.logprobs)
        return await self._settled(reply, request, perf_counter() - started)

    async def embed(
        self, texts: Sequence[str], *, batch: int = TEXTS_PER_CALL, **options: Any
    ) -> list[list[float]]:
        """One vector per text, from `/embeddings`; nobody is charged (`Context.embed` does).

        Args:
            texts: What to embed, none of them empty; no texts cost no request.
            batch: Texts in one request, at least 1; requests go one after the other.
            options: Further fields of the body, such as `dimensions`.

        Raises:
            InvalidInputError: A text is empty, or an option is not for the caller to set.
            BackendError: An attempt failed; what earlier requests brought is lost with it.
        """
        samples: list[Sample] = []
        for piece in batches(texts, batch):
            samples += await self._vectors(embedding_request(piece, options))
        return [list(sample.vector or ()) for sample in samples]

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """The answer in pieces; the last chunk carries the usage of the whole request.

        Closing the iterator closes the connection, so that the server can stop. Raises as `complete` does.
        """
        route, body = self._body(request)
        transcript = _transcript(route, request)
        started = perf_counter()
        async with aclosing(self._events(route, _streamed(body))) as events:
            async for payload in events:
                for chunk in transcript.feed(payload):
                    if chunk.index < request.n:
                        yield chunk
                if transcript.runaway:
                    transcript.close()
                    break
        self._server.learn(streaming=True)
        samples = await self._settled(transcript.reply(), request, perf_counter() - started)
        yield Chunk(text="", usage=sum((sample.usage for sample in samples), Usage()))

    async def aclose(self) -> None:
        """Gives back connections. Safe to call twice."""

    # --- what a subclass carries --------------------------------------------------------------------------

    async def _send(self, route: str, body: Mapping[str, Any]) -> bytes:
        """Posts `body` under the base URL and returns the body of a good answer; raises `BackendError`."""
        raise NotImplementedError

    def _events(self, route: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes | str, None]:
        """Posts `body` and yields the payloads of the event stream; raises `BackendError`, and where a body of JSON
        comes instead, what `_answered_whole` makes of it.
        """
        raise NotImplementedError

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Posts `body` under the server's root and returns the JSON of a good answer; raises `BackendError`."""
        raise NotImplementedError

    async def _probe(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """See `discovery.Probe`."""
        raise NotImplementedError

    # --- shared steps -------------------------------------------------------------------------------------

    async def _read_stream(self, route: str, body: Mapping[str, Any], request: Request) -> Reply:
        """The answer read as a stream, as far as the request's watches want it."""
        transcript = _transcript(route, request, n=body.get("n", 1), watch=request.watch)
        progress = request.progress or Progress()
        progress.streamed = lambda: self._so_far(transcript, request)
        try:
            async with aclosing(self._events(route, _streamed(body))) as events:
                async for payload in events:
                    for _ in transcript.feed(payload):
                        pass
                    if transcript.unwanted or transcript.runaway:
                        transcript.close()
                        break
        except AnsweredWholeError as whole:
            return parse_reply(whole.body, chat=route == CHAT, wanted_logprobs=request.logprobs)
        except (BackendTimeoutError, ConnectionLostError):
            if not transcript.break_off():
                raise
        progress.watched = True
        if self._server.capabilities.streaming is None:
            self._server.learn(streaming=True)
        return transcript.reply(some=True)

    def _answered_whole(self, body: Any) -> AnsweredWholeError:
        """The error for a body of JSON where a stream was asked for, noting that the server has none.

        Raises:
            StatusError, MalformedResponseError: The body is an error in disguise.
        """
        if isinstance(body, dict):
            raise_embedded_error(body)
        self._server.learn(streaming=False)
        return AnsweredWholeError(body)

    def _so_far(self, transcript: Transcript, request: Request) -> Usage | None:
        """What an answer is charged that ends as far as it has come; None while nothing has."""
        reply = transcript.so_far()
        if reply is None:
            return None
        samples = settle(
            reply,
            request,
            prompt_tokens=self._server.best_known(request),
            price=self._price,
            seconds=0.0,
        )
        return sum((sample.usage for sample in samples), Usage())

    def _body(self, request: Request) -> tuple[str, dict[str, Any]]:
        route = route_of(request)
        known = self._server.capabilities
        if route == CHAT and known.chat is False:
            raise InvalidInputError(f"model {self._model!r} is a base model: give it a prompt, not messages")
        llama_cpp = self._server.flavour is Flavour.LLAMA_CPP
        # llama.cpp's server refuses n above its number of slots.
        n = min(request.n, known.parallel) if llama_cpp and known.parallel else request.n
        body = request_body(
            request, model=self._model, n=n, cap_field=self._cap_field, least_logprobs=1 if llama_cpp else 0
        )
        if self._server.flavour is Flavour.VLLM and begins_reply(request):
            body |= CONTINUES_REPLY
        if llama_cpp and begins_reply(request):
            body = NOT_THINKING | body
        return route, body

    async def _vectors(self, request: Request) -> list[Sample]:
        started = perf_counter()
        data = loads(await self._send(EMBEDDINGS, embedding_body(request, model=self._model)))
        seconds, most = perf_counter() - started, self._server.bound(request)
        return embedded(data, request, most_tokens=most, price=self._price, seconds=seconds)

    async def _ratings(self, request: Request) -> list[Sample]:
        rating = request.rating
        assert rating is not None
        started = perf_counter()
        try:
            data = await self._post(rating.route, rating_body(request, model=self._model))
        except StatusError as error:
            raise advised(error, rating, root=repr(self)) from error
        seconds, most = perf_counter() - started, self._server.bound(request)
        samples = rated(data, request, most_tokens=most, price=self._price, seconds=seconds)
        if not samples[0].usage.estimated:
            self._server.saw(request, samples[0].usage.prompt_tokens)
        return samples

    async def _settled(self, reply: Reply, request: Request, seconds: float) -> list[Sample]:
        self._learn(reply, request)
        if reply.llama_cpp and self._server.flavour is Flavour.UNKNOWN:
            # So that the next answer is streamed, and can be cancelled.
            await self._server.prepare()
        counts: list[int | None] = []
        if missing := missing_counts(reply, request):
            counts = [None] * len(reply.choices)
            for at in missing:
                choice = reply.choices[at]
                if choice.reasoning is None and reply.llama_cpp:
                    counts[at] = await self._server.count_text(choice.text)
        prompt = reported_prompt(reply, request)
        if prompt is None:
            if any(choice.streamed is not None for choice in reply.choices):
                await self._server.count_prompt(request)  # where it can
            prompt = self._server.best_known(request)
        else:
            self._server.saw(request, prompt)
        return settle(
            reply,
            request,
            prompt_tokens=prompt,
            counts=counts,
            price=self._price,
            seconds=seconds,
        )

    def _learn(self, reply: Reply, request: Request) -> None:
        known = self._server.capabilities
        if request.n > 1:
            several = len(reply.choices) > 1
            # One choice for n cut down to one slot says nothing about n.
            if known.n is not several and (several or self._server.flavour is not Flavour.LLAMA_CPP):
                self._server.learn(n=several)
        if request.logprobs is not None:
            given = any(choice.logprobs for choice in reply.choices)
            if known.logprobs is not given and (given or any(choice.text for choice in reply.choices)):
                self._server.learn(logprobs=given)


def _streamed(body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "stream": True, "stream_options": {"include_usage": True}}


def _transcript(
    route: str, request: Request, *, n: int = 1, watch: Callable[[], Watch] | None = None
) -> Transcript:
    return Transcript(
        chat=route == CHAT, wanted_logprobs=request.logprobs, cap=request.max_tokens, n=n, watch=watch
    )


def is_official(base_url: str) -> bool:
    """Whether `base_url` is OpenAI's own service, directly or on Azure."""
    host = urlsplit(base_url).hostname or ""
    return host == "api.openai.com" or host.endswith((".openai.com", ".openai.azure.com"))
