"""What an earlier run has left in its journal, read without touching it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..costs import cost_of
from ..errors import InvalidInputError
from ..programs.expected import Expected, RecordedCall
from ..types import Problem, StopReason, Usage
from .journal import APPLICATION_ID, CHARGED, REDONE, USAGE_COLUMNS, RunRecord, is_of, mismatch
from .recorded import CHANGED, usage_of
from .records import storable

__all__ = ["EarlierRun"]

SUMS = ", ".join(f"coalesce(sum({column}), 0)" for column in USAGE_COLUMNS.split(", "))


class EarlierRun:
    """The run in a journal, open or ended; a context manager.

    Args:
        path: The journal.

    Raises:
        InvalidInputError: There is none.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._is_another = False
        self._spent: dict[str, Usage] | None = None
        if not self.path.is_file():
            raise InvalidInputError(f"there is no journal {str(path)!r}")
        self._connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            with self._translated():
                self._record = self._run()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def __repr__(self) -> str:
        return f"EarlierRun({str(self.path)!r})"

    # Its program -------------------------------------------------------------------------------------------

    def compare(self, record: RunRecord, *, advice: str, allow_changed: bool) -> bool:
        """Whether the run is of this very program; with `allow_changed` it need not be.

        Another program, to which the run is given over, has finished no problem.

        Raises:
            JournalMismatchError: It is another's.
        """
        earlier = self._record
        self._is_another = earlier is not None and earlier.program_hash != record.program_hash
        if earlier is not None and self._is_another and not allow_changed:
            raise mismatch(self.path, earlier, record, advice=advice)
        return not self._is_another

    def _run(self) -> RunRecord | None:
        if self._scalar("PRAGMA application_id") != APPLICATION_ID:
            raise InvalidInputError(f"{str(self.path)!r} is no journal")
        row = self._connection.execute("SELECT id, program, program_hash, seed, budget FROM run").fetchone()
        if row is None:
            return None
        texts = (
            self._connection.execute(
                "SELECT text FROM programs WHERE program_hash = ? ORDER BY id DESC LIMIT 1", (row[2],)
            ).fetchone()
            if self._tells_programs()
            else None
        )
        return RunRecord(
            id=row[0],
            program=row[1],
            program_hash=row[2],
            seed=row[3],
            budget=row[4],
            text="" if texts is None else texts[0],
        )

    def _tells_programs(self) -> bool:
        """Whether the journal has the table of programs, which those of earlier versions have not."""
        return bool(self._scalar("SELECT count(*) FROM sqlite_master WHERE name = 'programs'"))

    # What it has spent -------------------------------------------------------------------------------------

    def charged(self) -> Usage:
        """Everything paid: settled calls, and in-doubt ones at their worst case."""
        with self._translated():
            return usage_of(self._connection.execute(f"SELECT {SUMS} FROM ({CHARGED})").fetchone())

    def spent(self, problem: Problem) -> Usage:
        """What was paid for a problem."""
        if self._spent is None:
            with self._translated():
                rows = self._connection.execute(
                    f"SELECT problem, {SUMS} FROM ({CHARGED}) JOIN calls ON calls.id = call GROUP BY problem"
                )
                self._spent = {name: usage_of(figures) for name, *figures in rows}
        return self._spent.get(storable(problem.id), Usage())

    def finished(self, problem: Problem) -> bool:
        """Whether the run has the outcome of this very problem, and it is not one that is done again.

        Raises:
            JournalMismatchError: It was recorded for another question with the same id.
        """
        if self._is_another:
            return False
        with self._translated():
            row = self._connection.execute(
                "SELECT outcome FROM outcomes WHERE problem = ?", (storable(problem.id),)
            ).fetchone()
        if row is None:
            return False
        fields = json.loads(row[0])
        return is_of(self.path, fields["asked"], problem) and StopReason(fields["stop_reason"]) not in REDONE

    def expected(self, *, mixed: bool = False) -> Expected:
        """What its calls took, in-doubt ones at their worst case.

        Args:
            mixed: Whether problems count for which an earlier program made calls as well, before the run was given
                over to the one it belongs to.
        """
        with self._translated():
            since = self._scalar(CHANGED) if self._tells_programs() and not mixed else 0
            before = {
                problem
                for (problem,) in self._connection.execute(
                    "SELECT DISTINCT problem FROM calls WHERE sent_at < ?", (since,)
                )
            }
            rows = self._connection.execute(
                f"SELECT problem, path, {USAGE_COLUMNS} FROM ({CHARGED}) JOIN calls ON calls.id = call ORDER BY call"
            ).fetchall()
            problems = self._connection.execute(
                "SELECT problem FROM calls UNION SELECT problem FROM outcomes"
            )
            return Expected(
                calls=[
                    RecordedCall(problem=problem, path=path, cost=cost_of(usage_of(figures)))
                    for problem, path, *figures in rows
                    if problem not in before
                ],
                problems=sum(problem not in before for (problem,) in problems),
                left_out=len(before),
            )

    def _scalar(self, sql: str) -> Any:
        return self._connection.execute(sql).fetchone()[0]

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise InvalidInputError(f"{str(self.path)!r} is no journal: {error}") from error
