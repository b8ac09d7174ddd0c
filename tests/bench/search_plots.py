"""The plots of `search_curves.py`: accuracy against tokens by method, and one method's lead by difficulty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from search.curves import Curve, Numbers, ahead

from orchestrator.scaling import bootstrap_interval

matplotlib.use("Agg")

from matplotlib import pyplot as plt

PANEL = (4.2, 3.2)
"""Inches of one panel, wide and high."""


def panels(count: int, columns: int = 2) -> tuple[Any, list[Any]]:
    """A figure of `count` panels on common axes."""
    rows = math.ceil(count / columns)
    size = (PANEL[0] * columns, PANEL[1] * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    return figure, list(axes.flat)[:count]


def save(figure: Any, path: Path) -> None:
    """As PNG and as SVG."""
    for kind in ("png", "svg"):
        figure.savefig(path.with_suffix(f".{kind}"), dpi=150, bbox_inches="tight")
    plt.close(figure)


def plot_accuracy(path: Path, settings: Mapping[str, Mapping[str, Curve]]) -> None:
    """Accuracy of each method against tokens with intervals at 95 %, a panel for each setting."""
    figure, axes = panels(len(settings))
    for axis, (name, curves) in zip(axes, settings.items(), strict=True):
        for at, (method, curve) in enumerate(curves.items()):
            found = [bootstrap_interval(right, resamples=2000) for right in curve.right]
            value, low, high = (
                np.array([getattr(one, part) for one in found]) for part in ("value", "low", "high")
            )
            spread = (value - low, high - value)
            place = curve.tokens * 1.02 ** (at - len(curves) / 2)  # side by side where methods cost the same
            axis.errorbar(place, value, spread, marker="o", markersize=3, elinewidth=0.6, label=method)
        axis.set_xscale("log")
        budgets = next(iter(curves.values())).tokens
        axis.set_xticks(budgets, [f"{tokens:,.0f}" for tokens in budgets])
        axis.minorticks_off()
        axis.set_title(name, fontsize=9)
        axis.grid(alpha=0.3)
    figure.supxlabel("completion tokens of a problem, mean")
    figure.supylabel("problems answered right")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4, bbox_to_anchor=(0.5, -0.09), fontsize=8)
    figure.tight_layout()
    save(figure, path)


def plot_leads(
    path: Path, settings: Mapping[str, tuple[Curve, Curve]], parts: Mapping[str, Numbers], *, title: str
) -> None:
    """The lead of the first curve over the second at each of the second's budgets, by part of the problems."""
    figure, axes = panels(len(settings))
    for axis, (name, (one, other)) in zip(axes, settings.items(), strict=True):
        width = 0.8 / len(other.tokens)
        for at, tokens in enumerate(other.tokens):
            found = [ahead(one, other, tokens, among) for among in parts.values()]
            value = np.array([lead.value for lead in found])
            below = value - [lead.low for lead in found]
            above = np.array([lead.high for lead in found]) - value
            places = np.arange(len(parts)) + (at - (len(other.tokens) - 1) / 2) * width
            axis.bar(
                places,
                value,
                width,
                yerr=(below, above),
                color=f"C{at}",
                capsize=1.5,
                label=f"{tokens:,.0f} tokens",
            )
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set_xticks(range(len(parts)), list(parts))
        axis.set_title(name, fontsize=9)
    axes[0].legend(fontsize=8)
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    save(figure, path)
