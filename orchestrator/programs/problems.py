"""Problems from a file: JSON Lines, a JSON array, CSV or TSV, each also gzipped; read as they are needed."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ..errors import InvalidInputError
from ..types import Problem
from .fields import check_fields, read_cell
from .spec import FieldKind

__all__ = ["ProblemFile"]

LONGEST_LINE = 16 * 2**20  # bytes

ID_COLUMNS = ("id", "task_id")
PROMPT_COLUMNS = ("question", "prompt", "problem", "input", "text")
REFERENCE_COLUMNS = ("answer", "reference", "gold", "target")
TESTS_COLUMNS = ("tests",)


@dataclass(frozen=True, slots=True)
class Row:
    """A record.

    Attributes:
        line: The line it begins on.
        values: What it has, by column.
        cells: In a table, where all values are texts, the line each begins on; None in JSON.
    """

    line: int
    values: Mapping[str, Any]
    cells: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFile:
    """A file of problems; iterating reads it from the start.

    Columns are found by name: `id` or `task_id` (else the number of the line); `question`, `prompt`,
    `problem`, `input` or `text`, or `messages` for a chat; `answer`, `reference`, `gold` or `target`;
    `tests`. All columns but the reference can be used in templates. In a table every cell is a text: those of the
    columns that `fields` names are read as it says, a list being written as JSON.

    Args:
        path: The file; its name tells the format, else its first character does. None is standard input, which can
            be read once.
        limit: Problems at most, at least 1; None for all.
        offset: Problems passed over first, at least 0.
        id: Column of the id, or None for the names above; likewise the next three.
        prompt: Column of the question.
        reference: Column of the right answer.
        tests: Column of what a verifier needs.
        fields: Columns that each problem must have besides, and of what kind.

    Raises (while iterating):
        InvalidInputError: The file cannot be read, has no problems, or a record is wrong; says file and line.
    """

    path: Path | None
    limit: int | None = None
    offset: int = 0
    id: str | None = None
    prompt: str | None = None
    reference: str | None = None
    tests: str | None = None
    fields: Mapping[str, FieldKind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise InvalidInputError(f"limit must be at least 1, not {self.limit}")
        if self.offset < 0:
            raise InvalidInputError(f"offset must not be negative, not {self.offset}")

    def __iter__(self) -> Iterator[Problem]:
        return (problem for _, problem in self.numbered())

    def numbered(self) -> Iterator[tuple[int, Problem]]:
        """The problems, each with the line it begins on. Raises as iterating does."""
        stop = None if self.limit is None else self.offset + self.limit
        lines: dict[str, int] = {}
        for row in islice(self._rows(), self.offset, stop):
            problem = self._with_fields(row, self._problem(row.line, row.values))
            if problem.id in lines:
                raise self._wrong(row.line, f"the id {problem.id!r} is already on line {lines[problem.id]}")
            lines[problem.id] = row.line
            yield row.line, problem
        if not lines:
            what = f"no problems after the first {self.offset}" if self.offset else "no problems in it"
            raise InvalidInputError(f"{self.name}: {what}")

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.path is None else str(self.path)

    @property
    def is_read_once(self) -> bool:
        """Whether a second reading would find nothing, or other problems: of standard input, and of a pipe."""
        if self.path is None:
            return True
        try:
            mode = self.path.stat().st_mode
        except OSError:
            return False  # reading it says what is wrong
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))

    def count(self) -> int:
        """How many problems iterating gives."""
        return sum(1 for _ in self)

    # Records ---------------------------------------------------------------------------------------------

    def _rows(self) -> Iterator[Row]:
        lines = self._lines()
        kind = None if self.path is None else _kind_by_name(self.path)
        if kind is None or kind == "json":
            first, lines = _peek(lines)
            if kind == "json" and not first.startswith("["):
                kind = "jsonl"
            kind = kind or {"{": "jsonl", "[": "json"}.get(first[:1], "csv")
        if kind == "jsonl":
            return self._json_lines(lines)
        if kind == "json":
            return self._json_array(lines)
        return self._table(lines, delimiter="\t" if kind == "tsv" else None)

    def _json_lines(self, lines: Iterator[str]) -> Iterator[Row]:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield Row(number, self._record(number, self._decoded(number, line.strip())))

    def _decoded(self, number: int, text: str) -> Any:
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            line = number + error.lineno - 1
            raise self._wrong(line, f"not JSON: {error.msg} (column {error.colno})") from error
        except (RecursionError, ValueError) as error:
            raise self._wrong(number, f"not JSON that can be read: {error}") from error

    def _record(self, number: int, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(number, f"a problem must be a JSON object, not {json.dumps(value)[:40]}")
        return value

    def _json_array(self, lines: Iterator[str]) -> Iterator[Row]:
        """The array's items, each decoded as soon as enough lines have been read."""
        decoder, buffer, line = json.JSONDecoder(), "", 1
        place = "["  # what must come next: "[", "item or ]", ", or ]", "item", "end"
        for more in _growing(lines):
            buffer += more
            while True:
                stripped = buffer.lstrip()
                line += buffer.count("\n", 0, len(buffer) - len(stripped))
                buffer = stripped
                if not buffer:
                    break
                if (
                    place == "["
                    or (place == ", or ]" and buffer[0] in ",]")
                    or (place[-1] == "]" and buffer[0] == "]")
                ):
                    place = "end" if buffer[0] == "]" else "item" if buffer[0] == "," else "item or ]"
                    buffer = buffer[1:]
                elif place in ("item", "item or ]") and buffer[0] == "{":
                    try:
                        value, end = decoder.raw_decode(buffer)
                    except (json.JSONDecodeError, RecursionError):
                        break  # not all of it read yet, or wrong: known at the end
                    yield Row(line, value)
                    line, buffer, place = line + buffer.count("\n", 0, end), buffer[end:], ", or ]"
                else:
                    expected = (
                        "a JSON object" if "item" in place else "`,` or `]`" if place != "end" else "nothing"
                    )
                    raise self._wrong(line, f"expected {expected}, found {buffer[:20]!r}")
            if len(buffer) > LONGEST_LINE:
                raise self._wrong(line, f"this item is longer than {LONGEST_LINE // 2**20} MiB")
        if place != "end":
            if buffer:
                self._decoded(line, buffer)
            raise self._wrong(line, "the JSON array does not end")

    def _table(self, lines: Iterator[str], *, delimiter: str | None) -> Iterator[Row]:
        first, lines = _peek(lines)
        delimiter = delimiter or ("\t" if first.count("\t") > first.count(",") else ",")
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        begins = 1
        try:
            columns: list[str] | None = None
            for cells in reader:
                if columns is None:
                    columns = self._columns(begins, cells) if any(cells) else None
                elif any(cells):
                    if len(cells) != len(columns):
                        raise self._wrong(begins, f"{len(cells)} cells under {len(columns)} columns")
                    yield self._row(begins, columns, cells)
                begins = reader.line_num + 1
        except csv.Error as error:
            raise self._wrong(begins, f"not a table: {error}") from error

    def _row(self, begins: int, columns: list[str], cells: list[str]) -> Row:
        values, lines, line = {}, {}, begins
        for name, cell in zip(columns, cells, strict=True):
            if name:
                values[name], lines[name] = cell, line
            line += cell.count("\n")
        return Row(begins, values, lines)

    def _columns(self, line: int, cells: list[str]) -> list[str]:
        names = [cell.strip() for cell in cells]
        repeated = sorted({name for name in names if name and names.count(name) > 1})
        if repeated:
            raise self._wrong(line, f"two columns have the same name: {', '.join(repeated)}")
        return names

    # A record as a problem -------------------------------------------------------------------------------

    def _problem(self, line: int, record: Mapping[str, Any]) -> Problem:
        id_column = self._column(line, record, "id", self.id, ID_COLUMNS)
        prompt_column = self._column(line, record, "prompt", self.prompt, PROMPT_COLUMNS)
        reference_column = self._column(line, record, "reference", self.reference, REFERENCE_COLUMNS)
        tests_column = self._column(line, record, "tests", self.tests, TESTS_COLUMNS)
        prompt = None if prompt_column is None else _as_prompt(record[prompt_column])
        messages = self._messages(line, record) if prompt is None else None
        if prompt is None and messages is None:
            expected = ", ".join((*PROMPT_COLUMNS, "messages"))
            raise self._wrong(
                line,
                f"no question; expected a column named {expected}{_there_are(record)}; "
                "other names are given in a program file, as in problems: {file: FILE, prompt: COLUMN}",
            )
        return Problem(
            id=str(line) if id_column is None else str(record[id_column]),
            prompt=prompt,
            messages=messages,
            reference=None if reference_column is None else _as_reference(record[reference_column]),
            tests=None if tests_column is None else record[tests_column],
            fields={name: value for name, value in record.items() if name != reference_column},
        )

    def _with_fields(self, row: Row, problem: Problem) -> Problem:
        """`problem` with the fields that are declared, as what they are declared to be."""
        if row.cells is not None:
            read = dict(problem.fields)
            for name, kind in self.fields.items():
                if name in read:
                    try:
                        read[name] = read_cell(name, kind, read[name])
                    except InvalidInputError as error:
                        raise self._wrong(row.cells[name], f"problem {problem.id!r}: {error}") from error
            problem = replace(problem, fields=read)
        try:
            check_fields(self.fields, problem)
        except InvalidInputError as error:
            raise self._wrong(row.line, str(error)) from error
        return problem

    def _column(
        self, line: int, record: Mapping[str, Any], what: str, asked: str | None, usual: Iterable[str]
    ) -> str | None:
        if asked is not None:
            if asked not in record:
                raise self._wrong(line, f"no column {asked!r} for the {what}{_there_are(record)}")
            return asked
        return next((name for name in usual if record.get(name) not in (None, "")), None)

    def _messages(self, line: int, record: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...] | None:
        messages = record.get("messages")
        if messages is None:
            return None
        if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
            raise self._wrong(line, "`messages` must be a list of objects with `role` and `content`")
        return tuple(messages)

    # Text ------------------------------------------------------------------------------------------------

    def _lines(self) -> Iterator[str]:
        """Decoded lines with their ends, without a byte order mark."""
        try:
            with _opened(self.path) as stream:
                number = 0
                while raw := stream.readline(LONGEST_LINE + 1):
                    number += 1
                    if len(raw) > LONGEST_LINE:
                        raise self._wrong(number, f"longer than {LONGEST_LINE // 2**20} MiB")
                    try:
                        text = raw.decode("utf-8")
                    except UnicodeDecodeError as error:
                        raise self._wrong(number, f"not UTF-8 text (byte {error.start + 1})") from error
                    yield text.removeprefix("\ufeff") if number == 1 else text
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InvalidInputError(f"{self.name}: not a whole gzip file: {error}") from error
        except OSError as error:
            raise InvalidInputError(f"cannot read {self.name!r}: {error.strerror or error}") from error

    def _wrong(self, line: int, message: str) -> InvalidInputError:
        return InvalidInputError(f"{self.name}:{line}: {message}")


def _opened(path: Path | None) -> contextlib.AbstractContextManager[gzip.GzipFile | IO[bytes]]:
    if path is None:
        return contextlib.nullcontext(sys.stdin.buffer)
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def _kind_by_name(path: Path) -> str | None:
    name = path.name.lower().removesuffix(".gz")
    return {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv"}.get(
        Path(name).suffix
    )


def _peek(lines: Iterator[str]) -> tuple[str, Iterator[str]]:
    """The first line that is not blank, stripped, and all lines."""
    seen: list[str] = []
    first = ""
    for line in lines:
        seen.append(line)
        if first := line.strip():
            break
    return first, _chained(seen, lines)


def _chained(seen: list[str], rest: Iterator[str]) -> Iterator[str]:
    yield from seen
    yield from rest


def _growing(lines: Iterator[str]) -> Iterator[str]:
    """`lines` joined in blocks of 1, 2, 4, ... lines, so that decoding one long item again stays cheap; none is much
    longer than the longest line.
    """
    size, block, length = 1, [], 0
    for line in lines:
        block.append(line)
        length += len(line)
        if len(block) >= size or length > LONGEST_LINE:
            yield "".join(block)
            size, block, length = min(2 * size, 4096), [], 0
    yield "".join(block)


def _as_prompt(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)


def _as_reference(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _there_are(record: Mapping[str, Any]) -> str:
    return f"; there are: {', '.join(str(name) for name in record)}" if record else "; there are none"
