"""Time of reading, clustering and voting on answers, ours beside what users would pick instead.

    pip install ".[test]" rapidfuzz math-verify
    python tests/bench/answers.py

First one answer's canonical key, against math-verify's parse and verify of a pair and rapidfuzz's ratio of a pair;
then 10,000 texts of 2,000 characters in each kind and with each sort of mark, from texts to a vote, against a
`collections.Counter` over a regular expression that takes the last number or box. Contenders run in alternating
rounds; medians are printed.
"""

from __future__ import annotations

import itertools
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec

from orchestrator import _core
from orchestrator.answers import Kind, cluster, normalize

TEXTS, LENGTH, ROUNDS = 10_000, 2_000, 7
PROSE = (
    "We compare the two rates and see how many of them remain after the first {n} days. Since each of the {n} "
    "boxes holds twice as much as before, the total grows by a factor that we now work out step by step, with "
    "$x_{n} = 2x + {n}$ for the next part.\n"
)
PLAIN = (
    "We think about what was asked and compare all of the options with one another, one after the other, until "
    "just one of them is left over. That takes a while, because some of them look alike at first sight.\n"
)
ANSWERS = ["5", "1,234.5", r"\frac{1}{2}", r"3\sqrt{2}", "50%", "x = 12", r"x \geq 5", "(1, 2)", "Paris", "B"]
REGEX = re.compile(r"\\boxed\{([^{}]*)\}|answer is:? \(?([^\s.)]+)|(-?\d[\d,.]*)")

CASES: list[tuple[str, Kind, str, str]] = [
    ("number, boxed", "number", PROSE, r"So we get \boxed{{{n}}}."),
    ("number, phrase", "number", PROSE, "The final answer is {n}."),
    ("number, no mark", "number", PROSE, "In all that makes {n} of them."),
    ("math, boxed", "math", PROSE, r"So we get \boxed{{\frac{{{n}}}{{7}}}}."),
    ("math, phrase", "math", PROSE, r"The answer is $\frac{{{n}}}{{7}}$."),
    ("math, no mark", "math", PROSE, r"Hence $x = \frac{{{n}}}{{7}}$ is the solution."),
    ("auto, boxed", "auto", PROSE, r"So we get \boxed{{{n}}}."),
    ("auto, phrase", "auto", PROSE, "The answer is {n}."),
    ("auto, no mark", "auto", PROSE, "In all that makes {n} of them."),
    ("choice, boxed", "choice", PLAIN, r"So it is \boxed{{\text{{{letter}}}}}."),
    ("choice, phrase", "choice", PLAIN, "The correct answer is ({letter})."),
    ("choice, no mark", "choice", PLAIN, "So I think it's {letter}."),
    ("choice, none there", "choice", PLAIN, "Nothing can be said of it."),
]


def text_of(body: str, ending: str, number: int) -> str:
    """A text of `LENGTH` characters that ends with `ending`."""
    end = ending.format(n=number % 10, letter="ABCD"[number % 4])
    filled = (body.replace("{n}", str(number)) * (LENGTH // len(body) + 1))[: LENGTH - len(end) - 1]
    return f"{filled}\n{end}"


def counted(texts: list[str]) -> object:
    """The vote of a regular expression: no kinds, no abstentions, no equal spellings."""
    found = (REGEX.findall(text) for text in texts)
    return Counter(next(filter(None, matches[-1])) for matches in found if matches).most_common(1)


def voted(texts: list[str], kind: Kind) -> object:
    return _core.majority_vote(cluster(texts, kind=kind))


def medians(contenders: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds a call, the median of alternating rounds after one that warms up."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(ROUNDS + 1):
        for name, call in contenders.items():
            before = time.perf_counter()
            call()
            if round_:
                taken[name].append(time.perf_counter() - before)
    return {name: statistics.median(times) for name, times in taken.items()}


def pair_contenders() -> dict[str, tuple[Callable[[], object], int]]:
    """What to do with the answers, and how many keys or pairs that is."""
    pairs = list(itertools.combinations([rf"${answer}$" for answer in ANSWERS], 2))
    found: dict[str, tuple[Callable[[], object], int]] = {
        "orchestrator, a key": (lambda: [normalize(a, kind="math") for a in ANSWERS * 100], 1000)
    }
    if find_spec("rapidfuzz") is None:
        print("rapidfuzz is not installed", file=sys.stderr)
    else:
        from rapidfuzz.fuzz import ratio

        found["rapidfuzz ratio, a pair"] = (lambda: [ratio(a, b) for a, b in pairs * 20], len(pairs) * 20)
    if find_spec("math_verify") is None:
        print("math-verify is not installed", file=sys.stderr)
    else:
        from math_verify import parse, verify

        found["math-verify parse + verify, a pair"] = (
            lambda: [verify(parse(a), parse(b)) for a, b in pairs],
            len(pairs),
        )
    return found


def main() -> None:
    pairs = pair_contenders()
    took = medians({name: call for name, (call, _) in pairs.items()})
    micro = {name: took[name] / count * 1e6 for name, (_, count) in pairs.items()}
    ours = micro["orchestrator, a key"]
    print(f"{'one answer':42}{'us':>10}{'ratio':>10}")
    for name, time_ in micro.items():
        print(f"{name:42}{time_:10.2f}{time_ / ours:10.1f}")
    print(f"\n{f'{TEXTS:,} texts of {LENGTH:,} characters, ms':42}{'ours':>10}{'Counter':>10}{'ratio':>10}")
    for name, kind, body, ending in CASES:
        texts = [text_of(body, ending, number) for number in range(TEXTS)]
        row = medians({"ours": lambda: voted(texts, kind), "counter": lambda: counted(texts)})  # noqa: B023
        ratio_ = row["counter"] / row["ours"]
        print(f"{name:42}{row['ours'] * 1e3:10.1f}{row['counter'] * 1e3:10.1f}{ratio_:10.1f}")


if __name__ == "__main__":
    main()
