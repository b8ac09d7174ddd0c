from __future__ import annotations

import itertools

import pytest

from orchestrator.answers import Answer, Clusters, Kind, cluster, equivalent, normalize
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
        ["café", "cafe\u0301", "CAFÉ"],
        ["x - 1", "x-1", "$x-1$", r"x\,-\,1", "x − 1"],
    ],
)
def test_spellings_of_one_answer_are_equal(texts: list[str]) -> None:
    for kind in ("math", "auto"):
        assert cluster(texts, kind=kind) == [0] * len(texts), kind  # type: ignore[arg-type]


DIFFERENT = [
    "5", "-5", "15", "1.5", "x-1", "x+1", "80", "81", "1/3", "0.333", "0.3333333333333333", "A", "B",
    "yes", "no",
    "(1,2)", "(2,1)", "[1,2)", "(1,2]", "(1,234)", "1234", "5!", "5x", "x^5", r"\sqrt{5}", r"5\pi",
    "10:30", "10 AM",
    "10 PM", "10", "5 million", "5/01/2021", "05/02/2021", "1/0", "204_5", "1,2", "12", "1.2", "n!",
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
    assert normalize("5 m", kind="math") == "m:5 m"
    assert normalize("2,75 €", kind="number") == "n:11/4"


def test_abstentions_agree_with_nothing() -> None:
    assert not equivalent("", "")
    assert not equivalent("I don't know", "I don't know")


def test_answers_keep_their_keys() -> None:
    assert equivalent(Answer(text="half", key="n:1/2", kind="number"), "0.5")


@pytest.mark.parametrize("call", [lambda: cluster(["5"], kind="maths"), lambda: normalize("5", kind="maths")])  # type: ignore[arg-type]
def test_an_unknown_kind_is_refused(call: object) -> None:
    with pytest.raises(InvalidInputError, match="maths"):
        call()  # type: ignore[operator]


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
