import gzip
import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import BestOfN, Controller, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import ReplayBackend, ScriptedBackend
from orchestrator.errors import InvalidInputError
from orchestrator.prompts import Prompt
from orchestrator.types import Candidate, Sample
from orchestrator.verifiers import ArithmeticTarget
from orchestrator.verifiers.arithmetic import expressions

RECORDED = Path(__file__).parents[1] / "data" / "game24_samples.jsonl.gz"
TEXT = AnswerReader(kind="text")


def verdict(text, numbers, *, reader=TEXT, **options):
    candidate = Candidate(sample=Sample(text=text), answer=reader.read(text))
    score = ArithmeticTarget(**options).judge(Problem(id="p", tests=numbers), candidate)
    return score.reason or score.value


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(4 + 8) * (6 - 4)", "4 4 6 8"),
        ("Answer: (4 + 8) * (6 - 4) = 24", "4 4 6 8"),
        (
            "Steps:\n4 + 8 = 12 (left: 4 6 12)\n6 - 4 = 2 (left: 2 12)\nAnswer: (4 + 8) * (6 - 4) = 24",
            "4 4 6 8",
        ),
        ("I get (4 + 8) × (6 − 4) = 12 × 2 = 24.", "4 4 6 8"),
        (r"\boxed{(4 + 8) \times \left(6 - 4\right) = 24}", "4 4 6 8"),
        (r"Done: $\frac{8}{3 - \frac{8}{3}} = 24$", "3 3 8 8"),
        ("8 ÷ (3 - 8 ÷ 3)", "3 3 8 8"),
        ("(4 + 8)(6 - 4)", "4 4 6 8"),
        ("[4 + 8] x {6 - 4}", "4 4 6 8"),
        ("**(4 + 8) * (6 - 4) = 24**", "4 4 6 8"),
        ("- (4 + 8) * (6 - 4) = 24", "4 4 6 8"),
        ("1. (4 + 8) * (6 - 4) = 24", "4 4 6 8"),
        ("Since 4 + 8 = 12 and 6 - 4 = 2, it is (4 + 8) * (6 - 4).", "4 4 6 8"),
        ("24 = (4 + 8) * (6 - 4)", "4 4 6 8"),
        ("-(4 - 10) * (5 - 1)", "1 4 5 10"),
        ("(10 - 4) * 5 - 6", [4, 5, 6, 10]),
    ],
)
def test_an_expression_that_uses_each_number_once_and_makes_24_is_right(text, numbers):
    assert verdict(text, numbers) == 1.0


@pytest.mark.parametrize(
    ("text", "numbers", "reason"),
    [
        ("(10 - 6) * (5 + 4)", "4 5 6 10", "equals 36, not 24"),
        ("(10 - 6) * (5 - 4) * 4 + 8", "4 5 6 10", "uses 4 twice, it is given once"),
        ("4 * 6", "4 5 6 10", "without 5, 10"),
        ("(10 - 4) * 4", "4 4 6 10", "without 6"),
        ("86 - 62", "2 6 6 8", "uses 86, which is not given"),
        ("6 * 8 / (2 / 1.0)", "2 6 8", "uses 1, which is not given"),
        ("8 / (3 - 3) + 8", "3 3 8 8", "divides by zero"),
        ("2^4 * 6 / 4", "2 4 4 6", "no expression"),
        ("4! * 1 * 1 * 1", "1 1 1 4", "no expression"),
        ("sqrt(16) * 6 * 1", "1 6 16", "no expression"),
        ("2 ** 4 + 8 * 1", "1 2 4 8", "no expression"),
        ("First 4 * 6 = 24\nAnswer: 2^4 * 6 = 96", "4 6", "no expression"),
        ("4 6 + 8", "4 6 8", "no expression"),
        ("(4 + 8 * (6 - 4", "4 4 6 8", "no expression"),
        ("there is no solution", "4 4 6 8", "no expression"),
        ("24", "4 4 6 8", "no expression"),
        ("", "4 4 6 8", "no expression"),
        ("(" * 5000 + "4 * 6" + ")" * 5000, "4 6", "no expression"),
        ("9" * 5000 + " - 4", "4 6", "no expression"),
    ],
)
def test_the_reason_says_what_is_wrong(text, numbers, reason):
    assert verdict(text, numbers) == reason


def test_a_sum_of_more_numbers_than_can_be_evaluated_is_not_read():
    (longest,) = expressions("+".join(["1"] * 80))
    assert longest.value() == 80
    for terms in (81, 3000, 100_000):
        assert expressions("+".join(["1"] * terms)) == []
    assert verdict("+".join(["1"] * 3000), "4 6") == "no expression"


def test_the_value_of_the_longest_numbers_can_be_told():
    number = "9" * 50
    assert verdict(" * ".join([number] * 80), [number] * 80).startswith("equals 9")
    small = "0." + "0" * 47 + "1"
    assert verdict(" / ".join([small] * 80), [small] * 80).startswith("equals 1")


def test_where_the_answer_is_a_bare_number_the_expression_is_looked_for_in_the_text():
    text = "(4 + 8) * (6 - 4) = 24\nThe answer is 24."
    assert AnswerReader(kind="number").read(text).text == "24"
    assert verdict(text, "4 4 6 8", reader=AnswerReader(kind="number")) == 1.0


def test_a_problem_may_set_its_own_target_and_leave_numbers_unused():
    countdown = {"numbers": [25, 50, 75, 100, 3, 6], "target": 952}
    text = "(100 + 6) * 3 * 75 / 50 + 25"
    assert verdict(text, countdown, use_all=False) == "equals 502, not 952"
    assert verdict("((100 + 6) * 3 * 75 - 50) / 25", countdown, use_all=False) == 1.0
    assert verdict("100 - 76", countdown, use_all=False) == "uses 76, which is not given"
    assert verdict("0.1 + 0.2", [0.1, "0.2"], target=0.3) == 1.0


def test_without_numbers_it_abstains_and_what_is_no_number_is_refused():
    assert verdict("4 * 6", None) == "the problem names no numbers"
    with pytest.raises(InvalidInputError, match=r"problem 'p': tests must be numbers .* not 'four'"):
        verdict("4 * 6", ["four", 6])
    with pytest.raises(InvalidInputError, match="tests must have `numbers`"):
        verdict("4 * 6", {"goal": 24})
    with pytest.raises(InvalidInputError, match="target must be a finite number, not nan"):
        ArithmeticTarget(target=float("nan"))


OPERATORS = {"+": Fraction.__add__, "-": Fraction.__sub__, "*": Fraction.__mul__, "/": Fraction.__truediv__}


def joined(parts):
    (left, a), sign, (right, b) = parts
    worthless = a is None or b is None or (sign == "/" and b == 0)
    return f"({left} {sign} {right})", None if worthless else OPERATORS[sign](a, b)


WRITTEN_WITH_VALUE = st.recursive(
    st.integers(0, 12).map(lambda number: (str(number), Fraction(number))),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(joined),
    max_leaves=6,
).filter(lambda written: "(" in written[0])


@given(WRITTEN_WITH_VALUE)
def test_values_are_those_of_fractions(written):
    text, value = written
    (found,) = expressions(text)
    assert found.value() == value


def recorded():
    with gzip.open(RECORDED, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_verdicts_are_those_recorded_with_the_samples():
    rule, different = ArithmeticTarget(), []
    for row in recorded():
        problem = Problem(id=row["id"], tests=row["numbers"])
        for text, right in zip(row["answers"], row["correct"], strict=True):
            score = rule.judge(problem, Candidate(sample=Sample(text=text), answer=TEXT.read(text)))
            if score.value != right:
                different.append((row["id"], text, score))
    assert not different


async def test_best_of_100_recorded_samples_solves_what_any_of_them_solves():
    numbers = {row["id"]: row["numbers"] for row in recorded()}
    replay = ReplayBackend.from_jsonl(RECORDED)
    problems = [
        Problem(id=one.id, prompt=numbers[one.id], tests=numbers[one.id]) for one in replay.problems()
    ]
    program = BestOfN(n=100, verifier=ArithmeticTarget(), per_call=100)
    solved = set()
    async with Controller(models={"gpt-4": replay}, answers=TEXT) as controller:
        async for outcome in controller.map(program, problems):
            if outcome.confidence == 1.0:
                solved.add(outcome.problem)
    assert solved == {row["id"] for row in recorded() if max(row["correct"])}
    assert (sum("io" in one for one in solved), sum("cot" in one for one in solved)) == (7, 10)


async def test_a_program_file_can_ask_for_it(tmp_path):
    from orchestrator import load

    path = tmp_path / "game.yaml"
    path.write_text(
        "version: 1\nmodels: {m: {local: gemma-3-270m}}\nanswer: {kind: text}\n"
        "program: {best_of_n: {n: 3, verifier: {arithmetic_target: 10}}}\n"
    )
    program = load(path)
    assert program.strategy.verifier == ArithmeticTarget(target=10)
    script = ScriptedBackend(["4 + 4", "4 + 6", "10"])
    async with Controller(models={"m": script}, answers=program.answers, prompt=Prompt()) as controller:
        outcome = await controller.run(program, Problem(id="p", prompt="4 6", tests=[4, 6]))
    assert outcome.answer.text == "4 + 6"
