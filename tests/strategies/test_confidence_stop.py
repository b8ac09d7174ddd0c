from dataclasses import replace
from fractions import Fraction

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import confidence_stop as reference
from strategies.chains import play, texts
from strategies.traces import trace

from orchestrator import Budget, Controller, Problem, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import Scripted, ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.events import StepTaken
from orchestrator.strategies import ConfidenceStop
from orchestrator.strategies.confidence_stop import percentile


def four(*nats):
    return trace("It is 4", *nats)


def five(*nats):
    return trace("It is 5" if len(nats) == 3 else "I say it is 5", *nats)


def answers(outcome):
    return [one.answer and one.answer.text for one in outcome.candidates]


# The lowest groups of two tokens are 2, 3 and 4; half of them are at least 3.
WARM_UP = [four(2, 2, 9), four(3, 3, 9), five(4, 4, 9)]


async def test_a_trace_whose_group_falls_below_the_warm_ups_threshold_is_cut_and_loses_its_vote():
    program = ConfidenceStop(n=5, warmup=3, keep=0.5, window=2)
    outcome, model = await play(program, [*WARM_UP, five(2, 2, 9, 9, 9), four(3, 3, 3)])
    assert texts(outcome) == ["It is 4", "It is 4", "It is 5", "I say", "It is 4"]
    assert answers(outcome) == ["4", "4", "5", None, "4"]
    assert outcome.candidates[3].sample.cut == "confidence_floor: group confidence 2 below 3"
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.COMPLETE)
    assert outcome.confidence == pytest.approx(
        6 / 10
    )  # the first trace does not pass, the cut one has no part
    assert outcome.detail == {
        "threshold": 3.0,
        "confidences": [2.0, 3.0, 4.0, 2.0, 3.0],
        "passed": 3,
        "cut": 1,
        "votes": [2, 1],
        "totals": [6.0, 4.0],
        "abstentions": 0,
        "margin": pytest.approx(0.2),
        "stopped": None,
    }
    assert outcome.usage.completion_tokens == 3 + 3 + 3 + 2 + 3
    assert [request.logprobs for request in model.requests] == [20] * 5


async def test_a_trace_that_falls_below_with_its_last_token_is_complete_and_does_not_vote():
    program = ConfidenceStop(n=4, warmup=3, keep=0.5, window=2, consensus=None)
    outcome, _ = await play(program, [*WARM_UP, four(9, 3, 2)])
    assert answers(outcome) == ["4", "4", "5", "4"]
    assert (outcome.detail["cut"], outcome.detail["passed"]) == (0, 2)
    assert outcome.answer.text == "5"  # 4 against 3 nats


async def test_a_trace_shorter_than_the_window_is_one_group():
    program = ConfidenceStop(n=3, warmup=2, keep=1.0, window=50)
    outcome, _ = await play(program, [four(2, 2, 5), five(3, 4, 5), five(0, 0, 0)])
    assert outcome.detail["confidences"] == [3.0, 4.0, 0.0]
    assert (outcome.detail["threshold"], outcome.detail["cut"], outcome.detail["passed"]) == (3.0, 0, 2)


async def test_an_answer_with_enough_of_the_weight_cancels_the_rest():
    events = []
    sure = [four(3, 3, 3)] * 3
    never = Scripted(text="It is 5", gate=anyio.Event())
    program = ConfidenceStop(n=6, warmup=3, keep=1.0, window=2, consensus=0.7)
    outcome, model = await play(program, [*sure[:2], five(3, 3, 3), sure[0], never, never], events=events)
    # 2 of 3 are not enough, 3 of 4 are.
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.DECIDED)
    assert outcome.detail["stopped"] == "one answer has 0.75 of the weight of 4 traces"
    assert len(outcome.candidates) == 4
    assert (model.started, model.cancelled) == (6, 2)
    steps = [(event.step, event.reason) for event in events if isinstance(event, StepTaken)]
    assert steps == [("threshold", "3 nats by 3 traces"), ("stopped", outcome.detail["stopped"])]


async def test_a_warm_up_that_agrees_is_all_that_is_drawn():
    program = ConfidenceStop(n=9, warmup=3, keep=1.0, window=2)
    outcome, model = await play(program, [four(3, 3, 3)] * 3)
    assert (model.started, outcome.stop_reason, outcome.confidence) == (3, StopReason.DECIDED, 1.0)


async def test_fewer_traces_than_the_warm_up_are_no_consensus():
    # Two of three fail: what is left agrees with itself, but the threshold is set by it.
    script = [four(3, 3, 3), BackendError("down"), BackendError("down"), five(4, 4, 4), five(4, 4, 4)]
    program = ConfidenceStop(n=5, warmup=3, keep=1.0, window=2)
    outcome, _ = await play(program, script)
    assert (outcome.answer.text, outcome.detail["threshold"]) == ("5", 3.0)
    assert outcome.confidence == pytest.approx(8 / 11)


async def test_a_passing_trace_without_an_answer_counts_against_the_confidence_and_the_consensus():
    mute = trace("no idea yet", 6.0, 6.0, 6.0)
    program = ConfidenceStop(n=4, warmup=2, keep=1.0, window=2, consensus=0.6)
    outcome, _ = await play(program, [four(2, 2, 2), mute, four(2, 2, 2), four(2, 2, 2)])
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.COMPLETE)
    assert outcome.confidence == pytest.approx(6 / 12)
    assert outcome.detail["abstentions"] == 1


async def test_where_no_passing_trace_has_an_answer_the_complete_ones_vote():
    mute = trace("no idea yet", 6.0, 6.0, 6.0)
    program = ConfidenceStop(n=4, warmup=3, keep=0.25, window=2, online=False)
    outcome, _ = await play(program, [mute, four(2, 2, 2), four(2, 2, 2), five(3, 3, 3)])
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.5)
    assert outcome.detail["unweighted"] == "none that passed: no readable answer in 1 sample"


async def test_without_log_probabilities_it_is_a_plain_vote_and_says_so():
    outcome, model = await play(ConfidenceStop(n=6, warmup=2, consensus=None), ["4", "5", "5", "4", "4", "x"])
    assert (outcome.answer.text, outcome.confidence, model.started) == ("4", 0.5, 6)
    assert outcome.detail["unweighted"] == "no log-probabilities: draw the samples with logprobs=20"
    assert (outcome.detail["threshold"], outcome.detail["confidences"]) == (None, [None] * 6)
    given, _ = await play(ConfidenceStop(n=3, warmup=1, threshold=2.0), ["4", "5", "5"])
    assert (given.answer.text, given.detail["passed"]) == ("5", 0)
    assert given.detail["unweighted"].startswith("none that passed")


async def test_a_single_trace_without_log_probabilities_does_not_pass():
    program = ConfidenceStop(n=4, warmup=2, keep=1.0, window=2)
    outcome, _ = await play(program, [four(2, 2, 2), five(3, 3, 3), "4", "4"])
    assert (outcome.answer.text, outcome.detail["confidences"]) == ("5", [2.0, 3.0, None, None])


async def test_a_threshold_that_is_given_cuts_from_the_first_trace_on():
    program = ConfidenceStop(n=4, warmup=2, threshold=3.0, window=2, consensus=None)
    outcome, _ = await play(program, [five(1, 1, 9, 9, 9), four(3, 3, 3), five(2, 2, 9, 9, 9), four(4, 4, 4)])
    assert texts(outcome) == ["I say", "It is 4", "I say", "It is 4"]
    assert (outcome.answer.text, outcome.confidence) == ("4", 1.0)


@pytest.mark.parametrize(
    ("options", "confidences"),
    [
        ({}, [2.0, 1.0]),
        ({"aggregation": "bottom", "share": 0.5}, [2.0, 2.0]),
        ({"aggregation": "tail"}, [2.0, 4.0]),
        ({"aggregation": "mean"}, [2.0, 3.0]),
    ],
)
async def test_offline_a_trace_may_be_measured_otherwise(options, confidences):
    # Groups of two of the second: 1, 3, 5, 4.
    script = [trace("I say it is 4", 2, 2, 2, 2, 2), five(1, 1, 5, 5, 3)]
    program = ConfidenceStop(n=2, keep=1.0, window=2, online=False, **options)
    outcome, _ = await play(program, script)
    assert outcome.detail["confidences"] == confidences


async def test_offline_the_top_fraction_votes():
    script = [four(1, 1, 1), four(2, 2, 2), four(2, 2, 2), five(3, 3, 3), five(4, 4, 4)]
    program = ConfidenceStop(n=5, keep=0.5, window=2, online=False, per_call=5)
    outcome, model = await play(program, script)
    assert (outcome.answer.text, model.started) == ("5", 1)
    assert outcome.detail["totals"] == [4.0, 7.0]


async def test_what_a_cut_trace_did_not_use_is_given_back():
    # The prompt has 6 tokens: 3 traces of 9 tokens, one cut after 2, and room for the last one's 3.
    program = ConfidenceStop(n=5, warmup=3, keep=0.5, window=2, max_tokens=5, consensus=None)
    script = [*WARM_UP, five(2, 2, 9, 9, 9), four(3, 3, 3)]
    outcome, _ = await play(program, script, budget=Budget(total_tokens=3 * 9 + (6 + 2) + (6 + 5)))
    assert (outcome.stop_reason, outcome.usage.total_tokens) == (StopReason.COMPLETE, 3 * 9 + 8 + 9)


async def test_a_finished_run_is_read_from_the_journal(tmp_path):
    program = ConfidenceStop(n=5, warmup=3, keep=0.5, window=2)
    script = [*WARM_UP, five(2, 2, 9, 9, 9), four(3, 3, 3)]
    first, _ = await play(program, script, journal=str(tmp_path / "run.db"))
    again, model = await play(program, [], journal=str(tmp_path / "run.db"), resume=True)
    assert model.started == 0
    assert (again.answer, again.detail, texts(again)) == (first.answer, first.detail, texts(first))


# Quarters, so that every mean and percentile is exact.
confidences = st.lists(st.integers(0, 4), min_size=4, max_size=7)
drawn = st.tuples(st.sampled_from(["4", "5", "6", None]), confidences, st.integers(0, 20))


@given(
    st.lists(drawn, min_size=5, max_size=9),
    st.integers(1, 5),
    st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1)]),
    st.sampled_from([Fraction(1, 2), Fraction(3, 4), Fraction(1)]),
    st.sampled_from([1, 2, 4]),
)
async def test_decisions_are_those_of_one_trace_at_a_time_whatever_order_they_arrive_in(
    drawn, warmup, keep, consensus, window
):
    script = [
        Scripted(text=sample.text, logprobs=sample.logprobs, delay=delay)
        for answer, nats, delay in drawn
        for sample in [trace(" ".join(["so"] * (len(nats) - 1) + [answer or "on"]), *nats)]
    ]

    async def pass_by(turns):
        for _ in range(int(turns)):
            await anyio.lowlevel.checkpoint()

    model = ScriptedBackend(lambda request: script[request.call.ordinal], sleep=pass_by)
    program = ConfidenceStop(
        n=len(drawn), warmup=warmup, keep=float(keep), consensus=float(consensus), window=window
    )
    outcome, _ = await play(program, model)
    expected = reference.decide(
        [(answer, nats) for answer, nats, _ in drawn],
        warmup=warmup,
        keep=keep,
        consensus=consensus,
        window=window,
    )
    assert outcome.detail["threshold"] == expected.threshold
    assert (outcome.answer and outcome.answer.text) == expected.answer
    assert outcome.confidence == pytest.approx(float(expected.share))
    assert len(outcome.candidates) == expected.used
    cut = [at for at, one in enumerate(outcome.candidates) if one.sample.cut is not None]
    assert cut == expected.cut


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.0, 1.0), (0.25, 2.0), (0.5, 3.0), (0.6, 3.4), (1 - 0.1, 4.6), (1.0, 5.0)]
)
def test_percentiles_are_between_the_nearest_values(fraction, expected):
    assert percentile([3.0, 1.0, 5.0, 2.0, 4.0], fraction) == pytest.approx(expected)


def test_of_eleven_traces_the_top_tenth_is_two():
    confidences = [float(n) for n in range(11)]
    assert percentile(confidences, 1.0 - 0.1) == 9.0
    assert percentile(confidences, 1.0 - 0.9) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0},
        {"warmup": 0},
        {"warmup": 40},
        {"keep": 0.0},
        {"keep": 1.5},
        {"consensus": 0.0},
        {"threshold": -1.0},
        {"window": 0},
        {"top": 0},
        {"per_call": 0},
        {"share": 0.0},
        {"aggregation": "tail"},
        {"aggregation": "highest", "online": False},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        ConfidenceStop(**wrong)


@pytest.mark.local_model
async def test_a_model_on_this_machine_is_cut_in_the_middle_of_its_text():
    pytest.importorskip("xllamacpp")
    from orchestrator.backends.local import LocalBackend

    model = LocalBackend("smollm2-135m-instruct", parallel=2, context_length=512)
    problem = Problem(id="p", prompt="Tell me a long story about a fox.")
    program = ConfidenceStop(n=4, warmup=2, keep=1.0, window=8, max_tokens=64, consensus=None)
    unsure = replace(program, threshold=1000.0)
    async with Controller(models={"m": model}, answers=AnswerReader(kind="text")) as controller:
        sure = await controller.run(program, problem)
        nothing = await controller.run(unsure, replace(problem, id="q"))
        assert controller.ledger.statistics().held.total_tokens == 0
    lowest = sure.detail["confidences"]
    assert sure.detail["threshold"] == min(lowest[:2]) > 0
    assert sure.detail["passed"] == sum(value >= min(lowest[:2]) for value in lowest)
    for one in nothing.candidates:
        assert one.sample.cut.startswith("confidence_floor: group confidence")
        assert 8 <= len(one.sample.logprobs) <= one.sample.usage.completion_tokens < 64
    assert nothing.answer is None
