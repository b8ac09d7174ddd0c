import pytest
from primitives.programs import faults, made

from orchestrator.errors import BackendError
from orchestrator.primitives import Return, Run, Sample, Score, Vote
from orchestrator.strategies import SelfConsistency
from orchestrator.types import Score as Verdict

FIELDS = {
    "answer": "v.answer",
    "share": "v.share",
    "margin": "v.margin",
    "tied": "v.tied",
    "of": "v.candidate",
}


class Tenths:
    """A candidate's score is its number in tenths; it abstains on 9, and on what is no digit."""

    async def score(self, ctx, problem, candidates, /):
        said = [one.sample.text for one in candidates]
        return [Verdict(value=int(text) / 10 if text in "012345678" else None) for text in said]


async def test_the_most_frequent_answer_wins_with_its_share():
    steps = Sample(id="a", n=5), Vote(id="v", of="a"), Return(value="v")
    outcome, _ = await made(*steps, script=["4", "5", "It is 4", "none", "4"], outputs=FIELDS)
    assert outcome.detail["outputs"] == {"answer": "4", "share": 0.6, "margin": 0.4, "tied": False, "of": "4"}
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.6)
    assert outcome.detail["votes"] == [3, 1]
    assert outcome.detail["abstentions"] == 1


async def test_scores_can_be_weights():
    steps = (
        Sample(id="a", n=3),
        Score(id="b", of="a", by=Tenths()),
        Vote(id="v", of="b", weight="score"),
        Return(value="v"),
    )
    outcome, _ = await made(*steps, script=["2", "2", "6"])
    assert (outcome.answer.text, outcome.confidence) == ("6", 0.6)  # 6 against 2 + 2


async def test_one_without_a_score_counts_in_the_denominator_with_the_mean_of_the_others():
    steps = (
        Sample(id="a", n=4),
        Score(id="b", of="a", by=Tenths()),
        Return(value=Vote(of="b", weight="score")),
    )
    outcome, _ = await made(*steps, script=["9", "2", "9", "4"])  # none, 0.2, none, 0.4
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx(0.4 / 1.2)  # and twice 0.3 of those without one
    assert outcome.detail == {"votes": [1, 1], "abstentions": 2, "unscored": 2}


@pytest.mark.parametrize(("script", "unscored"), [(["9", "9", "none"], 3), (["0", "0", "9"], 1)])
async def test_where_no_answer_has_a_weight_they_are_counted_and_that_is_said(script, unscored):
    steps = (
        Sample(id="a", n=3),
        Score(id="b", of="a", by=Tenths()),
        Return(value=Vote(of="b", weight="score")),
    )
    outcome, _ = await made(*steps, script=script)
    assert (outcome.answer.text, outcome.confidence) == (script[0], 2 / 3)
    assert outcome.detail["unweighted"] == "no candidate with an answer has a score above 0"
    assert outcome.detail["unscored"] == unscored


async def test_where_none_has_a_score_they_are_counted():
    steps = Sample(id="a", n=3), Vote(id="v", of="a", weight="score"), Return(value="v")
    outcome, _ = await made(*steps, script=["2", "2", "6"])
    assert outcome.answer.text == "2"
    steps = (
        Sample(id="a", n=3),
        Score(id="b", of="a", by=Tenths()),
        Vote(id="v", of="b", weight="score"),
        Return(value="v"),
    )
    outcome, _ = await made(*steps, script=["9", "9", "9"])
    assert outcome.answer.text == "9"


async def test_several_values_vote_together_an_outcome_once():
    steps = (
        Sample(id="a", n=2),
        Run(id="b", program=SelfConsistency(n=3)),
        Vote(id="v", of=("a", "b")),
        Return(value="v"),
    )
    outcome, _ = await made(*steps, script=["5", "5", "4", "4", "4"], outputs={"n": "v.candidates.count"})
    assert (outcome.answer.text, outcome.confidence) == ("5", 2 / 3)
    assert outcome.detail["outputs"] == {"n": 3}
    assert len(outcome.candidates) == 5


async def test_lists_of_candidates_and_answers_vote():
    for of in ("[a.first, a.last, a.first]", "a.answers"):
        steps = Sample(id="a", n=3), Vote(id="v", of=of), Return(value="v")
        outcome, _ = await made(*steps, script=["4", "4", "5"])
        assert (outcome.answer.text, outcome.confidence) == ("4", 2 / 3)


async def test_missing_candidates_do_not_take_part():
    steps = Sample(id="a"), Sample(id="b"), Vote(id="v", of=("a.first", "b.first")), Return(value="v")
    outcome, _ = await made(*steps, script=[BackendError("no"), "4"], outputs=FIELDS)
    assert outcome.detail["outputs"]["share"] == 1.0


async def test_a_vote_of_nothing_has_no_answer():
    steps = Sample(id="a"), Vote(id="v", of="a"), Sample(), Return(value="v")
    outcome, _ = await made(*steps, script=[BackendError("no"), "4"], outputs=FIELDS)
    assert outcome.answer.text == "4"  # of all there is
    assert outcome.detail["outputs"] == {
        "answer": None,
        "share": 0.0,
        "margin": 0.0,
        "tied": False,
        "of": None,
    }


def test_ballots_are_checked():
    assert faults(Sample(id="a"), Return(value=Vote(of=("a", "a.count")))) == [
        (
            "steps.1.return.vote.of.1",
            "expected candidates, a candidate, an outcome, an answer or a list of candidates, outcomes or answers, "
            "but `a.count` is a number",
        )
    ]
    assert faults(Return(value=Vote(of=()))) == [("steps.0.return.vote.of", "there is nothing to vote on")]


FIELDS_OF_VOTE = {"tied": "voted.tied", "share": "voted.share"}


async def test_an_outcome_without_an_answer_votes_and_is_no_candidate():
    steps = (
        Run(id="a", program=SelfConsistency(n=2)),
        Run(id="b", program=SelfConsistency(n=2)),
        Vote(id="voted", of=["a", "b"]),
        Return(value="voted"),
    )
    outcome, _ = await made(*steps, script=["who knows"] * 4, outputs=FIELDS_OF_VOTE)
    assert outcome.answer is None
    assert len(outcome.candidates) == 4
    assert outcome.detail["abstentions"] == 4
    assert outcome.detail["outputs"] == {
        "tied": False,
        "share": 0,
    }  # nothing is tied where there is no answer
