"""Cases of samples that are watched: cut and ended, and cut and going on in a call of their own."""

from strategies.conformance import Case

from orchestrator.monitors import RepetitionGuard, ThinkingBudget
from orchestrator.stopping import FixedSize
from orchestrator.strategies import SelfConsistency


def looping(request):
    return "The answer is 4. " + "And so on " * 100


def thinking(request):
    """Every second sample thinks for too long, and answers when it is made to."""
    if request.messages[-1]["role"] == "assistant":
        return " 4"
    return "<think> one and one and one and one" if request.call.ordinal % 2 else "It is 4."


CASES = [
    Case(
        name="self_consistency cut",
        program=SelfConsistency(n=5, stop=FixedSize(), monitors=(RepetitionGuard(characters=60),)),
        reply=looping,
        answer="4",
        calls=5,
    ),
    Case(
        name="self_consistency going-on",
        program=SelfConsistency(n=5, stop=FixedSize(), monitors=(ThinkingBudget(tokens=5),)),
        reply=thinking,
        answer="4",
        calls=5,
        verifier_calls=2,  # not a verifier's: two samples go on
    ),
]
