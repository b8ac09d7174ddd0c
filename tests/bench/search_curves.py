"""Searches against sampling at equal tokens, on a model of the problem: accuracy curves, and where they cross.

    pip install ".[test,plots]"
    python tests/bench/search_curves.py --out curves

The problems, the model that solves them step by step and the process reward model (PRM) are those of
`tests/search/synthetic.py`, whose probabilities are known: what comes out follows from these assumptions, and is no
measurement of a language model. The strategies, the controller and its accounts are the real ones.

The budget N of a method is what N solutions written at once cost, about. Methods are compared at equal mean tokens
per problem as they were charged, accuracy between two budgets being linear in the logarithm of the tokens. Tokens are
completion tokens, which is what a search costs where the server's prefix cache hits, and in a second comparison all
tokens, every prompt in full, which is what it costs where nothing is cached. Intervals are bootstrapped over problems
at 95 %, those of leads paired; `*` marks a lead whose interval leaves 0 out. Quintiles are by the probability of a
solution without a mistake, from the easiest problems (1) to the hardest (5).

The claims that are looked at are those of Snell et al., arXiv 2408.03314, §5.3 and Figure 3, about beam search and
weighted best-of-N on MATH: search is ahead at small budgets; best-of-N passes it at large ones; on easy problems beam
search gets worse as its budget grows; on medium ones it stays ahead; on the hardest nothing helps. The last table is a
map of the first two over what the PRM is like.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator import BestOfN, Controller, SelfConsistency
from orchestrator.answers import AnswerReader
from orchestrator.context import ControlProgram
from orchestrator.scaling import Interval, bootstrap_interval
from orchestrator.stopping import FixedSize
from orchestrator.strategies import BeamSearch, DiverseVerifierTreeSearch, ParticleFilter

sys.path.append(str(Path(__file__).parents[1]))

from search.curves import Curve, Floats, Numbers, ahead, by_difficulty, crossings, shared_range
from search.synthetic import StepwiseModel, StepwiseProblems, StepwiseRewardModel

Program = Callable[[int, StepwiseRewardModel], ControlProgram]

BASELINE, BEAM = "best-of-N, weighted", "beam search"
BEAM_WIDTH = 4
NOISES, BLIND = (0.5, 1.0, 2.0), (0.0, 0.1)
MAP_NOISES, MAP_BLIND = (0.5, 1.0, 2.0, 4.0), (0.0, 0.02, 0.05, 0.1, 0.2)


def shared(reward: StepwiseRewardModel) -> dict[str, Any]:
    """Settings of all searches."""
    return {"verifier": reward, "max_steps": reward.problems.steps, "choose": "weighted"}


METHODS: dict[str, Program] = {
    "self-consistency": lambda n, reward: SelfConsistency(n=n, per_call=n, stop=FixedSize()),
    "best-of-N": lambda n, reward: BestOfN(n=n, per_call=n, verifier=reward, threshold=None),
    BASELINE: lambda n, reward: BestOfN(n=n, per_call=n, verifier=reward, threshold=None, weighted=True),
    BEAM: lambda n, reward: BeamSearch(n=n, beam_width=BEAM_WIDTH, **shared(reward)),
    "DVTS": lambda n, reward: DiverseVerifierTreeSearch(n=n, beam_width=BEAM_WIDTH, **shared(reward)),
    "particle filter": lambda n, reward: ParticleFilter(particles=n, **shared(reward)),
}
"""The program of each method for a budget of N solutions."""


# Running -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One method at one budget with one PRM, on the first problems."""

    method: str
    n: int
    reward: StepwiseRewardModel
    problems: int

    def run(self) -> Points:
        """What comes of it."""
        return asyncio.run(self._run())

    async def _run(self) -> Points:
        problems = self.reward.problems.problems(self.problems)
        program = METHODS[self.method](self.n, self.reward)
        models = {"stepwise": StepwiseModel(self.reward.problems)}
        async with Controller(models=models, answers=AnswerReader(kind="number")) as controller:
            outcomes = [one async for one in controller.map(program, problems, ordered=True, at_once=1)]
        for outcome in outcomes:
            if outcome.error is not None:
                raise RuntimeError(f"{self.method} failed on problem {outcome.problem}: {outcome.error}")
        pairs = zip(problems, outcomes, strict=True)
        return Points(
            right=np.array([float(str(outcome.answer) == problem.reference) for problem, outcome in pairs]),
            completion_tokens=float(np.mean([one.usage.completion_tokens for one in outcomes])),
            total_tokens=float(np.mean([one.usage.total_tokens for one in outcomes])),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """What came of a job: whether each problem was answered right, shape (problems,), and mean tokens of a problem."""

    right: Floats
    completion_tokens: float
    total_tokens: float


def run_all(jobs: Iterable[Job], processes: int) -> dict[Job, Points]:
    """All jobs, each once, the largest first."""
    distinct = sorted(dict.fromkeys(jobs), key=lambda job: -job.n)
    with ProcessPoolExecutor(processes) as pool:
        return dict(zip(distinct, pool.map(Job.run, distinct), strict=True))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A PRM, and what all methods came to with it.

    Attributes:
        points: By method, in the order of the budgets.
    """

    reward: StepwiseRewardModel
    budgets: Sequence[int]
    points: Mapping[str, Sequence[Points]]

    @cached_property
    def quintiles(self) -> list[Numbers]:
        """The problems' numbers by difficulty, the easiest first."""
        count = len(self.points[BASELINE][0].right)
        return by_difficulty([self.reward.problems.course(number).solved for number in range(count)], 5)

    def curve(self, method: str, tokens: str = "completion_tokens") -> Curve:
        """Accuracy by these tokens."""
        points = self.points[method]
        return Curve(
            right=np.stack([one.right for one in points]),
            tokens=np.array([getattr(one, tokens) for one in points]),
        )

    @property
    def name(self) -> str:
        """What the PRM is like."""
        blind = f"blind to {self.reward.blind:.0%} of mistakes" if self.reward.blind else "blind to none"
        return f"PRM noise σ = {self.reward.noise:g} (AUC {self.reward.auc:.3f}), {blind}"


def jobs_of(
    reward: StepwiseRewardModel, methods: Iterable[str], budgets: Sequence[int], problems: int
) -> list[Job]:
    """The jobs behind a setting. What asks no PRM is done once for all of them."""
    rewards = {"self-consistency": StepwiseRewardModel(problems=reward.problems)}
    return [
        Job(method=method, n=n, reward=rewards.get(method, reward), problems=problems)
        for method in methods
        for n in budgets
    ]


def setting_of(
    reward: StepwiseRewardModel,
    methods: Sequence[str],
    budgets: Sequence[int],
    problems: int,
    done: Mapping[Job, Points],
) -> Setting:
    found = [done[job] for job in jobs_of(reward, methods, budgets, problems)]
    size = len(budgets)
    points = {method: found[at * size : (at + 1) * size] for at, method in enumerate(methods)}
    return Setting(reward=reward, budgets=budgets, points=points)


# Saying --------------------------------------------------------------------------------------------------------


def thousands(tokens: float) -> str:
    return f"{tokens / 1000:.1f}k"


def points_of(lead: Interval) -> str:
    """A lead in percentage points, marked where its interval leaves 0 out."""
    return f"{100 * lead.value:+.0f}{'*' if lead.low > 0 or lead.high < 0 else ''}"


def passing(one: Curve, other: Curve, among: Numbers | None = None) -> str:
    """Where `one` passes `other`, in tokens; "ahead" or "behind" throughout where it does not."""
    found = crossings(one, other, among)
    if found:
        return ", ".join(f"{'above' if at.upwards else 'below'} from {thousands(at.tokens)}" for at in found)
    low, high = shared_range(one, other)
    leads = [ahead(one, other, tokens, among).value for tokens in np.geomspace(low, high, 9)]
    return "ahead" if max(leads) > 1e-9 else "behind" if min(leads) < -1e-9 else "equal"


def say_accuracy(setting: Setting) -> None:
    print(f"  {'right, % [95 %]; tokens':24}" + "".join(f"{f'N = {n}':>28}" for n in setting.budgets))
    for method, points in setting.points.items():
        cells = []
        for one in points:
            share = bootstrap_interval(one.right, resamples=2000)
            said = f"{100 * share.value:.0f} [{100 * share.low:.0f}, {100 * share.high:.0f}]"
            cells.append(f"{said:>14} {thousands(one.completion_tokens):>6}/{thousands(one.total_tokens):>6}")
        print(f"  {method:24}" + "".join(f"{cell:>28}" for cell in cells))


def say_leads(setting: Setting, tokens: str, title: str) -> None:
    """What each search is ahead by, at the tokens of the baseline's budgets that both curves cover."""
    other = setting.curve(BASELINE, tokens)
    print(f"  {title:24}" + "".join(f"{thousands(at):>10}" for at in other.tokens) + "   passes it")
    for method in setting.points:
        if method == BASELINE:
            continue
        one = setting.curve(method, tokens)
        low, high = shared_range(one, other)
        cells = [
            points_of(ahead(one, other, at)) if low * 0.97 <= at <= high * 1.03 else "" for at in other.tokens
        ]
        print(f"  {method:24}" + "".join(f"{cell:>10}" for cell in cells) + f"   {passing(one, other)}")


def say_difficulty(setting: Setting) -> None:
    """The searches' leads by quintile, at the smallest, ..., the largest budget."""
    other = setting.curve(BASELINE)
    width = 7 * len(setting.budgets) + 2
    heads = "".join(f"{f'quintile {at}':>{width}}" for at in range(1, 6))
    print(f"  {'lead at these, by':24}{heads}")
    for method in setting.points:
        if method in ("self-consistency", "best-of-N", BASELINE):
            continue
        one = setting.curve(method)
        cells = [
            "".join(f"{points_of(ahead(one, other, at, among)):>7}" for at in other.tokens)
            for among in setting.quintiles
        ]
        print(f"  {method:24}" + "".join(f"{cell:>{width}}" for cell in cells))
    accuracy = [
        "".join(f"{100 * one.right[among].mean():>7.0f}" for one in setting.points[BASELINE])
        for among in setting.quintiles
    ]
    print(f"  {'(right, % ' + BASELINE + ')':24}" + "".join(f"{cell:>{width}}" for cell in accuracy))


def say_map(settings: Mapping[tuple[float, float], Setting], method: str) -> None:
    """The leads of a method at the smallest and the largest budget, and where it passes the baseline."""
    print(f"{method}: lead over {BASELINE} at the smallest and the largest budget, and where it passes it")
    print(f"  {'':10}" + "".join(f"{f'blind {blind:.0%}':>30}" for blind in MAP_BLIND))
    for noise in MAP_NOISES:
        cells = []
        for blind in MAP_BLIND:
            one, other = (settings[noise, blind].curve(name) for name in (method, BASELINE))
            first, last = (points_of(ahead(one, other, at)) for at in (other.tokens[0], other.tokens[-1]))
            cells.append(f"{first} {last} {passing(one, other)}")
        print(f"  σ = {noise:<6g}" + "".join(f"{cell:>30}" for cell in cells))


def write_csv(path: Path, settings: Sequence[Setting]) -> None:
    """A line for each setting, method, budget and quintile (0: all problems)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            [
                "noise",
                "blind",
                "method",
                "n",
                "completion_tokens",
                "total_tokens",
                "quintile",
                "right",
                "low",
                "high",
            ]
        )
        for setting in settings:
            everyone = np.arange(sum(map(len, setting.quintiles)))
            for method, points in setting.points.items():
                for n, one in zip(setting.budgets, points, strict=True):
                    for quintile, among in enumerate([everyone, *setting.quintiles]):
                        share = bootstrap_interval(one.right[among], resamples=2000)
                        figures = [round(number, 4) for number in (share.value, share.low, share.high)]
                        tokens = [round(one.completion_tokens), round(one.total_tokens)]
                        table.writerow(
                            [
                                setting.reward.noise,
                                setting.reward.blind,
                                method,
                                n,
                                *tokens,
                                quintile,
                                *figures,
                            ]
                        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--most", type=int, default=64, help="largest budget; budgets are 4, 16, 64, ...")
    parser.add_argument("--seed", type=int, default=0, help="of the problems")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, help="folder for curves.csv and the plots")
    given = parser.parse_args()
    budgets = [n for n in (4, 16, 64, 256, 1024) if n <= given.most]
    problems = StepwiseProblems(seed=given.seed)

    def reward(noise: float, blind: float) -> StepwiseRewardModel:
        return StepwiseRewardModel(problems=problems, noise=noise, blind=blind, seed=given.seed)

    shown = {(noise, blind): tuple(METHODS) for blind in BLIND for noise in NOISES}
    mapped = {(noise, blind): (BASELINE, BEAM, "DVTS") for noise in MAP_NOISES for blind in MAP_BLIND}
    started = time.perf_counter()
    jobs = [
        job
        for wanted in (shown, mapped)
        for at, methods in wanted.items()
        for job in jobs_of(reward(*at), methods, budgets, given.problems)
    ]
    done = run_all(jobs, given.processes)
    seconds = time.perf_counter() - started
    settings, map_of = (
        {
            at: setting_of(reward(*at), methods, budgets, given.problems, done)
            for at, methods in wanted.items()
        }
        for wanted in (shown, mapped)
    )
    print(
        f"{given.problems} problems of {problems.steps} steps, {len(done)} runs, {seconds:.0f} s, {given.processes} processes"
    )
    for setting in settings.values():
        print(f"\n{setting.name}")
        say_accuracy(setting)
        say_leads(setting, "completion_tokens", "lead, completion tokens")
        say_difficulty(setting)
        say_leads(setting, "total_tokens", "lead, prompts in full")
    for method in (BEAM, "DVTS"):
        print()
        say_map(map_of, method)
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        write_csv(given.out / "curves.csv", list(settings.values()))
        if find_spec("matplotlib") is None:
            print('no plots without matplotlib: pip install ".[plots]"', file=sys.stderr)
            return
        from search_plots import plot_curves, plot_difficulty

        plot_curves(given.out, list(settings.values()), columns=len(NOISES))
        plot_difficulty(given.out, list(settings.values()), BEAM, BASELINE, columns=len(NOISES))


if __name__ == "__main__":
    main()
