"""A run that is killed with SIGKILL at random moments and resumed, until it is done."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from faulty_server import FaultyServer

VICTIM = Path(__file__).with_name("kill_victim.py")
IN_FLIGHT = 16  # the victim's concurrency
PROBLEMS, SAMPLES, KILLS = 450, 8, 50


def start(server, journal):
    arguments = [server.base_url, str(journal), str(PROBLEMS), str(SAMPLES)]
    return subprocess.Popen([sys.executable, str(VICTIM), *arguments], stdout=subprocess.PIPE, text=True)


def killed(process, seconds):
    """Whether the process was still running `seconds` after it began, and so was killed."""
    assert process.stdout.readline() == "running\n"
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    finally:
        process.stdout.close()
    return process.wait() == -signal.SIGKILL


def call_of(body):
    """What identifies a call at the server: its question and its seed."""
    return json.dumps(body["messages"], sort_keys=True), body["seed"]


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_run_killed_fifty_times_loses_nothing_and_pays_nothing_twice(tmp_path):
    rng = random.Random(os.environ.get("ORCHESTRATOR_SOAK_SEED", "0"))
    journal, kills, in_doubt = tmp_path / "run.db", 0, [0]
    double = lambda body, _: str(2 * int(re.match(r"\d+", body["messages"][0]["content"])[0]))  # noqa: E731
    with FaultyServer(answer=double, delay=(0.01, 0.08)).in_thread() as server:
        while kills < KILLS:
            assert killed(start(server, journal), rng.uniform(0.0, 0.35)), (
                "the run was over before the last kill"
            )
            kills += 1
            with closing(sqlite3.connect(journal)) as connection:
                connection.execute("PRAGMA query_only = 1")
                [(doubt,)] = connection.execute(
                    "SELECT count(*) FROM calls WHERE id NOT IN (SELECT call FROM results)"
                )
            assert doubt - in_doubt[-1] <= IN_FLIGHT
            in_doubt.append(doubt)
        process = start(server, journal)
        assert process.stdout.read() == "running\ndone\n"
        process.stdout.close()
        assert process.wait() == 0
        asked = Counter(call_of(seen.body) for seen in server.seen)

    with closing(sqlite3.connect(journal)) as connection:
        calls = connection.execute(
            "SELECT q.body, c.seed, r.status, c.problem FROM calls c JOIN requests q USING (digest) "
            "LEFT JOIN results r ON r.call = c.id"
        ).fetchall()
        outcomes = dict(connection.execute("SELECT problem, outcome FROM outcomes"))
    sent: Counter[tuple[str, int]] = Counter()
    completed: Counter[tuple[str, int]] = Counter()
    for body, seed, status, _ in calls:
        key = (json.dumps(json.loads(body)["messages"], sort_keys=True), seed)
        sent[key] += 1
        completed[key] += status == "ok"

    # No answer is lost, and every answer is right.
    assert len(outcomes) == PROBLEMS
    for problem, text in outcomes.items():
        assert json.loads(text)["answer"]["text"] == str(2 * int(problem))
        assert len(json.loads(text)["candidates"]) == SAMPLES
    # No completed call is sent again: each call completed exactly once.
    assert len(completed) == PROBLEMS * SAMPLES
    assert set(completed.values()) == {1}
    # The server never saw a call the journal does not know, nor one more often than intended.
    assert all(count <= sent[key] for key, count in asked.items())
    # What was sent in excess is at most what was in flight at the kills.
    excess = sum(asked.values()) - PROBLEMS * SAMPLES
    assert excess <= in_doubt[-1] <= KILLS * IN_FLIGHT
    print(
        f"{kills} kills, {sum(asked.values())} calls for {PROBLEMS * SAMPLES} samples, {in_doubt[-1]} in doubt"
    )
