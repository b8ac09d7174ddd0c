"""How long the values of steps can be when they are put into prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from ..costs import Costing, Size
from ..expressions import NUMBER_SIZE as NUMBER
from ..expressions import TRUTH_SIZE as TRUTH
from ..expressions import Expression, as_text, longer, read_field
from ..templates import Measured, Template
from .values import PROBLEM_FIELDS

__all__ = [
    "ASIDE",
    "BALLOT",
    "Listed",
    "ballots_of",
    "candidate_size",
    "candidates_size",
    "critique_size",
    "either",
    "listed_size",
    "marks_of",
    "measured",
    "outcome_size",
    "problem_size",
    "returned_beside",
    "review_size",
    "size_here",
    "tokens_of",
    "vote_size",
]

WORD = Size(tokens=16.0)
"""A word of the library's own, such as why a program ended."""


BALLOT = "(ballot)"
"""Stands among the fields of a candidate that no call may have drawn; no field can be called so."""

ASIDE = "(aside)"
"""The same for one that may have been drawn aside, which is the program's only where it is returned."""


def candidate_size(tokens: float, *, reason: float = 0.0, marks: Iterable[str] = ()) -> Size:
    """A candidate whose text has so many tokens, and the reason of its latest score so many.

    Args:
        tokens: Of its text.
        reason: Of its latest score's reason.
        marks: Which of `BALLOT` and `ASIDE` stand among its fields.
    """
    text = Size(tokens=tokens)
    fields = {"text": text, "answer": text, "score": NUMBER, "reason": Size(tokens=reason)}
    fields |= {"tokens": NUMBER, "truncated": TRUTH, **dict.fromkeys(marks, Size())}
    return Size(tokens=tokens, fields=fields)


def marks_of(candidate: Size) -> set[str]:
    """Which of `BALLOT` and `ASIDE` a candidate has."""
    return {BALLOT, ASIDE} & candidate.fields.keys()


def returned_beside(size: Size) -> float:
    """Candidates that a program which returns such a value has beside those that it has drawn, at most: all where
    some may have been drawn aside, or nothing is known of them, and one where an answer may be nobody's.
    """
    of = listed_size(size)
    unknown = ASIDE in of.item.fields or "text" not in of.item.fields
    return (of.count if unknown else 0.0) + float(BALLOT in of.item.fields)


def candidates_size(item: Size, count: float, *, tokens: float | None = None) -> Size:
    """So many candidates of this size; `tokens` where all together have fewer than `count` of the longest."""
    text = item.fields.get("text", Size(tokens=item.tokens))
    tokens = _times(text.tokens, count) if tokens is None else tokens
    texts = Size(tokens=tokens, count=count, item=text)
    fields = {
        **dict.fromkeys(("best", "first", "last"), item),
        "answer": text,
        "agreement": NUMBER,
        "texts": texts,
        "answers": texts,
        "scores": Size(tokens=_times(NUMBER.tokens, count), count=count, item=NUMBER),
        "count": NUMBER,
    }
    return Size(tokens=tokens, count=count, fields=fields, item=item)


def review_size(candidate: Size, reason: float) -> Size:
    """A review with so many tokens, of a candidate of this size."""
    text = Size(tokens=reason)
    return Size(tokens=reason, fields={"score": NUMBER, "text": text, "candidate": candidate})


def critique_size(candidate: Size, tokens: float) -> Size:
    """A critique with so many tokens, of a candidate of this size."""
    text = Size(tokens=tokens)
    return Size(tokens=tokens, fields={"text": text, "accepted": TRUTH, "candidate": candidate})


def vote_size(candidates: Size) -> Size:
    """A vote of these candidates."""
    fields = {"share": NUMBER, "margin": NUMBER, "tied": TRUTH, "candidates": candidates}
    answer, candidate = candidates.fields["answer"], candidates.fields["best"]
    return Size(tokens=answer.tokens, fields={**fields, "answer": answer, "candidate": candidate})


def outcome_size(candidates: Size) -> Size:
    """An outcome with these candidates."""
    fields = {"confidence": NUMBER, "agreement": NUMBER, "stop_reason": WORD, "candidates": candidates}
    answer, candidate = candidates.fields["answer"], candidates.fields["best"]
    return Size(
        tokens=answer.tokens, fields={**fields, "answer": answer, "text": answer, "candidate": candidate}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Candidates as a step sees a value: how many there are at most, and how long each is."""

    count: float
    item: Size
    single: bool


def listed_size(size: Size) -> Listed:
    """The candidates in a value: an outcome's, those of a list, or the one it is or stands for."""
    size = size.fields.get("candidates", size)
    if size.item is not None:
        return Listed(count=size.count, item=size.item, single=False)
    return Listed(count=size.count, item=size.fields.get("candidate", size), single=True)


def ballots_of(size: Size) -> Listed:
    """What a vote counts in a value: a candidate, an outcome's, or an answer; those of a list, and of lists in it."""
    if size.item is not None and "stop_reason" not in size.fields:
        inside = ballots_of(size.item)
        return replace(inside, count=_times(size.count, inside.count), single=False)
    drawn = size.fields.get("candidate", size)
    if "text" in drawn.fields and "stop_reason" not in size.fields:
        return Listed(count=size.count, item=drawn, single=True)
    ballot = drawn if "text" in drawn.fields else candidate_size(size.tokens)
    ballot = replace(ballot, fields={**ballot.fields, BALLOT: Size()})
    return Listed(count=size.count, item=ballot, single=True)


def either(sizes: Sequence[Size]) -> Size:
    """The size of a value that has one of several."""
    return reduce(longer, sizes) if sizes else Size()


def size_here(costing: Costing, text: str) -> Size:
    """How long the value of an expression can be."""
    return Expression.of(text).size(costing.sizes)


def measured(
    costing: Costing,
    text: str,
    *,
    known: Mapping[str, Any] | None = None,
    sizes: Mapping[str, Size] | None = None,
) -> Measured:
    """How long a template can be when it is filled.

    Args:
        costing: Knows the problem, and how long the values of names are.
        text: The template.
        known: Further values.
        sizes: Sizes of further ones that are not known; these and `known` hide others of their names.
    """
    sizes = {**costing.sizes, **(sizes or {})}
    return Template.of(text).measure({"problem": costing.problem, **(known or {})}, sizes)


async def tokens_of(costing: Costing, text: str) -> float:
    """Tokens that a text adds to a prompt at most, by the model that cuts it into most."""
    if not text:
        return 0.0
    models = costing.ctx.models
    return max([(await costing.draw(text, model=model, max_tokens=1)).prompt_tokens for model in models])


async def problem_size(costing: Costing) -> Size:
    """The problem, whole and by its fields."""
    names = (*PROBLEM_FIELDS, *costing.problem.fields)
    fields = {name: await _known_size(costing, read_field(costing.problem, name)) for name in names}
    return Size(tokens=fields["text"].tokens, fields=fields)


async def _known_size(costing: Costing, value: object) -> Size:
    if isinstance(value, list | tuple):
        items = [await _known_size(costing, one) for one in value]
        longest = max(items, key=lambda one: one.tokens, default=Size())
        whole = sum(one.tokens for one in items)
        return Size(tokens=whole, count=float(len(items)), item=longest)
    try:
        return Size(tokens=await tokens_of(costing, as_text(value)))
    except TypeError:  # no value of the language: nothing can insert it
        return Size()


def _times(tokens: float, count: float) -> float:
    return tokens * count if tokens and count else 0.0
