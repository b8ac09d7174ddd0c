"""What expressions come to, by example."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.expressions import (
    ANSWER,
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    Expression,
    ListOf,
    Maybe,
    Namespace,
    Record,
    Type,
    declare,
    fits,
    joined,
)
from orchestrator.types import Answer


@dataclass(frozen=True)
class Essay:
    text: str
    grade: float | None
    answer: Answer | None


def number(text: str, key: str) -> Answer:
    return Answer(text=text, key=key, kind="number")


ESSAY = declare(
    Essay,
    "an essay",
    {
        "text": (TEXT, lambda essay: essay.text),
        "grade": (Maybe(NUMBER), lambda essay: essay.grade),
        "answer": (Maybe(ANSWER), lambda essay: essay.answer),
    },
)
TYPES: dict[str, Type] = {
    "agreement": NUMBER,
    "n": NUMBER,
    "done": TRUTH,
    "unknown": Maybe(TRUTH),
    "essay": ESSAY,
    "lost": Maybe(ESSAY),
    "grades": ListOf(Maybe(NUMBER)),
    "none_graded": ListOf(Maybe(NUMBER)),
    "flags": ListOf(Maybe(TRUTH)),
    "words": ListOf(TEXT),
    "half": ANSWER,
    "answers": ListOf(Maybe(ANSWER)),
    "loop": Record("the loop", {"rounds": NUMBER, "last": Maybe(ESSAY)}),
}
VALUES: dict[str, Any] = {
    "agreement": 0.75,
    "n": 5,
    "done": True,
    "unknown": None,
    "essay": Essay("It is one half.", 0.9, number("1/2", "n:1/2")),
    "lost": None,
    "grades": [0.5, None, 0.25],
    "none_graded": [None],
    "flags": [True, None],
    "words": ["yes", "no"],
    "half": number("0.5", "n:1/2"),
    "answers": [number("50%", "n:1/2"), None],
    "loop": Namespace(rounds=2, last=Essay("b", None, None)),
}

EXAMPLES: list[tuple[str, object]] = [
    ("agreement >= 0.75 and n < 32", True),
    ("agreement > 0.75 or n >= 6", False),
    ("0 < n <= 5 != 4", True),
    ("0 < n < 5 < 6", False),
    ("1 + 2 * 3 - 4 / 8", 6.5),
    ("(1 + 2) * 3", 9),
    ("7 // 2", 3),
    ("-7 // 2", -4),
    ("-7 % 3", 2),
    ("--n", 5),
    ("-n + 1", -4),
    ("1e3", 1000.0),
    (".5 + 1.", 1.5),
    ("'so ' + essay.text", "so It is one half."),
    (r"'a\n\t\\\'\"'", "a\n\t\\'\""),
    ("'größer'", "größer"),
    ("'half' in essay.text", True),
    ("'half' not in essay.text", False),
    ("'no' in words", True),
    ("'maybe' not in words", True),
    ("[n, agreement, 1]", [5, 0.75, 1]),
    ("[1, None]", [1, None]),
    ("words[0] + words[-1]", "yesno"),
    ("loop.rounds + 1", 3),
    ("9007199254740991 + 1", 2**53),
    ("9007199254740992 + 2", 2.0**53 + 2),
    ("loop.last.text", "b"),
    ("'many' if n > 3 else 'few'", "many"),
    ("1 if not done else 2 if n == 5 else 3", 2),
    ("true and True and not false", True),
    ("not done or n is None", False),
    ("n\n  is not None", True),
    ("done == true", True),
    # Functions
    ("min(n, 3, 7)", 3),
    ("max(grades)", 0.5),
    ("min([n, 2])", 2),
    ("abs(-3)", 3),
    ("len(essay.text)", 15),
    ("len(words)", 2),
    ("round(2.5)", 2),
    ("round(agreement * 10)", 8),
    ("round(2 / 3, 2)", 0.67),
    ("any(flags)", True),
    ("all(flags)", True),
    ("any([done, n > 9])", True),
    ("all([done, n > 9])", False),
    # Answers are equal by their keys
    ("essay.answer == half", True),
    ("essay.answer != half", False),
    ("answer(essay) == answer(half)", True),
    ("half in answers", True),
    ("None in answers", True),
    # A text is read as the answer is that it is compared with
    ("half == '0.5'", True),
    ("' 50% ' == half", True),
    ("half != '5'", True),
    ("half == 'unsure'", False),
    ("half == ''", False),
    ("half in ['no', '1/2']", True),
    ("'2/4' in answers", True),
    ("'yes' in answers", False),
    ("lost.answer == '1/2'", False),
    ("lost.answer in ['1/2']", False),
    # What is missing
    ("lost.grade", None),
    ("lost.grade + 1", None),
    ("-lost.grade", None),
    ("lost.text + 'a'", None),
    ("abs(lost.grade)", None),
    ("len(lost.text)", None),
    ("round(lost.grade, 1)", None),
    ("answer(lost)", None),
    ("lost.answer == None", True),
    ("lost is none", True),
    ("lost.grade < 1", False),
    ("lost.grade >= 1", False),
    ("0 < lost.grade < 1", False),
    ("lost.grade == 1", False),
    ("lost.grade != 1", True),
    ("lost.answer == essay.answer", False),
    ("lost.text in essay.text", False),
    ("'a' in lost.text", False),
    ("'a' not in lost.text", True),
    ("unknown and done", False),
    ("unknown or done", True),
    ("not unknown", True),
    ("1 if unknown else 2", 2),
    ("min(none_graded)", None),
    ("max(lost.grade, 0.5)", 0.5),
    ("max(lost.grade)", None),
    ("any([unknown])", False),
    ("all([unknown])", True),
    ("grades[1]", None),
    ("grades[9]", None),
    ("grades[-4]", None),
    ("1 / 0", None),
    ("n // 0.0", None),
    ("n % (n - 5)", None),
    ("1e300 * 1e300", None),
    ("1e300 * 1e300 - 1e300 * 1e300 == None", True),
    ("9007199254740992 + 1", 9007199254740992.0),
]


def test_an_answer_of_a_kind_that_nobody_knows_is_compared_by_its_text() -> None:
    values = {"half": Answer(text="one half", key="u:halves:1", kind="halves")}
    assert Expression.of("half == ' one half '").evaluate(values) is True
    assert Expression.of("half == 'half'").evaluate(values) is False


@pytest.mark.parametrize(("text", "value"), EXAMPLES)
def test_examples(text: str, value: object) -> None:
    expression = Expression.of(text)
    expression.check(TYPES)
    found = expression.evaluate(VALUES)
    assert found == value
    assert type(found) is type(value)


CHECKED: list[tuple[str, Type]] = [
    ("n > 1", TRUTH),
    ("n + 1", NUMBER),
    ("n / 2", NUMBER),
    ("2 / n", Maybe(NUMBER)),
    ("lost.grade + 1", Maybe(NUMBER)),
    ("essay.grade", Maybe(NUMBER)),
    ("lost.text", Maybe(TEXT)),
    ("lost", Maybe(ESSAY)),
    ("words[0]", Maybe(TEXT)),
    ("words", ListOf(TEXT)),
    ("[n, None]", ListOf(Maybe(NUMBER))),
    ("[[n], [essay.grade]]", ListOf(ListOf(Maybe(NUMBER)))),
    ("essay if done else None", Maybe(ESSAY)),
    ("essay if done else lost", Maybe(ESSAY)),
    ("min(grades)", Maybe(NUMBER)),
    ("min(n, essay.grade)", NUMBER),
    ("answer(essay)", Maybe(ANSWER)),
    ("len(words)", NUMBER),
    ("any(flags)", TRUTH),
    ("unknown", Maybe(TRUTH)),
    ("unknown and done", TRUTH),
]


@pytest.mark.parametrize(("text", "kind"), CHECKED)
def test_types(text: str, kind: Type) -> None:
    assert Expression.of(text).check(TYPES) == kind


def test_an_expression_names_what_it_reads() -> None:
    assert Expression.of("min(a.b, c) > 1 and true or d[0] is none").names == {"a", "c", "d"}


def test_the_same_text_is_read_once() -> None:
    assert Expression.of("n < 32") is Expression.of("n < 32")


def test_a_declared_name_may_be_that_of_a_function() -> None:
    expression = Expression.of("len(len) + max")
    assert expression.check({"len": TEXT, "max": NUMBER}) == NUMBER
    assert expression.evaluate({"len": "abc", "max": 4}) == 7


def test_numbers_that_are_none_are_smaller_and_larger_than_nothing() -> None:
    values = {"x": math.nan, "xs": [math.nan, 1.0, math.nan]}
    assert Expression.of("x < 1 or x >= 1 or x == x").evaluate(values) is False
    assert Expression.of("min(xs)").evaluate(values) == 1.0
    assert Expression.of("x + 1").evaluate(values) is None
    assert Expression.of("round(x)").evaluate(values) is None


def test_only_the_arm_that_is_chosen_is_computed() -> None:
    assert Expression.of("a if n > 1 else b").evaluate({"a": 1, "n": 2}) == 1
    assert Expression.of("n > 1 or b").evaluate({"n": 2}) is True
    assert Expression.of("n > 3 and b").evaluate({"n": 2}) is False


@pytest.mark.parametrize(
    "text",
    [
        "hidden",
        "hidden.field * 2",
        "1 + hidden",
        "max(loop.each)",
        "hidden[0] if hidden else hidden",
        "[hidden]",
    ],
)
def test_of_what_is_made_from_something_unknown_nothing_is_known(text: str) -> None:
    types = {"hidden": UNKNOWN, "ok": TRUTH, "loop": Record("a loop", {"each": ListOf(Maybe(UNKNOWN))})}
    assert Expression.of(text).check(types) == UNKNOWN
    assert fits(UNKNOWN, NUMBER)
    assert joined(ListOf(UNKNOWN), NUMBER) == UNKNOWN


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hidden > 1 and not hidden.it", TRUTH),
        ("hidden if ok else 'text'", Maybe(TEXT)),
        ("2 if hidden else 1", NUMBER),
        ("[hidden, 1]", ListOf(NUMBER)),
        ("max(hidden, 0) + 1", NUMBER),
    ],
)
def test_what_is_of_one_type_whatever_the_unknown_is_has_that_type(text: str, kind: Type) -> None:
    assert Expression.of(text).check({"hidden": UNKNOWN, "ok": TRUTH}) == kind
