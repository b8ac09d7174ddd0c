import pytest

from orchestrator.errors import ProgramFileError
from orchestrator.excerpts import pointed
from orchestrator.programs import load
from orchestrator.programs.document import parse
from orchestrator.programs.mistakes import did_you_mean

HEAD = "version: 1\nmodels: {small: {local: gemma-3-270m}}\n"


def test_a_mistake_shows_its_place_its_line_with_a_caret_and_a_hint(refusal):
    said = refusal(HEAD + "program:\n  self_consistency:\n    n: 8\n    modle: small\n")
    assert said.splitlines() == [
        "program.yaml:6:5: unknown key `modle` in `program.self_consistency`",
        "    modle: small",
        "    ^",
        "  hint: did you mean `model`?",
    ]


def test_several_mistakes_are_told_in_the_files_order_each_with_its_line(refusal):
    said = refusal(HEAD + "answer: {kind: numbr}\nbudget: {usd: -1}\nprogram: {single: {temperature: hot}}\n")
    assert said.splitlines() == [
        "program.yaml:3:16: `kind` must be one of auto, number, expression, math, choice, boolean, date, text, "
        "whole, json, code",
        "    answer: {kind: numbr}",
        "                   ^",
        "  hint: did you mean `number`?",
        "program.yaml:4:15: `usd` must be greater than or equal to 0, not -1",
        "    budget: {usd: -1}",
        "                  ^",
        "program.yaml:5:33: `temperature` must be a number, not 'hot'",
        "    program: {single: {temperature: hot}}",
        "                                    ^",
    ]


def test_an_error_has_its_parts_as_fields(write):
    path = write("program.yaml", HEAD + "promt: x\nprogram: singel\n")
    with pytest.raises(ProgramFileError) as caught:
        load(path)
    first, [second] = caught.value, caught.value.others
    assert (first.file, first.line, first.column) == (str(path), 3, 1)
    assert (first.message, first.hint, first.source) == (
        "unknown key `promt`",
        "did you mean `prompt`?",
        "promt: x",
    )
    assert (second.line, second.column, second.source, second.unsaid) == (4, 10, "program: singel", 0)


def test_of_very_many_mistakes_the_first_fifty_are_told(refusal):
    said = refusal(HEAD + "program: single\n" + "".join(f"key{n}: 1\n" for n in range(80)))
    assert said.count("program.yaml:") == 50
    assert "program.yaml:4:1: unknown key `key0`" in said
    assert said.endswith("and 30 more mistakes")


@pytest.mark.parametrize(
    ("line", "column", "shown"),
    [
        ("    key: value", 10, ("key: value", "     ^")),
        ("key: value\r\n", 1, ("key: value", "^")),
        ("key:", 5, ("key:", "    ^")),
        ("key: a\tb", 8, ("key: a    b", "          ^")),
        ("名前: 値段", 5, ("名前: 値段", "      ^")),
        ("e\u0301te\u0301: x", 7, ("e\u0301te\u0301: x", "    ^")),
        ("a\x1b[31m: x", 8, ("a�[31m: x", "       ^")),
        ("a\u202eb: x", 5, ("a�b: x", "    ^")),
        ("  x", 1, ("  x", "^")),
    ],
)
def test_a_caret_stands_under_its_character(line, column, shown):
    assert pointed(line, column) == shown


def test_a_long_line_is_cut_around_its_caret():
    line, caret = pointed("x: " + "a" * 200 + "!" + "b" * 200, 204)
    assert line == "…" + "a" * 60 + "!" + "b" * 39 + "…"
    assert line[caret.index("^")] == "!"
    line, caret = pointed("!" + "b" * 200, 1)
    assert (line, caret) == ("!" + "b" * 99 + "…", "^")
    line, caret = pointed("a" * 200 + "!", 201)
    assert (line, line[caret.index("^")]) == ("…" + "a" * 99 + "!", "!")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("modle", "did you mean `model`?"),
        ("MODEL", "did you mean `model`?"),
        ("xyz", None),
        ("m\u043edel", "Cyrillic small letter o \u043e (U+043E) in it only looks right: write `model`"),
        (
            "\uff4dodel",
            "Fullwidth latin small letter m \uff4d (U+FF4D) in it only looks right: write `model`",
        ),
        ("mo\u200bdel", "Zero width space (U+200B) in it only looks right: write `model`"),
        (
            "\u03bfutputs",
            "Greek small letter omicron \u03bf (U+03BF) in it only looks right: write `outputs`",
        ),
    ],
)
def test_the_closest_word_is_told_and_letters_that_only_look_right(given, hint):
    assert did_you_mean(given, ["model", "outputs"]) == hint


def test_a_look_alike_is_named_where_it_stands(refusal):
    said = refusal(HEAD + "program: {self_consistency: {m\u043edel: small}}\n")
    assert "program.yaml:3:30: unknown key `m\u043edel`" in said
    assert "hint: Cyrillic small letter o \u043e (U+043E)" in said


@pytest.mark.parametrize(
    ("text", "value", "word", "place"),
    [
        ("a: x {{ one }} two", None, "two", (1, 16)),
        ("a: 'it''s two'", "it's two", "two", (1, 11)),
        ('a: "one two"', None, "two", (1, 9)),
        ("a:\n  one\n  two three", "one two three", "three", (3, 7)),
        ("a: |\n  one\n\n    two\n", None, "two", (4, 5)),
        ("a: |2-  # a comment\n    one\n  two", None, "two", (3, 3)),
        ("a: >\n  one\n  two\n\n  three", None, "three", (5, 3)),
        ("a: 'one\n\n  two'", "one\ntwo", "two", (3, 3)),
        ("a: |\r\n  one\r\n  two\r\n", "one\ntwo\n", "two", (3, 3)),
        ("- &x one two\n- *x", None, "two", (1, 10)),
    ],
)
def test_a_character_of_a_text_is_found_however_the_text_is_written(text, value, word, place):
    document = parse(text, file="f")
    path = (0,) if isinstance(document.data, list) else ("a",)
    written = document.at(path)
    if value is not None:
        assert written == value
    found = document.place(path, offset=written.index(word))
    assert (found.line, found.column) == place


def test_a_text_with_escapes_is_meant_from_its_start():
    document = parse('a: "\\u0041 two"', file="f")
    found = document.place(("a",), offset=2)
    assert (found.line, found.column) == (1, 4)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("- return: drft + 1", "program.yaml:5:15: no name `drft` here"),
        (
            "- id: t\n      text: |\n        one\n        {{ prblem }}\n    - return: t",
            "program.yaml:8:12: there is no `prblem` here",
        ),
        (
            "- {id: d, sample: {n: 2}}\n    - {id: j, judge: {of: d.bst}}\n    - return: j",
            "program.yaml:6:29: candidates has no `bst`",
        ),
        ("- {id: d, sample: {}}\n    - return: {vote: [d, e]}", "program.yaml:6:26: no name `e` here"),
        (
            "- {id: d, single: {}, problem: '{{ x }}'}\n    - return: d",
            "program.yaml:5:40: there is no `x` here",
        ),
        ("- {id: d, sample: {model: smal}}\n    - return: d", "program.yaml:5:31: no model `smal`"),
        (
            "- {id: d, sample: {}}\n    - if: d.count > y\n      then: [{return: d}]\n      else: [{return: d}]",
            "program.yaml:6:21: no name `y` here",
        ),
        (
            "- {id: d, sample: {}}\n    - return: d\n    - return: d",
            "program.yaml:7:7: this step is never reached",
        ),
    ],
)
def test_what_is_wrong_in_a_step_is_shown_at_its_character(refusal, steps, message):
    assert message in refusal(HEAD + f"program:\n  steps:\n    {steps}\n")
