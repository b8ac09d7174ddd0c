from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import extract as reference

from orchestrator import _core

KINDS = ["auto", "number", "math", "choice", "boolean", "date", "text", "code"]
pieces = st.lists(st.sampled_from(["\\boxed{", "{", "}", "7", "ab ", " ", "\n", "x"]), max_size=16).map(
    "".join
)
tagged = st.lists(st.sampled_from(["<think>", "</think>", "<", "text ", "5"]), max_size=8).map("".join)
elements = st.lists(st.sampled_from(["<a>", "</a>", "<A x=1>", "</ab>", "<", "7", " "]), max_size=10).map(
    "".join
)
anything = st.text(st.characters(), max_size=60)  # lone surrogates and NULs among them


@given(text=pieces)
def test_the_box_that_closes_last_is_the_answer(text: str) -> None:
    expected = reference.last_box(text)
    found = _core.extract(text, kind="text", truncated=True)
    if expected is None:
        assert found is None
    else:
        key = _core.normalize(expected, kind="text")
        assert found is None if key == "t:" else (found is not None and found[1] == key)


@given(text=tagged)
def test_only_what_follows_thinking_counts(text: str) -> None:
    assert _core.after_thinking(text) == reference.after_thinking(text)


@given(text=elements, open_end=st.booleans())
def test_the_last_element_is_the_innermost_that_closes_last(text: str, open_end: bool) -> None:
    found = _core.last_element(text, name="a", open_end=open_end)
    assert found == reference.last_element(text, "a", open_end=open_end)


@given(before=st.integers(0, 1100), after=st.integers(0, 1100))
def test_a_letter_alone_is_found_wherever_it_stands(before: int, after: int) -> None:
    text = "ab " * (before // 3) + "(C)" + " xy" * (after // 3) + "." * (after % 3)
    assert _core.extract_keys([text], kind="choice") == ["c:C"]


@given(text=anything, kind=st.sampled_from(KINDS), truncated=st.booleans())
def test_no_text_fails(text: str, kind: str, truncated: bool) -> None:
    found = _core.extract(text, kind=kind, truncated=truncated)
    assert found is None or (len(found[1]) > 2 and found[2] in KINDS)


@given(texts=st.lists(st.none() | anything, max_size=6), kind=st.sampled_from(KINDS))
def test_a_batch_reads_like_one_text_after_another(texts: list[str | None], kind: str) -> None:
    one_by_one = [None if text is None else _core.extract(text, kind=kind, truncated=False) for text in texts]
    assert _core.extract_keys(texts, kind=kind) == [found and found[1] for found in one_by_one]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udcff 5", "\x01\x02 7", "é" * 1000])
def test_odd_characters_come_back_as_they_were(text: str) -> None:
    found = _core.extract(f"Answer: {text}", kind="text", truncated=False)
    assert found is not None
    assert found[0] == text


def test_bytes_are_not_text() -> None:
    with pytest.raises(TypeError):
        _core.extract_keys([b"5"], kind="auto")  # type: ignore[list-item]
