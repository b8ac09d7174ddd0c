import json
import os
import shlex
import signal
import subprocess
import sys

import pytest
from faulty_server import Fault, FaultyServer


def test_ctrl_c_keeps_the_journal_and_says_how_to_resume(start, cli, questions, tmp_path, monkeypatch):
    with FaultyServer(script=[None, Fault.STALL], answer=lambda body, choice: "4").in_thread() as server:
        process = start(
            "run", "single", "--problems", questions, "--base-url", server.base_url, "--model", "m",
            "--concurrency", 1, "--json", "--journal", "run.db",
        )  # fmt: skip
        assert json.loads(process.stdout.readline())["answer"] == "4"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 130
        summary = json.loads(out.splitlines()[-1])["summary"]
        assert summary["interrupted"]
        assert summary["problems"] == 1
        assert "Traceback" not in err

        command = shlex.split(err.splitlines()[-1])
        assert command[0] == "orchestrator"
        assert command[-1] == "--resume"
        asked = len(server.seen)
        monkeypatch.chdir(tmp_path)
        resumed = cli(*command[1:])
    assert resumed.code == 0
    assert resumed.summary["problems"] == resumed.summary["answered"] == 6
    assert len(server.seen) - asked == 5  # the first problem's call was paid for, and is not sent again


def test_without_a_journal_it_says_what_would_have_helped(start, questions):
    with FaultyServer(script=[None, Fault.STALL]).in_thread() as server:
        process = start(
            "run", "single", "--problems", questions, "--base-url", server.base_url, "--model", "m",
            "--concurrency", 1,
        )  # fmt: skip
        assert process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "with --journal FILE" in err
    assert "1, 1 answered" in out


STUBBORN = """
import sys

import anyio
from orchestrator import Outcome

async def stubborn(ctx, problem):
    try:
        print("ready", flush=True)
        await anyio.sleep_forever()
    finally:
        print("leaving", flush=True)
        with anyio.CancelScope(shield=True):
            await anyio.sleep_forever()
"""


def test_a_second_ctrl_c_quits_at_once(start, tmp_path):
    (tmp_path / "stubborn_program.py").write_text(STUBBORN)
    process = start(
        "run",
        "stubborn_program.py:stubborn",
        "-p",
        "x",
        "--model",
        "m",
        "--base-url",
        "http://127.0.0.1:9/v1",
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "leaving\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_when_the_reader_goes_away_the_run_ends_quietly(start, questions):
    with FaultyServer().in_thread() as server:
        words = ["run", "single", "--problems", questions, "--base-url", server.base_url, "--model", "m"]
        process = start(*words, "--concurrency", 1, "--json")
        assert process.stdout.readline()
        process.stdout.close()
        process.wait(timeout=30)
        assert process.returncode == 141
        assert "Traceback" not in process.stderr.read()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_under_the_output_is_no_bug(recorded):
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "orchestrator", "run", recorded, "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=recorded.parent,
        )  # fmt: skip
    assert process.returncode == 1
    assert "error: the output cannot be written: No space left on device" in process.stderr
    assert "bug" not in process.stderr
