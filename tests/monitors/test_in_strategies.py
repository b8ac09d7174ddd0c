"""Every strategy's samples are watched by its monitors, but for the searches, which refuse them."""

from dataclasses import replace

import pytest
from strategies.conformance import Models, run
from strategies.test_conformance import CASES, of_all

from orchestrator.errors import InvalidInputError
from orchestrator.strategies import Strategy, TreeSearch
from orchestrator.types import Chunk


class Reading:
    """A monitor that counts the texts it has seen the end of, and cuts none."""

    name = "reading"

    def __init__(self):
        self.texts = 0

    def watch(self):
        return self

    def feed(self, chunk: Chunk):
        self.texts += chunk.finish_reason is not None


SEARCHES = [case for case in CASES if isinstance(case.program, TreeSearch)]
OTHERS = [case for case in CASES if isinstance(case.program, Strategy) and case not in SEARCHES]


@of_all(OTHERS)
async def test_the_samples_of_every_strategy_are_watched_and_come_out_as_without(case):
    reading = Reading()
    program = replace(case.program, monitors=(*case.program.monitors, reading))
    outcome = await run(replace(case, program=program), Models(case))
    assert outcome.answer is not None
    assert outcome.answer.text == case.answer
    drawn = [candidate.sample for candidate in outcome.candidates if candidate.sample.cut is None]
    assert reading.texts >= len(drawn)


@of_all(SEARCHES)
def test_a_search_refuses_what_would_not_watch_it(case):
    with pytest.raises(InvalidInputError, match=r"monitors do not watch .* cap it by (max_tokens|steps: )"):
        replace(case.program, monitors=(Reading(),))
