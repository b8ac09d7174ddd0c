"""What an evaluation of an expression takes: `python tests/bench/expressions.py`.

Prints, in one run, the median nanoseconds of an evaluation of expressions over two plain names: ours, ours with the
look-up of the text that steps make each time, Python's own `eval` of compiled code, and, where they are installed
(`pip install simpleeval cel-python`), those of simpleeval and of cel-python, each parsed or compiled once. Then the
median microseconds of reading and checking a text for the first time, and the longest time to refuse a hostile one.
"""

from __future__ import annotations

import importlib.util
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.hostile_expressions import HOSTILE, NAMES

from orchestrator.expressions import NUMBER, Expression, ExpressionError
from orchestrator.expressions.expression import _read

REPEATS = 201
TURNS = 200
SLOW = {"simpleeval": 20, "cel-python": 2}  # turns of those that take longer
VALUES = {"agreement": 0.85, "n": 7}  # so that both sides of an `and` are looked at
TYPES = {"agreement": NUMBER, "n": NUMBER}
EXPRESSIONS = {  # as we write it, and as CEL does
    "agreement >= 0.8": "agreement >= 0.8",
    "agreement >= 0.8 and n < 32": "agreement >= 0.8 && n < 32",
    "n < 32 and agreement >= 0.5": "n < 32 && agreement >= 0.5",
    "agreement * 2 + 1 > 2.4": "agreement * 2.0 + 1.0 > 2.4",
    "not (n == 7) or 0.5 < agreement": "!(n == 7) || 0.5 < agreement",
    "agreement > 0.5 if n > 5 else agreement > 0.9": "n > 5 ? agreement > 0.5 : agreement > 0.9",
}


def nanoseconds(evaluate: Callable[[], Any], turns: int = TURNS) -> float:
    """Median time of a call, over rounds of `turns` calls."""
    rounds = []
    for _ in range(REPEATS):
        start = time.perf_counter_ns()
        for _ in range(turns):
            evaluate()
        rounds.append((time.perf_counter_ns() - start) / turns)
    return statistics.median(rounds)


def ours(text: str) -> Callable[[], Any]:
    expression = Expression.of(text)
    expression.check(TYPES)
    return lambda: expression.evaluate(VALUES)


def ours_by_text(text: str) -> Callable[[], Any]:
    return lambda: Expression.of(text).evaluate(VALUES)


def python(text: str) -> Callable[[], Any]:
    code = compile(text, "expression", "eval")
    names: Mapping[str, Any] = {"__builtins__": {}, **VALUES}
    return lambda: eval(code, names)  # type: ignore[arg-type]


def simpleeval(text: str) -> Callable[[], Any]:
    from simpleeval import SimpleEval

    evaluator = SimpleEval(names=VALUES)
    parsed = evaluator.parse(text)
    return lambda: evaluator.eval(text, previously_parsed=parsed)


def cel(text: str) -> Callable[[], Any]:
    import celpy

    environment = celpy.Environment()
    program = environment.program(environment.compile(EXPRESSIONS[text]))
    values = celpy.json_to_cel(VALUES)
    return lambda: program.evaluate(values)


def first_time(text: str) -> None:
    _read.cache_clear()
    Expression.of(text).check(TYPES)


def refusing(text: str) -> float:
    """Seconds until a hostile text is refused: the median of some times."""
    times = []
    for _ in range(9):
        _read.cache_clear()
        start = time.perf_counter()
        try:
            Expression.of(text).check(NAMES)
        except ExpressionError:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print the tables."""
    peers = {"ours": ours, "by text": ours_by_text, "eval": python}
    peers |= {"simpleeval": simpleeval} if importlib.util.find_spec("simpleeval") else {}
    peers |= {"cel-python": cel} if importlib.util.find_spec("celpy") else {}
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print("ns an evaluation".ljust(48) + "".join(name.rjust(12) for name in peers))
    for text in EXPRESSIONS:
        bound = {name: peer(text) for name, peer in peers.items()}
        assert len({bool(evaluate()) for evaluate in bound.values()}) == 1
        times = (nanoseconds(evaluate, SLOW.get(name, TURNS)) for name, evaluate in bound.items())
        print(text.ljust(48) + "".join(f"{taken:12,.0f}" for taken in times))
    print("us to read and check".ljust(48))
    for text in EXPRESSIONS:
        print(text.ljust(48) + f"{nanoseconds(lambda text=text: first_time(text), 5) / 1000:12,.0f}")
    slowest = max((refusing(text), name) for name, text in HOSTILE.items())
    print(f"longest refusal: {slowest[0] * 1000:.2f} ms ({slowest[1]})")


if __name__ == "__main__":
    main()
