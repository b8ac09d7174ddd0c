"""Replay against its plain definition, and what holds for every recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import replay as reference

from orchestrator import _core
from orchestrator.errors import InvalidInputError
from orchestrator.scaling import RecordedProblem, Recording, Tier, maj_curve, replay, replay_cascade
from orchestrator.stopping import LeadStop, Stop, Tally, WindowStop


@dataclass(frozen=True)
class LeadBy:
    """Stops when the leader is so many votes ahead."""

    votes: int

    def should_stop(self, tally: Tally) -> Stop | None:
        first, second = sorted([0, 0, *tally.counts], reverse=True)[:2]
        return Stop(reason="ahead", leader=tally.leader) if first - second >= self.votes else None

    def plainly(self, counts: list[int], abstentions: int, planned: int) -> bool:
        first, second = sorted([0, 0, *counts], reverse=True)[:2]
        return first - second >= self.votes


sample = st.tuples(st.none() | st.integers(0, 3), st.integers(0, 1), st.integers(0, 4), st.integers(0, 9))


@st.composite
def problems(draw: st.DrawFn, count: int) -> list[reference.Samples]:
    table = [draw(st.lists(sample, min_size=1, max_size=7)) for _ in range(count)]
    return [reference.Samples(*zip(*rows, strict=True)) for rows in table]


def recorded(samples: list[reference.Samples]) -> Recording:
    return Recording(
        problems=tuple(
            RecordedProblem(
                id=str(i), clusters=one.clusters, correct=one.correct, scores=one.scores, costs=one.costs
            )
            for i, one in enumerate(samples)
        )
    )


@given(seed=st.integers(0, 2**64 - 1), size=st.integers(1, 40), at=st.tuples(*[st.integers(0, 2**40)] * 3))
def test_orders_are_the_shuffle_they_are_defined_as(seed, size, at):
    problem, resample, tier = at
    drawn = _core.draw_order(seed=seed, problem=problem, resample=resample, tier=tier, size=size, count=size)
    assert drawn == reference.order(seed, problem, resample, tier, size)


@settings(max_examples=40)
@given(data=st.data(), vote=st.sampled_from(["plurality", "weighted", "best"]))
def test_a_replay_agrees_with_its_definition(data: st.DataObject, vote: str):
    count = data.draw(st.integers(1, 3), label="problems")
    tiers, plain = [], []
    for number in range(data.draw(st.integers(1, 3), label="tiers")):
        samples = data.draw(problems(count))
        n = data.draw(st.integers(1, min(len(one.clusters) for one in samples)))
        rule = data.draw(st.none() | st.builds(LeadBy, st.integers(1, 3)))
        accept = data.draw((st.none() if rule else st.nothing()) | st.sampled_from([0.0, 0.5, 0.75, 1.0]))
        carry = data.draw(st.booleans()) and number > 0
        tiers.append(Tier(recording=recorded(samples), n=n, stop=rule, accept=accept, carry=carry))
        plain.append(reference.Tier(samples, n, rule.plainly if rule else None, accept, carry))
    result = replay_cascade(tiers, vote=vote, resamples=7, seed=3)
    expected = reference.replay(plain, vote, 7, 3)
    assert result.accuracy_by_problem == pytest.approx(expected["correct"], abs=1e-12)
    assert result.samples_by_problem == pytest.approx(expected["samples"], abs=1e-12)
    assert result.cost_by_problem == pytest.approx(expected["costs"], abs=1e-12)
    assert result.unanswered_by_problem == pytest.approx(expected["unanswered"], abs=1e-12)
    assert result.stopped_by_problem == pytest.approx(expected["fired"], abs=1e-12)
    assert result.ended_by_problem.ravel() == pytest.approx(expected["ended"], abs=1e-12)
    assert result.accuracy == pytest.approx(np.mean(expected["correct"]), abs=1e-12)
    assert result.ended.sum() == pytest.approx(1)


@settings(max_examples=25)
@given(samples=problems(3), vote=st.sampled_from(["plurality", "weighted", "best"]))
def test_a_curve_is_a_replay_of_each_number_of_samples(samples, vote):
    recording = recorded(samples)
    ks = range(1, recording.fewest + 1)
    curve = maj_curve(recording, ks, vote=vote, method="monte_carlo", resamples=9, seed=1)
    for column, k in enumerate(ks):
        whole = replay(recording, n=k, vote=vote, resamples=9, seed=1)
        assert curve.accuracy_by_problem[:, column] == pytest.approx(whole.accuracy_by_problem, abs=1e-12)
        assert curve.standard_error[column] == pytest.approx(whole.accuracy.standard_error, abs=1e-12)


def mixture(*, problems: int = 60, n: int = 24, seed: int = 0) -> Recording:
    """Problems of varied difficulty: cluster 0 is right, 1 to 4 are wrong, some samples abstain."""
    random = np.random.default_rng(seed)
    right = random.beta(2, 2, size=(problems, 1))
    clusters = np.where(random.random((problems, n)) < right, 0, random.integers(1, 5, size=(problems, n)))
    clusters[random.random((problems, n)) < 0.1] = -1
    scores = np.clip(0.3 * (clusters == 0) + random.random((problems, n)), 0, 1)
    return Recording.from_arrays(
        clusters, clusters == 0, scores=scores, costs=random.integers(1, 99, (problems, n))
    )


@pytest.mark.parametrize("vote", ["plurality", "best"])
def test_a_simulated_curve_is_near_the_exact_one(vote):
    recording = mixture()
    ks = [1, 2, 5, 12, 24]
    exact = maj_curve(recording, ks, vote=vote, method="exact")
    drawn = maj_curve(recording, ks, vote=vote, method="monte_carlo", resamples=2000)
    assert (exact.method, drawn.method, maj_curve(recording, ks, vote=vote).method) == (
        "exact",
        "monte_carlo",
        "exact",
    )
    assert (np.abs(exact.accuracy - drawn.accuracy) <= 5 * drawn.standard_error + 1e-12).all()
    assert (exact.standard_error == 0).all()


def test_more_votes_help_and_the_curve_starts_at_the_mean():
    recording = mixture()
    curve = maj_curve(recording, [24, 1, 5, 5])
    assert curve.ks == (1, 5, 24)
    assert curve.accuracy[0] == pytest.approx(np.mean(np.concatenate(recording.correct)))
    assert list(curve.accuracy) == sorted(curve.accuracy)


@pytest.mark.parametrize("vote", ["plurality", "weighted", "best"])
def test_the_number_of_threads_changes_nothing(vote):
    recording = mixture()

    def figures(threads: int) -> list[float]:
        curve = maj_curve(recording, [3, 9], vote=vote, method="monte_carlo", resamples=30, threads=threads)
        result = replay(recording, vote=vote, resamples=30, threads=threads)
        return [
            *curve.accuracy_by_problem.ravel(),
            *result.accuracy_by_problem,
            result.accuracy.standard_error,
        ]

    assert figures(1) == figures(4) == figures(0)


def test_two_strategies_meet_the_same_draws_whatever_they_take():
    """With one seed, a rule that never changes the winner has the accuracy of the full vote, exactly."""
    recording = mixture()
    full = replay(recording, resamples=20, seed=4)
    safe = replay(recording, stop=LeadStop(), resamples=20, seed=4)
    assert (safe.accuracy_by_problem == full.accuracy_by_problem).all()
    assert safe.samples < 22 < full.samples == 24


def test_a_rule_of_ones_own_is_asked_with_the_order_and_the_plan():
    seen: list[Tally] = []

    class Watching:
        def should_stop(self, tally: Tally) -> Stop | None:
            seen.append(tally)
            return WindowStop(size=2).should_stop(tally)

    recording = Recording.from_arrays([[4, -1, 7, 7, 4]], [[0, 0, 1, 1, 0]])
    result = replay(recording, stop=Watching(), shuffle=False)
    assert result.samples == 4
    assert seen[-1] == Tally.of_clusters([0, None, 1, 1], planned=5)
    assert result.accuracy == 1
    assert (result.accuracy.method, result.accuracy.standard_error) == ("exact", 0)


def test_what_a_rule_raises_is_raised():
    class Broken:
        def should_stop(self, tally: Tally) -> Stop | None:
            raise LookupError("no such prior")

    with pytest.raises(LookupError, match="no such prior"):
        replay(mixture(), stop=Broken())


def test_other_threads_run_during_a_replay():
    recording = mixture(problems=40, n=200)
    done = Event()

    def work() -> None:
        replay(recording, resamples=300, threads=1)
        done.set()

    thread = Thread(target=work)
    thread.start()
    turns = 0
    while not done.wait(0.001):
        turns += 1
    thread.join()
    # Each turn is a wait of a millisecond during which the replay ran on; it never held this thread up.
    assert turns > 3


def test_a_cascade_pays_for_the_tier_it_leaves():
    small = Recording.from_arrays([[0, 1], [0, 0]], [[0, 1], [0, 0]], costs=[[1, 1], [1, 1]])
    large = Recording.from_arrays([[1], [2]], [[1], [1]], costs=[[50], [50]])
    result = replay_cascade([Tier(recording=small, accept=1.0), Tier(recording=large)], resamples=3)
    assert result.accuracy_by_problem.tolist() == [1, 0]
    assert result.cost_by_problem.tolist() == [52, 2]
    assert result.samples_by_problem.tolist() == [3, 2]
    assert result.ended.tolist() == [0.5, 0.5]


def test_the_cost_is_unknown_where_none_was_recorded():
    assert replay(Recording.from_arrays([[0]], [[1]])).cost is None
    assert replay(Recording.from_arrays([[0]], [[1]], costs=[[3]])).cost == 3


def test_one_random_draw_says_nothing_of_its_error():
    assert np.isnan(replay(mixture(), n=3, resamples=1).accuracy.standard_error)


def test_the_interval_of_a_replay_is_over_problems():
    interval = replay(mixture(problems=200), resamples=10).interval()
    assert interval.low < interval.value < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * np.sqrt(0.22 / 200), rel=0.3)


def one(**settings: object) -> Tier:
    return Tier(recording=Recording.from_arrays([[0, 1]], [[1, 0]]), **settings)


def test_a_class_in_place_of_a_rule_is_named():
    with pytest.raises(InvalidInputError, match=r"not its class: LeadStop\(\.\.\.\)"):
        replay(mixture(), stop=LeadStop)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: replay(mixture(), n=25),
        lambda: replay(mixture(), n=0),
        lambda: replay(mixture(), n=-1),
        lambda: replay(mixture(), resamples=0),
        lambda: replay(mixture(), seed=-1),
        lambda: replay(mixture(), vote="loudest"),
        lambda: replay(one().recording, vote="best"),
        lambda: replay_cascade([]),
        lambda: replay_cascade([one(), one()]),
        lambda: replay_cascade([one(accept=1.5), one()]),
        lambda: replay_cascade([one(accept=0.5), Tier(recording=mixture())]),
        lambda: maj_curve(mixture(), []),
        lambda: maj_curve(mixture(), [25]),
        lambda: maj_curve(mixture(), [0], method="monte_carlo"),
        lambda: maj_curve(mixture(), [1], vote="weighted", method="exact"),
        lambda: maj_curve(mixture(), [1], method="quick"),
        lambda: maj_curve(one().recording, [1], vote="best"),
    ],
)
def test_what_cannot_be_replayed_is_refused(wrong: Callable[[], object]):
    with pytest.raises(InvalidInputError):
        wrong()
