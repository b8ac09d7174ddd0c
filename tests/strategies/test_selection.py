"""Which candidate stands for an answer, whatever order candidates came in."""

from dataclasses import replace
from itertools import permutations

import pytest

from orchestrator import Outcome
from orchestrator.answers import AnswerReader
from orchestrator.strategies.selection import representative
from orchestrator.types import Candidate, Sample, Score

NUMBER = AnswerReader(kind="number")


def said(text, score=None):
    candidate = Candidate(sample=Sample(text=text), answer=NUMBER.read(text, truncated=False))
    return candidate if score is None else replace(candidate, scores={"judge": Score(value=score)})


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([said("It is 4"), said("So it is 4"), said("He is 4"), said("5")], "He is 4"),
        ([said("It is 4", 0.5), said("So it is 4", 0.9), said("4"), said("5", 1.0)], "So it is 4"),
        ([said("It is 4", 0.5), said("So it is 4", 0.5), said("4", 0.1)], "It is 4"),
    ],
)
def test_the_same_text_stands_for_an_answer_whatever_order_candidates_came_in(candidates, chosen):
    answer = candidates[0].answer
    for order in permutations(candidates):
        assert representative(Outcome(answer=answer, candidates=order), "judge").sample.text == chosen


def test_no_candidate_stands_for_no_answer():
    assert representative(Outcome(candidates=(said("4"),))) is None
