import copy
import enum
import functools
import re
import sqlite3
import threading
from collections import OrderedDict
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from orchestrator import Budget, Controller, Model, Problem, Prompt, SelfConsistency, Single, loads
from orchestrator.answers import AnswerReader
from orchestrator.backends import FunctionBackend, HttpBackend, ScriptedBackend
from orchestrator.errors import InvalidInputError, JournalMismatchError
from orchestrator.primitives import Branch, Return, Sample, Steps
from orchestrator.runtime import Journal
from orchestrator.runtime.identity import difference, models_text, program_hash, program_text
from orchestrator.stopping import FixedSize
from orchestrator.strategies import BestOfN
from orchestrator.types import Outcome
from orchestrator.verifiers import Predicate


def counting():
    sent = []

    async def answer(request):
        sent.append(request)
        return "4"

    return FunctionBackend(answer), sent


async def run(path, program, *, problems=("a", "b"), **options):
    backend, sent = counting()
    async with Controller(models={"m": backend}, journal=str(path), **options) as controller:
        outcomes = [await controller.run(program, Problem(id=id, prompt="2 + 2?")) for id in problems]
    return outcomes, len(sent)


async def test_another_program_is_refused_with_what_differs(tmp_path):
    await run(tmp_path / "run.db", SelfConsistency(n=2))
    with pytest.raises(JournalMismatchError) as caught:
        await run(tmp_path / "run.db", SelfConsistency(n=3), resume=True)
    assert "belongs to another program" in str(caught.value)
    assert "--allow-changed-program" in str(caught.value)
    assert caught.value.diff.splitlines() == [
        "--- journal",
        "+++ now",
        "@@ -2,3 +2,3 @@",
        "   m: {model: answer}",
        " program:",
        "-  self_consistency: {n: 2}",
        "+  self_consistency: {n: 3}",
    ]


async def test_a_changed_program_that_is_allowed_meets_the_calls_it_makes_as_well(tmp_path):
    path = tmp_path / "run.db"
    two, three = (SelfConsistency(n=n, stop=FixedSize()) for n in (2, 3))
    _, sent = await run(path, two)
    assert sent == 4
    outcomes, sent = await run(path, three, resume=True, allow_changed_program=True)
    assert sent == 2  # the third sample of each problem
    assert [len(outcome.candidates) for outcome in outcomes] == [3, 3]
    assert outcomes[0].usage.requests == 3

    _, sent = await run(path, three, resume=True)  # it is the journal's program now
    assert sent == 0
    with pytest.raises(JournalMismatchError):
        await run(path, two, resume=True)


async def test_a_program_that_is_changed_back_meets_its_calls_and_their_samples_are_told(tmp_path):
    async def answer(request):
        sent.append(request)
        return f"{request.temperature:g}"

    path, problem = tmp_path / "run.db", Problem(id="p", prompt="?")
    one, other = (SelfConsistency(n=2, temperature=t, stop=FixedSize()) for t in (0.25, 0.5))
    for program, calls in ((one, 2), (other, 2), (one, 0), (other, 0), (one, 0)):
        sent, options = [], {"resume": True, "allow_changed_program": True}
        models = {"m": FunctionBackend(answer)}
        async with Controller(models=models, journal=str(path), **options) as controller:
            outcome = await controller.run(program, problem)
        assert len(sent) == calls
        journal = Journal(path, resume=True)
        for told in (outcome, *journal.outcomes()):
            assert [one.sample.text for one in told.candidates] == [f"{program.temperature:g}"] * 2
            assert [one.sample.call.ordinal for one in told.candidates] == [0, 1]
            assert told.usage.requests == (2 if program is one and calls else 4)
        journal.close()


async def test_what_the_earlier_program_finished_is_kept_apart(tmp_path):
    path = tmp_path / "run.db"
    await run(path, SelfConsistency(n=2))
    await run(path, Single(temperature=0.0), problems=("a",), resume=True, allow_changed_program=True)
    journal = Journal(path, resume=True)
    assert [outcome.problem for outcome in journal.outcomes()] == ["a"]
    journal.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT problem FROM superseded").fetchall() == [("a",), ("b",)]
        texts = [text for (text,) in connection.execute("SELECT text FROM programs ORDER BY id")]
    connection.close()
    assert ["self_consistency" in text for text in texts] == [True, False]


async def test_what_was_paid_stays_paid_when_the_program_changes(tmp_path):
    path = tmp_path / "run.db"
    await run(path, SelfConsistency(n=2), problems=("a",))
    options = {"resume": True, "allow_changed_program": True, "budget": Budget(requests=3)}
    [outcome], sent = await run(path, SelfConsistency(n=5, temperature=0.1), problems=("a",), **options)
    assert sent == 1
    assert outcome.usage.requests == 3


async def test_an_old_journal_without_the_text_says_both_descriptions(tmp_path):
    path = tmp_path / "run.db"
    await run(path, SelfConsistency(n=2))
    with sqlite3.connect(path) as connection:
        connection.executescript("DROP TABLE programs; DROP TABLE superseded;")
    connection.close()
    with pytest.raises(JournalMismatchError) as caught:
        await run(path, SelfConsistency(n=3), resume=True)
    assert caught.value.diff == ""
    assert "journal: SelfConsistency(" in str(caught.value)
    assert "now:     SelfConsistency(" in str(caught.value)
    _, sent = await run(path, SelfConsistency(n=2), resume=True)
    assert sent == 0


def is_right(problem, candidate):
    return candidate.answer is not None


async def first(ctx, problem):
    sample = await ctx.complete(problem.prompt)
    return Outcome(answer=ctx.answers.read(sample.text), confidence=1.0)


async def second(ctx, problem):
    sample = await ctx.complete(problem.prompt, temperature=0.5)
    return Outcome(answer=ctx.answers.read(sample.text), confidence=1.0)


async def test_functions_are_compared_by_their_source(tmp_path):
    await run(tmp_path / "run.db", first)
    with pytest.raises(JournalMismatchError) as caught:
        await run(tmp_path / "run.db", second, resume=True)
    assert "+  |     sample = await ctx.complete(problem.prompt, temperature=0.5)" in caught.value.diff


async def test_what_no_file_can_say_is_outlined(tmp_path):
    await run(tmp_path / "run.db", BestOfN(n=2, verifier=Predicate(function=is_right)))
    with pytest.raises(JournalMismatchError) as caught:
        await run(tmp_path / "run.db", BestOfN(n=3, verifier=Predicate(function=is_right)), resume=True)
    assert [line for line in caught.value.diff.splitlines() if line[0] in "+-"][2:] == ["-  n: 2", "+  n: 3"]


def test_a_difference_is_of_bounded_length():
    found = difference("".join(f"{n}\n" for n in range(500)), "x" * 1000 + "\n").splitlines()
    assert len(found) == 61
    assert found[-1] == "… and 444 lines more"
    assert max(len(line) for line in found) <= 200
    assert difference("a\n", "a\n") == ""


def test_programs_that_are_equal_have_one_hash():
    assert program_hash(Single(temperature=1)) == program_hash(Single(temperature=1.0))
    assert program_hash(Single(temperature=1)) != program_hash(Single(temperature=2))
    assert program_hash(SelfConsistency(n=1)) != program_hash(SelfConsistency(n=2))


def test_a_text_has_what_the_hash_has_and_nothing_else():
    text = "version: 1\nmodels: {m: {local: x}}\nbudget: {usd: 1}\nprogram: {best_of_n: {verifier: consistency}}\n"
    prompt, answers = Prompt(system="Be brief."), AnswerReader(kind="number")
    assert program_text(loads(text), answers, prompt, {"m": {"model": "x"}}) == (
        "models:\n  m: {model: x}\nprompt: {system: Be brief.}\nanswer: {kind: number}\n"
        "program:\n  best_of_n: {verifier: consistency}\n"
    )


def test_a_changed_program_is_allowed_for_resuming_alone():
    with pytest.raises(InvalidInputError, match="resume=True"):
        Controller(models={"m": counting()[0]}, allow_changed_program=True)


# What decides what a program does -----------------------------------------------------------------------


SIDES = """
version: 1
models: {{m: {{local: x}}}}
program:
  steps:
    - id: s
      parallel:
        {}
        {}
    - return: s.values[0]
"""
A, B = "a: [{id: x, sample: {n: 1}}]", "b: [{id: y, sample: {n: 2}}]"


def test_the_order_of_parallel_blocks_is_part_of_a_program():
    there, back = loads(SIDES.format(A, B)).strategy, loads(SIDES.format(B, A)).strategy
    assert there != back
    assert program_hash(there) != program_hash(back)
    assert there == loads("# a comment\n" + SIDES.format(A, B)).strategy
    texts = [program_text(one, AnswerReader(), Prompt(), {}) for one in (there, back)]
    assert "a:" in difference(*texts)


async def refused(path, first, second, program=None):
    """What is shown when what ran with the models `first` is resumed with `second`."""
    program = program or Single(temperature=0.0)
    for resume, given in ((False, first), (True, second)):
        async with Controller(models=given, journal=str(path), resume=resume) as controller:
            if not resume:
                await controller.run(program, Problem(id="p", prompt="2 + 2?"))
                continue
            with pytest.raises(JournalMismatchError) as caught:
                await controller.run(program, Problem(id="p", prompt="2 + 2?"))
    return [line for line in caught.value.diff.splitlines() if line[0] in "+-"][2:]


async def test_the_order_of_models_is_part_of_a_program(tmp_path):
    one, other = counting()[0], counting()[0]
    shown = await refused(tmp_path / "run.db", {"a": one, "b": other}, {"b": other, "a": one})
    assert sorted(shown) == ["+  b: {model: answer}", "-  b: {model: answer}"]  # moved


async def test_a_model_that_is_sampled_otherwise_is_another(tmp_path):
    first = {"m": Model(backend=counting()[0], sampling={"temperature": 0.5})}
    second = {"m": Model(backend=counting()[0], sampling={"temperature": 1.0, "top_p": 0.9})}
    assert await refused(tmp_path / "run.db", first, second) == [
        "-    sampling: {temperature: 0.5}",
        "+    sampling: {temperature: 1, top_p: 0.9}",
    ]


async def test_another_model_under_the_same_name_is_another(tmp_path):
    first = {"m": ScriptedBackend(lambda _: "4", name="small")}
    second = {"m": ScriptedBackend(lambda _: "4", name="large")}
    assert await refused(tmp_path / "run.db", first, second) == [
        "-  m: {model: small}",
        "+  m: {model: large}",
    ]


def test_where_a_model_is_served_and_what_it_costs_is_not_part_of_a_program():
    first = Model(
        backend=HttpBackend(base_url="http://a/v1", model="x", api_key="k", price={"input": 1, "output": 2}),
        sampling={"temperature": 1, "top_p": None},
        concurrency=3,
    )
    second = Model(backend=HttpBackend(base_url="http://b/v1", model="x"), sampling={"temperature": 1.0})
    assert program_hash(models_text({"m": first})) == program_hash(models_text({"m": second}))


def limited(usd):
    steps = (Branch(id="b", budget=Budget(usd=usd), steps=(Sample(id="s", n=3),)), Return(value="b.s"))
    return Steps(steps=steps)


def test_money_is_compared_by_its_amount():
    assert (
        program_hash(limited(Decimal("0.5"))) == program_hash(limited("0.50")) == program_hash(limited(0.5))
    )
    assert program_hash(limited(Decimal("0.5"))) != program_hash(limited(Decimal("5")))
    texts = [program_text(limited(Decimal(usd)), AnswerReader(), Prompt(), {}) for usd in ("0.5", "5")]
    changed = [line for line in difference(*texts).splitlines() if "usd" in line]
    assert changed == ['-        budget: {usd: "0.5"}', '+        budget: {usd: "5"}']


class Kind(enum.Enum):
    ONE = 1
    TWO = 2


class Checker:
    def __init__(self, least):
        self.least, self.itself = least, self

    def check(self, problem, candidate):
        return len(candidate.text) >= self.least


@pytest.mark.parametrize(
    "kinds",
    [
        (Decimal(1), Decimal(2), Fraction(1, 3), Fraction(2, 3)),
        (Path("a"), Path("b"), "a", "b"),
        (Kind.ONE, Kind.TWO, 1),
        (re.compile("a"), re.compile("a", re.I), re.compile("b")),
        (frozenset("abc"), frozenset("abd"), set()),
        (date(2020, 1, 2), date(2020, 1, 3)),
        (Checker(1), Checker(2)),
        (Checker(1).check, Checker(2).check),
        (len, sorted, str, int, "ab".startswith),
        (complex(1, 2), complex(2, 1), 1.0, 1, True, b"1", "1", None),
        ({1: 2}, {"1": 2}, [1, 2], {1, 2}),
        (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
        (range(3), range(4)),
    ],
)
def test_values_that_differ_have_hashes_that_do(kinds):
    assert len({program_hash(Predicate(function=kind)) for kind in kinds}) == len(kinds)
    assert [program_hash(kind) for kind in kinds] == [program_hash(copy.deepcopy(kind)) for kind in kinds]


def test_the_order_of_keys_does_not_matter_elsewhere():
    assert program_hash({"a": 1, "b": 2}) == program_hash({"b": 2, "a": 1})


async def test_what_cannot_be_told_from_others_is_refused_before_anything_is_sent(tmp_path):
    backend, sent = counting()
    async with Controller(models={"m": backend}, journal=str(tmp_path / "run.db")) as controller:
        program = BestOfN(verifier=Predicate(function=functools.partial(is_right, threading.Lock())))
        with pytest.raises(InvalidInputError, match="a lock in it says nothing by which it could"):
            await controller.run(program, Problem(id="p", prompt="2 + 2?"))
    assert sent == []


async def test_a_program_that_counts_in_itself_is_the_same_program(tmp_path):
    class Counting:
        def __init__(self):
            self.runs = 0

        async def __call__(self, ctx, problem):
            self.runs += 1
            return await first(ctx, problem)

    outcomes, sent = await run(tmp_path / "run.db", Counting())
    assert len(outcomes) == sent == 2
