import dataclasses
import re

import pytest

from orchestrator import verifiers
from orchestrator.answers import AnswerReader
from orchestrator.errors import InvalidInputError
from orchestrator.types import Candidate, Problem, Sample
from orchestrator.verifiers import REGISTRY, Equivalent, Predicate, Regex, RequiredWords, name_of


def candidate(text, *, kind="auto", units="by_kind"):
    return Candidate(sample=Sample(text=text), answer=AnswerReader(kind=kind, units=units).read(text))


WORDS = Problem(id="w", prompt="river, stone", tests=["river", "stone"])


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("A stone lies in the river.", 1.0, ""),
        (" The RIVER has a Stone!\n", 1.0, ""),
        ('She said, "the river took my stone."', 1.0, ""),
        ("A river runs by.", 0.0, "without stone"),
        ("Rivers and stones.", 0.0, "without river, stone"),
        ("A stone lies in the river", 0.0, "not one whole sentence"),
        ("A stone. It lies in the river.", 0.0, "not one whole sentence"),
        ("A stone lies\nin the river.", 0.0, "not one whole sentence"),
        ("A stone lies in the river, and the river goes on.", 0.0, "11 words, at most 8"),
        ("", 0.0, "without river, stone"),
    ],
)
def test_required_words_asks_for_one_sentence_with_every_word(text, value, reason):
    score = RequiredWords(at_most=8).judge(WORDS, candidate(text))
    assert (score.value, score.reason) == (value, reason)


@pytest.mark.parametrize("tests", ["river, stone", "river stone", ("river", "stone")])
def test_required_words_may_be_a_text_or_a_list(tests):
    problem = Problem(id="w", prompt="", tests=tests)
    assert RequiredWords().judge(problem, candidate("A river, a stone.")).value == 1.0
    assert RequiredWords().judge(problem, candidate("A river.")).value == 0.0


def test_a_rule_that_cannot_tell_abstains():
    nothing = Problem(id="p", prompt="?")
    assert RequiredWords().judge(nothing, candidate("A river.")).value is None
    assert Equivalent().judge(nothing, candidate("4")).value is None
    assert Predicate(function=lambda problem, found: None).judge(nothing, candidate("4")).value is None


def test_equivalent_compares_with_the_reference():
    half = Problem(id="p", prompt="?", reference="1/2")
    rule = Equivalent(kind="number")
    assert rule.judge(half, candidate("It is 0.5", kind="number")).value == 1.0
    assert rule.judge(half, candidate("It is 5", kind="number")).value == 0.0
    assert rule.judge(half, candidate("no idea", kind="number")).value == 0.0


@pytest.mark.parametrize(
    ("options", "reference", "text", "value"),
    [
        ({"kind": "code"}, "a  b", "```\na  b\n```", 1.0),
        ({"kind": "code"}, "a  b", "```\nA  b\n```", 0.0),
        ({"kind": "text"}, "Paris", "The answer is **paris**.", 1.0),
        ({"kind": "number", "tolerance": 0.01}, "3.14159", "about 3.14", 1.0),
        ({"kind": "number", "tolerance": 0.0001}, "3.14159", "about 3.14", 0.0),
        ({"kind": "number"}, "5 cm", "5 kg", 1.0),
        ({"kind": "number", "units": "keep"}, "5 cm", "5 kg", 0.0),
        ({"kind": "number", "units": "keep"}, "5 cm", "5 centimeters", 1.0),
        ({"kind": "math"}, "(x+1)^2", r"$\boxed{x^2+2x+1}$", 1.0),
        ({"kind": "math"}, "(x+1)^2", r"$\boxed{x^2+1}$", 0.0),
    ],
)
def test_equivalent_compares_exactly_within_a_tolerance_with_units_and_as_mathematics(
    options, reference, text, value
):
    problem = Problem(id="p", prompt="?", reference=reference)
    units = options.get("units", "by_kind")
    read = candidate(text, kind=options["kind"], units=units)
    assert Equivalent(**options).judge(problem, read).value == value


async def test_equivalent_can_ask_for_a_second_opinion():
    pytest.importorskip("math_verify")
    problem = Problem(id="p", prompt="?", reference="0")
    found = [candidate(text, kind="math") for text in (r"$\boxed{\lim_{x \to 0} x}$", r"$\boxed{1}$")]
    exact = await Equivalent(kind="math").score(None, problem, found)
    second = await Equivalent(kind="math", equivalence="math_verify").score(None, problem, found)
    assert [score.value for score in exact] == [0.0, 0.0]
    assert [score.value for score in second] == [1.0, 0.0]


def test_a_pattern_is_searched_in_the_text():
    problem = Problem(id="p", prompt="?")
    assert Regex(pattern=r"^\d+$").judge(problem, candidate("42")).value == 1.0
    assert Regex(pattern=r"^\d+$").judge(problem, candidate("42 cows")).value == 0.0
    assert Regex(pattern="COW", ignore_case=True).judge(problem, candidate("a cow")).value == 1.0


def test_limits_and_patterns_that_make_no_sense_are_refused():
    with pytest.raises(InvalidInputError, match="at_least 5 is more than at_most 2"):
        RequiredWords(at_most=2, at_least=5)
    with pytest.raises(InvalidInputError, match="at_most must be at least 1, not 0"):
        RequiredWords(at_most=0)
    with pytest.raises(InvalidInputError, match=re.escape("pattern '('")):
        Regex(pattern="(")


async def test_scores_come_in_the_candidates_order():
    texts = ["A stone.", "A stone in a river.", "A river."]
    scores = await RequiredWords().score(None, WORDS, [candidate(text) for text in texts])
    assert [score.value for score in scores] == [0.0, 1.0, 0.0]


def test_files_can_name_every_verifier_but_the_one_that_takes_a_function():
    public = [getattr(verifiers, name) for name in verifiers.__all__]
    classes = {one for one in public if dataclasses.is_dataclass(one) and hasattr(one, "score")}
    assert classes - set(REGISTRY.values()) == {Predicate}


def test_a_verifiers_key_in_files_is_the_name_its_scores_are_kept_under():
    for key, verifier in REGISTRY.items():
        assert name_of(object.__new__(verifier)) == key
    assert name_of(Predicate(function=lambda problem, found: True, name="odd")) == "odd"
