"""What numbers can make, by trying everything: any two become one, until one is left."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations


def made_from(numbers: Sequence[Fraction]) -> set[Fraction]:
    """The values of all expressions over all of `numbers`."""
    if len(numbers) == 1:
        return set(numbers)
    values = set()
    for i, j in permutations(range(len(numbers)), 2):
        a, b = numbers[i], numbers[j]
        rest = [number for at, number in enumerate(numbers) if at not in (i, j)]
        for result in (a + b, a - b, a * b, *([a / b] if b else [])):
            values |= made_from([*rest, result])
    return values
