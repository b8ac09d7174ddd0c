"""llama.cpp's server through the prebuilt `xllamacpp` package: small GGUF models on any machine."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ...errors import InvalidInputError
from ...types import Capabilities
from ..models import LocalModel
from . import Launch

__all__ = ["LlamaCpp", "usable_cores"]

INSTALL = 'pip install "orchestrator[local]"'

DEFAULT_CONTEXT_LENGTH = 2048
"""Tokens a request gets when nobody says, and the model was trained on at least as many. All slots' memory is
taken at the start: 22 KiB a token for a 135M model, times the slots."""

SLOTS_PER_CORE = 4
"""Slots to a processor core: beyond that a batch grows and the tokens per second do not."""

MAX_SLOTS = 32

PROMPT_CACHE_MIB = 512
"""Memory for prompts that left their slot, in MiB; the server's own default would take up to 8192."""

QUIET = 2
"""The server's verbosity that prints errors and warnings, and nothing per request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaCpp:
    """Continuous batching and a prefix cache over GGUF weights; a GPU is used when the installed build has
    one.

    Attributes:
        threads: Threads that compute, at least 1; None takes the cores this process may use but one, which is
            left to the caller and to everything else. More threads than free cores is far slower than fewer, since
            they wait for each other spinning.
    """

    threads: int | None = None

    name = "llama.cpp"
    picks_port = True
    grace = 2.0

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise InvalidInputError(f"threads must be at least 1, not {self.threads}")

    def launch(
        self, model: LocalModel, *, port: int, parallel: int | None, context_length: int | None
    ) -> Launch:
        """The server with one slot per parallel request, each with the whole `context_length`."""
        if importlib.util.find_spec("xllamacpp") is None:
            raise InvalidInputError(f"local models need the package xllamacpp; install it: {INSTALL}")
        cores = usable_cores()
        threads = self.threads or max(1, cores - 1)
        slots = parallel or min(MAX_SLOTS, SLOTS_PER_CORE * cores)
        context = context_length or min(DEFAULT_CONTEXT_LENGTH, model.context_length)
        settings = {
            "model.path": str(model.path),
            "model_alias": [model.name],
            "port": port,
            "hostnames": ["127.0.0.1"],
            "n_parallel": slots,
            # The server divides its context among the slots.
            "n_ctx": context * slots,
            "cpuparams.n_threads": threads,
            "cpuparams_batch.n_threads": threads,
            "cache_ram_mib": PROMPT_CACHE_MIB,
            # Models with sliding-window attention can reuse a shared prompt only when all of it is kept.
            "swa_full": True,
            "endpoint_slots": True,
            "endpoint_metrics": True,
            "endpoint_props": True,
            "verbosity": QUIET,
            "ui": False,
            "cors_origins": "",
        }
        server = Path(__file__).with_name("llama_cpp_server.py")
        return Launch(
            command=(sys.executable, "-P", str(server), json.dumps(settings)),
            capabilities=Capabilities(
                chat=model.chat,
                n=True,
                logprobs=True,
                seed=True,
                streaming=True,
                usage_is_exact=False,  # one choice's completion tokens are reported for n > 1
                context_length=context,
                parallel=slots,
            ),
        )


def usable_cores() -> int:
    """Cores this process may keep busy: its affinity, its control group's quota, one thread a core."""
    logical = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = [logical, cgroup_cores(), logical // threads_per_core()]
    return max(1, min(limit for limit in limits if limit is not None))


def cgroup_cores(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Whole cores that control group version 2 grants, rounded up, or None without a quota."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
        return None if quota == "max" else max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError):
        return None


def threads_per_core(cpu: Path = Path("/sys/devices/system/cpu/cpu0")) -> int:
    """Hardware threads that share a core (1 when the system does not say)."""
    try:
        siblings = (cpu / "topology/thread_siblings_list").read_text()
    except OSError:
        return 1
    return max(1, siblings.count(",") + 1 + siblings.count("-"))
