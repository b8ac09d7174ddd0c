"""Who meets whom in a tournament: a knock-out, played round by round, and a schedule of all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Knockout", "all_pairs"]


@dataclass(slots=True, kw_only=True)
class Knockout:
    """The state of a knock-out of `k` entrants, who are numbered by their seed: 0 is the best.

    In a round the best seed left meets the worst, the second best the second worst, and so on; where their number is
    odd the best has a bye. Each of the k - 1 matches takes one entrant out, in ceil(log2 k) rounds. A tie or a match
    without a verdict is passed by the better seed.

    Attributes:
        entrants: k, at least 1.
        left: Entrants still in it, best seed first.
        round: Rounds played.
    """

    entrants: int
    left: list[int] = field(init=False)
    round: int = field(init=False, default=0)
    _reached: dict[int, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.left = list(range(self.entrants))

    @property
    def rounds(self) -> int:
        """Rounds until one is left: ceil(log2 k)."""
        return (self.entrants - 1).bit_length()

    @property
    def over(self) -> bool:
        """Whether one is left."""
        return len(self.left) == 1

    def matches(self) -> list[tuple[int, int]]:
        """The round's pairs, the better seed first."""
        field_ = self.left[len(self.left) % 2 :]
        half = len(field_) // 2
        return list(zip(field_[:half], reversed(field_[half:]), strict=True))

    def play(self, preferences: Sequence[float | None]) -> None:
        """Take the round's verdicts: how far each match's first was preferred, in [0, 1]; None for no verdict."""
        for (better, worse), preference in zip(self.matches(), preferences, strict=True):
            drawn = preference is None or preference == 0.5
            loser = better if preference is not None and preference < 0.5 else worse
            self.left.remove(loser)
            self._reached[loser] = self.round + 0.5 * drawn
        self.round += 1

    def abandon(self, preferences: Sequence[float | None]) -> None:
        """Take what verdicts a round has that cannot be played to its end; who has none in it is half a round on."""
        for (better, worse), preference in zip(self.matches(), preferences, strict=True):
            won = 0.5 if preference is None or preference == 0.5 else float(preference > 0.5)
            self._reached[better], self._reached[worse] = self.round + won, self.round + 1.0 - won
        for entrant in self.left:
            self._reached.setdefault(entrant, self.round + 1.0)

    def scores(self) -> list[float]:
        """In [0, 1], by seed: the share of all rounds survived, a round in which it was drawn out as half of one.

        The winner has 1, the other finalist (R - 1) / R of R rounds, who lost the first match 0.
        """
        rounds = max(self.rounds, 1)
        return [self._reached.get(entrant, float(rounds)) / rounds for entrant in range(self.entrants)]


def all_pairs(entrants: int) -> list[tuple[int, int]]:
    """All k (k - 1) / 2 pairs of `k` entrants, in rounds in which each plays at most once.

    By the circle method: the first so many pairs give every entrant as many matches as any other, or one less.
    """
    circle: list[int | None] = [*range(entrants), *([None] if entrants % 2 else [])]
    pairs: list[tuple[int, int]] = []
    for _ in range(len(circle) - 1):
        for first, second in zip(circle[: len(circle) // 2], reversed(circle), strict=False):
            if first is not None and second is not None:
                pairs.append((min(first, second), max(first, second)))
        circle.insert(1, circle.pop())
    return pairs
