"""Programs that can serve a model: how to start them, and what they can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ...errors import InvalidInputError
from ...types import Capabilities
from ..models import LocalModel

__all__ = ["Engine", "Launch", "named"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One way to start a server.

    Attributes:
        command: The program and its arguments. It serves in the foreground and must not daemonise.
        capabilities: What the server will be able to do; `parallel` and `context_length` (of one request, in
            tokens) are set.
        environment: Variables set for the server on top of the caller's.
        ready_route: Path that answers 200 once the server takes requests.
    """

    command: tuple[str, ...]
    capabilities: Capabilities
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_route: str = "/v1/models"


class Engine(Protocol):
    """A kind of model server that speaks the OpenAI protocol under `/v1`."""

    @property
    def name(self) -> str:
        """As flags and program files write it."""

    @property
    def picks_port(self) -> bool:
        """Whether the server chooses its own port and prints a line `LISTENING url`, or is given one."""

    @property
    def grace(self) -> float:
        """Seconds the server gets to end by itself when it is asked to."""

    def launch(
        self, model: LocalModel, *, port: int, parallel: int | None, context_length: int | None
    ) -> Launch:
        """How to serve `model`.

        Args:
            model: The model, already on disk.
            port: Loopback port to listen on; 0 for an engine that picks its own.
            parallel: Requests worked on at once, at least 1; None leaves it to the engine.
            context_length: Tokens each request may use, at least 1; None leaves it to the engine.

        Raises:
            InvalidInputError: What the engine needs is not installed; says how to install it.
        """


def named(name: str) -> Engine:
    """The engine called `name`; raises `InvalidInputError` for an unknown one."""
    if name == "llama.cpp":
        from .llama_cpp import LlamaCpp

        return LlamaCpp()
    raise InvalidInputError(f"no engine is called {name!r}; there is 'llama.cpp'")
