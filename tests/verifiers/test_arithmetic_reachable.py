"""Whether what is left can still make the target: by hand, against trying everything, and on hostile input."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.reachable import made_from

from orchestrator.answers import AnswerReader
from orchestrator.errors import InvalidInputError
from orchestrator.types import Candidate, Problem, Sample
from orchestrator.verifiers import ArithmeticReachable
from orchestrator.verifiers.arithmetic_reachable import reachable

READER = AnswerReader(kind="text", pattern=r"(?m)^Answer: *(.+)$")

small = st.lists(st.integers(-3, 13), min_size=1, max_size=4)


def judged(text, numbers="4 5 6 10", **options):
    candidate = Candidate(sample=Sample(text=text), answer=READER.read(text))
    return ArithmeticReachable(**options).judge(Problem(id="p", tests=numbers), candidate)


def verdict(text, numbers="4 5 6 10", **options):
    return judged(text, numbers, **options).value


def fractions(numbers):
    return [Fraction(number) for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "target", "answer"),
    [
        ([24], 24, True),
        ([6, 4], 24, True),
        ([5, 4], 24, False),
        ([0, 0], 0, True),
        ([3, 3, 8, 8], 24, True),  # 8 / (3 - 8 / 3)
        ([1, 1, 1, 1], 24, False),
        ([0, 5, 7, 9], 0, True),
        ([1, 3, 4, 5, 6], 99, True),  # (5 * 6 + 3) * (4 - 1)
        ([1, 3, 4, 5, 6], 100, True),  # 5 * (4 * 6 - 3 - 1)
        ([1, 1, 1, 1, 1, 1], 25, False),
        ([25, 50, 75, 100, 3, 6], 952, True),  # the Countdown of 1997: ((100 + 6) * 3 * 75 - 50) / 25
    ],
)
def test_what_numbers_can_make(numbers, target, answer):
    assert reachable(fractions(numbers), Fraction(target)) is answer


@given(numbers=small, data=st.data())
def test_it_makes_what_trying_everything_makes(numbers, data):
    everything = made_from(fractions(numbers))
    target = data.draw(
        st.one_of(st.sampled_from(sorted(everything)), st.fractions(-30, 30, max_denominator=9))
    )
    assert reachable(fractions(numbers), target) is (target in everything)


@given(numbers=st.lists(st.integers(0, 10), min_size=1, max_size=3), target=st.integers(-5, 60))
def test_without_use_all_any_of_the_numbers_may_be_left_out(numbers, target):
    some = [part for size in range(1, len(numbers) + 1) for part in combinations(fractions(numbers), size)]
    expected = any(Fraction(target) in made_from(part) for part in some)
    assert reachable(fractions(numbers), Fraction(target), use_all=False) is expected


@given(numbers=st.lists(st.integers(1, 9), min_size=5, max_size=5), seed=st.randoms(use_true_random=False))
def test_an_expression_over_five_numbers_is_found(numbers, seed):
    values = fractions(numbers)
    while len(values) > 1:
        a, b = values.pop(seed.randrange(len(values))), values.pop(seed.randrange(len(values)))
        values.append(seed.choice([a + b, a - b, a * b, *([a / b] if b else [])]))
    assert reachable(fractions(numbers), values[0])


def test_without_a_step_all_numbers_are_left():
    assert verdict("") == 1.0
    assert verdict("", "1 1 1 1") == 0.0


def test_the_numbers_after_the_last_step_count():
    assert verdict("10 - 4 = 6 (left: 5 6 6)") == 1.0  # 5 * 6 - 6
    assert verdict("10 - 4 = 6 (left: 5 6 6)\n5 * 6 = 30 (left: 6 30)") == 1.0
    assert verdict("10 - 4 = 6 (left: 5 6 6)\n6 + 6 = 12 (left: 5 12)") == 0.0
    assert judged("6 * 10 = 60 (left: 4 5 60)").reason == "24 cannot be made from 4, 5, 60"


@pytest.mark.parametrize(
    "step",
    [
        "8 / 3 = 2.67 (left: 2.67 3 8)",
        "8/3 = 2.66 (left: 3 2.66 8)",
        "8 ÷ 3 ≈ 2.6667 (left: 3, 8, 2.6667)",
        "8 / 3 = 8/3 (left: 8/3 3 8)",
        "- 8 / 3 = 2.67 (left: 2.67 3 8)",
    ],
)
def test_a_rounded_number_stands_for_the_exact_one(step):
    assert verdict(step, "3 3 8 8") == 1.0
    assert verdict(f"{step}\n3 - 2.67 = 0.33 (left: 0.33 8)", "3 3 8 8") == 1.0
    assert verdict("(left: 2.67 3 8)", "3 3 8 8") == 0.0  # by itself 2.67 is 267/100


def test_negative_numbers_are_read():
    assert verdict("4 - 5 = -1 (left: -1 6 10)\n6 - (-1) = 7 (left: 7 10)") == 0.0
    assert verdict("4 - 10 = -6 (left: -6 5 6)\n5 * -6 = -30 (left: -30 6)") == 0.0
    assert verdict("4 - 10 = -6 (left: -6 5 6)\n5 * 6 = 30 (left: -6 30)") == 1.0


def test_a_step_that_loses_a_number_is_taken_at_its_word_or_refused():
    lost = "4 * 6 = 24 (left: 24)"
    assert verdict(lost) == 1.0
    assert verdict(lost, follow=True) == 0.0
    assert "does not follow from 4, 5, 6, 10" in judged(lost, follow=True).reason


def test_a_last_line_with_an_answer_is_judged_as_one():
    steps = "10 - 4 = 6 (left: 5 6 6)\n5 * 6 = 30 (left: 6 30)\n30 - 6 = 24 (left: 24)\n"
    assert verdict(f"{steps}Answer: 5 * (10 - 4) - 6 = 24") == 1.0
    assert verdict(f"{steps}Answer: 5 * 6 - 6 = 24") == 0.0
    assert verdict(f"{steps}Answer: 24") is None


@pytest.mark.parametrize(
    "text",
    [
        "Let me think.",
        "10 - 4 = 6",
        "10 - 4 = 6 (left: five)",
        "10 - 4 = 6 (left: 5 6/0 6)",
        "10 - 4 = 6 (left: )",
        "prose\n10 - 4 = 6 (left: 5 6 6)",
        "4 + 5 = 9 (left: 1 2 3 4 5 6 7)",
        "x (left: " + "9" * 60 + ")",
    ],
)
def test_what_cannot_be_read_or_decided_is_an_abstention(text):
    assert verdict(text) is None


def test_a_problem_without_numbers_is_an_abstention():
    assert verdict("10 - 4 = 6 (left: 5 6 6)", None) is None


def test_the_target_may_be_the_problems_own():
    assert verdict("", {"numbers": [2, 5], "target": 10}) == 1.0
    assert verdict("", [2, 5], target=7) == 1.0
    assert verdict("", [2, 5, 100], target=7) == 0.0
    assert verdict("", [2, 5, 100], target=7, use_all=False) == 1.0


@pytest.mark.parametrize("target", [float("nan"), float("inf"), True])
def test_a_target_that_is_no_number_is_refused(target):
    with pytest.raises(InvalidInputError, match="target"):
        ArithmeticReachable(target=target)


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000,
        "1/" * 50_000 + " (left: 1 2)",
        "(" * 50_000 + " left: " + "(" * 50_000,
        "1 + " * 30_000 + "1 = 2 (left: 1)",
        "left: " * 20_000,
        "1 + 2 = 3 (left: 1 2 3)\n" * 5_000,
    ],
)
def test_hostile_text_is_read_in_a_moment(text):
    assert judged(text).value in (None, 0.0, 1.0)
