import pytest
from primitives.programs import faults, made
from strategies.chains import play, texts, turns

from orchestrator import Budget
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.primitives import Critique, Return, Revise, Sample
from orchestrator.strategies import CritiqueRevise

DRAFT, RETURN = Sample(id="draft"), Return(value="draft")


async def test_the_critic_sees_the_question_and_the_answer_between_fences_and_is_drawn_aside():
    step = Critique(id="said", of="draft.first", prompt="{{ question }}|{{ answer }}|{{ mark }}", mark="FINE")
    outcome, model = await made(
        DRAFT,
        step,
        RETURN,
        script=["It is ``` 4", "Off by one."],
        outputs={"text": "said.text", "ok": "said.accepted", "of": "said.candidate.text"},
    )
    assert turns(model.requests[1]) == [("u", "What is 2 + 2?|````\nIt is ``` 4\n````|FINE")]
    assert outcome.detail["outputs"] == {"text": "Off by one.", "ok": False, "of": "It is ``` 4"}
    assert texts(outcome) == ["It is ``` 4"]


async def test_the_mark_accepts():
    outcome, _ = await made(
        DRAFT,
        Critique(id="said", of="draft.first"),
        RETURN,
        script=["4", "All steps are right. ACCEPT"],
        outputs={"ok": "said.accepted"},
    )
    assert outcome.detail["outputs"] == {"ok": True}


async def test_its_prompt_is_that_of_the_strategy():
    _, composed = await made(
        DRAFT,
        Critique(id="said", of="draft.first"),
        RETURN,
        script=["4", "ACCEPT"],
        outputs={"t": "said.text"},
    )
    _, named = await play(CritiqueRevise(rounds=1), ["4", "ACCEPT"])
    assert turns(composed.requests[1]) == turns(named.requests[1])


@pytest.mark.parametrize("script", [[BackendError("no")], ["4", BackendError("no")]])
async def test_a_missing_candidate_and_a_failed_call_have_no_critique(script):
    steps = (
        Sample(id="draft"),
        Critique(id="said", of="draft.first"),
        Sample(id="other"),
        Return(value="other"),
    )
    outcome, model = await made(
        *steps, script=[*script, "4"], outputs={"t": "said.text", "ok": "said.accepted"}
    )
    assert outcome.answer.text == "4"
    assert outcome.detail["outputs"] == {"t": None, "ok": None}
    assert model.started == len(script) + 1


def test_it_takes_one_candidate_and_a_mark():
    [(place, message)] = faults(DRAFT, Critique(of="draft"), RETURN)
    assert place == "steps.1.critique.of"
    assert message.endswith("or an outcome, but `draft` is candidates")
    with pytest.raises(InvalidInputError, match="mark"):
        Critique(of="draft", mark=" ")


async def test_the_loop_of_the_strategy_from_steps_asks_what_the_strategy_asks():
    steps = (
        Sample(id="draft"),
        Critique(id="said", of="draft.first"),
        Revise(id="better", of="draft.first", using="said"),
        Return(value="better"),
    )
    script = ["3", "Too low.", "4"]
    outcome, composed = await made(*steps, script=script)
    _, named = await play(CritiqueRevise(rounds=1), script)
    assert outcome.answer.text == "4"
    assert [turns(one) for one in composed.requests] == [turns(one) for one in named.requests]
    assert [one.digest for one in composed.requests] == [one.digest for one in named.requests]


async def test_a_budget_spent_before_it_leaves_the_draft():
    outcome, _ = await made(
        DRAFT,
        Critique(id="said", of="draft.first"),
        Return(value="said.candidate"),
        script=["4"],
        budget=Budget(requests=1),
    )
    assert outcome.answer.text == "4"
