"""All tests of a program, however many sandboxes it takes down on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing

from ..errors import SandboxMissingError
from .job import result_of
from .limits import Limits
from .program import Status, Test, TestResult
from .supervised import Tree

__all__ = ["run_in_rounds"]

MOST_ROUNDS = 4
"""Sandboxes started for one program. A test that ends its sandbox costs those after it a new one; a program that
does so every time is not run again for all of them.
"""


async def run_in_rounds(
    tests: Sequence[Test], tree: Callable[[int, Sequence[Test]], Tree], limits: Limits
) -> list[TestResult]:
    """One result per test, in order.

    Args:
        tests: The tests.
        tree: Makes the sandbox for the tests from a number on.
        limits: What the run may use.

    Raises:
        SandboxMissingError: The first sandbox did not come as far as the first test.
    """
    results: list[TestResult] = []
    for _ in range(MOST_ROUNDS):
        if len(results) == len(tests):
            return results
        sandbox = tree(len(results), tests[len(results) :])
        begun = -1
        async with aclosing(sandbox.reports()) as reports:
            async for report in reports:
                if "begin" in report:
                    begun = int(report["begin"])
                elif report.get("test") == len(results):
                    results.append(result_of(tests[len(results)], report))
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
    return TestResult(status=Status.KILLED, message="the program killed the processes it was tested by")
