"""Verifiers that decide by a rule: no model, no cost, the same verdict every time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from ..answers import Kind, equivalent
from ..context import Context
from ..errors import InvalidInputError
from ..types import Candidate, Problem, Score

__all__ = ["RIGHT", "WRONG", "Equivalent", "Predicate", "Regex", "Rule"]

RIGHT, WRONG = 1.0, 0.0


class Rule:
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

    pattern: str
    ignore_case: bool = False

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise InvalidInputError(f"pattern {self.pattern!r}: {error}") from error

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.IGNORECASE if self.ignore_case else 0)

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether the pattern is in the text."""
        found = self._compiled.search(candidate.sample.text) is not None
        return Score(value=RIGHT if found else WRONG, reason="" if found else "the pattern is not found")


@dataclass(frozen=True, kw_only=True)
class Equivalent(Rule):
    """Right where the answer equals the problem's reference.

    A ceiling, not a strategy: choosing by it shows what a perfect verifier would reach.

    Args:
        kind: How the two are compared; `auto` decides by their form.
    """

    name: ClassVar[str] = "equivalent"

    kind: Kind = "auto"

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether answer and reference are equal; abstains without a reference."""
        if problem.reference is None:
            return Score(value=None, reason="the problem has no reference")
        if candidate.answer is None:
            return Score(value=WRONG, reason="no readable answer")
        same = equivalent(candidate.answer, problem.reference, kind=self.kind)
        return Score(value=RIGHT if same else WRONG)
