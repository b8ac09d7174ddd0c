"""Running the command line, in this process and in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from orchestrator.cli import main


@dataclass
class Result:
    """What a command left: exit code, output, and its lines as JSON."""

    code: int
    out: str
    err: str

    @property
    def objects(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self):
        return self.objects[-1]["summary"]


@pytest.fixture
def cli(capfd, monkeypatch):
    """Run a command line in this process, 60 columns wide."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("ORCHESTRATOR_DEBUG", raising=False)

    def run(*words):
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture
def start(tmp_path):
    """Start a command line in a process of its own."""
    running = []

    def launch(*words, **more):
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "60"},
            **more,
        )
        running.append(process)
        return process

    yield launch
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def recorded(tmp_path):
    """A program file over recorded samples: two problems, four samples each."""
    (tmp_path / "samples.jsonl").write_text(
        '{"id": "a", "question": "3 + 4?", "gold": "7", "answers": ["It is 7.", "8", "7", "7.0"]}\n'
        '{"id": "b", "question": "3 + 5?", "gold": "8", "answers": ["7", "It is 8", "dunno", "7"]}\n'
    )
    path = tmp_path / "program.yaml"
    path.write_text(
        "version: 1\n"
        "models: {recorded: {replay: samples.jsonl}}\n"
        "answer: {kind: number}\n"
        "program: {self_consistency: {n: 4, stop: fixed_size}}\n"
    )
    return path


@pytest.fixture
def questions(tmp_path):
    """A file of six problems whose answer is 4."""
    path = tmp_path / "questions.csv"
    path.write_text("id,question,answer\n" + "".join(f"p{n},What is {n}?,4\n" for n in range(6)))
    return path
