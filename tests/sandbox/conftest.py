"""What the tests of the sandbox share."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable

import pytest

from orchestrator.sandbox import Bubblewrap, Call, Limits, Program, RunResult, TestResult


@pytest.fixture
def limits() -> Limits:
    return Limits(seconds=2, cpu_seconds=2, total_seconds=20)


@pytest.fixture
def box(limits: Limits) -> Bubblewrap:
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed: apt install bubblewrap")
    return Bubblewrap(limits=limits)


@pytest.fixture
def run(box: Bubblewrap) -> Callable[..., Awaitable[RunResult]]:
    async def run(code: str, *tests: object, **changed: object) -> RunResult:
        return await box.run(Program(code=code, tests=tests))  # type: ignore[arg-type]

    return run


@pytest.fixture
def attack(run: Callable[..., Awaitable[RunResult]]) -> Callable[..., Awaitable[TestResult]]:
    """Runs a program whose `attack()` should return an expected value; what came of that one test."""

    async def attack(code: str, expected: object) -> TestResult:
        return (await run(code, Call(call="attack()", expected=expected))).tests[0]

    return attack
