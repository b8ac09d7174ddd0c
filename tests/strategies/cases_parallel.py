"""Cases of the strategies that draw side by side."""

from strategies.conformance import Case

from orchestrator.backends.scripted import tokens_of
from orchestrator.stopping import FixedSize
from orchestrator.strategies import Adaptive, Agreement, BestOfN, SelfConsistency, Single
from orchestrator.types import Sample, TokenLogprob
from orchestrator.verifiers import Regex
from orchestrator.voting import LogProbability


def mostly_four(request):
    """4 in two of three calls, else 5."""
    return "4" if request.call.ordinal % 3 else "5"


def surely_five(request):
    """5 in one of three calls, and then surely; 4 else, without much conviction."""
    text = "4" if request.call.ordinal % 3 else "5"
    logprob = -2.0 if text == "4" else -0.01
    tokens = tuple(TokenLogprob(token=token, logprob=logprob) for token in tokens_of(text))
    return Sample(text=text, logprobs=tokens, finish_reason="stop")


CASES = [
    Case(name="single", program=Single(), reply=mostly_four, answer="5", calls=1, alone=True),
    Case(
        name="self_consistency",
        program=SelfConsistency(n=6, stop=FixedSize()),
        reply=mostly_four,
        answer="4",
        calls=6,
    ),
    Case(
        name="self_consistency weighted",
        program=SelfConsistency(n=6, weights=LogProbability()),
        reply=surely_five,
        answer="5",  # 2 x exp(-0.01) against 4 x exp(-2)
        calls=6,
    ),
    Case(
        name="best_of_n",
        program=BestOfN(n=6, verifier=Regex(pattern="^5$"), threshold=None),
        reply=mostly_four,
        answer="5",
        calls=6,
    ),
    Case(
        name="best_of_n weighted",
        program=BestOfN(n=6, verifier=Regex(pattern="^[45]$"), weighted=True, threshold=None),
        reply=mostly_four,
        answer="4",
        calls=6,
    ),
    Case(
        name="adaptive",
        program=Adaptive(n=6, start=2, accept=Agreement(at_least=1.0)),
        reply=mostly_four,
        answer="4",
        calls=6,
    ),
]
