from dataclasses import dataclass

import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.primitives import PRIMITIVES
from orchestrator.programs.annotations import parameters
from orchestrator.programs.limits import limits_of
from orchestrator.programs.registries import MONITORS, STOPPING_RULES, STRATEGIES, VERIFIERS


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A class with a check of each kind; `least` must be below `most`, whatever either is."""

    count: int = 3
    share: float = 0.5
    above: float = 2.0
    least: int = 1
    most: int = 8
    word: str = "a"
    text: str = "a"
    words: tuple[str, ...] = ("a", "b")
    free: int = 0

    def __post_init__(self):
        right = (
            2 <= self.count <= 70
            and 0 <= self.share < 1
            and self.above > 1
            and self.least < self.most
            and self.word.strip()
            and self.text
            and len(self.words) >= 2
            and all(self.words)
        )
        if not right:
            raise InvalidInputError("out of range")


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("count", {"minimum": 2, "maximum": 70}),
        ("share", {"minimum": 0.0, "exclusiveMaximum": 1.0}),
        ("above", {"exclusiveMinimum": 1.0}),
        ("least", {}),
        ("most", {}),
        ("word", {"pattern": r"\S"}),
        ("text", {"minLength": 1}),
        ("words", {"minItems": 2, "items": {"minLength": 1}}),
        ("free", {}),
    ],
)
def test_the_limits_of_a_class_are_found_by_making_it(name, limits):
    assert limits_of(Checked, name) == limits


@pytest.mark.parametrize(
    ("registry", "key", "name", "limits"),
    [
        (STRATEGIES.parts, "self_consistency", "n", {"minimum": 1}),
        (STRATEGIES.parts, "debate", "agents", {"minimum": 2, "maximum": 100}),
        (STRATEGIES.parts, "mcts", "max_tokens", {"type": "null"}),
        (STRATEGIES.parts, "adaptive", "n", {"minimum": 1}),
        (STRATEGIES.parts, "adaptive", "start", {"minimum": 1, "maximum": 10_000}),
        (PRIMITIVES, "sample", "n", {"minimum": 1}),  # where a call has several, there can be more
        (STOPPING_RULES.parts, "any", "rules", {"minItems": 1}),
        (STOPPING_RULES.parts, "majority", "threshold", {"exclusiveMinimum": 0.0, "maximum": 1.0}),
        (MONITORS.parts, "confidence_floor", "threshold", {"minimum": 0.0}),
        (VERIFIERS.parts, "learned", "file", {}),  # which cannot be made without its file
        (PRIMITIVES, "repeat", "max", {"minimum": 1, "maximum": 1000}),
    ],
)
def test_parts_and_steps_say_what_they_take(registry, key, name, limits):
    assert limits_of(registry[key], name) == limits


SAMPLING = {"temperature": {"minimum": 0.0}, "max_tokens": {"minimum": 1}}


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (part, name)
        for part in (*STRATEGIES.parts.values(), *VERIFIERS.parts.values())
        for name in SAMPLING.keys() & parameters(part).keys()
    ],
)
def test_every_part_refuses_settings_that_no_sampler_takes(part, name):
    assert limits_of(part, name) in (SAMPLING[name], {"type": "null"})
