"""The typed language of conditions in control programs: `agreement >= 0.8 and n < 32`."""

from ..errors import ExpressionError
from .checking import inside, instead
from .equality import comparable, equal
from .expression import Expression
from .scanning import is_name
from .sizes import longer
from .types import (
    ANSWER,
    NOTHING,
    NUMBER,
    NUMBER_SIZE,
    TEXT,
    TRUTH,
    TRUTH_SIZE,
    UNKNOWN,
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
    is_unknown,
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
    "NUMBER_SIZE",
    "TEXT",
    "TRUTH",
    "TRUTH_SIZE",
    "UNKNOWN",
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
    "comparable",
    "declare",
    "equal",
    "fits",
    "inside",
    "instead",
    "is_declared",
    "is_name",
    "is_unknown",
    "joined",
    "longer",
    "made_step",
    "maybe",
    "read_field",
    "spend",
    "weigh",
    "without_maybe",
]
