"""Whether two answers say the same, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, TypeAlias, get_args

from .. import _core
from ..errors import InvalidInputError
from ..types import Answer
from .extract import AnswerReader
from .normalize import Kind, PercentRule, UnitRule
from .quantities import as_written, quantity, within
from .second_opinion import check_installed, math_verify_equal

__all__ = ["Comparison", "Equivalence", "Ground", "Reading", "equivalent", "explain"]

Equivalence: TypeAlias = Literal["exact", "math_verify"]
"""What decides: keys (and a tolerance) alone, or where these differ also math-verify."""

Ground: TypeAlias = Literal["key", "tolerance", "math_verify", "undecided", "abstention"]
"""What a comparison rests on: equal or different keys; numbers within the tolerance; math-verify's verdict, or
that it had none (which makes no answers equal); or that there was no answer to compare."""

_OPINION_KINDS = ("auto", "number", "expression", "math")
_MATHEMATICAL = re.compile(r"[0-9\\^_=<>+*/|]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one of two answers was read; all None where it abstains.

    Attributes:
        text: The answer as it was found.
        key: Its canonical key.
        form: A formula as it was parsed, written out in plain signs; None for what is no formula.
    """

    text: str | None = None
    key: str | None = None
    form: str | None = None

    def __str__(self) -> str:
        if self.text is None:
            return "no readable answer"
        form = "" if self.form is None else f", read as {self.form}"
        return f"{_short(self.text)!r}{form}, key {_short(self.key or '')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Whether two answers are equal, and why.

    Attributes:
        equal: The verdict.
        first, second: How each was read.
        ground: What the verdict rests on.
        reason: Why, in a sentence without its full stop.
    """

    equal: bool
    first: Reading
    second: Reading
    ground: Ground
    reason: str

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        verdict = "equal" if self.equal else "not equal"
        return f"{verdict}: {self.reason}\n  first:  {self.first}\n  second: {self.second}"


def equivalent(
    a: str | Answer,
    b: str | Answer,
    *,
    kind: Kind = "auto",
    units: UnitRule = "by_kind",
    percent: PercentRule = "fraction",
    tolerance: float | None = None,
    equivalence: Equivalence = "exact",
) -> bool:
    """Whether `a` and `b` are one answer: exactly, for numbers within a tolerance, or by a second opinion.

    With `math_verify` the call blocks, for milliseconds and up to five seconds a pair, and the first one for the
    seconds a worker process takes to start: in async code call it by `anyio.to_thread.run_sync`.

    Args:
        a, b: Answers, or texts to read them from: model outputs or bare answers.
        kind, units, percent: How texts are read (see `normalize`); an `Answer` keeps the key it has.
        tolerance: Two numbers of one unit are also equal when they differ by at most this share of the larger one,
            |a - b| <= tolerance * max(|a|, |b|); from 0 to below 1, taken as the decimal it is written as and
            compared exactly. Numbers of more than 300 digits, and answers that are no numbers, stay exact.
        equivalence: `math_verify` asks math-verify (the extra `math`) about two readable answers that would
            otherwise be different, where both may be mathematics. What it does not decide is not equal.

    Returns:
        False as soon as one of them abstains: two texts without an answer do not agree.

    Raises:
        InvalidInputError: an unknown kind or rule, a tolerance out of its range, or a second opinion asked for
            that is not installed or is about a kind that is no mathematics.
    """
    reader = AnswerReader(kind=kind, units=units, percent=percent)
    _check(kind, tolerance, equivalence)
    equal, _ = _decide(_read(reader, a), _read(reader, b), tolerance, equivalence)
    return equal


def explain(
    a: str | Answer,
    b: str | Answer,
    *,
    kind: Kind = "auto",
    units: UnitRule = "by_kind",
    percent: PercentRule = "fraction",
    tolerance: float | None = None,
    equivalence: Equivalence = "exact",
) -> Comparison:
    """What `equivalent` says of `a` and `b`, how each was read, and why.

    >>> print(explain("the answer is (x+1)^2", "x^2+2x+1", kind="math").reason)
    the formulas (x + 1)^2 and x^2 + 2*x + 1 agree at every point of evaluation

    Args, errors: as for `equivalent`, which is the quicker one.
    """
    reader = AnswerReader(kind=kind, units=units, percent=percent)
    _check(kind, tolerance, equivalence)
    first, second = _read(reader, a), _read(reader, b)
    equal, ground = _decide(first, second, tolerance, equivalence)
    readings = _reading(first), _reading(second)
    return Comparison(
        equal=equal,
        first=readings[0],
        second=readings[1],
        ground=ground,
        reason=_reason(*readings, equal, ground, tolerance),
    )


def _check(kind: Kind, tolerance: Any, equivalence: str) -> None:
    if tolerance is not None and not (isinstance(tolerance, Real) and 0 <= float(tolerance) < 1):
        raise InvalidInputError(f"tolerance must be at least 0 and below 1, not {tolerance!r}")
    if equivalence not in get_args(Equivalence):
        raise InvalidInputError(
            f"equivalence must be one of {', '.join(get_args(Equivalence))}, not {equivalence!r}"
        )
    if equivalence == "math_verify":
        if kind not in _OPINION_KINDS:
            raise InvalidInputError(
                f"math-verify judges the kinds {', '.join(_OPINION_KINDS)}; kind {kind!r} has keys only"
            )
        check_installed()


def _read(reader: AnswerReader, item: str | Answer) -> Answer | None:
    return item if isinstance(item, Answer) else reader.read(item)


def _decide(
    first: Answer | None, second: Answer | None, tolerance: float | None, equivalence: Equivalence
) -> tuple[bool, Ground]:
    if first is None or second is None:
        return False, "abstention"
    if first.key == second.key:
        return True, "key"
    if tolerance is not None and _close(first.key, second.key, tolerance):
        return True, "tolerance"
    if equivalence == "math_verify" and _is_mathematical(first) and _is_mathematical(second):
        verdict = math_verify_equal(first, second)
        return verdict is True, "undecided" if verdict is None else "math_verify"
    return False, "key"


def _close(a: str, b: str, tolerance: float) -> bool:
    first, second = quantity(a), quantity(b)
    if first is None or second is None or first[1] != second[1]:
        return False
    return within(first[0], second[0], relative=as_written(tolerance))


def _is_mathematical(answer: Answer) -> bool:
    """Whether math-verify can be asked: it would take words for products of letters, and "act" for "cat"."""
    return answer.kind in ("number", "math") or (
        answer.kind == "text" and _MATHEMATICAL.search(answer.text) is not None
    )


# In words ---------------------------------------------------------------------------------------------------

_NOUNS = {
    "n": "number",
    "o": "ordinal",
    "c": "choice",
    "b": "boolean",
    "d": "date",
    "m": "formula",
    "t": "text",
    "j": "JSON value",
    "x": "code",
}

SHOWN = 100
"""Characters of an answer or key that are shown."""


def _reading(answer: Answer | None) -> Reading:
    if answer is None:
        return Reading()
    form = _core.parse_formula(answer.text) if answer.key.startswith(("m:", "n:")) else None
    return Reading(text=answer.text, key=answer.key, form=form)


def _reason(first: Reading, second: Reading, equal: bool, ground: Ground, tolerance: float | None) -> str:
    if ground == "abstention":
        return _abstention(first, second)
    if tolerance is not None and ground == "tolerance":
        return f"{_what(first)} and {_what(second)} differ by no more than {float(tolerance):g} of the larger"
    if ground == "key":
        return _by_key(first, second)
    if ground == "undecided":
        return f"{_by_key(first, second)}, and math-verify does not decide"
    return f"{_by_key(first, second)}, {'but' if equal else 'and'} math-verify finds them {_verdict(equal)}"


def _verdict(equal: bool) -> str:
    return "equal" if equal else "different"


def _abstention(first: Reading, second: Reading) -> str:
    if first.key is None and second.key is None:
        return "neither has a readable answer"
    return f"the {'first' if first.key is None else 'second'} abstains: it has no readable answer"


def _by_key(first: Reading, second: Reading) -> str:
    equal = first.key == second.key
    if _is_evaluated(first) and _is_evaluated(second):
        if equal and first.form == second.form:
            return f"both are {_what(first)}"
        how = "agree at every point of evaluation" if equal else "differ at a point of evaluation"
        return f"the formulas {_shown(first)} and {_shown(second)} {how}"
    if equal:
        return f"both are {_what(first)}"
    return f"the keys differ: one is {_what(first)}, the other {_what(second)}"


def _is_evaluated(reading: Reading) -> bool:
    return reading.key is not None and reading.key.startswith("m:#")


def _what(reading: Reading) -> str:
    """`the number 1/2`, `the text 'paris'`, `the formula sqrt(2)`."""
    key = reading.key or ""
    noun, value = _NOUNS.get(key[:1], "answer"), key[2:]
    match key[:1]:
        case "m":
            value = _shown(reading)
        case "t":
            value = repr(_short(value))
    return f"the {noun} {_short(value)}"


def _shown(reading: Reading) -> str:
    return _short(reading.form or reading.text or "")


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
