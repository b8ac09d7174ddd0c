"""What an expression says, a template says: the same value, or refused by both."""

from __future__ import annotations

from typing import Any

import pytest
from expressions.worlds import worlds, written
from hypothesis import given
from hypothesis import strategies as st
from reference.expressions import TYPES as WORLD

from orchestrator.errors import TemplateError
from orchestrator.expressions import (
    ANSWER,
    NUMBER,
    TEXT,
    TRUTH,
    Expression,
    ExpressionError,
    ListOf,
    Maybe,
    Record,
    Type,
    as_text,
)
from orchestrator.templates import Template
from orchestrator.types import Answer

TYPES: dict[str, Type] = {
    "n": NUMBER,
    "m": Maybe(NUMBER),
    "big": NUMBER,
    "t": TEXT,
    "mt": Maybe(TEXT),
    "b": TRUTH,
    "mb": Maybe(TRUTH),
    "a": ANSWER,
    "ma": Maybe(ANSWER),
    "s": ListOf(Maybe(NUMBER)),
    "w": ListOf(TEXT),
    "answers": ListOf(Maybe(ANSWER)),
    "r": Record("a thing", text=True),
}
FOUR = Answer(text="4", key="n:4", kind="number")
VALUES: dict[str, Any] = {
    "n": 3,
    "m": None,
    "big": 2**60,
    "t": "abc",
    "mt": None,
    "b": True,
    "mb": None,
    "a": FOUR,
    "ma": None,
    "s": (1, None, 2.5),
    "w": ("a", "b"),
    "answers": (FOUR, None),
    "r": {},
}


def in_expression(text: str) -> str | None:
    """What a checked expression comes to, as a text; None where it is refused."""
    try:
        expression = Expression.of(text)
        expression.check(TYPES)
    except ExpressionError:
        return None
    return as_text(expression.evaluate(VALUES))


def in_template(text: str, *, checked: bool = True) -> str | None:
    """The same of a template."""
    try:
        template = Template.of(f"{{{{ {text} }}}}")
        if checked:
            template.check(TYPES)
        return template.render(VALUES)
    except TemplateError:
        return None


SAID = [
    # arithmetic
    ("n / 2", "1.5"),
    ("n // 2", "1"),
    ("n % 2", "1"),
    ("-7 // 2", "-4"),
    ("7 % -3", "-2"),
    ("2.5 // 1", "2.0"),
    ("n / 0", ""),
    ("m + 1", ""),
    ("-n", "-3"),
    ("-m", ""),
    ("-(n * 0.0)", "-0.0"),
    ("0.1 + 0.2", "0.30000000000000004"),
    ("1e308 * 10", ""),
    ("big", "1152921504606846976"),
    ("big + 1", "1.152921504606847e+18"),
    ("big % 7", "1"),
    ("t + 'x'", "abcx"),
    ("mt + 'x'", ""),
    # order
    ("m < 1", "false"),
    ("not m < 1", "true"),
    ("1 < n < 4", "true"),
    ("1 < m < 4", "false"),
    # equality
    ("n == 3.0", "true"),
    ("n == n == n", "true"),
    ("m == none", "true"),
    ("n != m", "true"),
    ("a == '4.0'", "true"),
    ("a != '4.0'", "false"),
    ("a == ma", "false"),
    ("mb == false", "false"),
    ("r == none", "false"),
    # what is in what
    ("1 in s", "true"),
    ("m in s", "true"),
    ("m not in s", "false"),
    ("none in s", "true"),
    ("ma in answers", "true"),
    ("ma not in answers", "false"),
    ("'8/2' in answers", "true"),
    ("'5' in answers", "false"),
    ("'4.0' in answers", "true"),
    ("t in w", "false"),
    ("mt in w", "false"),
    ("mt not in w", "true"),
    ("'a' in t", "true"),
    ("mt in t", "false"),
    ("mt not in t", "true"),
    # truths
    ("mb and b", "false"),
    ("b and mb", "false"),
    ("mb or b", "true"),
    ("mb or mb", "false"),
    ("not mb", "true"),
    ("n if mb else 1", "1"),
    ("m if b else n", ""),
]
REFUSED = [
    *("t < 'b'", "b < b", "s < s", "n < t", "a < a", "none < 1"),
    *("s == s", "w == w", "r == r", "n == t", "b == 1", "a == 4", "w == 'a'"),
    *("n in w", "t in n", "r in s", "s in s", "n in t", "none in t"),
    *("n and b", "b or t", "not n", "not w"),
    *("t * 2", "t - t", "t + n", "n + t", "b + 1", "a + 'x'", "none + 1", "-t", "-b", "+n", "s + s"),
    "9007199254740993",
]


@pytest.mark.parametrize(("text", "value"), SAID, ids=lambda given: str(given))
def test_an_expression_comes_to_the_same_in_a_template(text: str, value: str) -> None:
    assert (in_expression(text), in_template(text), in_template(text, checked=False)) == (value, value, value)


@pytest.mark.parametrize("text", REFUSED)
def test_what_an_expression_refuses_a_template_refuses(text: str) -> None:
    assert in_expression(text) is None
    assert in_template(text) is None


AT_HAND = [
    text for text in REFUSED if "none" not in text and text != "b or t"
]  # `b` is true: `t` is not looked at


@pytest.mark.parametrize("text", AT_HAND)
def test_where_no_types_are_known_it_is_refused_when_the_template_is_filled(text: str) -> None:
    assert in_template(text, checked=False) is None


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("n / 2 | round", "n / round(2)"),
        ("2.5 | round", "round(2.5)"),
        ("big | round", "round(big)"),
        ("m | round(1)", "round(m, 1)"),
        ("1.25 | round(1)", "round(1.25, 1)"),
        ("s | length", "len(s)"),
        ("mt | length", "len(mt)"),
        ("s | first", "s[0]"),
        ("w | last", "w[-1]"),
    ],
)
def test_a_filter_does_what_the_function_of_expressions_does(text: str, function: str) -> None:
    assert in_template(text) == in_expression(function) is not None


ONLY_THERE = ("[", "min(", "max(", "abs(", "len(", "round(", "any(", "all(", "number(", "answer(", " is ")


shown = st.tuples(st.sampled_from([NUMBER, TRUTH, TEXT]), st.integers(0, 3)).flatmap(
    lambda given: written(given[0], given[1], False)
)


@given(text=shown.filter(lambda text: not any(sign in text for sign in ONLY_THERE)), world=worlds)
def test_any_expression_that_a_template_can_say_comes_to_the_same(text: str, world: dict[str, Any]) -> None:
    expression = Expression.of(text)
    expression.check(WORLD)
    value = expression.evaluate(world)
    template = Template.of(f"{{{{ {text} }}}}")
    template.check(WORLD)
    assert template.render(world) == as_text(value)
