"""A process that answers question after question, and is killed when it takes too long over one."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .errors import OrchestratorError

__all__ = ["START_SECONDS", "Worker", "WorkerLostError"]

START_SECONDS = 120.0
"""Time for a worker to import what it needs; not counted against a question."""


class WorkerLostError(Exception):
    """A worker died, or did not answer in time; it is of no further use."""


class Worker:
    """One process that reads questions and writes answers, a line of JSON each; used by one thread at a time.

    It writes a line of its own when it is ready.

    Args:
        script: What it runs: a file of Python that imports nothing of this package.
        arguments: What the script is given.
        what: What it is called in messages.
    """

    def __init__(self, script: Path, arguments: Sequence[str] = (), *, what: str) -> None:
        # By its path and with -P: it must import neither the caller's __main__ nor this package.
        self._command = [sys.executable, "-P", str(script), *arguments]
        self._what = what
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name=f"{what} reader", daemon=True)
        self._reader.start()
        self._ready = False

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")  # the end: it died or was killed

    def ask(self, question: object, timeout: float) -> object:
        """What it answers.

        Args:
            question: What JSON can hold.
            timeout: Seconds it may take.

        Raises:
            WorkerLostError: There is no answer.
            OrchestratorError: The process does not start.
        """
        if not self._ready:
            self._start()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise WorkerLostError from error
        return self._next(timeout)

    def _start(self) -> None:
        try:
            self._next(START_SECONDS)
        except WorkerLostError as error:
            command = " ".join(self._command)
            raise OrchestratorError(
                f"{self._what}'s worker process did not start; `{command}` shows why"
            ) from error
        self._ready = True

    def _next(self, timeout: float) -> object:
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty as error:
            raise WorkerLostError from error
        if not line:
            raise WorkerLostError
        return json.loads(line)

    def stop(self) -> None:
        """Kills the process and waits for its end. Safe to call twice."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # a question it never read
                    pipe.close()
