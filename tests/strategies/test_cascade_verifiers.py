"""Verifiers of one name in one program: each is asked, and what each says is kept."""

from orchestrator import Controller
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.primitives import Return, Sample, Steps
from orchestrator.primitives import Score as Judged
from orchestrator.strategies import BestOfN, Cascade, CritiqueRevise, Scored, Single, Tier
from orchestrator.verifiers import Regex

THREE, FOUR = Regex(pattern="3"), Regex(pattern="4")


async def play(program, *answers):
    async with Controller(
        models={"m": ScriptedBackend(list(answers))}, answers=AnswerReader(kind="number")
    ) as controller:
        return await controller.run(program, "?")


def cascade(first, verifier, *, carry=False):
    tier = Tier(strategy=first, accept=Scored(verifier=verifier), carry=carry)
    return Cascade(tiers=(tier, Tier(strategy=Single())))


def values(outcome):
    return [{name: score.value for name, score in one.scores.items()} for one in outcome.candidates]


async def test_what_a_tiers_own_verifier_liked_is_not_accepted_by_another_of_its_name():
    steps = Steps(steps=(Sample(id="a"), Judged(id="b", of="a", by=THREE), Return(value="b.best")))
    for first in (steps, BestOfN(n=1, verifier=THREE)):
        outcome = await play(cascade(first, FOUR), "3", "9")
        assert outcome.answer.text == "9"
        assert outcome.detail["tiers"][0]["reason"] == "regex 0 < 1"
        assert values(outcome) == [{"tier0.regex": 1.0, "regex": 0.0}, {}]


async def test_the_candidate_that_is_judged_is_not_chosen_by_another_verifiers_scores():
    # Of the two that say 4, the rule is asked about the shorter, and not about the one that `best_of_n` liked.
    best = BestOfN(n=2, verifier=Regex(pattern="is"), threshold=None)
    outcome = await play(cascade(best, Regex(pattern="^4$")), "it is 4", "4", "9")
    assert outcome.detail["tier"] == 0
    assert values(outcome)[:2] == [{"tier0.regex": 1.0}, {"tier0.regex": 0.0, "regex": 1.0}]


async def test_an_equal_verifier_is_not_asked_again():
    events = []
    program = cascade(BestOfN(n=1, verifier=THREE), Regex(pattern="3"))
    async with Controller(
        models={"m": ScriptedBackend(["3"])},
        answers=AnswerReader(kind="number"),
        recorders=(events.append,),
    ) as controller:
        outcome = await controller.run(program, "?")
    assert outcome.detail["tier"] == 0
    assert sum(type(event).__name__ == "CandidatesScored" for event in events) == 1
    assert values(outcome) == [{"regex": 1.0}]


async def test_the_rule_and_the_choice_of_a_chain_can_be_verifiers_of_one_name():
    program = CritiqueRevise(rounds=1, accept=Scored(verifier=Regex(pattern="^9$")), verifier=THREE)
    outcome = await play(program, "3", "too low", "4")
    assert outcome.answer.text == "3"
    assert values(outcome)[0] == {"program.regex": 0.0, "regex": 1.0}
