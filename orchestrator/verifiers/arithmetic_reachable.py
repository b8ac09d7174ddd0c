"""Whether the numbers that are left can still make the target: for searches in the Game of 24 and its like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, permutations
from typing import ClassVar, TypeAlias

from ..types import Candidate, Problem, Score
from .arithmetic import LONGEST_NUMBER, ArithmeticTarget, expressions, plain_signs, puzzle
from .rules import RIGHT, WRONG, Rule

__all__ = ["MOST_REACHABLE", "ArithmeticReachable", "reachable"]

MOST_REACHABLE = 6
"""Numbers that can be decided on; six take up to half a second, and each further one some fifty times that."""

LISTED = 4
"""Numbers of which all values are listed; more are decided by what the larger part would have to make."""

Numbers: TypeAlias = tuple[Fraction, ...]


@dataclass(frozen=True, kw_only=True)
class ArithmeticReachable(Rule):
    """Right where the numbers left after the last step can still make the target with `+`, `-`, `*`, `/`, exactly.

    The text is the steps so far, a line each, such as `10 - 4 = 6 (left: 5 6 6)`; without a step all the problem's
    numbers are left. The problem's `tests` are the numbers, as for `arithmetic_target`. Numbers are followed
    exactly: where a step takes two numbers that are there, the exact values are left, as long as they round to what
    is written: after `8 / 3 = 2.67 (left: 2.67 3 8)` it is 8/3 that is left. A line whose numbers left do not
    follow from its step is taken at its word.

    A solution whose last line has no `left:` is judged as `arithmetic_target` does when it has an answer with an
    operator in it, and is an abstention else. So are a line that cannot be read, more than 6 numbers left, and a
    problem without numbers.

    Args:
        target: What must be made, where the problem does not say: a finite number.
        use_all: Whether every number must be used; otherwise each at most once.
        follow: Whether a line whose numbers left do not follow from its step is wrong.

    Raises:
        InvalidInputError: The target is not a finite number; while judging, that `tests` are no numbers.
    """

    name: ClassVar[str] = "arithmetic_reachable"

    target: int | float = 24
    use_all: bool = True
    follow: bool = False

    def __post_init__(self) -> None:
        self._answers  # noqa: B018 - refuses a target that is none

    @property
    def _answers(self) -> ArithmeticTarget:
        return ArithmeticTarget(target=self.target, use_all=self.use_all)

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Whether the target can still be made, and what from."""
        numbers, target = puzzle(problem, self.target)
        if not numbers:
            return Score(value=None, reason="the problem names no numbers")
        left: Sequence[Fraction] = numbers
        lines = [line for line in candidate.sample.text.splitlines() if line.strip()]
        for line in lines:
            written = _written(line)
            if written is None:
                return self._unfinished(problem, candidate, last=line is lines[-1])
            after = _left(left, line, written)
            if after is None and self.follow:
                shown = ", ".join(map(str, left))
                return Score(value=WRONG, reason=f"{line.strip()[:100]!r} does not follow from {shown}")
            left = [number.value for number in written] if after is None else after
        return self._decided(left, target)

    def _unfinished(self, problem: Problem, candidate: Candidate, *, last: bool) -> Score:
        """Of a line that says nothing of numbers left: an answer, or what cannot be read."""
        answer = candidate.answer
        if last and answer is not None and expressions(answer.text):
            return self._answers.judge(problem, candidate)
        return Score(value=None, reason="a line does not say which numbers are left")

    def _decided(self, left: Sequence[Fraction], target: Fraction) -> Score:
        shown = ", ".join(map(str, left))
        if len(left) > MOST_REACHABLE:
            return Score(value=None, reason=f"{len(left)} numbers left, more than {MOST_REACHABLE}")
        if reachable(left, target, use_all=self.use_all):
            return Score(value=RIGHT, reason=f"{target} can be made from {shown}")
        return Score(value=WRONG, reason=f"{target} cannot be made from {shown}")


def reachable(numbers: Sequence[Fraction], target: Fraction, *, use_all: bool = True) -> bool:
    """Whether `target` is the value of an expression over `numbers`, each used once, with + - * / and brackets.

    Args:
        numbers: At most `MOST_REACHABLE` of them, in any order.
        target: The value wanted.
        use_all: Whether every number must be used; otherwise at least one, each at most once.
    """
    least = len(numbers) if use_all else 1
    return any(
        _makes(tuple(sorted(some)), target)
        for size in range(max(1, least), len(numbers) + 1)
        for some in sorted(set(combinations(sorted(numbers), size)))
    )


# The search ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 16)
def _makes(numbers: Numbers, target: Fraction) -> bool:
    """Whether all of `numbers`, which are sorted, make `target`.

    The last operation joins a value of one part with a value of the other, so for each value of the smaller part the
    other must make one of at most six values, and not all values of many numbers need be listed.
    """
    if len(numbers) <= LISTED:
        return target in _values(numbers)
    return any(
        wanted is None or _makes(other, wanted)
        for part, other in _parts(numbers)
        for value in _values(part)
        for wanted in _wanted(value, target)
    )


@lru_cache(maxsize=64)
def _values(numbers: Numbers) -> frozenset[Fraction]:
    """All values that expressions over all of `numbers` have."""
    if len(numbers) == 1:
        return frozenset(numbers)
    return frozenset(
        result
        for part, other in _parts(numbers)
        for a in _values(part)
        for b in _values(other)
        for result in _results(a, b)
    )


def _parts(numbers: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """`numbers` in two, the first part not the larger, each way once; equal numbers are not told apart."""
    seen = set()
    for size in range(1, len(numbers) // 2 + 1):
        for chosen in combinations(range(len(numbers)), size):
            part = tuple(numbers[at] for at in chosen)
            if part not in seen:
                seen.add(part)
                yield part, tuple(number for at, number in enumerate(numbers) if at not in chosen)


def _results(a: Fraction, b: Fraction) -> Iterator[Fraction]:
    """What one operation makes of `a` and `b`, in either order."""
    yield from (a + b, a - b, b - a, a * b)
    if b:
        yield a / b
    if a:
        yield b / a


def _wanted(a: Fraction, target: Fraction) -> Iterator[Fraction | None]:
    """Which b make `target` with `a`; None where any b does (0 * b), as every set of numbers makes some."""
    yield from (target - a, a - target, a + target)  # a + b, a - b, b - a
    if a:
        yield from (target / a, target * a)  # a * b, b / a
    elif not target:
        yield None
    if a and target:
        yield a / target  # a / b


# Reading steps ------------------------------------------------------------------------------------------------

_LEFT = re.compile(r"\bleft\s*:\s*([^()]{1,500})", re.IGNORECASE)
_DIGITS = rf"\d{{1,{LONGEST_NUMBER}}}+"
_NUMBER = rf"-?{_DIGITS}(?:\.{_DIGITS})?+(?:/{_DIGITS})?"
_STEP = re.compile(rf"\(?\s*({_NUMBER})\s*\)?\s*([-+*/])\s*\(?\s*({_NUMBER})\s*\)?\s*(?:=|≈)")


@dataclass(frozen=True, slots=True)
class _Written:
    """A number as it is written: its value, and how many decimals it has."""

    value: Fraction
    places: int

    @staticmethod
    def read(text: str) -> _Written | None:
        """The number that `text` is, such as `-1`, `2.67` or `2/3`; None for anything else."""
        if len(text) > LONGEST_NUMBER or not re.fullmatch(_NUMBER, text):
            return None
        above, _, below = text.partition("/")
        try:
            value = Fraction(above) / Fraction(below or 1)
        except ZeroDivisionError:
            return None
        return _Written(value, 0 if below else len(above.partition(".")[2]))

    def stands_for(self, exact: Fraction) -> bool:
        """Whether it is `exact`, as it stands or cut or rounded at its last decimal."""
        return exact == self.value or (
            self.places > 0 and abs(exact - self.value) < Fraction(1, 10**self.places)
        )


def _written(line: str) -> list[_Written] | None:
    """The numbers a line says are left; None where it does not say, or they cannot be read."""
    match = _LEFT.search(plain_signs(line))
    parts = [] if match is None else [part for part in re.split(r"[\s,;]+", match[1].strip()) if part]
    numbers = [number for part in parts if (number := _Written.read(part)) is not None]
    return numbers if numbers and len(numbers) == len(parts) else None


def _left(before: Sequence[Fraction], line: str, written: Sequence[_Written]) -> list[Fraction] | None:
    """The exact numbers after the step in `line`, where it is one from `before` to what is `written`; else None."""
    match = _STEP.search(plain_signs(line))
    if match is None or len(written) != len(before) - 1:
        return None
    a, b = _Written.read(match[1]), _Written.read(match[3])
    if a is None or b is None:
        return None
    said = sorted(written, key=lambda number: number.value)
    for first, second in permutations(range(len(before)), 2):
        if not (a.stands_for(before[first]) and b.stands_for(before[second])):
            continue
        made = _applied(before[first], match[2], before[second])
        if made is None:
            continue
        after = [number for at, number in enumerate(before) if at not in (first, second)] + [made]
        # Rounding keeps the order: sorted numbers are each other's.
        if all(one.stands_for(exact) for one, exact in zip(said, sorted(after), strict=True)):
            return after
    return None


def _applied(a: Fraction, sign: str, b: Fraction) -> Fraction | None:
    match sign:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case _:
            return a / b if b else None
