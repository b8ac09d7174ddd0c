import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.prompts import Example, Prompt
from orchestrator.types import Problem

PROBLEM = Problem(id="p1", prompt="2 + 2?", fields={"unit": "apples", "words": ["a", "b"]})


def test_a_plain_prompt_is_one_user_message():
    assert Prompt().render(PROBLEM).messages == ({"role": "user", "content": "2 + 2?"},)


def test_examples_become_earlier_turns_of_a_chat():
    prompt = Prompt(system="Be brief.", examples=(Example(question="1 + 1?", answer="2"),))
    assert [m["role"] for m in prompt.render(PROBLEM).messages] == ["system", "user", "assistant", "user"]


def test_a_base_model_gets_the_examples_as_text_and_stops_before_the_next_question():
    prompt = Prompt(examples=(Example(question="1 + 1?", answer="2"),))
    rendered = prompt.render(PROBLEM, chat=False)
    assert rendered.prompt == "Question: 1 + 1?\nAnswer: 2\n\nQuestion: 2 + 2?\nAnswer:"
    assert rendered.stop == ("\nQuestion:", "\n\n")
    assert rendered.messages is None


def test_columns_of_the_record_fill_their_placeholders():
    prompt = Prompt(template="{{ problem }} Answer in {{unit}}: {{ words }}.")
    assert prompt.render(PROBLEM).messages[0]["content"] == "2 + 2? Answer in apples: a, b."


def test_a_placeholder_inserts_text_and_is_not_expanded_again():
    problem = Problem(id="p", prompt="{{ unit }}", fields={"unit": "x"})
    assert Prompt().render(problem).messages[0]["content"] == "{{ unit }}"


def test_an_unknown_placeholder_names_the_columns_there_are():
    with pytest.raises(InvalidInputError, match=r"names \{\{ sentence \}\}.*problem, unit, words"):
        Prompt(template="{{ sentence }}").render(PROBLEM)


def test_a_chat_problem_is_refused_by_a_base_model():
    problem = Problem(id="p", messages=({"role": "user", "content": "hi"},))
    with pytest.raises(InvalidInputError, match="only continues plain text"):
        Prompt().render(problem, chat=False)


def test_a_question_is_what_the_template_makes_of_the_problem_or_the_turns_of_its_chat():
    prompt = Prompt(system="Be brief.", template="In {{ unit }}: {{ problem }}")
    assert prompt.question(PROBLEM) == "In apples: 2 + 2?"
    chat = Problem(
        id="c", messages=({"role": "user", "content": "Hi."}, {"role": "user", "content": "2 + 2?"})
    )
    assert prompt.question(chat) == "Hi.\n\n2 + 2?"


def test_text_is_added_to_the_question_and_not_to_its_answer():
    prompt = Prompt(system="Be brief.", examples=(Example(question="1 + 1?", answer="2"),))
    chat = prompt.render(PROBLEM).adding("Think.")
    assert chat.messages[-1] == {"role": "user", "content": "2 + 2?\n\nThink."}
    assert chat.messages[:-1] == prompt.render(PROBLEM).messages[:-1]
    text = prompt.render(PROBLEM, chat=False).adding("Think.")
    assert text.prompt.endswith("Question: 2 + 2?\nThink.\nAnswer:")
    assert text.stop == ("\nQuestion:", "\n\n")


def test_text_added_to_a_chat_that_the_model_ended_is_a_message_of_its_own():
    turns = ({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"})
    chat = Prompt().render(Problem(id="p", messages=turns)).adding("Go on.")
    assert chat.messages == (*turns, {"role": "user", "content": "Go on."})
