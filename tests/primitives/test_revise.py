from primitives.programs import faults, made
from strategies.chains import is_a_chain, texts, turns

from orchestrator import Budget, StopReason
from orchestrator.errors import BackendError
from orchestrator.primitives import Critique, Return, Revise, Sample, Score, Text, Vote
from orchestrator.strategies.critique_revise import NO_CRITIQUE
from orchestrator.types import Score as Verdict

DRAFT, RETURN = Sample(id="draft"), Return(value="better")


async def test_the_new_candidate_is_written_after_the_old_one_and_its_critique():
    step = Revise(
        id="better",
        of="draft.first",
        using="'Too ' + 'low.'",
        prompt="{{ critique }} {{ question }} Not {{ answer }}!",
    )
    outcome, model = await made(DRAFT, step, RETURN, script=["3", "4"])
    assert turns(model.requests[1]) == [
        ("u", "What is 2 + 2?"),
        ("a", "3"),
        ("u", "Too low. What is 2 + 2? Not 3!"),
    ]
    assert outcome.answer.text == "4"
    assert is_a_chain(outcome)


async def test_parents_have_the_scores_that_were_given_later():
    class Low:
        async def score(self, ctx, problem, candidates, /):
            return [Verdict(value=0.1)] * len(candidates)

    steps = DRAFT, Revise(id="better", of="draft.first"), Score(id="low", of="draft", by=Low()), RETURN
    outcome, _ = await made(*steps, script=["3", "4"], outputs={"n": "low.count"})
    assert outcome.candidates[1].parent is outcome.candidates[0]
    assert outcome.candidates[0].scores["Low"].value == 0.1


async def test_without_a_critique_it_asks_to_check_and_a_missing_critique_asks_to_check_every_step():
    steps = (
        DRAFT,
        Revise(id="one", of="draft.first"),
        Critique(id="said", of="draft.first"),
        Revise(id="two", of="one", using="said"),
        Return(value="two"),
    )
    _, model = await made(*steps, script=["3", "5", BackendError("no critic"), "4"])
    assert turns(model.requests[1])[-1][1].startswith("This answer may be wrong.")
    assert turns(model.requests[3])[-1][1].startswith(f"A reviewer says of this answer: {NO_CRITIQUE}")


async def test_the_candidate_may_come_from_a_review_or_a_vote():
    class Judge:
        async def score(self, ctx, problem, candidates, /):
            return [Verdict(value=0.1, reason="Low.") for _ in candidates]

    steps = (
        DRAFT,
        Score(id="review", of="draft.first", by=Judge()),
        Revise(id="one", of="review", using="review"),
        Vote(id="all", of=("draft", "one")),
        Revise(id="better", of="all"),
        RETURN,
    )
    outcome, model = await made(*steps, script=["3", "4", "5"])
    assert "A reviewer says of this answer: Low." in turns(model.requests[1])[-1][1]
    assert turns(model.requests[2])[1] == ("a", "3")  # a tie: the first seen leads
    assert texts(outcome) == ["3", "4", "5"]


async def test_what_is_missing_is_not_revised_and_a_failed_call_leaves_none():
    steps = DRAFT, Revise(id="better", of="draft.first"), Sample(), RETURN
    outcome, model = await made(*steps, script=[BackendError("no"), "4"])
    assert (outcome.answer.text, model.started) == ("4", 2)
    outcome, model = await made(*steps, script=["4", BackendError("no"), "4"])
    assert (outcome.answer.text, model.started) == ("4", 3)


async def test_a_plan_can_be_revised_aside():
    steps = (
        Sample(id="plan", prompt="Plan!", aside=True),
        Revise(id="better", of="plan.first", aside=True),
        Text(id="ask", template="Follow: {{ better.text }}"),
        Sample(id="a", prompt="{{ ask }}"),
        Return(value="a"),
    )
    outcome, model = await made(*steps, script=["1, 2", "1, 2, 3", "4"])
    assert texts(outcome) == ["4"]
    assert turns(model.requests[2]) == [("u", "Follow: 1, 2, 3")]


async def test_a_spent_budget_leaves_the_draft():
    outcome, _ = await made(
        DRAFT, Revise(id="better", of="draft.first"), RETURN, script=["4"], budget=Budget(requests=1)
    )
    assert (outcome.answer.text, outcome.stop_reason) == ("4", StopReason.BUDGET)


def test_what_is_said_must_be_a_text_a_critique_or_a_review():
    found = faults(DRAFT, Revise(id="better", of="draft.first", using="draft.count"), RETURN)
    assert found == [
        ("steps.1.revise.with", "expected a text, a critique or a review, but `draft.count` is a number")
    ]
    [(place, message)] = faults(DRAFT, Revise(id="better", of="draft.first", prompt="{{ critique }}"), RETURN)
    assert place == "steps.1.revise.prompt"
    assert "critique" in message
