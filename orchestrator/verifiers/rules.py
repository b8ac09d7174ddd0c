"""Verifiers that decide by a rule: no model, no cost, the same verdict every time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import anyio.to_thread

from ..answers import AnswerReader, Equivalence, Kind, PercentRule, UnitRule, equivalent, normalize
from ..context import Context
from ..patterns import Pattern
from ..types import Answer, Candidate, Problem, Score
from .free import SHORT_REASON, Free

__all__ = ["RIGHT", "WRONG", "Equivalent", "Predicate", "Regex", "Rule"]

RIGHT, WRONG = 1.0, 0.0


class Rule(Free):
    """The root of the rules: subclasses judge one candidate at a time, synchronously."""

    name: ClassVar[str]

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """1 for right, 0 for wrong, None where the rule cannot tell; `reason` says why."""
        raise NotImplementedError

    async def score(
        self, ctx: Context | None, problem: Problem, candidates: Sequence[Candidate], /
    ) -> list[Score]:
        """One score per candidate, in order."""
        return [self.judge(problem, candidate) for candidate in candidates]


@dataclass(frozen=True, kw_only=True)
class Predicate(Rule):
    """Right where a function says so.

    Args:
        function: Takes the problem and the candidate; returns True, False, or None to abstain.
        name: What its scores are kept under.
    """

    function: Callable[[Problem, Candidate], bool | None]
    name: str = "predicate"  # type: ignore[misc]

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """What the function says."""
        verdict = self.function(problem, candidate)
        return Score(value=None if verdict is None else RIGHT if verdict else WRONG)


@dataclass(frozen=True, kw_only=True)
class Regex(Rule):
    """Right where a pattern is found in the sample's text.

    Args:
        pattern: Python's `re` syntax; anchors make it match a whole text or line.
        ignore_case: Whether upper and lower case are the same.

    Raises:
        InvalidInputError: The pattern is not one.
    """

    name: ClassVar[str] = "regex"
    longest_reason: ClassVar[float] = SHORT_REASON

    pattern: str
    ignore_case: bool = False

    def __post_init__(self) -> None:
        Pattern.of(self.pattern)

    @cached_property
    def _compiled(self) -> Pattern:
        return Pattern.of(self.pattern, flags=re.IGNORECASE if self.ignore_case else 0)

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether the pattern is in the text."""
        found = self._compiled.is_in(candidate.sample.text)
        return Score(value=RIGHT if found else WRONG, reason="" if found else "the pattern is not found")


@dataclass(frozen=True, kw_only=True)
class Equivalent(Rule):
    """Right where the answer equals the problem's reference.

    A ceiling, not a strategy: choosing by it shows what a perfect verifier would reach.

    Args:
        kind: How the two are compared; `auto` decides by their form.
        units, percent: What units and percentages are worth in the reference, as for the answers.
        tolerance: Two numbers are also equal when they differ by at most this share of the larger one, in [0, 1).
        equivalence: `math_verify` asks math-verify (the extra `math`) where keys differ; the calls, of up to five
            seconds each, are made in a thread.

    For equality to the letter take the kind `code` (all but spaces at line ends counts), for texts `text`.

    Raises:
        InvalidInputError: An unknown kind or rule, a tolerance out of its range, or a second opinion that is not
            installed.
    """

    name: ClassVar[str] = "equivalent"
    longest_reason: ClassVar[float] = SHORT_REASON

    kind: Kind = "auto"
    units: UnitRule = "by_kind"
    percent: PercentRule = "fraction"
    tolerance: float | None = None
    equivalence: Equivalence = "exact"

    def __post_init__(self) -> None:
        self._same("", "")  # an option that is wrong is so here, not at the first candidate

    def _reference(self, text: str) -> Answer:
        """The reference as a model's text would be read (`#### 18`), else as an answer by itself (bare code)."""
        found = AnswerReader(kind=self.kind, units=self.units, percent=self.percent).read(text)
        if found is not None:
            return found
        key = normalize(text, kind=self.kind, units=self.units, percent=self.percent)
        return Answer(text=text, key=key, kind=self.kind)

    def _same(self, a: Answer | str, b: Answer | str) -> bool:
        return equivalent(
            a,
            b,
            kind=self.kind,
            units=self.units,
            percent=self.percent,
            tolerance=self.tolerance,
            equivalence=self.equivalence,
        )

    async def score(
        self, ctx: Context | None, problem: Problem, candidates: Sequence[Candidate], /
    ) -> list[Score]:
        """One score per candidate, in order."""
        if self.equivalence == "exact":
            return await super().score(ctx, problem, candidates)
        return [await anyio.to_thread.run_sync(self.judge, problem, one) for one in candidates]

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether answer and reference are equal; abstains without a reference."""
        if problem.reference is None:
            return Score(value=None, reason="the problem has no reference")
        if candidate.answer is None:
            return Score(value=WRONG, reason="no readable answer")
        same = self._same(candidate.answer, self._reference(problem.reference))
        return Score(value=RIGHT if same else WRONG)
