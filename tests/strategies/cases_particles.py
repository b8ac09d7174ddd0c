"""Cases of the particle filter and of particle Gibbs."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from search.scripted_trees import said_in
from strategies.conformance import Case

from orchestrator.strategies import ParticleFilter, ParticleGibbs, StepGenerator
from orchestrator.types import Score
from orchestrator.verifiers.free import Free


class Hasty:
    """A model that answers 4 at the end, but the last of `first` beginnings answers 5 at once."""

    def __init__(self, first):
        self.first, self.choices = first, Counter()

    def __call__(self, request):
        self.choices[request.call] += 1
        if not request.stop:
            return "So the answer is 4."
        if not said_in(request) and request.n == self.first and self.choices[request.call] % request.n == 0:
            return "The answer is 5."
        return "a step"


@dataclass(frozen=True)
class Even(Free):
    """Likes everything as much, so that all weights stay the same and nothing is resampled."""

    name: ClassVar[str] = "even"

    async def score(self, ctx, problem, candidates):
        return [Score(value=0.6) for _ in candidates]


@dataclass(frozen=True)
class Odd(Free):
    """Likes a hasty answer little, and says nothing of a step."""

    name: ClassVar[str] = "odd"

    async def score(self, ctx, problem, candidates):
        texts = [candidate.sample.text for candidate in candidates]
        return [Score(value=0.2 if "5" in text else 0.7 if "4" in text else None) for text in texts]


FILTERED = {"steps": StepGenerator(tokens=20, rest_tokens=20), "finish_tokens": 20}

CASES = [
    Case(
        name="particle_filter",
        program=ParticleFilter(particles=4, max_steps=3, choose="vote", verifier=Even(), **FILTERED),
        reply=Hasty(4),
        answer="4",
        calls=7,  # 1, and 3 twice
        spare=3,
    ),
    Case(
        name="particle_filter by-weight",
        program=ParticleFilter(
            particles=5,
            max_steps=2,
            ess_threshold=0,
            target="solution",
            choose="weighted",
            verifier=Odd(),
            **FILTERED,
        ),
        reply=Hasty(5),
        answer="4",
        calls=5,  # 1 + 4
        spare=2,
    ),
    Case(
        name="particle_gibbs",
        program=ParticleGibbs(
            particles=3, iterations=2, max_steps=3, choose="weighted", verifier=Even(), **FILTERED
        ),
        reply=Hasty(3),
        answer="4",
        calls=10,  # 1 + 2 + 2, and again beside the reference
        spare=3,
    ),
    Case(
        name="particle_gibbs by-score",
        program=ParticleGibbs(
            particles=4, iterations=3, max_steps=2, ess_threshold=0, verifier=Odd(), **FILTERED
        ),
        reply=Hasty(4),
        answer="4",
        calls=12,  # three times 1 + 3
        spare=2,
    ),
]
