"""Items in order: Borda, Copeland, a tournament's score, Bradley-Terry strengths, Kemeny's order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias

from .. import _core
from ..errors import InvalidInputError
from .comparisons import Comparisons, Item, Judgement

__all__ = [
    "BradleyTerry",
    "Ranking",
    "TieModel",
    "Votes",
    "borda",
    "bradley_terry",
    "copeland",
    "kemeny",
    "kendall_tau",
    "spearman_rho",
    "tournament",
]

TieModel: TypeAlias = Literal["half", "rao_kupper"]
"""How strengths explain a tie; see `bradley_terry`."""

TIE = 1e-9
"""Scores that differ by no more than this, or this part of the larger one, are tied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking(Generic[Item]):
    """`k` items by score.

    Attributes:
        items: As they were given.
        scores: One per item, in that order; larger is better.
        order: The items best first; tied ones in the order they were given.
        ranks: One per item, in the order of `items`: 1 is best, tied items share the smallest.
        ties: Groups of tied items, best first; none when all scores differ.
        margin: The winner's score less the runner-up's; 0 when they are tied or there is no second.
    """

    items: tuple[Item, ...]
    scores: tuple[float, ...]
    order: tuple[Item, ...]
    ranks: tuple[int, ...]
    ties: tuple[tuple[Item, ...], ...]
    margin: float

    @property
    def winner(self) -> Item | None:
        """The best item, the first of tied ones; None without items."""
        return self.order[0] if self.order else None

    @property
    def tied(self) -> bool:
        """Whether another item is as good as the winner."""
        return bool(self.ties) and self.order[0] in self.ties[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class BradleyTerry(Ranking[Item]):
    """A ranking by strength; `scores` are natural logarithms of strengths.

    Attributes:
        theta: How large the draw is that strengths must overcome, at least 1; 1 without a model of ties.
        log_likelihood: Of the comparisons, natural, at these strengths.
        iterations: Steps taken.
        converged: Whether the strengths are within 1e-7 standard errors of the maximum.
    """

    theta: float
    log_likelihood: float
    iterations: int
    converged: bool

    def probability(self, first: Item, second: Item) -> float:
        """P(first beats second) = s_1 / (s_1 + theta * s_2); the same the other way leaves P(tie).

        Raises:
            InvalidInputError: an item was not ranked.
        """
        strength = dict(zip(self.items, self.scores, strict=True))
        if first not in strength or second not in strength:
            raise InvalidInputError(f"{first!r} or {second!r} was not ranked")
        # 1 / (1 + e^x), by the form that cannot overflow.
        x = strength[second] + math.log(self.theta) - strength[first]
        return math.exp(-x) / (1 + math.exp(-x)) if x > 0 else 1 / (1 + math.exp(x))


Votes: TypeAlias = Comparisons[Item] | Iterable[Iterable[Item | Set[Item]]]
"""Comparisons, or rankings to be compared by `Comparisons.of_rankings`."""


def borda(votes: Votes[Item]) -> Ranking[Item]:
    """Borda's count: an item's score is its wins and half its ties over all others.

    For complete rankings an item at rank r of k gets k - r from each. Unless all pairs were compared as
    often, use `tournament`, which divides by the comparisons.
    """
    comparisons = _compared(votes)
    return _ranking(comparisons.items, _core.borda(comparisons.wins, comparisons.ties))


def copeland(votes: Votes[Item]) -> Ranking[Item]:
    """Copeland's count: the opponents an item beats by majority, and half those it draws with.

    An item that beats every other one, a Condorcet winner, always wins. A pair that was never compared counts
    for neither.
    """
    comparisons = _compared(votes)
    return _ranking(comparisons.items, _core.copeland(comparisons.wins, comparisons.ties))


def tournament(
    votes: Votes[Item] | Iterable[Judgement[Item]], *, swapped: Literal["agree", "each"] = "agree"
) -> Ranking[Item]:
    """Scores in [0, 1]: (wins + ties / 2) / comparisons; 1/2 for an item that was never compared.

    Args:
        votes: Comparisons, rankings, or a judge's verdicts, which are counted by `Comparisons.of_judgements`.
        swapped: As for `Comparisons.of_judgements`.
    """
    comparisons = _judged(votes, swapped)
    return _ranking(comparisons.items, _core.win_rates(comparisons.wins, comparisons.ties))


def bradley_terry(
    votes: Votes[Item],
    *,
    prior: float = 0.1,
    tie_model: TieModel = "half",
    max_iterations: int = 1000,
) -> BradleyTerry[Item]:
    """The strengths s that make the comparisons likeliest when P(i beats j) = s_i / (s_i + s_j).

    Bradley and Terry 1952, by the minorisation-maximisation of Hunter 2004 ("MM algorithms for generalized
    Bradley-Terry models", Annals of Statistics 32), each step followed by one of Newton's.

    Args:
        votes: Comparisons or rankings.
        prior: Imaginary wins, and as many losses, of each item against one of strength 1; at least 0. Above
            0 strengths are finite whatever was compared: an undefeated item is strong but not infinitely so,
            and groups never compared with each other are each centred at 1. At 0 it is the maximum
            likelihood, scaled to a geometric mean of 1.
        tie_model: `half` counts a tie as half a win for each; `rao_kupper` (1967) fits how likely ties are:
            P(i beats j) = s_i / (s_i + theta * s_j).
        max_iterations: Steps at most, at least 1.

    Raises:
        InvalidInputError: `prior` is 0 and the maximum is not finite (the items can be split into two parts of
            which one never won against the other); `rao_kupper` and there are ties only; an argument is
            out of range.
    """
    if max_iterations < 1:
        raise InvalidInputError(f"max_iterations must be at least 1, not {max_iterations}")
    comparisons = _compared(votes)
    fit = _core.bradley_terry(
        comparisons.wins,
        comparisons.ties,
        prior=prior,
        tie_model=tie_model,
        max_iterations=max_iterations,
    )
    ranking = _ranking(comparisons.items, fit.log_strengths)
    return BradleyTerry(
        items=ranking.items,
        scores=ranking.scores,
        order=ranking.order,
        ranks=ranking.ranks,
        ties=ranking.ties,
        margin=ranking.margin,
        theta=fit.theta,
        log_likelihood=fit.log_likelihood,
        iterations=fit.iterations,
        converged=fit.converged,
    )


def kemeny(votes: Votes[Item]) -> tuple[Item, ...]:
    """The order, best first, with the fewest preferences against it; of several the first by item order.

    Exact, in time 2^k: for at most 16 items.

    Raises:
        InvalidInputError: there are more items.
    """
    comparisons = _compared(votes)
    order = _core.kemeny(comparisons.wins, comparisons.ties)
    return tuple(comparisons.items[number] for number in order)


def kendall_tau(a: Sequence[float], b: Sequence[float]) -> float:
    """Kendall's tau-b of two lists of scores, in [-1, 1]: agreement on the order of pairs, ties accounted for.

    Raises:
        InvalidInputError: the lists differ in length, are shorter than 2, hold what is not a number, or one has
            all its values equal.
    """
    return _core.kendall_tau(a, b)


def spearman_rho(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's rho of two lists of scores, in [-1, 1]: the correlation of ranks, equal values at their mean.

    Raises:
        InvalidInputError: as for `kendall_tau`.
    """
    return _core.spearman_rho(a, b)


def _compared(votes: Votes[Item]) -> Comparisons[Item]:
    return votes if isinstance(votes, Comparisons) else Comparisons.of_rankings(votes)


def _judged(
    votes: Votes[Item] | Iterable[Judgement[Item]], swapped: Literal["agree", "each"]
) -> Comparisons[Item]:
    if isinstance(votes, Comparisons):
        return votes
    judgements: list[Judgement[Item]] = []
    rankings: list[Iterable[Item | Set[Item]]] = []
    for vote in votes:
        if isinstance(vote, Judgement):
            judgements.append(vote)
        else:
            rankings.append(vote)
    if judgements and rankings:
        raise InvalidInputError("give either judgements or rankings, not both")
    if rankings:
        return Comparisons.of_rankings(rankings)
    return Comparisons.of_judgements(judgements, swapped=swapped)


def _ranking(items: tuple[Item, ...], scores: Sequence[float]) -> Ranking[Item]:
    groups = _groups(scores)
    ranks = [0] * len(items)
    place = 1
    for group in groups:
        for number in group:
            ranks[number] = place
        place += len(group)
    order = [number for group in groups for number in group]
    leaders = groups[0] if groups else []
    return Ranking(
        items=items,
        scores=tuple(scores),
        order=tuple(items[number] for number in order),
        ranks=tuple(ranks),
        ties=tuple(tuple(items[number] for number in group) for group in groups if len(group) > 1),
        margin=scores[order[0]] - scores[order[1]] if len(leaders) == 1 and len(order) > 1 else 0.0,
    )


def _groups(scores: Sequence[float]) -> list[list[int]]:
    """Numbers of items with the same score, best first."""
    groups: list[list[int]] = []
    best = math.inf
    for number in sorted(range(len(scores)), key=lambda number: -scores[number]):
        if groups and best - scores[number] <= TIE * max(1.0, abs(best)):
            groups[-1].append(number)
        else:
            groups.append([number])
            best = scores[number]
    return [sorted(group) for group in groups]
