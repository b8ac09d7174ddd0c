from __future__ import annotations

import gzip
import json
import math
from itertools import groupby
from pathlib import Path

import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.ranking import (
    Comparisons,
    Judgement,
    borda,
    bradley_terry,
    copeland,
    kemeny,
    kendall_tau,
    spearman_rho,
    tournament,
)

ELECTION = [["a", "b", "c"]] * 3 + [["b", "c", "a"]] * 2
"""a beats everyone by 3 to 2, and b is nobody's last."""


def test_borda_rewards_consensus_and_copeland_majorities() -> None:
    by_borda, by_copeland = borda(ELECTION), copeland(ELECTION)
    assert dict(zip(by_borda.items, by_borda.scores, strict=True)) == {"a": 6, "b": 7, "c": 2}
    assert (by_borda.order, by_borda.ranks, by_borda.margin) == (("b", "a", "c"), (2, 1, 3), 1)
    assert by_copeland.scores == (2, 1, 0)
    assert by_copeland.winner == "a"


def test_tied_and_unranked_items_share_what_is_left() -> None:
    rankings = [["a", {"b", "c"}], ["d"]]
    ranking = borda(rankings)
    assert ranking.items == ("a", "b", "c", "d")
    assert ranking.scores == (4, 2.5, 2.5, 3)  # 3 + 1, 1.5 + 1 twice, 0 + 3
    assert ranking.ties == (("b", "c"),)
    assert not ranking.tied
    ignoring = borda(Comparisons.of_rankings(rankings, unranked="ignored"))
    assert ignoring.scores == (2, 0.5, 0.5, 0)


def test_a_tie_for_the_first_place_is_reported() -> None:
    ranking = borda([["x", "y"], ["y", "x"]])
    assert (ranking.winner, ranking.tied, ranking.margin, ranking.ranks) == ("x", True, 0, (1, 1))


def test_no_votes_have_no_winner() -> None:
    for method in (borda, copeland, tournament, bradley_terry):
        assert method([]).winner is None
        assert not method([]).tied
    assert kemeny([]) == ()
    assert borda(Comparisons.of_rankings([], items=["a"])).winner == "a"


def test_bradley_terry_gives_odds() -> None:
    fit = bradley_terry(Comparisons.of_matrix([[0, 9], [3, 0]], items="ab"), prior=0)
    assert fit.probability("a", "b") == pytest.approx(0.75)
    assert sum(fit.scores) == pytest.approx(0)
    assert fit.converged


def test_an_undefeated_item_is_strong_and_finite() -> None:
    votes = Comparisons.of_matrix([[0, 5, 5], [0, 0, 2], [0, 1, 0]], items="abc")
    with pytest.raises(InvalidInputError, match="prior above 0"):
        bradley_terry(votes, prior=0)
    weak, strong = bradley_terry(votes, prior=1), bradley_terry(votes, prior=0.01)
    assert weak.order == strong.order == ("a", "b", "c")
    assert weak.scores[0] < strong.scores[0] < math.inf


def test_groups_that_never_met_are_each_centred() -> None:
    votes = Comparisons.of_matrix([[0, 3, 0, 0], [1, 0, 0, 0], [0, 0, 0, 3], [0, 0, 1, 0]], items="abcd")
    scores = bradley_terry(votes).scores
    assert scores[:2] == pytest.approx(scores[2:])
    assert sum(scores) == pytest.approx(0)


def test_a_model_of_ties_predicts_them() -> None:
    votes = Comparisons.of_matrix([[0, 1], [1, 0]], ties=[[0, 4], [4, 0]], items="ab")
    fit = bradley_terry(votes, prior=0, tie_model="rao_kupper")
    assert fit.probability("a", "b") == fit.probability("b", "a") == pytest.approx(1 / 6)
    with pytest.raises(InvalidInputError, match="was not ranked"):
        fit.probability("a", "z")


def test_kemeny_breaks_the_weakest_preference_of_a_cycle() -> None:
    cycle = [["a", "b", "c"]] * 4 + [["b", "c", "a"]] * 3 + [["c", "a", "b"]] * 2
    assert kemeny(cycle) == ("a", "b", "c")
    with pytest.raises(InvalidInputError, match="at most 16"):
        kemeny([list(range(17))])


def judged(first: str, second: str, preference: float | None) -> Judgement[str]:
    return Judgement(first=first, second=second, preference=preference)


def test_a_judge_that_follows_the_position_calls_a_tie() -> None:
    judgements = [judged("a", "b", 1), judged("b", "a", 1), judged("a", "c", 1), judged("c", "a", 0)]
    votes = Comparisons.of_judgements(judgements)
    assert (votes.repeated, votes.contradictory) == (2, 1)
    ranking = tournament(judgements)
    assert ranking.items == ("a", "b", "c")
    assert ranking.scores == (0.75, 0.5, 0)  # a: a tie and a win
    assert tournament(judgements, swapped="each").scores == (0.75, 0.5, 0)
    assert Comparisons.of_judgements(judgements, swapped="each").wins[0] == (0, 1, 2)


def test_missing_verdicts_and_single_ones_count_as_they_are() -> None:
    judgements = [
        judged("a", "b", None),
        judged("b", "c", 0.5),
        judged("c", "b", 0.25),
        judged("c", "d", 0.25),
    ]
    votes = Comparisons.of_judgements(judgements)
    assert votes.ties[1][2] == 1  # a tie and a verdict do not agree on a winner
    assert (votes.wins[2][3], votes.wins[3][2]) == (0.25, 0.75)
    ranking = tournament(judgements)
    assert ranking.scores == (0.5, 0.5, 0.375, 0.75)
    assert ranking.winner == "d"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: judged("a", "a", 1), "with itself"),
        (lambda: judged("a", "b", 1.5), r"\[0, 1\]"),
        (lambda: judged("a", "b", math.nan), r"\[0, 1\]"),
        (lambda: Comparisons.of_rankings([["a", "a"]]), "twice"),
        (lambda: Comparisons.of_rankings([["a"]], items="b"), "not among the items"),
        (lambda: Comparisons.of_judgements([judged("a", "b", 1)], items="a"), "not among the items"),
        (lambda: Comparisons.of_matrix([[0, 1]], items="ab"), "row and a column"),
        (lambda: Comparisons.of_matrix([[0, math.inf], [0, 0]], items="ab"), "finite"),
        (lambda: Comparisons.of_matrix([[0, 1], [0, 0]], items="aa"), "different"),
        (lambda: tournament([judged("a", "b", 1), ["a"]]), "not both"),
        (lambda: bradley_terry([["a", "b"]], max_iterations=0), "max_iterations"),
        (lambda: bradley_terry([["a", "b"]], prior=math.nan), "prior"),
        (lambda: kendall_tau([1, 2], [1, 1]), "all equal"),
    ],
)
def test_what_cannot_be_is_refused(make, said) -> None:
    with pytest.raises(InvalidInputError, match=said):
        make()


@pytest.fixture(scope="module")
def preferences() -> dict[str, list[float]]:
    """How surely each of 58 models was preferred to the reference on each of 805 instructions."""
    with gzip.open(Path(__file__).parent / "data" / "alpaca_preferences.jsonl.gz", "rt") as lines:
        models = [json.loads(line) for line in lines]
    for model in models:
        known = [value for value in model["preference"] if value is not None]
        if model["published_win_rate"] is not None:
            assert 100 * sum(known) / len(known) == pytest.approx(model["published_win_rate"], abs=0.05)
    return {model["model"]: model["preference"] for model in models if None not in model["preference"]}


def test_borda_over_instructions_agrees_with_win_rates(preferences: dict[str, list[float]]) -> None:
    models = list(preferences)
    rankings = []
    for instruction in range(805):
        verdict = {model: preferences[model][instruction] for model in models}
        order = sorted(models, key=lambda model: -verdict[model])
        rankings.append([set(tied) for _, tied in groupby(order, key=verdict.__getitem__)])
    ranking = borda(Comparisons.of_rankings(rankings, items=models))
    rates = [sum(preferences[model]) / 805 for model in models]
    assert len(models) == 52
    assert round(spearman_rho(ranking.scores, rates), 4) == 0.9746
    assert ranking.order[:3] == ("FuseChat-Gemma-2-9B-Instruct", "NullModel", "FuseChat-Qwen-2.5-7B-Instruct")
