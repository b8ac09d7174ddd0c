"""A program's parts as a table of what each costs at most, and is expected to cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from ..costs import Cost
from ..programs.expected import FIGURES
from ..programs.explaining import Row

__all__ = ["figure", "plain_table", "terminal_table"]

TITLES = (("", "calls"), ("prompt", "tokens"), ("completion", "tokens"), ("US", "dollars"))

BESIDE = 112
"""Columns of a terminal from which expected figures stand beside the others, and not below them."""


def figure(value: float) -> str:
    """A figure in words: `1,234`, `0.0004`, `unknown`."""
    if value == math.inf:
        return "unknown"
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:,.4g}"


def plain_table(table: Sequence[Row]) -> list[str]:
    """The table as lines, as wide as it has to be."""
    titles, lines = _titles(table), [_cells(row, expected=_has_expected(table)) for row in table]
    upper, lower = zip(*titles, strict=True)
    cells = [list(upper), list(lower), *lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at in (0, len(line) - 1) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def terminal_table(table: Sequence[Row], *, width: int) -> Table:
    """The table for a terminal: where it is narrow, expected figures have lines of their own."""
    expected = _has_expected(table)
    beside = expected and width >= BESIDE
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    titles = _titles(table) if beside or not expected else _titles([])
    for at, (upper, lower) in enumerate(titles):
        text = at in (0, len(titles) - 1)
        shown.add_column(
            f"{upper}\n{lower}", justify="left" if text else "right", no_wrap=not text, overflow="fold"
        )
    for row in table:
        shown.add_row(*_cells(row, expected=beside))
        if not beside and row.expected is not None and row.expected.or_else(row.spending.worst).calls:
            shown.add_row(f"{_indent(row)}  expected", *_figures(row.expected), "", style="dim")
    return shown


def _has_expected(table: Sequence[Row]) -> bool:
    return any(row.expected is not None for row in table)


def _titles(table: Sequence[Row]) -> list[tuple[str, str]]:
    """Titles of the columns in two lines, by what `table` has."""
    titles = [("", "part"), *TITLES]
    if _has_expected(table):
        titles += [("expected", "calls"), *(("expected", upper) for upper, _ in TITLES[1:3])]
        titles.append(("expected", "dollars"))
    return [*titles, ("", "")]


def _cells(row: Row, *, expected: bool) -> list[str]:
    spending = row.spending
    kind = "" if spending.kind == spending.label else f" ({spending.kind})"
    cells = [f"{_indent(row)}{spending.label}{kind}", *_figures(spending.worst)]
    if expected:
        cells += _figures(row.expected)
    return [*cells, spending.note]


def _indent(row: Row) -> str:
    return "  " * row.depth


def _figures(cost: Cost | None) -> list[str]:
    return ["" if cost is None else figure(getattr(cost, name)) for name in FIGURES]
