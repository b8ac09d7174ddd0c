"""The typed language of conditions in control programs: `agreement >= 0.8 and n < 32`."""

from ..errors import ExpressionError
from .checking import in_quotes, inside, instead
from .equality import equal
from .expression import Expression
from .operands import Fault, calculated, compared
from .operations import ARITHMETIC, COMPARISONS, negative, rounded
from .reading import reading, unheard
from .scanning import LARGEST, is_name
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
    is_answer,
    is_declared,
    is_unknown,
    joined,
    kind_of,
    maybe,
    read_field,
    without_maybe,
)
from .work import ITEM, bounded, made_step, spend

__all__ = [
    "ANSWER",
    "ARITHMETIC",
    "COMPARISONS",
    "ITEM",
    "LARGEST",
    "NOTHING",
    "NUMBER",
    "NUMBER_SIZE",
    "TEXT",
    "TRUTH",
    "TRUTH_SIZE",
    "UNKNOWN",
    "Expression",
    "ExpressionError",
    "Fault",
    "ListOf",
    "Maybe",
    "Namespace",
    "Record",
    "Size",
    "Type",
    "as_text",
    "bounded",
    "calculated",
    "compared",
    "declare",
    "equal",
    "fits",
    "in_quotes",
    "inside",
    "instead",
    "is_answer",
    "is_declared",
    "is_name",
    "is_unknown",
    "joined",
    "kind_of",
    "longer",
    "made_step",
    "maybe",
    "negative",
    "read_field",
    "reading",
    "rounded",
    "spend",
    "unheard",
    "without_maybe",
]
