"""The particle filter as a strategy: what is asked for, how the answer is chosen, and that it can be resumed."""

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

import pytest
from search.scripted_trees import ScriptedTree, Worth, rows, said_in
from strategies.conformance import Case, Models, Standstill, controller_of

import orchestrator
from orchestrator import Controller, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import InvalidInputError
from orchestrator.strategies import ParticleFilter, ParticleGibbs, StepGenerator
from orchestrator.types import Score

STEPS = StepGenerator(tokens=10, rest_tokens=10)


@dataclass(frozen=True)
class Ending:
    """The score of a text by its last step."""

    name: ClassVar[str] = "ending"
    scores: tuple[tuple[str, float | None], ...]

    async def score(self, ctx, problem, candidates):
        known = dict(self.scores)
        return [Score(value=known[candidate.sample.text.split()[-1]]) for candidate in candidates]


class Choices:
    """A model that goes on from each text with these steps, in turn."""

    def __init__(self, **steps):
        self.steps = {said.replace("_", "\n\n"): list(texts) for said, texts in steps.items()}

    def __call__(self, request):
        return self.steps[said_in(request)].pop(0)


async def play(program, steps):
    model = ScriptedBackend(Choices(**steps))
    async with Controller(models={"m": model}, answers=AnswerReader(kind="number")) as controller:
        outcome = await controller.run(program, Problem(id="p", prompt="What is 2 + 2?"))
    return outcome, [(said_in(request), request.n) for request in model.requests]


async def test_copies_of_a_node_go_on_in_one_request():
    verifier = Ending(scores=(("good", 1.0), ("bad", 0.0), ("4.", 0.9), ("5.", 0.5)))
    outcome, asked = await play(
        ParticleFilter(particles=3, max_steps=3, verifier=verifier, steps=STEPS),
        {
            "": ["bad", "good", "bad"],
            "good_": ["good", "bad", "good"],
            "good_good_": ["It is 4.", "It is 4.", "It is 5."],
        },
    )
    assert asked[:2] == [("", 3), ("good\n\n", 3)]
    # of the two that are good one has two copies, the other one
    assert sorted(asked[2:]) == [("good\n\ngood\n\n", 1), ("good\n\ngood\n\n", 2)]
    assert outcome.answer.text == "4"
    assert outcome.detail["rounds"] == 3
    assert outcome.detail["resampled"] == 2
    assert outcome.detail["complete"] == 3


ONE_STEP = {"": ["It is 1.", "It is 2.", "It is 3.", "It is 3."]}
SCORES = Ending(scores=(("1.", 0.8), ("2.", 0.75), ("3.", 0.7)))
# odds 4, 3, 7/3 and 7/3: of 35/3 in all
WEIGHTS = [12 / 35, 9 / 35, 7 / 35, 7 / 35]


@pytest.mark.parametrize(
    ("choose", "answer", "confidence"), [("score", "1", 0.8), ("weighted", "3", 14 / 35), ("vote", "3", 0.5)]
)
async def test_the_answer_is_chosen_by_score_by_weight_or_by_vote(choose, answer, confidence):
    program = ParticleFilter(particles=4, max_steps=1, verifier=SCORES, steps=STEPS, choose=choose)
    outcome, _ = await play(program, {"": list(ONE_STEP[""])})
    assert outcome.answer.text == answer
    assert outcome.confidence == pytest.approx(confidence)
    assert outcome.detail["weights"] == pytest.approx(WEIGHTS)
    assert outcome.detail["ess"] == pytest.approx(1 / sum(weight**2 for weight in WEIGHTS))
    assert outcome.detail["log_normalizer"] == pytest.approx(math.log(35 / 12))
    assert not outcome.detail["forced"]


async def test_an_answer_that_is_drawn_comes_as_often_as_its_weight_says():
    program = ParticleFilter(particles=4, max_steps=1, verifier=SCORES, steps=STEPS, choose="sample")
    drawn = {"1": 0, "2": 0, "3": 0}
    shares = {"1": 12 / 35, "2": 9 / 35, "3": 14 / 35}
    runs = 300
    model = ScriptedBackend(lambda request: texts.pop(0))
    async with Controller(models={"m": model}, answers=AnswerReader(kind="number")) as controller:
        for number in range(runs):  # each problem has a seed of its own
            texts = list(ONE_STEP[""])
            outcome = await controller.run(program, Problem(id=f"p{number}", prompt="?"))
            assert outcome.confidence == pytest.approx(shares[outcome.answer.text])
            drawn[outcome.answer.text] += 1
    for answer, share in shares.items():
        assert drawn[answer] / runs == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / runs))


async def test_unreadable_solutions_take_their_share_of_confidence():
    verifier = Ending(scores=(("4.", 0.5), ("nothing", 0.75)))
    program = ParticleFilter(particles=2, max_steps=1, verifier=verifier, steps=STEPS, choose="weighted")
    outcome, _ = await play(program, {"": ["It is 4.", "I say nothing"]})
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx(1 / 4)


@pytest.mark.parametrize("choose", ["score", "weighted", "vote", "sample"])
async def test_a_verifier_that_says_nothing_leaves_it_to_the_model(choose):
    verifier = Ending(scores=(("4.", None), ("5.", None)))
    program = ParticleFilter(particles=3, max_steps=1, verifier=verifier, steps=STEPS, choose=choose)
    outcome, _ = await play(program, {"": ["It is 4."] * 3})
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx(1)
    assert outcome.detail["weights"] == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("choose", ["weighted", "sample"])
async def test_without_a_readable_particle_the_one_written_to_its_end_answers(choose):
    verifier = Ending(scores=(("nothing", 0.5),))
    program = ParticleFilter(particles=2, max_steps=1, verifier=verifier, steps=STEPS, choose=choose)
    outcome, asked = await play(program, {"": ["I say nothing", "I say nothing", "It is 4."]})
    assert asked == [("", 2), ("", 1)]
    assert outcome.answer.text == "4"
    assert outcome.detail["forced"]
    assert outcome.detail["weights"] == pytest.approx([0.5, 0.5, 0.0])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"particles": 0}, "particles and max_steps must be at least 1"),
        ({"ess_threshold": -0.1}, "ess_threshold must be in"),
        ({"weight_temperature": 0.0}, "weight_temperature must be at least"),
        ({"max_steps": 0}, "max_steps must be at least 1"),
        ({"prune": 2.0}, "prune must be in"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, says):
    with pytest.raises(InvalidInputError, match=says):
        ParticleFilter(verifier=SCORES, **wrong)


def test_a_program_file_says_all_of_it(tmp_path):
    (tmp_path / "p.yaml").write_text(
        """
version: 1
models: {m: {local: smollm2-135m-instruct}}
program:
  particle_filter:
    particles: 16
    resampling: residual
    ess_threshold: 0.5
    weight_temperature: 2
    likelihood: probability
    target: solution
    choose: sample
    verifier: {regex: {pattern: "4"}}
"""
    )
    loaded = orchestrator.load(str(tmp_path / "p.yaml")).strategy
    assert loaded == ParticleFilter(
        particles=16,
        resampling="residual",
        ess_threshold=0.5,
        weight_temperature=2.0,
        likelihood="probability",
        target="solution",
        choose="sample",
        verifier=loaded.verifier,
        model=loaded.model,
    )


# Resumed -------------------------------------------------------------------------------------------------

GROWN = []


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFilter(ParticleFilter):
    """A filter whose search can be looked at."""

    def outcome(self, growth, candidates):
        GROWN.append(growth.search)
        return ParticleFilter.outcome(self, growth, candidates)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedGibbs(ParticleGibbs):
    """Sweeps that can be looked at."""

    def outcome(self, growth, candidates):
        GROWN.append(growth.search)
        return ParticleGibbs.outcome(self, growth, candidates)


TREE = ScriptedTree(seed=6, depth=4, ending=0.1, unjudged=0.1)
WORTH = {"verifier": Worth(tree=TREE), "steps": STEPS, "weight_temperature": 3.0, "max_steps": 4}
PROGRAMS = [
    WatchedFilter(particles=4, **WORTH),
    WatchedFilter(particles=4, ess_threshold=0.5, choose="sample", **WORTH),
    WatchedGibbs(particles=3, iterations=2, choose="sample", **WORTH),
]


@pytest.mark.parametrize("program", PROGRAMS, ids=["filter", "adaptive", "gibbs"])
async def test_a_search_killed_anywhere_and_resumed_grows_the_same_tree(program, tmp_path):
    def models(**options):
        return Models(
            Case(name="particles", program=program, reply=TREE.model(), answer="", calls=0), **options
        )

    whole = models()
    async with controller_of(whole.case, whole) as controller:
        expected = await controller.run(program, whole.case.problem)
    undisturbed = GROWN[-1]
    assert whole.calls >= 6
    for killed_after in range(whole.calls):
        journal = str(tmp_path / f"{killed_after}.db")
        first, standstill = models(hanging_from=killed_after), Standstill(killed_after)
        first.never = standstill
        async with controller_of(first.case, first, journal=journal, events=standstill) as controller:
            task = asyncio.ensure_future(controller.run(program, first.case.problem))
            await standstill.reached.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        second = models()
        async with controller_of(second.case, second, journal=journal, resume=True) as controller:
            outcome = await controller.run(program, second.case.problem)
        assert rows(GROWN[-1].tree) == rows(undisturbed.tree)
        assert GROWN[-1].cloud == undisturbed.cloud
        assert second.calls == whole.calls - killed_after
        assert outcome.answer == expected.answer
        assert outcome.detail == expected.detail
