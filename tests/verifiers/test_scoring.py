"""What a context makes of the scores a verifier gives."""

import math
from dataclasses import dataclass

import pytest

from orchestrator import Controller, Outcome, Problem
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import InvalidInputError
from orchestrator.types import Candidate, Sample, Score


@dataclass(frozen=True)
class Gives:
    values: tuple[float | None, ...]
    name = "gives"

    async def score(self, ctx, problem, candidates):
        return [Score(value=value, reason="why") for value in self.values]


async def given(*values):
    """The scores of as many candidates."""
    found = []

    async def program(ctx, problem):
        candidates = [Candidate(sample=Sample(text=f"{at}"), answer=None) for at in range(len(values))]
        found.extend(await ctx.score(Gives(values), problem, candidates))
        return Outcome()

    async with Controller(models={"m": ScriptedBackend([])}) as controller:
        await controller.run(program, Problem(id="p", prompt="?"))
    return found


async def test_a_score_that_is_not_a_number_is_an_abstention():
    found = await given(0.5, math.nan, None)
    assert [score.value for score in found] == [0.5, None, None]
    assert found[1].reason == "not a number; why"


async def test_rounding_is_taken_back():
    assert [score.value for score in await given(0.0, 1.0, 1.0 + 1e-12, -1e-12)] == [0.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("value", [7.0, -0.1, math.inf, -math.inf])
async def test_a_number_that_is_no_score_is_refused(value):
    with pytest.raises(
        InvalidInputError, match=r"'gives' gave the score .*: scores are in \[0, 1\], or None"
    ):
        await given(0.5, value)
