"""Accuracy against mean samples of every stopping rule on recorded samples of real models.

    python tests/bench/recorded_stopping.py [--splits 10] [--seed 0]

Each set is split in half by problem: parameters are chosen on one half (`fit_stop`, `choose_stop`: the cheapest
that loses at most 0.2 points there) and every figure is of the other half. Adaptive consistency at 0.95 and ESC
are what a user would pick instead; the full vote takes all samples. With several splits, each row is the mean.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator import stopping
from orchestrator.scaling import Recording, ReplayResult, choose_stop, fit_stop, replay
from orchestrator.stopping import StoppingRule

DATA = Path(__file__).parents[1] / "data"
CONFIDENCES = (
    0.8,
    0.85,
    0.9,
    0.925,
    0.95,
    0.96,
    0.97,
    0.975,
    0.98,
    0.985,
    0.99,
    0.9925,
    0.995,
    0.9975,
    0.999,
)
CHOSEN = "learned on the other half"
UNREADABLE = ("[invalid]", "[error]", "")


def rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def by_text(name: str) -> Recording:
    readable = [
        {**row, "answers": [None if answer in UNREADABLE else answer for answer in row["answers"]]}
        for row in rows(name)
    ]
    return Recording.from_answers(readable, kind="text")


def by_cluster(name: str) -> Recording:
    table = rows(name)
    return Recording.from_arrays([row["clusters"] for row in table], [row["correct"] for row in table])


def by_behaviour() -> Recording:
    """HumanEval: solutions that pass the same generated tests are one answer; those that pass none abstain."""
    clusters, correct = [], []
    for row in rows("codet_passes.jsonl.gz"):
        passes = [row["passes"][solution] for solution in row["sample_to_solution"]]
        ids: dict[str, int] = {}
        clusters.append([ids.setdefault(row_, len(ids)) if "1" in row_ else -1 for row_ in passes])
        correct.append([int(row["correct"][solution]) for solution in row["sample_to_solution"]])
    return Recording.from_arrays(clusters, correct)


SETS = {
    "DATE 359 x 40": lambda: by_text("date_samples.jsonl.gz"),
    "GSM8K 1319 x 12": lambda: by_text("gsm8k_prompts.jsonl.gz"),
    "AQuA 253 x 30": lambda: by_text("aqua_letters.jsonl.gz"),
    "CRUXEval output 800 x 10": lambda: by_cluster("cruxeval_output.jsonl.gz"),
    "CRUXEval input 800 x 10": lambda: by_cluster("cruxeval_input.jsonl.gz"),
    "HumanEval 164 x 100": by_behaviour,
}

FIXED: dict[str, StoppingRule] = {
    "full vote": stopping.FixedSize(),
    "lead": stopping.LeadStop(),
    "adaptive consistency 0.95": stopping.BetaStop(confidence=0.95),
    "dirichlet 0.95": stopping.DirichletStop(confidence=0.95),
    "dirichlet 0.95, observed only": stopping.DirichletStop(confidence=0.95, unseen=0),
    "ESC 3": stopping.WindowStop(size=3),
    "ESC 5": stopping.WindowStop(size=5),
    "ESC 8": stopping.WindowStop(size=8),
    "majority 0.6 after 5": stopping.MajorityStop(threshold=0.6, at_least=5),
    "entropy 0.5 after 5": stopping.EntropyStop(threshold=0.5, at_least=5),
    "convergence 5": stopping.ConvergenceStop(samples=5, tolerance=0.05),
    "value of sample 0.002": stopping.ValueOfSample(price=0.002),
}


def chosen_rule(half: Recording, *, seed: int, resamples: int) -> StoppingRule:
    """The learned rule at the confidence that is cheapest on `half`."""
    fitted = fit_stop(half, seed=seed)
    candidates = [replace(fitted, confidence=confidence) for confidence in CONFIDENCES]
    return choose_stop(half, candidates, max_loss=0.002, resamples=resamples, seed=seed).rule


def measured(
    recording: Recording, *, splits: int, seed: int, resamples: int = 200
) -> dict[str, tuple[float, float]]:
    """Accuracy and mean samples of each rule on the halves it was not chosen on, averaged over splits."""
    found: dict[str, list[ReplayResult]] = {}
    for split in range(seed, seed + splits):
        chosen_on, reported_on = recording.split(seed=split)
        for name, rule in {**FIXED, CHOSEN: chosen_rule(chosen_on, seed=split, resamples=resamples)}.items():
            found.setdefault(name, []).append(replay(reported_on, stop=rule, resamples=resamples, seed=1))
    return {
        name: (
            float(np.mean([float(r.accuracy) for r in results])),
            float(np.mean([float(r.samples) for r in results])),
        )
        for name, results in found.items()
    }


def plain_adaptive(ids: Sequence[int]) -> tuple[int, int]:
    """Adaptive consistency at 0.95 by its definition: the answer (-1: none) and the samples taken."""
    votes: Counter[int] = Counter()
    for at, cluster in enumerate(ids):
        votes.update([cluster] if cluster >= 0 else [])
        first, second = ([count for _, count in votes.most_common(2)] + [0, 0])[:2]
        tail = sum(comb(first + second + 1, heads) for heads in range(first + 1))
        if first and tail >= 0.95 * 2 ** (first + second + 1):
            return plain_vote(ids[: at + 1]), at + 1
    return plain_vote(ids), len(ids)


def plain_windows(ids: Sequence[int], size: int) -> tuple[int, int]:
    """ESC by its definition: stop at the first window of equal answers."""
    for start in range(0, len(ids) - size + 1, size):
        window = set(ids[start : start + size])
        if len(window) == 1 and min(window) >= 0:
            return plain_vote(ids[: start + size]), start + size
    return plain_vote(ids), len(ids)


def plain_vote(ids: Sequence[int]) -> int:
    votes = Counter(cluster for cluster in ids if cluster >= 0)
    return votes.most_common(1)[0][0] if votes else -1  # of equal counts the first seen


def whole(recording: Recording, orders: int = 20) -> None:
    """Rules without parameters to choose, on all problems: this library's replay next to plain Python."""
    rng = random.Random(0)
    for name, rule, plain in (
        ("adaptive consistency 0.95", stopping.BetaStop(confidence=0.95), plain_adaptive),
        ("ESC 3", stopping.WindowStop(size=3), lambda ids: plain_windows(ids, 3)),
        ("ESC 5", stopping.WindowStop(size=5), lambda ids: plain_windows(ids, 5)),
    ):
        ours = replay(recording, stop=rule, resamples=200)
        right, taken = 0.0, 0
        for problem in recording.problems:
            ids, correct = list(map(int, problem.clusters)), list(problem.correct)
            for _ in range(orders):
                draw = rng.sample(range(len(ids)), len(ids))
                answer, samples = plain([ids[i] for i in draw])
                taken += samples
                right += next((correct[i] for i in draw if ids[i] == answer), 0.0) if answer >= 0 else 0.0
        runs = len(recording) * orders
        print(
            f"  {name:30s} {100 * ours.accuracy:11.2f} {float(ours.samples):14.2f}"
            f"   plain reference {100 * right / runs:6.2f} {taken / runs:6.2f}"
        )


def dominated_by(name: str, table: dict[str, tuple[float, float]], others: Iterable[str]) -> list[str]:
    """The others that are at least as right for no more samples, and better in one of the two."""
    accuracy, samples = table[name]
    return [
        other
        for other in others
        if table[other] != table[name] and table[other][0] >= accuracy and table[other][1] <= samples
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    savings, losses = [], []
    for title, load in SETS.items():
        recording = load()
        table = measured(recording, splits=options.splits, seed=options.seed)
        print(f"\n{title:32s} accuracy, %   mean samples")
        print(" on all problems, nothing chosen")
        whole(recording)
        print(f" on the halves not chosen on, mean of {options.splits} splits")
        for name, (accuracy, samples) in table.items():
            print(f"  {name:30s} {100 * accuracy:11.2f} {samples:14.2f}")
        rivals = [name for name in table if name.startswith(("adaptive", "ESC"))]
        savings.append(1 - table[CHOSEN][1] / table["adaptive consistency 0.95"][1])
        losses.append(table["full vote"][0] - table[CHOSEN][0])
        print(
            f"  learned: {100 * savings[-1]:.1f} % fewer samples than adaptive consistency, "
            f"{100 * losses[-1]:.2f} points below the full vote, "
            f"dominated by {', '.join(dominated_by(CHOSEN, table, rivals)) or 'none of adaptive consistency and ESC'}"
        )
    print(
        f"\nover the sets: {100 * np.mean(savings):.1f} % fewer samples than adaptive consistency, "
        f"{100 * np.mean(losses):.2f} points below the full vote (worst {100 * max(losses):.2f})"
    )


if __name__ == "__main__":
    main()
