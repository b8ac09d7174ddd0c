"""Time of reading, clustering and voting on answers, ours beside what users would pick instead.

    pip install ".[test]" rapidfuzz math-verify
    python tests/bench/answers.py

First single answers: the canonical key of a number, of a formula (its fingerprint) and of a word, against
math-verify's parse and verify of a pair and rapidfuzz's ratio of a pair; an answer read from a text, a vote of 40.
Then 10,000 texts of 2,000 characters in each kind and with each sort of mark, from texts to a vote, against a
`collections.Counter` over a regular expression that takes the last number or box, whose time is that of every tenth
text, times ten. Medians by the clock, and of the processors' time, which says more on a busy machine; ratios are of
the latter.
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
from orchestrator.answers import AnswerReader, Kind, cluster, normalize
from orchestrator.voting import majority_vote

TEXTS, LENGTH, ROUNDS = 10_000, 2_000, 5
TIMES = 1000
PROSE = (
    "We compare the two rates and see how many of them remain after the first {n} days. Since each of the {n} "
    "boxes holds twice as much as before, the total grows by a factor that we now work out step by step, with "
    "$x_{n} = 2x + {n}$ for the next part.\n"
)
PLAIN = (
    "We think about what was asked and compare all of the options with one another, one after the other, until "
    "just one of them is left over. That takes a while, because some of them look alike at first sight.\n"
)
NUMBERS = ["5", "1,234.5", r"\frac{1}{2}", "50%", "x = 12"]
FORMULAS = [r"3\sqrt{2}", r"x \geq 5", "(1, 2)", "x^2 + 2x + 1", r"\frac{\sqrt{3}}{2}"]
WORDS = ["Paris", "New York", "about the same"]
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


Times = tuple[float, float]  # seconds by the clock, and of the processors


def medians(contenders: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, Times]:
    """Time of a call, the median of alternating rounds after one that warms up."""
    taken: dict[str, list[Times]] = {name: [] for name in contenders}
    for round_ in range(rounds + 1):
        for name, call in contenders.items():
            clock, processors = time.perf_counter(), time.process_time()
            call()
            if round_:
                taken[name].append((time.perf_counter() - clock, time.process_time() - processors))
    return {
        name: (statistics.median(t[0] for t in times), statistics.median(t[1] for t in times))
        for name, times in taken.items()
    }


def keys(answers: list[str]) -> tuple[Callable[[], object], int]:
    return lambda: [normalize(answer, kind="math") for answer in answers * TIMES], len(answers) * TIMES


def single_contenders() -> dict[str, tuple[Callable[[], object], int]]:
    """What to do with single answers, and how often that is done."""
    text = text_of(PROSE, "The final answer is {n}.", 7)
    reader = AnswerReader(kind="number")
    answers = [reader.read(f"The answer is {number % 10}.") for number in range(40)]
    found: dict[str, tuple[Callable[[], object], int]] = {
        "orchestrator, key of a number": keys(NUMBERS),
        "orchestrator, key of a formula": keys(FORMULAS),
        "orchestrator, key of a word": keys(WORDS),
        "orchestrator, read from 2,000 characters": (
            lambda: [reader.read(text) for _ in range(TIMES)],
            TIMES,
        ),
        "orchestrator, vote of 40 answers": (lambda: [majority_vote(answers) for _ in range(100)], 100),
    }
    pairs = list(itertools.combinations([rf"${answer}$" for answer in NUMBERS + FORMULAS], 2))
    if find_spec("rapidfuzz") is None:
        print("rapidfuzz is not installed", file=sys.stderr)
    else:
        from rapidfuzz.fuzz import ratio

        found["rapidfuzz ratio, a pair"] = (
            lambda: [ratio(a, b) for a, b in pairs * 20],
            len(pairs) * 20,
        )
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
    single = single_contenders()
    took = medians({name: call for name, (call, _) in single.items()})
    ours = took["orchestrator, key of a formula"][1] / single["orchestrator, key of a formula"][1]
    print(f"{'one answer, us':42}{'clock':>10}{'processors':>12}{'over a formula':>16}")
    for name, (_, count) in single.items():
        clock, processors = (seconds / count for seconds in took[name])
        print(f"{name:42}{clock * 1e6:10.2f}{processors * 1e6:12.2f}{processors / ours:16.1f}")
    print(f"\n{f'{TEXTS:,} texts of {LENGTH:,} characters, ms':42}{'clock':>10}{'processors':>12}", end="")
    print(f"{'Counter':>10}{'processors':>12}{'ratio':>8}")
    for name, kind, body, ending in CASES:
        texts = [text_of(body, ending, number) for number in range(TEXTS)]
        mine = medians({"ours": lambda: voted(texts, kind)})["ours"]  # noqa: B023
        plain = medians({"counter": lambda: counted(texts[::10])}, 3)["counter"]  # noqa: B023
        print(f"{name:42}{mine[0] * 1e3:10.1f}{mine[1] * 1e3:12.1f}", end="")
        print(f"{plain[0] * 1e4:10.1f}{plain[1] * 1e4:12.1f}{10 * plain[1] / mine[1]:8.1f}", flush=True)


if __name__ == "__main__":
    main()
