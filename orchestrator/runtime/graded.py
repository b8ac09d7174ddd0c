"""Candidates with known outcomes, for fitting `Learned`: from the journal of a run, or from a file of JSON lines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..answers import AnswerReader
from ..errors import InvalidInputError
from ..types import Candidate, Problem, Score
from ..verifiers import Equivalent
from ..verifiers.correctness import Graded
from .journal import Journal
from .records import decode_sample

__all__ = ["graded_from_journal", "graded_from_jsonl"]

RIGHT_FROM = 0.5
"""A check's score from which a candidate counts as right."""


def graded_from_journal(
    path: str | Path,
    *,
    problems: Iterable[Problem] | None = None,
    check: str | None = None,
    equivalent: Equivalent | None = None,
) -> list[Graded]:
    """The candidates of each finished problem of a run, with their scores, and whether they are right.

    Give one of `problems` and `check`. The run must have ended: its journal is opened for as long as this takes.

    Args:
        path: The journal.
        problems: The run's problems; a candidate is right when it equals the reference. Those without a reference
            or an outcome are passed over.
        check: Name of a verifier the candidates have scores by (a program file's `check:`); right from 0.5 on.
        equivalent: How answers are compared with the reference; None: as they form.

    Raises:
        InvalidInputError: Neither or both of `problems` and `check`, no such file, or not one verdict in it.
        JournalError: The file is no journal or in use, or a problem's question has changed since.
    """
    if (problems is None) == (check is None):
        raise InvalidInputError("say what is right by one of problems (with references) and check")
    if not Path(path).is_file():
        raise InvalidInputError(f"no journal {str(path)!r}")
    journal = Journal(path, resume=True)
    try:
        if check is not None:
            graded = [_by_check(one.problem, one.candidates, check) for one in journal.outcomes()]
        else:
            rule = equivalent or Equivalent()
            graded = list(_by_reference(journal, problems or (), rule))
    finally:
        journal.close()
    return _with_verdicts(graded, path)


def graded_from_jsonl(
    path: str | Path, *, answers: AnswerReader | None = None, equivalent: Equivalent | None = None
) -> list[Graded]:
    """Graded candidates from a file of JSON lines, compressed when its name ends in `.gz`; a problem a line.

        {"id": "7", "reference": "18", "samples": [{"text": "... 18", "scores": {"judge": 0.9}}, ...]}
        {"id": "8", "answers": ["18", "20"], "correct": [1, 0]}

    A sample is a text, null (it abstains), or an object with `text` and, as far as known, `right`, `scores` by
    verifier, `finish_reason`, `completion_tokens`, and `logprobs` as `[token, log-probability, [[token,
    log-probability], ...]]` per token. What is right is said by `right` or the list `correct`, else by the
    `reference` (or `gold`).

    Args:
        path: The file.
        answers: How answers are read from the texts.
        equivalent: How they are compared with the reference; None: as they form.

    Raises:
        InvalidInputError: The file cannot be read, a line is something else (says which), or it has no verdict.
    """
    reader, rule = answers or AnswerReader(), equivalent or Equivalent()
    graded = []
    try:
        opened = gzip.open if str(path).endswith(".gz") else open
        with opened(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    graded.append(_by_line(line, f"{path}:{number}", str(number), reader, rule))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path}: cannot be read: {error}") from error
    return _with_verdicts(graded, path)


def _with_verdicts(graded: list[Graded], path: str | Path) -> list[Graded]:
    if all(verdict is None for one in graded for verdict in one.right):
        raise InvalidInputError(
            f"{path}: not one candidate with an answer that is known to be right or wrong"
        )
    return graded


def _by_check(problem: str, candidates: Sequence[Candidate], check: str) -> Graded:
    scores = [candidate.scores.get(check) for candidate in candidates]
    values = [None if score is None else score.value for score in scores]
    return Graded(
        problem=problem,
        candidates=tuple(candidates),
        right=tuple(None if value is None else value >= RIGHT_FROM for value in values),
    )


def _by_reference(journal: Journal, problems: Iterable[Problem], rule: Equivalent) -> Iterator[Graded]:
    for problem in problems:
        outcome = None if problem.reference is None else journal.outcome(problem, question_alone=True)
        if outcome is not None:
            yield _compared(problem, outcome.candidates, [None] * len(outcome.candidates), rule)


def _compared(
    problem: Problem, candidates: Sequence[Candidate], known: Sequence[bool | None], rule: Equivalent
) -> Graded:
    """Verdicts by the reference where they are not known already."""
    right = []
    for candidate, verdict in zip(candidates, known, strict=True):
        value = rule.judge(problem, candidate).value if verdict is None else float(verdict)
        right.append(None if value is None else value >= RIGHT_FROM)
    return Graded(problem=problem.id, candidates=tuple(candidates), right=tuple(right))


def _by_line(line: str, where: str, number: str, reader: AnswerReader, rule: Equivalent) -> Graded:
    try:
        row = json.loads(line)
        samples = row["samples"] if "samples" in row else row["answers"]
        correct = row.get("correct", [None] * len(samples))
        reference = row.get("reference", row.get("gold"))
        problem = Problem(
            id=str(row.get("id", number)), reference=None if reference is None else str(reference)
        )
        given = [entry if isinstance(entry, Mapping) else {"text": entry or ""} for entry in samples]
        candidates = [_candidate(entry, reader) for entry in given]
        known = [_verdict(entry.get("right", verdict)) for entry, verdict in zip(given, correct, strict=True)]
        return _compared(problem, candidates, known, rule)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        said = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InvalidInputError(f"{where}: not a problem with graded samples: {said}") from error


def _verdict(given: Any) -> bool | None:
    if given is None or isinstance(given, bool):
        return given
    if isinstance(given, int | float):
        return given >= RIGHT_FROM
    raise ValueError(f"`right` and `correct` say true or false, or 1 or 0, not {given!r}")


def _candidate(entry: Mapping[str, Any], reader: AnswerReader) -> Candidate:
    fields = {name: entry[name] for name in ("text", "finish_reason", "logprobs") if name in entry}
    usage = {"completion_tokens": int(entry.get("completion_tokens", 0))}
    sample = decode_sample({**fields, "usage": usage}, None)
    scores = {str(name): Score(value=_in_range(value)) for name, value in entry.get("scores", {}).items()}
    answer = reader.read(sample.text, truncated=sample.truncated)
    return Candidate(sample=sample, answer=answer, scores=scores)


def _in_range(value: Any) -> float | None:
    if value is not None and not 0.0 <= value <= 1.0:
        raise ValueError(f"a score is in [0, 1], not {value!r}")
    return None if value is None else float(value)
