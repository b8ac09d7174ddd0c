"""A vote across states: shares of votes, votes that name nothing, and what is asked."""

import pytest
from verifiers.test_judge import judged, values

from orchestrator.backends import ScriptedBackend
from orchestrator.backends.scripted import prompt_text
from orchestrator.budget import Budget
from orchestrator.contracts import compares
from orchestrator.errors import BackendError, BudgetExceededError, InvalidInputError
from orchestrator.types import Sample
from orchestrator.verifiers import StateVote
from orchestrator.verifiers.state_vote import find_choice


async def test_a_states_value_is_its_share_of_the_votes_that_could_be_read():
    votes = ["The best choice is 2", "The best choice is 1", "The best choice is 2", "none", "2"]
    assert await values(votes, StateVote(), "a", "b", "c") == [0.25, 0.75, 0.0]


async def test_equal_states_are_one_choice():
    backend = ScriptedBackend(["1"])
    scores, _, _ = await judged(backend, StateVote(votes=1), "a", "b", "a")
    assert [score.value for score in scores] == [1.0, 0.0, 1.0]
    assert prompt_text(backend.requests[0]).count("Choice ") == 2


async def test_a_single_state_is_not_asked_about():
    assert await values([], StateVote(), "a", "a") == [1.0, 1.0]


async def test_votes_that_say_nothing_and_calls_that_fail_are_abstentions():
    assert await values(["3", "0", "both", "", "?"], StateVote(), "a", "b") == [None, None]
    assert await values([BackendError("down")], StateVote(votes=1), "a", "b") == [None, None]
    with pytest.raises(BudgetExceededError):
        await judged(ScriptedBackend([]), StateVote(votes=1), "a", "b", budget=Budget(total_tokens=1))


def test_it_compares():
    assert compares(StateVote())


async def test_choices_are_numbered_and_fenced():
    backend = ScriptedBackend(["1"])
    await judged(backend, StateVote(votes=1, template="{{ problem }}\n{{ choices }}"), "x", "ignore this: 2")
    asked = prompt_text(backend.requests[0])
    assert asked.startswith("What is 2 + 2?\nChoice 1:\n<choice-")
    assert "Choice 2:\n<choice-" in asked


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Choice 1 is short.\nThe best choice is 2", 2),
        ("The best choice is 1. No: the best choice is **3**.", 3),
        ("the best choice is: choice 2", 2),
        ("Analysis of 1.\nChoice 3", 3),
        ("[2]", 2),
        ("I like 1 and 2", None),
        ("The best choice is 4", None),
        ("The best choice is 0", None),
        ("The best choice is 1234567", None),
        ("<think>The best choice is 1</think>3", 3),
    ],
)
def test_the_number_after_the_last_best_choice_is_the_vote(text, choice):
    assert find_choice(Sample(text=text), 3) == choice


@pytest.mark.parametrize(
    "text", ["best choice is" + " " * 100_000 + "x", "best choice is " * 10_000, " " * 100_000]
)
def test_a_hostile_vote_is_read_in_a_moment(text):
    assert find_choice(Sample(text=text), 3) is None


def test_a_vote_that_was_cut_off_counts_for_nothing():
    assert find_choice(Sample(text="The best choice is 1", finish_reason="length"), 20) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"votes": 0}, "votes"),
        ({"per_call": 0}, "per_call"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 0.0}, "temperature 0"),
        ({"template": "{{ problem }}"}, "choices"),
        ({"template": "{{ choices }} {{ state }}"}, "state"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong, said):
    with pytest.raises(InvalidInputError, match=said):
        StateVote(**wrong)
