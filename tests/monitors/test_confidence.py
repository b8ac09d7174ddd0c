import math

import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.monitors import ConfidenceFloor, monitoring
from orchestrator.types import Chunk, TokenLogprob


def chunk(*nats, end=None):
    """Tokens with these confidences; None has no top log-probability."""
    tokens = tuple(
        TokenLogprob(token="t", logprob=-1.0, top=() if value is None else (("t", -value),)) for value in nats
    )
    return Chunk(text="t" * len(nats), logprobs=tokens or None, finish_reason=end)


def fed(floor, *chunks):
    """Where the watch ended it, and why; None for never."""
    watch = floor.watch()
    for at, piece in enumerate(chunks):
        if (reason := watch.feed(piece)) is not None:
            return at, reason
    return None


def test_a_sample_is_cut_when_a_group_of_its_tokens_is_below_the_threshold():
    floor = ConfidenceFloor(threshold=2.0, window=2)
    assert fed(floor, chunk(3), chunk(2), chunk(2), chunk(1), chunk(9)) == (
        3,
        "group confidence 1.5 below 2",
    )
    assert fed(floor, chunk(3), chunk(1), chunk(3)) is None  # means of exactly 2


def test_nothing_is_cut_before_a_whole_window_is_written():
    floor = ConfidenceFloor(threshold=2.0, window=3)
    assert fed(floor, chunk(1), chunk(1)) is None
    assert fed(floor, chunk(1), chunk(1), chunk(1)) == (2, "group confidence 1 below 2")


def test_how_tokens_come_in_chunks_does_not_change_whether_it_is_cut():
    floor = ConfidenceFloor(threshold=2.0, window=2)
    assert fed(floor, chunk(3, 1, 2, 9, 9)) == (0, "group confidence 1.5 below 2")
    assert fed(floor, chunk(3), chunk(), chunk(1, 2), chunk(9, 9)) == (2, "group confidence 1.5 below 2")


def test_the_chunk_a_sample_ends_with_does_not_cut_it():
    floor = ConfidenceFloor(threshold=2.0, window=2)
    assert fed(floor, chunk(3), chunk(0, end="stop")) is None
    assert fed(floor, chunk(3), chunk(0), chunk(end="stop")) == (1, "group confidence 1.5 below 2")


def test_a_sample_with_a_token_that_cannot_be_measured_goes_on():
    floor = ConfidenceFloor(threshold=2.0, window=2)
    assert fed(floor, chunk(1), chunk(None), chunk(1), chunk(1)) is None
    assert fed(floor, Chunk(text="no log-probabilities"), Chunk(text="at all")) is None


def test_every_choice_is_watched_by_itself_and_drawn_with_the_top_log_probabilities():
    watch = monitoring([ConfidenceFloor(threshold=2.0, window=2, top=5)])
    assert watch.logprobs == 5
    one, other = watch(), watch()
    assert one.feed(chunk(1)) is None
    assert other.feed(chunk(1)) is None
    assert one.feed(chunk(1)) == "confidence_floor: group confidence 1 below 2"


@pytest.mark.parametrize("wrong", [{"threshold": -1.0}, {"threshold": math.nan}, {"window": 0}, {"top": 0}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        ConfidenceFloor(**{"threshold": 1.0, **wrong})
