"""Regular expressions of the user's, matched on texts of a model's within a time that is bounded."""

from .pattern import MOST_SECONDS, Found, Pattern

__all__ = ["MOST_SECONDS", "Found", "Pattern"]
