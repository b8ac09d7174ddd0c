"""What a replay costs: `python tests/bench/replay.py`.

1,000 problems × 256 samples, maj@k for nine k: 1,000 random orders of each in the native core, exactly, and by the
plain definition in `tests/reference/` on a few orders of a few problems, its time scaled up to the same work
(printed as extrapolated). Then stopping rules and a cascade. Medians of several runs: seconds by the clock, and of
all processors together, which says more on a busy machine.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from orchestrator.scaling import Recording, Tier, maj_curve, replay, replay_cascade
from orchestrator.stopping import BetaStop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reference import replay as reference

PROBLEMS, SAMPLES, RESAMPLES, REPEATS = 1000, 256, 1000, 5
KS = [1, 2, 4, 8, 16, 32, 64, 128, 256]
PLAIN_PROBLEMS, PLAIN_RESAMPLES = 20, 2


def recorded() -> Recording:
    """Up to 40 answers a problem, the right one as frequent as the problem is easy; one sample in 20 abstains."""
    random = np.random.default_rng(0)
    shape = (PROBLEMS, SAMPLES)
    easy = random.beta(1.5, 1.5, size=(PROBLEMS, 1))
    wrong = 1 + np.minimum(random.geometric(0.15, size=shape), 39)
    clusters = np.where(random.random(shape) < easy, 0, wrong)
    clusters[random.random(shape) < 0.05] = -1
    return Recording.from_arrays(clusters, clusters == 0, scores=random.random(shape))


Times = tuple[float, float]


def median(work: Callable[[], object], repeats: int = REPEATS) -> Times:
    """By the clock and by the processors."""
    clock, processors = [], []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - start[0])
        processors.append(time.process_time() - start[1])
    return statistics.median(clock), statistics.median(processors)


def plain_curve(recording: Recording) -> None:
    """The votes of all k by the reference, on a part of the work."""
    samples = [
        reference.Samples(
            [None if cluster < 0 else int(cluster) for cluster in problem.clusters],
            problem.correct.tolist(),
            problem.scores.tolist(),
            [0.0] * len(problem),
        )
        for problem in recording.problems[:PLAIN_PROBLEMS]
    ]
    for number, one in enumerate(samples):
        for resample in range(PLAIN_RESAMPLES):
            order = reference.order(0, number, resample, 0, SAMPLES)
            for k in KS:
                reference.answer([(one.clusters[i], one.correct[i], 0.0) for i in order[:k]], "plurality")


def report(name: str, times: Times, note: str = "") -> None:
    print(f"{name:<52}{times[0]:>10.3f} s{times[1]:>10.3f} s of processors  {note}", flush=True)


def main() -> None:
    recording = recorded()
    print(f"{PROBLEMS} problems × {SAMPLES} samples, maj@k for {len(KS)} k, {os.cpu_count()} cores")

    def drawn(threads: int, vote: str = "plurality", resamples: int = RESAMPLES) -> Callable[[], object]:
        return lambda: maj_curve(
            recording, KS, vote=vote, method="monte_carlo", resamples=resamples, threads=threads
        )

    fastest = median(drawn(0))
    report(f"maj_curve, {RESAMPLES} random orders, all cores", fastest)
    report(f"maj_curve, {RESAMPLES} random orders, 1 thread", median(drawn(1), 3))
    report("maj_curve, exact, 1 thread", median(lambda: maj_curve(recording, KS, method="exact"), 3))
    plain = median(lambda: plain_curve(recording), 3)
    whole = [seconds * (PROBLEMS / PLAIN_PROBLEMS) * (RESAMPLES / PLAIN_RESAMPLES) for seconds in plain]
    note = f"extrapolated from {PLAIN_PROBLEMS} problems × {PLAIN_RESAMPLES} orders; "
    note += f"{whole[1] / fastest[1]:.0f} times the processors' time, {whole[0] / fastest[0]:.0f} times the clock's"
    report(f"plain Python, {RESAMPLES} random orders", (whole[0], whole[1]), note)

    report("maj_curve weighted by score, 100 random orders", median(drawn(0, "weighted", 100), 3))
    report("replay, all samples, 100 random orders", median(lambda: replay(recording, resamples=100), 3))
    stop = BetaStop(confidence=0.95)
    report(
        "replay, BetaStop, 10 random orders", median(lambda: replay(recording, stop=stop, resamples=10), 3)
    )
    tiers = [Tier(recording=recording, n=8, accept=0.75), Tier(recording=recording, carry=True)]
    report(
        "replay_cascade, 2 tiers, 100 random orders", median(lambda: replay_cascade(tiers, resamples=100), 3)
    )


if __name__ == "__main__":
    main()
