"""What would be slow, deep, large or dangerous in Python is refused before it is any of that."""

from __future__ import annotations

import tracemalloc

import pytest
from fuzz.hostile_expressions import HOSTILE, NAMES

from orchestrator.expressions import Expression, ExpressionError


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_expressions_are_refused(name: str) -> None:
    with pytest.raises(ExpressionError):
        Expression.of(HOSTILE[name]).check(NAMES)


def test_refusing_takes_less_than_a_megabyte_each() -> None:
    for text in HOSTILE.values():
        tracemalloc.start()
        with pytest.raises(ExpressionError):
            Expression.of(text).check(NAMES)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 2**20


@pytest.mark.parametrize(
    "allowed",
    [
        "(" * 30 + "n" + ")" * 30,
        "-" * 29 + "n",
        "max(" + "1, " * 198 + "1)",
        "n + " * 29 + "n",
        "n > 1" + " " * 995,
    ],
)
def test_what_is_just_within_the_caps_is_accepted_and_one_more_is_refused(allowed: str) -> None:
    Expression.of(allowed).check(NAMES)
    more = allowed.replace("(n)", "((n))").replace("-n", "--n").replace("n + n", "n + n + n", 1)
    more = more.replace("1, 1)", "1, 1, 1)").replace("n > 1 ", "n > 1  ")
    assert more != allowed
    with pytest.raises(ExpressionError, match="at most"):
        Expression.of(more)


def test_texts_that_would_grow_without_bound_are_missing_instead() -> None:
    double = Expression.of("word + word")
    word: str | None = "ab"
    lengths = []
    while word is not None:
        lengths.append(len(word))
        word = double.evaluate({"word": word})
    assert lengths[-1] == 4 * 2**20


def test_numbers_that_would_grow_without_bound_become_inexact_and_then_missing() -> None:
    square = Expression.of("n * n")
    n: float | None = 3
    seen = []
    while n is not None:
        seen.append(n)
        n = square.evaluate({"n": n})
    assert seen[:5] == [3, 9, 81, 6561, 43046721]
    assert [type(n) for n in seen] == [int] * 6 + [float] * 4


def test_an_expression_that_was_not_checked_repeats_no_text() -> None:
    assert Expression.of("word * 9007199254740992").evaluate({"word": "a"}) is None
    assert Expression.of("word % n").evaluate({"word": "%999999999d", "n": 1}) is None
