import pytest

from orchestrator import Budget, Controller, Model, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.prompts import Prompt
from orchestrator.strategies import Debate
from orchestrator.types import Capabilities, Problem

NUMBER = AnswerReader(kind="number")
BASE = Capabilities(chat=False, n=True, usage_is_exact=True)


async def run(program, *, problem="2 + 2?", prompt=None, budget=None, capabilities=None, **texts):
    backends = {
        name: ScriptedBackend(said, name=name, capabilities=capabilities) for name, said in texts.items()
    }
    models = {
        name: Model(backend=backend, retry=RetryPolicy(attempts=1)) for name, backend in backends.items()
    }
    async with Controller(models=models, answers=NUMBER, budget=budget, prompt=prompt) as controller:
        return await controller.run(program, problem), backends


async def test_agents_that_come_to_agree_end_it():
    outcome, _ = await run(Debate(agents=3, rounds=3), a=["4", "4"], b=["5", "4"], c=["4", "4"])
    assert (outcome.answer.text, outcome.confidence) == ("4", 1.0)
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.detail["rounds"] == [["4", "5", "4"], ["4", "4", "4"]]
    assert outcome.detail["agreed"]
    assert outcome.usage.requests == 6


async def test_each_agent_sees_its_own_answer_and_those_of_the_others():
    _, models = await run(Debate(agents=3, rounds=1), a=["4", "4"], b=["5", "5"], c=["5", "5"])
    roles = [(message["role"], message["content"]) for message in models["a"].requests[1].messages]
    assert roles[:2] == [("user", "2 + 2?"), ("assistant", "4")]
    assert "Candidate 1 (given 2 times):\n```\n5\n```\n" in roles[2][1]
    assert roles[2][1].endswith("again: 2 + 2?")
    mine = models["b"].requests[1].messages
    assert mine[1]["content"] == "5"
    assert "Candidate 1:\n```\n4\n```\nCandidate 2:\n```\n5\n```\n" in mine[2]["content"]


async def test_a_base_model_debates_in_one_text():
    _, models = await run(Debate(agents=2, rounds=1), capabilities=BASE, a=["4", "4"], b=["5", "5"])
    text = models["a"].requests[1].prompt
    assert text.startswith("Question: 2 + 2?\nAnswer: 4\n\nQuestion: These are the answers of other agents")
    assert text.endswith("\nAnswer:")


async def test_when_asked_to_all_rounds_are_held():
    program = Debate(agents=2, rounds=2, until_agreed=False)
    outcome, _ = await run(program, a=["4", "4", "4"], b=["4", "4", "5"])
    assert outcome.usage.requests == program.most_calls == 6
    assert outcome.stop_reason is StopReason.COMPLETE
    assert (outcome.answer.text, outcome.confidence, outcome.tied) == (
        "4",
        0.5,
        False,
    )  # 4 more often overall


async def test_the_vote_is_over_the_last_round():
    program = Debate(agents=3, rounds=1)
    outcome, _ = await run(program, a=["5", "4"], b=["5", "4"], c=["6", "5"])
    assert (outcome.answer.text, outcome.confidence) == ("4", 2 / 3)
    assert outcome.detail["votes"] == [2, 1]
    assert len(outcome.candidates) == 6


async def test_a_tie_goes_to_the_answer_given_more_often_even_by_an_agent_later_in_line():
    outcome, _ = await run(
        Debate(agents=2, rounds=2, until_agreed=False), a=["5", "5", "4"], b=["5", "5", "5"]
    )
    assert outcome.detail["rounds"][-1] == ["4", "5"]
    assert (outcome.answer.text, outcome.confidence, outcome.tied) == ("5", 0.5, False)


async def test_a_tie_over_all_rounds_goes_to_the_agent_first_in_line_and_is_told():
    outcome, _ = await run(Debate(agents=2, rounds=1), a=["4", "5"], b=["5", "4"])
    assert (outcome.answer.text, outcome.tied) == ("5", True)


@pytest.mark.parametrize("said", ["who knows", BackendError("down")])
async def test_an_agent_that_has_nothing_to_say_keeps_its_answer(said):
    outcome, _ = await run(Debate(agents=3, rounds=1), a=["4", said], b=["4", "4"], c=["5", "5"])
    assert (outcome.answer.text, outcome.confidence) == ("4", 2 / 3)
    assert outcome.detail["rounds"][1] == ["4", "4", "5"]


async def test_an_agent_that_failed_at_first_reads_the_others_and_joins_in():
    down = BackendError("down")
    outcome, models = await run(Debate(agents=2, rounds=1), a=[down, "4"], b=["4", "4"])
    assert outcome.detail["rounds"] == [[None, "4"], ["4", "4"]]
    [message] = models["a"].requests[1].messages
    assert message["content"].startswith("2 + 2?\n\nThese are the answers of other agents")


async def test_an_agent_alone_in_having_answered_is_asked_the_question_again():
    down = BackendError("down")
    outcome, models = await run(Debate(agents=2, rounds=1), a=["4", "4"], b=[down, down])
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.5)
    assert len(models["a"].requests[1].messages) == 1


async def test_a_budget_that_ends_within_a_round_leaves_the_latest_answers():
    texts = {"a": ["4", "6"], "b": ["5", "6"], "c": ["6", "6"]}
    outcome, _ = await run(Debate(agents=3, rounds=1), budget=Budget(requests=4), **texts)
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.answer.text == "6"
    assert outcome.detail["rounds"] == [["4", "5", "6"], ["6", "5", "6"]]


@pytest.mark.parametrize("wrong", [{"agents": 1}, {"rounds": 0}, {"reconsider": "{{ others }}"}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError):
        Debate(**wrong)


async def test_what_an_agent_thought_is_not_shown_to_anybody():
    thought = "<think>5, says the other? No.</think>4"
    _, models = await run(Debate(agents=2, rounds=1), a=[thought, "4"], b=["5", "4"])
    own = models["a"].requests[1].messages
    assert own[1]["content"] == "4"
    assert "Candidate 1:\n```\n4\n```\n" in models["b"].requests[1].messages[2]["content"]


async def test_the_question_is_put_again_as_it_was_asked_columns_included():
    problem = Problem(id="p", prompt="2 + 2?", fields={"choices": "(A) 4 (B) 5"})
    prompt = Prompt(template="{{ problem }} {{ choices }}")
    _, models = await run(Debate(agents=2), problem=problem, prompt=prompt, a=["4", "4"], b=["5", "4"])
    assert models["a"].requests[1].messages[2]["content"].endswith("again: 2 + 2? (A) 4 (B) 5")
