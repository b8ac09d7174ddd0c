import pytest
from strategies.chains import is_a_chain, play, texts, turns

from orchestrator import Budget, StopReason
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.events import StepTaken
from orchestrator.strategies import Agreement, CritiqueRevise, Scored
from orchestrator.strategies.critique_revise import NO_CRITIQUE, accepts
from orchestrator.types import Score
from orchestrator.verifiers import Regex


async def test_the_critic_ends_it_by_accepting():
    outcome, model = await play(CritiqueRevise(rounds=3), ["3", "It is too low.", "4", "ACCEPT"])
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.DECIDED
    assert outcome.detail == {"rounds": 2, "ended": "accepted"}
    assert outcome.confidence == 0.5  # one of two answers of the chain
    assert texts(outcome) == ["3", "4"]  # critiques are no candidates
    assert is_a_chain(outcome)
    assert model.started == 4


async def test_the_revision_sees_the_answer_and_its_critique_and_the_critic_the_question_and_the_answer():
    program = CritiqueRevise(
        rounds=1,
        critique_prompt="Q: {{ problem }} A: {{ answer }} or {{ mark }}?",
        revise_prompt="{{ critique }} So, {{ problem }} Not {{ answer }}!",
        mark="FINE",
    )
    _, model = await play(program, ["3", "Too low.", "4"])
    assert [turns(request) for request in model.requests] == [
        [("u", "What is 2 + 2?")],
        [("u", "Q: What is 2 + 2? A: ```\n3\n``` or FINE?")],
        [("u", "What is 2 + 2?"), ("a", "3"), ("u", "Too low. So, What is 2 + 2? Not 3!")],
    ]


async def test_an_accepted_draft_costs_two_calls():
    outcome, model = await play(CritiqueRevise(rounds=3), ["4", "accept."])
    assert (outcome.answer.text, outcome.confidence, model.started) == ("4", 1.0, 2)


async def test_an_answer_that_cannot_be_read_is_not_accepted():
    outcome, _ = await play(CritiqueRevise(rounds=2), ["I cannot say", "ACCEPT", "4", "ACCEPT"])
    assert outcome.answer.text == "4"
    assert outcome.detail["rounds"] == 2


async def test_it_ends_when_nothing_changes():
    outcome, model = await play(CritiqueRevise(rounds=5), ["3", "No.", "4", "No.", "It is 4"])
    assert outcome.answer.text == "4"
    assert outcome.detail["ended"] == "unchanged"
    assert outcome.stop_reason is StopReason.DECIDED
    assert model.started == 5


async def test_it_ends_when_an_earlier_answer_comes_back():
    outcome, _ = await play(CritiqueRevise(rounds=5), ["3", "No.", "4", "No.", "3"])
    assert outcome.detail["ended"] == "cycle"
    assert outcome.answer.text == "3"  # two votes of three


async def test_without_readable_answers_equal_words_are_no_change():
    outcome, _ = await play(CritiqueRevise(rounds=5), ["no idea", "So?", "No  IDEA"])
    assert outcome.detail["ended"] == "unchanged"
    assert outcome.answer is None


async def test_a_chain_that_nobody_accepts_is_voted_on_with_ties_to_the_latest():
    outcome, _ = await play(CritiqueRevise(rounds=2), ["3", "No.", "5", "No.", "4"])
    assert outcome.answer.text == "4"
    assert outcome.tied
    assert outcome.stop_reason is StopReason.COMPLETE
    assert outcome.detail["ended"] == "rounds"


async def test_a_rule_may_accept_instead_of_the_critic():
    rule = Scored(verifier=Regex(pattern="^4$"))
    outcome, model = await play(CritiqueRevise(rounds=3, accept=rule), ["3", "ACCEPT", "4"])
    assert outcome.answer.text == "4"
    assert outcome.confidence == 1.0
    assert model.started == 3  # the rule is asked before the critic is
    assert [candidate.scores["regex"].value for candidate in outcome.candidates] == [0.0, 1.0]
    assert is_a_chain(outcome)


async def test_the_rule_is_asked_about_the_last_revision_too():
    rule = Scored(verifier=Regex(pattern="^4$"))
    outcome, _ = await play(CritiqueRevise(rounds=1, accept=rule), ["3", "Low.", "4"])
    assert outcome.detail == {"rounds": 1, "ended": "accepted"}
    assert outcome.stop_reason is StopReason.COMPLETE  # nothing was saved


async def test_what_is_never_accepted_is_chosen_by_the_rules_verifier():
    class Halves:
        """Never sure, but surer of a 2."""

        name = "halves"

        async def score(self, ctx, problem, candidates, /):
            return [Score(value=0.5 if one.sample.text == "2" else 0.1) for one in candidates]

    rule = Scored(verifier=Halves())
    outcome, _ = await play(CritiqueRevise(rounds=1, accept=rule), ["2", "Low.", "3"])
    assert outcome.answer.text == "2"
    assert outcome.confidence == 0.5
    program = CritiqueRevise(rounds=1, accept=rule, verifier=Regex(pattern="3"))
    outcome, _ = await play(program, ["2", "Low.", "3"])
    assert outcome.answer.text == "3"


def test_the_rules_verifier_chooses_where_there_is_no_other():
    rule = Scored(verifier=Regex(pattern="^9$"))
    assert CritiqueRevise(accept=rule).chooser == rule.verifier
    assert CritiqueRevise(accept=rule, verifier=Regex(pattern="^2$")).chooser == Regex(pattern="^2$")


async def test_a_share_of_the_chain_may_be_what_is_accepted():
    rule = Agreement(at_least=0.5, samples=2)
    outcome, _ = await play(CritiqueRevise(rounds=3, accept=rule), ["3", "Low.", "4"])
    assert outcome.answer.text == "4"
    assert outcome.confidence == 0.5


async def test_another_model_may_be_the_critic():
    critic = ScriptedBackend(["Low.", "ACCEPT"])
    program = CritiqueRevise(rounds=2, critic_model="critic", critique_tokens=9)
    outcome, model = await play(program, ["3", "4"], critic=critic)
    assert (model.started, critic.started) == (2, 2)
    assert outcome.answer.text == "4"
    assert critic.requests[0].max_tokens == 9


async def test_a_critique_that_fails_is_replaced_by_a_request_to_check():
    outcome, model = await play(CritiqueRevise(rounds=1), ["3", BackendError("down"), "4"])
    assert texts(outcome) == ["3", "4"]
    assert NO_CRITIQUE in model.requests[2].messages[-1]["content"]


async def test_a_revision_that_fails_is_tried_again_in_the_next_round():
    script = ["3", "Low.", BackendError("down"), "Low.", "4"]
    outcome, model = await play(CritiqueRevise(rounds=2), script)
    assert texts(outcome) == ["3", "4"]
    assert model.started == 5


async def test_a_draft_that_fails_is_drafted_again():
    outcome, model = await play(CritiqueRevise(rounds=2), [BackendError("down"), "3", "Low.", "4"])
    assert texts(outcome) == ["3", "4"]
    assert outcome.candidates[1].parent is outcome.candidates[0]
    assert model.started == 4


async def test_the_budget_ends_it_between_critique_and_revision():
    outcome, _ = await play(CritiqueRevise(rounds=3), ["3", "Low.", "4"], budget=Budget(requests=2))
    assert outcome.answer.text == "3"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["ended"] == "budget"


async def test_critiques_and_the_end_are_told_as_steps():
    events = []
    await play(CritiqueRevise(rounds=2), ["3", "Low.", "4", "ACCEPT"], events=events)
    steps = [(event.step, event.reason) for event in events if isinstance(event, StepTaken)]
    assert steps == [
        ("critiqued", "Low."),
        ("critiqued", "ACCEPT"),
        ("accepted", "the critic accepts"),
    ]


@pytest.mark.parametrize(
    "critique",
    [
        "ACCEPT",
        "accept",
        "**ACCEPT**.",
        "Accepted!",
        "ACCEPT: the sum is right.",
        "ACCEPT\n\nThe sum is right.",
        "The sum is right. ACCEPT",
        "I checked each step.\n\nVerdict: ACCEPT",
        "<think>Should I accept?</think>ACCEPT",
        "Is 2 + 2 really 4?\nIt is. ACCEPT",
    ],
)
async def test_a_critic_accepts_by_the_mark(critique):
    outcome, _ = await play(CritiqueRevise(rounds=1), ["4", critique, "5"])
    assert outcome.detail["ended"] == "accepted"


@pytest.mark.parametrize(
    "critique",
    [
        "",
        "I cannot accept this",
        "This is not acceptable.",
        "Do not ACCEPT",
        "Would I accept it? No: the sum is wrong.",
        "ACCEPT?",
        "ACCEPT, but name the unit.",
        "Accept only if 2 + 2 is 5.",
        "The unit is missing.",
    ],
)
def test_a_critic_that_mentions_the_mark_does_not_accept(critique):
    assert not accepts(critique, "ACCEPT")


def test_the_mark_may_be_any_word():
    assert accepts("Das stimmt. In Ordnung.", "in ordnung")
    assert not accepts("ACCEPT", "In Ordnung")


@pytest.mark.parametrize(
    "wrong",
    [
        {"rounds": 0},
        {"critique_tokens": 0},
        {"mark": " "},
        {"critique_prompt": "{{ critique }}"},
        {"revise_prompt": "{{ critque }}"},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        CritiqueRevise(**wrong)
