"""Best-first search: on from the best there is, until a solution is good enough."""

import anyio
import pytest
from search.scripted_trees import said_in

from orchestrator import BestFirstSearch, Controller, Model, Problem, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import Scripted
from orchestrator.errors import InvalidInputError
from orchestrator.strategies import StepGenerator
from orchestrator.types import Score

STEPS = StepGenerator(tokens=10, rest_tokens=10)
WORDS = {"bad": 0.1, "poor": 0.3, "fair": 0.5, "good": 0.7, "fine": 1.0}


class Liking:
    """A verifier that gives a text the value of the last of these words in it."""

    name = "liking"

    async def score(self, ctx, problem, candidates):
        found = [[WORDS[word] for word in one.sample.text.split() if word in WORDS] for one in candidates]
        return [Score(value=values[-1] if values else None) for values in found]


async def run(program, replies):
    """The outcome, and what had been said in each request; `replies` are lists by what has been said."""
    scripts = {said: iter(texts) for said, texts in replies.items()}
    model = ScriptedBackend(lambda request: next(scripts[" ".join(said_in(request).split())]))
    models = {"m": Model(backend=model, retry=RetryPolicy(attempts=1))}
    async with Controller(models=models, answers=AnswerReader(kind="number")) as controller:
        outcome = await controller.run(program, Problem(id="p", prompt="?"))
        assert controller.ledger.statistics().holds == 0
    return outcome, [" ".join(said_in(request).split()) for request in model.requests]


def search(**options):
    return BestFirstSearch(
        **{"expansions": 9, "branching": 2, "max_steps": 4, "verifier": Liking(), "steps": STEPS, **options}
    )


REPLIES = {
    "": ["a good", "b fair"],
    "a good": ["c poor", "d bad"],
    "b fair": ["e good", "poor : the answer is 5."],
    "b fair e good": ["fine : the answer is 4.", "f bad"],
    "a good c poor": ["good : the answer is 6.", "fair : the answer is 6."],
    "a good d bad": ["fair : the answer is 6.", "fair : the answer is 6."],
    "b fair e good f bad": ["fair : the answer is 6.", "fair : the answer is 6."],
}


async def test_what_disappoints_is_left_for_the_best_elsewhere():
    outcome, said = await run(search(), REPLIES)
    assert said == ["", "a good", "b fair", "b fair e good"]
    assert outcome.answer.text == "4"
    assert outcome.confidence == 1.0
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.detail == {"score": 1.0, "nodes": 8, "complete": 2, "depth": 3, "forced": False}


async def test_without_a_threshold_all_expansions_are_made():
    outcome, said = await run(search(threshold=None, expansions=6), REPLIES)
    assert said[4:] == ["a good c poor", "b fair e good f bad"]  # of equals the deepest
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.COMPLETE


async def test_a_bound_on_expansions_leaves_the_best_complete_solution():
    outcome, said = await run(search(expansions=3), REPLIES)
    assert len(said) == 3
    assert outcome.answer.text == "5"


async def test_what_is_under_way_is_called_off_when_a_solution_is_good_enough():
    never, waiting = anyio.Event(), anyio.Event()

    def reply(request):
        if request.call.path == "search/2":
            waiting.set()
            return Scripted(text="never", gate=never)
        if request.call.path == "search/1":
            return Scripted(text="fine : the answer is 4.", gate=waiting)
        return "a good" if request.call.ordinal == 0 and next(first) else "b fair"

    first = iter([True, False])
    model = ScriptedBackend(reply)
    async with Controller(models={"m": model}, answers=AnswerReader(kind="number")) as controller:
        outcome = await controller.run(search(width=2), Problem(id="p", prompt="?"))
        assert controller.ledger.statistics().holds == 0
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.DECIDED
    assert (model.started, model.cancelled, model.in_flight) == (3, 1, 0)


def test_the_number_of_calls_is_its_formula():
    assert search(expansions=9).most_calls == 10
    assert search(expansions=9, width=4).calls_at_once == 4
    assert search(expansions=3, width=4).calls_at_once == 3


@pytest.mark.parametrize(
    "wrong",
    [{"expansions": 0}, {"branching": 0}, {"width": 0}, {"threshold": 1.5}, {"max_steps": 0}],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        search(**wrong)
