"""A second opinion on two mathematical answers by math-verify, in processes that can be stopped.

math-verify (Hugging Face) compares through sympy: it decides more than a fingerprint, takes about ten milliseconds a
pair, works on a process's main thread only, and now and then does not come back. So each pair is put to a worker
process, which is killed and replaced when it takes too long.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import InvalidInputError
from ..types import Answer
from ..worker import Worker, WorkerLostError

__all__ = ["MathVerify", "check_installed", "math_verify_equal"]

WORKER_BYTES = 2 * 2**30
"""Address space of a worker, where the system can limit it: sympy may try to write out a tower of powers."""

_WORKER = Path(__file__).with_name("second_opinion_worker.py")


def check_installed() -> None:
    """Raises `InvalidInputError`, with the line that installs it, unless there is math-verify."""
    if importlib.util.find_spec("math_verify") is None:
        raise InvalidInputError("a second opinion needs math-verify: run `pip install 'orchestrator[math]'`")


class MathVerify:
    """Whether answers are equal by math-verify. A context manager: leaving it ends the worker processes.

    Its functions block and may be called from several threads; in async code call them by
    `anyio.to_thread.run_sync`. Workers are started when first needed and kept.

    Args:
        timeout: Seconds a pair may take, above 0; the worker is killed then, and the pair undecided.
        workers: Processes at most, at least 1.

    Raises:
        InvalidInputError: A number is out of its range, or math-verify is not installed.
    """

    def __init__(self, *, timeout: float = 5.0, workers: int = 1) -> None:
        if not timeout > 0 or workers < 1:
            raise InvalidInputError(
                f"timeout must be above 0 and workers at least 1, not {timeout!r} and {workers}"
            )
        check_installed()
        self.timeout, self.workers = timeout, workers
        self._idle: list[Worker] = []
        self._slots = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._closed = False
        self.restarts = 0

    def __repr__(self) -> str:
        return f"MathVerify(timeout={self.timeout:g}, workers={self.workers})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def equal(self, a: Answer | str, b: Answer | str, *, timeout: float | None = None) -> bool | None:
        """Whether `a` and `b` are equal; None when undecided: unreadable, out of time or memory, or a crash.

        math-verify treats the right answer and the model's differently (5 will do for x = 5); here a pair is equal
        when it is so either way round.

        Args:
            a, b: Answers, or bare answers in LaTeX or plain notation.
            timeout: Seconds for this pair; None takes the pool's.

        Raises:
            InvalidInputError: The pool has been closed.
            OrchestratorError: A worker process does not start.
        """
        with self._slots:
            worker = self._take()
            try:
                seconds = self.timeout if timeout is None else timeout
                verdict = worker.ask([str(a), str(b), seconds], seconds)
            except WorkerLostError:
                worker.stop()
                self.restarts += 1
                return None
            except (
                BaseException
            ):  # interrupted while it was thinking: its answer would be taken for the next one's
                worker.stop()
                raise
            self._put_back(worker)
            return verdict if isinstance(verdict, bool) else None

    def equal_all(self, pairs: Iterable[tuple[Answer | str, Answer | str]]) -> list[bool | None]:
        """`equal` of each pair, on all workers at once."""
        with ThreadPoolExecutor(self.workers, thread_name_prefix="math-verify") as threads:
            return list(threads.map(lambda pair: self.equal(*pair), pairs))

    def close(self) -> None:
        """Ends the workers, one that is at work when it has answered. Safe to call twice."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for worker in idle:
            worker.stop()

    def _take(self) -> Worker:
        with self._lock:
            if self._closed:
                raise InvalidInputError("this MathVerify has been closed")
            if self._idle:
                return self._idle.pop()
        return Worker(_WORKER, [str(WORKER_BYTES)], what="math-verify")

    def _put_back(self, worker: Worker) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        worker.stop()


_shared: dict[int, MathVerify] = {}  # by process: a forked child must not talk to its parent's worker
_shared_lock = threading.Lock()


def math_verify_equal(a: Answer | str, b: Answer | str, *, timeout: float = 5.0) -> bool | None:
    """Whether `a` and `b` are equal by math-verify, asked in a worker process that is kept until exit.

    Returns, args: as for `MathVerify.equal`. Fits `PredicateClusters`; for many pairs use a `MathVerify`.
    """
    with _shared_lock:
        if (pool := _shared.get(os.getpid())) is None:
            pool = _shared[os.getpid()] = MathVerify()
            atexit.register(pool.close)
    return pool.equal(a, b, timeout=timeout)
