"""How often each item was preferred to each other one: counted from rankings, or from a judge's verdicts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from .. import _core
from ..errors import InvalidInputError

__all__ = ["Comparisons", "Item", "Judgement"]

Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement(Generic[Item]):
    """A judge's verdict on two items, in the order they were shown.

    Attributes:
        first: Shown first.
        second: Shown second.
        preference: In [0, 1]: 1 when the first is better, 0 when the second is, 1/2 for a tie, between for a
            probability; None when there was no verdict.
    """

    first: Item
    second: Item
    preference: float | None

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise InvalidInputError(f"a judgement compares two items, not {self.first!r} with itself")
        if self.preference is not None and not 0.0 <= self.preference <= 1.0:
            raise InvalidInputError(f"preference must be in [0, 1], not {self.preference}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparisons(Generic[Item]):
    """How often each of `k` items was preferred to each other one.

    Attributes:
        items: `k` different items.
        wins: `k` rows of `k`: `wins[i][j]` is how often item i was preferred to item j; whole numbers or
            fractions, finite and at least 0, 0 on the diagonal.
        ties: `k` rows of `k`, symmetric: how often neither was.
        repeated: Pairs of judgements on the same two items in both orders, as `of_judgements` found them.
        contradictory: Those of them in which the verdict turned with the order: the judge's position bias is
            `contradictory / repeated`.
    """

    items: tuple[Item, ...]
    wins: tuple[tuple[float, ...], ...]
    ties: tuple[tuple[float, ...], ...]
    repeated: int = 0
    contradictory: int = 0

    def __post_init__(self) -> None:
        _numbers(self.items)
        for name, table in (("wins", self.wins), ("ties", self.ties)):
            if len(table) != len(self.items) or any(len(row) != len(self.items) for row in table):
                raise InvalidInputError(
                    f"{name} must have a row and a column for each of {len(self.items)} items"
                )
        _core.borda(self.wins, self.ties)

    @classmethod
    def of_matrix(
        cls,
        wins: Iterable[Iterable[float]],
        *,
        ties: Iterable[Iterable[float]] | None = None,
        items: Iterable[Item],
    ) -> Comparisons[Item]:
        """Comparisons already counted; without `ties` there were none.

        Raises:
            InvalidInputError: the tables are not `k` by `k`, or hold what the class does not allow.
        """
        names, table = tuple(items), _table(wins)
        drawn = _table(ties) if ties is not None else tuple((0.0,) * len(names) for _ in names)
        return cls(items=names, wins=table, ties=drawn)

    @classmethod
    def of_rankings(
        cls,
        rankings: Iterable[Iterable[Item | Set[Item]]],
        *,
        items: Iterable[Item] | None = None,
        unranked: Literal["last", "ignored"] = "last",
    ) -> Comparisons[Item]:
        """Each ranking compares each pair of items once.

        Args:
            rankings: Lists of items, best first; a set among them holds tied items: `["a", {"b", "c"}]`.
            items: All of them; None for those that are ranked, in the order they first appear (within a set,
                by their `repr`).
            unranked: What a ranking says of items it does not name: `last`, that they are tied below all it
                names; `ignored`, nothing.

        Raises:
            InvalidInputError: a ranking names an item twice, or one that is not among `items`.
        """
        ballots = [[_group(place) for place in ranking] for ranking in rankings]
        named = (item for ballot in ballots for group in ballot for item in group)
        names = tuple(dict.fromkeys(named if items is None else items))
        number = _numbers(names)
        numbered = [[[_number(number, item) for item in group] for group in ballot] for ballot in ballots]
        wins, ties = _core.compare(numbered, items=len(names), unranked=unranked)
        return cls(items=names, wins=_table(wins), ties=_table(ties))

    @classmethod
    def of_judgements(
        cls,
        judgements: Iterable[Judgement[Item]],
        *,
        items: Iterable[Item] | None = None,
        swapped: Literal["agree", "each"] = "agree",
    ) -> Comparisons[Item]:
        """Counts the verdicts of a judge on pairs.

        A preference of 1/2 is a tie; any other, p, is p wins of the first and 1 - p of the second. Judgements
        without a verdict are missing. Models that judge favour a position, so pairs are shown in both
        orders: with `agree` the i-th judgement of a pair in one order and the i-th in the other are one
        comparison, won by the item that both prefer and a tie when they differ, as Zheng et al. 2023
        (arXiv 2306.05685, §3.4) do it; of verdicts that agree, the mean counts. With `each` every judgement
        counts alone.

        Raises:
            InvalidInputError: a judgement names an item that is not among `items`.
        """
        given = list(judgements)
        shown = (item for judgement in given for item in (judgement.first, judgement.second))
        names = tuple(dict.fromkeys(shown if items is None else items))
        number = _numbers(names)
        wins, ties = ([[0.0] * len(names) for _ in names] for _ in range(2))
        repeated = contradictory = 0
        for (first, second), (forth, back) in _by_pair(given, number).items():
            both = min(len(forth), len(back)) if swapped == "agree" else 0
            verdicts = [_agreed(a, b) for a, b in zip(forth[:both], back[:both], strict=True)]
            repeated += both
            contradictory += sum(verdict is None for verdict in verdicts)
            for preference in (*verdicts, *forth[both:], *back[both:]):
                if preference is None or preference == 0.5:
                    ties[first][second] += 1
                    ties[second][first] += 1
                else:
                    wins[first][second] += preference
                    wins[second][first] += 1 - preference
        return cls(
            items=names, wins=_table(wins), ties=_table(ties), repeated=repeated, contradictory=contradictory
        )


def _table(rows: Iterable[Iterable[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(float, row)) for row in rows)


def _group(place: Any) -> tuple[Any, ...]:
    """The tied items of a place in a ranking: those of a set, or the item itself."""
    return tuple(sorted(place, key=repr)) if isinstance(place, Set) else (place,)


def _numbers(items: Sequence[Item]) -> dict[Item, int]:
    numbers = {item: number for number, item in enumerate(items)}
    if len(numbers) != len(items):
        raise InvalidInputError("the items that are compared must all be different")
    return numbers


def _number(numbers: Mapping[Item, int], item: Item) -> int:
    if item not in numbers:
        raise InvalidInputError(f"{item!r} is ranked or judged, and not among the items")
    return numbers[item]


def _by_pair(
    judgements: Iterable[Judgement[Item]], numbers: Mapping[Item, int]
) -> dict[tuple[int, int], tuple[list[float], list[float]]]:
    """Preferences for the first of each pair of items: those shown in this order, and those in the other."""
    pairs: dict[tuple[int, int], tuple[list[float], list[float]]] = {}
    for judgement in judgements:
        first, second = _number(numbers, judgement.first), _number(numbers, judgement.second)
        if judgement.preference is None:
            continue
        if (second, first) in pairs:
            pairs[second, first][1].append(1 - judgement.preference)
        else:
            pairs.setdefault((first, second), ([], []))[0].append(judgement.preference)
    return pairs


def _agreed(a: float, b: float) -> float | None:
    """What two verdicts on a pair agree on: their mean, 1/2 where one is a tie, None where they contradict."""
    if (a - 0.5) * (b - 0.5) < 0:
        return None
    return 0.5 if 0.5 in (a, b) else (a + b) / 2
