"""What docstrings say of parts and of their parameters."""

import pytest

from orchestrator.primitives import PRIMITIVES
from orchestrator.programs.annotations import hint_of, parameters, python_only
from orchestrator.programs.docstrings import about, said_of, summary
from orchestrator.programs.registries import REGISTRIES, kind_of


class Told:
    """What it is,
    on two lines.

    More of it.

    Args:
        one: The first,
            which goes on
            twice.
        two, three: Both: of one kind.

    Raises:
        ValueError: Never.

    Attributes:
        four: The fourth.
    """


class Derived(Told):
    """Another.

    Args:
        one: Another first.
    """


def test_both_headings_several_names_and_further_lines_are_read():
    assert said_of(Told) == {
        "one": "The first,\nwhich goes on\ntwice.",
        "two": "Both: of one kind.",
        "three": "Both: of one kind.",
        "four": "The fourth.",
    }
    assert summary(Told) == "What it is, on two lines."
    assert about(Told) == "More of it.\n\nRaises:\n    ValueError: Never."


def test_own_words_go_before_inherited_ones():
    assert said_of(Derived) == {**said_of(Told), "one": "Another first."}
    assert about(Derived) == ""


def nested(part):
    """A part, and what is written as a mapping inside it."""
    yield part
    for name in parameters(part):
        inner = kind_of(part, name)
        if isinstance(inner, type):
            yield from nested(inner)


PARTS = {
    part.__qualname__: part
    for registry in REGISTRIES
    for made in registry.parts.values()
    for part in nested(made)
} | {part.__qualname__: part for part in PRIMITIVES.values()}


@pytest.mark.parametrize("part", PARTS.values(), ids=lambda part: part.__name__)
def test_every_parameter_of_a_part_that_files_can_give_is_described(part):
    given = [name for name in parameters(part) if kind_of(part, name) or not python_only(hint_of(part, name))]
    assert [name for name in given if not said_of(part).get(name)] == []
