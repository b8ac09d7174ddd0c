"""What a reservation costs: `python tests/bench/ledger.py`.

Prints medians in nanoseconds per reserve + commit on a chain of three accounts: in C++ alone (when there is
a compiler), through the extension, through `Ledger`, and from several threads on one run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.budget import Budget, Ledger
from orchestrator.types import Usage

ROUNDS = 20_000
REPEATS = 9
ROOT = Path(__file__).resolve().parents[2]
USED = Usage(prompt_tokens=100, completion_tokens=150, requests=1, picodollars=40_000, seconds=0.5)
WORST = Usage(prompt_tokens=100, completion_tokens=200, requests=1, picodollars=50_000)
WIDE = Budget(usd=9_000_000, prompt_tokens=2**60, completion_tokens=2**60, total_tokens=2**60, requests=2**60)


def branch_of(run: Ledger) -> Ledger:
    return run.child(WIDE, label="problem").child(WIDE, label="branch")


def through_the_extension(branch: Ledger) -> None:
    account = branch._account
    for _ in range(ROUNDS):
        account.reserve(100, 200, 300, 1, 50_000, 0).commit(100, 150, 1, 40_000, 0, 0, 500_000, False)


def through_the_ledger(branch: Ledger) -> None:
    for _ in range(ROUNDS):
        branch.reserve(prompt_tokens=100, completion_tokens=200, picodollars=50_000).commit(USED)


def through_acquire(branch: Ledger) -> None:
    async def acquire() -> None:
        for _ in range(ROUNDS):
            with await branch.acquire(WORST) as hold:
                hold.commit(USED)

    asyncio.run(acquire())


def measure(work: Callable[[Ledger], None], *, threads: int = 1) -> float:
    """Nanoseconds per pair and thread, the median of `REPEATS` runs."""
    times = []
    for _ in range(REPEATS):
        run = Ledger(WIDE)
        workers = [threading.Thread(target=work, args=(branch_of(run),)) for _ in range(threads)]
        start = time.perf_counter_ns()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        times.append((time.perf_counter_ns() - start) / ROUNDS)
    return statistics.median(times)


def report(name: str, nanoseconds: float) -> None:
    print(f"{name:<52}{nanoseconds:>9.1f} ns per pair and thread", flush=True)


def run_in_cpp() -> None:
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        print("C++ alone: no compiler found")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "ledger")
        sources = [ROOT / "tests/bench/ledger.cpp", ROOT / "csrc/ledger.cpp"]
        options = ["-O3", "-std=c++20", "-pthread", f"-I{ROOT / 'csrc'}"]
        subprocess.run([compiler, *options, *map(str, sources), "-o", str(program)], check=True)
        subprocess.run([program], check=True)


def main() -> None:
    run_in_cpp()
    report("extension, 1 thread", measure(through_the_extension))
    report("Ledger.reserve + Hold.commit, 1 thread", measure(through_the_ledger))
    report("Ledger.acquire + Hold.commit, 1 thread", measure(through_acquire))
    for threads in (2, 4):
        report(
            f"Ledger.reserve + Hold.commit, {threads} threads", measure(through_the_ledger, threads=threads)
        )


if __name__ == "__main__":
    main()
