from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.answers import Answer, Clusters, Kind, cluster, equivalent, normalize
from orchestrator.answers.normalize import json_key
from orchestrator.errors import InvalidInputError


@pytest.mark.parametrize(
    "texts",
    [
        [
            "1/2",
            "0.5",
            ".5",
            r"\frac12",
            r"\dfrac{1}{2}",
            r"\boxed{\frac{1}{2}}",
            r"50\%",
            "50%",
            "$0.50$",
            "½",
            "x = 1/2",
        ],
        ["1,234", "1234", "1 234", "1{,}234", r"1\,234", "1234.0", "1.234e3", "$1,234", "+1234", "1234."],
        ["-5", "−5", "- 5", r"$-5$", "(-5)", r"\frac{-10}{2}", r"\frac{10}{-2}"],
        [r"3\frac{1}{2}", "3.5", "3 1/2", "3½", "7/2", r"\frac72"],
        ["10^{-3}", "0.001", "1e-3", "1/1000", "10⁻³", "0.1%"],
        ["2 \\times 10^3", "2000", "2 x 10^3", "2·10³", "2 thousand"],
        ["5 cm", r"5\text{ cm}", r"5~\mathrm{cm}", "5", "5 apples", r"5\mbox{ cm}^2"],
        ["1234567890123456789012345678901234567890", "1,234,567,890,123,456,789,012,345,678,901,234,567,890"],
        [r"\text{Paris}", "Paris", "paris.", '"Paris"', "**Paris**", r"\boxed{\text{Paris}}"],
        ["yes", "Yes", "Yes.", "YES!"],
        ["1/3", "0.333...", r"0.\overline{3}", "0.(3)", r"0.\dot{3}", "one third", "a third", "0.3\u0304"],
        ["12", "twelve", "Twelve.", "a dozen", "１２", "\u0661\u0662", r"\text{twelve}"],
        ["-5", "minus 5", "negative five", "minus five"],
        ["1,200,000", "1.2 million", "1'200'000", r"1.2 \times 10^6", "1.2*10**6", "1.2E+6"],
        ["3rd", "third", "Third.", r"3^{\text{rd}}"],
        ["café", "cafe\u0301", "CAFÉ"],
        ["x - 1", "x-1", "$x-1$", r"x\,-\,1", "x − 1"],
    ],
)
def test_spellings_of_one_answer_are_equal(texts: list[str]) -> None:
    for kind in ("math", "auto"):
        assert cluster(texts, kind=kind) == [0] * len(texts), kind  # type: ignore[arg-type]


DIFFERENT = [
    "5", "-5", "15", "1.5", "x-1", "x+1", "80", "81", "1/3", "0.3333333333333333", "A", "B",
    "yes", "no",
    "(1,2)", "(2,1)", "[1,2)", "(1,2]", "(1,234)", "1234", "5!", "5x", "x^5", r"\sqrt{5}", r"5\pi",
    "10:30", "10 AM",
    "10 PM", "10", "5 million", "fifth", "1/5", "0.33...", "0.333", "0.3...", "one direction", "one piece",
    "true", "Sunday", "one hundredth", "5/01/2021", "05/02/2021", "1/0", "204_5", "1,2", "12", "1.2", "n!",
    "3 4/2", "--5",
    "1234567890123456789012345678901234567891", "1234567890123456789012345678901234567892", r"\pm 5",
    "1e400", "1e401",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["math", "auto"])
def test_different_answers_are_never_merged(kind: Kind) -> None:
    merged = [(a, b) for a, b in itertools.combinations(DIFFERENT, 2) if equivalent(a, b, kind=kind)]
    assert merged == []
    assert all(equivalent(a, a, kind=kind) for a in DIFFERENT)


def test_a_number_drops_its_unit_and_a_text_does_not() -> None:
    assert equivalent("5 apples", "5", kind="number")
    assert not equivalent("5 apples", "5", kind="text")
    assert normalize("5 m", kind="number") == "n:5"
    assert normalize("5 m", kind="math") == normalize("m*5", kind="math")  # a variable
    assert normalize("2,75 €", kind="number") == "n:11/4"


def test_units_are_dropped_or_kept_as_the_task_says() -> None:
    assert equivalent(r"5 \text{ cm}", "5", kind="number", units="drop")
    assert not equivalent(r"5 \text{ cm}", "5", kind="number", units="keep")
    assert equivalent(r"5\text{ cm}", "5 centimeters", kind="math", units="keep")
    assert not equivalent("5 m", "5 cm", kind="number", units="keep")
    assert equivalent("It costs $5.", "5 dollars", kind="number", units="keep")
    assert normalize("5 m", kind="math", units="drop") == "n:5"
    assert normalize("20 sq. km", units="keep") == "n:20 km^2"


def test_a_percentage_is_a_fraction_or_the_number_it_names() -> None:
    assert equivalent("50%", "0.5", kind="number")
    assert equivalent("50%", "fifty", kind="number", percent="number")
    assert equivalent(r"\boxed{50\%}", "50 percent", percent="number")
    assert not equivalent("50%", "0.5", kind="number", percent="number")


def test_numbers_agree_within_a_tolerance_and_nothing_else_does() -> None:
    assert equivalent("100", "99", kind="number", tolerance=0.01)
    assert not equivalent("100", "98.99", kind="number", tolerance=0.01)
    assert equivalent("7", "10", kind="number", tolerance=0.3)  # though the float 0.3 is below three tenths
    assert not equivalent("1", "-1", kind="number", tolerance=0.9)
    assert not equivalent("0", "0.001", kind="number", tolerance=0.9)
    assert not equivalent("5 cm", "5 m", kind="number", units="keep", tolerance=0.1)
    assert equivalent("5 cm", "5.1 cm", kind="number", units="keep", tolerance=0.1)
    assert not equivalent("paris", "pari", tolerance=0.9)
    assert not equivalent("1e999", "1.0001e999", kind="number", tolerance=0.1)  # beyond what is computed with


@pytest.mark.parametrize("tolerance", [-0.1, 1, float("nan"), float("inf")])
def test_a_tolerance_out_of_range_is_refused(tolerance: float) -> None:
    with pytest.raises(InvalidInputError, match="tolerance must be at least 0 and below 1"):
        equivalent("1", "2", tolerance=tolerance)


@given(a=st.fractions(), b=st.fractions(), tolerance=st.sampled_from([0, 1e-9, 0.01, 0.25, 0.5, 0.999]))
def test_tolerance_is_the_relative_difference_exactly(a: Fraction, b: Fraction, tolerance: float) -> None:
    close = abs(a - b) <= Fraction(str(tolerance)) * max(abs(a), abs(b))
    assert equivalent(str(a), str(b), kind="number", tolerance=tolerance) == close


def test_dates_are_one_however_they_are_written() -> None:
    assert equivalent("May 1, 2021", "2021-05-01")
    assert equivalent("10:30 PM", "22:30")
    assert not equivalent("10:30", "10:30 PM")
    assert not equivalent("05/01/2021", "2021-05-01")  # May 1 or January 5
    assert normalize("05/01/2021", kind="date") == normalize("1 May 2021", kind="date")


def test_yes_and_true_are_one_answer_only_to_a_yes_or_no_question() -> None:
    assert normalize("Yes.", kind="boolean") == normalize("true", kind="boolean") == "b:true"
    assert normalize("No", kind="boolean") == normalize("incorrect", kind="boolean") == "b:false"
    assert not equivalent("yes", "true")


def test_json_answers_are_equal_by_value() -> None:
    key = normalize('{"b": 1.0, "a": [true, null, "1"]}', kind="json")
    assert key == normalize('{"a":[true,null,"1"],"b":1e0}', kind="json")
    assert key == json_key({"a": (True, None, "1"), "b": 1}) == 'j:{"a":[true,null,"1"],"b":n:1}'
    assert key != json_key({"a": [1, None, "1"], "b": 1})


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', "[NaN]", "Infinity", "[1,]", "[" * 100_000])
def test_what_is_not_one_json_value_is_a_text(text: str) -> None:
    assert normalize(text, kind="json").startswith("t:")


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}, {1: 2}, {"a": {1, 2}}, b"x"])
def test_what_json_has_not_has_no_key(value: object) -> None:
    with pytest.raises(InvalidInputError):
        json_key(value)


def test_abstentions_agree_with_nothing() -> None:
    assert not equivalent("", "")
    assert not equivalent("I don't know", "I don't know")


def test_answers_keep_their_keys() -> None:
    assert equivalent(Answer(text="half", key="n:1/2", kind="number"), "0.5")


@pytest.mark.parametrize(
    "call",
    [
        lambda: cluster(["5"], kind="maths"),
        lambda: normalize("5", kind="maths"),
        lambda: equivalent("5", "5", kind="maths"),
    ],
)  # type: ignore[arg-type]
def test_an_unknown_kind_is_refused(call: object) -> None:
    with pytest.raises(InvalidInputError, match="maths"):
        call()  # type: ignore[operator]


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="units must be one of by_kind, drop, keep, not 'hold'"):
        normalize("5 cm", units="hold")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="percent must be one of fraction, number, not 'half'"):
        equivalent("5%", "5%", kind="json", percent="half")  # type: ignore[arg-type]


def test_clusters_come_in_first_seen_order_and_abstentions_have_none() -> None:
    texts = ["so 7", r"\boxed{7}", None, "I don't know", "The answer is 8.", "7.0"]
    assert cluster(texts, kind="number") == [0, 0, None, None, 1, 0]
    assert cluster(['{"a": 1}', '{"a": 1.0}', "none"], kind="json") == [0, 0, None]


def test_clusters_grow_one_sample_at_a_time() -> None:
    clusters = Clusters()
    half, also_half = (Answer(text=text, key="n:1/2", kind="number") for text in ("0.5", "1/2"))
    three = Answer(text="3", key="n:3", kind="number")
    assert [clusters.add(answer) for answer in (half, None, three, also_half)] == [0, None, 1, 0]
    assert clusters.sizes == [2, 1]
    assert clusters.representatives == [half, three]
    assert clusters.members == [[0, 3], [2]]
    assert (clusters.samples, clusters.abstentions) == (4, 1)
    assert repr(clusters) == "Clusters(sizes=[2, 1], abstentions=1)"
