"""Running programs: the controller and the journal."""

from .controller import Controller, Model
from .journal import Journal, JournalCounts
from .outcomes import OutcomeStream
from .sync import run_sync

__all__ = ["Controller", "Journal", "JournalCounts", "Model", "OutcomeStream", "run_sync"]
