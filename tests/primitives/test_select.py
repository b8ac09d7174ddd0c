import pytest
from primitives.programs import faults, made

from orchestrator.errors import BackendError
from orchestrator.primitives import Return, Run, Sample, Score, Select
from orchestrator.strategies import SelfConsistency
from orchestrator.types import Score as Verdict


class Text:
    """Likes candidates whose text has these words."""

    def __init__(self, words):
        self.words = words

    async def score(self, ctx, problem, candidates, /):
        return [Verdict(value=float(self.words in one.sample.text)) for one in candidates]


TEXTS = ["It is 5", "4", "It must be 4", "no number here", "6 6 6"]


@pytest.mark.parametrize(
    ("by", "chosen"),
    [("vote", "4"), ("first", "It is 5"), ("last", "6 6 6"), ("shortest", "4"), ("score", "It must be 4")],
)
async def test_one_is_chosen(by, chosen):
    steps = (
        Sample(id="a", n=5),
        Score(id="b", of="a", by=Text("must be")),
        Select(id="c", of="a" if by in ("vote", "shortest") else "b", by=by),
        Return(value="c"),
    )
    outcome, _ = await made(*steps, script=TEXTS, outputs={"c": "c.text", "n": "b.count"})
    assert outcome.detail["outputs"]["c"] == chosen


async def test_the_vote_goes_before_the_score():
    steps = (
        Sample(id="a", n=4),
        Score(id="b", of="a", by=Text("must")),
        Select(id="c", of="b", by="vote"),
        Return(value="c"),
    )
    script = ["It must be 5", "4", "It must be 4", "no number"]
    outcome, _ = await made(*steps, script=script, outputs={"c": "c.text"})
    assert outcome.detail["outputs"] == {"c": "It must be 4"}


async def test_the_shortest_is_one_with_a_readable_answer():
    steps = Sample(id="a", n=3), Select(id="c", of="a", by="shortest"), Return(value="c")
    outcome, _ = await made(*steps, script=["?", "It is 4", "So it is 5"], outputs={"c": "c.text"})
    assert outcome.detail["outputs"] == {"c": "It is 4"}


async def test_without_scores_the_best_is_one_that_gave_the_most_frequent_answer():
    steps = Sample(id="a", n=5), Return(value=Select(of="a"))
    outcome, _ = await made(*steps, script=TEXTS)
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.4)


async def test_an_outcomes_candidates_can_be_chosen_from_and_lists():
    steps = (
        Run(id="a", program=SelfConsistency(n=3)),
        Select(id="b", of="a", by="shortest"),
        Select(id="c", of="[b, a.candidate]", by="last"),
        Return(value="c"),
    )
    outcome, _ = await made(*steps, script=["It is 5", "4", "It is 5"], outputs={"b": "b.text"})
    assert outcome.detail["outputs"] == {"b": "4"}
    assert outcome.answer.text == "5"


@pytest.mark.parametrize("by", ["score", "vote", "first", "last", "shortest"])
async def test_of_nothing_nothing_is_chosen(by):
    steps = Sample(id="a"), Select(id="b", of="a", by=by), Sample(), Return(value="b")
    outcome, _ = await made(*steps, script=[BackendError("no"), "4"], outputs={"b": "b.text"})
    assert outcome.detail["outputs"] == {"b": None}


def test_it_chooses_from_candidates():
    [(place, message)] = faults(Sample(id="a"), Return(value=Select(of="a.first")))
    assert place == "steps.1.return.select.of"
    assert message.endswith("but `a.first` is a candidate, which may be missing")
