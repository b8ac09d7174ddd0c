import sqlite3
import sys

import anyio
import pytest

from orchestrator.errors import JournalError, JournalMismatchError
from orchestrator.runtime import Journal
from orchestrator.runtime.journal import RunRecord, _Row
from orchestrator.types import (
    Answer,
    CallId,
    Candidate,
    Outcome,
    Price,
    Problem,
    Rating,
    Request,
    Sample,
    Score,
    StopReason,
    TokenLogprob,
    Usage,
)

RECORD = RunRecord(id="r", program="Single()", program_hash="h", seed=7, budget="Budget()")
PRICE = Price(input=100_000, output=400_000)


class FakeHold:
    worst_case = Usage(prompt_tokens=10, completion_tokens=100, requests=1, picodollars=41_000_000)


def request(ordinal=0, problem="p1", digest="d"):
    call = CallId(problem=problem, path="", ordinal=ordinal)
    messages = ({"role": "user", "content": "2 + 2?"},)
    return Request(messages=messages, max_tokens=100, call=call, digest=digest, seed=3, hold=FakeHold())


def sample(text="4", **fields):
    return Sample(text=text, usage=Usage(prompt_tokens=9, completion_tokens=5, requests=1), **fields)


async def complete_call(journal, ordinal=0, problem="p1", samples=None, **result):
    row, written = journal.intend(request(ordinal, problem), model="m", price=PRICE)
    await written
    usage = result.pop(
        "usage", Usage(prompt_tokens=9, completion_tokens=5, requests=1, picodollars=2_900_000)
    )
    await journal.finish(row, usage=usage, samples=samples or [sample()], **result)


async def test_a_result_is_found_by_a_resumed_run(tmp_path):
    path = tmp_path / "run.db"
    journal = Journal(path)
    journal.begin(RECORD, version="1")
    logprobs = (TokenLogprob(token="4", logprob=-0.5, top=(("4", -0.5), ("5", -2.0))),)
    paid = sample(reasoning="hm", finish_reason="stop", seed=3, model="m", logprobs=logprobs)
    await complete_call(journal, samples=[paid])
    journal.close()

    journal = Journal(path, resume=True)
    recorded = journal.recorded("p1")
    call = CallId(problem="p1", path="", ordinal=0)
    [found] = recorded.find(call, "d")
    assert found.text == "4"
    assert found.logprobs == logprobs
    assert found.call == call
    assert recorded.usage_below(call.path).picodollars == 2_900_000
    journal.close()


async def test_a_call_that_asks_something_else_does_not_meet_the_record(tmp_path):
    journal = Journal(tmp_path / "run.db")
    await complete_call(journal)
    assert journal.recorded("p1").find(CallId(problem="p1", path="", ordinal=0), "another digest") is None
    assert journal.recorded("p2").find(CallId(problem="p2", path="", ordinal=0), "d") is None
    journal.close()


async def test_an_intent_without_a_result_is_in_doubt_and_counts_at_its_worst_case(tmp_path):
    journal = Journal(tmp_path / "run.db")
    await complete_call(journal, ordinal=0)
    _, written = journal.intend(request(1), model="m", price=PRICE)
    await written
    counts = journal.counts()
    assert (counts.sent, counts.completed, counts.in_doubt) == (2, 1, 1)
    charged = journal.charged()
    assert charged.prompt_tokens == 9 + 10
    assert charged.completion_tokens == 5 + 100
    assert charged.picodollars == 2_900_000 + 41_000_000
    assert charged.estimated
    paid = journal.recorded("p1").usage_below("")
    assert (paid.completion_tokens, paid.picodollars) == (charged.completion_tokens, charged.picodollars)
    assert journal.recorded("p1").usage_below("side").requests == 0
    journal.close()


async def test_failed_and_cancelled_calls_are_charged_and_not_replayed(tmp_path):
    journal = Journal(tmp_path / "run.db")
    await complete_call(journal, ordinal=0, error="500", usage=Usage(requests=1))
    await complete_call(
        journal, ordinal=1, error="cancelled", cancelled=True, usage=Usage(completion_tokens=7)
    )
    counts = journal.counts()
    assert (counts.completed, counts.failed, counts.cancelled, counts.in_doubt) == (0, 1, 1, 0)
    assert journal.charged().completion_tokens == 7
    assert journal.recorded("p1").find(CallId(problem="p1", path="", ordinal=0), "d") is None
    journal.close()


async def test_an_outcome_comes_back_with_its_candidates(tmp_path):
    journal = Journal(tmp_path / "run.db")
    await complete_call(journal)
    answer = Answer(text="4", key="n:4", kind="number")
    found = journal.recorded("p1").find(CallId(problem="p1", path="", ordinal=0), "d")[0]
    outcome = Outcome(
        answer=answer,
        confidence=0.75,
        candidates=(
            Candidate(sample=found, answer=answer, scores={"rule": Score(value=1.0, reason="ok")}),
            Candidate(sample=Sample(text="own"), answer=None),
        ),
        stop_reason=StopReason.DECIDED,
        usage=Usage(prompt_tokens=9),
        problem="p1",
        detail={"votes": [3, 1]},
    )
    problem = Problem(id="p1", prompt="2 + 2?")
    await journal.write_outcome(outcome, problem)
    assert journal.outcome(problem) == outcome
    assert journal.outcome(Problem(id="p2", prompt="2 + 2?")) is None
    with pytest.raises(JournalMismatchError, match="something else"):
        journal.outcome(Problem(id="p1", prompt="3 + 3?"))
    journal.close()


async def test_a_second_run_on_the_file_is_refused_while_the_first_has_it_open(tmp_path):
    journal = Journal(tmp_path / "run.db")
    with pytest.raises(JournalError, match="in use by another run"):
        Journal(tmp_path / "run.db", resume=True)
    journal.close()
    Journal(tmp_path / "run.db", resume=True).close()


async def test_a_finished_journal_is_not_written_over(tmp_path):
    journal = Journal(tmp_path / "run.db")
    journal.begin(RECORD, version="1")
    journal.close()
    with pytest.raises(JournalError, match="already holds a run"):
        Journal(tmp_path / "run.db")


async def test_another_program_or_seed_cannot_resume(tmp_path):
    journal = Journal(tmp_path / "run.db")
    journal.begin(RECORD, version="1")
    journal.close()
    journal = Journal(tmp_path / "run.db", resume=True)
    assert journal.recorded_seed() == 7
    other = RunRecord(id="s", program="Other()", program_hash="x", seed=7, budget="")
    with pytest.raises(JournalMismatchError, match=r"journal: Single\(\)\n  now:     Other\(\)"):
        journal.begin(other, version="1")
    other = RunRecord(id="s", program="Single()", program_hash="h", seed=8, budget="")
    with pytest.raises(JournalMismatchError, match="seed 7, not 8"):
        journal.begin(other, version="1")
    assert (
        journal.begin(RunRecord(id="s", program="", program_hash="h", seed=7, budget=""), version="1").id
        == "r"
    )
    journal.close()


def test_files_that_are_no_journal_are_refused(tmp_path):
    (tmp_path / "text.db").write_text("this is not a database, it is a text of some length" * 20)
    with pytest.raises(JournalError, match="not a database"):
        Journal(tmp_path / "text.db")
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(JournalError, match="not a journal of this program"):
        Journal(tmp_path / "other.db")
    with pytest.raises(JournalError, match="No such file or directory"):
        Journal(tmp_path / "missing" / "run.db")
    with pytest.raises(JournalError, match="Is a directory"):
        Journal(tmp_path)


async def test_rows_written_together_are_all_there(tmp_path):
    journal = Journal(tmp_path / "run.db")
    async with anyio.create_task_group() as tasks:
        for ordinal in range(500):
            tasks.start_soon(complete_call, journal, ordinal)
    assert journal.counts().completed == 500
    journal.close()


async def test_a_full_disk_is_an_error_that_says_so_and_what_was_written_stays(tmp_path):
    journal = Journal(tmp_path / "run.db")
    await complete_call(journal, ordinal=0)
    journal._reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    limit = journal._reader.execute("PRAGMA page_count").fetchone()[0]
    # The cap is per connection, so the writer must set its own.
    journal._rows.put(_Row(f"PRAGMA max_page_count = {limit}", (), None))

    async def write_much():
        for ordinal in range(1, 50):
            await complete_call(journal, ordinal, samples=[sample("x" * 10_000)])

    with pytest.raises(JournalError, match=r"full.*resume the run"):
        await write_much()
    with pytest.raises(JournalError, match="full"):
        await complete_call(journal, 99)
    journal.close()
    again = Journal(tmp_path / "run.db", resume=True)
    assert again.counts().completed >= 1
    again.close()


async def test_closing_writes_what_is_queued(tmp_path):
    journal = Journal(tmp_path / "run.db")
    row, _ = journal.intend(request(), model="m", price=None)
    journal.finish(row, usage=Usage(), samples=[sample()])
    journal.close()
    journal.close()
    again = Journal(tmp_path / "run.db", resume=True)
    assert again.counts().completed == 1
    again.close()
    with pytest.raises(JournalError, match="closed"):
        await again.write_outcome(Outcome(problem="p"), Problem(id="p", prompt="?"))


async def test_text_that_is_not_unicode_is_kept_as_far_as_it_can_be(tmp_path):
    journal = Journal(tmp_path / "run.db")
    await complete_call(journal, samples=[sample("bad \ud800 and \x00 nul")])
    [found] = journal.recorded("p1").find(CallId(problem="p1", path="", ordinal=0), "d")
    assert found.text == "bad ? and \x00 nul"
    journal.close()


LOOK = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM calls'); c.close()"


async def test_a_second_run_turned_away_in_the_same_process_does_not_unlock_the_first(tmp_path):
    path = tmp_path / "run.db"
    journal = Journal(path)
    await complete_call(journal)
    with pytest.raises(JournalError, match="in use"):
        Journal(path, resume=True)
    # Someone looks at the file meanwhile: were the locks gone, this would delete the log that is written to.
    await anyio.run_process([sys.executable, "-c", LOOK, str(path)])
    await complete_call(journal, ordinal=1)
    assert (tmp_path / "run.db-wal").exists()
    journal.close()
    Journal(path, resume=True).close()


async def test_a_problem_and_an_error_that_are_not_unicode_are_kept_as_far_as_they_can_be(tmp_path):
    journal = Journal(tmp_path / "run.db")
    with anyio.fail_after(5):
        await complete_call(journal, problem="p\ud800", samples=[sample()])
        await complete_call(journal, problem="p\ud800", ordinal=1, error="the server said \ud800")
    call = CallId(problem="p\ud800", path="", ordinal=0)
    assert journal.recorded("p\ud800").find(call, "d") is not None
    assert journal.counts().failed == 1
    journal.close()


async def test_a_number_too_large_for_the_file_is_an_error_and_not_a_hang(tmp_path):
    journal = Journal(tmp_path / "run.db")
    with anyio.fail_after(5), pytest.raises(JournalError, match="too large"):
        await complete_call(journal, usage=Usage(completion_tokens=2**64))
    with pytest.raises(JournalError, match="too large"):
        await complete_call(journal, ordinal=1)
    journal.close()


async def test_whoever_waits_for_a_row_that_cannot_be_written_hears_of_it(tmp_path):
    journal = Journal(tmp_path / "run.db")
    written = journal._future()
    journal._rows.put(_Row("INSERT INTO no_such_table VALUES (1)", (), written))
    with pytest.raises(JournalError, match="no such table"):
        await written
    journal.close()


# The order in which results came in ----------------------------------------------------------------------


async def settle(journal, row, **result):
    await journal.finish(row, usage=Usage(requests=1), samples=[sample()], **result)


def intend(journal, ordinal, **fields):
    row, _ = journal.intend(request(ordinal).replace(**fields), model="m", price=None)
    return row


def order(journal):
    return [ordinal for (_, ordinal), _ in journal.recorded("p1").order]


async def test_calls_have_the_order_their_results_came_in_whatever_the_clock_says(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "run.db")
    rows = [intend(journal, ordinal) for ordinal in range(4)]
    for ordinal, now in ((2, 500.0), (0, 500.0), (3, 400.0)):
        monkeypatch.setattr("orchestrator.runtime.journal.time.time", lambda now=now: now)
        await settle(journal, rows[ordinal])
    journal.close()
    journal = Journal(tmp_path / "run.db", resume=True)
    await settle(journal, rows[1])
    assert order(journal) == [2, 0, 3, 1]
    journal.close()


async def test_a_call_that_had_failed_for_good_has_no_place_and_one_that_was_retried_has(tmp_path):
    journal = Journal(tmp_path / "run.db")
    for ordinal, second in ((0, 0), (1, 1)):
        await settle(journal, intend(journal, ordinal), error="it failed")
        await settle(journal, intend(journal, ordinal, attempt=second))
    intend(journal, 2)  # in doubt
    await settle(journal, intend(journal, 2))
    assert order(journal) == [1, 2]
    journal.close()


async def test_a_call_has_a_place_with_each_thing_it_has_asked(tmp_path):
    journal = Journal(tmp_path / "run.db")
    for ordinal, digest in ((0, "one"), (1, "d"), (0, "other"), (1, "d")):
        await settle(journal, intend(journal, ordinal, digest=digest))
    recorded = journal.recorded("p1")
    assert recorded.order == [(("", 0), "one"), (("", 0), "other"), (("", 1), "d")]
    call = CallId(problem="p1", path="", ordinal=0)
    assert [recorded.find(call, digest) is None for digest in ("one", "other", "d")] == [False, False, True]
    assert recorded.sample("", 0, 0) is recorded.find(call, "other")[0]
    journal.close()


async def test_calls_of_an_earlier_program_have_no_place(tmp_path):
    journal = Journal(tmp_path / "run.db")
    journal.begin(RECORD, version="1")
    await settle(journal, intend(journal, 0))
    changed = RunRecord(id="s", program="Other()", program_hash="x", seed=7, budget="")
    journal.begin(changed, version="1", allow_changed=True)
    await settle(journal, intend(journal, 1))
    assert order(journal) == [1]
    journal.close()


async def test_ratings_are_met_by_their_texts_and_have_no_place(tmp_path):
    journal = Journal(tmp_path / "run.db")
    rating = {
        "messages": None,
        "texts": ("a",),
        "rating": Rating(route="score", body={}, scores="score"),
        "digest": "r",
    }
    row = intend(journal, 0, **rating)
    await journal.finish(row, usage=Usage(requests=1), samples=[Sample(text="", vector=(0.5,))])
    await settle(journal, intend(journal, 1))
    assert order(journal) == [1]
    journal.close()
