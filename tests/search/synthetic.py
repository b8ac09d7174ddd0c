"""Step-by-step problems with known probabilities, a model that solves them and a reward model of stated noise.

A model of the problem that searches over partial solutions solve, not a result about any language model: what comes
out of it holds for these assumptions. It is played through the real strategies and the controller: the model is a
backend with exact usage that reads the question and the solution so far from the prompt, the reward model a verifier
that reads the solution's text. Everything is a pure function of the seeds and of what is asked.

A solution has s steps, each of which states a value; the value of the last is the answer. A step is

- after right ones: right with probability p_i, else a mistake;
- after a mistake: right again (the mistake is made good) with probability r; else it goes on from the wrong value as
  it would from a right one, with probability p_i, or makes another mistake.

A mistake is one of a few kinds, whose weights fall as 1 / kind^c: the same mistake leads to the same wrong value, and
goes on to the same wrong answer, so wrong answers agree with one another, and the more so the larger c is. No wrong
value is ever the right one. Problems differ: the probability π of a solution without a mistake has a Beta
distribution. So do the steps of one problem: p_i = π^w_i, where w has a symmetric Dirichlet distribution; below 1 its
parameter makes most of a problem's difficulty that of a step or two, on which a model can be wrong more often than
right, and the vote too. Each step is worded at random, and its length in tokens, uniform in a range, goes with its
wording.

The reward model sees of each beginning of a solution a reading x = m + σ·e: m is 1 where its last value is right and
-1 where it is not, e is standard normal noise that depends on the text, with correlation ρ from one step to the next.
It knows the p_i, r and σ, and gives the probability that the model, going on from here, ends with the right answer,
by Bayes' rule: among all beginnings of one length that get score v, the share v ends right. Such noise makes it
unsure, and never wrong about how sure it is. What makes it wrong is the share b of mistakes (not of samples:
everybody who makes one profits from it) that it is blind to and that read m = 1 + a.
"""

from __future__ import annotations

import math
import random
import re
import struct
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from statistics import NormalDist
from typing import ClassVar, NamedTuple

from orchestrator import Context, Problem
from orchestrator.backends.base import InProcess
from orchestrator.backends.function import chunks_of
from orchestrator.errors import InvalidInputError
from orchestrator.types import Candidate, Capabilities, Chunk, Request, Sample, Score, Usage
from orchestrator.verifiers.steps import Aggregation, aggregate

__all__ = ["Course", "Seen", "StepwiseModel", "StepwiseProblems", "StepwiseRewardModel", "Written"]

SEPARATOR = "\n\n"
QUESTION = re.compile(r"Problem (\d+):")
STEP = re.compile(r"Step \d+: by ([0-9a-f]{8}), (\d+)\.")
VALUES = 10**6
STANDARD_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepwiseProblems:
    """A set of problems, numbered from 0.

    Args:
        seed: Of all that is drawn for them.
        steps: Steps s of a solution, at least 1.
        solved: Parameters α, β of the Beta distribution of π over problems, both above 0.
        evenness: Parameter of the Dirichlet distribution of a problem's difficulty over its steps, above 0.
        mistakes: Kinds of mistakes that can be made at a place, at least 1.
        concentration: c in the weights 1 / kind^c, at least 0: at 0 all kinds are equally likely.
        recovery: r, the probability that a step makes a mistake good, in [0, 1).
        tokens: Least and most tokens of a step.
        question_tokens: Tokens of the question with what is around it.
    """

    seed: int = 0
    steps: int = 8
    solved: tuple[float, float] = (0.25, 0.75)
    evenness: float = 0.25
    mistakes: int = 8
    concentration: float = 2.0
    recovery: float = 0.02
    tokens: tuple[int, int] = (20, 60)
    question_tokens: int = 100

    def __post_init__(self) -> None:
        if self.steps < 1 or self.mistakes < 1:
            raise InvalidInputError(
                f"steps and mistakes must be at least 1, not {self.steps}, {self.mistakes}"
            )
        if min(*self.solved, self.evenness) <= 0:
            raise InvalidInputError(
                f"solved and evenness must be numbers above 0, not {self.solved} and {self.evenness}"
            )
        if self.concentration < 0 or not 0 <= self.recovery < 1:
            raise InvalidInputError(
                f"concentration must be at least 0 and recovery in [0, 1), not {self.concentration}, {self.recovery}"
            )
        if not 1 <= self.tokens[0] <= self.tokens[1]:
            raise InvalidInputError(f"tokens must be at least 1 and ascending, not {self.tokens}")

    def problem(self, number: int) -> Problem:
        """Problem `number` as a program is given it."""
        course = self.course(number)
        prompt = f"Problem {number}: a value in {self.steps} steps."
        return Problem(id=str(number), prompt=prompt, reference=str(course.right[-1]))

    def problems(self, n: int) -> list[Problem]:
        """The first `n` of them."""
        return [self.problem(number) for number in range(n)]

    def course(self, number: int) -> Course:
        """What is known of problem `number`."""
        return _course(self, number)


class Course:
    """What is known of one problem, and to neither the model nor a search.

    Attributes:
        solved: π, the probability of a solution without a mistake.
        p: Probability of each step, after right ones, to be right, shape (s,).
        right: The right value of each step, shape (s,).
        prior: Probability that the beginning of i steps is right as the model writes, shape (s + 1,).
        from_right: Probability that the model ends right after i steps that are, shape (s + 1,).
        from_wrong: The same after i steps that are not.
    """

    def __init__(self, problems: StepwiseProblems, number: int) -> None:
        self.problems, self.number = problems, number
        s, r = problems.steps, problems.recovery
        draw = random.Random(f"{problems.seed}/{number}")
        self.solved = draw.betavariate(*problems.solved)
        parts = [draw.gammavariate(problems.evenness, 1.0) for _ in range(s)]
        self.p = p = [self.solved ** (part / sum(parts)) for part in parts]
        self.right = [draw.randrange(VALUES) for _ in range(s)]
        self.prior = list(accumulate(p, lambda now, p_i: now * p_i + (1 - now) * r, initial=1.0))
        self.from_right, self.from_wrong = [1.0], [0.0]
        for p_i in reversed(p):
            after_right, after_wrong = self.from_right[-1], self.from_wrong[-1]
            self.from_right.append(p_i * after_right + (1 - p_i) * after_wrong)
            self.from_wrong.append(r * after_right + (1 - r) * after_wrong)
        self.from_right.reverse()
        self.from_wrong.reverse()
        weights = [kind**-problems.concentration for kind in range(1, problems.mistakes + 1)]
        total = sum(weights)
        self.shares = [weight / total for weight in weights]
        self._up_to = list(accumulate(self.shares))

    def is_right(self, at: int, value: int) -> bool:
        """Whether `value` is right after step `at`, from 0."""
        return value == self.right[at]

    def follows(self, at: int, before: int | None) -> int:
        """The value of step `at` when no mistake is made in it, from the value `before` (None: it is the first)."""
        if before is None or self.is_right(at - 1, before):
            return self.right[at]
        return self._wrong(at, before, 0)

    def next(self, at: int, before: int | None, chance: float, kind: float) -> int:
        """The value of step `at` as two uniform numbers decide."""
        if before is not None and not self.is_right(at - 1, before):
            recovery = self.problems.recovery
            if chance < recovery:
                return self.right[at]
            chance = (chance - recovery) / (1 - recovery)
        if chance < self.p[at]:
            return self.follows(at, before)
        drawn = next((k for k, share in enumerate(self._up_to) if kind < share), len(self._up_to) - 1)
        return self._wrong(at, before, 1 + drawn)

    def likeliest(self, at: int, before: int | None) -> int:
        """The value of step `at` at temperature 0."""
        if self.p[at] >= (1 - self.p[at]) * self.shares[0]:
            return self.follows(at, before)
        return self._wrong(at, before, 1)

    def _wrong(self, at: int, before: int | None, kind: int) -> int:
        [value, _, _, _] = _numbers(f"{self.problems.seed}/{self.number}/{at}/{before}/{kind}".encode())
        return (value + self.is_right(at, value % VALUES)) % VALUES


@lru_cache(maxsize=1 << 16)
def _course(problems: StepwiseProblems, number: int) -> Course:
    return Course(problems, number)


class Written(NamedTuple):
    """A step as it stands in a text: its wording and its value."""

    wording: int
    value: int

    @classmethod
    def steps_of(cls, text: str) -> list[Written]:
        """The whole steps in `text`; one that was cut off is none."""
        return [cls(int(wording, 16), int(value)) for wording, value in STEP.findall(text)]

    def text(self, at: int, steps: int) -> str:
        """Step number `at`, from 0, of `steps`; the last one states the answer."""
        step = f"Step {at + 1}: by {self.wording:08x}, {self.value}."
        return step if at + 1 < steps else f"{step} The answer is {self.value}."

    def tokens(self, problems: StepwiseProblems) -> int:
        """Its length."""
        least, most = problems.tokens
        return least + self.wording % (most - least + 1)


class StepwiseModel(InProcess):
    """Writes solutions of such problems: goes on with what the last message of the assistant (a text: what follows
    the question) says, to the end or to the first stop text; at temperature 0 with the likeliest step.

    Usage is exact, with the tokens that the steps are long. A cap on tokens that falls into a step cuts it there.
    """

    def __init__(self, problems: StepwiseProblems, *, name: str = "stepwise") -> None:
        capabilities = Capabilities(
            chat=True, n=True, logprobs=False, seed=True, streaming=True, usage_is_exact=True
        )
        super().__init__(name=name, price=None, capabilities=capabilities)
        self.problems = problems

    async def count_prompt_tokens(self, request: Request) -> int:
        """Those of the question and of the steps that are there."""
        _, said = _asked(request)
        return self._prompt_tokens(Written.steps_of(said))

    async def complete(self, request: Request) -> list[Sample]:
        """`request.n` continuations.

        Raises:
            InvalidInputError: It is not asked about one of these problems.
        """
        course, said = self._read(request)
        before = Written.steps_of(said)
        prompt_tokens = self._prompt_tokens(before)
        samples = []
        for index in range(request.n):
            text, written, finish = self._write(course, said, before, request, index)
            usage = Usage(
                prompt_tokens=0 if index else prompt_tokens,
                completion_tokens=written,
                requests=0 if index else 1,
            )
            samples.append(
                Sample(
                    text=text,
                    usage=usage,
                    finish_reason=finish,
                    seed=request.seed,
                    model=self.name,
                    index=index,
                    call=request.call,
                )
            )
        return samples

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """The same, each sample in one piece."""
        for chunk in chunks_of(await self.complete(request)):
            yield chunk

    def _read(self, request: Request) -> tuple[Course, str]:
        question, said = _asked(request)
        found = QUESTION.search(question)
        if found is None:
            raise InvalidInputError(f"{self.name!r} is asked about none of its problems: {question[:80]!r}")
        return self.problems.course(int(found[1])), said

    def _prompt_tokens(self, before: Sequence[Written]) -> int:
        return self.problems.question_tokens + sum(step.tokens(self.problems) for step in before)

    def _write(
        self, course: Course, said: str, before: Sequence[Written], request: Request, index: int
    ) -> tuple[str, int, str]:
        """The text, its tokens and how it ended."""
        steps, cap = self.problems.steps, math.inf if request.max_tokens is None else request.max_tokens
        greedy = request.temperature == 0
        chosen = "greedy" if greedy else f"{request.seed}/{index}"
        state = blake2b(f"{self.problems.seed}/{course.number}/{chosen}/{said}".encode(), digest_size=32)
        value, pieces, tokens = before[-1].value if before else None, list[str](), 0
        for at in range(len(before), steps):
            wording, chance, kind, _ = struct.unpack("<4Q", state.digest())
            if greedy:
                value = course.likeliest(at, value)
            else:
                value = course.next(at, value, chance / 2**64, kind / 2**64)
            step = Written(wording=wording % 2**32, value=value)
            text, length = step.text(at, steps), step.tokens(self.problems)
            if tokens + length > cap:
                part = text[: int(len(text) * (cap - tokens) / length)]
                return SEPARATOR.join([*pieces, part]), int(cap), "length"
            pieces.append(text)
            tokens += length
            if SEPARATOR in request.stop:
                break
            state.update(text.encode())
        return SEPARATOR.join(pieces), max(tokens, 1), "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepwiseRewardModel:
    """A process reward model for such problems; its calls cost nothing.

    Args:
        problems: The problems.
        noise: σ of what it sees, above 0. It tells right beginnings from wrong ones with an area under the ROC curve
            of Φ(√2 / σ): 0.998 at 0.5, 0.92 at 1, 0.76 at 2, 0.64 at 4.
        persistence: ρ, the correlation of the noise from one step to the next, in [0, 1].
        blind: b, the share of mistakes it does not see, in [0, 1].
        allure: a, by how much those look better than what is right.
        aggregation: How the scores of a solution's steps become its score.
        seed: Of the noise.
    """

    name: ClassVar[str] = "stepwise_reward_model"

    problems: StepwiseProblems
    noise: float = 1.0
    persistence: float = 0.5
    blind: float = 0.0
    allure: float = 1.0
    aggregation: Aggregation = "last"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.noise <= 0 or not 0 <= self.persistence <= 1 or not 0 <= self.blind <= 1:
            raise InvalidInputError(
                "noise must be above 0, persistence and blind in [0, 1], "
                f"not {self.noise}, {self.persistence}, {self.blind}"
            )

    @property
    def auc(self) -> float:
        """Φ(√2 / σ): how often it puts a right beginning above a wrong one whose mistakes it sees."""
        return STANDARD_NORMAL.cdf(math.sqrt(2) / self.noise)

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order; none for a text without a whole step."""
        course = self.problems.course(int(problem.id))
        scores = []
        for candidate in candidates:
            rated = self.rate(course, Written.steps_of(candidate.sample.text))
            value = aggregate(rated, self.aggregation) if rated else None
            scores.append(Score(value=value, steps=tuple(rated)))
        return scores

    def rate(self, course: Course, steps: Sequence[Written]) -> list[float]:
        """The score of each beginning of a solution, shape (steps written,)."""
        return list(self.seen(course, steps).scores)

    def seen(self, course: Course, steps: Sequence[Written]) -> Seen:
        """What it makes of a solution so far."""
        return _seen(self, course.number, tuple(steps))

    def _blind_to(self, course: Course, at: int, value: int) -> bool:
        [chance, _, _, _] = _numbers(f"{self.seed}/blind/{course.number}/{at}/{value}".encode())
        return chance < self.blind * 2**64


class Seen(NamedTuple):
    """What a reward model makes of the beginning of a solution.

    Attributes:
        seems: m at its last step.
        taken_in: Whether it has seen no mistake that was not made good.
        noise: e at its last step.
        text: The hash of what is written.
        scores: Those of all its steps.
    """

    seems: float
    taken_in: bool
    noise: float
    text: blake2b
    scores: tuple[float, ...]


@lru_cache(maxsize=1 << 14)
def _seen(reward: StepwiseRewardModel, number: int, steps: tuple[Written, ...]) -> Seen:
    """Kept, because a search has each step judged after the one before it."""
    course = reward.problems.course(number)
    if not steps:
        text = blake2b(f"{reward.seed}/{number}".encode(), digest_size=32)
        return Seen(seems=1.0, taken_in=True, noise=0.0, text=text, scores=())
    before, at, value = _seen(reward, number, steps[:-1]), len(steps) - 1, steps[-1].value
    if course.is_right(at, value):
        seems, taken_in = 1.0, True
    else:
        follows = value == course.follows(at, steps[-2].value if at else None)
        taken_in = before.taken_in and (follows or reward._blind_to(course, at, value))
        seems = 1.0 + reward.allure if taken_in else -1.0
    text = before.text.copy()
    text.update(struct.pack("<QQ", *steps[-1]))
    # e_1 = ξ_1 and e_i = ρ·e_{i-1} + √(1 - ρ²)·ξ_i, with ξ standard normal by the text so far.
    fresh = STANDARD_NORMAL.inv_cdf(((struct.unpack("<4Q", text.digest())[0] >> 12) + 0.5) / 2**52)
    rho = reward.persistence
    noise = rho * before.noise + math.sqrt(1 - rho * rho) * fresh if at else fresh
    reading = seems + reward.noise * noise
    right = _posterior(course.prior[at + 1], 2 * reading / reward.noise**2)
    score = right * course.from_right[at + 1] + (1 - right) * course.from_wrong[at + 1]
    return Seen(seems, taken_in, noise, text, (*before.scores, score))


def _posterior(prior: float, log_odds: float) -> float:
    """The probability of what had probability `prior`, after evidence of these log odds."""
    prior = min(max(prior, 1e-12), 1 - 1e-12)
    odds = math.log(prior / (1 - prior)) + log_odds
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0


def _numbers(key: bytes) -> tuple[int, int, int, int]:
    """Four numbers of 64 bits that a key decides."""
    return struct.unpack("<4Q", blake2b(key, digest_size=32).digest())


def _asked(request: Request) -> tuple[str, str]:
    """The question, and the solution so far."""
    if request.prompt is not None:
        return request.prompt, request.prompt
    messages = request.messages or ()
    question = "\n".join(str(one.get("content")) for one in messages if one.get("role") == "user")
    last = messages[-1] if messages else {}
    return question, str(last.get("content")) if last.get("role") == "assistant" else ""
