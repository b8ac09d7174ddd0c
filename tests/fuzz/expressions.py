"""Feeds expressions with any text at all: `python tests/fuzz/expressions.py tests/fuzz/corpus/expressions`.

Needs `pip install atheris` and takes libFuzzer's options, such as `-max_total_time=180`. Whatever the text, either it
is refused with a place in it; or it has the type and, on random values, the value that its definition says.
"""

from __future__ import annotations

import contextlib
import math
import random
import sys
import zlib
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    import atheris

    sys.path.insert(0, str(Path(__file__).parents[1]))
    instrumented = atheris.instrument_imports(include=["orchestrator.expressions"])
else:
    instrumented = contextlib.nullcontext()

with instrumented:
    from reference.expressions import TYPES, Draft, Drafts, same_value, type_of, value_of

    from orchestrator.expressions import (
        ANSWER,
        NUMBER,
        TEXT,
        TRUTH,
        Expression,
        ExpressionError,
        Namespace,
        Type,
    )
    from orchestrator.types import Answer

CORPUS = Path(__file__).parent / "corpus" / "expressions"
IN_WORDS = 0xFF
"""A first byte that says that the others are not letters but stand for words."""

WORDS = [
    *("(", ")", "[", "]", ",", ".", "+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!="),
    *("and", "or", "not", "in", "is", "if", "else", "True", "false", "None", "none", "0", "1", "-1", "2.5"),
    *("1e308", "9007199254740992", "''", "'a'", '"b"', "[0]", "[-1]", "min(", "max(", "abs(", "len("),
    *("round(", "any(", "all(", "answer(", ".text", ".score", ".answer", ".good", ".count", ".first"),
    *(".scores", ".answers", ".texts", ".rounds", ".last", ".each", "**", "lambda", "for", "f'{n}'"),
    *TYPES,
]
NUMBERS = [0, 1, -1, 3, 0.5, -0.0, 1e308, 10**19, -(10**400), math.nan, math.inf]


def text_of(data: bytes) -> str:
    """The expression that a fuzzer's bytes stand for."""
    if data[:1] == bytes([IN_WORDS]):
        return " ".join(WORDS[byte % len(WORDS)] for byte in data[1:])
    return data.decode("utf-8", "surrogateescape")


def any_value(kind: Type, rng: random.Random) -> Any:
    """A value of one of the types without parts."""
    values: dict[Type, Any] = {
        NUMBER: rng.choice(NUMBERS),
        TRUTH: rng.random() < 0.5,
        TEXT: rng.choice(["", "a", "ab", "ü\n"]),
        ANSWER: Answer(text=rng.choice("12"), key=rng.choice(["n:1", "n:2"]), kind="number"),
    }
    return values[kind]


def world(rng: random.Random) -> dict[str, Any]:
    """Random values for the names of `reference.expressions`."""

    def one(kind: Type) -> Any:
        return any_value(kind, rng)

    def perhaps(kind: Type) -> Any:
        return one(kind) if rng.random() < 0.7 else None

    def some(kind: Type) -> list[Any]:
        return [perhaps(kind) for _ in range(rng.randrange(3))]

    def draft() -> Draft:
        return Draft(one(TEXT), perhaps(NUMBER), perhaps(ANSWER), one(TRUTH))

    return {
        "n": one(NUMBER),
        "m": perhaps(NUMBER),
        "ok": one(TRUTH),
        "checked": perhaps(TRUTH),
        "word": one(TEXT),
        "said": perhaps(TEXT),
        "given": one(ANSWER),
        "found": perhaps(ANSWER),
        "numbers": [one(NUMBER) for _ in range(rng.randrange(3))],
        "words": rng.choice([None, some(TEXT)]),
        "flags": some(TRUTH),
        "draft": draft(),
        "lost": rng.choice([None, draft()]),
        "drafts": Drafts(draft() for _ in range(rng.randrange(3))),
        "loop": Namespace(rounds=one(NUMBER), last=rng.choice([None, draft()]), each=some(TRUTH)),
    }


def examine(data: bytes) -> bool:
    """Whether the expression that these bytes stand for is accepted.

    Raises:
        AssertionError: It is refused without a place in its text, or accepted and not what its definition says.
    """
    text = text_of(data)
    try:
        expression = Expression.of(text)
        kind = expression.check(TYPES)
    except ExpressionError as error:
        if not 0 <= error.offset <= len(text):
            raise AssertionError(f"place {error.offset} of {text!r}") from error
        return False
    expression.size({})
    rng = random.Random(zlib.crc32(data))
    for values in (world(rng), world(rng)):
        value, expected = expression.evaluate(values), value_of(text, values)
        if not same_value(value, expected) or kind != type_of(text):
            raise AssertionError(f"{text!r} is {value!r}, not {expected!r}, on {values!r}")
    return True


def fuzz(data: bytes) -> None:
    """What libFuzzer calls."""
    examine(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()
