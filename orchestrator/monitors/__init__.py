"""What watches samples while they are written, and cuts them."""

from .base import Monitor, Monitoring, Resumption, monitoring
from .confidence import ConfidenceFloor
from .repetition_guard import RepetitionGuard
from .thinking_budget import ThinkingBudget

__all__ = [
    "ConfidenceFloor",
    "Monitor",
    "Monitoring",
    "RepetitionGuard",
    "Resumption",
    "ThinkingBudget",
    "monitoring",
]
