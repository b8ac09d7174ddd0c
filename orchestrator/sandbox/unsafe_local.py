"""Programs run as they are, with limits and without any isolation."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .job import LOADER, job_bytes
from .limits import Limits
from .program import Program, RunResult, Test
from .rounds import refused, run_in_rounds
from .slots import slots_for, taking_a_slot
from .supervised import Tree

__all__ = ["UnsafeLocal"]


@dataclass(frozen=True, kw_only=True)
class UnsafeLocal:
    """Runs programs with this user's rights: they can read and delete all that the user can, and use the network.

    For programs you have read, and for a machine that is itself a sandbox (a container that is thrown away). Time,
    memory, file size, open files and output are limited as in `Bubblewrap`; the number of processes and the disk
    are not, and a process that starts a session of its own outlives its test.

    Args:
        limits: What each run may use.
        slots: As in `Bubblewrap`.
    """

    limits: Limits = field(default_factory=Limits)
    slots: int | None = None

    def __post_init__(self) -> None:
        slots_for(self.limits, self.slots)

    async def run(self, program: Program, /) -> RunResult:
        """Put `program` to its tests; cancelling kills what has stayed in its process group.

        Raises:
            InvalidInputError: A test's code is longer than `LONGEST_SOURCE`; a program's is a failure of the program.
        """
        command = [sys.executable, "-I", "-S", "-B", "-c", LOADER]
        started = time.monotonic()
        if (result := refused(program)) is not None:
            return result

        def tree(first: int, tests: Sequence[Test], seconds_left: float) -> Tree:
            job = job_bytes(
                code=program.code,
                tests=tests,
                first=first,
                limits=self.limits,
                seconds_left=seconds_left,
                same_python=True,
                contained=False,
            )
            return Tree(command=command, job=job, limits=self.limits)

        async with taking_a_slot(self.limits, self.slots):
            results = await run_in_rounds(program.tests, tree, self.limits)
        return RunResult(tests=tuple(results), seconds=time.monotonic() - started)
