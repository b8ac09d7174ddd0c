"""What an earlier run of a problem paid for, read back from its journal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from ..types import CallId, Sample, Usage
from .records import decode_sample, storable

__all__ = ["CHANGED", "RecordedCalls", "usage_of"]


def usage_of(row: Sequence[Any]) -> Usage:
    """The usage in a row of the columns a result has for it, in their order."""
    prompt, completion, requests, picodollars, cached, reasoning, seconds, estimated = row
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        requests=requests,
        picodollars=picodollars,
        cached_tokens=cached,
        reasoning_tokens=reasoning,
        seconds=seconds,
        estimated=bool(estimated),
    )


CALLS = """
SELECT c.path, c.ordinal, c.digest, c.attempt, r.status, r.samples, r.finished_at,
    r.prompt_tokens, r.completion_tokens, r.requests, r.picodollars, r.cached_tokens, r.reasoning_tokens, r.seconds,
    r.estimated, c.worst_prompt_tokens, c.worst_completion_tokens, c.worst_picodollars
FROM calls c LEFT JOIN results r ON r.call = c.id WHERE c.problem = ? ORDER BY c.id
"""

CHANGED = "SELECT coalesce(max(since), 0) FROM programs WHERE id > (SELECT min(id) FROM programs)"
"""When the program that the journal belongs to took over from an earlier one; 0 where it is the first."""


_At: TypeAlias = tuple[str, int]
"""Path and ordinal of a call."""


class RecordedCalls:
    """One problem's calls in the journal; the `Recorded` protocol of `backends.journaled`."""

    def __init__(self, connection: sqlite3.Connection, problem: str) -> None:
        self._samples: dict[_At, dict[str, list[Sample]]] = {}  # by digest, the one asked last at the end
        self._usage: dict[_At, Usage] = {}
        arrived: dict[tuple[_At, str], float] = {}
        ended: dict[tuple[_At, str], str | None] = {}
        failed: set[tuple[_At, str]] = set()
        told: list[tuple[str, list[Sample]]] = []
        [(changed,)] = connection.execute(CHANGED)
        rows = connection.execute(CALLS, (storable(problem),))
        for path, ordinal, digest, attempt, status, samples, finished_at, *amounts in rows:
            at, key = (path, ordinal), ((path, ordinal), digest)
            usage = _in_doubt(amounts[8:]) if status is None else usage_of(amounts[:8])
            self._usage[at] = self._usage.get(at, Usage()) + usage
            if attempt == 0 and ended.get(key) == "error":
                failed.add(key)  # for good: the program was told so, and an attempt 0 is of a later run
            ended[key] = status
            if status == "ok":
                call = CallId(problem=problem, path=path, ordinal=ordinal)
                decoded = [decode_sample(s, call) for s in json.loads(samples)]
                known = self._samples.setdefault(at, {})
                known.pop(digest, None)
                known[digest] = decoded
                arrived[key] = finished_at
                if any(sample.vector is not None for sample in decoded):
                    told.append((digest, decoded))
        self._rated = list(_ratings(connection, told))
        rated = {digest for digest, _, _ in self._rated}
        self._order = sorted(
            (
                key
                for key, finished_at in arrived.items()
                if finished_at >= changed and key not in failed and key[1] not in rated
            ),
            key=arrived.__getitem__,
        )

    def __bool__(self) -> bool:
        return bool(self._usage)

    def find(self, call: CallId, digest: str) -> list[Sample] | None:
        """The samples of the completed call `call`, when it asked the same; else None."""
        return self._samples.get((call.path, call.ordinal), {}).get(digest)

    @property
    def order(self) -> Sequence[tuple[_At, str]]:
        """Path and ordinal of completed calls, and their digests, in the order their results came in.

        Without those that a resumed run meets at another time: ratings, which are met by their texts; calls that had
        failed in a run before the one they were completed in; those of a program before the last change.
        """
        return self._order

    def rated(self) -> Sequence[tuple[str, Sequence[str], Sequence[Sample]]]:
        """Completed ratings, oldest first: the request's digest, its texts, and what was said about them."""
        return self._rated

    def usage_below(self, path: str) -> Usage:
        """What calls on `path` and below it were charged, in-doubt ones at their worst case."""
        below = (path + "/", path + "#")  # its branches, and its calls made again
        return sum(
            (
                usage
                for (at, _), usage in self._usage.items()
                if not path or at == path or at.startswith(below)
            ),
            Usage(),
        )

    def sample(self, path: str, ordinal: int, index: int) -> Sample | None:
        """One recorded sample; where the call has asked several things, of what it asked last."""
        recorded = self._samples.get((path, ordinal))
        if recorded is None:
            return None
        return next((sample for sample in recorded[next(reversed(recorded))] if sample.index == index), None)

    def is_overtaken(self, sample: Sample) -> bool:
        """Whether `sample` may be found here no more by its call: that has asked something else since."""
        if sample.call is None:
            return False
        found = self.sample(sample.call.path, sample.call.ordinal, sample.index)
        return found is not None and found != sample


def _in_doubt(worst_case: Sequence[int]) -> Usage:
    prompt, completion, picodollars = worst_case
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        requests=1,
        picodollars=picodollars,
        estimated=True,
    )


def _ratings(
    connection: sqlite3.Connection, told: Sequence[tuple[str, list[Sample]]]
) -> Iterator[tuple[str, Sequence[str], Sequence[Sample]]]:
    """Those of the calls that brought vectors which were ratings, with their texts."""
    for digest, samples in told:
        row = connection.execute("SELECT body FROM requests WHERE digest = ?", (digest,)).fetchone()
        body = {} if row is None else json.loads(row[0])
        if "rating" in body:
            yield digest, body["texts"], samples
