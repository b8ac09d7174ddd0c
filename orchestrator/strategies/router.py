"""A router: one look at the problem decides who answers it.

Cost: the calls of the chosen program; where it fails, of further ones too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import pairwise
from typing import Any, ClassVar, Protocol

from ..context import Context
from ..contracts import ControlProgram
from ..costs import Cost, Costing, Spending
from ..errors import InvalidInputError
from ..prompts import question_text
from ..types import Outcome, Problem, StopReason
from .attempts import Attempts
from .base import Strategy
from .nested import (
    candidates_of,
    check_budgets,
    longest_text_of,
    most_calls_at_once,
    most_calls_of,
    run_nested,
)
from .single import Single

__all__ = ["FittedScorer", "FunctionScorer", "PromptLength", "Router", "Scorer"]

WORD = re.compile(r"\S+")


class Scorer(Protocol):
    """Says from a prompt alone how much it needs the stronger choice; `scaling.RouterScorer` is one, fitted."""

    def score(self, prompt: str, /) -> float:
        """In [0, 1]: 0 where the weakest will do, 1 where only the strongest might."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLength:
    """Longer prompts are harder: 0 up to `short` words, 1 from `long` words on, and straight in between.

    Args:
        short: Words, at least 0.
        long: Words, more than `short`.
    """

    short: int = 20
    long: int = 120

    def __post_init__(self) -> None:
        if not 0 <= self.short < self.long:
            raise InvalidInputError(f"short must be from 0 to below long, not {self.short} and {self.long}")

    def score(self, prompt: str, /) -> float:
        """In [0, 1]."""
        words = sum(1 for _ in WORD.finditer(prompt))
        return min(1.0, max(0.0, (words - self.short) / (self.long - self.short)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedScorer:
    """A scorer that `scaling.fit_router` made from recorded answers and saved.

    Args:
        file: Where it was saved; in a program file, relative to it.

    Raises:
        InvalidInputError: There is no such file, or it was made for other features than this release computes.
    """

    file: str = field(compare=False)
    fitted: Scorer = field(init=False, repr=False)  # what it holds counts, not where it lies

    def __post_init__(self) -> None:
        from ..scaling.routing import RouterScorer

        object.__setattr__(self, "fitted", RouterScorer.load(self.file))

    def score(self, prompt: str, /) -> float:
        """(1 + P(strong is right) - P(weak is right)) / 2."""
        return self.fitted.score(prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionScorer:
    """A function of one's own, from the prompt to a number in [0, 1]."""

    function: Callable[[str], float]

    def score(self, prompt: str, /) -> float:
        """What the function says."""
        return self.function(prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Router(Strategy):
    """Scores the problem before any sample is drawn, and hands it to one of `m` choices, the weakest first.

    With score s(x) in [0, 1] and thresholds t_1 <= ... <= t_(m-1), the choice is number |{i : s(x) >= t_i}|. When the
    chosen one fails altogether, or has no answer because budget or deadline ended it, the others are tried: the
    stronger ones upwards, then the weaker ones downwards.

    Source: Ong et al., "RouteLLM: Learning to Route LLMs with Preference Data", arXiv 2406.18665, §2; Ding et al.,
    "Hybrid LLM: Cost-Efficient and Quality-Aware Query Routing", arXiv 2404.14618. Differs in allowing more than two
    choices, which may be programs, and in falling back.

    Cost: the calls of the chosen program; where it fails, of further ones too.

    Args:
        models: Names of the models to choose from, the weakest first; each is asked once. Without `models` and
            `programs`: all models of the run, in order.
        programs: Programs to choose from instead.
        scorer: Says how much a problem needs the stronger choice.
        thresholds: One fewer than the choices, each in [0, 1], none below the one before it. None given: evenly
            spaced.
        fallback: Try the others when the chosen one has no answer to give.
        model: Not used: the choices name their models.
        temperature: At least 0, for `models`. None leaves it to the models' settings, else it is 0.
        max_tokens: Cap on each answer, in tokens, where neither the chosen program nor its model has one.

    The outcome's `detail` has the `score`, the number `chosen` from 0, the number that `answered`, and that program's
    own facts as `of_program`.
    """

    paper: ClassVar[str] = "Ong et al., arXiv 2406.18665; Ding et al., 2404.14618"
    cost: ClassVar[str] = "the calls of the chosen program; where it fails, of further ones too"
    pays: ClassVar[str] = "problems whose difficulty shows in the question; no call is spent on deciding"

    models: tuple[str, ...] = ()
    programs: tuple[ControlProgram, ...] = ()
    scorer: Scorer = field(default_factory=PromptLength)
    thresholds: tuple[float, ...] = ()
    fallback: bool = True

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        if self.model is not None:
            raise InvalidInputError("a router has no model of its own: it chooses from models or programs")
        if self.models and self.programs:
            raise InvalidInputError("give either models or programs to choose from")
        rising = all(low <= high for low, high in pairwise((0.0, *self.thresholds, 1.0)))
        if not rising:  # also false for one that is not a number
            raise InvalidInputError(
                f"thresholds must rise within [0, 1], not {', '.join(map(str, self.thresholds))}"
            )
        if choices := len(self.models or self.programs):
            self._check(choices)

    @property
    def most_calls(self) -> int:
        """The sum over the choices, of which each may fail; without `fallback`, those of the one that makes most.

        Raises:
            InvalidInputError: There are no choices, so that it depends on the run's models; or one does not say.
        """
        calls = [most_calls_of(program) for program in self.programs] or [1] * len(self.models)
        if not self.fallback:
            return max(calls, default=1)
        if not calls:
            raise InvalidInputError("without choices the calls depend on how many models the run has")
        return sum(calls)

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return most_calls_at_once(*self.programs)

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Choose who answers `problem`, and have it answered.

        Raises:
            UnknownPriceError: A budget in a choice limits money and a model's price is not known; no call was made.
        """
        check_budgets(ctx, self)
        programs = self.programs or self._each_once(self.models or ctx.models)
        self._check(len(programs))
        score = self._score(problem)
        chosen = self._choice(score, len(programs))
        ctx.step("routed", f"score {score:.4g}: choice {chosen}")
        attempts, best = Attempts(), None
        for number in _order(chosen, len(programs)) if self.fallback else [chosen]:
            branch = ctx.branch(label=f"choice{number}").using(
                sampling={"max_tokens": self.max_tokens}, monitors=self.monitors
            )
            outcome = await run_nested(branch, programs[number], problem, attempts)
            if outcome is not None:
                attempts.candidates += outcome.candidates
                best = number, outcome
                if outcome.answer is not None or outcome.stop_reason not in CUT_SHORT:
                    break
            ctx.step("fell-back", f"choice {number} has no answer")
        if best is None:
            raise attempts.failures[0]
        number, outcome = best
        facts: dict[str, Any] = {"score": score, "chosen": chosen, "answered": number}
        return replace(
            outcome,
            candidates=tuple(attempts.candidates),
            detail={**facts, "of_program": dict(outcome.detail)},
        )

    def _each_once(self, models: Sequence[str]) -> tuple[ControlProgram, ...]:
        return tuple(
            Single(model=model, temperature=self.temperature, max_tokens=self.max_tokens) for model in models
        )

    def _check(self, choices: int) -> None:
        if self.thresholds and len(self.thresholds) != choices - 1:
            raise InvalidInputError(
                f"thresholds must be one fewer than the {choices} choices, not {len(self.thresholds)}"
            )

    def _score(self, problem: Problem) -> float:
        score = self.scorer.score(question_text(problem))
        if not (isinstance(score, int | float) and 0.0 <= score <= 1.0):
            raise InvalidInputError(f"a scorer must give a number in [0, 1], not {score!r}")
        return float(score)

    def _choice(self, score: float, choices: int) -> int:
        thresholds = self.thresholds or [step / choices for step in range(1, choices)]
        return sum(score >= threshold for threshold in thresholds)

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        inside, parts, longest = self._inside(costing), [], 0.0
        for number, program in enumerate(self.programs or self._each_once(self.models or costing.ctx.models)):
            found = await inside.program(program)
            parts.append(replace(found, label=f"choice{number}", on_branch=True))
            longest = max(longest, candidates_of(found, program, inside).tokens)
        if self.fallback:
            whole = self._spending(*parts, note="each if those before it fail")
        else:
            either = reduce(Cost.or_else, (part.worst for part in parts))
            whole = self._spending(*parts, worst=either, note="one of these")
        return replace(whole, longest=longest)

    def longest_text(self, costing: Costing) -> float:
        """Tokens that the text of one of its candidates has at most."""
        programs = self.programs or self._each_once(self.models or costing.ctx.models)
        return max(longest_text_of(program, self._inside(costing)) for program in programs)

    def _inside(self, costing: Costing) -> Costing:
        return costing.using(sampling={"max_tokens": self.max_tokens}, monitors=self.monitors)


CUT_SHORT = frozenset({StopReason.BUDGET, StopReason.DEADLINE})


def _order(chosen: int, choices: int) -> list[int]:
    """Who is asked when: the chosen one, the stronger ones upwards, the weaker ones downwards."""
    return [*range(chosen, choices), *reversed(range(chosen))]
