"""LoopDetector finds what its definition says, in whatever pieces the text comes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.repetition import first_loop

from orchestrator._core import LoopDetector
from orchestrator.errors import InvalidInputError

BLOCKS = st.text(alphabet="ab é", max_size=4)
TEXTS = st.lists(st.tuples(BLOCKS, st.integers(1, 12)), max_size=5).map(
    lambda parts: "".join(block * times for block, times in parts)
)


@settings(max_examples=150)
@given(
    text=TEXTS,
    repeats=st.integers(2, 5),
    least=st.integers(1, 20),
    longest=st.integers(1, 9),
    cuts=st.lists(st.integers(1, 7), min_size=1, max_size=4),
)
def test_it_finds_the_loop_of_the_definition_in_pieces_of_any_size(text, repeats, least, longest, cuts):
    detector, found, at, turn = LoopDetector(repeats=repeats, least=least, longest=longest), None, 0, 0
    while found is None and at < len(text):
        size, turn = cuts[turn % len(cuts)], turn + 1
        found, at = detector.add(text[at : at + size]), at + size
    assert found == first_loop(text, repeats=repeats, least=least, longest=longest)


@settings(max_examples=60)
@given(block=st.text(alphabet="abc", min_size=1, max_size=150), before=st.text(alphabet="abc", max_size=200))
def test_long_blocks_are_found_at_the_byte_that_completes_the_loop(block, before):
    text = before + block * (-(-300 // len(block)) + 3)
    limits = {"repeats": 3, "least": 140, "longest": 160}
    assert LoopDetector(**limits).add(text) == first_loop(text, **limits) != None  # noqa: E711


def test_a_long_text_with_no_loop_is_forgotten_but_for_its_end():
    detector = LoopDetector(repeats=3, least=30, longest=50)
    assert detector.add(" ".join(str(number) for number in range(20_000))) is None
    assert detector.add("ab" * 14) is None
    assert detector.add("ab") == (2, 30)


@pytest.mark.parametrize("wrong", [{"repeats": 1}, {"least": 0}, {"longest": 0}, {"longest": 65537}])
def test_limits_out_of_their_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        LoopDetector(**{"repeats": 3, "least": 10, "longest": 10, **wrong})
