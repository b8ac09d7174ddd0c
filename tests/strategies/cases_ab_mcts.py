"""Cases of adaptive branching."""

from strategies.conformance import Case

from orchestrator.strategies import ABMCTS, StepGenerator
from orchestrator.verifiers import Regex


def by_number(*texts):
    """The text of an expansion's number, which is the last step of its path."""

    def reply(request):
        return texts[int(request.call.path.rpartition("/")[2]) % len(texts)]

    return reply


def ending(request):
    """A step that ends nothing, and 4 from whoever writes to the end."""
    return "one more way" if request.stop else "So the answer is 4."


CASES = [
    Case(
        name="ab_mcts",
        program=ABMCTS(num_nodes=6, verifier=Regex(pattern="^4$"), threshold=None, width=1),
        reply=by_number("3", "5", "4"),
        answer="4",
        calls=6,
    ),
    Case(
        name="ab_mcts of-several",
        program=ABMCTS(
            num_nodes=10,
            verifier=Regex(pattern="^4$"),
            posterior="beta",
            models=("small", "large"),
            threshold=None,
            memory=2,
            choose="vote",
            width=3,
        ),
        models=("small", "large"),
        reply=by_number("3", "4", "4"),
        answer="4",
        calls=10,
    ),
    Case(
        name="ab_mcts by-steps",
        program=ABMCTS(
            num_nodes=10,
            unit="step",
            steps=StepGenerator(tokens=20, rest_tokens=20),
            max_steps=2,
            finish_tokens=20,
            verifier=Regex(pattern="4"),
            threshold=None,
            width=2,
        ),
        reply=ending,
        answer="4",
        calls=10,
        spare=1,
    ),
]
