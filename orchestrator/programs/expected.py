"""What a program's parts took in an earlier run, or are expected to take."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..costs import FREE, Cost, Spending
from ..errors import InvalidInputError
from ..types import PICODOLLARS_PER_USD

__all__ = ["FIGURES", "Expected", "RecordedCall", "expected_from", "expected_in", "shares"]

FIGURES = ("calls", "prompt_tokens", "completion_tokens", "usd")

STEP = re.compile(r"(?P<name>.+?)(?:~\d+)?")
"""A step of a path; `~2`, `~3`, ... are added where a label is used again."""

NUMBERED = re.compile(r"-?\d+")
JUDGED = re.compile(r"-[0-9a-f]{12}")
"""After a verifier's name: the digest of what it judged."""

NOT_IN_LABELS = re.compile(r"[/#~\s]+")
"""What a branch's label has a `-` for, as `Context.score` labels them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """A call in a journal.

    Attributes:
        problem: The problem's id.
        path: Its branch, or beyond `#` what it asked.
        cost: What it took.
    """

    problem: str
    path: str
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What calls took in an earlier run.

    Attributes:
        calls: The calls, in the order they were sent.
        problems: Problems they were made for.
    """

    calls: Sequence[RecordedCall] = field(repr=False)
    problems: int


def expected_from(journal: str | Path) -> Expected:
    """What the calls in a journal took.

    Raises:
        InvalidInputError: It is no journal.
    """
    path = Path(journal)
    if not path.is_file():
        raise InvalidInputError(f"there is no journal {str(path)!r}")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        found = connection.execute(
            "SELECT c.problem, c.path, r.requests, r.prompt_tokens, r.completion_tokens, r.picodollars "
            "FROM calls c JOIN results r ON r.call = c.id ORDER BY c.id"
        ).fetchall()
        [(problems,)] = connection.execute(
            "SELECT COUNT(*) FROM (SELECT problem FROM calls UNION SELECT problem FROM outcomes)"
        ).fetchall()
    except sqlite3.DatabaseError as error:
        raise InvalidInputError(f"{str(path)!r} is no journal: {error}") from error
    finally:
        connection.close()
    calls = [
        RecordedCall(
            problem=problem,
            path=at,
            cost=Cost(calls=n, prompt_tokens=read, completion_tokens=written, usd=paid / PICODOLLARS_PER_USD),
        )
        for problem, at, n, read, written, paid in found
    ]
    return Expected(calls=calls, problems=problems)


def expected_in(file: str | Path) -> dict[str, Cost]:
    """What parts are expected to take for a problem, by their paths, from a JSON file.

    Raises:
        InvalidInputError: It is not `{path: {calls, prompt_tokens, completion_tokens, usd}}`.
    """
    try:
        given: Any = json.loads(Path(file).read_text(encoding="utf-8"))
        return {str(path): _cost(figures) for path, figures in given.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        form = '{"path": {"calls": ..., "prompt_tokens": ..., "completion_tokens": ...}}'
        raise InvalidInputError(f"{str(file)!r} must be JSON like {form}: {error}") from error


def _cost(figures: Mapping[str, Any]) -> Cost:
    if unknown := sorted(set(figures) - set(FIGURES)):
        raise ValueError(f"unknown key {unknown[0]!r}; there are: {', '.join(FIGURES)}")
    return Cost(**{name: float(value) for name, value in figures.items()})


# Which part made a call -----------------------------------------------------------------------------------


def shares(spending: Spending, calls: Sequence[RecordedCall]) -> list[Cost | None]:
    """What each part of a program took of its own, every call at exactly one part.

    A call is the part's whose branch it was made on. Parts on branches of one label, such as a verifier that is asked
    twice, have the branches in turn: steps come one after the other, and after a loop's last its first again. A call
    that no part's branch is known for is the one's that it was made inside.

    Args:
        spending: The program.
        calls: Calls, in the order they were sent.

    Returns:
        The cost of each part's own calls, in the order of the parts, each before its own; None for parts that make
        theirs on one branch, where a journal does not tell them apart: what they are a part of has the calls.
    """
    places = _placed(spending)
    untold = {one.number for place in places for one in place.untold()}
    own: list[Cost | None] = [None if place.number in untold else FREE for place in places]
    finder = _Finder(root=places[0])
    for call in calls:
        at = finder.place(call.problem, call.path).number
        own[at] = (own[at] or FREE) + call.cost
    return own


@dataclass(slots=True, kw_only=True, eq=False)
class _Place:
    """A part of a program; its number is its position among all, each before its own."""

    number: int
    spending: Spending
    parts: list[_Place] = field(default_factory=list)

    def branches(self) -> Iterator[_Place]:
        """The parts whose branches are opened on this one's, in order."""
        for part in self.parts:
            if part.spending.on_branch:
                yield part
            else:
                yield from part.branches()

    def drawn(self) -> list[_Place]:
        """The parts that make calls on this one's branch itself."""
        found: list[_Place] = []
        for part in self.parts:
            if not part.spending.on_branch and part.spending.worst.calls:
                found += part.drawn() if part.parts else [part]
        return found

    def untold(self) -> Iterator[_Place]:
        """These where they are several, and the parts that consist of them."""
        return self._drawing() if len(self.drawn()) > 1 else iter(())

    def _drawing(self) -> Iterator[_Place]:
        for part in self.parts:
            leaf = not part.parts and part.spending.worst.calls > 0
            if not part.spending.on_branch and (leaf or part.drawn()):
                yield part
                yield from part._drawing()


def _placed(spending: Spending) -> list[_Place]:
    """All parts, each before its own, with their numbers."""
    found: list[_Place] = []

    def place(part: Spending) -> _Place:
        here = _Place(number=len(found), spending=part)
        found.append(here)
        here.parts = [place(one) for one in part.parts]
        return here

    place(spending)
    return found


@dataclass(slots=True, kw_only=True)
class _Finder:
    """Finds the part that a call is of.

    Attributes:
        root: The program.
        known: The part by problem and path, for each path met so far.
        latest: The number of the part last entered, by problem and path of what it is in.
    """

    root: _Place
    known: dict[tuple[str, str], _Place] = field(default_factory=dict)
    latest: dict[tuple[str, str], int] = field(default_factory=dict)

    def place(self, problem: str, path: str) -> _Place:
        """The part of a call on this path."""
        here, at = self.root, ""
        steps = [step for step in path.partition("#")[0].split("/") if step]
        ahead = 0
        while ahead < len(steps):
            found = self._next(problem, here, at, steps[ahead:])
            if found is None:
                break
            here, taken = found
            at = "/".join(steps[: ahead + taken])
            ahead += taken
        drawn = here.drawn()
        return drawn[0] if len(drawn) == 1 else here

    def _next(self, problem: str, here: _Place, at: str, steps: Sequence[str]) -> tuple[_Place, int] | None:
        """The part inside `here` that the next of `steps` leads to, with how many of them; those that no part is
        known for, such as a search's numbered nodes, are passed over.
        """
        branches = list(here.branches())
        for taken, step in enumerate(steps, start=1):
            path = "/".join((*([at] if at else []), *steps[:taken]))
            if (known := self.known.get((problem, path))) is not None:
                return known, taken
            fitting = _fitting(branches, step)
            if fitting:
                return self._in_turn(problem, at, path, fitting), taken
        return None

    def _in_turn(self, problem: str, at: str, path: str, fitting: Sequence[_Place]) -> _Place:
        """The first of several parts behind the one entered last, or without one the first of all."""
        latest = self.latest.get((problem, at), -1)
        chosen = next((one for one in fitting if one.number > latest), fitting[0])
        self.latest[problem, at] = chosen.number
        self.known[problem, path] = chosen
        return chosen


def _fitting(branches: Sequence[_Place], step: str) -> list[_Place]:
    """The parts whose branch `step` can be: of its very label, else with a digest behind it, else with a number."""
    match = STEP.fullmatch(step)
    name = step if match is None else match["name"]
    for behind in (None, JUDGED, NUMBERED):
        fitting = []
        for one in branches:
            label = NOT_IN_LABELS.sub("-", one.spending.label)
            label = label.removesuffix("-*") if behind is NUMBERED else label
            rest = name.removeprefix(label) if name.startswith(label) else None
            if rest is not None and (not rest if behind is None else behind.fullmatch(rest)):
                fitting.append(one)
        if fitting:
            return fitting
    return []
