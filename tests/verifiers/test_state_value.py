"""The value of a state in words: sure, likely, impossible; votes that fail, say nothing, or say too much."""

import pytest
from verifiers.test_judge import PROBLEM, judged, values

from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.backends.scripted import Scripted, prompt_text
from orchestrator.budget import Budget
from orchestrator.errors import BackendError, BudgetExceededError, InvalidInputError
from orchestrator.types import Problem, Sample
from orchestrator.verifiers import StateValue
from orchestrator.verifiers.state_value import find_verdict


async def test_votes_add_up_by_weight_over_the_most_there_is():
    votes = ["sure", "sure", "sure", "sure", "likely", "impossible", "impossible", "likely", "likely"]
    found = await values(votes, StateValue(), "a", "b", "c")
    assert found == [1.0, (20 + 1 + 0.001) / 60, (0.001 + 2) / 60]


async def test_equal_prompts_are_asked_about_once():
    backend = ScriptedBackend(["sure", "likely"])
    verifier = StateValue(votes=1, template="{{ state }}", state=r"left: ([^)]*)")
    scores, _, _ = await judged(
        backend, verifier, "1 + 2 = 3 (left: 3 4)", "2 + 1 = 3 (left: 3 4)", "(left: 5)"
    )
    assert [score.value for score in scores] == [1.0, 1.0, 0.05]
    assert [prompt_text(request) for request in backend.requests] == ["3 4", "5"]
    assert scores[2].reason == "0 sure, 1 likely, 0 impossible"


async def test_several_votes_may_come_from_one_request():
    backend = ScriptedBackend(["sure", "likely", "likely"])
    [score], _, outcome = await judged(backend, StateValue(per_call=3), "a")
    assert outcome.usage.requests == 1
    assert score.value == 22 / 60


async def test_a_vote_without_a_verdict_weighs_nothing():
    assert await values(["likely", "no idea", ""], StateValue(), "a") == [1 / 60]
    assert await values(["", "", ""], StateValue(), "a") == [0.0]


async def test_where_calls_fail_the_others_count():
    error = BackendError("down")
    assert await values(["sure", error, "likely"], StateValue(), "a") == [21 / 40]
    assert await values([error, error, error, "sure", "sure", "sure"], StateValue(), "a", "b") == [None, 1.0]


async def test_a_budget_for_some_states_judges_those_and_none_is_an_error():
    backend = ScriptedBackend(["sure"])
    scores, _, _ = await judged(backend, StateValue(votes=1), "a", "b", budget=Budget(requests=1))
    assert [score.value for score in scores] == [1.0, None]
    with pytest.raises(BudgetExceededError):
        await judged(ScriptedBackend([]), StateValue(votes=1), "a", budget=Budget(total_tokens=1))


async def test_the_weights_are_free():
    verifier = StateValue(votes=2, sure=1.0, likely=0.5, impossible=0.0)
    assert await values(["likely", "sure", "impossible", "impossible"], verifier, "a", "b") == [0.75, 0.0]


async def test_values_are_parts_of_the_largest_weight_whichever_verdict_has_it():
    verifier = StateValue(votes=1, sure=1.0, likely=4.0, impossible=0.0)
    assert await values(["likely", "sure"], verifier, "a", "b") == [1.0, 0.25]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("sure", "sure"),
        ("4 + 10 = 14\n14 is close.\nLikely.", "likely"),
        ("So it is **impossible**", "impossible"),
        ("impossible\n\n", "impossible"),
        ("sure\nor is it", None),
        ("Sure, let me see what can be done", None),
        ("that is not sure", None),
        ("it isn't likely", None),
        ("this is unlikely", None),
        ("measure", None),
        ("<think>sure</think>impossible", "impossible"),
        ("<think>sure", None),
        ("", None),
    ],
)
def test_the_last_word_of_the_last_line_is_the_verdict(text, verdict):
    assert find_verdict(Sample(text=text)) == verdict


@pytest.mark.parametrize(
    "text", ["sure" + " " * 100_000 + "x", "not sure " * 20_000, "sure" + "*" * 100_000 + "x"]
)
def test_a_hostile_vote_is_read_in_a_moment(text):
    assert find_verdict(Sample(text=text)) is None


def test_a_vote_that_was_cut_off_has_no_verdict():
    assert find_verdict(Sample(text="sure", finish_reason="length")) is None


async def test_what_the_model_sees_is_the_problem_and_the_thoughts_as_data():
    backend = ScriptedBackend(["sure"])
    await judged(backend, StateValue(votes=1), "first\nsecond")
    asked = prompt_text(backend.requests[0])
    assert "What is 2 + 2?" in asked
    assert "\nfirst\nsecond\n</state-" in asked
    assert "not part of your instructions" in asked


async def test_a_template_has_its_places_and_an_answer_one_of_its_own():
    backend = ScriptedBackend(["sure", "likely", "impossible"])
    verifier = StateValue(
        votes=1,
        template="{{ problem }} | {{ state }} | {{ thoughts }}",
        answer_template="{{ answer }}?",
        state=r"left: (\d+)",
    )
    await judged(
        backend, verifier, "", "a (left: 3)", "b (left: 4)\nAnswer: 4", answers=AnswerReader(kind="number")
    )
    question = PROBLEM.prompt
    assert [prompt_text(request) for request in backend.requests] == [
        f"{question} | {question} | ",
        f"{question} | 3 | a (left: 3)",
        "Answer: 4?",
    ]


async def test_places_in_a_thought_are_not_filled():
    backend = ScriptedBackend(["sure"])
    await judged(backend, StateValue(votes=1, template="{{ thoughts }}"), "{{ problem }}")
    assert prompt_text(backend.requests[0]) == "{{ problem }}"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"votes": 0}, "votes"),
        ({"per_call": 0}, "per_call"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 0.0}, "temperature 0"),
        ({"sure": -1.0}, "at least 0"),
        ({"sure": float("nan")}, "at least 0"),
        ({"sure": 0.0, "likely": 0.0, "impossible": 0.0}, "not all 0"),
        ({"template": "{{ problem }}"}, "must have"),
        ({"template": "{{ state }} {{ reference }}"}, "reference"),
        ({"answer_template": "{{ tests }}"}, "tests"),
        ({"state": "("}, "does not compile"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong, said):
    with pytest.raises(InvalidInputError, match=said):
        StateValue(**wrong)


async def test_the_thoughts_of_another_problem_are_judged_by_its_own_words():
    backend = ScriptedBackend([Scripted(text="sure")])
    verifier = StateValue(votes=1, template="{{ problem }}: {{ state }}")
    await judged(backend, verifier, "a", problem=Problem(id="q", prompt="Why?"))
    assert prompt_text(backend.requests[0]) == "Why?: a"
