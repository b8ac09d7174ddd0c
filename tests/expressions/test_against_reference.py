"""Random expressions over random values, against types and values read case by case off Python's own tree."""

from __future__ import annotations

import ast
from typing import Any

from expressions.worlds import careless, expressions, worlds, written
from hypothesis import assume, given
from reference.expressions import TYPES, MistypedError, same_value, type_of, value_of

from orchestrator.expressions import TRUTH, Expression, ExpressionError, Maybe


def fits_the_caps(text: str) -> bool:
    return len(text) <= 1000 and sum(isinstance(node, ast.expr) for node in ast.walk(ast.parse(text))) <= 200


@given(text=expressions, world=worlds)
def test_a_well_typed_expression_is_accepted_and_has_the_value_of_its_definition(
    text: str, world: dict[str, Any]
) -> None:
    assume(fits_the_caps(text))
    expression = Expression.of(text)
    assert expression.check(TYPES) == type_of(text)
    assert same_value(expression.evaluate(world), value_of(text, world))


def accepted(text: str) -> Expression | None:
    """The expression, if it has a type; where it is refused, a place in its text is told."""
    try:
        expression = Expression.of(text)
        expression.check(TYPES)
    except ExpressionError as error:
        if not 0 <= error.offset <= len(text):
            raise AssertionError(f"the place {error.offset} is not in {text!r}") from error
        return None
    return expression


@given(text=careless, world=worlds)
def test_exactly_the_expressions_that_have_a_type_are_accepted(text: str, world: dict[str, Any]) -> None:
    try:
        expected = type_of(text)
    except MistypedError:
        assert accepted(text) is None
        return
    assume(fits_the_caps(text))
    expression = accepted(text)
    assert expression is not None
    assert expression.check(TYPES) == expected
    assert same_value(expression.evaluate(world), value_of(text, world))


@given(text=expressions)
def test_the_names_of_an_expression_are_all_that_it_reads(text: str) -> None:
    assume(fits_the_caps(text))

    class Recorded(dict[str, Any]):
        def __missing__(self, name: str) -> None:
            read.add(name)

    read: set[str] = set()
    expression = Expression.of(text)
    expression.evaluate(Recorded())
    assert read <= expression.names <= TYPES.keys()


@given(text=written(TRUTH, 2, slips=False), world=worlds)
def test_a_condition_is_true_or_false_and_missing_only_where_its_type_says_so(
    text: str, world: dict[str, Any]
) -> None:
    expression = Expression.of(text)
    possible = {TRUTH: (True, False), Maybe(TRUTH): (True, False, None)}
    assert expression.evaluate(world) in possible[expression.check(TYPES)]
