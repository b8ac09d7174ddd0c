"""What samples are drawn with: the program's own settings, else its model's, else what is usual."""

import pytest

from orchestrator import Controller, Model, Problem, SelfConsistency, Single, loads
from orchestrator.backends import ScriptedBackend
from orchestrator.primitives import Return, Sample, Steps


async def temperatures(program, **sampling):
    asked = []

    def reply(request):
        asked.append(request.temperature)
        return "4"

    models = {"m": Model(backend=ScriptedBackend(reply), sampling=sampling)}
    async with Controller(models=models) as controller:
        await controller.run(program, Problem(id="1", prompt="What is 2 + 2?"))
    return set(asked)


def drawn(**settings):
    return Steps(steps=(Sample(id="s", n=2, **settings), Return(value="s")))


@pytest.mark.parametrize(("program", "usual"), [(Single(), 0.0), (SelfConsistency(n=3), 0.7), (drawn(), 0.7)])
async def test_a_temperature_is_the_programs_own_else_the_models_else_what_is_usual(program, usual):
    assert await temperatures(program) == {usual}
    assert await temperatures(program, temperature=0.11) == {0.11}
    assert await temperatures(program, temperature=None) == {None}  # sent to no model that takes none


async def test_a_temperature_that_a_program_gives_holds_over_its_models():
    for program in (Single(temperature=0.9), drawn(temperature=0.9)):
        assert await temperatures(program, temperature=0.11) == {0.9}
        assert await temperatures(program, temperature=None) == {0.9}


@pytest.mark.parametrize(("written", "meant"), [("{temperature: null}", {"temperature": None}), ("{}", {})])
def test_a_file_can_keep_the_temperature_out_of_a_models_requests(written, meant):
    program = loads(
        f"version: 1\nmodels: {{m: {{local: gemma-3-270m, sampling: {written}}}}}\nprogram: single\n"
    )
    assert program.models_unkeyed()["m"].sampling == meant
