"""What blocks of steps cost at most, and how long the values can be that they leave behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import reduce

from ..costs import FREE, Costing, Size, Spending, total
from ..expressions import longer
from .base import Block, names_of

__all__ = [
    "alone",
    "block_spending",
    "either",
    "fields_of",
    "list_of",
    "number_size",
    "valued_spending",
]

_VALUE = "(value)"
"""Stands for the `id` of a block's last step that has none; no step can be called so."""


async def block_spending(
    steps: Block, costing: Costing, *, label: str, kind: str = "block", on_branch: bool = False
) -> Spending:
    """What a block costs at most; how long its names' values can be is in `costing.sizes` afterwards."""
    parts = tuple([await step.spending(costing) for step in steps])
    return Spending(label=label, kind=kind, worst=total(parts), parts=parts, on_branch=on_branch)


async def valued_spending(
    steps: Block, costing: Costing, *, label: str, on_branch: bool = False
) -> tuple[Spending, Size]:
    """What a block costs at most, and how long its value can be."""
    if not steps:
        return Spending(label=label, kind="block", worst=FREE, on_branch=on_branch), Size()
    *before, last = steps
    named = last if last.id is not None else replace(last, id=_VALUE)
    spending = await block_spending((*before, named), costing, label=label, on_branch=on_branch)
    if named is not last:
        parts = (*spending.parts[:-1], replace(spending.parts[-1], label=last.label))
        spending = replace(spending, parts=parts)
    size = costing.sizes.get(named.id or _VALUE, Size())
    costing.sizes.pop(_VALUE, None)
    return spending, size


@contextmanager
def alone(costing: Costing, further: Mapping[str, Size] | None = None) -> Iterator[None]:
    """A block whose names end with it, and that changes nothing outside."""
    before = dict(costing.sizes)
    costing.sizes.update(further or {})
    try:
        yield
    finally:
        costing.sizes.clear()
        costing.sizes.update(before)


def either(*ends: Mapping[str, Size]) -> dict[str, Size]:
    """How long values can be where the program has come one of several ways; only names known on all."""
    known = reduce(lambda names, end: names & end.keys(), ends[1:], set(ends[0]))
    return {name: reduce(longer, (end[name] for end in ends)) for name in ends[0] if name in known}


def list_of(item: Size, count: float, *, tokens: float | None = None) -> Size:
    """The size of a list of `count` items; `tokens` where all together have fewer than `count` of the longest."""
    if tokens is None:
        tokens = item.tokens * count if count else 0.0
    return Size(tokens=tokens, count=count, item=item)


def number_size(most: float) -> Size:
    """The size of a whole number from 0 to `most`, which has at most as many tokens as digits."""
    return Size(tokens=float(len(f"{most:.0f}")))


def fields_of(steps: Block, costing: Costing) -> dict[str, Size]:
    """The sizes of the values of the names that a block has given."""
    return {name: costing.sizes.get(name, Size()) for name in names_of(steps)}
