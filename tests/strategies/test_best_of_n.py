import anyio
import pytest

from orchestrator import BestOfN, Budget, Controller, Problem, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import FunctionBackend, ScriptedBackend
from orchestrator.errors import BackendError, BudgetExceededError, InvalidInputError
from orchestrator.types import Sample, Score, Usage

NUMBER = AnswerReader(kind="number")


class Scores:
    """A verifier that looks scores up by text; counts how often it was asked."""

    name = "table"

    def __init__(self, table):
        self.table, self.asked = table, []

    async def score(self, ctx, problem, candidates):
        self.asked += [candidate.sample.text for candidate in candidates]
        found = [self.table[candidate.sample.text] for candidate in candidates]
        for value in found:
            if isinstance(value, Exception):
                raise value
        return [Score(value=value) for value in found]


async def run(texts, program, **options):
    async with Controller(models={"m": ScriptedBackend(texts)}, answers=NUMBER, **options) as controller:
        return await controller.run(program, "2 + 2?")


async def test_the_answer_is_the_sample_with_the_best_score():
    verifier = Scores({"3": 0.2, "4": 0.9, "5": 0.4})
    outcome = await run(["3", "4", "5"], BestOfN(n=3, verifier=verifier))
    assert outcome.answer.text == "4"
    assert outcome.confidence == 0.9
    assert outcome.stop_reason is StopReason.COMPLETE
    assert [c.scores["table"].value for c in outcome.candidates] == [0.2, 0.9, 0.4]


async def test_ties_go_to_the_sample_seen_first_and_are_reported():
    outcome = await run(["3", "4", "3"], BestOfN(n=3, verifier=Scores({"3": 0.5, "4": 0.5})))
    assert outcome.answer.text == "3"
    assert outcome.tied
    alike = await run(["3", "3", "3"], BestOfN(n=3, verifier=Scores({"3": 0.5})))
    assert not alike.tied


async def test_equal_texts_are_scored_once():
    verifier = Scores({"3": 0.0, "5": 0.0})
    await run(["3", "3", "5", "3"], BestOfN(n=4, verifier=verifier))
    assert verifier.asked == ["3", "5"]


async def test_the_first_sample_that_is_good_enough_cancels_the_rest():
    never, drawn = anyio.Event(), 0

    async def answer(request):
        nonlocal drawn
        drawn += 1
        if drawn == 3:
            await never.wait()
        return Sample(text=str(drawn), usage=Usage(prompt_tokens=9, completion_tokens=1, requests=1))

    program = BestOfN(n=3, verifier=Scores({"1": 0.0, "2": 1.0}), max_tokens=20)
    async with Controller(models={"m": FunctionBackend(answer)}, answers=NUMBER) as controller:
        outcome = await controller.run(program, "2 + 2?")
        assert controller.ledger.statistics().held.total_tokens == 0
    assert outcome.answer.text == "2"
    assert outcome.stop_reason is StopReason.DECIDED
    assert len(outcome.candidates) == 2


async def test_without_a_threshold_all_samples_are_drawn():
    verifier = Scores({"1": 1.0, "2": 0.0})
    outcome = await run(["1", "2", "2"], BestOfN(n=3, verifier=verifier, threshold=None))
    assert len(outcome.candidates) == 3
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_what_the_verifier_abstains_on_is_not_chosen():
    outcome = await run(["3", "4"], BestOfN(n=2, verifier=Scores({"3": None, "4": 0.0})))
    assert outcome.answer.text == "4"
    assert outcome.confidence == 0.0


async def test_when_it_abstains_on_all_there_is_no_answer():
    outcome = await run(["3", "4"], BestOfN(n=2, verifier=Scores({"3": None, "4": None})))
    assert outcome.answer is None
    assert outcome.confidence == 0.0
    assert outcome.detail == {"score": None, "scored": 2}
    assert len(outcome.candidates) == 2


async def test_a_sample_without_a_readable_answer_is_neither_scored_nor_chosen():
    verifier = Scores({"4": 0.1})
    outcome = await run(["no idea", "4"], BestOfN(n=2, verifier=verifier))
    assert verifier.asked == ["4"]
    assert outcome.answer.text == "4"


async def test_a_verdict_that_fails_is_one_verdict_fewer():
    verifier = Scores({"3": BackendError("judge is down"), "4": 0.3})
    outcome = await run(["3", "4"], BestOfN(n=2, verifier=verifier))
    assert outcome.answer.text == "4"
    assert "judge is down" in outcome.candidates[0].scores["table"].reason


async def test_a_verifier_out_of_budget_ends_it_with_the_best_so_far():
    exhausted = BudgetExceededError(account="run", resource="requests", requested=1, remaining=0)
    verifier = Scores({"3": 0.3, "4": exhausted})
    outcome = await run(["3", "4"], BestOfN(n=2, verifier=verifier))
    assert outcome.answer.text == "3"
    assert outcome.stop_reason is StopReason.BUDGET
    assert len(outcome.candidates) == 2


async def test_a_budget_for_some_samples_gives_the_best_of_those():
    verifier = Scores({"3": 0.3, "4": 0.4})
    outcome = await run(["3", "4"], BestOfN(n=8, verifier=verifier), budget=Budget(requests=2))
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET


@pytest.mark.parametrize("wrong", [{"n": 0}, {"per_call": 0}, {"threshold": 1.5}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError):
        BestOfN(verifier=Scores({}), **wrong)


async def test_the_score_sees_the_problem():
    class Reference:
        async def score(self, ctx, problem, candidates):
            return [
                Score(value=float(candidate.answer.text == problem.reference)) for candidate in candidates
            ]

    problem = Problem(id="p", prompt="?", reference="5")
    async with Controller(models={"m": ScriptedBackend(["3", "5"])}, answers=NUMBER) as controller:
        outcome = await controller.run(BestOfN(n=2, verifier=Reference()), problem)
    assert outcome.answer.text == "5"
    assert set(outcome.candidates[0].scores) == {"Reference"}
