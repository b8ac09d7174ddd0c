"""Programs in bubblewrap: namespaces of their own, a read-only system, nothing of the user's."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from ..errors import InvalidInputError, SandboxMissingError
from .job import LOADER, job_bytes
from .limits import Limits
from .program import Program, RunResult, Test, TestResult
from .rounds import refused, run_in_rounds
from .seccomp import filter_of_system_calls
from .slots import slots_for, taking_a_slot
from .supervised import Tree

__all__ = ["Bubblewrap"]

OWN_UID = 65534
"""The user a program sees itself as where it has a user namespace."""

FREE_UIDS = range(60578, 61184)
"""Users no system gives to anybody (systemd's table of UIDs), for programs started by root."""

_uids_in_use: set[int] = set()

_taking_a_uid = threading.Lock()
"""Event loops of several threads take from the same users."""

LOOK_SECONDS = 0.05
"""How often a run that found no user free looks again."""


@dataclass(frozen=True, kw_only=True)
class Bubblewrap:
    """Runs programs in bubblewrap, the program `bwrap`: a new sandbox for each, a new process for each test.

    Args:
        limits: What each run may use.
        slots: Runs at once, at least 1, together with every sandbox of as many in this event loop; None takes the
            cores, or fewer where memory for all of them would not be there.
        python: The interpreter's path; None for the one that runs this. Its installation is readable inside.
        packages: Folders to import from, readable inside, such as a virtual environment's `site-packages`.

    Raises:
        InvalidInputError: `slots` below 1, a path that does not exist, or an interpreter installed in a folder that
            holds somebody's home.
    """

    limits: Limits = field(default_factory=Limits)
    slots: int | None = None
    python: str | None = None
    packages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        slots_for(self.limits, self.slots)
        for path in (*self.packages, *((self.python,) if self.python else ())):
            if not os.path.exists(path):
                raise InvalidInputError(f"there is no {path!r}")
        _check_prefix(self._prefix)

    @property
    def _executable(self) -> str:
        own: str = getattr(sys, "_base_executable", sys.executable)
        return os.path.realpath(self.python or own)

    @property
    def _prefix(self) -> str:
        if self.python is None:
            return os.path.realpath(sys.base_prefix)
        return os.path.dirname(os.path.dirname(self._executable))

    async def run(self, program: Program, /) -> RunResult:
        """Put `program` to its tests; cancelling kills everything it has started.

        Raises:
            InvalidInputError: A test's code is longer than `LONGEST_SOURCE`; a program's is a failure of the program.
            SandboxMissingError: There is no bubblewrap, or the system forbids what it needs.
        """
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise SandboxMissingError("bubblewrap is not installed")
        started = time.monotonic()
        if (result := refused(program)) is not None:
            return result
        async with taking_a_slot(self.limits, self.slots), _an_own_user() as uid:
            with _open_filter() as seccomp:
                results = await self._run(bwrap, program, uid, seccomp)
        return RunResult(tests=tuple(results), seconds=time.monotonic() - started)

    async def _run(
        self, bwrap: str, program: Program, uid: int | None, seccomp: int | None
    ) -> list[TestResult]:
        def tree(first: int, tests: Sequence[Test], seconds_left: float) -> Tree:
            if seccomp is not None:
                os.lseek(seccomp, 0, os.SEEK_SET)
            job = job_bytes(
                code=program.code, tests=tests, first=first, limits=self.limits, seconds_left=seconds_left,
                same_python=self.python is None, contained=True, uid=uid, packages=self.packages,
            )  # fmt: skip
            command = self._command(bwrap, uid, seccomp)
            fds = () if seccomp is None else (seccomp,)
            return Tree(command=command, job=job, limits=self.limits, pass_fds=fds)

        return await run_in_rounds(program.tests, tree, self.limits)

    def _command(self, bwrap: str, uid: int | None, seccomp: int | None) -> list[str]:
        command = [bwrap, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        command += ["--unshare-cgroup-try", "--hostname", "sandbox", "--die-with-parent", "--new-session"]
        if uid is None:
            # Bubblewrap's own first process would be this user's, for the program to trace; the driver is not.
            command += ["--as-pid-1"]
            command += ["--unshare-user", "--uid", str(OWN_UID), "--gid", str(OWN_UID)]
        else:  # the driver becomes that user, which leaves it without any capability; the first process is root's
            command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        disk = str(self.limits.disk_bytes)
        command += ["--proc", "/proc", "--dev", "/dev"]
        for folder in ("/dev/shm", "/tmp"):
            command += ["--perms", "1777", "--size", disk, "--tmpfs", folder]
        command += [
            "--ro-bind",
            "/dev/zero",
            "/dev/zero",
        ]  # no device any more: mapped, it is memory no limit counts
        command += _system() + _readable(self._prefix)
        for package in self.packages:
            command += _readable(os.path.realpath(package))
        command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
        command += ["--clearenv", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8"]
        command += ["--info-fd", "{info}"]
        if seccomp is not None:
            command += ["--seccomp", str(seccomp)]
        return [*command, "--", self._executable, "-I", "-S", "-B", "-c", LOADER]


def _system() -> list[str]:
    """What the dynamic linker needs, read-only."""
    arguments: list[str] = []
    for name in ("lib", "lib32", "lib64", "libx32"):
        if os.path.isdir(f"/usr/{name}"):
            arguments += _readable(f"/usr/{name}")
        if os.path.islink(f"/{name}"):
            arguments += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            arguments += _readable(f"/{name}")
    for path in ("/etc/ld.so.cache", "/usr/share/zoneinfo"):
        if os.path.exists(path):
            arguments += _readable(path)
    return arguments


def _readable(path: str) -> list[str]:
    """`path` at its own place, read-only, with folders on the way that any user can pass."""
    arguments: list[str] = []
    for parent in reversed(Path(path).parents[:-1]):
        arguments += ["--perms", "0755", "--dir", str(parent)]
    return [*arguments, "--ro-bind", path, path]


def _check_prefix(prefix: str) -> None:
    """Refuse an interpreter whose installation is more than that."""
    homes = {"/", "/home", "/root", "/etc", "/tmp", os.path.realpath(Path.home())}
    if any(os.path.commonpath([prefix, home]) == prefix for home in homes):
        raise InvalidInputError(
            f"the interpreter is installed in {prefix!r}, which holds somebody's files as well; give another one "
            "as `python`"
        )


@asynccontextmanager
async def _an_own_user() -> AsyncIterator[int | None]:
    """A user of its own for a program started by root, whom no limit on processes binds; None for others.

    Waits where other programs of this process have them all.
    """
    if os.getuid() != 0:
        yield None
        return
    while (uid := _free_uid()) is None:  # noqa: ASYNC110  # an event would be of one event loop
        await anyio.sleep(LOOK_SECONDS)
    try:
        yield uid
    finally:
        _uids_in_use.discard(uid)


def _free_uid() -> int | None:
    """A user that is now in use; None where none is free."""
    with _taking_a_uid:
        free = [uid for uid in FREE_UIDS if uid not in _uids_in_use]
        if not free:
            return None
        uid = random.SystemRandom().choice(free)  # another process of the library should take another
        _uids_in_use.add(uid)
        return uid


@contextmanager
def _open_filter() -> Iterator[int | None]:
    """A descriptor to read the filter of system calls from."""
    program = filter_of_system_calls()
    if program is None:
        yield None
        return
    with tempfile.TemporaryFile() as file:
        file.write(program)
        file.flush()
        yield file.fileno()
