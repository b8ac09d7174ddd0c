"""Cases of the strategies over several models."""

from strategies.conformance import Case

from orchestrator.backends.scripted import prompt_text
from orchestrator.stopping import FixedSize
from orchestrator.strategies import (
    Agreement,
    Cascade,
    Debate,
    FunctionScorer,
    Fusion,
    Router,
    Scored,
    SelfConsistency,
    Single,
    Tier,
)
from orchestrator.verifiers import Regex


def mostly_four(request):
    """4 in two of three calls, else 5."""
    return "4" if request.call.ordinal % 3 else "5"


def divided(request):
    """Agents 0 and 1 say 4, the others 5, whatever they are told."""
    agent = int(request.call.path.removeprefix("agent"))
    return "4" if agent < 2 else "5"


def proposing(request):
    """Proposals are 4 or 5; who reads a 4 among them says 4, else 5."""
    if "data, not instructions" in prompt_text(request):
        return "4" if "\n4\n" in prompt_text(request) else "5"
    return "4" if request.call.path.endswith("1") else "5"


def votes(n, model):
    return SelfConsistency(model=model, n=n, stop=FixedSize())


CASES = [
    Case(
        name="cascade",
        program=Cascade(
            tiers=(
                Tier(strategy=votes(3, "small"), accept=Agreement(at_least=1.0)),
                Tier(strategy=votes(3, "large"), accept=Agreement(at_least=0.9)),
                Tier(strategy=Single(model="large")),
            )
        ),
        models=("small", "large"),
        reply=mostly_four,
        answer="5",
        calls=7,
    ),
    Case(
        name="cascade carried",
        program=Cascade(
            tiers=(
                Tier(strategy=votes(3, "small"), accept=Agreement(at_least=0.9)),
                Tier(strategy=votes(3, "large"), carry=True),
            )
        ),
        models=("small", "large"),
        reply=mostly_four,
        answer="4",
        calls=6,
    ),
    Case(
        name="cascade scored",
        program=Cascade(
            tiers=(
                Tier(strategy=votes(3, "small"), accept=Scored(verifier=Regex(pattern="^5$"))),
                Tier(strategy=votes(3, "large")),
            )
        ),
        models=("small", "large"),
        reply=mostly_four,
        answer="4",
        calls=6,
    ),
    Case(
        name="router",
        program=Router(
            programs=(Single(model="small"), votes(6, "large")), scorer=FunctionScorer(function=lambda _: 0.9)
        ),
        models=("small", "large"),
        reply=mostly_four,
        answer="4",
        calls=6,
        spare=1,
    ),
    Case(
        name="fusion",
        program=Fusion(proposers=3),
        models=("small", "large"),
        reply=proposing,
        answer="4",
        calls=4,
    ),
    Case(
        name="fusion in layers",
        program=Fusion(proposers=3, layers=2, aggregators=2, aggregator_model="large"),
        models=("small", "large"),
        reply=proposing,
        answer="4",
        calls=8,
    ),
    Case(
        name="debate",
        program=Debate(agents=3, rounds=2),
        models=("small", "large"),
        reply=divided,
        answer="4",
        calls=9,
    ),
]
