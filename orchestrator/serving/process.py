"""The parent's side of a guarded server process: start it, hear from it, stop it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import EndpointError
from .guard import TAIL_LINES

__all__ = ["GuardedProcess"]

GUARD = Path(__file__).with_name("guard.py")

KILL_MARGIN = 2.0
"""Seconds beyond its grace after which a guard that has not ended is killed with its whole session."""


class GuardedProcess:
    """A command under `guard.py`: it ends when this process does, and never hears of a Ctrl-C.

    Safe to use from several threads.

    Args:
        command: Program and arguments.
        environment: Variables set on top of this process's own.
        grace: Seconds it gets to end by itself when stopped.

    Raises:
        EndpointError: The guard could not be started.
    """

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], grace: float) -> None:
        self.listening: str | None = None
        """The URL the server said it listens at, or None before that."""
        self.exit_code: int | None = None
        """How the server ended (negative: the signal that killed it); None while it runs or nobody knows."""
        self.changed = threading.Event()
        """Set whenever one of the others changes."""
        self._grace = grace
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._stopping = threading.Lock()
        self._process = self._spawn(command, environment)
        self._reader = threading.Thread(target=self._listen, name="model-server-output", daemon=True)
        self._reader.start()

    def __repr__(self) -> str:
        state = "running" if self.alive else f"ended with {self.exit_code}"
        return f"<GuardedProcess {self.pid} {state}>"

    def _spawn(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [sys.executable, "-P", str(GUARD), str(self._grace), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            raise EndpointError(f"cannot start {command[0]}: {error}") from error

    @property
    def pid(self) -> int:
        """Process id of the guard, which leads the server's session."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the server runs, as far as its guard has said."""
        return self.exit_code is None and self._process.poll() is None

    @property
    def log_tail(self) -> str:
        """The server's last lines, once it has ended; "" before."""
        return "\n".join(self._tail)

    def _listen(self) -> None:
        """Take in what the guard says until it has ended."""
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):  # `stop` closed the pipe under a guard that hung
            for line in self._process.stdout:
                self._hear(line.decode(errors="replace"))
        self.changed.set()

    def _hear(self, line: str) -> None:
        try:
            message = json.loads(line)
        except ValueError:  # the guard itself failed: its own traceback
            self._tail.append(line.rstrip())
            return
        self.listening = message.get("listening", self.listening)
        if "exit" in message:
            self._tail.extend(message["log"].splitlines())
            self.exit_code = message["exit"]
        self.changed.set()

    def stop(self) -> None:
        """End the server and everything it started; returns when they are gone. Safe to call twice."""
        with self._stopping:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            try:
                self._process.wait(self._grace + KILL_MARGIN)
            except subprocess.TimeoutExpired:
                self._kill()
            self._reader.join(timeout=KILL_MARGIN)
            if not self._reader.is_alive():
                self._process.stdout.close()

    def _kill(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
