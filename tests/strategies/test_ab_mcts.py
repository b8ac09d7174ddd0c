import asyncio
from contextlib import suppress
from dataclasses import dataclass

import pytest
from search.scripted_trees import ScriptedTree, Worth
from strategies.chains import turns

from orchestrator import Budget, Controller, Model, Problem, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.events import CandidatesScored
from orchestrator.strategies import ABMCTS, StepGenerator
from orchestrator.types import Score
from orchestrator.verifiers import PairwiseJudge, Regex

ADDITION = Problem(id="p", prompt="What is 2 + 2?")


@dataclass(frozen=True, kw_only=True)
class Nearness:
    """How near a number is to 100, with a reason that says which way to go."""

    name = "nearness"

    async def score(self, ctx, problem, candidates):
        numbers = [float(candidate.sample.text) for candidate in candidates]
        return [Score(value=max(0.0, 1 - abs(n - 100) / 100), reason=f"{n:.0f} is off") for n in numbers]


@dataclass(frozen=True, kw_only=True)
class Silent:
    """Abstains, and says why."""

    name = "silent"

    async def score(self, ctx, problem, candidates):
        return [Score(value=None, reason="the judge is asleep") for _ in candidates]


async def play(program, *models, problem=ADDITION, events=None, **options):
    """The outcome, from one model called m, or several called m0, m1, ..."""
    backends = [model if isinstance(model, ScriptedBackend) else ScriptedBackend(model) for model in models]
    names = ["m"] if len(backends) == 1 else [f"m{i}" for i in range(len(backends))]
    async with Controller(
        models={
            name: Model(backend=backend, retry=RetryPolicy(attempts=1))
            for name, backend in zip(names, backends, strict=True)
        },
        answers=AnswerReader(kind="number"),
        recorders=() if events is None else (events.append,),
        **options,
    ) as controller:
        outcome = await controller.run(program, problem)
        assert controller.ledger.statistics().held.total_tokens == 0
    return outcome


def improving(request):
    """Doubles the last answer it is shown, and begins with a number of its place."""
    said = [message["content"] for message in request.messages if message["role"] == "assistant"]
    return str(int(said[-1]) * 2) if said else str(5 + int(request.call.path.rpartition("/")[2]) % 7)


def shape(outcome):
    """Each candidate's text with that of its parent."""
    return [
        (one.sample.text, None if one.parent is None else one.parent.sample.text)
        for one in outcome.candidates
    ]


def always(text):
    return lambda request: text


def in_turn(request):
    return "354"[int(request.call.path.rpartition("/")[2]) % 3]


async def test_it_refines_what_scores_well_and_answers_with_the_best():
    outcome = await play(ABMCTS(num_nodes=40, verifier=Nearness(), width=1, threshold=None), improving)
    assert outcome.stop_reason is StopReason.COMPLETE
    assert outcome.confidence == max(one.scores["nearness"].value for one in outcome.candidates) > 0.7
    for text, parent in shape(outcome):
        assert parent is None or int(text) == 2 * int(parent)
    drawn = sum(parent is None for _, parent in shape(outcome))
    assert outcome.detail["nodes"] == outcome.detail["complete"] == outcome.usage.requests == 40
    assert outcome.detail["drawn"] == drawn
    assert 1 < drawn < 39
    assert outcome.detail["depth"] >= 4
    assert outcome.detail["forced"] is False
    mean = sum(one.scores["nearness"].value for one in outcome.candidates) / 40
    assert outcome.detail["arms"] == {"m": {"nodes": 40, "mean": pytest.approx(mean)}}


async def test_every_candidates_parent_is_a_candidate_of_the_outcome():
    outcome = await play(ABMCTS(num_nodes=20, verifier=Nearness(), threshold=None), improving)
    known = {id(candidate) for candidate in outcome.candidates}
    assert all(one.parent is None or id(one.parent) in known for one in outcome.candidates)


async def test_a_refinement_is_asked_for_with_the_answer_and_the_verifiers_reason():
    model = ScriptedBackend(improving)
    program = ABMCTS(
        num_nodes=12, verifier=Nearness(), width=1, memory=2, feedback_prompt="{{ feedback }}! {{ problem }}"
    )
    await play(program, model)
    question = ("u", "What is 2 + 2?")
    deep = 0
    for request in model.requests:
        first, *rest = turns(request)
        assert first == question
        assert len(rest) in (0, 2, 4)
        for (role, answer), (_, asked) in zip(rest[::2], rest[1::2], strict=True):
            assert role == "a"
            assert asked == f"{answer} is off! What is 2 + 2?"
        deep += len(rest) == 4
    assert deep > 0


async def test_without_a_reason_it_asks_for_a_better_answer():
    model = ScriptedBackend(always("3"))
    program = ABMCTS(num_nodes=12, verifier=Silent(), prompt="Better than {{ answer }}? {{ problem }}")
    outcome = await play(program, model)
    refining = [turns(request)[2:] for request in model.requests if len(turns(request)) > 1]
    assert refining
    assert all(said == [("u", "Better than 3? What is 2 + 2?")] for said in refining)
    assert outcome.answer.text == "3"  # nobody could judge one: the vote
    assert outcome.detail["votes"] == [12]


async def test_an_answer_that_cannot_be_read_is_not_judged_and_the_model_is_told():
    events, model = [], ScriptedBackend(always("no idea"))
    outcome = await play(
        ABMCTS(num_nodes=10, verifier=Regex(pattern="4"), feedback_prompt="It is {{ feedback }}."),
        model,
        events=events,
    )
    assert outcome.answer is None
    assert outcome.usage.requests == 10  # none of them to end a partial solution
    assert not [event for event in events if isinstance(event, CandidatesScored)]
    assert outcome.detail["arms"] == {"m": {"nodes": 10, "mean": 0.0}}
    assert {turns(request)[-1][1] for request in model.requests if len(turns(request)) > 1} == {
        "It is no readable answer."
    }


async def test_a_long_reason_is_cut():
    @dataclass(frozen=True)
    class Verbose:
        name = "verbose"

        async def score(self, ctx, problem, candidates):
            return [Score(value=0.5, reason="x" * 1500) for _ in candidates]

    model = ScriptedBackend(always("3"))
    await play(ABMCTS(num_nodes=8, verifier=Verbose(), feedback_chars=50), model)
    assert max(turns(request)[-1][1].count("x") for request in model.requests) == 50 - len("\n...\n")


async def test_an_answer_that_is_good_enough_ends_it():
    outcome = await play(ABMCTS(num_nodes=30, verifier=Regex(pattern="^4$"), width=2), in_turn)
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.usage.requests < 30


async def test_the_model_that_scores_better_writes_more():
    program = ABMCTS(
        num_nodes=40, verifier=Regex(pattern="^4$"), models=("m0", "m1"), threshold=None, posterior="beta"
    )
    outcome = await play(program, always("5"), always("4"))
    arms = outcome.detail["arms"]
    assert arms["m0"]["nodes"] + arms["m1"]["nodes"] == 40
    assert arms["m1"]["nodes"] > 4 * arms["m0"]["nodes"] > 0
    assert (arms["m0"]["mean"], arms["m1"]["mean"]) == (0.0, 1.0)


@pytest.mark.parametrize(("choose", "answer"), [("score", "99"), ("weighted", "60"), ("vote", "7")])
async def test_the_answer_is_chosen_as_asked(choose, answer):
    def reply(request):
        return ["99", "60", "60", "60", "7", "7", "7", "7"][int(request.call.path.rpartition("/")[2])]

    outcome = await play(ABMCTS(num_nodes=8, verifier=Nearness(), choose=choose), reply)
    assert outcome.answer.text == answer


async def test_ways_are_no_longer_than_said():
    outcome = await play(
        ABMCTS(num_nodes=40, verifier=Nearness(), threshold=None, max_steps=2, posterior="beta"), improving
    )
    assert outcome.detail["depth"] == 2


async def test_weak_answers_are_not_refined():
    outcome = await play(ABMCTS(num_nodes=40, verifier=Nearness(), threshold=None, prune=0.08), improving)
    refined = {int(parent) for _, parent in shape(outcome) if parent is not None}
    assert refined
    assert min(refined) >= 8


async def test_with_steps_as_nodes_it_searches_partial_solutions():
    script = ScriptedTree(seed=3, depth=3, ending=0.2, grades=17)
    program = ABMCTS(
        num_nodes=24,
        unit="step",
        verifier=Worth(tree=script),
        steps=StepGenerator(tokens=16),
        max_steps=3,
        threshold=None,
    )
    assert program.most_calls == 25
    outcome = await play(program, script.model(places=6))
    detail = outcome.detail
    assert outcome.answer is not None
    assert 0 < detail["complete"] < detail["nodes"] == 24
    assert detail["depth"] <= 3
    assert outcome.usage.requests == 24 + detail["forced"]
    best = max(outcome.candidates, key=lambda one: one.scores["worth"].value)
    assert outcome.confidence == best.scores["worth"].value


async def test_with_steps_as_nodes_a_partial_solution_is_finished():
    script = ScriptedTree(seed=3, depth=9, ending=0.0, grades=17)
    program = ABMCTS(
        num_nodes=4, unit="step", verifier=Worth(tree=script), steps=StepGenerator(tokens=16), threshold=None
    )
    outcome = await play(program, script.model())
    assert outcome.detail["forced"]
    assert outcome.answer is not None
    assert outcome.usage.requests == program.most_calls == 5


async def test_with_steps_as_nodes_only_a_complete_solution_is_good_enough_to_end_at():
    def reply(request):
        said = request.messages[-1]["content"] if request.messages[-1]["role"] == "assistant" else ""
        return "The answer is 4." if "step" in said else "step"

    likes_all = Regex(pattern="")
    program = ABMCTS(num_nodes=50, unit="step", verifier=likes_all, steps=StepGenerator(tokens=16), width=1)
    outcome = await play(program, reply)
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.detail["complete"] == 1
    assert not outcome.detail["forced"]


async def test_a_call_that_fails_is_an_answer_less():
    def reply(request):
        number = int(request.call.path.rpartition("/")[2])
        return BackendError("lost") if number % 3 == 0 else "4"

    outcome = await play(ABMCTS(num_nodes=9, verifier=Nearness(), threshold=None), reply)
    assert outcome.detail["nodes"] == 6
    assert outcome.answer.text == "4"


async def test_killed_in_the_middle_it_resumes_to_the_same_tree(tmp_path):
    program = ABMCTS(num_nodes=24, verifier=Nearness(), threshold=None, width=3)
    whole = await play(program, improving)
    for after in (1, 7, 16):
        journal = str(tmp_path / f"{after}.db")
        never, stalled, seen = asyncio.Event(), asyncio.Event(), 0

        async def stalling(request, after=after, never=never, stalled=stalled):
            nonlocal seen
            seen += 1
            if seen > after:
                stalled.set()
                await never.wait()
            return improving(request)

        task = asyncio.ensure_future(play(program, Stalling(stalling), journal=journal))
        await stalled.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        model = ScriptedBackend(improving)
        resumed = await play(program, model, journal=journal, resume=True)
        assert shape(resumed) == shape(whole)
        assert resumed.detail == whole.detail
        assert len(model.requests) == 24 - after


class Stalling(ScriptedBackend):
    """A model that waits for `wait` before each reply."""

    def __init__(self, wait):
        super().__init__(improving)
        self.wait = wait

    async def complete(self, request):
        await self.wait(request)
        return await super().complete(request)


async def test_a_spent_budget_gives_the_best_so_far():
    program = ABMCTS(num_nodes=24, verifier=Nearness(), threshold=None, width=3)
    outcome = await play(program, improving, budget=Budget(requests=9))
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.usage.requests == outcome.detail["nodes"] == 9
    assert outcome.confidence == max(one.scores["nearness"].value for one in outcome.candidates)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"num_nodes": 0}, "num_nodes"),
        ({"width": 0}, "width"),
        ({"threshold": 1.5}, "threshold"),
        ({"memory": 0}, "memory"),
        ({"prompt": "{{ feedback }}"}, "feedback"),
        ({"feedback_prompt": "{{ critique }}"}, "critique"),
        ({"feedback_chars": 0}, "feedback_chars"),
        ({"prior_weight": 0.0}, "kappa"),
        ({"posterior": "beta", "prior_mean": 0.0}, "prior_mean"),
        ({"posterior": "cauchy"}, "posterior"),
        ({"unit": "word"}, "unit"),
        ({"model": "a", "models": ("b",)}, "model or models"),
        ({"models": ("b", "b")}, "different"),
        ({"prune": -1.0}, "prune"),
        ({"max_steps": 0}, "max_steps"),
        ({"verifier": PairwiseJudge()}, "compares"),
    ],
)
def test_parameters_out_of_range_are_refused(options, named):
    with pytest.raises(InvalidInputError, match=named):
        ABMCTS(**{"verifier": Nearness(), **options})
