"""Formulas rewritten by identities and changed in one place: how many are merged or split wrongly.

    PYTHONPATH=tests python tests/bench/formulas.py [--pairs 100000] [--seed 1] [--sympy 500] [--show 20]

Whether two formulas are equal is decided by their values in 50 digits at points drawn for each pair, and by sympy
for one pair in `--sympy` and wherever the keys disagree. A wrong merge may elect a wrong answer; a wrong split
only costs votes.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from itertools import islice

from reference.formula_pairs import Pair, pairs
from reference.formulas import STRUCTURES, same_by_sympy
from reference.spelling import spelled

from orchestrator.answers import normalize


def sympy_says(pair: Pair) -> str:
    if pair.first.op in STRUCTURES or pair.second.op in STRUCTURES:
        return "not asked"
    return {True: "equal", False: "unequal", None: "undecided"}[same_by_sympy(pair.first, pair.second)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--sympy", type=int, default=500, help="sympy checks the reference on one pair in so many"
    )
    parser.add_argument(
        "--show", type=int, default=20, help="wrong splits to show; wrong merges are all shown"
    )
    arguments = parser.parse_args()
    choose = random.Random(arguments.seed)
    made: Counter[tuple[bool, str]] = Counter()
    wrong: Counter[tuple[bool, str]] = Counter()
    checked: Counter[tuple[bool, str]] = Counter()
    start = time.monotonic()
    for i, pair in enumerate(islice(pairs(arguments.seed), arguments.pairs)):
        group = (pair.equal, pair.by)
        first, second = spelled(pair.first, choose), spelled(pair.second, choose)
        made[group] += 1
        agrees = (normalize(first, kind="math") == normalize(second, kind="math")) == pair.equal
        if i % arguments.sympy == 0:
            checked[pair.equal, sympy_says(pair)] += 1
        if agrees:
            continue
        wrong[group] += 1
        if not pair.equal or sum(n for (equal, _), n in wrong.items() if equal) <= arguments.show:
            name = "wrong split" if pair.equal else "WRONG MERGE"
            print(f"{i} {name} ({pair.by}, sympy: {sympy_says(pair)})\n    {first}\n    {second}", flush=True)
    print(f"{'':24}{'equal':>8}{'split':>8}{'unequal':>10}{'merged':>8}")
    for by in sorted({by for _, by in made}):
        print(f"{by:24}{made[True, by]:8}{wrong[True, by]:8}{made[False, by]:10}{wrong[False, by]:8}")
    totals = [
        sum(n for (equal, _), n in counts.items() if equal == side)
        for side in (True, False)
        for counts in (made, wrong)
    ]
    print(f"{'all':24}{totals[0]:8}{totals[1]:8}{totals[2]:10}{totals[3]:8}")
    print(f"sympy on one pair in {arguments.sympy}:")
    for (equal, verdict), n in sorted(checked.items()):
        print(f"    reference {'equal' if equal else 'unequal'}, sympy {verdict}: {n}")
    print(f"{time.monotonic() - start:.0f} s, seed {arguments.seed}")


if __name__ == "__main__":
    main()
