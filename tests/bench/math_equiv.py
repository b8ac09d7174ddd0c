"""Gold and predicted answers labelled equal or not by hand: how many `equivalent` gets right, and each miss.

    python tests/bench/math_equiv.py pairs.jsonl.gz [--answers]

Each line has a JSON object with `gold`, `pred`, `equal` (0 or 1), `test` and `id`. Kinds follow the test's name:
multiple-choice tests are read as choices, number tests as numbers, all others as math. A wrong merge calls different
answers equal and may elect a wrong one; a wrong split only costs votes.
"""

from __future__ import annotations

import argparse
import gzip
import json
from typing import Any

from orchestrator.answers import Answer, Kind, equivalent, extract


def kind_of(test: str) -> Kind:
    if "abc" in test or "multichoice" in test or "multiple_choice" in test:
        return "choice"
    return "number" if test == "test_number_extraction" else "math"


def shown(answer: Answer | None) -> str:
    return "none" if answer is None else f"{answer.text!r} ({answer.key})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", help="the file of labelled pairs, gzipped JSON lines")
    parser.add_argument("--answers", action="store_true", help="show what is read from every text")
    arguments = parser.parse_args()
    with gzip.open(arguments.pairs, "rt", encoding="utf-8") as file:
        pairs: list[dict[str, Any]] = [json.loads(line) for line in file]
    right = merged = split = 0
    for pair in pairs:
        kind = kind_of(pair["test"])
        gold, pred = (extract(pair[side], kind=kind) for side in ("gold", "pred"))
        equal = gold is not None and pred is not None and equivalent(gold, pred)
        outcome = "right"
        if equal == bool(pair["equal"]):
            right += 1
        elif equal:
            merged, outcome = merged + 1, "wrong merge"
        else:
            split, outcome = split + 1, "wrong split"
        if outcome != "right" or arguments.answers:
            print(f"{pair['id']} {pair['test']}: {outcome}\n    gold {shown(gold)}\n    pred {shown(pred)}")
    print(f"{len(pairs)} pairs: {right} right, {merged} wrong merges, {split} wrong splits")


if __name__ == "__main__":
    main()
