"""Running the driver in a process tree that is watched from outside and dies as a whole."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import anyio

from .limits import Limits

__all__ = ["Overrun", "Tree", "memory_of"]

START_SECONDS = 30.0
"""What a sandbox may take to begin its first test, on a machine that is busy with others."""

GRACE_SECONDS = 3.0
"""What the driver may take beyond a test's own time before it is taken for dead."""

OWN_MEMORY = 32 * 2**20
"""Bytes that are the driver's and its helpers', not the program's."""

LOOK_SECONDS = 0.05
"""How often the memory of the whole tree is looked at."""


@dataclass(slots=True, kw_only=True)
class Overrun:
    """Why the tree was killed from outside: `timeout` or `memory`; None where it was not."""

    reason: str | None = None


@dataclass(slots=True, kw_only=True)
class Tree:
    """One sandbox: the command, and everything it starts.

    Attributes:
        command: What to run; `{info}` in it is replaced by the number of a file descriptor on which it tells,
            as JSON, the `child-pid` whose end is the end of all. Without it the command leads a process group.
        job: What it reads on standard input.
        limits: What it may use.
        pass_fds: Further descriptors it inherits.
        overrun: Set when the tree passes a limit that is watched from outside.
    """

    command: Sequence[str]
    job: bytes
    limits: Limits
    pass_fds: Sequence[int] = ()
    overrun: Overrun = field(default_factory=Overrun)
    errors: str = ""

    async def reports(self) -> AsyncGenerator[dict[str, Any], None]:
        """The driver's messages until it ends; when the iteration ends, however it ends, the tree is gone."""
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
            stdin.write(self.job)
            stdin.seek(0)
            information, tells = os.pipe()
            try:
                process = self._start(stdin, stderr, tells)
            except BaseException:
                os.close(information)
                raise
            finally:
                os.close(tells)
            root = _Root(process, information, own_namespace=any("{info}" in part for part in self.command))
            try:
                async for report in self._read(process, root):
                    yield report
            finally:
                with anyio.CancelScope(shield=True):
                    await root.kill()
                stderr.seek(0)
                self.errors = stderr.read(4096).decode(errors="replace").strip()

    def _start(self, stdin: IO[bytes], stderr: IO[bytes], tells: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [part.replace("{info}", str(tells)) for part in self.command],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={},
            cwd="/",
            pass_fds=(*self.pass_fds, tells),
            start_new_session=True,
        )

    async def _read(
        self, process: subprocess.Popen[bytes], root: _Root
    ) -> AsyncGenerator[dict[str, Any], None]:
        assert process.stdout is not None
        # A message is at most a value, what was written and a message about it, each character up to six in JSON.
        reader, transport = await _reader(process.stdout, limit=24 * self.limits.output_bytes + 2**20)
        watcher = asyncio.ensure_future(self._watch_memory(root))
        try:
            allowed = START_SECONDS
            while True:
                try:
                    with anyio.fail_after(allowed):
                        line = await reader.readline()
                except TimeoutError:
                    self.overrun.reason = self.overrun.reason or "timeout"
                    return
                if not line.endswith(b"\n"):
                    return
                report = json.loads(line)
                if "end" in report:
                    return
                yield report
                allowed = self.limits.seconds + GRACE_SECONDS
        finally:
            watcher.cancel()
            transport.close()
            with anyio.CancelScope(shield=True), contextlib.suppress(asyncio.CancelledError):
                await watcher

    async def _watch_memory(self, root: _Root) -> None:
        while True:
            await anyio.sleep(LOOK_SECONDS)
            pid = root.child_pid()
            most = self.limits.memory_bytes + OWN_MEMORY
            if pid is not None and memory_of(pid, most=most) > most:
                self.overrun.reason = "memory"
                root.signal()
                return


class _Root:
    """The process whose end is the end of the tree."""

    def __init__(self, process: subprocess.Popen[bytes], information: int, *, own_namespace: bool) -> None:
        self._process, self._information, self._own_namespace = process, information, own_namespace
        self._child: int | None = None
        self._end: int | None = None
        self._told = b""
        os.set_blocking(information, False)

    def child_pid(self) -> int | None:
        """The first process of the tree, as this side counts, or None where that is not known yet."""
        if not self._own_namespace:
            return self._process.pid
        if self._child is None:
            with contextlib.suppress(OSError):
                while part := os.read(self._information, 4096):
                    self._told += part
            with contextlib.suppress(ValueError, KeyError):
                child = int(json.loads(self._told)["child-pid"])
                with contextlib.suppress(OSError):  # gone already
                    self._end = os.pidfd_open(child)
                self._child = child
        return self._child

    def signal(self) -> None:
        """Kill it. The kernel kills all of a process namespace with its first process, before that is gone."""
        pid = self.child_pid()
        with contextlib.suppress(OSError):
            if not self._own_namespace:
                os.killpg(self._process.pid, signal.SIGKILL)
            elif pid is not None and self._process.poll() is None:  # its parent has not let go of the number
                os.kill(pid, signal.SIGKILL)

    async def kill(self) -> None:
        """Kill it and wait until it is gone, however often the task that waits is cancelled meanwhile."""
        gone = asyncio.get_running_loop().run_in_executor(None, self._kill)
        cancelled: asyncio.CancelledError | None = None
        while not gone.done():
            try:
                await asyncio.shield(gone)
            except asyncio.CancelledError as error:
                cancelled = error
        gone.result()
        if cancelled is not None:
            raise cancelled

    def _kill(self) -> None:
        try:
            # Killed before it has told its child's number, bubblewrap could leave the child behind.
            latest = time.monotonic() + START_SECONDS
            while self.child_pid() is None and self._process.poll() is None and time.monotonic() < latest:
                time.sleep(0.001)
            self.signal()
            self._wait()
        finally:
            os.close(self._information)
            if self._end is not None:
                os.close(self._end)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _wait(self) -> None:
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:  # bubblewrap itself hangs; its child dies with it
            self._process.kill()
            self._process.wait()
        if self._end is not None:  # bubblewrap may end a moment before its child has
            select.select([self._end], [], [], 5.0)


async def _reader(pipe: IO[bytes], *, limit: int) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=limit, loop=loop)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader, loop=loop), pipe)
    return reader, transport


def memory_of(pid: int, *, most: float = 0) -> int:
    """Bytes of memory resident in process `pid` and all below it, what they share with files on disk left out
    (Linux); 0 where the system does not say.

    Args:
        pid: The first process.
        most: Up to here it may be told too high: what processes share is counted once for each of them. Above it
            each has its share of that, where the system says how large it is.
    """
    below = _processes_below(pid)
    told = sum(_kib(one, "status", _RESIDENT) or 0 for one in below) * 1024
    if told <= most:
        return told
    return sum(_proportional(one) for one in below) * 1024


_RESIDENT = ("RssAnon:", "RssShmem:")  # memory mapped as shared and anonymous is shmem, and nobody's file

_PROPORTIONAL = ("Pss_Anon:", "Pss_Shmem:")


def _processes_below(pid: int) -> list[int]:
    """`pid` and its descendants, those that are just ending left out."""
    found, waiting = [], [pid]
    while waiting:
        found.append(one := waiting.pop())
        folder = Path("/proc", str(one), "task")
        with contextlib.suppress(OSError, ValueError):
            for thread in os.listdir(folder):
                waiting += map(int, (folder / thread / "children").read_text().split())
    return found


def _proportional(pid: int) -> int:
    """KiB of one process, with its share of what it shares; all of it where that is closed to us."""
    told = _kib(pid, "smaps_rollup", _PROPORTIONAL)
    return (_kib(pid, "status", _RESIDENT) or 0) if told is None else told


def _kib(pid: int, file: str, names: tuple[str, ...]) -> int | None:
    """The sum of the lines of `/proc/pid/file` that begin with `names`; None where it has none."""
    try:
        lines = Path("/proc", str(pid), file).read_text().splitlines()
        values = [int(line.split()[1]) for line in lines if line.startswith(names)]
    except (OSError, ValueError, IndexError):
        return None
    return sum(values) if values else None
