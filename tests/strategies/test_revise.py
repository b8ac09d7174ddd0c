import pytest
from strategies.chains import ADDITION, is_a_chain, play, texts, turns

from orchestrator import Budget, StopReason
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.events import StepTaken
from orchestrator.strategies import Revise
from orchestrator.types import Capabilities, Problem
from orchestrator.verifiers import Regex


async def test_the_most_frequent_answer_of_the_chain_is_chosen_not_the_last():
    outcome, _ = await play(Revise(length=4), ["3", "4", "4", "5"])
    assert outcome.answer.text == "4"
    assert outcome.confidence == 0.5
    assert texts(outcome) == ["3", "4", "4", "5"]
    assert is_a_chain(outcome)
    assert outcome.detail == {
        "votes": [1, 2, 1],
        "abstentions": 0,
        "length": 4,
        "chain": ["3", "4", "4", "5"],
    }
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_ties_go_to_the_latest():
    outcome, _ = await play(Revise(length=3), ["3", "5", "4"])
    assert outcome.answer.text == "4"
    assert outcome.tied


async def test_each_answer_is_written_after_the_last_ones_in_the_conversation():
    program = Revise(length=4, memory=2, prompt="Better than {{ answer }}? {{ problem }}")
    _, model = await play(program, ["1", "2", "3", "4"])
    question = ("u", "What is 2 + 2?")
    said = [pair for text in "123" for pair in [("a", text), ("u", f"Better than {text}? What is 2 + 2?")]]
    assert [turns(request) for request in model.requests] == [
        [question],
        [question, *said[:2]],
        [question, *said[:4]],
        [question, *said[2:]],
    ]


async def test_a_text_model_reads_the_chain_as_questions_and_answers():
    base = ScriptedBackend([" 3", " 4"], capabilities=Capabilities(chat=False))
    await play(Revise(length=2, prompt="Again: {{ problem }}"), base)
    assert base.requests[1].prompt == (
        "Question: What is 2 + 2?\nAnswer: 3\n\nQuestion: Again: What is 2 + 2?\nAnswer:"
    )


async def test_a_problem_that_is_a_chat_goes_on_as_one():
    chat = Problem(id="p", messages=({"role": "user", "content": "2 + 2?"},))
    _, model = await play(Revise(length=2, prompt="Again."), ["3", "4"], problem=chat)
    assert turns(model.requests[1]) == [("u", "2 + 2?"), ("a", "3"), ("u", "Again.")]


async def test_thinking_is_not_shown_to_the_next_attempt():
    _, model = await play(Revise(length=2), ["<think>7? 8?</think>3", "4"])
    assert turns(model.requests[1])[1] == ("a", "3")


async def test_a_verifier_chooses_and_its_scores_are_on_the_parents_too():
    outcome, _ = await play(Revise(length=3, verifier=Regex(pattern="^3$")), ["3", "4", "4"])
    assert outcome.answer.text == "3"
    assert outcome.confidence == 1.0
    assert is_a_chain(outcome)
    assert outcome.candidates[1].parent.scores["regex"].value == 1.0


async def test_a_failing_call_leaves_the_chain_one_shorter():
    outcome, model = await play(Revise(length=3), ["3", BackendError("down"), "4"])
    assert texts(outcome) == ["3", "4"]
    assert is_a_chain(outcome)
    assert turns(model.requests[2])[1] == ("a", "3")


async def test_the_budget_ends_the_chain_with_its_best():
    outcome, _ = await play(Revise(length=5), ["4", "3", "4", "5", "5"], budget=Budget(requests=3))
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["length"] == 3


async def test_revisions_are_told_as_steps():
    events = []
    await play(Revise(length=3), ["3", "no idea", "4"], events=events)
    steps = [(event.step, event.reason) for event in events if isinstance(event, StepTaken)]
    assert steps == [("revised", "3 -> no answer"), ("revised", "no answer -> 4")]


@pytest.mark.parametrize("wrong", [{"length": 0}, {"memory": 0}, {"prompt": "{{ anwer }}"}])
def test_numbers_below_one_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        Revise(**wrong)


async def test_a_prompt_with_an_unknown_placeholder_says_which_there_are():
    with pytest.raises(InvalidInputError, match="answer, problem"):
        await play(Revise(length=2, prompt="{{ reply }}"), ["3", "4"], problem=ADDITION)


async def test_an_attempt_that_says_nothing_is_shown_as_such():
    _, model = await play(Revise(length=2), ["<think>hm</think>", "4"])
    assert turns(model.requests[1])[1] == ("a", "(no answer)")


async def test_a_rule_chooses_although_the_budget_has_ended_the_chain():
    program = Revise(length=5, verifier=Regex(pattern="^3$"))
    outcome, _ = await play(program, ["3", "4", "4"], budget=Budget(requests=3))
    assert outcome.answer.text == "3"
    assert outcome.stop_reason is StopReason.BUDGET


async def test_a_chain_that_outgrows_the_models_context_ends_with_what_it_has():
    chat = Capabilities(chat=True, n=True, seed=True, usage_is_exact=True, context_length=60)
    model = ScriptedBackend(["4", "4", "5", "5", "5", "5"], capabilities=chat)
    outcome, _ = await play(Revise(length=6, memory=6, max_tokens=16), model)
    assert outcome.answer.text == "4"
    assert model.started < 6
