"""What an earlier run has left in its journal, read without touching it."""

import sqlite3

import pytest

from orchestrator import Budget, Controller, Problem, SelfConsistency
from orchestrator.backends import ScriptedBackend
from orchestrator.errors import InvalidInputError, JournalMismatchError
from orchestrator.runtime.earlier import EarlierRun
from orchestrator.stopping import FixedSize

FOUR = SelfConsistency(n=4, stop=FixedSize(), max_tokens=5)
A, B = Problem(id="a", prompt="2 + 2?"), Problem(id="b", prompt="3 + 3?")


async def run(program, *problems, journal, **options):
    backend = ScriptedBackend(lambda request: "4", name="m", price={"input": 1, "output": 2})
    async with Controller(models={"m": backend}, journal=str(journal), **options) as controller:
        for problem in problems:
            await controller.run(program, problem)


def forget_a_result(journal):
    """Leave the journal as a process that was killed during its last call."""
    with sqlite3.connect(journal) as connection:
        connection.execute("DELETE FROM results WHERE call = (SELECT max(call) FROM results)")
        connection.execute(
            "DELETE FROM outcomes WHERE problem = (SELECT problem FROM calls ORDER BY id DESC)"
        )
    connection.close()


async def test_it_tells_what_was_spent_on_each_problem_and_which_are_finished(tmp_path):
    journal = tmp_path / "run.db"
    await run(FOUR, A, journal=journal)
    with EarlierRun(journal) as earlier:
        assert (earlier.charged().requests, earlier.spent(A).requests, earlier.spent(B).requests) == (4, 4, 0)
        assert (earlier.finished(A), earlier.finished(B)) == (True, False)
        with pytest.raises(JournalMismatchError, match="asked something else"):
            earlier.finished(Problem(id="a", prompt="another"))
        assert not earlier.finished(
            Problem(id="a", prompt="2 + 2?", reference="4")
        )  # what is judged by has changed


async def test_a_problem_that_its_budget_cut_short_is_not_finished(tmp_path):
    journal = tmp_path / "run.db"
    await run(FOUR, A, journal=journal, budget=Budget(requests=3))
    with EarlierRun(journal) as earlier:
        assert (earlier.charged().requests, earlier.finished(A)) == (3, False)


async def test_a_call_in_doubt_counts_at_its_worst_case(tmp_path):
    journal = tmp_path / "run.db"
    await run(FOUR, A, journal=journal)
    forget_a_result(journal)
    with EarlierRun(journal) as earlier:
        expected = earlier.expected()
        assert earlier.charged().completion_tokens == earlier.spent(A).completion_tokens == 3 * 1 + 5
        assert [call.cost.completion_tokens for call in expected.calls] == [1, 1, 1, 5]
        assert not earlier.finished(A)


async def test_problems_that_an_earlier_program_has_begun_are_left_out_of_what_is_expected(tmp_path):
    journal = tmp_path / "run.db"
    await run(FOUR, A, journal=journal)
    two = SelfConsistency(n=2, stop=FixedSize(), max_tokens=7)
    await run(two, A, B, journal=journal, resume=True, allow_changed_program=True)
    with EarlierRun(journal) as earlier:
        found = earlier.expected()
        assert ({call.problem for call in found.calls}, len(found.calls)) == ({"b"}, 2)
        assert (found.problems, found.left_out) == (1, 1)
        found = earlier.expected(mixed=True)
        assert (len(found.calls), found.problems, found.left_out) == (8, 2, 0)


async def test_nothing_is_written_while_it_is_read_and_a_run_may_have_it_open(tmp_path):
    journal = tmp_path / "run.db"
    await run(FOUR, A, journal=journal)
    before = journal.read_bytes()
    async with Controller(
        models={"m": ScriptedBackend(lambda request: "4")}, journal=str(journal), resume=True
    ):
        with EarlierRun(journal) as earlier:
            assert earlier.charged().requests == 4
    assert journal.read_bytes() == before


async def test_a_journal_of_an_earlier_version_has_no_programs(tmp_path):
    journal = tmp_path / "run.db"
    await run(FOUR, A, journal=journal)
    with sqlite3.connect(journal) as connection:
        connection.execute("DROP TABLE programs")
        connection.execute("DROP TABLE superseded")
    connection.close()
    with EarlierRun(journal) as earlier:
        assert earlier.expected().problems == 1


def test_what_is_no_journal_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="there is no journal"):
        EarlierRun(tmp_path / "none.db")
    text, other, empty = tmp_path / "a.txt", tmp_path / "other.db", tmp_path / "empty.db"
    text.write_text("words " * 1000)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE run (id)")
    connection.close()
    empty.touch()
    for path in (text, other, empty):
        with pytest.raises(InvalidInputError, match="is no journal"):
            EarlierRun(path)
