"""Which server answers at a base URL, what it can do, and how many tokens it makes of a prompt.

Recognised: llama.cpp's server (`/props`), vLLM (`/version` and `/tokenize`). Everything else is taken for a
    server of the OpenAI protocol that says nothing about itself: capabilities stay unknown until answers show
    them, and prompts are counted by the bound of their bytes. Nothing here starts generation, so nothing here
    is billed.
"""

from __future__ import annotations

import enum
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from typing import Any, Protocol

import anyio

from ..errors import BackendError, ConnectFailedError
from ..types import Capabilities, Request
from .base import upper_bound_prompt_tokens
from .wire import CONTINUES_REPLY, NOT_THINKING, begins_reply

__all__ = ["Flavour", "Memo", "Probe", "Server", "merge", "server_root"]

PROBE_SECONDS = 5.0
"""Time allowed to find out about a server; a server that is silent for longer is an unknown one."""

COUNT_SECONDS = 20.0
"""Time allowed to count one prompt before the bound is used instead."""

REMEMBERED_COUNTS = 512

TEMPLATE_FIELDS = (
    "tools",
    "tool_choice",
    "chat_template_kwargs",
    "add_generation_prompt",
    "continue_final_message",
    "reasoning_effort",
)
"""Fields of a request's `extra` that change what a chat template writes."""


class Flavour(enum.Enum):
    """Which server it is."""

    UNKNOWN = "unknown"
    LLAMA_CPP = "llama.cpp"
    VLLM = "vllm"


class Probe(Protocol):
    """How to ask the server something: decoded JSON of an answer with status 200, None for any other answer.

    `path` is under the base URL when it is `/models`, under the server's root otherwise; no body means GET.
    """

    async def __call__(self, path: str, body: Mapping[str, Any] | None = None) -> Any: ...


class Memo:
    """Remembers the last few results of an awaitable by key; concurrent askers of one key share one
    computation.

    When the asker that computes is cancelled or fails, the next one waiting takes over.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[bytes, int] = OrderedDict()
        self._running: dict[bytes, anyio.Event] = {}

    def peek(self, key: bytes) -> int | None:
        """The remembered value, or None."""
        return self._known.get(key)

    def put(self, key: bytes, value: int) -> None:
        """Remembers `value`, forgetting the value not used for longest when there are too many."""
        self._known[key] = value
        self._known.move_to_end(key)
        if len(self._known) > self._size:
            self._known.popitem(last=False)

    async def get(self, key: bytes, compute: Callable[[], Awaitable[int | None]]) -> int | None:
        """The value of `key`; None when it could not be computed, which is not remembered."""
        while (value := self._known.get(key)) is None:
            if (running := self._running.get(key)) is not None:
                await running.wait()
                continue
            self._running[key] = done = anyio.Event()
            try:
                value = await compute()
            finally:
                del self._running[key]
                done.set()
            if value is None:
                return None
            self.put(key, value)
        self._known.move_to_end(key)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a probe found."""

    flavour: Flavour
    capabilities: Capabilities


class Server:
    """What is known about the server behind a backend.

    Args:
        probe: How to ask it.
        model: The model's name, which vLLM's tokenizer route wants and the list of models is searched for.
        given: Capabilities the user stated; what is found only fills the gaps.
        ask: Whether to ask it about itself; False where the address tells that nothing would come of it.
    """

    def __init__(
        self, probe: Probe, *, model: str, given: Capabilities | None = None, ask: bool = True
    ) -> None:
        self.flavour = Flavour.UNKNOWN
        self.capabilities = given or Capabilities()
        self._given = given or Capabilities()
        self._probe = probe
        self._model = model
        self._counts = Memo(REMEMBERED_COUNTS)
        self._asked = not ask
        self._reachable = True
        self._asking: anyio.Event | None = None
        self._overhead = 0

    def __repr__(self) -> str:
        return f"Server({self.flavour.value}, overhead={self._overhead})"

    def learn(self, **found: Any) -> None:
        """Notes capabilities that an answer showed; what the user stated stays."""
        self.capabilities = merge(self._given, replace(self.capabilities, **found))

    async def prepare(self) -> None:
        """Asks the server about itself, once; never raises for a server that does not answer.

        A server that nothing could connect to is asked again next time: it may still be starting.
        """
        while not self._asked:
            if self._asking is not None:
                await self._asking.wait()
                continue
            self._asking = anyio.Event()
            try:
                found, self._reachable = None, True
                with anyio.move_on_after(PROBE_SECONDS):
                    found = await self._find_out()
                if found is not None:
                    self.flavour = found.flavour
                    self.capabilities = merge(self.capabilities, found.capabilities)
                self._asked = self._reachable
            finally:
                self._asking.set()
                self._asking = None
            if not self._reachable:
                return

    async def _find_out(self) -> Findings:
        answers: dict[str, Any] = {}

        async def ask(path: str) -> None:
            answers[path] = await self._ask(path)

        async with anyio.create_task_group() as group:
            for path in ("/props", "/version", "/models"):
                group.start_soon(ask, path)
        return read_findings(answers["/props"], answers["/version"], answers["/models"], model=self._model)

    async def _ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """An answer, or None for every failure: a probe must not fail a call."""
        try:
            return await self._probe(path, body)
        except BackendError as error:
            self._reachable = self._reachable and not isinstance(error, ConnectFailedError)
            return None

    async def count_prompt(self, request: Request) -> int:
        """Prompt tokens of `request`: the server's own count where it gives one, else an upper bound."""
        await self.prepare()
        if self.flavour is not Flavour.UNKNOWN and _is_text(request):
            counted = await self._counts.get(_key(request), lambda: self._count(request))
            if counted is not None:
                return counted
        return self.bound(request)

    def bound(self, request: Request) -> int:
        """The upper bound by bytes, raised by what past answers showed it to miss."""
        return upper_bound_prompt_tokens(request) + self._overhead

    def best_known(self, request: Request) -> int:
        """The count if it was made or reported already, else the bound; asks nobody. For charges, not for holds."""
        if _is_text(request):
            counted = self._counts.peek(_key(request))
            if counted is not None:
                return counted
        return self.bound(request)

    def saw(self, request: Request, prompt_tokens: int) -> None:
        """Corrects counts and bounds by what the server reported for `request`."""
        if _is_text(request):
            key = _key(request)
            counted = self._counts.peek(key)
            # A server that counts is asked when needed: there only counts that were too low are corrected.
            least = 0 if self.flavour is Flavour.UNKNOWN else prompt_tokens
            if prompt_tokens > (least if counted is None else counted):
                self._counts.put(key, prompt_tokens)
        bound = upper_bound_prompt_tokens(request)
        if prompt_tokens > bound + self._overhead:
            self._overhead = prompt_tokens - bound

    async def count_text(self, text: str) -> int | None:
        """Tokens of a text the model wrote, special ones aside; None when the server has no tokenizer."""
        await self.prepare()
        with anyio.move_on_after(COUNT_SECONDS):
            if self.flavour is Flavour.LLAMA_CPP:
                return _length(await self._ask("/tokenize", {"content": text}))
            if self.flavour is Flavour.VLLM:
                body = {"model": self._model, "prompt": text, "add_special_tokens": False}
                return _length(await self._ask("/tokenize", body))
        return None

    async def _count(self, request: Request) -> int | None:
        with anyio.move_on_after(COUNT_SECONDS):
            if self.flavour is Flavour.LLAMA_CPP:
                return await self._count_llama_cpp(request)
            return await self._count_vllm(request)
        return None

    async def _count_llama_cpp(self, request: Request) -> int | None:
        text = request.prompt
        if text is None:
            continuing = NOT_THINKING if begins_reply(request) else {}
            answer = await self._ask("/apply-template", {**continuing, **_template_body(request)})
            text = answer.get("prompt") if isinstance(answer, dict) else None
            if not isinstance(text, str):
                return None
        # Both flags, as the server itself tokenizes a prompt: with them a beginning-of-sequence token is
        # counted and `<|im_start|>` is one token.
        body = {"content": text, "add_special": True, "parse_special": True}
        return _length(await self._ask("/tokenize", body))

    async def _count_vllm(self, request: Request) -> int | None:
        body: dict[str, Any] = {"model": self._model}
        if request.prompt is not None:
            body |= {"prompt": request.prompt, "add_special_tokens": True}
        else:
            replying = CONTINUES_REPLY if begins_reply(request) else {"add_generation_prompt": True}
            body |= {**replying, **_template_body(request)}
        return _length(await self._ask("/tokenize", body))


def merge(first: Capabilities, second: Capabilities) -> Capabilities:
    """`first`, with what it does not know taken from `second`."""
    unknown = {f.name: getattr(second, f.name) for f in fields(first) if getattr(first, f.name) is None}
    return replace(first, **unknown)


def server_root(base_url: str) -> str:
    """A base URL without its last `/v1`: where llama.cpp and vLLM have their own routes."""
    return base_url.rstrip("/").removesuffix("/v1")


def read_findings(props: Any, version: Any, models: Any, *, model: str) -> Findings:
    """What the answers to `/props`, `/version` and `/models` say; None stands for no answer."""
    listed = _listed_model(models, model)
    if isinstance(props, dict) and "total_slots" in props:
        settings = props.get("default_generation_settings")
        length = settings.get("n_ctx") if isinstance(settings, dict) else None
        meta = listed.get("meta")
        if not _positive(length) and isinstance(meta, dict):
            length = meta.get("n_ctx")
        return Findings(
            flavour=Flavour.LLAMA_CPP,
            capabilities=_all_of(length, _positive(props["total_slots"])),
        )
    if isinstance(version, dict) and "version" in version and "max_model_len" in listed:
        return Findings(flavour=Flavour.VLLM, capabilities=_all_of(listed["max_model_len"], None))
    return Findings(flavour=Flavour.UNKNOWN, capabilities=Capabilities())


def _all_of(context_length: Any, parallel: int | None) -> Capabilities:
    return Capabilities(
        n=True,
        logprobs=True,
        seed=True,
        streaming=True,
        usage_is_exact=True,
        context_length=_positive(context_length),
        parallel=parallel,
    )


def _listed_model(models: Any, model: str) -> dict[str, Any]:
    """The entry of `model` in a list of models; the only entry when there is one; else an empty one."""
    listed = models.get("data") if isinstance(models, dict) else None
    entries: list[dict[str, Any]] = [one for one in _list(listed) if isinstance(one, dict)]
    for entry in entries:
        if entry.get("id") == model:
            return entry
    return entries[0] if len(entries) == 1 else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _positive(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _length(answer: Any) -> int | None:
    """The count in an answer of `/tokenize`."""
    if not isinstance(answer, dict):
        return None
    if type(answer.get("count")) is int:
        count: int = answer["count"]
        return count
    tokens = answer.get("tokens")
    return len(tokens) if isinstance(tokens, list) else None


def _is_text(request: Request) -> bool:
    """Whether a tokenizer sees all of the prompt: no images, audio or files in it."""
    for message in request.messages or ():
        content = message.get("content")
        if isinstance(content, list | tuple) and any(
            not isinstance(part, Mapping) or part.get("type") != "text" for part in content
        ):
            return False
    return True


def _template_body(request: Request) -> dict[str, Any]:
    shaping = {name: request.extra[name] for name in TEMPLATE_FIELDS if name in request.extra}
    return {"messages": request.messages, **shaping}


def _key(request: Request) -> bytes:
    """What identifies a prompt; a digest, so that long prompts are not kept."""
    text = request.prompt if request.prompt is not None else json.dumps(_template_body(request))
    kind = b"t" if request.prompt is not None else b"c"
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16, person=kind).digest()
