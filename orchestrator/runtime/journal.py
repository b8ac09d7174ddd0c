"""Every paid call on disk: one SQLite file a run.

An intent row is committed before a call is sent and a result row before its sample is used, so a killed process
loses nothing that was paid for: an intent without a result is *in doubt* and counts at its worst case. Rows are
written by one thread that commits whatever has queued up meanwhile in one transaction (group commit). WAL with
`synchronous=NORMAL`: an acknowledged row survives the process, `durable=True` (FULL) also a power cut.

Tables: `run` (one row: what ran), `requests` (what was asked, once per distinct request), `calls` (intents),
`results` (one per settled call), `outcomes` (one per finished problem); `programs` (the text of each program that
ran, oldest first) and `superseded` (outcomes of an earlier program), which are added to a journal without them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import queue
import sqlite3
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from ..answers import AnswerReader
from ..backends.model import Model
from ..budget import Budget
from ..contracts import ControlProgram
from ..errors import JournalError, JournalMismatchError
from ..prompts import Prompt
from ..types import CallId, Outcome, Price, Problem, Rating, Request, Sample, StopReason, Usage
from .asked import JUDGING, QUESTION, asked_of, changes
from .identity import describe, difference, models_text, program_hash, program_text
from .recorded import RecordedCalls, usage_of
from .records import decode_outcome, dumps, encode_outcome, encode_sample, storable

try:
    import fcntl
except ImportError:  # Windows: two runs on one journal are then not detected
    fcntl = None  # type: ignore[assignment]

__all__ = ["Journal", "JournalCounts", "RunRecord", "is_of", "mismatch"]

SCHEMA_VERSION = 1
APPLICATION_ID = 0x6F726368  # "orch"
LARGEST_BATCH = 512

LINGER = 0.001
"""Seconds the writer waits for more rows before it commits a batch: a tenth of a percent of a model call's time, and
several commits saved."""

REMEMBERED_DIGESTS = 65_536

_open_here: set[tuple[int, int]] = set()
"""Device and inode of the journals open in this process. Closing any descriptor of a file drops all POSIX locks the
process has on it, SQLite's included, and another process may then delete the log that is being written: a journal
that is open here must not even be opened to ask for the lock.
"""

SCHEMA = """
CREATE TABLE run (
    id TEXT PRIMARY KEY, program TEXT NOT NULL, program_hash TEXT NOT NULL, seed INTEGER NOT NULL,
    budget TEXT NOT NULL, version TEXT NOT NULL, started_at REAL NOT NULL
);
CREATE TABLE requests (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE calls (
    id INTEGER PRIMARY KEY, problem TEXT NOT NULL, path TEXT NOT NULL, ordinal INTEGER NOT NULL,
    attempt INTEGER NOT NULL, model TEXT NOT NULL, digest TEXT NOT NULL, seed INTEGER,
    n INTEGER NOT NULL, max_tokens INTEGER, worst_prompt_tokens INTEGER NOT NULL,
    worst_completion_tokens INTEGER NOT NULL, worst_picodollars INTEGER NOT NULL,
    price TEXT, sent_at REAL NOT NULL
);
CREATE INDEX calls_by_identity ON calls (problem, path, ordinal);
CREATE TABLE results (
    call INTEGER PRIMARY KEY REFERENCES calls (id), status TEXT NOT NULL, samples TEXT NOT NULL, error TEXT,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, requests INTEGER NOT NULL,
    picodollars INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
    seconds REAL NOT NULL, estimated INTEGER NOT NULL, finished_at REAL NOT NULL
);
CREATE TABLE outcomes (problem TEXT PRIMARY KEY, outcome TEXT NOT NULL, finished_at REAL NOT NULL);
"""

PROGRAMS = """
CREATE TABLE IF NOT EXISTS programs (
    id INTEGER PRIMARY KEY, program_hash TEXT NOT NULL, text TEXT NOT NULL, since REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS superseded (
    program_hash TEXT NOT NULL, problem TEXT NOT NULL, outcome TEXT NOT NULL, finished_at REAL NOT NULL
);
"""
"""What earlier versions did not write; they read a journal that has it."""

INSERT_REQUEST = "INSERT OR IGNORE INTO requests VALUES (?, ?)"
INSERT_CALL = "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_RESULT = "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_OUTCOME = "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?)"

USAGE_COLUMNS = (
    "prompt_tokens, completion_tokens, requests, picodollars, "
    "cached_tokens, reasoning_tokens, seconds, estimated"
)
CHARGED = f"""
SELECT call, {USAGE_COLUMNS} FROM results
UNION ALL
SELECT id, worst_prompt_tokens, worst_completion_tokens, 1, worst_picodollars, 0, 0, 0.0, 1
FROM calls WHERE id NOT IN (SELECT call FROM results)
"""
"""What each call was charged; in-doubt ones at their worst case."""

REDONE = frozenset({StopReason.BUDGET, StopReason.DEADLINE, StopReason.ERROR, StopReason.CANCELLED})
"""Outcomes a resumed run does again (its recorded calls are free): they were cut short, not finished."""

RESUMING = (
    "resume with the program it was made with, or name another file, or let this one go on with it "
    "(--allow-changed-program, allow_changed_program=True)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What ran: enough to refuse resuming something else.

    Attributes:
        id: Random identity of the run.
        program: The program's description, for people.
        program_hash: Hash of everything that decides what it does.
        seed: The run's seed.
        budget: The budget's limits as text.
        text: The program, written so that it is compared line by line; "" where an old journal does not say.
    """

    id: str
    program: str
    program_hash: str
    seed: int
    budget: str
    text: str = ""

    @classmethod
    def of(
        cls,
        program: ControlProgram,
        *,
        answers: AnswerReader,
        prompt: Prompt,
        models: Mapping[str, Model],
        seed: int = 0,
        budget: Budget | None = None,
    ) -> Self:
        """A new run of `program` with these models."""
        served = models_text(models)
        return cls(
            id=uuid.uuid4().hex,
            program=describe(program),
            program_hash=program_hash(program, answers, prompt, OrderedDict(served)),
            seed=seed,
            budget=repr(budget or Budget()),
            text=program_text(program, answers, prompt, served),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCounts:
    """Rows by kind: `sent` calls are `completed`, `failed`, `cancelled` or still `in_doubt`."""

    sent: int
    completed: int
    failed: int
    cancelled: int
    in_doubt: int
    outcomes: int


class _Waiters:
    """Futures of one event loop to be resolved with one call into it."""

    def __init__(self) -> None:
        self._by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}

    def add(self, future: asyncio.Future[None] | None) -> None:
        if future is not None:
            self._by_loop.setdefault(future.get_loop(), []).append(future)

    def resolve(self, error: JournalError | None) -> None:
        for loop, futures in self._by_loop.items():
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
                loop.call_soon_threadsafe(_resolve, futures, error)


def _resolve(futures: list[asyncio.Future[None]], error: JournalError | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
            future.exception()  # marked as seen: a result nobody awaits must not warn


class _Row(NamedTuple):
    sql: str
    values: tuple[Any, ...]
    written: asyncio.Future[None] | None


class Journal:
    """The journal of one run.

    Args:
        path: The file; made when it does not exist.
        resume: Continue the run in the file (an absent or empty file starts a new one). Without it an existing
            journal is refused, so that a run's record is never mixed with another's.
        durable: Also survive a power cut: an fsync per group of rows.

    Raises:
        JournalError: The file cannot be opened, is not a journal, is in use by another run, or exists already.
    """

    def __init__(self, path: str | os.PathLike[str], *, resume: bool = False, durable: bool = False) -> None:
        self.path = Path(path)
        self._rows: queue.SimpleQueue[_Row | None] = queue.SimpleQueue()
        self._error: JournalError | None = None
        self._closed = False
        self._lock_fd = self._lock()
        try:
            with self._translated():
                self._reader = self._connect(durable)
                self._prepare(resume)
                self._next_call = self._scalar("SELECT coalesce(max(id), 0) + 1 FROM calls")
                self._latest = float(self._scalar("SELECT coalesce(max(finished_at), 0) FROM results"))
        except BaseException:
            self._unlock()
            raise
        self._digests: set[str] = set()
        self._durable = durable
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r}, next_call={self._next_call})"

    # Opening ---------------------------------------------------------------------------------------------

    def _lock(self) -> int:
        in_use = f"the journal {str(self.path)!r} is in use by another run: wait for it or use another file"
        with contextlib.suppress(OSError):
            if _file_key(os.stat(self.path)) in _open_here:
                raise JournalError(in_use)
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise JournalError(f"cannot open the journal {str(self.path)!r}: {error.strerror}") from error
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                raise JournalError(in_use) from error
        _open_here.add(_file_key(os.fstat(descriptor)))
        return descriptor

    def _unlock(self) -> None:
        _open_here.discard(_file_key(os.fstat(self._lock_fd)))
        os.close(self._lock_fd)

    def _connect(self, durable: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30.0)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        return connection

    def _prepare(self, resume: bool) -> None:
        if self._scalar("SELECT count(*) FROM sqlite_master") == 0:
            self._reader.execute("BEGIN")
            for statement in SCHEMA.split(";"):
                self._reader.execute(statement)
            self._reader.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._reader.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._reader.execute("COMMIT")
        if self._scalar("PRAGMA application_id") != APPLICATION_ID:
            raise JournalError(f"{str(self.path)!r} is an SQLite file, but not a journal of this program")
        if (version := self._scalar("PRAGMA user_version")) != SCHEMA_VERSION:
            raise JournalError(f"{str(self.path)!r} has journal version {version}, expected {SCHEMA_VERSION}")
        for statement in PROGRAMS.split(";"):
            self._reader.execute(statement)
        if not resume and self._scalar("SELECT count(*) FROM run") > 0:
            raise JournalError(
                f"the journal {str(self.path)!r} already holds a run: resume it (--resume, resume=True) or "
                "name another file"
            )

    def _scalar(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        return self._reader.execute(sql, values).fetchone()[0]

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(f"journal {str(self.path)!r}: {error}") from error

    # The run ---------------------------------------------------------------------------------------------

    def begin(self, record: RunRecord, *, version: str, allow_changed: bool = False) -> RunRecord:
        """Write the run's row, or check `record` against the one being resumed; returns the row in force.

        With `allow_changed` a changed program goes on with the run: it meets those recorded calls that it makes as
        well, what was paid stays paid, and problems the earlier one has finished are done again.

        Raises:
            JournalMismatchError: The file was written by another program or with another seed.
        """
        with self._translated():
            row = self._reader.execute("SELECT id, program, program_hash, seed, budget FROM run").fetchone()
            if row is None:
                values = (record.id, record.program, record.program_hash, record.seed, record.budget)
                self._reader.execute("BEGIN")
                self._reader.execute(
                    "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [storable(value) for value in (*values, version, time.time())],
                )
                self._write_program(record)
                self._reader.execute("COMMIT")
                return record
            text = self._program_text(row[2])
        earlier = RunRecord(
            id=row[0], program=row[1], program_hash=row[2], seed=row[3], budget=row[4], text=text
        )
        if earlier.seed != record.seed:
            raise JournalMismatchError(
                f"the journal {str(self.path)!r} was made with seed {earlier.seed}, not {record.seed}: "
                "resume without a seed, or name another file"
            )
        if earlier.program_hash == record.program_hash:
            return earlier
        if not allow_changed:
            raise mismatch(self.path, earlier, record)
        return self._change_program(earlier, record)

    def _change_program(self, earlier: RunRecord, record: RunRecord) -> RunRecord:
        with self._translated():
            self._reader.execute("BEGIN IMMEDIATE")
            self._reader.execute(
                "INSERT INTO superseded SELECT ?, problem, outcome, finished_at FROM outcomes",
                (earlier.program_hash,),
            )
            self._reader.execute("DELETE FROM outcomes")
            self._reader.execute(
                "UPDATE run SET program = ?, program_hash = ?",
                (storable(record.program), record.program_hash),
            )
            self._write_program(record)
            self._reader.execute("COMMIT")
        return replace(record, id=earlier.id, budget=earlier.budget)

    def _write_program(self, record: RunRecord) -> None:
        self._reader.execute(
            "INSERT INTO programs (program_hash, text, since) VALUES (?, ?, ?)",
            (record.program_hash, storable(record.text), time.time()),
        )

    def _program_text(self, program_hash: str) -> str:
        row = self._reader.execute(
            "SELECT text FROM programs WHERE program_hash = ? ORDER BY id DESC LIMIT 1", (program_hash,)
        ).fetchone()
        return "" if row is None else str(row[0])

    def recorded_seed(self) -> int | None:
        """The seed of the run in the file, or None in a new file."""
        row = self._reader.execute("SELECT seed FROM run").fetchone()
        return None if row is None else int(row[0])

    # Writing: the `CallLog` protocol ---------------------------------------------------------------------

    def intend(self, request: Request, *, model: str, price: Price | None) -> tuple[int, Awaitable[None]]:
        """Queue an intent row: its number, and what to await until it is on disk."""
        call = request.call or CallId(problem="", path="", ordinal=self._next_call)
        worst = Usage() if request.hold is None else request.hold.worst_case
        row, self._next_call = self._next_call, self._next_call + 1
        if request.digest not in self._digests:
            if len(self._digests) >= REMEMBERED_DIGESTS:
                self._digests.clear()
            self._digests.add(request.digest)
            self._put(INSERT_REQUEST, (request.digest, request_body(request, model)), None)
        price_text = (
            None if price is None else f"{price.input} {price.output} {price.cached_input} {price.request}"
        )
        written = self._future()
        self._put(
            INSERT_CALL,
            (
                row, call.problem, call.path, call.ordinal, request.attempt, model, request.digest, request.seed,
                request.n, request.max_tokens, worst.prompt_tokens, worst.completion_tokens, worst.picodollars,
                price_text, time.time(),
            ),
            written,
        )  # fmt: skip
        return row, written

    def finish(
        self,
        row: int,
        *,
        usage: Usage,
        samples: Sequence[Sample] = (),
        error: str | None = None,
        cancelled: bool = False,
    ) -> Awaitable[None]:
        """Queue the result row of intent `row`; what is returned can be awaited until it is on disk."""
        status = "cancelled" if cancelled else "error" if error is not None else "ok"
        written = self._future()
        self._put(
            INSERT_RESULT,
            (
                row, status, dumps([encode_sample(sample) for sample in samples]), error, usage.prompt_tokens,
                usage.completion_tokens, usage.requests, usage.picodollars, usage.cached_tokens,
                usage.reasoning_tokens, usage.seconds, int(usage.estimated), self._finished_at(),
            ),
            written,
        )  # fmt: skip
        return written

    def _finished_at(self) -> float:
        """Now; later than all results before it, whatever the clock says: the order they came in is told by it."""
        self._latest = max(time.time(), math.nextafter(self._latest, math.inf))
        return self._latest

    async def write_outcome(
        self, outcome: Outcome, problem: Problem, recorded: RecordedCalls | None = None
    ) -> None:
        """Write the outcome of `problem`, `recorded` being the calls it has met; returns when it is on disk."""
        written = self._future()
        is_apart = None if recorded is None else recorded.is_overtaken
        record = {**encode_outcome(outcome, is_apart=is_apart), "asked": asked_of(problem)}
        values = (problem.id, dumps(record), time.time())
        self._put(INSERT_OUTCOME, values, written)
        await written

    def _future(self) -> asyncio.Future[None]:
        if self._error is not None:
            raise self._error
        if self._closed:
            raise JournalError(f"the journal {str(self.path)!r} is closed")
        return asyncio.get_running_loop().create_future()

    def _put(self, sql: str, values: tuple[Any, ...], written: asyncio.Future[None] | None) -> None:
        self._rows.put(_Row(sql, values, written))

    def _write(self) -> None:
        connection: sqlite3.Connection | None = None
        try:
            connection = self._connect(self._durable)
        except sqlite3.Error as error:
            self._error = JournalError(f"journal {str(self.path)!r}: {error}")
        while (batch := self._next_batch()) is not None:
            waiters = _Waiters()
            for row in batch:
                waiters.add(row.written)
            if connection is not None and self._error is None:
                self._error = self._commit(connection, batch)
            waiters.resolve(self._error)
        if connection is not None:
            connection.close()

    def _next_batch(self) -> list[_Row] | None:
        row = self._rows.get()
        if row is None:
            return None
        time.sleep(LINGER)
        batch = [row]
        with contextlib.suppress(queue.Empty):
            while len(batch) < LARGEST_BATCH:
                row = self._rows.get_nowait()
                if row is None:
                    self._rows.put(None)  # close after this batch
                    break
                batch.append(row)
        return batch

    def _commit(self, connection: sqlite3.Connection, batch: list[_Row]) -> JournalError | None:
        """Write a batch in one transaction; what went wrong, when it could not be."""
        try:
            connection.execute("BEGIN")
            for sql in dict.fromkeys(row.sql for row in batch):
                rows = (row.values for row in batch if row.sql is sql)
                connection.executemany(sql, [[storable(value) for value in values] for values in rows])
            connection.execute("COMMIT")
        except Exception as error:  # also a value SQLite cannot hold: who waits must hear of it
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            known = isinstance(error, sqlite3.Error)
            said = f"{error}; make room, then resume the run" if known else f"{type(error).__name__}: {error}"
            return JournalError(f"cannot write the journal {str(self.path)!r}: {said}")
        return None

    # Reading ---------------------------------------------------------------------------------------------

    def charged(self) -> Usage:
        """Everything paid so far: settled calls, and in-doubt ones at their worst case."""
        with self._translated():
            sums = ", ".join(f"coalesce(sum({column}), 0)" for column in USAGE_COLUMNS.split(", "))
            row = self._reader.execute(f"SELECT {sums} FROM ({CHARGED})").fetchone()
        return usage_of(row)

    def counts(self) -> JournalCounts:
        """Rows by kind."""
        with self._translated():
            by_status = dict(self._reader.execute("SELECT status, count(*) FROM results GROUP BY status"))
            sent = self._scalar("SELECT count(*) FROM calls")
            outcomes = self._scalar("SELECT count(*) FROM outcomes")
        return JournalCounts(
            sent=sent,
            completed=by_status.get("ok", 0),
            failed=by_status.get("error", 0),
            cancelled=by_status.get("cancelled", 0),
            in_doubt=sent - sum(by_status.values()),
            outcomes=outcomes,
        )

    def recorded(self, problem: str) -> RecordedCalls:
        """The calls an earlier run made for `problem`."""
        with self._translated():
            return RecordedCalls(self._reader, problem)

    def outcome(
        self, problem: Problem, recorded: RecordedCalls | None = None, *, question_alone: bool = False
    ) -> Outcome | None:
        """The outcome recorded for `problem`; None where there is none, or its `reference` or `tests` were others.

        Args:
            problem: The problem.
            recorded: Its calls, which saves reading them again.
            question_alone: Compare the question only, and not what comes with it: fields, reference and tests.

        Raises:
            JournalMismatchError: It was recorded for another question with the same id.
        """
        with self._translated():
            row = self._reader.execute(
                "SELECT outcome FROM outcomes WHERE problem = ?", (storable(problem.id),)
            ).fetchone()
            if row is None:
                return None
            fields = json.loads(row[0])
            if not is_of(self.path, fields["asked"], problem, question_alone=question_alone):
                return None
            calls = self.recorded(problem.id) if recorded is None else recorded
            return decode_outcome(problem.id, fields, calls.sample)

    def outcomes(self) -> Iterator[Outcome]:
        """Every outcome recorded, in the order they finished; what their problems asked is not checked."""
        with self._translated():
            rows = self._reader.execute("SELECT problem, outcome FROM outcomes ORDER BY finished_at, rowid")
            for problem, fields in rows.fetchall():
                yield decode_outcome(problem, json.loads(fields), self.recorded(problem).sample)

    def close(self) -> None:
        """Write what is queued and close the file. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._rows.put(None)
        self._thread.join()
        self._reader.close()
        self._unlock()


def is_of(
    path: str | os.PathLike[str],
    asked_then: Mapping[str, str] | str,
    problem: Problem,
    *,
    question_alone: bool = False,
) -> bool:
    """Whether an outcome is of this very problem; not where its `reference` or `tests` were others.

    Args:
        path: The journal.
        asked_then: What the problem was when the outcome was recorded.
        problem: The problem as it is.
        question_alone: Compare the question only, and not what comes with it: fields, reference and tests.

    Raises:
        JournalMismatchError: It was recorded for another question with the same id.
    """
    changed = changes(asked_then, problem)
    asked = [name for name in changed if name not in JUDGING]
    if any(name in QUESTION or not question_alone for name in asked):
        raise JournalMismatchError(
            f"the journal {os.fspath(path)!r} has an answer to problem {problem.id!r}, which asked something else "
            f"then (changed: {', '.join(asked)}): give the problem another id, or name another file"
        )
    return question_alone or not changed


def mismatch(
    path: str | os.PathLike[str], earlier: RunRecord, record: RunRecord, *, advice: str = RESUMING
) -> JournalMismatchError:
    """The error that a journal belongs to another program: in what they differ, and what to do."""
    diff = difference(earlier.text, record.text) if earlier.text else ""
    told = diff.rstrip("\n") or f"  journal: {earlier.program}\n  now:     {record.program}"
    return JournalMismatchError(
        f"the journal {os.fspath(path)!r} belongs to another program:\n{told}\n{advice}", diff=diff
    )


def _file_key(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def request_body(request: Request, model: str) -> str:
    """What is asked, as JSON; `n`, `max_tokens` and the seed stand in the call's row."""
    fields = {
        "model": model,
        "messages": request.messages,
        "prompt": request.prompt,
        "texts": request.texts,
        "rating": None if request.rating is None else _filled_fields(request.rating),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": request.stop,
        "logprobs": request.logprobs,
        "extra": dict(request.extra),
    }
    return dumps({name: value for name, value in fields.items() if value not in (None, (), {})})


def _filled_fields(rating: Rating) -> dict[str, Any]:
    return {name: value for name in Rating.__slots__ if (value := getattr(rating, name))}
