"""One candidate of several. Cost: no calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..costs import FREE, Costing, Size, Spending
from ..expressions import ListOf, Maybe, Type
from ..strategies.quoting import visible
from ..strategies.selection import all_of
from ..types import Candidate, Outcome
from .base import ExpressionText, Primitive
from .frame import Frame
from .scope import Scope
from .sizes import listed_size, size_here
from .values import CANDIDATE, CANDIDATES, OUTCOME, Candidates, candidate_of
from .vote import polled

__all__ = ["Select"]

By = Literal["score", "vote", "first", "last", "shortest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Select(Primitive):
    """Chooses one of several candidates; its value is that candidate, missing where there is none.

    Cost: no calls.

    Args:
        of: Candidates, a list of them, or an outcome, whose candidates are chosen from.
        by: `score`: the one with the highest latest score, of equals the first; where none has a score, as by `vote`.
            `vote`: of those with the most frequent answer the best scored, else the first. `first` and `last` in the
            order they were asked for. `shortest`: the fewest characters among those with a readable answer.
    """

    key: ClassVar[str] = "select"

    of: ExpressionText
    by: By = "score"

    def check(self, scope: Scope) -> Type:
        """A candidate, or none."""
        scope.expression(self.of, *self.place("of"), expected=(CANDIDATES, OUTCOME, ListOf(CANDIDATE)))
        return Maybe(CANDIDATE)

    async def run(self, frame: Frame) -> Candidate | None:
        """The candidate."""
        value = frame.evaluate(self.of)
        found = all_of(value) if isinstance(value, Outcome) else value or ()
        return _CHOICES[self.by](Candidates(one for one in found if one is not None))

    async def spending(self, costing: Costing) -> Spending:
        """Nothing."""
        if self.id is not None:
            costing.sizes[self.id] = self.size(costing)
        return Spending(label=self.label, kind=self.key, worst=FREE)

    def size(self, costing: Costing) -> Size:
        """How long its value can be."""
        return listed_size(size_here(costing, self.of)).item


def _by_vote(candidates: Candidates) -> Candidate | None:
    return candidate_of(polled(candidates))


def _shortest(candidates: Candidates) -> Candidate | None:
    readable = [one for one in candidates if one.answer is not None]
    return min(readable or candidates, key=lambda one: len(visible(one.sample)), default=None)


_CHOICES: Mapping[By, Callable[[Candidates], Candidate | None]] = {
    "score": lambda candidates: candidates.best,
    "vote": _by_vote,
    "first": lambda candidates: candidates[0] if candidates else None,
    "last": lambda candidates: candidates[-1] if candidates else None,
    "shortest": _shortest,
}
