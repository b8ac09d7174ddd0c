"""Programs judged by their tests."""

import dataclasses
import shutil

import anyio
import pytest

from orchestrator import BestOfN, Budget, Controller, Outcome, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import DeadlineExceededError, InvalidInputError, SandboxMissingError
from orchestrator.sandbox import Assertion, Call, Limits, RunResult, Script, Status, TestResult
from orchestrator.types import Candidate, Sample
from orchestrator.verifiers.execution import Execution, code_of, read_tests

needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="apt install bubblewrap")

ADD = "def add(a, b):\n    return a + b"
SUBTRACT = "def add(a, b):\n    return a - b"


def candidate(text, *, kind="code"):
    return Candidate(sample=Sample(text=text), answer=AnswerReader(kind=kind).read(text))


def problem(tests, **fields):
    return Problem(id="p", prompt="def add(a, b):\n", tests=tests, fields=fields)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recorder:
    """A sandbox that runs nothing: all tests of a code pass, or none, as its text says."""

    limits: Limits = dataclasses.field(default_factory=Limits)
    ran: list = dataclasses.field(default_factory=list, compare=False)

    async def run(self, program):
        self.ran.append(program)
        await anyio.lowlevel.checkpoint()
        if "slow" in program.code:
            await anyio.sleep_forever()
        failed = TestResult(status=Status.FAILED, message="m" * 2000)
        result = TestResult(status=Status.PASSED) if "right" in program.code else failed
        return RunResult(tests=(result,) * len(program.tests))


CHECK = "def check(candidate):\n    assert candidate(2, 3) == 5\n    assert candidate(1, 0) == 1\n"


@needs_bubblewrap
@pytest.mark.parametrize(
    ("tests", "fields", "reason"),
    [
        ("assert add(2, 3) == 5", {}, "assert add(2, 3) == 5 failed: got -1"),
        (["assert add(1, 0) == 1", "assert add(2, 3) == 5"], {}, "assert add(2, 3) == 5 failed: got -1"),
        (CHECK, {"entry_point": "add"}, "assert add(2, 3) == 5 failed: got -1"),
        ([{"call": "add(2, 3)", "expected": 5}], {}, "add(2, 3) gave -1, expected 5"),
        ('[{"call": "add(2, 3)", "expected": 5}]', {}, "add(2, 3) gave -1, expected 5"),
    ],
)
async def test_read_tests_every_form_tell_right_from_wrong(tests, fields, reason):
    scores = await Execution().score(None, problem(tests, **fields), [candidate(ADD), candidate(SUBTRACT)])
    assert [score.value for score in scores] == [1.0, 0.0]
    assert [score.reason for score in scores] == ["", reason]


@needs_bubblewrap
async def test_scripts_are_judged_by_what_they_print():
    doubles, wrong = "print(2 * int(input()))", "print(input())"
    asked = problem([{"stdin": "4", "stdout": "8\n"}])
    scores = await Execution().score(None, asked, [candidate(doubles), candidate(wrong)])
    assert [score.value for score in scores] == [1.0, 0.0]
    assert scores[1].reason == "line 1 of the output is '4', expected '8'"


@needs_bubblewrap
async def test_the_share_counts_every_assertion_and_the_steps_say_which():
    verifier = Execution(all_or_nothing=False)
    [score] = await verifier.score(None, problem(CHECK, entry_point="add"), [candidate(SUBTRACT)])
    assert (score.value, score.steps) == (0.5, (0.0, 1.0))
    state = "x = []\nx.append(add(1, 1))\nassert x == [2]\nx.append(add(2, 0))\nassert x[1] == 2"
    [score] = await verifier.score(None, problem(state), [candidate(SUBTRACT)])
    assert (score.value, score.steps) == (0.5, (0.0, 1.0))


@needs_bubblewrap
async def test_a_prefix_makes_a_program_of_a_continuation():
    verifier = Execution(prefix="{{ prompt }}", seconds=2)
    scores = await verifier.score(
        None, problem("assert add(2, 3) == 5"), [candidate("    return a + b\n", kind="text")]
    )
    assert scores[0].value == 1.0, scores[0].reason


@needs_bubblewrap
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "def add(a, b):\n    return a / 0",
            "raised ZeroDivisionError: division by zero (line 2: return a / 0)",
        ),
        ("def add(a, b:", "SyntaxError: '(' was never closed (line 1: def add(a, b:)"),
        ("def sub(a, b): return 1", "name 'add' is not defined; does the program define it?"),
        ("def add(a, b):\n    while True: pass", "took longer than 1 seconds"),
    ],
)
async def test_the_reason_is_what_a_model_needs_to_repair_it(code, reason):
    [score] = await Execution(seconds=1).score(None, problem("assert add(2, 3) == 5"), [candidate(code)])
    assert score.value == 0.0
    assert reason in score.reason


async def test_equal_programs_are_run_once_even_side_by_side():
    sandbox = Recorder()
    verifier = Execution(sandbox=sandbox)
    asked = problem(["assert True", "assert 1"])
    scores = await verifier.score(None, asked, [candidate("right"), candidate("wrong"), candidate("right")])
    assert [score.value for score in scores] == [1.0, 0.0, 1.0]
    await verifier.score(None, asked, [candidate("right")])
    assert len(sandbox.ran) == 2
    await verifier.score(None, problem(["assert True"]), [candidate("right")])
    assert len(sandbox.ran) == 3


async def test_reasons_are_bounded():
    [score] = await Execution(sandbox=Recorder()).score(None, problem("assert 1"), [candidate("wrong")])
    assert len(score.reason) == 1000


async def test_it_abstains_without_tests_and_without_a_program():
    verifier = Execution(sandbox=Recorder())
    assert (await verifier.score(None, problem(None), [candidate("right")]))[0].value is None
    cut = candidate("Here it is:\n```python\ndef f(")
    assert (await verifier.score(None, problem("assert 1"), [cut]))[0].value in (None, 0.0)
    assert (await verifier.score(None, problem("assert 1"), [candidate("  ")]))[0].value is None


async def test_what_the_deadline_left_no_time_for_is_abstained_on():
    class Asking:
        async def __call__(self, ctx, asked):
            self.scores = await ctx.score(
                Execution(sandbox=Recorder()), asked, [candidate("right"), candidate("slow")]
            )
            with pytest.raises(DeadlineExceededError):
                await ctx.score(Execution(sandbox=Recorder()), asked, [candidate("slow")])
            return Outcome()

    program = Asking()
    async with Controller(models={"m": ScriptedBackend(["x"])}, budget=Budget(seconds=0.2)) as controller:
        await controller.run(program, problem("assert 1"))
    assert [score.value for score in program.scores] == [1.0, None]


async def test_without_a_sandbox_it_refuses_with_the_line_that_installs_one(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxMissingError, match="apt install bubblewrap"):
        await Execution().score(None, problem("assert 1"), [candidate("x = 1")])


@needs_bubblewrap
async def test_best_of_n_stops_at_the_first_program_that_passes():
    texts = [f"```python\n{SUBTRACT}\n```", f"Sure:\n```python\n{ADD}\n```", "never read"]
    program = BestOfN(n=2, verifier=Execution())
    async with Controller(
        models={"m": ScriptedBackend(texts)}, answers=AnswerReader(kind="code")
    ) as controller:
        outcome = await controller.run(program, problem("assert add(2, 3) == 5"))
    assert outcome.answer.text.strip() == ADD
    assert outcome.confidence == 1.0


def test_a_program_is_the_answer_the_last_block_or_the_text():
    assert code_of(candidate("Sure:\n```python\nx = 1\n```\n")).strip() == "x = 1"
    assert code_of(candidate("    return 1", kind="text")) == "    return 1"
    assert code_of(candidate("\ufeffx = 1", kind="text")) == "x = 1"
    assert code_of(candidate("```python\n\ufeffx = 1\n```")).strip() == "x = 1"
    assert code_of(candidate("```\nx\n```\nthen\n```py\ny\n```", kind="text")).strip() == "y"
    assert code_of(candidate("```python\nnever closed", kind="text")) is None


def test_tests_are_read_in_every_form():
    assert read_tests(problem("")) == ()
    assert read_tests(problem({"stdin": "1", "stdout": "2"})) == (Script(stdin="1", stdout="2"),)
    assert read_tests(problem([{"call": "f()", "expected": None}])) == (Call(call="f()", expected=None),)
    assert read_tests(problem("assert 1\nassert 2"), split=True) == (
        Assertion(source="assert 1"),
        Assertion(source="assert 2"),
    )


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        (["assert 1", "assert ("], "test 2: not Python"),
        ([{"call": "f()"}], r"test 1: expected code, .*not \{'call'"),
        (3, "must be code or a list, not int"),
        ("assert f(1) == " + "-" * 200_000 + "1", "test 1: not Python: "),
        ("[" * 100_000, "test 1: not Python: "),
        (
            "assert 1\n" * 1_000_000,
            "problem 'p': the tests have 9,000,000 characters of code, at most 262,144",
        ),
        (["assert 1\n" * 20_000] * 2, "the tests have 360,000 characters of code"),
    ],
)
def test_tests_that_make_no_sense_are_refused(tests, words):
    with pytest.raises(InvalidInputError, match=words):
        read_tests(problem(tests))


def test_assertions_that_split_into_too_much_are_refused():
    """Two thousand assertions, each after all the statements before it: quadratic."""
    tests = "x = f(1)\nassert x == 1\n" * 2000
    assert len(read_tests(problem(tests))) == 1
    with pytest.raises(InvalidInputError, match=r"2000 assertions, .* judge it with all_or_nothing"):
        read_tests(problem(tests), split=True)


def test_two_verifiers_with_the_same_parameters_are_one():
    assert Execution() == Execution()
    assert hash(Execution(seconds=1)) == hash(Execution(seconds=1))
    assert Execution() != Execution(all_or_nothing=False)
    with pytest.raises(InvalidInputError, match="seconds must be above 0"):
        Execution(seconds=0)


async def test_the_prefix_of_a_chat_is_what_it_says():
    sandbox = Recorder()
    turns = ({"role": "user", "content": "def add(a, b):\n"},)
    asked = Problem(id="p", messages=turns, tests="assert add(1, 2) == 3")
    await Execution(prefix="{{ prompt }}", sandbox=sandbox).score(
        None, asked, [candidate("    return a + b")]
    )
    assert [program.code for program in sandbox.ran] == [ADD]
