"""Particle Gibbs as a strategy: references that cost nothing, and an answer over all sweeps."""

import pytest
from search.scripted_trees import said_in

from orchestrator import Controller, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import InvalidInputError
from orchestrator.strategies import ParticleGibbs, StepGenerator
from orchestrator.verifiers import Regex

STEPS = StepGenerator(tokens=10, rest_tokens=10)


async def play(program, reply):
    model = ScriptedBackend(reply)
    async with Controller(models={"m": model}, answers=AnswerReader(kind="number")) as controller:
        outcome = await controller.run(program, Problem(id="p", prompt="What is 2 + 2?"))
    return outcome, [(said_in(request), request.n) for request in model.requests]


async def test_the_reference_takes_its_steps_for_nothing():
    outcome, asked = await play(
        ParticleGibbs(particles=3, iterations=3, max_steps=2, verifier=Regex(pattern="."), steps=STEPS),
        lambda request: "It is 4." if said_in(request) else "a step",
    )
    begun = "a step\n\n"
    first, further = [("", 3), *[(begun, 1)] * 3], [("", 2), *[(begun, 1)] * 2]
    assert asked == [*first, *further, *further]
    assert outcome.answer.text == "4"
    assert outcome.detail["sweeps"] == 3
    assert outcome.detail["references"] in (1, 2)
    assert outcome.detail["complete"] == 7


async def test_a_good_solution_stays_while_worse_ones_are_drawn_beside_it():
    texts = ["It is 4.", *["It is 5."] * 9]
    outcome, asked = await play(
        ParticleGibbs(
            particles=2,
            iterations=9,
            max_steps=1,
            choose="weighted",
            verifier=Regex(pattern="4"),  # 1 and 0: fourteen orders of magnitude in weight
            steps=STEPS,
        ),
        lambda request: texts.pop(0),
    )
    assert asked == [("", 2), *[("", 1)] * 8]
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx(1.0)
    assert outcome.detail["references"] == 1
    assert outcome.detail["weights"] == pytest.approx([1.0, *[0.0] * 9])


async def test_weights_are_those_of_all_sweeps_in_the_mean():
    outcome, _ = await play(
        ParticleGibbs(
            particles=2,
            iterations=2,
            max_steps=1,
            choose="weighted",
            verifier=Regex(pattern="is"),
            steps=STEPS,
        ),
        lambda request: "It is 4.",
    )
    # a half each, and then a half for the reference and one for the third
    assert sorted(outcome.detail["weights"]) == pytest.approx([0.25, 0.25, 0.5])
    assert outcome.confidence == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"particles": 1}, "at least 2, not 4 and 1"),
        ({"iterations": 0}, "iterations must be at least 1"),
        ({"weight_temperature": -1.0}, "weight_temperature must be at least"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, says):
    with pytest.raises(InvalidInputError, match=says):
        ParticleGibbs(verifier=Regex(pattern="4"), **wrong)
