"""What spending more samples, or a better model, buys, worked out from answers that are already recorded."""

from __future__ import annotations

from .calibration import Calibrator, brier_score, expected_calibration_error
from .deferral import CascadeFit, deferral_path, fit_deferral, fit_thresholds
from .estimators import Estimate, best_of_k, coverage, maj_at_k, pass_at_k
from .intervals import Interval, bootstrap_interval, hierarchical_bootstrap, wilson_interval
from .recordings import RecordedProblem, Recording
from .replay import ReplayResult, Tier, VoteCurve, maj_curve, replay, replay_cascade
from .routing import RouterScorer, RoutingCurve, fit_router, routing_curve
from .stop_search import StopChoice, choose_stop, fit_stop
from .thresholds import ParetoPoint, RecordedTier, ThresholdReplay, pareto_front, replay_thresholds

__all__ = [
    "Calibrator",
    "CascadeFit",
    "Estimate",
    "Interval",
    "ParetoPoint",
    "RecordedProblem",
    "RecordedTier",
    "Recording",
    "ReplayResult",
    "RouterScorer",
    "RoutingCurve",
    "StopChoice",
    "ThresholdReplay",
    "Tier",
    "VoteCurve",
    "best_of_k",
    "bootstrap_interval",
    "brier_score",
    "choose_stop",
    "coverage",
    "deferral_path",
    "expected_calibration_error",
    "fit_deferral",
    "fit_router",
    "fit_stop",
    "fit_thresholds",
    "hierarchical_bootstrap",
    "maj_at_k",
    "maj_curve",
    "pareto_front",
    "pass_at_k",
    "replay",
    "replay_cascade",
    "replay_thresholds",
    "routing_curve",
    "wilson_interval",
]
