"""Cases of the searches that keep the best: beams, subtrees, best first."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from search.scripted_trees import said_in
from strategies.conformance import Case

from orchestrator.strategies import BeamSearch, BestFirstSearch, DiverseVerifierTreeSearch, StepGenerator
from orchestrator.types import Score
from orchestrator.verifiers.free import Free


class Ways:
    """A model whose first request also gets a hasty answer, 5; who goes on to the end answers 4.

    A step is `way` with the number of the choice in its request, so siblings differ.
    """

    def __init__(self):
        self.choices = Counter()

    def __call__(self, request):
        choice = self.choices[request.call] % request.n
        self.choices[request.call] += 1
        if not request.stop:
            return "So the answer is 4."
        if not said_in(request) and choice == request.n - 1:
            return "The answer is 5."
        return f"way {choice}"


@dataclass(frozen=True)
class FirstWays(Free):
    """Likes the first ways, and a hasty answer least."""

    name: ClassVar[str] = "first_ways"

    async def score(self, ctx, problem, candidates):
        texts = [candidate.sample.text for candidate in candidates]
        return [
            Score(value=0.1 if "5." in text else min(1.0, 0.3 + 0.1 * text.count("way 0"))) for text in texts
        ]


SEARCHED = {"verifier": FirstWays(), "steps": StepGenerator(tokens=20, rest_tokens=20), "finish_tokens": 20}

CASES = [
    Case(
        name="beam_search",
        program=BeamSearch(n=4, beam_width=2, max_steps=4, **SEARCHED),
        reply=Ways(),
        answer="4",
        calls=7,  # 1 + 3 x 2
        spare=1,
    ),
    Case(
        name="beam_search lookahead",
        program=BeamSearch(n=4, beam_width=2, max_steps=3, lookahead=1, **SEARCHED),
        reply=Ways(),
        answer="4",
        calls=12,  # 1 + 3 ahead of those that have not ended, 2 + 4 ahead, 2
        spare=2,
    ),
    Case(
        name="diverse_verifier_tree_search",
        program=DiverseVerifierTreeSearch(n=4, beam_width=2, max_steps=3, **SEARCHED),
        reply=Ways(),
        answer="4",
        calls=6,  # 2 subtrees x 3
        spare=1,
    ),
    Case(
        name="best_first_search",
        program=BestFirstSearch(expansions=6, branching=2, max_steps=4, **SEARCHED),
        reply=Ways(),
        answer="4",
        calls=6,
        spare=1,
    ),
    Case(
        name="best_first_search side-by-side",
        program=BestFirstSearch(expansions=7, branching=3, max_steps=4, width=3, **SEARCHED),
        reply=Ways(),
        answer="4",
        calls=7,
        spare=1,
    ),
]
