"""A backend with how a run is to call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .base import Backend
from .retry import RetryPolicy

__all__ = ["Model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A backend with how it is to be called.

    Attributes:
        backend: Where its samples come from.
        sampling: Default sampling fields (`temperature`, `max_tokens`, ...), overridden by a program's own. A
            `temperature` of None is left out of requests, for models that take none.
        concurrency: Calls in flight at once; None: what the backend says it works on, else the controller's.
        requests_per_minute: Attempts started a minute, or None.
        tokens_per_minute: Worst-case tokens started a minute, or None.
        retry: How failed attempts are repeated; None for the default policy.
    """

    backend: Backend
    sampling: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    retry: RetryPolicy | None = None

    @property
    def width(self) -> int | None:
        """Calls in flight as asked for, else those the backend says it works on; None when neither is known."""
        return self.concurrency or self.backend.capabilities.parallel
