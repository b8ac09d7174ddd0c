"""What spending more samples buys, worked out from samples that are already recorded."""

from __future__ import annotations

from .calibration import Calibrator, brier_score, expected_calibration_error
from .estimators import Estimate, best_of_k, coverage, maj_at_k, pass_at_k
from .intervals import Interval, bootstrap_interval, hierarchical_bootstrap, wilson_interval
from .recordings import RecordedProblem, Recording
from .replay import ReplayResult, Tier, VoteCurve, maj_curve, replay, replay_cascade
from .stop_search import StopChoice, choose_stop, fit_stop

__all__ = [
    "Calibrator",
    "Estimate",
    "Interval",
    "RecordedProblem",
    "Recording",
    "ReplayResult",
    "StopChoice",
    "Tier",
    "VoteCurve",
    "best_of_k",
    "bootstrap_interval",
    "brier_score",
    "choose_stop",
    "coverage",
    "expected_calibration_error",
    "fit_stop",
    "hierarchical_bootstrap",
    "maj_at_k",
    "maj_curve",
    "pass_at_k",
    "replay",
    "replay_cascade",
    "wilson_interval",
]
