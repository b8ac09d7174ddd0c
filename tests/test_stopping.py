from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.stopping import BetaStop, FixedSize, LeadStop, Stop, StoppingRule, Tally, WindowStop


@pytest.mark.parametrize(
    ("counts", "posterior"),
    [
        ((2, 0), 0.8750),
        ((3, 0), 0.9375),
        ((4, 0), 0.9688),
        ((5, 0), 0.9844),
        ((5, 1), 0.9375),
        ((8, 2), 0.9673),
    ],
)
def test_the_beta_posterior_matches_the_published_table(counts: tuple[int, int], posterior: float) -> None:
    assert BetaStop().posterior(Tally.of(counts)) == pytest.approx(posterior, abs=5e-5)


def test_beta_stops_at_four_to_none_and_not_at_five_to_one() -> None:
    rule = BetaStop(confidence=0.95)
    assert rule.should_stop(Tally.of([4])) == Stop(
        reason="the leader is ahead with probability 0.9688", leader=0
    )
    assert rule.should_stop(Tally.of([5, 1])) is None
    assert rule.should_stop(Tally.of([1, 8, 2])) == Stop(
        reason="the leader is ahead with probability 0.9673", leader=1
    )


@pytest.mark.parametrize("counts", [[], [0], [2], [2, 2]])
def test_beta_goes_on_while_little_is_known(counts: list[int]) -> None:
    assert BetaStop(confidence=0.95).should_stop(Tally.of(counts, abstentions=9)) is None


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, float("nan")])
def test_a_confidence_lies_between_none_and_certainty(confidence: float) -> None:
    with pytest.raises(InvalidInputError, match="confidence"):
        BetaStop(confidence=confidence)


@pytest.mark.parametrize(
    ("counts", "planned", "stops"),
    [
        ([3, 1], 6, True),  # a tie at 3 goes to the leader, seen first
        ([1, 3], 6, False),  # a tie at 3 goes to the challenger, seen first
        ([1, 4], 7, True),
        ([2], 4, True),  # a new cluster could tie at 2 and lose
        ([2], 5, False),
        ([], 0, False),
        ([2, 2], 4, True),
    ],
)
def test_lead_stop_fires_when_nobody_can_catch_up(counts: list[int], planned: int, stops: bool) -> None:
    stop = LeadStop().should_stop(Tally.of(counts, planned=planned))
    assert (stop is not None) == stops


def test_abstentions_use_up_the_plan() -> None:
    assert LeadStop().should_stop(Tally.of([2, 0], planned=8)) is None
    assert LeadStop().should_stop(Tally.of([2, 0], abstentions=4, planned=8)) is not None


def test_an_open_plan_is_never_decided_by_counting() -> None:
    assert LeadStop().should_stop(Tally.of([100])) is None
    assert FixedSize().should_stop(Tally.of([100])) is None


def test_fixed_size_is_never_early() -> None:
    tally = Tally(planned=3)
    for _ in range(2):
        tally = tally.add(0)
        assert FixedSize().should_stop(tally) is None
    assert FixedSize().should_stop(tally.add(None)) == Stop(reason="all 3 planned samples are in", leader=0)


def test_windows_are_counted_from_the_first_sample() -> None:
    assert WindowStop(size=2).should_stop(Tally.of_clusters([0, 1, 1])) is None
    assert WindowStop(size=2).should_stop(Tally.of_clusters([0, 1, 1, 1])) == Stop(
        reason="2 samples in a row agree", leader=1
    )
    assert WindowStop(size=2).should_stop(Tally.of_clusters([None, None])) is None


def test_a_window_needs_the_order() -> None:
    with pytest.raises(InvalidInputError, match="order"):
        WindowStop(size=2).should_stop(Tally.of([5, 1]))
    assert WindowStop(size=2).should_stop(Tally()) is None


def test_adding_one_by_one_is_the_tally_of_all() -> None:
    clusters = [0, None, 1, 0, 2, None, 1]
    tally = Tally(planned=9)
    for cluster in clusters:
        tally = tally.add(cluster)
    assert tally == Tally.of_clusters(clusters, planned=9)
    assert (tally.seen, tally.remaining, tally.leader) == (7, 2, 0)


def test_impossible_tallies_are_refused() -> None:
    for make in (
        lambda: Tally.of([-1]),
        lambda: Tally.of([1], abstentions=-1),
        lambda: Tally.of([1], planned=-1),
        lambda: Tally.of([1]).add(3),
        lambda: Tally.of_clusters([1, 0]),
        lambda: Tally(counts=(1,), order=(0, 0)),
        lambda: WindowStop(size=0),
    ):
        with pytest.raises(InvalidInputError):
            make()


@pytest.mark.parametrize("rule", [FixedSize(), LeadStop(), BetaStop(), WindowStop(size=3)])
def test_every_rule_is_one(rule: object) -> None:
    assert isinstance(rule, StoppingRule)
