"""Cases of Monte Carlo tree search."""

from strategies.cases_search import FirstWays, Ways
from strategies.conformance import Case

from orchestrator.strategies import MCTS, StepGenerator
from orchestrator.verifiers import Regex

SEARCHED = {
    "branching": 2,
    "widening": 0.0,
    "patience": None,
    "steps": StepGenerator(tokens=20, rest_tokens=20),
    "finish_tokens": 20,
}


def no_haste(request):
    """Steps that end nothing, and 4 from whoever writes to the end."""
    return "one more way" if request.stop else "So the answer is 4."


CASES = [
    Case(
        name="mcts",
        program=MCTS(
            num_simulations=6, max_steps=6, c_puct=0.0, width=1, verifier=FirstWays(), **SEARCHED
        ),  # straight down, a step each simulation, without coming back to the hasty 5
        reply=Ways(),
        answer="4",
        calls=6,
        spare=1,
    ),
    Case(
        name="mcts rollout",
        program=MCTS(num_simulations=3, value="rollout", verifier=Regex(pattern="4"), width=2, **SEARCHED),
        reply=no_haste,
        answer="4",
        calls=9,  # 3 x (1 + 2)
        spare=1,
    ),
    Case(
        name="mcts vote",
        program=MCTS(num_simulations=4, value="vote", rollouts=3, width=4, **SEARCHED),
        reply=no_haste,
        answer="4",
        calls=12,  # 4 x (1 + 2)
        spare=1,
    ),
]
