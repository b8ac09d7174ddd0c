"""Searches against sampling at equal tokens, on a model of the problem: accuracy curves, and where they cross.

    pip install ".[test,plots]"
    python tests/bench/search_curves.py --out curves

The problems, the model that solves them step by step and the process reward model (PRM) are those of
`tests/search/synthetic.py`, whose probabilities are known: what comes out follows from these assumptions, and is no
measurement of a language model. The strategies, the controller and its accounts are the real ones.

The budget N of a method is about what N solutions written at once cost. Methods are compared at equal mean tokens
per problem as they were charged, accuracy between two budgets being linear in the logarithm of the tokens. Tokens are
completion tokens, which is what a search costs where the server's prefix cache hits, and in a second comparison all
tokens, every prompt in full, which is what it costs where nothing is cached. Intervals are bootstrapped over problems
at 95 %, those of leads paired; `*` marks a lead whose interval leaves 0 out. Quintiles are by the probability of a
solution without a mistake, from the easiest problems (1) to the hardest (5).

The claims that are looked at are those of Snell et al., arXiv 2408.03314, §5.3 and Figure 3, about beam search and
weighted best-of-N on MATH: search is ahead at small budgets; best-of-N passes it at large ones; on easy problems
beam search gets worse as its budget grows; on medium ones it stays ahead; on the hardest nothing helps. The last
table is a map of the first two over what the PRM is like. 60 problems take about ten minutes of processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator import BestOfN, Controller, SelfConsistency
from orchestrator.answers import AnswerReader
from orchestrator.contracts import ControlProgram
from orchestrator.scaling import bootstrap_interval
from orchestrator.stopping import FixedSize
from orchestrator.strategies import MCTS, BeamSearch, DiverseVerifierTreeSearch, ParticleFilter

sys.path.append(str(Path(__file__).parents[1]))

from search.curves import Curve, Floats, Numbers, ahead, by_difficulty, crossings, shared_range
from search.synthetic import StepwiseModel, StepwiseProblems, StepwiseRewardModel

Program = Callable[[int, StepwiseRewardModel], ControlProgram]
Mistaken = tuple[float, float, float]
"""What a PRM is like: σ, b and a."""

BASELINE, BEAM = "best-of-N, weighted", "beam search"
SAMPLING = ("self-consistency", "best-of-N", BASELINE)
REACH = 1.03
"""Mean tokens of equal budgets differ by so much at most, as a factor, because solutions differ in length."""
WIDTH = 4
"""Steps drawn at a time by all searches but the particle filter and the rollouts."""

SHOWN = [(noise, blind, 1.0) for blind in (0.0, 0.1) for noise in (1.0, 2.0)]
"""The PRMs with which all methods are compared."""

MAP_NOISE = (0.5, 1.0, 2.0, 4.0)
MAP_MISTAKES = ((0.0, 1.0), (0.1, 0.0), (0.02, 1.0), (0.05, 1.0), (0.1, 1.0))
"""What the PRM is like: σ; and b, the share of mistakes it is blind to, with a, by how much these look too good."""


def shared(reward: StepwiseRewardModel) -> dict[str, Any]:
    """Settings of all searches."""
    return {"verifier": reward, "max_steps": reward.problems.steps, "choose": "weighted"}


METHODS: dict[str, Program] = {
    "self-consistency": lambda n, reward: SelfConsistency(n=n, per_call=n, stop=FixedSize()),
    "best-of-N": lambda n, reward: BestOfN(n=n, per_call=n, verifier=reward, threshold=None),
    BASELINE: lambda n, reward: BestOfN(n=n, per_call=n, verifier=reward, threshold=None, weighted=True),
    BEAM: lambda n, reward: BeamSearch(n=n, beam_width=WIDTH, **shared(reward)),
    "DVTS": lambda n, reward: DiverseVerifierTreeSearch(n=n, beam_width=WIDTH, **shared(reward)),
    "particle filter": lambda n, reward: ParticleFilter(particles=n, **shared(reward)),
    "MCTS": lambda n, reward: MCTS(
        num_simulations=n * reward.problems.steps // WIDTH,
        branching=WIDTH,
        prior="uniform",
        patience=None,
        **shared(reward),
    ),
    "MCTS, rollouts": lambda n, reward: MCTS(
        num_simulations=3 * n // 4,
        branching=2,
        value="rollout",
        rollouts=1,
        prior="uniform",
        patience=None,
        **shared(reward),
    ),
}
"""The program of each method for a budget of about N solutions; where not said otherwise, as it is by default."""


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
    """What came of a job.

    Attributes:
        right: Whether each problem was answered right, shape (problems,).
        completion_tokens, total_tokens: Mean of a problem.
    """

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

    def all_points(self) -> Iterator[tuple[str, int, Points]]:
        """Each method and budget with what came of it."""
        for method, points in self.points.items():
            for n, one in zip(self.budgets, points, strict=True):
                yield method, n, one

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
        reward = self.reward
        return (
            f"PRM noise σ = {reward.noise:g} (AUC {reward.auc:.2f}), {mistakes(reward.blind, reward.allure)}"
        )


def mistakes(blind: float, allure: float) -> str:
    """Which mistakes a PRM does not see, in words."""
    return f"blind to {blind:.0%}, allure {allure:g}" if blind else "blind to none"


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


def lead_of(one: Curve, other: Curve, tokens: float, among: Numbers | None = None) -> str:
    """A lead in percentage points, marked where its interval leaves 0 out; "" where a curve does not reach."""
    low, high = shared_range(one, other)
    if not low / REACH <= tokens <= high * REACH:
        return ""
    lead = ahead(one, other, tokens, among)
    sure = abs(lead.value) >= 0.005 and (lead.low > 0 or lead.high < 0)
    return f"{100 * lead.value:+.0f}{'*' if sure else ''}"


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
        cells = [lead_of(one, other, at) for at in other.tokens]
        print(f"  {method:24}" + "".join(f"{cell:>10}" for cell in cells) + f"   {passing(one, other)}")


def say_difficulty(setting: Setting) -> None:
    """The searches' leads by quintile, from the smallest to the largest budget."""
    other = setting.curve(BASELINE)
    cell = 6 * len(setting.budgets) + 2
    print(f"  {'lead by quintile':24}" + "".join(f"{at:>{cell}}" for at in range(1, 6)))
    for method in setting.points:
        if method in SAMPLING:
            continue
        one = setting.curve(method)
        leads = [[lead_of(one, other, at, among) for at in other.tokens] for among in setting.quintiles]
        print(
            f"  {method:24}" + "".join(f"{''.join(f'{lead:>6}' for lead in some):>{cell}}" for some in leads)
        )
    for method in (BASELINE, BEAM):
        shares = [
            [f"{100 * one[among].mean():.0f}" for one in setting.curve(method).right]
            for among in setting.quintiles
        ]
        print(
            f"  {'% ' + method:24}"
            + "".join(f"{''.join(f'{one:>6}' for one in some):>{cell}}" for some in shares)
        )


def say_map(settings: Mapping[Mistaken, Setting]) -> None:
    """Beam search's leads at the smallest and the largest budget, and where it passes the baseline."""
    print(f"{BEAM}: lead over {BASELINE} at the smallest and the largest budget, and where it passes it")
    print(f"  {'':8}" + "".join(f"{mistakes(*some):>34}" for some in MAP_MISTAKES))
    for noise in MAP_NOISE:
        cells = []
        for some in MAP_MISTAKES:
            one, other = (settings[noise, *some].curve(name) for name in (BEAM, BASELINE))
            first, last = (lead_of(one, other, at) for at in (other.tokens[0], other.tokens[-1]))
            cells.append(f"{first} {last} {passing(one, other)}")
        print(f"  σ = {noise:<4g}" + "".join(f"{cell:>34}" for cell in cells))


def write_csv(path: Path, settings: Sequence[Setting]) -> None:
    """A line for each setting, method, budget and quintile (0: all problems)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            [
                "noise",
                "blind",
                "allure",
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
            reward = setting.reward
            everyone = np.concatenate(setting.quintiles)
            for method, n, one in setting.all_points():
                tokens = [round(one.completion_tokens), round(one.total_tokens)]
                row = [reward.noise, reward.blind, reward.allure, method, n, *tokens]
                for quintile, among in enumerate([everyone, *setting.quintiles]):
                    share = bootstrap_interval(one.right[among], resamples=2000)
                    table.writerow(
                        [*row, quintile, *(f"{x:.4f}" for x in (share.value, share.low, share.high))]
                    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--problems", type=int, default=60)
    parser.add_argument("--most", type=int, default=64, help="largest budget of 4, 16, 64, 256")
    parser.add_argument("--seed", type=int, default=0, help="of the problems and the PRM's noise")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, help="folder for curves.csv and the plots")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    budgets = [n for n in (4, 16, 64, 256) if n <= given.most]
    problems = StepwiseProblems(seed=given.seed)
    mapped = [(noise, *some) for noise in MAP_NOISE for some in MAP_MISTAKES]
    wanted = [(at, tuple(METHODS)) for at in SHOWN] + [(at, (BASELINE, BEAM)) for at in mapped]
    rewards = {
        (noise, blind, allure): StepwiseRewardModel(
            problems=problems, noise=noise, blind=blind, allure=allure, seed=given.seed
        )
        for (noise, blind, allure), _ in wanted
    }
    started = time.perf_counter()
    done = run_all(
        (job for at, methods in wanted for job in jobs_of(rewards[at], methods, budgets, given.problems)),
        given.processes,
    )
    seconds = time.perf_counter() - started
    print(f"{given.problems} problems of {problems.steps} steps; {len(done)} runs in {seconds:.0f} s", end="")
    print(f" by {given.processes} processes")
    settings = [setting_of(rewards[at], tuple(METHODS), budgets, given.problems, done) for at in SHOWN]
    for setting in settings:
        print(f"\n{setting.name}")
        say_accuracy(setting)
        say_leads(setting, "completion_tokens", "lead, completion tokens")
        say_difficulty(setting)
        say_leads(setting, "total_tokens", "lead, prompts in full")
    print()
    say_map({at: setting_of(rewards[at], (BASELINE, BEAM), budgets, given.problems, done) for at in mapped})
    if given.out is not None:
        write(given.out, settings)


def write(folder: Path, settings: Sequence[Setting]) -> None:
    """The figures as a table, and as plots where there is matplotlib."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "curves.csv", settings)
    if find_spec("matplotlib") is None:
        print('no plots without matplotlib: pip install ".[plots]"', file=sys.stderr)
        return
    from search_plots import plot_accuracy, plot_leads

    everyone = np.concatenate(settings[0].quintiles)
    plot_accuracy(
        folder / "search_curves",
        {setting.name: {method: setting.curve(method) for method in METHODS} for setting in settings},
    )
    plot_leads(
        folder / "search_leads",
        {setting.name: (setting.curve(BEAM), setting.curve(BASELINE)) for setting in settings},
        {"all": everyone} | {str(at): some for at, some in enumerate(settings[0].quintiles, 1)},
        title=f"lead of {BEAM} over {BASELINE} by quintile",
    )


if __name__ == "__main__":
    main()
