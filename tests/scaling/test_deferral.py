from __future__ import annotations

import gzip
import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import InvalidInputError
from orchestrator.scaling import (
    Calibrator,
    CascadeFit,
    RecordedTier,
    deferral_path,
    fit_deferral,
    fit_thresholds,
    pareto_front,
    replay_thresholds,
)
from orchestrator.scaling.deferral import _binomial_tails

DATA = Path(__file__).parents[1] / "data"


def rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


FOUR = [
    RecordedTier(correct=[1, 1, 0, 0], cost=1.0, confidence=[0.9, 0.6, 0.7, 0.2]),
    RecordedTier(correct=[1, 1, 1, 1], cost=10.0),
]
"""Sure and right, unsure and right, surer and wrong, unsure and wrong; the dear tier is always right."""


def world(problems: int, seed: int, *, tiers: int = 2) -> list[RecordedTier]:
    """Problems of all difficulties; the more skilled a tier the dearer, and its confidence is a fair guess."""
    rng = np.random.default_rng(seed)
    hard = rng.random(problems)

    def tier(skill: float, cost: float) -> RecordedTier:
        chance = 1 / (1 + np.exp(6 * hard - skill))
        right = rng.random(problems) < chance
        guess = 0.15 + 0.7 * chance + 0.2 * (right - 0.5) + 0.12 * rng.standard_normal(problems)
        return RecordedTier(correct=right, cost=cost, confidence=np.clip(guess, 0, 1))

    ladder = [tier(2.5, 1.0), tier(4.0, 5.0), tier(6.5, 25.0)]
    return [ladder[0], ladder[2]] if tiers == 2 else ladder


def test_the_first_tier_that_is_sure_enough_answers_and_all_that_were_asked_are_paid() -> None:
    done = replay_thresholds(FOUR, (0.7,))
    assert done.tier.tolist() == [0, 1, 0, 1]
    assert done.correct.tolist() == [1, 1, 0, 1]
    assert done.cost.tolist() == [1, 11, 1, 11]
    assert (done.accuracy, done.mean_cost, done.escalated) == (0.75, 6.0, 0.5)


def test_a_tier_without_threshold_never_answers() -> None:
    assert replay_thresholds(FOUR, (None,)).tier.tolist() == [1, 1, 1, 1]


def test_the_front_goes_from_the_cheapest_to_the_most_accurate() -> None:
    front = [(point.thresholds, point.accuracy, point.cost) for point in pareto_front(FOUR)]
    # From 0.6 on three are answered first, one of them wrong; 0.7 is dearer and no better; 0.9 asks on for three.
    assert front == [((0.2,), 0.5, 1.0), ((0.6,), 0.75, 3.5), ((0.9,), 1.0, 8.5)]


def plain_front(tiers: list[RecordedTier]) -> list[tuple[float, float]]:
    """Every combination of thresholds by its definition, without those another one beats."""
    levels = [[*sorted(set(np.asarray(tier.confidence).tolist())), None] for tier in tiers[:-1]]
    found = set()
    for thresholds in product(*levels):
        right, paid = 0.0, 0.0
        for problem in range(len(np.asarray(tiers[-1].correct))):
            for tier, at in zip(tiers, [*thresholds, -1.0], strict=True):
                paid += float(tier.cost)
                if at == -1.0 or (at is not None and np.asarray(tier.confidence)[problem] >= at):
                    right += float(np.asarray(tier.correct)[problem])
                    break
        found.add((right, paid))
    kept = [a for a in found if not any(b != a and b[0] >= a[0] and b[1] <= a[1] for b in found)]
    return sorted((paid, right) for right, paid in kept)


CONFIDENCES = st.sampled_from([0.0, 0.25, 0.5, 1.0])


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(1, 6), st.data())
def test_the_joint_search_finds_what_trying_everything_finds(tiers: int, n: int, data: st.DataObject) -> None:
    ladder = [
        RecordedTier(
            correct=data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)),
            cost=float(2**number),
            confidence=data.draw(st.lists(CONFIDENCES, min_size=n, max_size=n)),
        )
        for number in range(tiers)
    ]
    front = pareto_front(ladder)
    assert [(point.cost * n, point.accuracy * n) for point in front] == [
        (pytest.approx(paid), pytest.approx(right)) for paid, right in plain_front(ladder)
    ]
    for point in front:
        done = replay_thresholds(ladder, point.thresholds)
        assert (done.accuracy, done.mean_cost) == (pytest.approx(point.accuracy), pytest.approx(point.cost))


def test_a_target_cost_is_kept_and_a_target_accuracy_reached_on_the_fitting_problems() -> None:
    tiers = world(300, 0, tiers=3)
    cheap = fit_thresholds(tiers, target_cost=12.0)
    assert cheap.fitted_cost <= 12.0
    good = fit_thresholds(tiers, target_accuracy=0.8, guarantee=False)
    assert good.fitted_accuracy >= 0.8
    beaten = [point for point in pareto_front(tiers) if point.accuracy >= 0.8]
    assert good.fitted_cost == pytest.approx(min(point.cost for point in beaten))


def test_the_thresholds_are_what_the_accept_rules_take() -> None:
    fit = fit_thresholds(world(200, 1), target_cost=10.0)
    assert len(fit.thresholds) == 1
    assert 0 <= fit.thresholds[0] <= 1
    assert sum(fit.answered) == pytest.approx(1)
    assert fit.escalated == pytest.approx(replay_thresholds(world(200, 1), fit.thresholds).escalated)


def test_p_values_are_the_tails_of_the_binomial_distribution() -> None:
    tails = _binomial_tails(3, 0.25)  # 27, 27, 9 and 1 in 64
    assert tails.tolist() == pytest.approx([1.0, 37 / 64, 10 / 64, 1 / 64])
    assert _binomial_tails(2, 1.0).tolist() == [1, 1, 1]
    assert _binomial_tails(2, 0.0).tolist() == [1, 0, 0]
    exact = [sum(math.comb(40, k) * 0.9**k * 0.1 ** (40 - k) for k in range(low, 41)) for low in range(41)]
    assert _binomial_tails(40, 0.9).tolist() == pytest.approx(exact)


def test_a_guarantee_is_kept_as_often_as_it_says_on_two_tiers() -> None:
    truth = world(20_000, 10_000)
    fits = [fit_thresholds(world(150, seed), target_accuracy=0.75, confidence=0.8) for seed in range(100)]
    kept = [replay_thresholds(truth, fit.thresholds).accuracy >= 0.75 for fit in fits]
    assert np.mean(kept) >= 0.8 - 2 * math.sqrt(0.8 * 0.2 / 100)
    assert np.mean(kept) < 1
    assert all(fit.guaranteed == 0.75 == fit.accuracy.low and fit.accuracy.high == 1 for fit in fits)


def test_reaching_a_target_on_the_fitting_problems_alone_would_be_no_guarantee() -> None:
    truth = world(20_000, 10_000)
    fits = [fit_thresholds(world(200, s), target_accuracy=0.8, guarantee=False) for s in range(60)]
    kept = np.mean([replay_thresholds(truth, fit.thresholds).accuracy >= 0.8 for fit in fits])
    assert kept < 0.75
    assert fits[0].guaranteed is None


def test_a_guarantee_is_kept_on_three_tiers_by_testing_on_the_other_half() -> None:
    truth = world(20_000, 10_000, tiers=3)
    kept = []
    for seed in range(60):
        fit = fit_thresholds(world(400, seed, tiers=3), target_accuracy=0.78, confidence=0.8, seed=seed)
        kept.append(replay_thresholds(truth, fit.thresholds).accuracy >= 0.78)
    assert np.mean(kept) >= 0.8 - 2 * math.sqrt(0.8 * 0.2 / 60)


def test_the_last_thresholds_before_the_first_failure_are_taken() -> None:
    # All three would pass or fail as well alone: what counts is that the second fails before the third.
    cheap = RecordedTier(correct=[1] * 60 + [0, 1] * 20, cost=1.0, confidence=[1.0] * 60 + [0.5, 0.0] * 20)
    dear = RecordedTier(correct=[1] * 100, cost=10.0)
    tried = [(1.0,), (0.5,), (0.9,)]  # 100, 80 and 100 right
    done = [replay_thresholds([cheap, dear], thresholds) for thresholds in tried]
    assert [outcome.accuracy for outcome in done] == [1.0, 0.8, 1.0]
    fit = fit_thresholds([cheap, dear], target_accuracy=0.9, path=tried)
    assert fit.thresholds == (1.0,)


def noise(problems: int, seed: int) -> list[RecordedTier]:
    """Three tiers whose confidences say nothing."""
    rng = np.random.default_rng(seed)
    return [
        RecordedTier(correct=rng.random(problems) < right, cost=cost, confidence=rng.random(problems))
        for right, cost in ((0.5, 1.0), (0.55, 5.0), (0.6, 25.0))
    ]


def test_the_accuracy_of_a_guarantee_on_three_tiers_is_that_of_the_tested_half() -> None:
    tiers = world(400, 3, tiers=3)
    fit = fit_thresholds(tiers, target_accuracy=0.75, seed=3)
    tested = np.random.default_rng(3).permutation(400)[200:]
    done = replay_thresholds(tiers, fit.thresholds)
    assert fit.accuracy.value == done.correct[tested].mean() != done.accuracy
    assert fit.cost.value == pytest.approx(done.cost[tested].mean())


def test_accuracy_is_expected_by_answers_held_out_from_the_choice() -> None:
    expected, flattering, truth = [], [], []
    world_at_large = noise(20_000, 10_000)
    for seed in range(40):
        fit = fit_thresholds(noise(40, seed), target_cost=12.0, seed=seed)
        expected.append(fit.accuracy.value)
        flattering.append(fit.fitted_accuracy)
        truth.append(replay_thresholds(world_at_large, fit.thresholds).accuracy)
    error = 2 * math.sqrt(0.25 / 40 / 40)
    assert np.mean(expected) == pytest.approx(np.mean(truth), abs=error)
    assert np.mean(flattering) > np.mean(truth) + 2 * error


def test_the_interval_holds_the_accuracy_on_new_problems_as_often_as_it_says() -> None:
    truth = world(20_000, 10_000)
    held, paid = [], []
    for seed in range(100):
        fit = fit_thresholds(world(200, seed), target_cost=12.0, confidence=0.8, seed=seed)
        done = replay_thresholds(truth, fit.thresholds)
        held.append(fit.accuracy.low <= done.accuracy <= fit.accuracy.high)
        paid.append(fit.cost.low <= done.mean_cost <= fit.cost.high)
    assert 0.72 <= np.mean(held) <= 0.88
    assert np.mean(paid) >= 0.72


def test_the_interval_holds_the_cost_of_thresholds_chosen_for_an_accuracy_as_often_as_it_says() -> None:
    # Two tiers whose confidences say little, for a target between them: which thresholds reach it is mostly chance.
    def tiers(problems: int, seed: int) -> list[RecordedTier]:
        rng = np.random.default_rng(seed)
        cheap, dear = rng.random(problems) < 0.6, rng.random(problems) < 0.85
        guess = 0.5 + 0.15 * (cheap - 0.5) + 0.2 * rng.standard_normal(problems)
        return [
            RecordedTier(correct=cheap, cost=1.0, confidence=np.clip(guess, 0, 1)),
            RecordedTier(correct=dear, cost=25.0),
        ]

    truth, held = tiers(50_000, 10_000), []
    for seed in range(100):
        try:
            fit = fit_thresholds(tiers(60, seed), target_accuracy=0.8, guarantee=False, seed=seed)
        except InvalidInputError:
            continue  # no thresholds reach it on these 60
        held.append(fit.cost.low <= replay_thresholds(truth, fit.thresholds).mean_cost <= fit.cost.high)
    assert len(held) > 75
    assert 0.91 <= np.mean(held) < 1


def test_the_interval_of_a_cost_is_wider_for_thresholds_chosen_on_few_problems_from_a_path() -> None:
    path = deferral_path([1.0, 25.0], steps=2000)
    fit = fit_thresholds(world(100, 0), target_accuracy=0.7, guarantee=False, path=path)
    assert 1.0 <= fit.cost.low <= min(fit.cost.value, fit.fitted_cost)
    assert max(fit.cost.value, fit.fitted_cost) <= fit.cost.high <= 26.0
    again = fit_thresholds(world(100, 0), target_accuracy=0.7, guarantee=False, path=path)
    assert again == fit


def test_what_cannot_be_promised_is_refused_with_what_could_be_done() -> None:
    with pytest.raises(InvalidInputError, match=r"cannot be guaranteed .* Ask for less, record more"):
        fit_thresholds(world(100, 0), target_accuracy=0.95)
    with pytest.raises(InvalidInputError, match=r"no thresholds are right in 1: at most 0\.9"):
        fit_thresholds(world(100, 0), target_accuracy=1.0, guarantee=False)
    with pytest.raises(InvalidInputError, match=r"the cheapest thresholds cost 1 a problem, not 0\.5"):
        fit_thresholds(world(100, 0), target_cost=0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_cost": None}, "either target_accuracy or target_cost"),
        ({"target_accuracy": 0.5}, "either target_accuracy or target_cost"),
        ({"target_cost": math.nan}, "target_cost must be 0 or more"),
        ({"target_cost": None, "target_accuracy": 1.5}, r"target_accuracy must be in \[0, 1\]"),
        ({"confidence": 1.0}, r"confidence must be in \(0, 1\)"),
        ({"path": ()}, "at least 1 set of thresholds"),
        ({"path": [(0.5, 0.5)]}, "2 tiers have 1 thresholds, not 2"),
    ],
)
def test_arguments_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        fit_thresholds(world(100, 0), **{"target_cost": 10.0, **change})


RIGHT = RecordedTier(correct=[1], cost=1.0)


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        (FOUR[:1], "at least 2 tiers, not 1"),
        (FOUR, "at least 20 problems, not 4"),
        ([RecordedTier(correct=[2], cost=1), RIGHT], "correct of tier 0 must be 0 or 1"),
        ([FOUR[0], RIGHT], "correct of tier 1 must be 0 or 1 for each of 4"),
        (
            [RecordedTier(correct=[1], cost=1, confidence=[2]), RIGHT],
            r"confidence of tier 0 must be in \[0, 1\]",
        ),
        ([RecordedTier(correct=[1], cost=-1), RIGHT], "cost of tier 0 must be 0 or more"),
        ([RecordedTier(correct=[1], cost=[1, 2]), RIGHT], "cost of tier 0 must be one a problem of 1"),
        ([RecordedTier(correct=[1], cost=math.inf), RIGHT], "cost of tier 0 must be finite"),
    ],
)
def test_tiers_that_do_not_fit_are_refused(tiers: list[RecordedTier], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        fit_thresholds(tiers, target_cost=10.0)


def test_a_saved_fit_is_the_same_and_holds_plain_numbers(tmp_path: Path) -> None:
    fit = fit_thresholds(world(100, 0, tiers=3), target_cost=12.0)
    fit.save(tmp_path / "cascade.json")
    assert CascadeFit.load(tmp_path / "cascade.json") == fit
    never = CascadeFit.from_json({**fit.to_json(), "thresholds": [None, 0.5]})
    assert never.thresholds == (None, 0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2, this release reads version 1"),
        ({"format": "router"}, "not a fit of a cascade"),
        ({"thresholds": ["high"]}, "damaged"),
        ({"thresholds": [0.5]}, "1 thresholds are for 2 tiers"),
        ({"accuracy": 3}, "damaged"),
        ({"thresholds": [0.5, 1.5]}, r"must be in \[0, 1\] or None, not 1\.5"),
    ],
)
def test_a_fit_that_is_none_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    fit = fit_thresholds(world(100, 0, tiers=3), target_cost=12.0)
    path = tmp_path / "cascade.json"
    path.write_text(json.dumps({**fit.to_json(), **change}))
    with pytest.raises(InvalidInputError, match=message):
        CascadeFit.load(path)


def test_deferral_confidence_is_low_only_where_the_next_tier_does_better() -> None:
    pytest.importorskip("sklearn")
    # Kind 0: both right. Kind 1: neither, so that asking on is wasted. Kind 2: only the next tier.
    kinds = [0, 1, 2] * 100
    figures = [(float(kind == 1), float(kind == 2)) for kind in kinds]
    this, following = [int(kind == 0) for kind in kinds], [int(kind != 1) for kind in kinds]
    fit = fit_deferral(figures, this, following, features=("one", "two"))
    assert [fit.predict(row) for row in figures[:3]] == pytest.approx([0.5, 0.5, 0.0], abs=0.01)
    sure = Calibrator.fit(
        figures, [bool(right) for right in this], method="logistic", features=("one", "two")
    )
    assert sure.predict((1.0, 0.0)) < 0.02  # its own answer is wrong there, which is no reason to ask on


def test_one_price_asks_on_where_the_gain_is_worth_it() -> None:
    path = deferral_path([1.0, 10.0, 20.0], steps=4)
    assert path[0] == (0.5, 0.5)  # for nothing, wherever the next tier is expected to do better
    assert path[1] == pytest.approx((0.375, 0.25))  # at 0.025 a unit: gains above 0.25 and 0.5
    assert path[4] == (0.0, 0.0)
    with pytest.raises(InvalidInputError, match="positive from the second on"):
        deferral_path([1.0, 0.0])
    with pytest.raises(InvalidInputError, match="steps"):
        deferral_path([1.0, 1.0], steps=-1)


def test_recorded_agreement_else_gpt_4_and_a_fitted_cascade_that_does_better() -> None:
    pytest.importorskip("sklearn")
    table = rows("gsm8k_cascade.jsonl.gz")
    cheap, strong = (np.array([row[key] for row in table]) for key in ("correct", "strong"))
    agrees = [[float(other == row["answers"][0]) for other in row["answers"][1:]] for row in table]

    def tiers(confidence: Any, part: Any) -> list[RecordedTier]:
        return [
            RecordedTier(correct=cheap[part], cost=0.0, confidence=np.asarray(confidence)[part]),
            RecordedTier(correct=strong[part], cost=1.0),
        ]

    first = [row[0] for row in agrees]
    whole = replay_thresholds(tiers(first, slice(None)), (1.0,))
    assert (round(100 * whole.accuracy, 1), round(100 * whole.escalated, 1)) == (94.2, 33.7)

    gains, calls = [], []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(table))
        fit_on, report_on = order[: len(table) // 2], order[len(table) // 2 :]
        learned = Calibrator.fit(
            [agrees[i] for i in fit_on],
            [bool(cheap[i]) for i in fit_on],
            method="logistic",
            features=("second", "third", "fourth"),
        )
        confidence = [learned.predict(row) for row in agrees]
        spent = replay_thresholds(tiers(first, fit_on), (1.0,)).escalated
        fit = fit_thresholds(tiers(confidence, fit_on), target_cost=spent)
        fitted = replay_thresholds(tiers(confidence, report_on), fit.thresholds)
        plain = replay_thresholds(tiers(first, report_on), (1.0,))
        gains.append(fitted.accuracy - plain.accuracy)
        calls.append(fitted.escalated - plain.escalated)
    assert np.mean(gains) > 0
    assert np.mean(calls) < 0


def test_recorded_stated_confidence_stops_at_71_9_percent_and_169_tokens() -> None:
    table = rows("gsm8k_anytime.jsonl.gz")
    stated = np.array([[value or 0.0 for value in row["conf"]] for row in table])
    correct = np.array([row["correct"] for row in table])
    tiers = [
        RecordedTier(correct=correct[:, s], cost=cost, confidence=stated[:, s])
        for s, cost in enumerate((96, 160, 224, 320))
    ]
    done = replay_thresholds(tiers, (0.8, 0.8, 0.8))
    assert (round(100 * done.accuracy, 1), round(done.mean_cost)) == (71.9, 169)


def test_recorded_budgets_stopped_by_a_fitted_rule_are_as_right_for_no_more_tokens() -> None:
    pytest.importorskip("sklearn")
    table = rows("gsm8k_anytime.jsonl.gz")
    costs = (96, 160, 224, 320)
    stated = np.array([[value or 0.0 for value in row["conf"]] for row in table])
    correct = np.array([row["correct"] for row in table])
    length = np.log1p([row["chars"] for row in table])
    same = np.array([[a == b for a, b in zip(r["answers"][1:], r["answers"], strict=False)] for r in table])

    def figures(s: int) -> Any:
        before = [same[:, s - 1], same[:, s - 1] * stated[:, s], stated[:, s - 1]] if s else []
        return np.column_stack([stated[:, s], length[:, s], *before]).astype(float)

    def tiers(confidence: Any, part: Any) -> list[RecordedTier]:
        return [
            RecordedTier(correct=correct[part, s], cost=cost, confidence=confidence[part, s])
            for s, cost in enumerate(costs)
        ]

    gains, tokens = [], []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(table))
        fit_on, report_on = order[: len(table) // 2], order[len(table) // 2 :]
        confidence = np.zeros(stated.shape)
        for s in range(3):
            given = figures(s)
            names = [f"figure {number}" for number in range(given.shape[1])]
            learned = fit_deferral(
                given[fit_on].tolist(), correct[fit_on, s], correct[fit_on, s + 1], features=names
            )
            confidence[:, s] = [learned.predict(row) for row in given.tolist()]
        spent = replay_thresholds(tiers(stated, fit_on), (0.8, 0.8, 0.8)).mean_cost
        path = deferral_path(costs, steps=250)
        fit = fit_thresholds(tiers(confidence, fit_on), target_cost=spent, path=path)
        fitted = replay_thresholds(tiers(confidence, report_on), fit.thresholds)
        plain = replay_thresholds(tiers(stated, report_on), (0.8, 0.8, 0.8))
        gains.append(fitted.accuracy - plain.accuracy)
        tokens.append(fitted.mean_cost - plain.mean_cost)
    assert np.mean(gains) >= 0
    assert np.mean(tokens) <= 0
