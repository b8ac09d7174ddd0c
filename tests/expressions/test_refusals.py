"""What is refused, where in the text, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.expressions import (
    ANSWER,
    NUMBER,
    TEXT,
    TRUTH,
    Expression,
    ExpressionError,
    ListOf,
    Maybe,
    Record,
    is_name,
)

CANDIDATE = Record("a candidate", {"text": TEXT, "score": Maybe(NUMBER), "answer": Maybe(ANSWER)})
NAMES = {
    "agreement": NUMBER,
    "draft": CANDIDATE,
    "drafts": Record("candidates", {"best": Maybe(CANDIDATE)}, item=CANDIDATE),
    "done": TRUTH,
    "maybe_done": Maybe(TRUTH),
    "scores": ListOf(Maybe(NUMBER)),
}
LISTED = "agreement, done, draft, drafts, maybe_done, scores"
FUNCTIONS = "min, max, abs, len, round, any, all, number, answer"


def refusal(text: Any) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        Expression.of(text).check(NAMES)
    return caught.value


# An expression with a mark in front of the place meant, the message, the hint.
REFUSED = [
    # Names, fields, functions
    ("▸drafs.best", f"no name `drafs` here; there are: {LISTED}", "did you mean `drafts`?"),
    ("1 + ▸zzz", f"no name `zzz` here; there are: {LISTED}", None),
    ("draft.▸scor > 1", "a candidate has no `scor`; there are: text, score, answer", "did you mean `score`?"),
    (
        "drafts.best . ▸tex",
        "a candidate has no `tex`; there are: text, score, answer",
        "did you mean `text`?",
    ),
    ("agreement.▸real", "`agreement` is a number and has no fields", None),
    ("'a'.▸upper", "`'a'` is a text and has no fields", None),
    ("▸mn(1, 2)", f"no function `mn`; there are: {FUNCTIONS}", "did you mean `min`?"),
    ("▸open('f')", f"no function `open`; there are: {FUNCTIONS}", None),
    ("▸len > 1", "`len` is a function", "write `len(...)`"),
    ("draft.▸text()", "values have fields only, so `text` cannot be called", None),
    ("draft.text.▸format(1)", "values have fields only, so `format` cannot be called", None),
    ("scores[0]▸(1)", "only a function can be called", None),
    ("(draft)▸(1)", "only a function can be called", None),
    ("▸round()", "`round` takes a number, and how many decimals, not nothing", None),
    ("▸len('a', 'b')", "`len` takes one text or list, not 2", None),
    # Types
    (
        "▸draft.text > 1",
        "expected a number, but `draft.text` is a text",
        "`number(draft.text)` is the number it says",
    ),
    (
        "0.5 < ▸draft.text",
        "expected a number, but `draft.text` is a text",
        "`number(draft.text)` is the number it says",
    ),
    ("▸draft >= 0.5", "expected a number, but `draft` is a candidate", "`draft.score` is a number"),
    ("▸scores > 1", f"expected a number, but `scores` is {NAMES['scores']}", "`len(scores)` is a number"),
    ("done and ▸agreement", "expected true or false, but `agreement` is a number", None),
    (
        "not ▸draft.score",
        "expected true or false, but `draft.score` is a number, which may be missing",
        "`draft.score != None` says whether it is there",
    ),
    (
        "done or ▸drafts",
        "expected true or false, but `drafts` is candidates",
        "did you mean `len(drafts) > 0`?",
    ),
    ("1 if ▸1 else 2", "expected true or false, but `1` is a number", None),
    ("1 if done else ▸'a'", "expected a number as before `if`, but `'a'` is a text", None),
    ("[1, 2, ▸done]", "expected a number as the items before, but `done` is true or false", None),
    ("'a' + ▸1", "expected a text, but `1` is a number", None),
    ("1 + ▸'a'", "expected a number, but `'a'` is a text", None),
    ("▸done + 1", "expected a number or a text, but `done` is true or false", None),
    ("▸'a' * 3", "expected a number, but `'a'` is a text", None),
    ("▸'%s' % 3", "expected a number, but `'%s'` is a text", None),
    ("-▸done", "expected a number, but `done` is true or false", None),
    ("done == ▸1", "expected true or false, but `1` is a number", None),
    (
        "draft.answer == ▸42",
        "expected an answer, but `42` is a number",
        "an answer can be compared with answers and texts, such as '4'",
    ),
    (
        "'is ' + ▸draft.answer",
        "expected a text, but `draft.answer` is an answer, which may be missing",
        "a step `text` makes a text of an answer",
    ),
    (
        "▸1 in [draft.answer]",
        "expected an answer, but `1` is a number",
        "an answer can be compared with answers and texts, such as '4'",
    ),
    (
        "▸draft == draft",
        "expected a number, a text, an answer or true or false, but `draft` is a candidate",
        None,
    ),
    (
        "1 in ▸draft",
        "expected a text, or a list of texts, answers or numbers, but `draft` is a candidate",
        None,
    ),
    ("▸1 in 'a1'", "expected a text, but `1` is a number", None),
    ("▸'a' in scores", "expected a number, but `'a'` is a text", None),
    ("▸agreement[0]", "expected a list, but `agreement` is a number", None),
    ("len(▸1)", "expected a text or a list, but `1` is a number", None),
    ("min(▸'a', 2)", "expected a number, but `'a'` is a text", None),
    ("max(▸draft)", "expected a list of numbers, but `draft` is a candidate", None),
    ("any(▸done)", "expected a list, each item true or false, but `done` is true or false", None),
    ("answer(▸agreement)", "expected something with an answer, but `agreement` is a number", None),
    (
        "round(1.5, ▸agreement)",
        "expected how many decimals, a whole number from 0 to 15 written out, but `agreement` is a number",
        None,
    ),
    ("agreement is ▸1", "only `None` can stand after `is`", "did you mean `==`?"),
    ("agreement is not ▸1", "only `None` can stand after `is not`", "did you mean `!=`?"),
    # What Python has and the language has not
    ("2▸**8", "there are no powers", "multiply"),
    ("2▸^8", "there are no powers", "multiply"),
    ("▸lambda: 1", "there are no functions of one's own in expressions", None),
    ("[x ▸for x in scores]", "there are no loops in expressions", "use the step `for_each`"),
    ("any(s > 1 ▸for s in scores)", "there are no loops in expressions", "use the step `for_each`"),
    ("▸await draft", "nothing is waited for in expressions", None),
    ("▸yield", "`yield` is not part of expressions", None),
    ("▸import os", "`import` is a word of Python's and cannot be used here", None),
    ("draft.▸class", "`class` is a word of Python's and cannot be used here", None),
    ("▸f'{draft}'", "no `f` can stand before a text", "join texts with `+`"),
    ("▸b'a'", "no `b` can stand before a text", None),
    ("(x ▸:= 1)", "`:=` gives no name to a value here", "did you mean `==`?"),
    ("agreement ▸= 1", "`=` gives no name to a value here", "did you mean `==`?"),
    ("[▸*scores]", "expected a value before `*`", None),
    ("min(▸*scores)", "expected a value before `*`", None),
    ("scores[▸agreement]", "an index is a whole number, such as [0] or [-1]", None),
    ("scores[▸1.0]", "an index is a whole number, such as [0] or [-1]", None),
    ("scores[▸True]", "an index is a whole number, such as [0] or [-1]", None),
    ("scores[0▸:1]", "there are no slices and no dictionaries in expressions", None),
    (
        "scores[0▸, 1]",
        "a comma stands only between arguments and between items",
        "a list is written `[a, b]`",
    ),
    ("▸{1}", "there are no braces in expressions", "a list is written `[a, b]`"),
    ("1▸, 2", "a comma stands only between arguments and between items", "a list is written `[a, b]`"),
    ("(▸)", "expected a value before `)`", None),
    ("[1, ▸]", "expected a value before `]`", None),
    ("▸[]", "a list has at least one item, so that its type is known", None),
    ("▸+1", "expected a value before `+`", None),
    ("▸~1", "`~` is not part of expressions", None),
    ("1 ▸<< 2", "`<<` is not part of expressions", None),
    ("1 ▸@ 2", "`@` is not part of expressions", None),
    ("1▸; 2", "`;` is not part of expressions", None),
    ("▸...", "`...` is not part of expressions", None),
    ("done ▸&& done", "`&&` is not an operator", "did you mean `and`?"),
    ("done ▸| done", "`|` is not an operator", "did you mean `or`?"),
    ("▸!done", "`!` is not an operator", "did you mean `not`?"),
    ("1 ▸<> 2", "`<>` is not an operator", "did you mean `!=`?"),
    ("done ▸? 1 : 2", "`?` is not an operator", "a choice is written `THIS if CONDITION else THAT`"),
    (
        "done ▸# yes",
        "there are no comments inside an expression",
        "put it in the file beside the expression",
    ),
    ("draft.▸__class__", "`__class__`: no name begins with two underscores", None),
    ("▸__import__('os')", "`__import__`: no name begins with two underscores", None),
    # Caps
    (f"{'1 + ' * 250}▸1", "an expression has at most 1,000 characters, and this one has 1,001", None),
    (f"[{'1, ' * 200}▸1]", "an expression has at most 200 parts", None),
    (f"[{'1-1, ' * 66}▸1-1]", "an expression has at most 200 parts", None),
    (f"{'(' * 30}▸(1", "brackets stand at most 30 deep inside each other", None),
    (f"{'-' * 30}▸1", "the parts of an expression stand at most 30 deep inside each other", None),
    # Order
    ("▸", "expected a value, but the expression ends here", None),
    ("  ▸", "expected a value, but the expression ends here", None),
    ("agreement >▸", "expected a value after `>`, but the expression ends here", None),
    ("agreement ▸draft", "expected an operator before `draft`", None),
    ("'a' ▸'b'", "expected an operator between two texts", "join them with `+`"),
    ("agreement ▸not 1", "expected an operator before `not`", None),
    ("1 + ▸not done", "expected a value after `+`", "write `(not ...)`"),
    ("done is not ▸not None", "expected a value after `is not`", "write `(not ...)`"),
    ("▸(1 + 2", "this `(` is never closed", None),
    ("(1 + 2▸]", "this `]` closes a `(`", None),
    ("1▸)", "this `)` closes nothing", None),
    ("1 ▸if done", "this `if` has no `else`", "write `THIS if CONDITION else THAT`"),
    ("(1 ▸if done) else 2", "this `if` has no `else`", "write `THIS if CONDITION else THAT`"),
    ("1 ▸else 2", "this `else` has no `if`", "write `THIS if CONDITION else THAT`"),
    (
        "1 if done ▸if done else 2 else 3",
        "an `if` between another and its `else`",
        "put brackets around one",
    ),
    ("draft.▸(text)", "expected the name of a field after `.`", None),
    ("draft.▸None", "expected the name of a field after `.`", None),
    # Numbers and texts
    ("▸1_000", "`1_000` is neither a number nor a name", None),
    ("▸0x10", "`0x10` is neither a number nor a name", None),
    ("▸1j", "`1j` is neither a number nor a name", None),
    ("▸1if done else 2", "`1if` is neither a number nor a name", None),
    ("▸007", "`007`: numbers are written without zeros in front", None),
    ("▸9007199254740993", "whole numbers are at most 9,007,199,254,740,992 here", None),
    ("▸1e999", "`1e999` is too large for a number", None),
    ("▸'abc", "this text has no end", "close it with '"),
    ('▸"a\n"', "this text has no end", 'close it with "'),
    (r"'a▸\d'", r"`\d` is no escape; there are: \\ \' \" \n \r \t", r"for a backslash itself write `\\d`"),
    ("'a▸\ud800'", "the character U+D800 cannot stand in a text", None),
    ("'a▸\0'", "the character U+0000 cannot stand in a text", None),
    # Letters that look like others
    ("agreement▸\0 > 1", "the character U+0000 cannot stand in an expression", None),
    (
        "▸аgreement > 1",
        "`а` (CYRILLIC SMALL LETTER A) cannot stand in an expression; names are made of the letters a to z, "
        "digits and _",
        None,
    ),
    (
        "draft.▸ｔext",
        "`ｔ` (FULLWIDTH LATIN SMALL LETTER T) cannot stand in an expression; names are made of the letters a to z, "
        "digits and _",
        "write `t`",
    ),
    (
        "agreement ▸≥ 1",
        "`≥` (GREATER-THAN OR EQUAL TO) cannot stand in an expression; names are made of the letters a to z, digits "
        "and _",
        "write `>=`",
    ),
    ("agreement▸\u00a0> 1", "the character NO-BREAK SPACE cannot stand in an expression", None),
    ("agreement▸\u200b> 1", "the character ZERO WIDTH SPACE cannot stand in an expression", None),
    ("\n  'éé' ==\n  ▸agreement", "expected a text, but `agreement` is a number", None),
]


@pytest.mark.parametrize(("marked", "message", "hint"), REFUSED)
def test_a_mistake_is_told_with_its_place_what_was_expected_and_a_hint(
    marked: str, message: str, hint: str | None
) -> None:
    error = refusal(marked.replace("▸", ""))
    assert error.offset == marked.index("▸")
    assert error.message == message
    assert error.hint == hint


def test_an_expression_is_a_text() -> None:
    assert refusal(["done"]).message == "expected an expression, a text, but got list"
    assert refusal(0.8).message == "expected an expression, a text, but got float"


def test_where_no_names_are_known_the_message_says_so() -> None:
    with pytest.raises(ExpressionError, match="no name `draft` here; there are none"):
        Expression.of("draft").check({})


def test_a_long_part_is_cut_short_in_messages() -> None:
    error = refusal(f"-('{'a' * 100}')")
    assert error.message == f"expected a number, but `'{'a' * 59} ...` is a text"


def test_the_error_is_the_callers_and_shows_the_hint() -> None:
    error = refusal("drafs")
    assert isinstance(error, InvalidInputError)
    assert str(error) == f"{error.message}; did you mean `drafts`?"


def test_names_that_expressions_can_use_are_ascii_and_no_words_of_python() -> None:
    assert [name for name in ("draft", "draft_2", "_x", "len", "match") if is_name(name)] == [
        *("draft", "draft_2", "_x", "len", "match")
    ]
    refused = [
        "",
        "2x",
        "a-b",
        "a b",
        "é",
        "ｘ",
        "__x",
        "class",
        "None",
        "true",
        "false",
        "none",
        "not",
        "x\n",
    ]
    assert [name for name in refused if is_name(name)] == []
