"""Cascades and routers fitted on one half of recorded problems and reported on the other, next to plain rules.

    python tests/bench/recorded_cascades.py DATA [--splits 10] [--seed 0] [--only gsm8k|anytime|routing]

DATA is a folder with, each in the folder named:

- `faithful_cot/gsm8k_configs.jsonl.gz`: GSM8K by several models and prompts (veronica320/Faithful-COT);
- `gsm8k_anytime/preds_main_adapter.jsonl.gz`: GSM8K at 4 token budgets (altieriumb7/adaptive-anytime-llm-routing);
- `routellm/gsm8k.jsonl.gz`, `routellm/mmlu.jsonl.gz`: Mixtral-8x7B and GPT-4 on each prompt (lm-sys/RouteLLM).

Every figure of something fitted is a mean over the halves it was not fitted on. Differences between two rules are
paired by half; their range is mean ± 2 standard errors over the splits, which share problems, so that it says how
sure the mean over splits is, not how another set of problems would turn out. How often a fit's interval holds is
counted on the other halves too: they are samples themselves, and the splits overlap, so that the count is no test of
the nominal rate.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.scaling import (
    Calibrator,
    RecordedTier,
    deferral_path,
    fit_deferral,
    fit_router,
    fit_thresholds,
    replay_thresholds,
    routing_curve,
)

CHEAP = ("gpt-3.5-turbo_COT", "code002_noNL", "gpt-3.5-turbo_noNL", "gpt-3.5-turbo_NL+SL")
STRONG = "gpt4_NL+SL"
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def halves(problems: int, *, splits: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for number in range(seed, seed + splits):
        order = np.random.default_rng(number).permutation(problems)
        yield order[: problems // 2], order[problems // 2 :]


def paired(differences: Sequence[float], *, scale: float = 100) -> str:
    values = scale * np.asarray(differences)
    error = values.std(ddof=1) / math.sqrt(values.size) if values.size > 1 else math.nan
    return f"{values.mean():+6.2f} ± {2 * error:.2f}"


def predicted(calibrator: Calibrator, figures: Sequence[Sequence[float]]) -> np.ndarray:
    return np.array([calibrator.predict(row) for row in figures])


# -- agreement of cheap answers, else GPT-4 --------------------------------------------------------------------


def cheap_figures(configs: dict[str, Any], names: Sequence[str]) -> list[float]:
    """Of the first answer: who agrees with it, whether it can be read, is whole or positive, and how long it is."""
    own, *others = [configs[name]["answer"] for name in names]
    value = float(own) if re.fullmatch(r"-?\d+(?:\.\d+)?", own or "") else None
    return [
        *(float(other == own) for other in others),
        float(len(set(others)) < len(others) and own not in others),
        float(value is None),
        float(value is not None and value.is_integer()),
        float(value is not None and value <= 0),
        math.log1p(abs(value)) if value is not None else 0.0,
        math.log1p(configs[names[0]]["chars"]),
    ]


def cascade_tables(table: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Figures, agreement and right answers of the cheap tier with 2 and with 4 prompts, and the strong tier."""
    configs = [row["configs"] for row in table]
    return {
        "figures": {k: [cheap_figures(config, CHEAP[:k]) for config in configs] for k in (2, 4)},
        "agree": np.array([float(c[CHEAP[0]]["answer"] == c[CHEAP[1]]["answer"]) for c in configs]),
        "cheap": np.array([c[CHEAP[0]]["correct"] for c in configs], dtype=float),
        "strong": np.array([c[STRONG]["correct"] for c in configs], dtype=float),
    }


def two_tiers(data: dict[str, Any], confidence: np.ndarray, part: np.ndarray) -> list[RecordedTier]:
    """In strong calls: the cheap tier is free, so that the mean cost is the share of problems escalated."""
    return [
        RecordedTier(correct=data["cheap"][part], cost=0.0, confidence=confidence[part]),
        RecordedTier(correct=data["strong"][part], cost=1.0),
    ]


def fitted_confidence(data: dict[str, Any], prompts: int, part: np.ndarray) -> np.ndarray:
    figures = data["figures"][prompts]
    names = [f"figure {number}" for number in range(len(figures[0]))]
    calibrator = Calibrator.fit(
        [figures[i] for i in part], (data["cheap"][part] == 1).tolist(), method="logistic", features=names
    )
    return predicted(calibrator, figures)


def cascades(folder: Path, *, splits: int, seed: int) -> None:
    data = cascade_tables(rows(folder / "faithful_cot" / "gsm8k_configs.jsonl.gz"))
    everything = np.arange(data["agree"].size)
    whole = replay_thresholds(two_tiers(data, data["agree"], everything), (1.0,))
    print(
        f"\nGSM8K {everything.size}: {CHEAP[0]} where {CHEAP[1]} agrees, else {STRONG}\n"
        f"  on all problems, nothing fitted: {100 * whole.accuracy:.1f} % at {100 * whole.escalated:.1f} % escalation"
    )
    found: dict[str, list[tuple[float, float]]] = {}
    gains: dict[str, list[tuple[float, float]]] = {}
    covered: dict[bool, list[bool]] = {False: [], True: []}
    for fit_on, report_on in halves(everything.size, splits=splits, seed=seed):
        agree = two_tiers(data, data["agree"], fit_on)
        plain = replay_thresholds(two_tiers(data, data["agree"], report_on), (1.0,))
        at_fit = replay_thresholds(agree, (1.0,))
        found.setdefault("agree, else strong", []).append((plain.accuracy, plain.escalated))
        for prompts in (2, 4):
            confidence = fitted_confidence(data, prompts, fit_on)
            tiers = two_tiers(data, confidence, fit_on)
            targets = {
                "same escalation": {"target_cost": at_fit.escalated},
                "0.9 of the escalation": {"target_cost": 0.9 * at_fit.escalated},
                "same accuracy": {"target_accuracy": at_fit.accuracy, "guarantee": False},
                "at least 92 %, guaranteed": {"target_accuracy": 0.92},
            }
            for target, options in targets.items():
                name = f"fitted, {prompts} cheap prompts, {target}"
                fit = fit_thresholds(tiers, **options)
                done = replay_thresholds(two_tiers(data, confidence, report_on), fit.thresholds)
                found.setdefault(name, []).append((done.accuracy, done.escalated))
                gains.setdefault(name, []).append(
                    (done.accuracy - plain.accuracy, done.escalated - plain.escalated)
                )
                covered[fit.guaranteed is not None].append(
                    fit.accuracy.low <= done.accuracy <= fit.accuracy.high
                )
    print(
        f"  on the halves not fitted on, mean of {splits} splits: accuracy, %  escalated, %   against agree-else"
    )
    for name, results in found.items():
        accuracy, escalated = np.mean(results, axis=0)
        print(f"  {name:54s} {100 * accuracy:6.2f} {100 * escalated:12.2f}", end="")
        if name in gains:
            more, further = zip(*gains[name], strict=True)
            print(f"   {paired(more)}   {paired(further)}", end="")
        print()
    for guaranteed, what in (
        (False, "interval of a fit without guarantee holds the other half's accuracy"),
        (True, "guaranteed accuracy is reached on the other half"),
    ):
        held = covered[guaranteed]
        print(f"  {what}: {sum(held)} of {len(held)} (nominally 95 %)")


# -- stopping by stated confidence at growing token budgets ----------------------------------------------------


def stage_figures(row: dict[str, Any], stage: int) -> list[float]:
    """Stated confidence, length of the reasoning, and whether the answer is the one of the stage before."""
    answers, stated = row["answers"], [value or 0.0 for value in row["conf"]]
    long = [math.log1p(characters) for characters in row["chars"]]
    if stage == 0:
        return [stated[0], long[0]]
    same = float(answers[stage] == answers[stage - 1])
    earlier = [float(answers[stage] in answers[: stage - 1])] if stage > 1 else []
    return [
        stated[stage],
        long[stage],
        same,
        *earlier,
        stated[stage - 1],
        long[stage] - long[stage - 1],
        same * stated[stage],
    ]


def anytime(folder: Path, *, splits: int, seed: int) -> None:
    table = rows(folder / "gsm8k_anytime" / "preds_main_adapter.jsonl.gz")
    budgets = table[0]["budgets"]
    stages = range(len(budgets))
    correct = np.array([row["correct"] for row in table], dtype=float)
    stated = np.array([[value or 0.0 for value in row["conf"]] for row in table])
    figures = [[stage_figures(row, stage) for row in table] for stage in stages[:-1]]

    def tiers(confidence: np.ndarray, part: np.ndarray) -> list[RecordedTier]:
        return [
            RecordedTier(correct=correct[part, s], cost=budgets[s], confidence=confidence[part, s])
            for s in stages
        ]

    everything = np.arange(len(table))
    whole = replay_thresholds(tiers(stated, everything), (0.8, 0.8, 0.8))
    print(
        f"\nGSM8K {len(table)} at budgets of {budgets} tokens: stop at the first stated confidence >= 0.8\n"
        f"  on all problems, nothing fitted: {100 * whole.accuracy:.1f} % at {whole.mean_cost:.1f} tokens"
    )
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for fit_on, report_on in halves(len(table), splits=splits, seed=seed):
        plain = replay_thresholds(tiers(stated, report_on), (0.8, 0.8, 0.8))
        spent = replay_thresholds(tiers(stated, fit_on), (0.8, 0.8, 0.8)).mean_cost
        worth = np.zeros(stated.shape)
        right = np.zeros(stated.shape)
        for s in stages[:-1]:
            given = [figures[s][i] for i in fit_on]
            names = [f"figure {number}" for number in range(len(given[0]))]
            deferral = fit_deferral(given, correct[fit_on, s], correct[fit_on, s + 1], features=names)
            worth[:, s] = predicted(deferral, figures[s])
            calibrator = Calibrator.fit(
                given, (correct[fit_on, s] == 1).tolist(), method="logistic", features=names
            )
            right[:, s] = predicted(calibrator, figures[s])
        for name, confidence, path in (
            ("stated confidence, fitted thresholds", stated, None),
            ("fitted P(right), a threshold a stage", right, None),
            ("fitted deferral, a threshold a stage", worth, None),
            ("fitted deferral, one price", worth, deferral_path(budgets)),
        ):
            fit = fit_thresholds(tiers(confidence, fit_on), target_cost=spent, path=path)
            done = replay_thresholds(tiers(confidence, report_on), fit.thresholds)
            found.setdefault(name, []).append(
                (
                    done.accuracy,
                    done.mean_cost,
                    done.accuracy - plain.accuracy,
                    done.mean_cost - plain.mean_cost,
                )
            )
        found.setdefault("stated confidence >= 0.8", []).append((plain.accuracy, plain.mean_cost, 0.0, 0.0))
    print(
        f"  on the halves not fitted on, mean of {splits} splits:  accuracy, %       tokens   against >= 0.8"
    )
    for name, results in found.items():
        accuracy, cost, more, dearer = zip(*results, strict=True)
        print(
            f"  {name:44s} {100 * np.mean(accuracy):12.2f} {np.mean(cost):12.1f}"
            f"   {paired(more)}   {paired(dearer, scale=1)}"
        )


# -- routers ---------------------------------------------------------------------------------------------------


def routers(folder: Path, *, splits: int, seed: int) -> None:
    for name in ("gsm8k", "mmlu"):
        table = rows(folder / "routellm" / f"{name}.jsonl.gz")
        prompts = [row["prompt"] for row in table]
        weak, strong = (
            np.array([row[key] for row in table], dtype=float) for key in ("weak_correct", "strong_correct")
        )
        found: dict[str, list[list[float]]] = {}
        shares, seconds = [], []
        for fit_on, report_on in halves(len(table), splits=splits, seed=seed):
            scorer = fit_router([prompts[i] for i in fit_on], weak[fit_on], strong[fit_on])
            started = time.perf_counter()
            scores = np.array([scorer.score(prompts[i]) for i in report_on])
            seconds.append((time.perf_counter() - started) / len(report_on))
            shares.append(float((scores >= scorer.threshold_for(share=0.25)).mean()))
            length = [len(prompts[i]) for i in report_on]
            low, high = weak[report_on], strong[report_on]
            for router, curve in (
                ("fitted", routing_curve(scores, low, high)),
                ("prompt length", routing_curve(length, low, high)),
                ("random", routing_curve(np.zeros(len(report_on)), low, high)),
                ("oracle", routing_curve(high - low, low, high)),
            ):
                found.setdefault(router, []).append(
                    [
                        *(100 * curve.accuracy_at(share) for share in SHARES),
                        curve.average_recovered,
                        100 * curve.share_for(0.5),
                        100 * curve.share_for(0.8),
                    ]
                )
        print(f"\nrouting {name}, {len(table)} prompts, on the halves not fitted on, mean of {splits} splits")
        print(
            "  strong calls:      0 %    25 %    50 %    75 %   100 %     APGR   for 50 %   for 80 % of the gap"
        )
        for router, results in found.items():
            values = np.mean(results, axis=0)
            print(
                f"  {router:14s}"
                + "".join(f"{value:8.2f}" for value in values[:5])
                + f"{values[5]:9.3f}{values[6]:9.1f} %{values[7]:9.1f} %"
            )
        better = [
            own[5] - other[5] for own, other in zip(found["fitted"], found["prompt length"], strict=True)
        ]
        print(f"  APGR, fitted less prompt length: {paired(better, scale=1)}")
        print(f"  asked for 25 % of strong calls, sent {100 * np.mean(shares):.1f} %")
        print(f"  {1e6 * np.mean(seconds):.0f} µs a prompt")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["gsm8k", "anytime", "routing"])
    options = parser.parse_args(arguments)
    for name, measure in (("gsm8k", cascades), ("anytime", anytime), ("routing", routers)):
        if options.only in (None, name):
            measure(options.data, splits=options.splits, seed=options.seed)


if __name__ == "__main__":
    main()
