"""What a stopping decision costs: `python tests/bench/stopping.py`.

Prints medians in nanoseconds per decision over the growing prefixes of 40 samples with 10 clusters, for every
rule through Python and, where it is installed (`pip install AdaptiveConsistency`), for the public
adaptive-consistency package, in one run. That package is given the answers, as it asks for; our rules the
tally, whose growing is timed apart.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import random
import statistics
import time
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from orchestrator.stopping import (
    After,
    AllOf,
    AnyOf,
    BetaStop,
    ConvergenceStop,
    DirichletStop,
    EntropyStop,
    FixedSize,
    LeadStop,
    MajorityStop,
    ScoreStop,
    StoppingRule,
    Tally,
    ValueOfSample,
    WindowStop,
)

REPEATS = 7
RULES: dict[str, StoppingRule] = {
    "FixedSize": FixedSize(),
    "LeadStop": LeadStop(),
    "MajorityStop": MajorityStop(),
    "EntropyStop": EntropyStop(),
    "ScoreStop": ScoreStop(),
    "WindowStop(5)": WindowStop(size=5),
    "ConvergenceStop": ConvergenceStop(),
    "BetaStop": BetaStop(),
    "DirichletStop": DirichletStop(),
    "ValueOfSample": ValueOfSample(price=0.002),
    "AnyOf(Beta, Window)": AnyOf(rules=(BetaStop(), WindowStop(size=5))),
    "AllOf(Beta, Majority)": AllOf(rules=(BetaStop(), MajorityStop())),
    "After(8, Dirichlet)": After(n=8, rule=DirichletStop()),
}
# Forty votes that no bound decides at 0.95: the slowest case of DirichletStop.
CLOSE = [15, 6, 6, 4, 3, 2, 1, 1, 1, 1]


def samples() -> list[int]:
    """Forty votes for ten answers, one of them for about a third; none stops early by a wide margin."""
    shares = [12, 8, 5, 4, 3, 2, 2, 2, 1, 1]
    votes = [answer for answer, share in enumerate(shares) for _ in range(share)]
    random.Random(5).shuffle(votes)
    seen: dict[int, int] = {}
    return [seen.setdefault(vote, len(seen)) for vote in votes]


def tallies(votes: Sequence[int]) -> list[Tally]:
    """The tally after each vote."""
    return [Tally.of_clusters(votes[: size + 1], planned=40) for size in range(len(votes))]


def medians(decide: Callable[[Any], Any], states: Sequence[Any], rounds: int) -> tuple[float, float]:
    """Nanoseconds per decision: over all prefixes, and for the one that takes longest."""
    per_state = []
    for state in states:
        times = []
        for _ in range(REPEATS if rounds > 1 else 1):
            start = time.perf_counter_ns()
            for _ in range(rounds):
                decide(state)
            times.append((time.perf_counter_ns() - start) / rounds)
        per_state.append(statistics.median(times))
    return statistics.median(per_state), max(per_state)


def growth(votes: Sequence[int]) -> float:
    """Nanoseconds per `Tally.add`."""
    times = []
    for _ in range(REPEATS * 20):
        tally = Tally(planned=40)
        start = time.perf_counter_ns()
        for vote in votes:
            tally.add(vote)
        times.append((time.perf_counter_ns() - start) / len(votes))
    return statistics.median(times)


def package_criterion(name: str) -> Callable[[Sequence[int]], Any] | None:
    """A criterion of the public package, or None with a line why it is left out."""
    try:
        module: types.ModuleType = importlib.import_module("adaptive_consistency")
    except ImportError as error:
        print(f"adaptive-consistency's {name}: not installed ({error})")
        return None
    criterion = getattr(module, f"{name}StoppingCriteria")()

    def decide(votes: Sequence[int]) -> Any:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return criterion.should_stop(list(votes))

    return decide


def try_package(name: str, prefixes: Sequence[Sequence[int]]) -> tuple[float, float] | None:
    """Its times, over the prefixes that it survives."""
    decide = package_criterion(name)
    if decide is None:
        return None
    working, failures = [], []
    for prefix in prefixes:
        try:
            decide(prefix)
            working.append(prefix)
        except Exception as error:  # the package's own failure is what is reported
            failures.append(f"{type(error).__name__}: {error}".splitlines()[0])
    if failures:
        print(
            f"adaptive-consistency's {name} fails on {len(failures)} of {len(prefixes)}: {failures[0][:90]}"
        )
    return medians(decide, working[:: 1 if name != "Dirichlet" else 8], 1) if working else None


def main() -> None:
    votes = samples()
    states, prefixes = tallies(votes), [votes[: size + 1] for size in range(len(votes))]
    theirs = {name: try_package(name, prefixes) for name in ("Beta", "Dirichlet", "Majority", "Entropy")}
    print(f"{'decision':<34}{'median':>12}{'slowest':>12}   ns; adaptive-consistency over ours, by median")
    print(f"{'Tally.add':<34}{growth(votes):>12.0f}")
    for name, rule in RULES.items():
        median, slowest = medians(rule.should_stop, states, 200)
        other = theirs.get(name.removesuffix("Stop"))
        ratio = "" if other is None else f"   {other[0] / median:,.0f}x"
        print(f"{name:<34}{median:>12.0f}{slowest:>12.0f}{ratio}", flush=True)
    close = Tally.of(CLOSE, planned=40)
    print(
        f"{'DirichletStop, by its integral':<34}{medians(DirichletStop().should_stop, [close], 200)[0]:>12.0f}"
    )
    for criterion, times in theirs.items():
        if times is not None:
            print(f"{'adaptive-consistency ' + criterion:<34}{times[0]:>12.0f}{times[1]:>12.0f}")


if __name__ == "__main__":
    main()
