"""Files of recorded samples: a JSON object a line, read into problems with the samples models wrote for them.

Shapes understood, with the columns' default names:

    {"id": 0, "question": "...", "gold": "18", "answers": ["18", "20"], "chars": [199, 210]}
    {"id": 0, "prompt": "...", "reference": "18", "samples": [{"text": "...", "usage": {...}}, ...]}
    {"id": 0, "question": "...", "gold": "18", "configs": {"a": {"answer": "18", "chars": 90}, ...}}
    {"id": 0, "gold": "yes", "answer": "no", "answer_tokens": 156, "cost_usd": 0.000374}

In the last one each line is one sample, and lines with the same id belong together. A sample that is null is
an empty text, which abstains.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ..errors import InvalidInputError
from ..types import PICODOLLARS_PER_USD, Problem, Usage
from .accounting import apportion

__all__ = ["Columns", "Recorded", "RecordedProblem", "check_recordings", "read_recordings", "tokens_in"]

FORM = (
    "recorded samples are a JSON object a line, such as "
    '{"id": "1", "question": "2 + 2?", "samples": ["It is 4.", "5"]}'
)
"""What a file must be, for those who give another."""

DATABASE = b"SQLite format 3\0"
"""How a journal begins."""

LONGEST_LINE = 16 * 2**20
"""Bytes."""

CHARACTERS_PER_TOKEN = 4
"""What a token is taken to be where a file has characters only; such usage is marked as estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns of a file mean what; of several names the first one a line has is used.

    Attributes:
        id: The problem's id; a line without one is named after its line number.
        question: The question as text.
        messages: The question as a chat.
        reference: The right answer.
        samples: What was written: a list of texts or objects, an object of them by name, or one text.
        index: Where `samples` lists distinct texts, a list saying which of them each sample was.
        text: In a sample that is an object: what was written.
        tokens: Completion tokens: per sample in a list, of the sample in an object or a flat line, or of all
            samples together in one number.
        prompt_tokens: The same for prompt tokens.
        chars: Characters written; used where `tokens` is missing.
        usd: US dollars, where the file says what was paid.
        seconds: How long the call took.
    """

    id: Sequence[str] = ("id", "task_id")
    question: Sequence[str] = ("question", "prompt", "input", "instruction")
    messages: Sequence[str] = ("messages",)
    reference: Sequence[str] = ("reference", "gold")
    samples: Sequence[str] = (
        "samples",
        "completions",
        "answers",
        "responses",
        "solutions",
        "configs",
        "answer",
    )
    index: Sequence[str] = ("sample_to_solution",)
    text: Sequence[str] = ("text", "completion", "content", "answer")
    tokens: Sequence[str] = ("completion_tokens", "answer_tokens", "output_tokens", "tokens")
    prompt_tokens: Sequence[str] = ("prompt_tokens", "input_tokens")
    chars: Sequence[str] = ("chars",)
    usd: Sequence[str] = ("cost_usd", "usd")
    seconds: Sequence[str] = ("latency_s", "seconds")

    def __post_init__(self) -> None:
        for name in self.__slots__:
            names = getattr(self, name)
            if isinstance(names, str):
                object.__setattr__(self, name, (names,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One recorded sample; its `usage` is None where the file says nothing about it."""

    text: str
    usage: Usage | None = None
    reasoning: str | None = None
    finish_reason: str | None = None


@dataclass(slots=True, kw_only=True)
class RecordedProblem:
    """A problem and what was written for it, in the order of the file."""

    problem: Problem
    samples: list[Recorded] = field(default_factory=list)


def read_recordings(
    path: str | Path, *, columns: Columns, where: Mapping[str, Any] | None = None
) -> dict[str, RecordedProblem]:
    """Problems by id, in the order of the file.

    Args:
        path: A file of JSON lines, compressed when its name ends in `.gz`.
        columns: Which columns mean what.
        where: Values a line must have in these columns to be read; None reads all lines.

    Raises:
        InvalidInputError: The file cannot be read, or a line is not what the columns say; names file, line
            and field.
    """
    found: dict[str, RecordedProblem] = {}
    for number, raw in _lines(Path(path)):
        line = _Line(file=str(path), number=number, values=_object(raw, str(path), number), columns=columns)
        if where and any(line.values.get(name) != value for name, value in where.items()):
            continue
        problem = line.problem()
        entry = found.get(problem.id)
        if entry is None:
            entry = found[problem.id] = RecordedProblem(problem=problem)
        elif entry.problem.prompt != problem.prompt or entry.problem.messages != problem.messages:
            line.refuse("id", f"{problem.id!r} stands in an earlier line with another question")
        entry.samples.extend(line.samples())
    if not found:
        raise InvalidInputError(f"{path}: no line with {dict(where)}" if where else f"{path}: {_NOTHING}")
    return found


def check_recordings(path: str | Path) -> None:
    """Look whether a file is one of recorded samples, by its first line.

    Raises:
        InvalidInputError: As `read_recordings` does for this line.
    """
    for number, raw in _lines(Path(path)):
        line = _Line(file=str(path), number=number, values=_object(raw, str(path), number), columns=Columns())
        line.problem()
        line.samples()
        return
    raise InvalidInputError(f"{path}: {_NOTHING}")


_NOTHING = f"nothing is recorded in it; {FORM}"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their 1-based numbers."""
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while raw := file.readline(LONGEST_LINE + 1):
                number += 1
                if len(raw) > LONGEST_LINE:
                    raise InvalidInputError(f"{path}:{number}: longer than {LONGEST_LINE // 2**20} MiB")
                if number == 1 and raw.startswith(DATABASE):
                    raise InvalidInputError(f"{path}: a journal or another database; {FORM}")
                line = raw.decode()
                if line.strip():
                    yield number, line
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path}: not UTF-8 text in line {number}; {FORM}") from error
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or error
        raise InvalidInputError(f"{path}: cannot be read: {said}") from error


def _object(raw: str, file: str, number: int) -> dict[str, Any]:
    try:
        values = json.loads(raw)
    except ValueError as error:
        raise InvalidInputError(f"{file}:{number}: not JSON: {error}; {FORM}") from error
    if not isinstance(values, dict):
        raise InvalidInputError(f"{file}:{number}: expected an object, found {type(values).__name__}")
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of the file and how to read it."""

    file: str
    number: int
    values: dict[str, Any]
    columns: Columns

    def refuse(self, name: str, problem: str) -> NoReturn:
        raise InvalidInputError(f"{self.file}:{self.number}: field {name!r}: {problem}")

    def problem(self) -> Problem:
        columns = self.columns
        id_name = _first(self.values, columns.id)
        question = self._text(columns.question)
        messages_name = _first(self.values, columns.messages)
        messages = self.values[messages_name] if messages_name is not None else None
        if messages is not None and not (
            isinstance(messages, list) and all(isinstance(m, dict) for m in messages)
        ):
            self.refuse(str(messages_name), "expected a list of messages")
        identity = f"line-{self.number}" if id_name is None else self.values[id_name]
        if not isinstance(identity, str | int):
            self.refuse(str(id_name), f"expected a text or a number, found {_kind(identity)}")
        return Problem(
            id=str(identity),
            prompt=question if question is not None or messages else str(identity),
            messages=tuple(messages) if messages else None,
            reference=self._text(columns.reference),
            fields=self.values,
        )

    def _text(self, names: Sequence[str]) -> str | None:
        name = _first(self.values, names)
        value = None if name is None else self.values[name]
        if value is None or isinstance(value, str):
            return value
        if not isinstance(value, int | float):
            self.refuse(str(name), f"expected a text, found {_kind(value)}")
        return str(value)

    def _has_reference(self) -> bool:
        return _first(self.values, self.columns.reference) is not None

    def samples(self) -> list[Recorded]:
        name = _first(self.values, self.columns.samples)
        if name == "answer" and len(self.columns.samples) > 1 and not self._has_reference():
            # A file of questions, whose answers are the right ones.
            name = None
        if name is None:
            self.refuse(
                self.columns.samples[0], f"no column with samples; looked for {_names(self.columns.samples)}"
            )
        value = self.values[name]
        if value is None or isinstance(value, str):
            return [self._sample(value, name, self._flat_usage())]
        raw = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(raw, list):
            self.refuse(name, f"expected a list of samples, found {_kind(value)}")
        raw = self._chosen(raw, name)
        usages = self._usages(len(raw))
        return [
            self._sample(one, f"{name}[{at}]", usage)
            for at, (one, usage) in enumerate(zip(raw, usages, strict=True))
        ]

    def _chosen(self, raw: list[Any], name: str) -> list[Any]:
        """The samples in the order they were drawn, where the list holds distinct texts."""
        index_name = _first(self.values, self.columns.index)
        if index_name is None:
            return raw
        positions = self.values[index_name]
        if not isinstance(positions, list):
            self.refuse(index_name, f"expected a list, found {_kind(positions)}")
        for at in positions:
            if type(at) is not int or not 0 <= at < len(raw):
                self.refuse(index_name, f"{at!r} is not a position in {name!r}, which has {len(raw)} entries")
        return [raw[at] for at in positions]

    def _sample(self, raw: Any, name: str, usage: Usage | None) -> Recorded:
        if raw is None or isinstance(raw, str):
            return Recorded(text=raw or "", usage=usage)
        if isinstance(raw, int | float):
            return Recorded(text=str(raw), usage=usage)
        if not isinstance(raw, dict):
            self.refuse(name, f"expected a text or an object, found {_kind(raw)}")
        text_name = _first(raw, self.columns.text)
        if text_name is None:
            self.refuse(name, f"no text in the sample; looked for {_names(self.columns.text)}")
        text = raw[text_name]
        if text is not None and not isinstance(text, str):
            self.refuse(f"{name}.{text_name}", f"expected a text, found {_kind(text)}")
        reasoning, finish = raw.get("reasoning"), raw.get("finish_reason")
        return Recorded(
            text=text or "",
            usage=self._object_usage(raw, name) or usage,
            reasoning=reasoning if isinstance(reasoning, str) else None,
            finish_reason=finish if isinstance(finish, str) else None,
        )

    # --- usage ----------------------------------------------------------------------------------------------

    def _flat_usage(self) -> Usage | None:
        """Usage of a line that is one sample."""
        return self._object_usage(self.values, "")

    def _object_usage(self, raw: Mapping[str, Any], name: str) -> Usage | None:
        """Usage stated in an object itself or in its `usage` block."""
        block = raw.get("usage")
        source = {**raw, **block} if isinstance(block, dict) else raw
        columns, place = self.columns, f"{name}." if name else ""
        tokens = self._amount(source, columns.tokens, place)
        chars = self._amount(source, columns.chars, place)
        if tokens is None and chars is None:
            return None
        return Usage(
            prompt_tokens=int(self._amount(source, columns.prompt_tokens, place) or 0),
            completion_tokens=int(tokens) if tokens is not None else tokens_in(int(chars or 0)),
            requests=1,
            picodollars=round((self._amount(source, columns.usd, place) or 0) * PICODOLLARS_PER_USD),
            seconds=float(self._amount(source, columns.seconds, place) or 0),
            estimated=tokens is None,
        )

    def _usages(self, count: int) -> list[Usage | None]:
        """Usage of each of a line's `count` samples, from lists beside them or from the line's totals."""
        columns = self.columns
        chars = self._per_sample(columns.chars, count, total=False)
        tokens = self._per_sample(columns.tokens, count, total=True, weights=chars)
        if tokens is None and chars is None:
            return [None] * count
        totals = _first(self.values, columns.tokens)
        stated = totals is not None and isinstance(self.values[totals], list)
        prompts = self._per_sample(columns.prompt_tokens, count, total=True) or [0] * count
        usd = self._amount(self.values, columns.usd, "")
        money = apportion(round((usd or 0) * PICODOLLARS_PER_USD), tokens or chars or []) if count else []
        written = tokens if tokens is not None else [tokens_in(one) for one in chars or []]
        return [
            Usage(
                prompt_tokens=prompt,
                completion_tokens=one,
                requests=1,
                picodollars=paid,
                estimated=not stated,
            )
            for prompt, one, paid in zip(prompts, written, money, strict=True)
        ]

    def _per_sample(
        self, names: Sequence[str], count: int, *, total: bool, weights: list[int] | None = None
    ) -> list[int] | None:
        """A whole number per sample: from a list, or one total shared by `weights` where that makes sense."""
        name = _first(self.values, names)
        if name is None or not count:
            return None
        value = self.values[name]
        if value is None:
            return None
        if total and type(value) is int:
            # A negative total is a slip of whoever counted (one of the published files has one): not known.
            return apportion(value, weights or [1] * count) if value >= 0 else None
        if not isinstance(value, list) or len(value) != count:
            self.refuse(name, f"expected a list of {count} numbers, one per sample")
        for one in value:
            if type(one) is not int or one < 0:
                self.refuse(name, f"expected whole numbers from 0, found {one!r}")
        return value

    def _amount(self, source: Mapping[str, Any], names: Sequence[str], place: str) -> float | None:
        """A number of an object; None when it is missing, null or negative."""
        name = _first(source, names)
        value = None if name is None else source[name]
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.refuse(f"{place}{name}", f"expected a number, found {value!r}")
        return value if value >= 0 else None


def _first(values: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in values), None)


def _names(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _kind(value: object) -> str:
    return "null" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"


def tokens_in(chars: int) -> int:
    """Tokens a text of `chars` characters is taken to have."""
    return -(-chars // CHARACTERS_PER_TOKEN)
