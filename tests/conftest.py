"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from faulty_server import FaultyServer
from hypothesis import settings

# How long an example takes depends on what else the machine does: no time limits. Few examples make a quick suite,
# and each run takes others; `--hypothesis-profile=thorough` takes many. With `fixed` every run takes the same ones:
# what a run happens to find is no reason to refuse a change (.ci/run sets HYPOTHESIS_PROFILE=fixed).
settings.register_profile("tests", deadline=None, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.register_profile("fixed", deadline=None, max_examples=25, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[FaultyServer]]]:
    """Starts `FaultyServer`s with given settings and stops them after the test."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> FaultyServer:
            return await stack.enter_async_context(FaultyServer(**settings))

        yield start


@pytest.fixture(autouse=True)
def away_from_the_sources(tmp_path_factory, monkeypatch):
    """Interpreters that tests start must find the installed package, not the sources in the folder pytest runs in."""
    monkeypatch.chdir(tmp_path_factory.getbasetemp())
