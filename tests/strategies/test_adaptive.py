"""`Adaptive` by hand."""

import pytest

from orchestrator import Budget, Controller, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import InvalidInputError
from orchestrator.events import StepTaken
from orchestrator.strategies import Adaptive, Agreement, Scored
from orchestrator.verifiers import Regex


async def run(texts, program, **options):
    events = []
    async with Controller(
        models={"m": ScriptedBackend(texts)},
        answers=AnswerReader(kind="number"),
        recorders=[events.append],
        **options,
    ) as controller:
        outcome = await controller.run(program, "2 + 2?")
    return outcome, [(event.step, event.reason) for event in events if isinstance(event, StepTaken)]


async def test_samples_that_agree_are_enough():
    outcome, steps = await run(
        ["4"] * 2 + ["5"] * 30, Adaptive(n=32, start=2, accept=Agreement(at_least=0.75))
    )
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.detail["rounds"] == [2]
    assert steps == [("accepted", "agreement 1 >= 0.75")]


async def test_while_they_do_not_agree_there_are_more():
    outcome, steps = await run(
        ["4", "5", "4", "4", "4", "4", "4", "4"], Adaptive(n=32, start=2, accept=Agreement(at_least=0.8))
    )
    assert outcome.answer.text == "4"
    assert outcome.confidence == 7 / 8
    assert outcome.detail["rounds"] == [2, 4, 8]
    assert [reason for _, reason in steps] == [
        "agreement 0.5 < 0.8",
        "agreement 0.75 < 0.8",
        "agreement 0.875 >= 0.8",
    ]


async def test_all_n_are_the_end_of_it():
    outcome, _ = await run(["4", "5", "6"], Adaptive(n=3, start=2, accept=Agreement(at_least=0.9)))
    assert outcome.stop_reason is StopReason.COMPLETE
    assert len(outcome.candidates) == 3
    assert outcome.tied


async def test_a_verifier_may_accept_and_keeps_its_scores():
    accept = Scored(verifier=Regex(pattern="4"), at_least=1.0)
    outcome, steps = await run(["5", "5", "4", "4", "4"], Adaptive(n=5, start=2, factor=2.5, accept=accept))
    assert outcome.answer.text == "4"
    assert steps == [("enlarged", "regex 0 < 1")]
    outcome, steps = await run(["4", "5", "5"], Adaptive(n=3, start=1, accept=accept))
    assert outcome.candidates[0].scores["regex"].value == 1.0
    assert steps == [("accepted", "regex 1 >= 1")]


async def test_one_sample_always_agrees_with_itself_and_is_not_believed():
    outcome, steps = await run(["4", "4"], Adaptive(n=2, start=1, accept=Agreement(at_least=0.5)))
    assert steps == [("enlarged", "agreement cannot be told")]
    assert len(outcome.candidates) == 2


async def test_a_budget_ends_the_growing():
    program = Adaptive(n=8, start=2, accept=Agreement(at_least=1.0))
    outcome, _ = await run(["4", "5"] * 4, program, budget=Budget(requests=3))
    assert len(outcome.candidates) == 3
    assert outcome.stop_reason is StopReason.BUDGET


@pytest.mark.parametrize(
    ("n", "start", "factor", "sizes"),
    [
        (32, 4, 2.0, [4, 8, 16, 32]),
        (10, 4, 2.0, [4, 8, 10]),
        (3, 1, 1.1, [1, 2, 3]),
        (4, 4, 2.0, [4]),
        (32, 3, 1.5, [3, 4, 6, 10, 15, 22, 32]),  # 3, 4.5, 6.75, 10.1, 15.2, 22.8, 34.2
        (9, 4, 1e308, [4, 9]),
    ],
)
def test_rounds_grow_by_the_factor_and_by_one_at_least(n, start, factor, sizes):
    program = Adaptive(n=n, start=start, factor=factor)
    assert program.sizes == sizes
    assert program.calls_at_once == max(b - a for a, b in zip([0, *sizes], sizes, strict=False))


@pytest.mark.parametrize("wrong", [{"n": 0}, {"start": 0}, {"n": 2, "start": 3}, {"factor": 1.0}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError):
        Adaptive(**wrong)
