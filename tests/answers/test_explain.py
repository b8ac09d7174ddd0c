"""Why two answers are equal or not, and second opinions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from orchestrator.answers import Reading, equivalent, explain, extract
from orchestrator.errors import InvalidInputError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The pairs put to math-verify, which here decides by table: equal, different or undecided."""
    verdicts = {"equal": True, "different": False, "undecided": None}
    pairs: list[tuple[str, str]] = []

    def verdict(a: Any, b: Any) -> bool | None:
        pairs.append((str(a), str(b)))
        return verdicts[str(b).partition("_")[2]]

    monkeypatch.setattr("orchestrator.answers.equivalence.math_verify_equal", verdict)
    return pairs


@pytest.mark.parametrize(
    ("a", "b", "options", "equal", "reason"),
    [
        ("0.5", r"\frac{1}{2}", {}, True, "both are the number 1/2"),
        ("5", "-5", {}, False, "the keys differ: one is the number 5, the other the number -5"),
        ("(B)", "B", {"kind": "choice"}, True, "both are the choice B"),
        ("yes", "True", {"kind": "boolean"}, True, "both are the boolean true"),
        ("May 1, 2021", "2021-05-01", {"kind": "date"}, True, "both are the date 2021-05-01"),
        ("Paris", "paris.", {}, True, "both are the text 'paris'"),
        (
            "5 cm",
            "5 m",
            {"units": "keep"},
            False,
            "the keys differ: one is the number 5 cm, the other the number 5 m",
        ),
        ('{"a": 1}', '{"a": 1.0}', {"kind": "json"}, True, 'both are the JSON value {"a":n:1}'),
        (
            "x^2+2x+1",
            "(x+1)^2",
            {"kind": "math"},
            True,
            "the formulas x^2 + 2*x + 1 and (x + 1)^2 agree at every point of evaluation",
        ),
        ("x-1", "x+1", {}, False, "the formulas x - 1 and x + 1 differ at a point of evaluation"),
        ("x + 1", "x+1", {}, True, "both are the formula x + 1"),
        (
            "(1,2)",
            "(2,1)",
            {},
            False,
            "the keys differ: one is the formula (1, 2), the other the formula (2, 1)",
        ),
        (
            "3.14",
            "3.15",
            {"tolerance": 0.01},
            True,
            "the number 157/50 and the number 63/20 differ by no more than 0.01 of the larger",
        ),
        ("", "5", {}, False, "the first abstains: it has no readable answer"),
        ("5", " ", {}, False, "the second abstains: it has no readable answer"),
        ("", "", {}, False, "neither has a readable answer"),
    ],
)
def test_a_comparison_says_why(a: str, b: str, options: dict[str, Any], equal: bool, reason: str) -> None:
    found = explain(a, b, **options)
    assert (found.equal, bool(found), found.reason) == (equal, equal, reason)
    assert equivalent(a, b, **options) is equal


def test_a_comparison_shows_what_was_found_and_how_it_was_read() -> None:
    found = explain("So the answer is $(x+1)^2$.", "I cannot tell", kind="math")
    assert found.first.text == "(x+1)^2"
    assert found.first.form == "(x + 1)^2"
    assert found.first.key is not None
    assert found.first.key.startswith("m:#")
    assert found.second == Reading(text=None, key=None, form=None)
    assert found.ground == "abstention"
    assert str(found) == (
        "not equal: the second abstains: it has no readable answer\n"
        f"  first:  '(x+1)^2', read as (x + 1)^2, key {found.first.key}\n"
        "  second: no readable answer"
    )


def test_a_megabyte_is_shown_in_part() -> None:
    assert len(str(explain("x" * 1_000_000, "y", kind="text"))) < 700


def test_answers_keep_the_key_they_have() -> None:
    half = extract("50%", percent="number")
    assert half is not None
    assert explain(half, "50").reason == "both are the number 50"
    assert explain(half, "1/2").equal is False


# A second opinion --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("b", "equal", "ground", "reason"),
    [
        ("v_equal", True, "math_verify", "but math-verify finds them equal"),
        ("v_different", False, "math_verify", "and math-verify finds them different"),
        ("v_undecided", False, "undecided", "and math-verify does not decide"),
    ],
)
def test_math_verify_decides_where_keys_differ(
    asked: list[tuple[str, str]], b: str, equal: bool, ground: str, reason: str
) -> None:
    assert equivalent("v_own", b, kind="math") is False
    assert asked == []
    assert equivalent("v_own", b, kind="math", equivalence="math_verify") is equal
    assert asked == [("v_own", b)]
    found = explain("v_own", b, kind="math", equivalence="math_verify")
    assert (found.equal, found.ground) == (equal, ground)
    assert found.reason.endswith(reason)


@pytest.mark.parametrize(
    ("a", "b", "options"),
    [
        ("1/2", "0.5", {}),  # equal keys
        ("3.14", "3.15", {"tolerance": 0.01}),
        ("", "5", {}),  # an abstention
        ("cat", "act", {"kind": "auto"}),  # words, which are products of the same letters
        ("A", "B", {"kind": "auto"}),  # choices
    ],
)
def test_math_verify_is_not_asked_where_there_is_nothing_to_ask(
    asked: list[tuple[str, str]], a: str, b: str, options: dict[str, Any]
) -> None:
    assert equivalent(a, b, equivalence="math_verify", **options) is equivalent(a, b, **options)
    assert asked == []


def test_math_verify_itself_is_asked_in_its_worker() -> None:
    limit = r"\lim_{x\to 0} x"
    assert not equivalent(limit, "0", kind="math")
    assert equivalent(limit, "0", kind="math", equivalence="math_verify")
    assert not equivalent("-5", "5", kind="math", equivalence="math_verify")


def test_a_second_opinion_without_math_verify_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InvalidInputError, match=r"pip install 'orchestrator\[math\]'"):
        equivalent("1", "1", equivalence="math_verify")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"equivalence": "sympy"}, "equivalence must be one of exact, math_verify, not 'sympy'"),
        ({"equivalence": "math_verify", "kind": "text"}, "kind 'text' has keys only"),
        ({"tolerance": 1.0}, "tolerance must be at least 0 and below 1"),
        ({"tolerance": "1%"}, "tolerance must be at least 0 and below 1, not '1%'"),
        ({"kind": "maths"}, "kind must be one of auto"),
    ],
)
def test_what_cannot_be_compared_by_is_refused(options: dict[str, Any], said: str) -> None:
    for compare in (equivalent, explain):
        with pytest.raises(InvalidInputError, match=said):
            compare("1", "2", **options)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (None, "not NoneType"),
        (5, r"not int: try str\(5\)"),
        (b"5", "not bytes: decode it first"),
        (["5"], "not list"),
    ],
)
def test_what_is_no_text_is_refused_with_a_way_out(bad: Any, said: str) -> None:
    for call in (lambda: equivalent(bad, "5"), lambda: explain("5", bad), lambda: extract(bad)):
        with pytest.raises(InvalidInputError, match=said):
            call()


def test_a_tolerance_may_be_a_fraction() -> None:
    assert (
        "differ by no more than 0.05 of the larger" in explain("1", "1.04", tolerance=Fraction(1, 20)).reason
    )
