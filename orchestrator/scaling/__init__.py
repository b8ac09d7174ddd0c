"""What recorded runs say of how to spend a budget."""

from __future__ import annotations

from .calibration import Calibrator, brier_score, expected_calibration_error

__all__ = ["Calibrator", "brier_score", "expected_calibration_error"]
