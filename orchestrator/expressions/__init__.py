"""The typed language of conditions in control programs: `agreement >= 0.8 and n < 32`."""

from .types import (
    ANSWER,
    NUMBER,
    TEXT,
    TRUTH,
    ListOf,
    Maybe,
    Namespace,
    Record,
    Size,
    Type,
    as_text,
    declare,
    fits,
    joined,
    read_field,
    without_maybe,
)

__all__ = [
    "ANSWER",
    "NUMBER",
    "TEXT",
    "TRUTH",
    "ListOf",
    "Maybe",
    "Namespace",
    "Record",
    "Size",
    "Type",
    "as_text",
    "declare",
    "fits",
    "joined",
    "read_field",
    "without_maybe",
]
