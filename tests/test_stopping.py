from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InvalidInputError
from orchestrator.stopping import (
    After,
    AgreementStop,
    AllOf,
    AnyOf,
    BetaStop,
    ConvergenceStop,
    DirichletStop,
    EntropyStop,
    FixedSize,
    LeadStop,
    LearnedStop,
    MajorityStop,
    ScoreStop,
    Stop,
    StoppingRule,
    Tally,
    ValueOfSample,
    WindowStop,
)


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
        tally.add(0)
        assert FixedSize().should_stop(tally) is None
    tally.add(None)
    assert FixedSize().should_stop(tally) == Stop(reason="all 3 planned samples are in", leader=0)


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
        tally.add(cluster)
    assert tally == Tally.of_clusters(clusters, planned=9)
    assert (tally.seen, tally.remaining, tally.leader) == (7, 2, 0)


def test_impossible_tallies_are_refused() -> None:
    for make in (
        lambda: Tally.of([-1]),
        lambda: Tally.of([1], abstentions=-1),
        lambda: Tally.of([1], planned=-1),
        lambda: Tally.of([1]).add(3),
        lambda: Tally.of_clusters([1, 0]),
        lambda: Tally.of([1]).add(-1),
        lambda: Tally.of([1]).add(0, float("nan")),
        lambda: WindowStop(size=0),
        lambda: WindowStop(size=-1),
        lambda: DirichletStop(confidence=1.0),
        lambda: DirichletStop(prior=0.0),
        lambda: DirichletStop(unseen=-1),
        lambda: MajorityStop(threshold=0.0),
        lambda: EntropyStop(threshold=1.5),
        lambda: ScoreStop(threshold=float("inf")),
        lambda: ConvergenceStop(samples=0),
        lambda: ValueOfSample(price=0.0),
        lambda: LearnedStop(confidence=0.0, bias=0.0, evidence=1.0, lead=1.0),
        lambda: LearnedStop(confidence=0.9, bias=float("nan"), evidence=1.0, lead=1.0),
        lambda: AnyOf(rules=()),
        lambda: AllOf(rules=(5,)),
        lambda: After(n=0, rule=LeadStop()),
    ):
        with pytest.raises(InvalidInputError):
            make()


class AfterThree:
    """A user's own rule."""

    def should_stop(self, tally: Tally) -> Stop | None:
        return Stop(reason="three are enough", leader=tally.leader) if tally.seen >= 3 else None


EVERY = [
    FixedSize(),
    LeadStop(),
    BetaStop(),
    DirichletStop(),
    WindowStop(size=3),
    MajorityStop(),
    EntropyStop(),
    ScoreStop(),
    ConvergenceStop(),
    ValueOfSample(price=0.002),
    LearnedStop(confidence=0.9, bias=-1.0, evidence=1.5, lead=0.5),
    BetaStop() | WindowStop(size=3),
    LeadStop() & After(n=4, rule=BetaStop()),
    AgreementStop(threshold=0.75),
]


@pytest.mark.parametrize("rule", [*EVERY, AfterThree()])
def test_every_rule_is_one(rule: object) -> None:
    assert isinstance(rule, StoppingRule)


@pytest.mark.parametrize("rule", EVERY)
def test_rules_are_values_that_can_be_copied_and_sent(rule: StoppingRule) -> None:
    for twin in (pickle.loads(pickle.dumps(rule)), copy.deepcopy(rule)):
        assert twin == rule
        assert hash(twin) == hash(rule)
        assert twin.should_stop(Tally(planned=3)) == rule.should_stop(Tally(planned=3))


def test_dirichlet_counts_all_rivals_and_one_not_seen_yet() -> None:
    # Of Gamma(2) and two Gamma(1) the first is the largest with probability 1 - 2/4 + 1/9.
    assert DirichletStop().posterior(Tally.of([1, 0])) == pytest.approx(11 / 18, abs=1e-9)
    assert DirichletStop(unseen=0).posterior(Tally.of([5, 1])) == pytest.approx(0.9375, abs=1e-9)
    assert DirichletStop(confidence=0.95).should_stop(Tally.of([4])) == Stop(
        reason="the leader is the most frequent answer with probability at least 0.95", leader=0
    )
    assert DirichletStop(confidence=0.95).should_stop(Tally.of([2])) is None
    assert DirichletStop(confidence=0.95).should_stop(Tally.of([])) is None


@pytest.mark.parametrize("prior", [0.001, 0.03, 1.0, 100.0])
def test_dirichlet_gives_answers_without_a_vote_equal_chances(prior: float) -> None:
    assert DirichletStop(prior=prior, unseen=5).posterior(Tally.of([])) == 1 / 5
    assert DirichletStop(prior=prior, unseen=5).posterior(Tally.of([0])) == 1 / 6
    assert DirichletStop(prior=prior, unseen=0).posterior(Tally.of([0, 0, 0])) == 1 / 3


def test_an_abstention_counts_against_a_majority() -> None:
    rule = MajorityStop(threshold=0.8, at_least=5)
    assert rule.should_stop(Tally.of([4, 1])) == Stop(reason="the leader has 4 of 5 samples", leader=0)
    assert rule.should_stop(Tally.of([4], abstentions=2)) is None
    assert rule.should_stop(Tally.of([4])) is None


def test_entropy_is_measured_against_as_many_equal_clusters() -> None:
    rule = EntropyStop(threshold=0.5, at_least=4)
    assert rule.should_stop(Tally.of([20, 20])) is None
    assert rule.should_stop(Tally.of([9, 1])) == Stop(
        reason="the votes have a normalised entropy of 0.4690", leader=0
    )
    assert rule.should_stop(Tally.of([3])) is None


def test_the_first_score_past_the_threshold_stops_unless_there_is_no_answer() -> None:
    rule, tally = ScoreStop(threshold=0.75), Tally()
    tally.add(0, 0.5)
    tally.add(None, 1.0)
    assert rule.should_stop(tally) is None
    tally.add(1, 0.8)
    assert rule.should_stop(tally) == Stop(reason="a sample scored 0.8", leader=0)


def test_convergence_is_a_leader_whose_share_stays() -> None:
    rule = ConvergenceStop(samples=2, tolerance=0.1)
    assert rule.should_stop(Tally.of_clusters([0, 0, 0])) is not None
    assert rule.should_stop(Tally.of_clusters([0, 0, 1])) is None
    with pytest.raises(InvalidInputError, match="order"):
        rule.should_stop(Tally.of([3]))


def test_a_sample_is_taken_while_it_may_gain_more_than_it_costs() -> None:
    # At one vote each, one more raises the leader's probability from 1/2 to 11/16.
    assert ValueOfSample(price=0.18).should_stop(Tally.of([1, 1], planned=3)) is None
    assert ValueOfSample(price=0.19).should_stop(Tally.of([1, 1], planned=3)) is not None
    rule = ValueOfSample(price=0.01)
    assert rule.should_stop(Tally.of([10])) is not None
    assert rule.should_stop(Tally.of([], abstentions=2)) is None
    assert rule.should_stop(Tally.of([], abstentions=100)) == Stop(
        reason="no further samples are worth 0.01 right answers each", leader=None
    )


def test_combined_rules_give_the_reasons_of_their_parts() -> None:
    tally = Tally.of_clusters([0, 0, 0, 0], planned=40)
    ahead = "the leader is ahead with probability 0.9688"
    assert (LeadStop() | BetaStop()).should_stop(tally) == Stop(reason=ahead, leader=0)
    assert (LeadStop() & BetaStop()).should_stop(tally) is None
    assert (WindowStop(size=4) & BetaStop()).should_stop(tally) == Stop(
        reason=f"4 samples in a row agree and {ahead}", leader=0
    )
    assert After(n=5, rule=BetaStop()).should_stop(tally) is None
    assert After(n=4, rule=BetaStop()).should_stop(tally) == Stop(reason=ahead, leader=0)


def test_a_rule_of_the_users_own_takes_part_in_combinations() -> None:
    own = Stop(reason="three are enough", leader=0)
    assert (LeadStop() | AfterThree()).should_stop(Tally.of([2, 1])) == own
    assert After(n=4, rule=AfterThree()).should_stop(Tally.of([2, 1])) is None
    assert (AfterThree.should_stop(AfterThree(), Tally.of([2]))) is None
    assert AllOf(rules=[AfterThree(), BetaStop()]).should_stop(Tally.of([2, 1])) is None


def test_what_a_users_own_rule_raises_comes_through() -> None:
    class Broken:
        def should_stop(self, tally: Tally) -> Stop | None:
            raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        AnyOf(rules=(Broken(),)).should_stop(Tally())


def test_a_learned_rule_needs_a_plan_and_knows_what_is_still_to_come() -> None:
    rule = LearnedStop(confidence=0.9, bias=-2.0, evidence=1.0, lead=2.0)
    assert rule.should_stop(Tally.of([3])) is None  # an open plan
    assert rule.should_stop(Tally.of([3], planned=40)) is None
    assert rule.stays(Tally.of([3], planned=40)) < rule.stays(Tally.of([3], planned=7)) < 1
    stop = rule.should_stop(Tally.of([3], planned=7))
    assert stop is not None
    assert stop.reason == "the leader stays with probability 0.9694, by recorded runs"
    assert rule.stays(Tally.of([3], planned=5)) == 1.0  # safe


def test_the_largest_weights_still_give_a_probability() -> None:
    for bias, evidence, lead in ((1e100, 1e100, -1e100), (-1e100, 0.0, 1e100), (-1e100, -1e100, 1e100)):
        rule = LearnedStop(confidence=0.9, bias=bias, evidence=evidence, lead=lead)
        for counts in ([1], [3, 1], [10**15, 1]):
            assert 0 <= rule.stays(Tally.of(counts, planned=4 * 10**15)) <= 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Tally.of([1.5]), "a count of votes must be a whole number, not 1.5"),
        (lambda: Tally.of(["a"]), "a count of votes must be a whole number, not 'a'"),
        (lambda: Tally.of([10**30]), r"a count of votes must be below 2\^63, not 1000"),
        (lambda: Tally.of(5), "counts of votes must be a list of whole numbers, not 5"),
        (lambda: Tally.of([1], abstentions=0.5), "abstentions must be a whole number, not 0.5"),
        (lambda: Tally.of_clusters([0, 0.5]), "a cluster must be a whole number, not 0.5"),
        (lambda: Tally(planned=1.5), "planned must be a whole number, not 1.5"),
    ],
)
def test_a_tally_counts_in_whole_numbers(make: Callable[[], Tally], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        make()


@pytest.mark.parametrize(
    ("rule", "parameters", "said"),
    [
        (WindowStop, {"size": 10**30}, "WindowStop cannot be made of size=10"),
        (WindowStop, {"size": 2.5}, "WindowStop cannot be made of size=2.5"),
        (BetaStop, {"confidence": "high"}, "BetaStop cannot be made of confidence='high'"),
        (AnyOf, {"rules": BetaStop()}, "AnyOf cannot be made of rules=BetaStop"),
        (AnyOf, {"rules": (BetaStop,)}, r"give a stopping rule, not its class: BetaStop\(\.\.\.\)"),
        (
            LearnedStop,
            {"confidence": 0.9, "bias": 1e308, "evidence": 1e308, "lead": -1e308},
            r"bias must be in \[-1e100, 1e100\]",
        ),
    ],
)
def test_a_parameter_no_rule_can_take_is_refused(
    rule: type, parameters: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        rule(**parameters)


def test_agreement_is_not_settled_by_a_lead_that_is_safe() -> None:
    tally = Tally.of([2], planned=4)  # the full draw may be 7, 7, 8, 8
    assert LeadStop().should_stop(tally) is not None
    assert AgreementStop(threshold=0.75).should_stop(tally) is None
    enough = AgreementStop(threshold=0.75).should_stop(Tally.of([3], planned=4))
    assert enough == Stop(reason="at least 3 of 4 samples agree, and the lead is safe", leader=0)
    never = AgreementStop(threshold=0.75).should_stop(Tally.of([1, 1], abstentions=1, planned=4))
    assert never == Stop(reason="at most 2 of 4 samples can agree", leader=0)
    assert AgreementStop(threshold=0.75).should_stop(Tally.of([100])) is None


@given(
    st.lists(st.sampled_from([0, 1, 2, None]), min_size=1, max_size=7),
    st.sampled_from([0.0, 0.25, 0.3, 0.5, 0.6, 0.75, 1.0]),
    st.data(),
)
def test_an_agreement_that_is_settled_is_that_of_every_full_vote(
    drawn: list[int | None], threshold: float, data: st.DataObject
) -> None:
    seen = drawn[: data.draw(st.integers(0, len(drawn)))]
    first = {c: n for n, c in enumerate(dict.fromkeys(c for c in drawn if c is not None))}
    ids = [None if c is None else first[c] for c in drawn]

    def accepted(clusters: list[int | None]) -> tuple[int | None, bool]:
        tally = Tally.of_clusters(clusters, planned=len(ids))
        return tally.leader, tally.first / len(ids) >= threshold - 1e-12

    if AgreementStop(threshold=threshold).should_stop(Tally.of_clusters(ids[: len(seen)], planned=len(ids))):
        (early, enough), (late, full) = accepted(ids[: len(seen)]), accepted(ids)
        assert enough == full
        assert early == late or not full


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_an_agreement_outside_of_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidInputError, match=r"threshold must be in \[0, 1\]"):
        AgreementStop(threshold=threshold)
