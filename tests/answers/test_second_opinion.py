"""math-verify in worker processes that are killed when they hang."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.answers import Answer, MathVerify, PredicateClusters, math_verify_equal
from orchestrator.answers import second_opinion as module
from orchestrator.errors import InvalidInputError, OrchestratorError

FOREVER = r"(10^{9})!"  # written out by sympy: hours


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process started in the test."""
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **keywords: Any) -> None:
            super().__init__(*args, **keywords)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return started


def test_pairs_are_judged_and_no_process_is_left_behind(processes: list[subprocess.Popen[bytes]]) -> None:
    with MathVerify(timeout=20, workers=2) as pool:
        assert pool.equal(r"\frac{1}{2}", "0.5") is True
        assert pool.equal(r"\sin^2 x + \cos^2 x", "1") is True
        assert pool.equal("1/2", "1/3") is False
        assert pool.equal("", "5") is None
        assert pool.equal_all([("x=5", "5"), ("5", "x=5"), ("-5", "5")]) == [True, True, False]
        assert pool.restarts == 0
        assert [process.poll() for process in processes] == [None, None]
    assert [process.returncode for process in processes] == [-signal.SIGKILL] * 2
    with pytest.raises(InvalidInputError, match="closed"):
        pool.equal("1", "1")


def test_a_pair_that_takes_too_long_is_undecided_and_the_next_one_is_not(
    processes: list[subprocess.Popen[bytes]],
) -> None:
    with MathVerify(timeout=20) as pool:
        assert pool.equal(FOREVER, "1", timeout=0.2) is None
        assert pool.restarts == 1
        assert [process.returncode for process in processes] == [-signal.SIGKILL]
        assert pool.equal(r"2\sqrt2", r"\sqrt8") is True
    assert [process.returncode for process in processes] == [-signal.SIGKILL] * 2


def test_a_worker_that_dies_is_replaced() -> None:
    with MathVerify(timeout=20) as pool:
        assert pool.equal("1", "1.0") is True
        [worker] = pool._idle
        os.kill(worker._process.pid, signal.SIGKILL)
        worker._process.wait()
        assert pool.equal("1", "1.0") is None
        assert pool.equal("1", "1.0") is True
        assert pool.restarts == 1


def test_a_worker_that_cannot_start_is_an_error_that_says_how_to_see_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "worker.py"
    broken.write_text("raise SystemExit('no sympy here')")
    monkeypatch.setattr(module, "_WORKER", broken)
    with MathVerify() as pool, pytest.raises(OrchestratorError, match=r"did not start; .*worker\.py"):
        pool.equal("1", "2")


def test_it_serves_as_a_predicate_over_unequal_keys() -> None:
    texts = ["x^2-1", "7", "(x-1)(x+1)", "7", "x^2-2"]
    answers = [Answer(text=text, key=f"m:{text}", kind="math") for text in texts]
    clusters = PredicateClusters(math_verify_equal)
    for answer in answers:
        clusters.add(answer)
    assert clusters.ids == [0, 1, 0, 1, 2]


def test_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidInputError, match=r"pip install 'orchestrator\[math\]'"):
        MathVerify()


@pytest.mark.parametrize("bad", [{"timeout": 0.0}, {"timeout": float("nan")}, {"workers": 0}])
def test_settings_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match="timeout must be above 0 and workers at least 1"):
        MathVerify(**bad)  # type: ignore[arg-type]


def test_the_worker_imports_nothing_of_this_package() -> None:
    worker = str(module._WORKER)
    code = f"""if True:
        import runpy, sys
        sys.argv = ["worker", "{2**32}"]
        runpy.run_path({worker!r}, run_name="__main__")
        print(*sys.modules, file=sys.stderr)
        """
    command = [sys.executable, "-P", "-c", code]
    seen = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert seen.stdout == '"ready"\n'
    assert "math_verify" in seen.stderr.split()
    assert "orchestrator" not in seen.stderr.split()
