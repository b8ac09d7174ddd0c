"""Runs a command that must not outlive the process that asked for it.

`python -P guard.py GRACE COMMAND...` stands between a parent and a model server, in a session of its own:

- Ctrl-C at the terminal reaches neither this process nor the server: the parent decides when to stop them.
- The parent holds the other end of standard input. When that closes, because the parent closed it or because
  it died in any way, `kill -9` included, the server is stopped: asked first, and killed after GRACE seconds.
  The parent's process id is watched as well, for a pipe that a forked sibling keeps open.
- When this process itself is killed, Linux kills the server (`PR_SET_PDEATHSIG`).
- What the server prints is read here, so it never blocks on a full pipe, and its tail is kept.

A thread-bound parent is why the server is not started directly with `PR_SET_PDEATHSIG`: Linux sends that
signal when the *thread* that started the child ends, and servers are started from short-lived worker threads.

Standard output carries one JSON object a line: `{"listening": url}` once the server printed a line
`LISTENING url`, and at last `{"exit": code, "log": tail}`. Imports the standard library only.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

__all__ = ["ANNOUNCEMENT", "main"]

ANNOUNCEMENT = "LISTENING "
"""How a server that chose its own port says where it listens: this, then the URL, on a line of its own."""

TAIL_LINES = 40
"""Lines of the server's output kept for an error message."""

PARENT_POLL_SECONDS = 0.5
"""How often the parent's process id is looked at."""

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run the command in `arguments[1:]` until it ends or the parent is gone."""
    grace, command = float(arguments[0]), arguments[1:]
    parent = os.getppid()
    lead_a_session()
    ignore_interrupts()
    try:
        server = start(command)
    except OSError as error:
        say({"exit": 127, "log": f"{command[0]}: {error.strerror}"})
        return 127
    tail: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
    pump = in_background(read_output, server, tail)
    over = threading.Event()
    in_background(watch_input, over)
    in_background(watch_server, server, over)
    while not over.wait(PARENT_POLL_SECONDS) and os.getppid() == parent:
        pass
    if server.poll() is None:
        stop(server, grace)
    pump.join(timeout=1.0)  # a grandchild may hold the pipe open after the server's end
    say({"exit": server.returncode, "log": "\n".join(tail)})
    kill_group()
    return 0


def in_background(function: Callable[..., None], *arguments: object) -> threading.Thread:
    """Run `function` in a thread that does not keep this process alive."""
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def lead_a_session() -> None:
    """Signals to the own process group must meet the server and nobody else."""
    if os.name == "posix" and os.getpgid(0) != os.getpid():
        os.setsid()


def ignore_interrupts() -> None:
    """Leave stopping to the parent, whoever else sends a signal to the group."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def start(command: list[str]) -> subprocess.Popen[str]:
    """Start the server with default signal handling, bound to this process's life where the system can."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        # Safe here: this process has one thread, which lives as long as the process.
        preexec_fn=bind_to_parent if os.name == "posix" else None,
    )


def bind_to_parent() -> None:
    """In the server, before it becomes the command: restore SIGTERM, and die with the guard (Linux)."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def read_output(server: subprocess.Popen[str], tail: collections.deque[str]) -> None:
    """Keep the server's last lines, and pass on where it listens."""
    assert server.stdout is not None
    for line in server.stdout:
        text = line.rstrip()
        if text.startswith(ANNOUNCEMENT):
            say({"listening": text.removeprefix(ANNOUNCEMENT)})
        elif text:
            tail.append(text)


def watch_input(over: threading.Event) -> None:
    """Set `over` when the parent's end of standard input closes."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    over.set()


def watch_server(server: subprocess.Popen[str], over: threading.Event) -> None:
    """Set `over` when the server has ended."""
    server.wait()
    over.set()


def stop(server: subprocess.Popen[str], grace: float) -> None:
    """Ask the server and its helpers to end; kill what is left after `grace` seconds."""
    if os.name == "posix":
        os.killpg(0, signal.SIGTERM)
    else:
        server.terminate()
    try:
        server.wait(grace)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def kill_group() -> None:
    """Kill whatever the server left behind in this session; ends this process as well on POSIX."""
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)


def say(message: dict[str, object]) -> None:
    """Tell the parent; a parent that is gone is told nothing."""
    with contextlib.suppress(OSError):
        os.write(1, (json.dumps(message) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
