"""Running programs: the controller and the journal."""

from .controller import Controller
from .graded import graded_from_journal, graded_from_jsonl
from .journal import Journal, JournalCounts
from .outcomes import OutcomeStream
from .sync import run_sync

__all__ = [
    "Controller",
    "Journal",
    "JournalCounts",
    "OutcomeStream",
    "graded_from_journal",
    "graded_from_jsonl",
    "run_sync",
]
