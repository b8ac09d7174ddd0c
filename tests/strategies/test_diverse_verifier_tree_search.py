"""Diverse verifier tree search: subtrees that do not compete."""

import pytest
from search.scripted_trees import said_in

from orchestrator import Controller, DiverseVerifierTreeSearch, Model, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.strategies import StepGenerator
from orchestrator.types import Score

STEPS = StepGenerator(tokens=10, rest_tokens=10)


WORDS = {"bad": 0.1, "poor": 0.3, "fair": 0.5, "good": 0.7, "fine": 0.9}


class Liking:
    """A verifier that gives a text the value of the last of these words in it."""

    name = "liking"

    async def score(self, ctx, problem, candidates):
        found = [[WORDS[word] for word in one.sample.text.split() if word in WORDS] for one in candidates]
        return [Score(value=values[-1] if values else None) for values in found]


class Script:
    """Replies by the number of the expansion, used up choice by choice."""

    def __init__(self, *replies):
        self.replies = {f"search/{number}": iter(texts) for number, texts in enumerate(replies)}

    def __call__(self, request):
        return next(self.replies[request.call.path])


async def run(program, *replies):
    model = ScriptedBackend(Script(*replies))
    models = {"m": Model(backend=model, retry=RetryPolicy(attempts=1))}
    async with Controller(models=models, answers=AnswerReader(kind="number")) as controller:
        outcome = await controller.run(program, Problem(id="p", prompt="?"))
        assert controller.ledger.statistics().holds == 0
    return outcome, [" ".join(said_in(request).split()) for request in model.requests]


def trees(**options):
    return DiverseVerifierTreeSearch(
        **{"n": 4, "beam_width": 2, "max_steps": 3, "verifier": Liking(), "steps": STEPS, **options}
    )


async def test_each_subtree_goes_on_with_its_own_best_step():
    outcome, said = await run(
        trees(),
        ["a is fine", "b is good"],
        ["c is poor", "d is bad"],  # a beam would have dropped both
        ["e is poor", "f is bad"],
        ["g is fair", "h is good"],
        ["poor : the answer is 5.", "bad : the answer is 6."],
        ["fine : the answer is 4.", "bad : the answer is 7."],
    )
    assert said == ["", "", "a is fine", "c is poor", "a is fine e is poor", "c is poor h is good"]
    assert outcome.answer.text == "4"
    assert outcome.confidence == 0.9
    assert outcome.detail == {"score": 0.9, "nodes": 12, "complete": 4, "depth": 3, "forced": False}


async def test_a_subtree_that_is_complete_leaves_the_others_alone():
    outcome, said = await run(
        trees(),
        ["fine : the answer is 5.", "a is bad"],
        ["b is fair", "c is bad"],
        ["poor : the answer is 4.", "poor : the answer is 4."],
    )
    assert said == ["", "", "b is fair"]
    assert outcome.answer.text == "5"
    assert [candidate.answer.text for candidate in outcome.candidates] == ["5", "4", "4"]


async def test_a_subtree_backs_up_where_all_is_pruned_or_failed():
    down = BackendError("the model is down")
    outcome, said = await run(
        trees(prune=0.2, max_steps=4),
        ["a is fine", "b is fair"],
        ["c is fine", "d is good"],
        ["e is bad", "f is bad"],  # after a
        [down, down],  # after c
        ["fair : the answer is 5.", "poor : the answer is 5."],  # after b
        ["good : the answer is 4.", "poor : the answer is 4."],  # after d
    )
    assert said == ["", "", "a is fine", "c is fine", "b is fair", "d is good"]
    assert outcome.answer.text == "4"


async def test_the_answer_can_be_chosen_by_the_sum_of_scores():
    replies = [
        ["good : the answer is 5.", "fair : the answer is 4."],
        ["fair : so the answer is 4.", "bad : the answer is 6."],
    ]
    assert (await run(trees(), *replies))[0].answer.text == "5"
    assert (await run(trees(choose="weighted"), *replies))[0].answer.text == "4"


def test_the_number_of_calls_is_its_formula():
    program = trees(n=16, beam_width=4, max_steps=10)
    assert (program.most_calls, program.calls_at_once) == (1 + 10 * 4, 4)


@pytest.mark.parametrize("wrong", [{"n": 3}, {"beam_width": 0}, {"max_steps": 0}, {"prune": -0.1}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError):
        trees(**wrong)
