"""`SelfConsistency` with weights; its stopping is tested with the rules."""

import pytest

from orchestrator import Controller, SelfConsistency, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.backends.scripted import tokens_of
from orchestrator.errors import InvalidInputError
from orchestrator.stopping import BetaStop
from orchestrator.types import Sample, TokenLogprob
from orchestrator.voting import LengthPenalty, LogProbability, SelfCertaintyRank


def said(text, logprob, top=()):
    tokens = tuple(TokenLogprob(token=token, logprob=logprob, top=top) for token in tokens_of(text))
    return Sample(text=text, logprobs=tokens, finish_reason="stop")


async def run(script, program):
    model = ScriptedBackend(script)
    async with Controller(models={"m": model}, answers=AnswerReader(kind="number")) as controller:
        return await controller.run(program, "2 + 2?"), model


async def test_votes_weigh_their_samples_probability():
    script = [said("4", -0.1), said("5", -2.0), said("5", -2.0)]
    outcome, model = await run(script, SelfConsistency(n=3, weights=LogProbability()))
    assert outcome.answer.text == "4"
    assert outcome.detail["totals"] == pytest.approx([0.9048, 2 * 0.1353], abs=1e-4)
    assert outcome.confidence == pytest.approx(0.9048 / (0.9048 + 0.2707), abs=1e-4)
    assert [request.logprobs for request in model.requests] == [0, 0, 0]


async def test_a_length_penalty_prefers_the_short():
    script = ["4", "5 because I say so and so on and on", "5 because I say so and so on and on"]
    outcome, model = await run(script, SelfConsistency(n=3, weights=LengthPenalty(power=3.0)))
    assert outcome.answer.text == "4"
    assert [request.logprobs for request in model.requests] == [None] * 3


async def test_the_most_certain_sample_can_decide_alone():
    sure, unsure = (("a", -0.01), ("b", -9.0)), (("a", -0.7), ("b", -0.7))
    script = [said("5", -0.7, unsure), said("4", -0.01, sure), said("5", -0.7, unsure)]
    outcome, _ = await run(script, SelfConsistency(n=3, weights=SelfCertaintyRank(power=4.0, top=2)))
    assert outcome.answer.text == "4"  # 3^4 against 2 x 1.5^4


async def test_weighted_votes_are_not_stopped_by_the_count_unless_told_so():
    script = [said("5", -3.0), said("5", -3.0), said("4", -0.1)]
    outcome, _ = await run(script, SelfConsistency(n=3, weights=LogProbability()))
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.COMPLETE
    stopped = SelfConsistency(n=16, weights=LogProbability(), stop=BetaStop(confidence=0.8))
    outcome, _ = await run([said("5", -3.0)] * 16, stopped)
    assert outcome.stop_reason is StopReason.DECIDED


async def test_samples_without_log_probabilities_are_paid_for_and_vote_plainly():
    outcome, _ = await run(["4", "5", "5"], SelfConsistency(n=3, weights=LogProbability()))
    assert outcome.answer.text == "5"
    assert "no log-probabilities" in outcome.detail["unweighted"]


@pytest.mark.parametrize("make", [lambda: LengthPenalty(power=-1), lambda: SelfCertaintyRank(top=0)])
def test_parameters_out_of_range_are_refused(make):
    with pytest.raises(InvalidInputError):
        make()
