from primitives.programs import faults, made

from orchestrator import Budget, StopReason
from orchestrator.errors import BackendError
from orchestrator.primitives import Return, Run, Sample, Score, Select
from orchestrator.strategies import BestOfN
from orchestrator.types import Score as Verdict
from orchestrator.verifiers import Judge, Regex


class Longest:
    """Compares: a candidate's score is its length over that of the longest it is judged with."""

    name, comparative = "longest", True

    async def score(self, ctx, problem, candidates, /):
        most = max(len(one.sample.text) for one in candidates)
        return [Verdict(value=len(one.sample.text) / most) for one in candidates]


class Length:
    """Longer is better; keeps what it was asked about."""

    name = "length"

    def __init__(self):
        self.asked = []

    async def score(self, ctx, problem, candidates, /):
        self.asked.append([one.sample.text for one in candidates])
        return [
            Verdict(value=len(one.sample.text) / 10, reason=f"{len(one.sample.text)}") for one in candidates
        ]


async def test_candidates_come_back_with_their_scores_in_order():
    steps = (
        Sample(id="drafts", n=3),
        Score(id="judged", of="drafts", by=Regex(pattern="5")),
        Return(value="judged.best"),
    )
    outcome, model = await made(
        *steps, script=["4", "5", "6"], outputs={"scores": "judged.scores", "best": "judged.best.score"}
    )
    assert outcome.answer.text == "5"
    assert outcome.confidence == 1.0
    assert outcome.detail["outputs"] == {"scores": [0.0, 1.0, 0.0], "best": 1.0}
    assert [one.scores["regex"].value for one in outcome.candidates] == [0.0, 1.0, 0.0]
    assert model.started == 3


async def test_one_candidate_gets_a_review_that_has_the_verifiers_reason():
    steps = Sample(id="a"), Score(id="review", of="a.first", by=Length()), Return(value="review")
    outcome, _ = await made(
        *steps,
        script=["4"],
        outputs={"score": "review.score", "why": "review.text", "it": "review.candidate"},
    )
    assert outcome.detail["outputs"] == {"score": 0.1, "why": "1", "it": "4"}
    assert (outcome.answer.text, outcome.confidence) == ("4", 0.1)


async def test_a_missing_candidate_is_not_judged():
    verifier = Length()
    steps = (
        Sample(id="a"),
        Sample(id="b"),
        Score(id="review", of="a.first", by=verifier),
        Return(value="b"),
    )
    outcome, _ = await made(*steps, script=[BackendError("no"), "4"], outputs={"score": "review.score"})
    assert outcome.detail["outputs"] == {"score": None}
    assert verifier.asked == []


async def test_what_this_verifier_has_judged_is_not_judged_again():
    verifier = Length()
    steps = (
        Sample(id="drafts", n=2),
        Score(id="one", of="drafts.first", by=verifier),
        Score(id="all", of="drafts", by=verifier),
        Return(value="all.best"),
    )
    await made(*steps, script=["4", "5"], outputs={"one": "one.score"})
    assert verifier.asked == [["4"], ["5"]]


async def test_one_that_compares_judges_all_anew():
    longest = Longest()
    steps = (
        Sample(id="first", n=2),
        Score(id="before", of="first", by=longest),
        Sample(id="second"),
        Score(id="all", of="[before.best, second.first]", by=longest),
        Return(value="all.best"),
    )
    outputs = {"before": "before.scores", "all": "all.scores"}
    outcome, _ = await made(*steps, script=["4", "44", "5555"], outputs=outputs)
    assert outcome.detail["outputs"] == {"before": [0.5, 1.0], "all": [0.5, 1.0]}
    assert outcome.answer.text == "5555"


async def test_two_verifiers_of_one_name_keep_their_scores_apart():
    steps = (
        Sample(id="drafts", n=2),
        Score(id="fours", of="drafts", by=Regex(pattern="4")),
        Score(id="fives", of="fours", by=Regex(pattern="5")),
        Return(value="fours.best"),
    )
    outcome, _ = await made(
        *steps, script=["4", "5"], outputs={"fours": "fours.scores", "fives": "fives.scores"}
    )
    assert outcome.answer.text == "4"
    assert outcome.detail["outputs"] == {"fours": [1.0, 0.0], "fives": [0.0, 1.0]}
    assert [
        {name: one.value for name, one in candidate.scores.items()} for candidate in outcome.candidates
    ] == [
        {"regex": 1.0, "regex-2": 0.0},
        {"regex": 0.0, "regex-2": 1.0},
    ]


async def test_scores_that_a_program_inside_gave_are_told_from_those_of_this_one():
    inside = BestOfN(n=2, verifier=Regex(pattern="4"), threshold=None)
    steps = (
        Run(id="inner", program=inside),
        Score(id="judged", of="inner", by=Regex(pattern="5")),
        Return(value="judged.best"),
    )
    outcome, _ = await made(*steps, script=["4", "5"])
    assert outcome.answer.text == "5"
    assert [
        {name: one.value for name, one in candidate.scores.items()} for candidate in outcome.candidates
    ] == [
        {"inner.regex": 1.0, "regex": 0.0},
        {"inner.regex": 0.0, "regex": 1.0},
    ]


async def test_a_model_that_judges_does_so_on_the_branch_a_python_program_has_for_it():
    def reply(request):
        return "9" if "judge" in request.call.path else "4"

    steps = Sample(id="a"), Score(id="b", of="a", by=Judge(expected=False)), Return(value="b.best")
    outcome, model = await made(*steps, script=reply)
    assert outcome.confidence == 8 / 9
    assert model.requests[1].call.path.startswith("judge-")
    assert len(outcome.candidates) == 1  # a judgement is no candidate


async def test_a_budget_spent_before_the_judging_leaves_the_vote():
    steps = (
        Sample(id="drafts", n=3),
        Score(id="judged", of="drafts", by=Judge()),
        Select(id="best", of="judged", by="score"),
        Return(value="best"),
    )
    outcome, model = await made(
        *steps, script=["5", "4", "4"], budget=Budget(requests=3), outputs={"n": "judged.count"}
    )
    assert (outcome.answer.text, outcome.confidence) == ("4", 2 / 3)
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["outputs"] == {"n": 3}
    assert "budget" in outcome.candidates[0].scores["judge"].reason
    assert model.started == 3


async def test_a_verifier_whose_call_fails_abstains():
    class Broken:
        async def score(self, ctx, problem, candidates, /):
            raise BackendError("no judge today")

    steps = Sample(id="a"), Score(id="b", of="a", by=Broken()), Return(value="b")
    outcome, _ = await made(*steps, script=["4"])
    assert outcome.answer.text == "4"
    assert outcome.candidates[0].scores["Broken"] == Verdict(
        value=None, reason="the verifier failed: no judge today"
    )
    assert outcome.stop_reason is StopReason.COMPLETE


def test_what_is_judged_must_be_candidates():
    found = faults(
        Sample(id="a"),
        Score(id="b", of="a.texts", by=Length()),
        Return(value="b.best"),
    )
    assert found == [
        (
            "steps.1.score.of",
            "expected a candidate, candidates, an outcome or a list of candidates, "
            "but `a.texts` is a list, each item a text",
        )
    ]
