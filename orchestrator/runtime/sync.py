"""Control programs from synchronous code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio

from ..backends.base import Backend
from ..backends.model import Model
from ..budget import Budget
from ..contracts import ControlProgram
from ..types import Outcome, Problem
from .controller import Controller

__all__ = ["run_sync"]


def run_sync(
    program: ControlProgram,
    problem: Problem | str,
    *,
    models: Mapping[str, Backend | Model] | None = None,
    budget: Budget | None = None,
    **options: Any,
) -> Outcome:
    """Run `program` on one problem and wait for its outcome.

    Works without and within a running event loop (a notebook): within one, the program runs on a loop of its own in
    another thread while this one waits.

    Args:
        program: The control program.
        problem: The problem, or its text.
        models: Backends by name; None: those the program brings along (a loaded program file).
        budget: Limits; None: the program's own, or none.
        options: Further arguments of `Controller`.

    Raises:
        As `Controller` and `Controller.run`.
    """

    async def main() -> Outcome:
        async with Controller.of(program, models=models, budget=budget, **options) as controller:
            return await controller.run(program, problem)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return anyio.run(main)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="orchestrator") as pool:
        return pool.submit(anyio.run, main).result()
