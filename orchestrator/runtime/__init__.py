"""Running programs: the controller and the journal."""

from .controller import Controller, Model, OutcomeStream
from .journal import Journal, JournalCounts
from .sync import run_sync

__all__ = ["Controller", "Journal", "JournalCounts", "Model", "OutcomeStream", "run_sync"]
