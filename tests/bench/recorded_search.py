"""Tree of Thoughts over the recorded search of GPT-4 in the Game of 24, as it was and with a rule before the judge.

    PYTHONPATH=tests python tests/bench/recorded_search.py DATA

DATA has `tot_game24/tot_b5_trace.jsonl.gz`: princeton-nlp/tree-of-thought-llm, `logs/game24`, puzzles 900 to 999,
breadth 5, three votes a state, every state with its value.

Printed for each search: states found, states gone on from, calls (a judge's call has three votes), tokens, puzzles
with a right solution among the states kept to the end, and those whose one chosen answer is right. The first line is
the record's own sums. It kept the judge's values for all puzzles of the run, while each problem here stands for
itself: the second line is the same search without that. A thought call more than states gone on from is one that
finishes a solution where none had an answer.

Tokens of single calls are not on record: they are fitted to the record's totals by puzzle, and the fit is printed. A
search that judges otherwise comes to states the recorded one did not go on from, for which there is no reply to play:
such calls fail, cost nothing here, and are counted as not on record.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

from strategies.game24_trace import (
    KINDS,
    Costs,
    Row,
    calls_of,
    costs_of,
    played,
    problem_of,
    program,
    rows_of,
    screened,
    solved,
)

from orchestrator import TreeOfThoughts, Usage
from orchestrator.types import Candidate, Sample
from orchestrator.verifiers import ArithmeticReachable, ArithmeticTarget

SEARCHES: dict[str, TreeOfThoughts] = {
    "as recorded": program(),
    "rule before the judge": screened(),
    "the same, steps followed": screened(follow=True),
    "the same, depth-first": screened(order="depth_first", threshold=0.99),
    "rule alone": program(verifier=ArithmeticReachable(), prune=0.5),
}

COLUMNS = (
    "states",
    "gone on",
    "thought calls",
    "judge calls",
    "prompt",
    "completion",
    "kept",
    "chosen",
    "not on rec.",
)


async def measured(rows: list[Row], search: TreeOfThoughts, costs: Costs) -> tuple[object, ...]:
    usage, calls, facts = Usage(), Counter[str](), Counter[str]()
    for row in rows:
        player, outcome = await played(row, search, costs)
        usage += outcome.usage
        calls.update(player.calls)
        kept = outcome.detail.get("kept") or [one.sample.text for one in outcome.candidates]
        facts.update(
            states=outcome.detail["nodes"],
            expanded=outcome.detail["expansions"],
            kept=solved(row, kept),
            chosen=await right(row, outcome.answer),
            missing=len(player.missing),
        )
    thoughts = calls["propose"] + calls["answer"] + calls["finish"] - facts["missing"]
    return (
        facts["states"],
        facts["expanded"],
        thoughts,
        calls["value"] + calls["last"],
        usage.prompt_tokens,
        usage.completion_tokens,
        facts["kept"],
        facts["chosen"],
        facts["missing"],
    )


async def right(row: Row, answer) -> bool:
    candidate = Candidate(sample=Sample(text="" if answer is None else answer.text), answer=answer)
    [score] = await ArithmeticTarget().score(None, problem_of(row), [candidate])
    return score.value == 1.0


def recorded(rows: list[Row]) -> tuple[object, ...]:
    calls = Counter[str]()
    for made in calls_of(rows):
        calls.update(made)
    return (
        sum(len(step["candidates"]) for row in rows for step in row["steps"]),
        sum(len(step["beam_in"]) for row in rows for step in row["steps"]),
        calls["propose"] + calls["answer"],
        calls["value"] + calls["last"],
        sum(row["prompt_tokens"] for row in rows),
        sum(row["completion_tokens"] for row in rows),
        sum(any(row["correct"]) for row in rows),
        "-",
        "-",
    )


async def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rows = rows_of(Path(sys.argv[1]) / "tot_game24" / "tot_b5_trace.jsonl.gz")
    costs = costs_of(rows)
    print(f"{len(rows)} puzzles. Fitted tokens: prompt of a call", end=" ")
    print(", ".join(f"{kind} {costs.prompt[kind]:.1f}" for kind in KINDS), f"(R^2 {costs.fit[0]:.5f});")
    print(
        f"completion of three votes {costs.completion['value']:.1f}, of a word proposed {costs.word:.2f}",
        end=" ",
    )
    print(f"(R^2 {costs.fit[1]:.3f}).\n")
    print(f"{'':26}" + "".join(f"{column:>14}" for column in COLUMNS))
    print(f"{'the record':26}" + "".join(f"{value:>14}" for value in recorded(rows)))
    for name, search in SEARCHES.items():
        values = await measured(rows, search, costs)
        print(f"{name:26}" + "".join(f"{value:>14}" for value in values), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
