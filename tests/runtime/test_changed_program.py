import sqlite3

import pytest

from orchestrator import Budget, Controller, Problem, SelfConsistency, Single
from orchestrator.backends import FunctionBackend
from orchestrator.errors import InvalidInputError, JournalMismatchError
from orchestrator.runtime import Journal
from orchestrator.runtime.identity import difference, program_hash, program_text
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
    from orchestrator import Prompt, loads
    from orchestrator.answers import AnswerReader

    text = "version: 1\nmodels: {m: {local: x}}\nbudget: {usd: 1}\nprogram: {best_of_n: {verifier: consistency}}\n"
    prompt, answers = Prompt(system="Be brief."), AnswerReader(kind="number")
    assert program_text(loads(text), answers, prompt, {"m": {"model": "x"}}) == (
        "models:\n  m: {model: x}\nprompt: {system: Be brief.}\nanswer: {kind: number}\n"
        "program:\n  best_of_n: {verifier: consistency}\n"
    )


def test_a_changed_program_is_allowed_for_resuming_alone():
    with pytest.raises(InvalidInputError, match="resume=True"):
        Controller(models={"m": counting()[0]}, allow_changed_program=True)
