"""What is promised of answers, a row a case, through the public functions alone."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.answers import KINDS, cluster, equivalent, extract
from orchestrator.stopping import BetaStop, Tally
from orchestrator.voting import majority_vote

MATH: dict[str, Any] = {"kind": "math"}
NUMBER: dict[str, Any] = {"kind": "number"}
KEEP: dict[str, Any] = {"units": "keep"}
FIFTY: dict[str, Any] = {"percent": "number"}

EQUAL: list[tuple[str, str, dict[str, Any]]] = [
    (r"\boxed{\frac{1}{2}}", "0.5", MATH),
    (r"\boxed{\frac{1}{2}}", "1/2", MATH),
    (r"\boxed{\frac{1}{2}}", r"50\%", MATH),
    (r"\{1,2\}", r"\{2,1\}", MATH),
    (r"\sqrt{8}", r"2\sqrt2", MATH),
    ("(x+1)^2", "x^2+2x+1", MATH),
    ("1,234", "1234", MATH),
    ("1{,}234", "1234", MATH),
    ("10^{-3}", "0.001", MATH),
    (r"\frac{\pi}{4}", r"0.25\pi", MATH),
    (r"5 \text{ cm}", "5", MATH),
    (r"x \in (0,1)", "(0,1)", MATH),
    (r"3\frac{1}{2}", "3.5", MATH),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{bmatrix}1.0&\frac{4}{2}\\3&2^2\end{bmatrix}", MATH),
    # numbers
    ("1 234 567", "1,234,567", NUMBER),
    ("1.5e3", "1500", NUMBER),
    (r"1.5 \times 10^3", "1500", NUMBER),
    ("3 1/2", "7/2", NUMBER),
    ("-3 1/2", "-3.5", NUMBER),
    ("25%", "1/4", NUMBER),
    ("$1,250.00", "1250", NUMBER),
    ("€20", "20", NUMBER),
    ("twenty-one", "21", NUMBER),
    ("third", "3rd", MATH),
    ("0.333...", "1/3", MATH),
    (r"0.\overline{27}", "3/11", MATH),
    (r"45^\circ", "45", MATH),
    ("45 degrees", "45°", MATH),
    # LaTeX
    (r"\dfrac12", r"\tfrac{1}{2}", MATH),
    (r"\sqrt[3]{27}", "3", MATH),
    (r"2\cdot 3", r"2\times3", MATH),
    (r"\left(1,2\right)", "(1,2)", MATH),
    (r"\mathrm{Paris}", "Paris", MATH),
    (r"1 \pm \sqrt{2}", r"\{1+\sqrt2, 1-\sqrt2\}", MATH),
    (r"x_1^2", "x_{1}^{2}", MATH),
    ("5!", "120", MATH),
    (r"\binom{5}{2}", "10", MATH),
    (r"\sin\frac{\pi}{6}", "1/2", MATH),
    (r"\sin^2 x + \cos^2 x", "1", MATH),
    (r"\ln e^2", "2", MATH),
    (r"\log_2 8", "3", MATH),
    ("|-3|", "3", MATH),
    # plain infix
    ("sqrt(2)/2", "2^(-1/2)", MATH),
    ("2^(1/2)", r"\sqrt{2}", MATH),
    ("x**2+2x+1", "(x+1)**2", MATH),
    # intervals, unions, vectors
    ("[0,1)", r"\left[0, \frac{2}{2}\right)", MATH),
    (r"(-\infty,1)\cup(2,\infty)", r"(2,\infty)\cup(-\infty,1)", MATH),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{bmatrix}1\\2.0\end{bmatrix}", MATH),
    # equations and inequalities
    ("x = 5", "5", MATH),
    (r"x \geq 5", r"5 \leq x", MATH),
    ("34x+45y=20z", "68x+90y=40z", MATH),
    ("34x+45y=20z", "20z=34x+45y", MATH),
    ("1 < x < 2", "2 > x > 1", MATH),
    ("1 < x < 2", "(1,2)", MATH),
    ("x=1, y=2", "y=2, x=1", MATH),
    # bases
    ("1011_2", "1011_{2}", MATH),
    # alternatives, systems, classes of residues, sets
    ("x=1 or x=2", "2, 1", MATH),
    (r"x=1 \land y=2", "x=1, y=2", MATH),
    ("x=1 and y=2 or x=3 and y=4", "(1,2), (3,4)", MATH),
    ("x > 1 and y > 2", "x > 1, y > 2", MATH),
    (r"x \equiv 8 \pmod 5", r"3 \pmod 5", MATH),
    (r"10 \bmod 7", "3", MATH),
    ("2, 1", r"\{1,2\}", MATH),
    (r"\{1,1,2\}", r"\{1,2\}", MATH),
    ("1, 2, 1", "2, 1, 1", MATH),
    (r"\frac12, 0.5", "0.5", MATH),
    # products of vectors and matrices
    (r"\vec a\cdot\vec b", r"\vec b\cdot\vec a", MATH),
    (r"2\vec a\times\vec b", r"\vec{a}×\vec{b}\cdot2", MATH),
    (r"2\times\vec a", r"2\vec a", MATH),
    (r"\mathbf{A}\mathbf{A}", r"\mathbf{A}^2", MATH),
    # percent and units by option
    ("50%", "0.5", {}),
    ("50%", "50", FIFTY),
    ("5 cm", "5 centimeters", NUMBER | KEEP),
    ("5 cm", "5", NUMBER | {"units": "drop"}),
    # dates, times, booleans
    ("May 1, 2021", "2021-05-01", {"kind": "date"}),
    ("1 May 2021", "05/01/2021", {"kind": "date"}),
    ("10:30 pm", "22:30", {"kind": "date"}),
    ("yes", "True", {"kind": "boolean"}),
    ("correct", "yes", {"kind": "boolean"}),
    ("No.", "false", {"kind": "boolean"}),
    # others
    ("PARIS.", '"Paris"', {"kind": "text"}),
    ('{"b": 2.0, "a": [1]}', '{"a":[1.0],"b":2}', {"kind": "json"}),
]

DIFFERENT: list[tuple[str, str, dict[str, Any]]] = [
    ("-5", "5", MATH),
    ("1.5", "15", MATH),
    ("x-1", "x+1", MATH),
    ("(1,2)", "(2,1)", MATH),
    ("[1,2)", "(1,2]", MATH),
    ("80", "81", MATH),
    (r"5 \text{ cm}", "5", MATH | KEEP),
    ("1 m", "100 cm", NUMBER | KEEP),
    (r"x \in (0,1)", "[0,1]", MATH),
    (r"3\frac{1}{2}", "3/2", MATH),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&2\\3&5\end{pmatrix}", MATH),
    (r"\begin{pmatrix}1&2\end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}", MATH),
    ("1011_2", "1011", MATH),
    ("1011_2", "1011_3", MATH),
    ("50%", "50", {}),
    ("50%", "0.5", FIFTY),
    (r"\sqrt{8}", r"2\sqrt3", MATH),
    ("(x+1)^2", "x^2+1", MATH),
    (r"x \geq 5", "x > 5", MATH),
    (r"x \geq 5", r"5 \geq x", MATH),
    ("34x+45y=20z", "34x+45y=21z", MATH),
    ("1 < x < 2", r"1 < x \leq 2", MATH),
    ("x=1, y=2", "x=2, y=1", MATH),
    ("0.333", "1/3", MATH),
    ("5!", "5", MATH),
    ("x=5", "x=-5", MATH),
    ("x=1 and y=2", "x=1 or y=2", MATH),
    (r"x=1 \land y=2", r"x=1 \lor y=2", MATH),
    ("x=1 or y=2", "x=2 or y=1", MATH),
    ("x^2=1 and y^2=4", "x^2=1 or y^2=4", MATH),
    ("x > 1 and y > 2", "x > 1 or y > 2", MATH),
    ("x > 1 and y > 2", "x > 2 and y > 1", MATH),
    (r"\vec a\cdot\vec b", r"\vec a\times\vec b", MATH),
    (r"\vec a\times\vec b", r"\vec b\times\vec a", MATH),
    (r"\vec a\times 2\vec b", r"2\vec a\cdot\vec b", MATH),
    (r"\mathbf{a}\cdot\mathbf{b}", r"\mathbf{a}\times\mathbf{b}", MATH),
    (r"\hat{i}\cdot\hat{j}", r"\hat{i}\times\hat{j}", MATH),
    (r"\overrightarrow{AB}\cdot\overrightarrow{CD}", r"\overrightarrow{AB}\times\overrightarrow{CD}", MATH),
    (r"\mathbf{A}\mathbf{B}", r"\mathbf{B}\mathbf{A}", MATH),
    (r"\boldsymbol{A}\boldsymbol{B}+1", r"\boldsymbol{B}\boldsymbol{A}+1", MATH),
    (r"4 \bmod 7", "4", MATH),
    (r"3\pmod 5", r"3\pmod 7", MATH),
    (r"3\pmod 5", "3", MATH),
    (r"\{1,\{2\}\}", r"\{1,2\}", MATH),
    (r"\{\{1\},\{2\}\}", r"\{1,2\}", MATH),
    (r"\{\emptyset\}", r"\emptyset", MATH),
    ("1,1,2", "1,2", MATH),
    ("1,1,2", "1,2,2", MATH),
    ("1, 1", "1", MATH),
    (r"0\cdot\infty", "0", MATH),
    (r"0*\infty", "0", {}),
    (r"1+0\cdot\infty", "1", MATH),
    ("5 cents", "$5", NUMBER | KEEP),
    ("5 m", "5 M", NUMBER | KEEP),
    ("less than 5", "more than 5", MATH),
    ("A and B", "A or B", {"kind": "choice"}),
    ("A", "B", {"kind": "choice"}),
    ("yes", "no", {"kind": "boolean"}),
    ("10:30 am", "10:30 pm", {"kind": "date"}),
    ("2021-05-01", "2021-01-05", {"kind": "date"}),
    ('{"a":"1"}', '{"a":1}', {"kind": "json"}),
    ("", "", {}),
    ("", "0", {}),
]


@pytest.mark.parametrize(("a", "b", "options"), EQUAL)
def test_what_is_equal_is_one_answer(a: str, b: str, options: dict[str, Any]) -> None:
    assert equivalent(a, b, **options)
    assert equivalent(b, a, **options)
    assert cluster([a, b], **options) == [0, 0]


@pytest.mark.parametrize(("a", "b", "options"), DIFFERENT)
def test_what_differs_is_never_one_answer(a: str, b: str, options: dict[str, Any]) -> None:
    assert not equivalent(a, b, **options)
    assert not equivalent(b, a, **options)


CODE = "Here:\n```python\nprint(1)\n```\nand in C:\n```c\nputs(1);\n```\n"

FOUND: list[tuple[str, dict[str, Any], str]] = [
    (r"\boxed{1} or rather \boxed{\frac{1}{2}}", MATH, r"\frac{1}{2}"),
    (r"\fbox{42}", MATH, "42"),
    (r"\boxed{7} and then \boxed{8", MATH, "7"),
    ("The final answer is 42.", {}, "42"),
    ("6 * 7 = 42\n#### 42", {}, "42"),
    ("Answer: 42", {}, "42"),
    ("Some thoughts.\n\n42", NUMBER, "42"),
    ("We have 6 rows of 7, in all 42 of them", NUMBER, "42"),
    # in other languages
    ("La respuesta final es 42.", {}, "42"),
    ("La réponse est 42.", {}, "42"),
    ("Die Antwort ist 42.", {}, "42"),
    ("答案是42。", {}, "42"),
    ("Ответ: 42", {}, "42"),
    # choices
    ("The answer is (B).", {"kind": "choice"}, "B"),
    ("**B.**", {"kind": "choice"}, "B"),
    ("I would go for option b", {"kind": "choice"}, "b"),
    ("B) because it is the largest", {"kind": "choice"}, "B"),
    ("A", {"kind": "choice"}, "A"),
    ("A", {}, "A"),
    ("Between A and B, I choose B.", {"kind": "choice"}, "B"),
    ("The answer is B, and I am sure.", {"kind": "choice"}, "B"),
    ("It is A or B, and A is wrong. The answer is B.", {"kind": "choice"}, "B"),
    ("A, B and C are wrong, so the answer is D", {"kind": "choice"}, "D"),
    # again in other words
    (r"The answer is $\frac34$, i.e. 0.75", MATH, r"\frac34"),
    (r"The answer is $\frac34$, i.e. 0.75", {}, r"\frac34"),
    ("The answer is 3/4 (i.e. 0.75).", NUMBER, "3/4"),
    ("The answer is Paris, i.e. the capital of France.", {}, "Paris"),
    # bounds that belong to what they bound, and numbers around a range
    ("The answer is at least 5.", NUMBER, "5"),
    ("The sum of 5 and 7 is 12", NUMBER, "12"),
    ("The difference between 7 and 5 is 2", NUMBER, "2"),
    ("The price fell from 10 to 7", NUMBER, "7"),
    ("10 is more than 5, so the answer is 10", NUMBER, "10"),
    # calculations
    ("1 million", {"kind": "expression"}, "1 million"),
    ("5x3", {"kind": "expression"}, "5x3"),
    ("The answer is 5!", {"kind": "expression"}, "5"),
    # yes, no and dates
    ("Yes, it is true.", {"kind": "boolean"}, "Yes"),
    ("No, that is not true.", {"kind": "boolean"}, "No"),
    ("Yes, since the claim that it fell is false.", {"kind": "boolean"}, "Yes"),
    ("It was Feb 28, 2021.", {"kind": "date"}, "Feb 28, 2021"),
    ("It happened in 2021.", {"kind": "date"}, "2021"),
    # fields, blocks, patterns, functions
    ('Sure: {"answer": {"value": 42}, "sure": true}', {"kind": "number", "field": "answer.value"}, "42"),
    ("<result>41</result> <result>42</result>", {"tag": "result"}, "42"),
    ("<result>42", {"tag": "result"}, "42"),
    (CODE, {"kind": "code"}, "puts(1);"),
    (CODE, {"kind": "code", "language": "python"}, "print(1)"),
    ("value=41; value=42;", {"pattern": r"value=(\d+)"}, "42"),
    ("42 is it", {"function": lambda text: text.split()[0]}, "42"),
    # thinking and truncation
    ("<think>The answer is 41.</think>The answer is 42.", {}, "42"),
    (r"\boxed{42} which means", {"truncated": True}, "42"),
]


@pytest.mark.parametrize(("text", "options", "found"), FOUND)
def test_the_final_answer_is_found(text: str, options: dict[str, Any], found: str) -> None:
    answer = extract(text, **options)
    assert answer is not None
    assert answer.text.strip() == found


ABSTENTIONS: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    (" \n\t ", {}),
    ("I cannot answer this question.", {}),
    ("I don't know.", {}),
    ("I'm sorry, but I cannot help with that.", {}),
    ("I'm sorry, but I can't assist with this request.", MATH),
    ("<think>The answer is 42.", {}),
    (r"\boxed{\frac{1", MATH),
    ("so we multiply 6 by 7 and", {"truncated": True}),
    ("The answer is 4", {"truncated": True}),
    ("<result>4", {"tag": "result", "truncated": True}),
    ("no answer here", {"tag": "result"}),
    ("no block", {"kind": "code", "language": "python"}),
    # several options, ranges and open bounds
    ("either A or B", {"kind": "choice"}),
    ("The answer is either A or B.", {"kind": "choice"}),
    ("The answer is A, B or C.", {"kind": "choice"}),
    ("It could be option A or option B", {"kind": "choice"}),
    ("Options A and C are correct.", {"kind": "choice"}),
    ("The answer is between 5 and 7.", NUMBER),
    ("between 5 and 7", NUMBER),
    ("5 to 7", NUMBER),
    ("The answer is 5 to 7.", NUMBER),
    ("The answer is less than 5.", NUMBER),
    ("It is more than 5", NUMBER),
    # no calculations
    ("11:30 AM", {"kind": "expression"}),
    ("10 : 2", {"kind": "expression"}),
    ("5 + x", {"kind": "expression"}),
    ("2020-03-04", {"kind": "expression"}),
    ("3!", {"kind": "expression"}),
    # contradictions and days that are not
    ("Yes, it is false.", {"kind": "boolean"}),
    ("No, that is true.", {"kind": "boolean"}),
    ("Yes and no", {"kind": "boolean"}),
    ("Feb 30, 2021", {"kind": "date"}),
    ("It was 30 Feb 2021.", {"kind": "date"}),
    # left open
    *(
        (text, {"kind": kind})
        for text in ("...", "-", "—", "___", "The answer is -.")
        for kind in KINDS
        if kind != "whole"  # whose answer is whatever was written
        if kind != "code"
    ),
    ("<result>—</result>", {"tag": "result"}),
]


@pytest.mark.parametrize(("text", "options"), ABSTENTIONS)
def test_what_has_no_answer_abstains(text: str, options: dict[str, Any]) -> None:
    assert extract(text, **options) is None


@pytest.mark.parametrize(
    "text",
    [
        "{" * 200_000,
        r"\frac{" * 50_000,
        "(" * 100_000 + "1" + ")" * 100_000,
        r"\boxed{" * 50_000,
        "9" * 1_000_000,
        "x^" * 50_000 + "2",
        "\x00" * 1000 + "42\x00",
        "\udcff\ud800 42",
        "[" * 100_000 + "]" * 100_000,
    ],
    ids=["braces", "fractions", "brackets", "boxes", "digits", "powers", "NUL", "surrogates", "lists"],
)
def test_hostile_texts_are_read_or_abstain(text: str) -> None:
    for kind in KINDS:
        answer = extract(text, kind=kind)
        assert answer is None or isinstance(answer.key, str)


def test_options_in_brackets_are_a_set_of_them_and_no_formula() -> None:
    for text in ("(A) and (C)", "(C), (A)", "The answer is (A) and (C)."):
        answer = extract(text)
        assert answer is not None
        assert answer.key == "c:AC"


def test_dots_and_dashes_do_not_vote() -> None:
    vote = majority_vote(["...", "-", "—", "42"])
    assert vote.answer is not None
    assert (vote.answer.key, vote.abstentions) == ("n:42", 3)


def test_three_truncated_texts_and_twice_42_are_42_with_two_fifths() -> None:
    vote = majority_vote([None, "42", None, "42", None])
    assert vote.answer is not None
    assert (vote.answer.key, vote.share, vote.abstentions) == ("n:42", 0.4, 3)


def test_two_equal_votes_of_two_do_not_stop_at_95_per_cent() -> None:
    assert BetaStop(confidence=0.95).should_stop(Tally.of([2])) is None
    assert BetaStop(confidence=0.95).should_stop(Tally.of([5])) is not None
