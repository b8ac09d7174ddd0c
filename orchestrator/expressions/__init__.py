"""The typed language of conditions in control programs: `agreement >= 0.8 and n < 32`."""

from ..errors import ExpressionError
from .expression import Expression
from .scanning import is_name
from .types import (
    ANSWER,
    NOTHING,
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
    is_declared,
    joined,
    maybe,
    read_field,
    without_maybe,
)
from .work import ITEM, bounded, made_step, spend, weigh

__all__ = [
    "ANSWER",
    "ITEM",
    "NOTHING",
    "NUMBER",
    "TEXT",
    "TRUTH",
    "Expression",
    "ExpressionError",
    "ListOf",
    "Maybe",
    "Namespace",
    "Record",
    "Size",
    "Type",
    "as_text",
    "bounded",
    "declare",
    "fits",
    "is_declared",
    "is_name",
    "joined",
    "made_step",
    "maybe",
    "read_field",
    "spend",
    "weigh",
    "without_maybe",
]
