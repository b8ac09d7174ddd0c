"""Patterns of the user's: found as Python's `re` finds them, and never for longer than they may take."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.answers import AnswerReader
from orchestrator.errors import InvalidInputError
from orchestrator.patterns import Found, Pattern
from orchestrator.patterns import pattern as module
from orchestrator.types import Candidate, Problem, Sample
from orchestrator.verifiers import JsonSchema, Regex


@pytest.fixture
def hurried(monkeypatch):
    """Little time for each text, so that tests end soon."""
    monkeypatch.setattr(module, "MOST_SECONDS", 0.2)


@pytest.mark.parametrize("text", ["(a+)+$", "(a|aa)+$", r"([a-z]+)*\d"])
def test_a_pattern_that_goes_back_without_end_is_an_error(hurried, text):
    with pytest.raises(InvalidInputError, match=r"takes longer than 0\.2 s: write it so"):
        Pattern.of(text).is_in("a" * 60 + "!")


def test_after_a_pattern_without_end_others_are_found_as_before(hurried):
    with pytest.raises(InvalidInputError):
        Pattern.of("(a+)+$").is_in("a" * 60 + "!")
    assert Pattern.of("(a+)+").all_in("aa b aaa") == [Found(2, "aa"), Found(8, "aaa")]


def test_an_answer_is_not_looked_for_without_end(hurried):
    with pytest.raises(InvalidInputError, match="takes longer"):
        AnswerReader(pattern="(a+)+$").read("a" * 60 + "!")


def test_a_rule_does_not_look_without_end(hurried):
    with pytest.raises(InvalidInputError, match="takes longer"):
        Regex(pattern="(a|aa)+$").judge(
            Problem(id="1", prompt="?"), Candidate(sample=Sample(text="a" * 60 + "!"), answer=None)
        )


@pytest.mark.parametrize("schema", [{"pattern": "(a|aa)+$"}, {"patternProperties": {"(a+)+$": {}}}])
def test_a_schema_does_not_look_without_end(hurried, schema):
    pytest.importorskip("jsonschema")
    long = "a" * 60 + "!"
    text = f'"{long}"' if "pattern" in schema else f'{{"{long}": 1}}'
    candidate = Candidate(sample=Sample(text=text), answer=None)
    with pytest.raises(InvalidInputError, match="takes longer"):
        JsonSchema(schema=schema, whole=True).judge(Problem(id="1", prompt="?"), candidate)


@pytest.mark.parametrize("text", ["(", "a" * 10_001, "[a-", "(?P<n>a)(?P<n>b)", "a{9999999999}"])
def test_what_is_no_pattern_is_an_error_that_names_it(text):
    with pytest.raises(InvalidInputError, match=r"^thought "):
        Pattern.of(text, name="thought")


def test_a_pattern_that_cannot_go_back_starts_no_process(monkeypatch):
    monkeypatch.setattr(module, "_shared", None)
    assert Pattern.of(r"answer: (\d+)").all_in("answer: 12. answer: 7") == [Found(10, "12"), Found(21, "7")]
    assert not Pattern.of("yes").is_in("no")


def test_a_pattern_that_a_later_python_may_read_otherwise_is_no_warning():
    assert Pattern.of("[[a]").is_in("[")


def test_a_group_that_took_no_part_says_nothing():
    assert Pattern.of("(a)?b").all_in("ab b") == [Found(2, "a"), Found(4, None)]
    assert Pattern.of("(a)?b").last_in("b") == ""


def test_a_group_of_the_name_comes_before_the_first():
    assert Pattern.of(r"(\w)=(?P<answer>\d)").all_in("x=1 y=2", name="answer") == [
        Found(3, "1"),
        Found(7, "2"),
    ]


def test_texts_with_any_character_reach_the_other_process():
    text = "\ud800 é\n\0 😀"
    assert Pattern.of("(?s)(.+?)(.+)").is_all_of(text)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", "b", ".", "a*", "(a|b)", "b+?", "[ab]", "$", "^", "(?:ab){2}", "a?"]),
        max_size=5,
    ),
    st.text("ab\n", max_size=12),
)
def test_matches_are_those_of_re(parts, text):
    pattern = "".join(parts)
    compiled = re.compile(pattern)
    expected = [(match.end(), match[min(1, compiled.groups)]) for match in compiled.finditer(text)]
    assert Pattern.of(pattern).all_in(text) == expected
    assert Pattern.of(pattern).is_all_of(text) == (compiled.fullmatch(text) is not None)
    assert Pattern.of(pattern).is_in(text) == (compiled.search(text) is not None)
