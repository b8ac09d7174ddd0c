"""How long the value of an expression can be in a prompt."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from expressions.worlds import expressions, worlds
from hypothesis import assume, given
from reference.expressions import TYPES

from orchestrator.expressions import Expression, ListOf, Size, as_text, without_maybe
from orchestrator.expressions.sizes import size_of
from orchestrator.expressions.syntax import parse
from orchestrator.expressions.tree import Call, walk

DRAFT = Size(tokens=100, fields={"answer": Size(tokens=20)})
SIZES = {
    "draft": DRAFT,
    "drafts": Size(tokens=400, count=4, item=DRAFT),
    "word": Size(tokens=7),
}

EXAMPLES = [
    ("draft", DRAFT),
    ("draft.text", DRAFT),
    ("draft.answer", Size(tokens=20)),
    ("answer(draft)", Size(tokens=20)),
    ("drafts", SIZES["drafts"]),
    ("drafts[0]", DRAFT),
    ("drafts[0].answer", Size(tokens=20)),
    ("'größer'", Size(tokens=8)),
    ("None", Size()),
    ("draft.text + word", Size(tokens=107)),
    ("draft if word == 'a' else None", Size(tokens=100, fields={"answer": Size(tokens=20)})),
    ("word if word == 'a' else 'abcdefghi'", Size(tokens=9)),
    ("[draft.answer, word]", Size(tokens=27, count=2, item=Size(tokens=20))),
    ("len(word) > 3", Size(tokens=5)),
    ("len(word) / 3", Size(tokens=24)),
    ("min(len(word), 3)", Size(tokens=24)),
]


@pytest.mark.parametrize(("text", "size"), EXAMPLES)
def test_examples(text: str, size: Size) -> None:
    assert Expression.of(text).size(SIZES) == size


def test_without_the_size_of_a_name_there_is_no_bound() -> None:
    assert Expression.of("other.text").size(SIZES).tokens == math.inf
    assert Expression.of("len(other.text)").size(SIZES).tokens == 24
    assert Expression.of("word + other").size(SIZES).tokens == math.inf


def bytes_of(value: object) -> int:
    return len(as_text(value).encode("utf-8", "surrogatepass"))


@given(text=expressions, world=worlds)
def test_no_value_is_longer_than_its_size(text: str, world: dict[str, object]) -> None:
    assume(len(text) <= 1000 and "." not in text.replace("0.5", ""))
    expression = Expression.of(text)
    kind = without_maybe(expression.check(TYPES))
    names = [name for name in expression.names if isinstance(world[name], str | int | float | list | None)]
    assume(len(names) == len(expression.names) and not isinstance(kind, ListOf))
    sizes = {
        name: Size(
            tokens=bytes_of(world[name]),
            item=Size(tokens=max(map(bytes_of, world[name]), default=0))
            if isinstance(world[name], list)
            else None,
        )
        for name in names
    }
    assert bytes_of(expression.evaluate(world)) <= expression.size(sizes).tokens


def test_nothing_is_known_of_the_value_of_a_function_that_does_not_say():
    [of] = [node for node in walk(parse("answer(draft)")) if isinstance(node, Call)]
    assert size_of(replace(of, function="translated"), SIZES).tokens == math.inf
