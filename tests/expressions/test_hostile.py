"""What would be slow, deep, large or dangerous in Python is refused before it is any of that."""

from __future__ import annotations

import tracemalloc

import pytest

from orchestrator.expressions import NUMBER, TEXT, Expression, ExpressionError

NAMES = {"n": NUMBER, "word": TEXT}

HOSTILE = {
    "brackets": "(" * 1000,
    "brackets that match": "(" * 499 + "1" + ")" * 499,
    "lists in lists": "[" * 499 + "1" + "]" * 499,
    "items of items": "n" + "[0]" * 333,
    "calls in calls": "abs(" * 199 + "1" + ")" * 199,
    "minus after minus": "-" * 999 + "1",
    "not after not": "not " * 249 + "n",
    "fields of fields": "n" + ".a" * 499,
    "a choice in a choice": "1 if n else " * 83 + "1",
    "a chain of sums": "1" + "+1" * 499,
    "a chain of conditions": "n and " * 166 + "n",
    "a chain of comparisons": "1" + "<1" * 499,
    "a long list": "[" + "1," * 498 + "1]",
    "many arguments": "max(" + "1," * 497 + "1)",
    "one long name": "n" * 1000,
    "a longer text": "n" * 1001,
    "megabytes": "1 + " * 5_000_000,
    "a power tower": "9**9**9**9",
    "a huge number": "9" * 1000,
    "a repeated text": "'a' * 1000000000",
    "a repeated name": "word * 9007199254740992",
    "a filled-in format": "'%999999999d' % n",
    "a format method": "'{0.__class__}'.format(n)",
    "rounding to a billion digits": "round(n, -1000000000)",
    "null bytes": "\0" * 1000,
    "unfinished texts": "'" * 999,
    "backslashes": "'" + "\\" * 998,
    "quotes by turns": "\"'" * 500,
    "spaces": " " * 1000,
    "line ends": "\n" * 999 + "+",
    "a line that goes on": "n \\\n + 1",
    "dots": "." * 1000,
    "combining marks": "n" + "\u0301" * 999,
    "a class": "().__class__.__bases__[0].__subclasses__()",
    "the same without brackets": "n.__class__",
    "builtins": "__builtins__['eval']('1')",
    "escaped underscores": "n.\\x5f_class__",
}


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
