"""The first process of a sandbox: takes the job, runs one test after another, reports each as it is done.

Messages to the outside are JSON, one a line: `{"begin": i}` before a test, its verdict after it, `{"end": true}`.
"""

from __future__ import annotations

import _socket
import array
import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from typing import Any

from .candidate import run_script, serve
from .examiner import examine, of_program
from .peer import Channel

__all__ = ["main"]

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4

OWN_PROCESSES = 3
"""Processes of ours that count against the limit besides the candidate: driver, nursery, examiner."""

CLEARING_SECONDS = 2.0
"""What the program's processes may take to die, memory and all; less than the grace a driver has outside."""


def main() -> None:
    """Run the job on standard input, and report on standard output."""
    limits = json.loads(_read_frame(0))
    report = os.dup(1)
    _become(int(limits.get("uid") or 0))
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 1)
    _limit(limits)
    _dumpable(False, contained=limits["contained"])
    program = json.loads(_read_frame(0))
    nursery = _Nursery(program["code"], limits, closing=(report,))
    tests = json.loads(_read_frame(0))  # only now: the nursery and its children must never have held them
    os.dup2(quiet, 0)
    first = program["first"]
    ends = time.monotonic() + limits["seconds_left"]
    for number, test in enumerate(tests, start=first):
        _say(report, {"begin": number})
        left = ends - time.monotonic()
        if left <= 0:
            verdict: dict[str, Any] = {
                "status": "timeout",
                "message": _too_long(limits["total_seconds"], "all tests"),
            }
        else:
            verdict = _Trial(test, limits, nursery, report).run(min(left, limits["seconds"]))
        _say(report, {"test": number, **verdict})
        if nursery.gone:  # there is no program any more for the tests that follow: they need another sandbox
            break
    _say(report, {"end": True})
    while limits["contained"]:  # killed from outside, we are waited for; ending by ourselves, we might not be
        signal.pause()
    os._exit(0)


def _become(uid: int) -> None:
    """Give up root for good, before anything of the job is read."""
    if uid and os.getuid() != uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def _limit(limits: Any) -> None:
    for name, value in (
        ("NOFILE", limits["open_files"]),
        ("FSIZE", limits["file_bytes"]),
        ("CORE", 0),
        ("MEMLOCK", 0),
        ("MSGQUEUE", 0),
        *((("NPROC", limits["processes"] + OWN_PROCESSES),) if limits["contained"] else ()),
    ):
        _lower(getattr(resource, f"RLIMIT_{name}"), value)


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _limit_worker(limits: Any) -> None:
    """Limits of the processes that run foreign code."""
    _lower(resource.RLIMIT_AS, limits["memory_bytes"])
    seconds = max(1, -int(-limits["cpu_seconds"] // 1))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def _dumpable(yes: bool, *, contained: bool) -> None:
    """Whether processes of the same user may read this one's memory.

    Raises:
        OSError: They still may; without that no test is run in a sandbox.
    """
    try:
        import ctypes

        failed = ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, int(yes), 0, 0, 0) != 0
    except (ImportError, OSError, AttributeError) as error:
        if contained:
            raise OSError(f"the tests' memory cannot be closed to the program: {error}") from None
    else:
        if failed and contained:
            raise OSError("the tests' memory cannot be closed to the program")


def _die_with_parent(*, contained: bool) -> None:
    """Without a process namespace, whoever leaves the driver's group has to be told that the driver is gone."""
    if contained:
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


class _Nursery:
    """A process that forks candidate processes, and has never seen a test."""

    def __init__(self, code: str, limits: Any, closing: tuple[int, ...]) -> None:
        self.gone = False  # killed by a program, as only a program would
        self.socket, theirs = _socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.socket.close()
                for fd in (0, *closing):
                    os.close(fd)
                os.open(os.devnull, os.O_RDWR)  # becomes 0
                _tend(theirs, code, limits)
            finally:
                os._exit(0)
        theirs.close()

    def fork(self, kind: str, fds: list[int]) -> int:
        """The process id of a new candidate process that has `fds`: channel, stdin, stdout, stderr."""
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", fds))
        return self._answer_to([b"S" if kind == "script" else b"F"], [rights], failed=-1)

    def status(self) -> int:
        """How the last one ended, as `os.waitstatus_to_exitcode`; it must have been killed or be ending."""
        return self._answer_to([b"W"], [], failed=-signal.SIGKILL)

    def _answer_to(self, order: list[bytes], rights: list[Any], *, failed: int) -> int:
        try:
            self.socket.sendmsg(order, rights)
            answer = self.socket.recv(64)
        except OSError:
            answer = b""
        self.gone = self.gone or not answer
        return int(answer) if answer else failed


def _tend(orders: Any, code: str, limits: Any) -> None:
    """The nursery's loop."""
    pid = 0
    while True:
        order, ancillary, _, _ = orders.recvmsg(1, _socket.CMSG_LEN(16))
        if not order:
            return
        if order == b"W":
            orders.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
            continue
        fds = array.array("i")
        fds.frombytes(ancillary[0][2])
        try:
            pid = os.fork()
        except OSError:
            pid = -1
        if pid == 0:
            try:
                orders.close()
                _raise_child(order == b"S", code, limits, list(fds))
            finally:
                os._exit(0)
        for fd in fds:
            os.close(fd)
        orders.send(str(pid).encode())


def _raise_child(script: bool, code: str, limits: Any, fds: list[int]) -> None:
    """The candidate process, from here to its end."""
    os.setsid()
    _die_with_parent(contained=limits["contained"])
    for target, fd in enumerate(fds[1:]):
        os.dup2(fd, target)
    channel = fds[0]
    for fd in range(3, limits["open_files"]):
        if fd != channel:
            with contextlib.suppress(OSError):
                os.close(fd)
    _limit_worker(limits)
    _dumpable(True, contained=limits["contained"])
    sys.path[:0] = limits["packages"]
    for name, fd, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        lines = 1 if name == "stderr" else -1
        stream = open(fd, mode, lines, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
    (run_script if script else serve)(code, Channel(channel, limits["output_bytes"] + 4096, of_program=True))


class _Trial:
    """One test of the program: the processes, and what came out of them."""

    def __init__(self, test: dict[str, Any], limits: Any, nursery: _Nursery, report: int) -> None:
        self.test, self.limits, self.nursery, self.report = test, limits, nursery, report
        self.out, self.err, self.verdict, self.written = bytearray(), bytearray(), bytearray(), 0
        self.examiner = self.candidate = 0

    def run(self, seconds: float) -> dict[str, Any]:
        """The verdict, after at most `seconds` and the time to clear up."""
        started = time.monotonic()
        ours, theirs = _socket.socketpair()
        readers = {name: os.pipe() for name in ("out", "err", "verdict")}
        feed, feeding = os.pipe()
        self.candidate = self.nursery.fork(
            self.test["kind"], [theirs.fileno(), feed, readers["out"][1], readers["err"][1]]
        )
        theirs.close()
        os.close(feed)
        self._start_examiner(ours, readers["verdict"], closing=[feeding, *(r for r, _ in readers.values())])
        script = self.test["kind"] == "script"
        if script:
            os.close(readers["verdict"][0])
            readers["verdict"] = (os.dup(ours.fileno()), -1)
        ours.close()
        for _, writer in readers.values():
            if writer >= 0:
                os.close(writer)
        ended = self._watch(
            {fd: name for name, (fd, _) in readers.items()}, feeding, started + seconds, script=script
        )
        status = self._clear()
        if ended == "done":
            self._drain(readers)
        for fd, _ in readers.values():
            os.close(fd)
        verdict = self._verdict(ended, status, seconds)
        return {
            **verdict,
            "stdout": self.out.decode(errors="replace"),
            "stderr": self.err[-4096:].decode(errors="replace"),
            "seconds": time.monotonic() - started,
        }

    def _start_examiner(self, channel: Any, pipe: tuple[int, int], closing: list[int]) -> None:
        if self.test["kind"] == "script":
            return
        try:
            self.examiner = os.fork()
        except OSError:  # left-overs of an earlier test hold every place
            return
        if self.examiner:
            return
        try:
            self.nursery.socket.close()
            for fd in (self.report, *closing):
                os.close(fd)
            os.setsid()
            _die_with_parent(contained=self.limits["contained"])
            _limit_worker(self.limits)
            limit = self.limits["output_bytes"] + 4096
            answer = examine(self.test, Channel(channel.fileno(), limit, of_program=False))
            data = memoryview(json.dumps(answer).encode())
            while data:
                data = data[os.write(pipe[1], data) :]
        except MemoryError:
            os.write(pipe[1], b'{"status": "memory", "message": "the test ran out of memory"}')
        finally:
            os._exit(0)

    # Watching --------------------------------------------------------------------------------------------

    def _watch(self, names: dict[int, str], feeding: int, ends: float, *, script: bool) -> str:
        """Read what comes until the verdict is there; why that ended: `done`, `timeout` or `output`."""
        poll, stdin = select.poll(), memoryview(self.test.get("stdin", "").encode(errors="replace"))
        for fd in names:
            poll.register(fd, select.POLLIN)
        os.set_blocking(feeding, False)
        if stdin:
            poll.register(feeding, select.POLLOUT)
        else:
            os.close(feeding)
        open_ = set(names)
        waiting_for = {fd for fd, name in names.items() if name == "verdict" or (script and name != "err")}
        while waiting_for & open_:
            left = ends - time.monotonic()
            if left <= 0:
                return self._stop_feeding(feeding, stdin, "timeout")
            for fd, _ in poll.poll(left * 1000):
                if fd == feeding:
                    stdin = self._fed(poll, fd, stdin)
                elif not (data := os.read(fd, 65536)):
                    poll.unregister(fd)
                    open_.discard(fd)
                elif not self._take(names[fd], data):
                    return self._stop_feeding(feeding, stdin, "output")
        return self._stop_feeding(feeding, stdin, "done")

    def _fed(self, poll: Any, fd: int, stdin: memoryview) -> memoryview:
        try:
            stdin = stdin[os.write(fd, stdin) :]
        except OSError:  # the program does not want it
            stdin = memoryview(b"")
        if not stdin:
            poll.unregister(fd)
            os.close(fd)
        return stdin

    def _stop_feeding(self, fd: int, stdin: memoryview, reason: str) -> str:
        if stdin:
            os.close(fd)
        return reason

    def _take(self, name: str, data: bytes) -> bool:
        """Keep what was written; False when it is too much."""
        getattr(self, name).extend(data)
        del self.err[: -2 * 4096]
        if name == "verdict":  # twice the longest that is proper
            most: int = self.limits["output_bytes"]
            return len(self.verdict) <= 2 * most + 16384
        self.written += len(data)
        return bool(self.written <= self.limits["output_bytes"])

    def _drain(self, readers: dict[str, tuple[int, int]]) -> None:
        """What was written last, now that nobody writes any more."""
        for name in ("out", "err"):
            fd = readers[name][0]
            os.set_blocking(fd, False)
            try:
                while (data := os.read(fd, 65536)) and self._take(name, data):
                    pass
            except BlockingIOError:
                pass

    def _clear(self) -> int:
        """Kill all that the test has started; how the candidate process ended."""
        if self.examiner:
            _kill(self.examiner)
            os.waitpid(self.examiner, 0)
        if self.candidate <= 0:
            return -signal.SIGKILL
        status = self._kill_candidate()
        if self.limits["contained"] and (os.getpid() == 1 or (os.getpid(), os.getppid()) == (2, 1)):
            self._clear_namespace()
        return status

    def _clear_namespace(self) -> None:
        """Kill everybody in a process namespace of our own who is not one of us: they are the program's."""
        ends = time.monotonic() + CLEARING_SECONDS
        while time.monotonic() < ends:
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:  # orphans come to the first process of a namespace
                    pass
            others = {int(name) for name in os.listdir("/proc") if name.isdigit()}
            others -= {1, os.getpid(), self.nursery.pid}
            if not others:
                return
            for pid in others:
                _kill(pid)
            time.sleep(0.001)
        os._exit(1)  # something does not die: the whole sandbox has to

    def _kill_candidate(self) -> int:
        with contextlib.suppress(OSError):
            os.killpg(self.candidate, signal.SIGKILL)
        _kill(self.candidate)  # it may not have come as far as a session of its own
        return self.nursery.status()

    def _verdict(self, ended: str, status: int, seconds: float) -> dict[str, Any]:
        if ended == "timeout":
            return {"status": "timeout", "message": _too_long(seconds, "the test")}
        if ended == "output":
            most = self.limits["output_bytes"]
            return {"status": "output", "message": f"the program wrote more than {most:,} bytes"}
        if self.test["kind"] == "script":
            return self._verdict_on_script(status)
        try:
            verdict = json.loads(self.verdict)
            lost = verdict["status"] not in _OF_EXAMINER
        except (ValueError, TypeError, KeyError, RecursionError):  # the test ended its own process
            lost = True
        return _of_exit(status, self.limits) if lost else verdict

    def _verdict_on_script(self, status: int) -> dict[str, Any]:
        length = int.from_bytes(self.verdict[:4], "big")
        try:
            told = json.loads(bytes(self.verdict[4 : 4 + length])) if self.verdict else None
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict) and isinstance(told.get("raised"), dict):
            return of_program(told["raised"], "the program")
        if told is None and status != 0:
            return _of_exit(status, self.limits)
        return {"status": "returned"}


_OF_EXAMINER = frozenset({"passed", "returned", "failed", "exception", "memory", "output", "syntax"})


def _of_exit(status: int, limits: Any) -> dict[str, Any]:
    """The verdict on a process that ended before it had answered."""
    if -status == signal.SIGXCPU:
        return {
            "status": "timeout",
            "message": _too_long(limits["cpu_seconds"], "the test", "seconds of CPU time"),
        }
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
        return {"status": "killed", "message": f"the program was killed by signal {name}"}
    return {
        "status": "killed",
        "message": f"the program ended itself (exit code {status}) before it had answered",
    }


def _too_long(seconds: float, what: str, unit: str = "seconds") -> str:
    return f"{what} took longer than {seconds:.3g} {unit}"


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def _say(fd: int, message: dict[str, Any]) -> None:
    data = memoryview(json.dumps(message).encode() + b"\n")
    while data:
        data = data[os.write(fd, data) :]


def _read_frame(fd: int) -> bytes:
    """Length and body; not a byte beyond, for what follows is not for every process."""
    return _exactly(fd, int.from_bytes(_exactly(fd, 8), "big"))


def _exactly(fd: int, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = os.read(fd, min(count - len(parts), 1 << 20))
        if not part:
            os._exit(0)  # the other side is gone
        parts += part
    return bytes(parts)
