"""Confidence stop against plain self-consistency on the embedded model: accuracy and tokens of both, in one run.

    python tests/bench/confidence_stop.py QUESTIONS --journal run.db [--questions 100] [--n 32] [--keep 0.9 0.1]

QUESTIONS is a file of JSON lines with `id`, `question` and `answer`, such as the 1000 problems of SVAMP
(arkilpatel/SVAMP, MIT licence) of which examples/svamp.jsonl has the first 40. Prompt, model and the reading of
answers are those of examples/word_problems.yaml: the model writes a calculation of about ten tokens, so that the
window is a few tokens here and not 2048; 6 were best on other questions, chal-951 to 961. Each question is answered
by all strategies, one after the other, every sample by a request of its own. A run that was stopped goes on where it
was when the same command is given again, and pays for the calls that were then in flight at their worst case. What is
printed is read from the journal, where cancelled calls are charged what they had streamed. 100 questions with two
ConfidenceStops take about half an hour on two idle cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orchestrator
from orchestrator import Budget, ConfidenceStop, Context, Controller, Outcome, Problem, SelfConsistency, Usage
from orchestrator.runtime.journal import Journal
from orchestrator.stopping import FixedSize
from orchestrator.strategies import Strategy

EXAMPLE = Path(__file__).parents[2] / "examples" / "word_problems.yaml"
PLAIN = "plain"
MAX_TOKENS = 20


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """All strategies on a question, each on a branch, which is how the journal tells their calls apart."""

    plain: SelfConsistency
    sure: tuple[ConfidenceStop, ...]

    @property
    def contenders(self) -> dict[str, Strategy]:
        """The strategies by their branches' labels."""
        return {PLAIN: self.plain} | {f"keep-{strategy.keep:g}": strategy for strategy in self.sure}

    async def __call__(self, ctx: Context, problem: Problem) -> Outcome:
        """What each answered, whether that is right, and what its samples show."""
        reference = ctx.answers.read(problem.reference or "")
        found: dict[str, Any] = {}
        for label, strategy in self.contenders.items():
            outcome = await strategy(ctx.branch(label=label), problem)
            found[label] = told(outcome, None if reference is None else reference.key)
        return Outcome(detail=found)


def told(outcome: Outcome, reference: str | None) -> dict[str, Any]:
    """What is kept of an outcome."""
    keys = [None if one.answer is None else one.answer.key for one in outcome.candidates]
    tokens = [one.sample.usage.completion_tokens for one in outcome.candidates]
    cut = [one.sample.cut is not None for one in outcome.candidates]
    return {
        "right": outcome.answer is not None and outcome.answer.key == reference,
        "samples_right": sum(key is not None and key == reference for key in keys),
        "samples": len(keys),
        "cut": sum(cut),
        "tokens": sum(tokens),
        "cut_tokens": sum(count for count, is_cut in zip(tokens, cut, strict=True) if is_cut),
        "stopped": outcome.stop_reason.value,
        "passed": outcome.detail.get("passed"),
        "threshold": outcome.detail.get("threshold"),
    }


def questions(path: str, first: int, count: int) -> list[Problem]:
    with open(path, encoding="utf-8") as file:
        rows = (json.loads(line) for line in islice(file, first, first + count))
        return [Problem(id=row["id"], prompt=row["question"], reference=row["answer"]) for row in rows]


async def measure(
    given: argparse.Namespace, program: SideBySide, problems: Sequence[Problem], *, resume: bool
) -> None:
    """Answer the questions, as far as the journal does not have them."""
    example = orchestrator.load(str(EXAMPLE))
    started = time.monotonic()
    async with Controller(
        models=example.models,
        budget=Budget(total_tokens=10**9),
        journal=given.journal,
        resume=resume,
        seed=given.seed,
        answers=example.answers,
        prompt=example.prompt,
    ) as controller:
        done = 0
        async for outcome in controller.map(program, problems, at_once=1):
            done += 1
            if outcome.error is not None:
                print(f"{outcome.problem}: {outcome.error}", file=sys.stderr)
            print(
                f"{done} of {len(problems)}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True
            )


def report(journal: str, labels: Sequence[str]) -> None:
    """Print what the journal says."""
    record = Journal(journal, resume=True)
    try:
        outcomes = list(record.outcomes())
        calls = [record.recorded(outcome.problem) for outcome in outcomes]
    finally:
        record.close()
    rows = {label: [outcome.detail[label] for outcome in outcomes] for label in labels}
    usage = {label: sum((one.usage_below(label) for one in calls), Usage()) for label in labels}
    print(f"{len(outcomes)} questions")
    print(
        f"{'':20}{'right %':>8}{'one %':>8}{'requests':>10}{'written':>10}{'prompt':>10}{'of it cached':>14}"
    )
    for label in labels:
        right = 100 * mean(row["right"] for row in rows[label])
        samples = sum(row["samples"] for row in rows[label])
        one, used = 100 * sum(row["samples_right"] for row in rows[label]) / max(1, samples), usage[label]
        print(
            f"{label:20}{right:8.1f}{one:8.1f}{used.requests:10}{used.completion_tokens:10}"
            f"{used.prompt_tokens:10}{used.cached_tokens:14}"
        )
    for label in labels[1:]:
        compare(label, rows[PLAIN], rows[label])
        saved(rows[label], usage[label].completion_tokens, usage[PLAIN].completion_tokens)


def compare(label: str, plain: Sequence[dict[str, Any]], sure: Sequence[dict[str, Any]]) -> None:
    """How often one is right where the other is not, with the exact sign test."""
    better = sum(s["right"] and not p["right"] for p, s in zip(plain, sure, strict=True))
    worse = sum(p["right"] and not s["right"] for p, s in zip(plain, sure, strict=True))
    many, few = better + worse, min(better, worse)
    chance = min(1.0, 2 * sum(math.comb(many, k) for k in range(few + 1)) / 2**many)
    print(f"{label}: right where plain is not {better}, wrong where plain is right {worse}, p = {chance:.2f}")


def saved(sure: Sequence[dict[str, Any]], written: int, plain: int) -> None:
    """Where the tokens went, and what was not written."""
    taken = sum(row["tokens"] for row in sure)
    print(
        f"  {100 * (1 - written / max(1, plain)):.1f} % fewer tokens written: "
        f"{sum(row['cut'] for row in sure)} traces cut after {sum(row['cut_tokens'] for row in sure)} tokens, "
        f"{sum(row['stopped'] == 'decided' for row in sure)} questions ended by consensus "
        f"({written - taken} tokens in traces that were cancelled or not used for it)"
    )


def mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / max(1, len(listed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", metavar="QUESTIONS")
    parser.add_argument("--journal", required=True)
    parser.add_argument("--first", type=int, default=0, help="questions to leave out at the beginning")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--n", type=int, default=32)
    parser.add_argument("--warmup", type=int, default=16)
    parser.add_argument("--keep", type=float, nargs="+", default=[0.9, 0.1], help="a ConfidenceStop each")
    parser.add_argument("--window", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    program = SideBySide(
        plain=SelfConsistency(n=given.n, stop=FixedSize(), max_tokens=MAX_TOKENS),
        sure=tuple(
            ConfidenceStop(
                n=given.n, warmup=given.warmup, keep=keep, window=given.window, max_tokens=MAX_TOKENS
            )
            for keep in given.keep
        ),
    )
    problems, resume = questions(given.file, given.first, given.questions), Path(given.journal).exists()
    asyncio.run(measure(given, program, problems, resume=resume))
    print(f"n = {given.n}, warmup = {given.warmup}, window = {given.window}, seed = {given.seed}")
    report(given.journal, list(program.contenders))


if __name__ == "__main__":
    main()
