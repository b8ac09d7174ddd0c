import anyio
import pytest

from orchestrator import BestOfN, Budget, Controller, Problem, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import FunctionBackend, ScriptedBackend
from orchestrator.errors import BackendError, BudgetExceededError, InvalidInputError
from orchestrator.types import Sample, Score, Usage
from orchestrator.verifiers import Consistency

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


async def test_when_it_abstains_on_all_or_fails_it_is_the_vote():
    texts = ["3", "4", "4"]
    for value in (None, BackendError("the judge is down")):
        outcome = await run(texts, BestOfN(n=3, verifier=Scores({"3": value, "4": value})))
        assert outcome.answer.text == "4"
        assert outcome.confidence == 2 / 3
        assert outcome.detail == {"score": None, "votes": [1, 2], "abstentions": 0, "scored": 2}
        assert len(outcome.candidates) == 3


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


async def test_where_the_budget_leaves_nothing_for_the_verifier_it_is_the_vote():
    exhausted = BudgetExceededError(account="run", resource="requests", requested=1, remaining=0)
    verifier = Scores({"3": exhausted, "4": exhausted})
    outcome = await run(["3", "4", "4"], BestOfN(n=3, verifier=verifier))
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail == {"score": None, "votes": [1, 2], "abstentions": 0, "scored": 2}


async def test_a_verifier_out_of_budget_leaves_the_calls_in_flight_to_those_who_pay_them():
    refused = anyio.Event()

    class Refusing:
        name = "refusing"

        async def score(self, ctx, problem, candidates):
            if candidates[0].sample.text == "3":
                refused.set()
                raise BudgetExceededError(account="run", resource="tokens", requested=90, remaining=50)
            return [Score(value=0.5)]

    async def answer(request):
        if request.call.ordinal == 1:
            await refused.wait()
            await anyio.lowlevel.checkpoint()
        return Sample(text=str(3 + request.call.ordinal), usage=Usage(completion_tokens=1, requests=1))

    async with Controller(models={"m": FunctionBackend(answer)}, answers=NUMBER) as controller:
        outcome = await controller.run(BestOfN(n=2, verifier=Refusing(), max_tokens=20), "2 + 2?")
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.usage.completion_tokens == 2


async def test_a_verifier_that_compares_and_makes_no_call_chooses_whatever_the_budget():
    program = BestOfN(n=8, verifier=Consistency())
    outcome = await run(["3", "4", "4"], program, budget=Budget(requests=3))
    assert outcome.answer.text == "4"
    assert outcome.detail["score"] == pytest.approx(2 / 3)
    assert outcome.stop_reason is StopReason.BUDGET


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


async def test_weighted_the_scores_of_equal_answers_add_up():
    verifier = Scores({"3": 0.7, "4": 0.4, "It is 4": 0.5})
    texts = ["3", "4", "It is 4"]
    outcome = await run(texts, BestOfN(n=3, verifier=verifier, weighted=True))
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx(0.9 / 1.6)
    assert outcome.detail == {"score": 0.5, "totals": [0.7, pytest.approx(0.9)], "scored": 3}
    assert (await run(texts, BestOfN(n=3, verifier=verifier))).answer.text == "3"


async def test_weighted_a_sample_past_the_threshold_is_chosen_whatever_the_sums_say():
    program = BestOfN(n=3, verifier=Scores({"3": 0.8, "It is 3": 0.8, "4": 1.0}), weighted=True)
    outcome = await run(["3", "It is 3", "4"], program)
    assert outcome.answer.text == "4"


async def test_samples_and_scores_are_in_flight_together():
    judging, drawing = anyio.Event(), anyio.Event()

    class Slow:
        name = "slow"

        async def score(self, ctx, problem, candidates):
            judging.set()
            await drawing.wait()  # only set while the second sample is being drawn
            return [Score(value=0.5)] * len(candidates)

    async def answer(request):
        if request.call.ordinal == 1:
            await judging.wait()
            drawing.set()
        return Sample(text=str(request.call.ordinal), usage=Usage(prompt_tokens=9, completion_tokens=1))

    async with Controller(models={"m": FunctionBackend(answer)}, answers=NUMBER) as controller:
        outcome = await controller.run(BestOfN(n=2, verifier=Slow(), max_tokens=9), "2 + 2?")
    assert [candidate.scores["slow"].value for candidate in outcome.candidates] == [0.5, 0.5]


async def test_a_verdict_that_is_good_enough_cancels_the_verdicts_in_flight():
    never, cancelled = anyio.Event(), []

    class Judge:
        name = "judge"

        async def score(self, ctx, problem, candidates):
            if candidates[0].answer.text == "3":
                try:
                    await never.wait()
                except anyio.get_cancelled_exc_class():
                    cancelled.append("3")
                    raise
            return [Score(value=1.0)]

    outcome = await run(["3", "4"], BestOfN(n=2, verifier=Judge()))
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.DECIDED  # both were drawn, but one verdict was called off
    assert cancelled == ["3"]
    assert "judge" not in outcome.candidates[0].scores


async def test_a_verifier_that_compares_gets_all_candidates_at_once():
    class Longest:
        name, comparative, asked = "longest", True, []

        async def score(self, ctx, problem, candidates):
            self.asked.append([candidate.sample.text for candidate in candidates])
            longest = max(len(candidate.sample.text) for candidate in candidates)
            return [Score(value=len(candidate.sample.text) / longest) for candidate in candidates]

    verifier = Longest()
    outcome = await run(["3", "no idea", "It is 4", "5"], BestOfN(n=4, verifier=verifier))
    assert verifier.asked == [["3", "no idea", "It is 4", "5"]]
    assert outcome.answer.text == "4"  # the longest of those that can be read
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_samples_are_drawn_with_the_log_probabilities_the_verifier_looks_at():
    class Certain:
        name, logprobs = "certain", 5

        async def score(self, ctx, problem, candidates):
            return [Score(value=0.5)] * len(candidates)

    model = ScriptedBackend(["3", "4"])
    async with Controller(models={"m": model}, answers=NUMBER) as controller:
        await controller.run(BestOfN(n=2, verifier=Certain()), "2 + 2?")
    assert [request.logprobs for request in model.requests] == [5, 5]


async def test_what_a_judge_says_is_no_candidate():
    class Judge:
        name = "judge"

        async def score(self, ctx, problem, candidates):
            verdict = await ctx.complete(f"Rate {candidates[0].sample.text}")
            return [Score(value=int(verdict.text) / 10)]

    model = ScriptedBackend(lambda request: "9" if "Rate" in request.messages[0]["content"] else "4")
    async with Controller(models={"m": model}, answers=NUMBER) as controller:
        outcome = await controller.run(BestOfN(n=2, verifier=Judge(), threshold=None), "2 + 2?")
        cut = await controller.run(BestOfN(n=2, verifier=Judge(), threshold=0.9), "2 + 3?")
    assert [candidate.sample.text for candidate in outcome.candidates] == ["4", "4"]
    assert outcome.answer.text == "4"
    assert outcome.usage.requests == 3  # two samples, and their one text judged once
    assert cut.answer.text == "4"


async def test_agreement_counts_those_that_cannot_be_read():
    outcome = await run(["3", "no idea", "4", "4"], BestOfN(n=4, verifier=Consistency(), threshold=None))
    assert outcome.answer.text == "4"
    assert outcome.confidence == 0.5
