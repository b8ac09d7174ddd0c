"""Cases of the strategies that make each answer in the light of earlier ones."""

from strategies.conformance import Case

from orchestrator.strategies import (
    BudgetForcing,
    CritiqueRevise,
    ParallelRevise,
    Revise,
    Scored,
    TestAndRepair,
)
from orchestrator.verifiers import Regex


def in_turn(*texts):
    """The text of a call's number on its path; on a path of critiques always the same objection."""

    def reply(request):
        if request.call.path.endswith("critique"):
            return "It is off by one."
        return texts[request.call.ordinal % len(texts)]

    return reply


CASES = [
    Case(
        name="revise", program=Revise(length=5), reply=in_turn("3", "4", "5", "4", "6"), answer="4", calls=5
    ),
    Case(
        name="revise by-verifier",
        program=Revise(length=5, memory=1, verifier=Regex(pattern="^3$")),
        reply=in_turn("3", "4", "5", "4", "6"),
        answer="3",
        calls=5,
    ),
    Case(
        name="critique_revise",
        program=CritiqueRevise(rounds=2),
        reply=in_turn("3", "5", "4"),
        answer="4",  # one vote each: the latest
        calls=5,
    ),
    Case(
        name="critique_revise by-rule",
        program=CritiqueRevise(rounds=3, accept=Scored(verifier=Regex(pattern="^4$")), critic_model="critic"),
        reply=in_turn("3", "5", "6", "4"),
        models=("m", "critic"),
        answer="4",
        calls=7,
    ),
    Case(
        name="test_and_repair",
        program=TestAndRepair(rounds=3, n=2, verifier=Regex(pattern="^4$")),
        reply=in_turn("1", "2", "3", "5", "4"),
        answer="4",
        calls=5,
    ),
    Case(
        name="budget_forcing",
        program=BudgetForcing(min_tokens=100, max_tokens=200, waits=2),
        reply=in_turn("Maybe it is 5.", ", it is 4.", ", let me see.", " 4"),
        answer="4",
        calls=4,
    ),
    Case(
        name="parallel_revise",
        program=ParallelRevise(chains=2, length=3),
        reply=in_turn("3", "4", "4"),
        answer="4",
        calls=6,
    ),
    Case(
        name="parallel_revise by-verifier",
        program=ParallelRevise(chains=2, length=3, verifier=Regex(pattern="^3$")),
        reply=in_turn("3", "4", "4"),
        answer="3",
        calls=6,
    ),
]
