"""What a program's parts took in an earlier run, or are expected to take."""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from ..costs import FREE, Cost, Spending
from ..errors import InvalidInputError

__all__ = ["FIGURES", "Expected", "RecordedCall", "expected_in", "shares"]

FIGURES = ("calls", "prompt_tokens", "completion_tokens", "usd")

STEP = re.compile(r"(?P<name>.+?)(?:~(?P<time>\d+))?")
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
        left_out: Problems for which an earlier program made calls as well, and which are not among those.
    """

    calls: Sequence[RecordedCall] = field(repr=False)
    problems: int
    left_out: int = 0


def expected_in(file: str | Path) -> dict[str, Cost]:
    """What parts are expected to take for a problem, by their paths, from a JSON file.

    Raises:
        InvalidInputError: It is not `{path: {calls, prompt_tokens, completion_tokens, usd}}` with finite numbers of
            at least 0.
    """
    try:
        given: Any = json.loads(Path(file).read_text(encoding="utf-8"))
        return {path: _cost(figures) for path, figures in _mapping(given).items()}
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        form = '{"path": {"calls": ..., "prompt_tokens": ..., "completion_tokens": ...}}'
        raise InvalidInputError(f"{str(file)!r} must be JSON like {form}: {error}") from error


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{reprlib.repr(value)} is no mapping")
    return value


def _cost(given: Any) -> Cost:
    figures = _mapping(given)
    if unknown := sorted(set(figures) - set(FIGURES)):
        raise ValueError(f"unknown key {unknown[0]!r}; there are: {', '.join(FIGURES)}")
    for name, value in figures.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value < 0:
            raise ValueError(f"{name} must be a finite number of at least 0, not {value!r}")
    numbers: dict[str, Any] = {name: float(value) for name, value in figures.items()}
    return Cost(**numbers)


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
        The cost of each part's own calls, in the order of the parts, each before its own; None for parts that a
        journal does not tell apart, because they make theirs on one branch, or on branches of one label that are
        not opened in a certain order: what they are a part of has the calls.
    """
    places = _placed(spending)
    for place in places:
        place.tell_apart()
    own: list[Cost | None] = [None if place.untold else FREE for place in places]
    finder = _Finder(root=places[0])
    for call in calls:
        place = finder.place(call.problem, call.path)
        while place.untold and place.parent is not None:
            place = place.parent
        own[place.number] = (own[place.number] or FREE) + call.cost
    return own


@dataclass(slots=True, kw_only=True, eq=False)
class _Place:
    """A part of a program.

    Attributes:
        number: Its position among all, each before its own.
        spending: The part.
        parent: What it is a part of.
        parts: What it consists of.
        untold: Whether its own calls cannot be told from others'.
        shared: Whether all inside it cannot.
    """

    number: int
    spending: Spending
    parent: _Place | None
    parts: list[_Place] = field(default_factory=list)
    untold: bool = False
    shared: bool = False

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

    def tell_apart(self) -> None:
        """Mark what cannot be told apart among the parts on this one's branch, and on branches opened on it."""
        drawn = self.drawn()
        if len(drawn) > 1:
            for one in drawn:
                one.hide(self)
        alike: dict[str, list[_Place]] = {}
        for part in self.branches():
            if part.spending.worst.calls:
                alike.setdefault(NOT_IN_LABELS.sub("-", part.spending.label), []).append(part)
        for parts in alike.values():
            unsure = {one for pair in combinations(parts, 2) if _unsure(*pair, here=self) for one in pair}
            if unsure:
                whole = self._around(unsure)
                for one in unsure:
                    one.hide(whole)
                    one.shared = True
                    one._hide_all()

    def hide(self, whole: _Place) -> None:
        """Mark this one, and those around it inside `whole`."""
        at: _Place | None = self
        while at is not None and at is not whole:
            at.untold = True
            at = at.parent

    def _hide_all(self) -> None:
        self.untold = True
        for part in self.parts:
            part._hide_all()

    def _around(self, places: Collection[_Place]) -> _Place:
        """The innermost part, this one or one inside it, that has all of these in it."""
        chains = [[self, *(around for around, _ in one.way_from(self))] for one in places]
        return next(at for at in reversed(chains[0]) if all(at in chain for chain in chains))

    def way_from(self, here: _Place) -> list[tuple[_Place, _Place]]:
        """The parts from `here` down to this one, it left out, each with the one that comes next on the way."""
        way: list[tuple[_Place, _Place]] = []
        at = self
        while at is not here and at.parent is not None:
            way.append((at.parent, at))
            at = at.parent
        return way[::-1]


def _unsure(one: _Place, other: _Place, *, here: _Place) -> bool:
    """Whether calls of two parts with one label, of which `other` comes later, can be taken for each other's.

    The first call is the first part's where that is always reached, and reached again only after another part that
    is entered before it in its loop.
    """
    way, way_of_other = one.way_from(here), other.way_from(here)
    if any(around.spending.flow == "one" for around, part in way if (around, part) not in way_of_other):
        return True
    skipped = any(around.spending.flow == "one" for around, part in way_of_other if (around, part) not in way)
    both = {around.number for around, _ in way_of_other}
    return any(
        around.spending.flow == "rounds"
        and (skipped or around.number not in both)
        and not _parted(one, around)
        for around, _ in way
    )


def _parted(place: _Place, loop: _Place) -> bool:
    """Whether another part is entered before this one in each round of a loop."""
    way = place.way_from(loop)
    return any(
        before.number < place.number
        and before.spending.worst.calls > 0
        and all(
            around is loop or around.spending.flow == "sequence" or (around, part) in way
            for around, part in before.way_from(loop)
        )
        for before in loop.branches()
    )


def _placed(spending: Spending) -> list[_Place]:
    """All parts, each before its own, with their numbers."""
    found: list[_Place] = []

    def place(part: Spending, parent: _Place | None) -> _Place:
        here = _Place(number=len(found), spending=part, parent=parent)
        found.append(here)
        here.parts = [place(one, here) for one in part.parts]
        return here

    place(spending, None)
    return found


@dataclass(slots=True, kw_only=True)
class _Finder:
    """Finds the part that a call is of.

    Attributes:
        root: The program.
        known: The part by problem and path, for each path met so far.
        latest: The part last entered, by problem and path of what it is in.
        entered: With it, those that are reached together with it and have been entered as well.
    """

    root: _Place
    known: dict[tuple[str, str], _Place] = field(default_factory=dict)
    latest: dict[tuple[str, str], _Place] = field(default_factory=dict)
    entered: dict[tuple[str, str], set[_Place]] = field(default_factory=dict)

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
            if here.shared:
                return here
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
                chosen = _by_number(fitting, step, here) or self._in_turn(problem, at, fitting)
                self._entering(problem, at, path, chosen)
                return chosen, taken
        return None

    def _entering(self, problem: str, at: str, path: str, chosen: _Place) -> None:
        """Note that a part is the one of `path`."""
        latest, entered = self.latest.get((problem, at)), self.entered.setdefault((problem, at), set())
        if latest is None or not _together(chosen, latest) or chosen in entered:
            entered.clear()
        entered.add(chosen)
        self.latest[problem, at] = self.known[problem, path] = chosen

    def _in_turn(self, problem: str, at: str, fitting: Sequence[_Place]) -> _Place:
        """The first of several parts behind the one entered last; without one the first in a loop around that, or
        of all.
        """
        latest = self.latest.get((problem, at))
        return fitting[0] if latest is None else _next_of(fitting, latest, self.entered[problem, at])


def _together(one: _Place, other: _Place) -> bool:
    """Whether two parts are reached at once."""
    return one.parent is not None and one.parent is other.parent and one.parent.spending.flow == "together"


def _by_number(fitting: Sequence[_Place], step: str, here: _Place) -> _Place | None:
    """The part by how often a branch of its label had been opened: those of blocks side by side all are, in order,
    also of blocks that make no call. None where that does not tell.
    """
    match = STEP.fullmatch(step)
    time = int(match["time"] or 1) if match is not None else 1
    if any(one.parent is None or one.parent.spending.flow != "together" for one in fitting):
        return None
    for number, one in enumerate(fitting, start=1):
        flows = {around.spending.flow for around, _ in one.way_from(here)}
        if "one" in flows or ("rounds" in flows and number < len(fitting)):
            return None
        if number == time or (number < time and "rounds" in flows):
            return one
    return None


def _next_of(fitting: Sequence[_Place], latest: _Place, entered: Collection[_Place]) -> _Place:
    """One that is reached together with `latest` and has not been entered, else the first behind it, else in the
    innermost loop around it that has one.
    """
    beside = [one for one in fitting if _together(one, latest) and one not in entered]
    behind = beside or [one for one in fitting if one.number > latest.number and one not in entered]
    around = latest.parent
    while not behind and around is not None:
        if around.spending.flow == "rounds":
            behind = [one for one in fitting if one.number > around.number]
        around = around.parent
    return (behind or fitting)[0]


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
