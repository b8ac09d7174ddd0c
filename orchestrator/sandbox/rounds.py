"""All tests of a program, however many sandboxes it takes down on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import aclosing

from ..errors import InvalidInputError, SandboxMissingError
from .job import result_of
from .limits import Limits
from .program import LONGEST_SOURCE, Assertion, Call, Program, RunResult, Status, Test, TestResult
from .supervised import Tree

__all__ = ["refused", "run_in_rounds"]

MOST_ROUNDS = 4
"""Sandboxes started for one program. A test that ends its sandbox costs those after it a new one; a program that
does so every time is not run again for all of them.
"""


def refused(program: Program) -> RunResult | None:
    """The result of a program too long to be read; None for others.

    Raises:
        InvalidInputError: A test's code is longer than `LONGEST_SOURCE`.
    """
    for number, test in enumerate(program.tests, start=1):
        source = test.source if isinstance(test, Assertion) else test.call if isinstance(test, Call) else ""
        if len(source) > LONGEST_SOURCE:
            raise InvalidInputError(
                f"test {number} has {len(source):,} characters of code, at most {LONGEST_SOURCE:,}"
            )
    if len(program.code) <= LONGEST_SOURCE:
        return None
    message = f"the program has {len(program.code):,} characters, at most {LONGEST_SOURCE:,}"
    result = TestResult(status=Status.SYNTAX, message=message)
    return RunResult(tests=(result,) * len(program.tests))


async def run_in_rounds(
    tests: Sequence[Test], tree: Callable[[int, Sequence[Test], float], Tree], limits: Limits
) -> list[TestResult]:
    """One result per test, in order.

    Args:
        tests: The tests.
        tree: Makes the sandbox for the tests from a number on, with the seconds that are left to them together.
        limits: What the run may use.

    Raises:
        SandboxMissingError: The first sandbox did not come as far as the first test.
    """
    results: list[TestResult] = []
    left = limits.total_seconds
    for _ in range(MOST_ROUNDS):
        if len(results) == len(tests):
            return results
        if left <= 0:
            return results + [_result_of_end("total", limits)] * (len(tests) - len(results))
        sandbox = tree(len(results), tests[len(results) :], left)
        begun, started = -1, None
        async with aclosing(sandbox.reports()) as reports:
            async for report in reports:
                if "begin" in report:
                    started = (
                        started or time.monotonic()
                    )  # how long a sandbox takes to start is not the program's
                    begun = int(report["begin"])
                elif report.get("test") == len(results):
                    results.append(result_of(tests[len(results)], report))
        left -= 0.0 if started is None else time.monotonic() - started
        if begun < 0 and sandbox.overrun.reason is None:
            raise SandboxMissingError(f"the sandbox did not start: {sandbox.errors or 'it said nothing'}")
        if begun == len(results) or (begun < 0 and len(results) < len(tests)):
            results.append(_result_of_end(sandbox.overrun.reason, limits))
    # The last may have passed, and have ended its sandbox all the same: those that were not run have not.
    last = results[-1] if not results[-1].passed else _result_of_end(None, limits)
    return results + [last] * (len(tests) - len(results))


def _result_of_end(reason: str | None, limits: Limits) -> TestResult:
    """The result of the test during which its sandbox ended."""
    if reason == "memory":
        message = f"the program's processes took more than {limits.memory_bytes:,} bytes of memory"
        return TestResult(status=Status.MEMORY, message=message)
    if reason == "timeout":
        message = f"the test took longer than {limits.seconds:.3g} seconds"
        return TestResult(status=Status.TIMEOUT, message=message, seconds=limits.seconds)
    if reason == "total":
        message = f"all tests took longer than {limits.total_seconds:.3g} seconds"
        return TestResult(status=Status.TIMEOUT, message=message)
    return TestResult(status=Status.KILLED, message="the program killed the processes it was tested by")
