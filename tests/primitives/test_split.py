import pytest
from hypothesis import given
from hypothesis import strategies as st
from primitives.programs import faults, made

from orchestrator.errors import InvalidInputError
from orchestrator.primitives import Return, Sample, Split
from orchestrator.primitives.split import pieces_of


def test_it_cuts_at_paragraphs_then_sentences_then_words():
    assert pieces_of("One two.\n\nThree four. Five.", size=12, most=9) == ["One two.", "Three four.", "Five."]
    assert pieces_of("one two three four", size=10, most=9) == ["one two", "three four"]
    assert pieces_of("abcdefghij", size=4, most=9) == ["abcd", "efgh", "ij"]


def test_a_short_text_is_one_piece_and_an_empty_one_none():
    assert pieces_of(" one ", size=10, most=1) == ["one"]
    assert pieces_of("  ", size=10, most=1) == []


def test_pieces_overlap_from_a_word_on():
    assert pieces_of("one two three four", size=10, overlap=5, most=9) == [
        "one two",
        "two three",
        "four",  # `three` would be six more
    ]


def test_they_grow_when_there_would_be_too_many():
    pieces = pieces_of("word " * 100, size=10, most=3)
    assert len(pieces) <= 3
    assert " ".join(pieces).split() == ["word"] * 100


@given(
    st.text(st.sampled_from("ab .\n!。é"), max_size=200),
    st.integers(2, 40),
    st.integers(1, 12),
    st.data(),
)
def test_all_of_the_text_is_in_at_most_so_many_pieces(text, size, most, data):
    overlap = data.draw(st.integers(0, size // 2))
    pieces = pieces_of(text, size=size, overlap=overlap, most=most)
    assert len(pieces) <= most
    kept = "".join("".join(pieces_of(text, size=size, most=most)).split())
    assert kept == "".join(text.split())
    assert all(piece in text for piece in pieces)
    if len(_cut_freely(text, size, overlap)) <= most:
        assert all(len(piece) <= size for piece in pieces)


def _cut_freely(text, size, overlap):
    return pieces_of(text, size=size, overlap=overlap, most=10_000)


async def test_its_value_is_the_list():
    steps = (
        Split(id="parts", text="problem.text", size=8),
        Sample(prompt="{{ parts | first }}"),
        Return(value="'4'"),
    )
    outcome, model = await made(*steps, script=["4"], outputs={"parts": "parts"})
    assert outcome.detail["outputs"] == {"parts": ["What is", "2 + 2?"]}
    assert model.requests[0].messages[0]["content"] == "What is"


def test_its_numbers_and_its_text_are_checked():
    with pytest.raises(InvalidInputError, match="overlap"):
        Split(text="problem.text", size=10, overlap=6)
    with pytest.raises(InvalidInputError, match="most"):
        Split(text="problem.text", most=0)
    [(place, message)] = faults(Split(id="a", text="3"), Return(value="a"))[:1]
    assert (place, message) == ("steps.0.split.text", "expected a text, but `3` is a number")
