"""Texts beside answers, and numbers in answers and texts: read as the program reads its answers."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.answers import AnswerReader
from orchestrator.errors import TemplateError
from orchestrator.expressions import (
    ANSWER,
    NUMBER,
    TEXT,
    Expression,
    ExpressionError,
    ListOf,
    Maybe,
    Type,
    reading,
)
from orchestrator.templates import Template

TYPES: dict[str, Type] = {"a": ANSWER, "found": Maybe(ANSWER), "answers": ListOf(Maybe(ANSWER)), "t": TEXT}


def evaluated(text: str, said: str, **rules: Any) -> Any:
    """What an expression comes to where `a` is read from a text by these rules."""
    reader = AnswerReader(**rules)
    with reading(reader):
        expression = Expression.of(text)
        expression.check(TYPES)
        answer = reader.read(said)
        return expression.evaluate({"a": answer, "found": None, "answers": [answer, None], "t": said})


@pytest.mark.parametrize(
    ("text", "said", "rules", "value"),
    [
        ("a == '50%'", "It is 50%.", {"kind": "number"}, True),
        ("a == '50%'", "It is 50%.", {"kind": "number", "percent": "number"}, True),
        ("a == '1/2'", "It is 50%.", {"kind": "number", "percent": "number"}, False),
        ("a == '5 cm'", "It is 5 cm.", {"kind": "number", "units": "keep"}, True),
        ("a == '5 m'", "It is 5 cm.", {"kind": "number", "units": "keep"}, False),
        ("a == '5'", "It is 5 cm.", {"kind": "number"}, True),
        ("a == '40 - 11'", "48 - 19 = 31", {"kind": "expression"}, True),
        ("'Billing' in answers", "It is about billing.", {"labels": ["billing", "technical"]}, True),
        ("a == t", "billing", {"labels": ["billing", "technical"]}, True),
    ],
)
def test_a_text_beside_an_answer_is_read_by_the_programs_rules(
    text: str, said: str, rules: dict[str, Any], value: bool
) -> None:
    assert evaluated(text, said, **rules) is value


@pytest.mark.parametrize(
    ("text", "rules", "place", "message", "hint"),
    [
        ("a == 'biling'", {"labels": ["billing", "technical"]}, 5,
         "no answer is `biling`; the labels are: billing, technical", "did you mean `billing`?"),
        ("'biling' != found", {"labels": ["billing", "technical"]}, 0,
         "no answer is `biling`; the labels are: billing, technical", "did you mean `billing`?"),
        ("a in ['technical', 'x']", {"labels": ["billing", "technical"]}, 19,
         "no answer is `x`; the labels are: billing, technical", None),
        ("'maybe' in answers", {"kind": "boolean"}, 0,
         "no answer is `maybe`: it cannot be read as an answer of kind `boolean`", None),
        ("a == 'many'", {"kind": "number"}, 5,
         "no answer is `many`: it cannot be read as an answer of kind `number`", None),
    ],
)  # fmt: skip
def test_a_text_that_no_answer_can_be_is_refused(
    text: str, rules: dict[str, Any], place: int, message: str, hint: str | None
) -> None:
    with reading(AnswerReader(**rules)):
        with pytest.raises(ExpressionError) as in_expression:
            Expression.of(text).check(TYPES)
        assert (in_expression.value.offset, in_expression.value.message) == (place, message)
        assert in_expression.value.hint == hint
        if "[" not in text:
            with pytest.raises(TemplateError) as in_template:
                Template.of(f"{{{{ {text} }}}}").check(TYPES)
            assert (in_template.value.offset, in_template.value.message) == (place + 3, message)
    assert Expression.of(text).check(TYPES)  # where it is not known how answers are read


@pytest.mark.parametrize(
    ("said", "rules", "number"),
    [
        ("I rate it 4.", {"kind": "number"}, 4),
        ("It is 1/2.", {"kind": "number"}, 0.5),
        ("It is 1,200 dollars.", {"kind": "number"}, 1200),
        ("It is 5 cm.", {"kind": "number", "units": "keep"}, 5),
        ("About 50%.", {"kind": "number", "percent": "number"}, 50),
        ("48 - 19 = 31", {"kind": "expression"}, 29),
        ("It is $\\frac{1}{4}$.", {"kind": "math"}, 0.25),
        ("It is $\\sqrt{2}$.", {"kind": "math"}, None),
        ("3", {"labels": ["1", "2", "3"]}, 3),
        ("three", {"kind": "whole"}, 3),
        ("The answer is (B).", {"kind": "choice"}, None),
        ("Paris", {"kind": "text"}, None),
        ("1e400", {"kind": "number"}, None),
        ("1e20", {"kind": "number"}, 1e20),
        ("9" * 5000, {"kind": "number"}, None),
    ],
)
def test_the_number_of_an_answer(said: str, rules: dict[str, Any], number: float | None) -> None:
    assert evaluated("number(a)", said, **rules) == number


@pytest.mark.parametrize(
    ("said", "number"),
    [("So the difficulty is 4.", 4), ("2", 2), ("half", 0.5), ("none at all", None), ("", None)],
)
def test_the_number_that_a_text_states(said: str, number: float | None) -> None:
    assert evaluated("number(t)", said) == number


def test_a_number_that_is_read_may_be_missing() -> None:
    assert Expression.of("number(a)").check(TYPES) == Maybe(NUMBER)
    assert evaluated("number(found)", "4") is None
    assert evaluated("number(found) < 3", "4") is False
    with pytest.raises(ExpressionError, match="expected a text or an answer, but `answers` is a list"):
        Expression.of("number(answers)").check(TYPES)
