"""A program, the tests it is put to, and what came out."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

from .limits import Limits

__all__ = [
    "LONGEST_SOURCE",
    "Assertion",
    "Call",
    "Program",
    "RunResult",
    "Sandbox",
    "Script",
    "Status",
    "Test",
    "TestResult",
    "equal",
]


LONGEST_SOURCE = 2**20
"""Characters of a program, and of a test's code; longer ones are not run."""


class Status(enum.StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"  # an assertion that did not hold, or another value than expected
    EXCEPTION = "exception"  # the program raised, or lacks what the test uses
    SYNTAX = "syntax"  # the program is not Python, or longer than `LONGEST_SOURCE`
    TIMEOUT = "timeout"  # wall or CPU time
    MEMORY = "memory"
    OUTPUT = "output"  # wrote too much
    KILLED = "killed"  # a signal ended it, or it ended itself before it had answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """Python code with assertions; passes when it runs through.

    Attributes:
        source: The code. It sees the program's top-level names; where it defines `check` and does not call it,
            `check(entry_point)` is called, as HumanEval's tests are.
        entry_point: Name of the function under test; None where the code names what it calls.
    """

    source: str
    entry_point: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An expression and the value it should have, which never enters the sandbox.

    Attributes:
        call: The expression, such as `add(2, 3)`.
        expected: Its value as JSON knows it: see `equal`.
        entry_point: Name of the function under test, needed only where it is also a built-in's.
    """

    call: str
    expected: Any
    entry_point: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the program should print, run as a script; the expected text never enters the sandbox.

    Attributes:
        stdin: What it is given to read.
        stdout: What it should print; spaces at the ends of lines and empty lines at the end do not count.
    """

    stdin: str = ""
    stdout: str


Test: TypeAlias = Assertion | Call | Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program and its tests. Each test meets a fresh copy of the program, in a process of its own.

    Attributes:
        code: Python source.
        tests: What to try, in order.
    """

    code: str
    tests: Sequence[Test]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """What came of one test.

    Attributes:
        status: How it ended.
        message: What went wrong, in words for whoever repairs the program; "" when it passed.
        line: 1-based line of the program an exception came from, or None.
        stdout: What the program wrote, up to the limit; "" where nobody read it.
        stderr: The end of what it wrote there, at most 4096 bytes.
        seconds: Wall time.
    """

    status: Status
    message: str = ""
    line: int | None = None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.status is Status.PASSED


TestResult.__test__ = False  # type: ignore[attr-defined]  # not a class of tests, whatever pytest thinks


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What came of a program: one result per test, in order, and the wall time in seconds."""

    tests: tuple[TestResult, ...]
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether every test passed."""
        return all(test.passed for test in self.tests)

    @property
    def share(self) -> float:
        """The share of tests passed, in [0, 1]; 1 without tests."""
        return sum(test.passed for test in self.tests) / len(self.tests) if self.tests else 1.0

    @property
    def first_failure(self) -> TestResult | None:
        """The first test that did not pass."""
        return next((test for test in self.tests if not test.passed), None)


@runtime_checkable
class Sandbox(Protocol):
    """Where programs nobody has read are run."""

    @property
    def limits(self) -> Limits:
        """What each run may use."""

    async def run(self, program: Program, /) -> RunResult:
        """Put `program` to its tests; cancelling kills everything it has started.

        Raises:
            InvalidInputError: A test's code is longer than `LONGEST_SOURCE`; a program's is a failure of the program.
            SandboxMissingError: There is no sandbox on this machine.
        """


def equal(value: Any, expected: Any) -> bool:
    """Whether a value is the expected one: Python's equality, less what JSON cannot say.

    A tuple equals a list of the same items; a mapping's keys may be the texts JSON makes of them; NaN equals NaN.
    Booleans and numbers are told apart.
    """
    match value, expected:
        case (bool(), _) | (_, bool()):
            return value is expected
        case (list() | tuple(), list() | tuple()):
            return len(value) == len(expected) and all(map(equal, value, expected))
        case dict(), Mapping():
            if len(value) != len(expected):
                return False
            keyed = (
                value
                if value.keys() == expected.keys()
                else {_as_key(key): item for key, item in value.items()}
            )
            return keyed.keys() == expected.keys() and all(
                equal(keyed[key], expected[key]) for key in expected
            )
        case float(), float() if math.isnan(value) and math.isnan(expected):
            return True
    return bool(value == expected)


def _as_key(key: Any) -> Any:
    """`key` as JSON writes it."""
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(key) if isinstance(key, int | float) else key
