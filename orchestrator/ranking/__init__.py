"""Which of k items is best, from rankings or from judgements of pairs.

Everything starts from `Comparisons`: how often each item was preferred to each other one. From it come the
classical counts (Borda, Copeland, a tournament's score, Kemeny's order) and the strengths of Bradley and Terry.

An item is anything hashable: an answer's key, a model's name, a candidate's number.
"""

from __future__ import annotations

from .comparisons import Comparisons, Judgement
from .methods import (
    BradleyTerry,
    Ranking,
    TieModel,
    borda,
    bradley_terry,
    copeland,
    kemeny,
    kendall_tau,
    spearman_rho,
    tournament,
)

__all__ = [
    "BradleyTerry",
    "Comparisons",
    "Judgement",
    "Ranking",
    "TieModel",
    "borda",
    "bradley_terry",
    "copeland",
    "kemeny",
    "kendall_tau",
    "spearman_rho",
    "tournament",
]
