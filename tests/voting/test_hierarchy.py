from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import voting as reference

from orchestrator.errors import InvalidInputError
from orchestrator.voting import hierarchical_vote, tool_call_vote

LEVELS = (lambda pair: pair[0], lambda pair: pair[1])


def test_the_second_field_is_voted_on_among_those_that_agree_on_the_first() -> None:
    pairs = [("b", "9"), ("b", "9"), ("a", "1"), ("a", "2"), ("a", "2"), ("a", None), (None, "9")]
    vote = hierarchical_vote(pairs, LEVELS)  # the most frequent pair would be ("b", "9") or ("a", "2")
    assert (vote.item, vote.sample) == (("a", "2"), 3)
    assert [str(answer) for answer in vote.path] == ["a", "2"]
    assert (vote.share, vote.margin) == (pytest.approx(2 / 7), pytest.approx(1 / 7))
    assert (vote.tied, vote.abstentions, vote.decided) == (False, 2, True)
    assert [level.counts for level in vote.votes] == [(2, 4), (1, 2)]


keys = st.none() | st.sampled_from("ab")


@given(rows=st.lists(st.tuples(keys, keys, keys), max_size=12))
def test_levels_narrow_the_vote_down_as_defined(rows: list[tuple[str | None, ...]]) -> None:
    vote = hierarchical_vote(rows, [lambda row, at=at: row[at] for at in range(3)])
    path, alive = reference.hierarchical(rows, 3)
    assert [str(answer) for answer in vote.path] == path
    assert vote.share == pytest.approx(len(alive) / len(rows) if path else 0)
    assert vote.sample == (alive[0] if len(path) == 3 else None)


def test_a_level_nobody_can_read_leaves_the_path_so_far() -> None:
    vote = hierarchical_vote([("a", None), ("a", None), ("b", "1")], LEVELS)
    assert (vote.item, vote.sample, vote.decided) == (None, None, False)
    assert [str(answer) for answer in vote.path] == ["a"]
    assert vote.share == pytest.approx(2 / 3)
    assert vote.reason == "level 1: no readable answer in 2 samples"


def test_ties_on_any_level_are_reported_and_go_to_the_first_seen() -> None:
    vote = hierarchical_vote([("b", "1"), ("a", "2")], LEVELS)
    assert (vote.item, vote.tied, vote.margin) == (("b", "1"), True, 0.5)


def test_weights_and_thresholds_hold_on_every_level() -> None:
    pairs = [("a", "1"), ("a", "2"), ("b", "1")]
    assert hierarchical_vote(pairs, LEVELS, weights=[0.1, 0.2, 0.9]).item == ("b", "1")
    assert hierarchical_vote(pairs, LEVELS, threshold=0.6).reason.startswith(
        "level 1: the leader has a share"
    )
    assert hierarchical_vote(pairs, LEVELS, quorum=3).reason.startswith("level 1: 2 readable answers")


def test_no_items_have_no_winner_and_no_levels_no_vote() -> None:
    vote = hierarchical_vote([], LEVELS)
    assert (vote.item, vote.share, vote.reason) == (None, 0.0, "level 0: no readable answer in 0 samples")
    with pytest.raises(InvalidInputError, match="at least one level"):
        hierarchical_vote(["a"], [])
    with pytest.raises(InvalidInputError, match="2 weights for 1 items"):
        hierarchical_vote([("a", "b")], LEVELS, weights=[1, 2])
    with pytest.raises(InvalidInputError, match="weight"):
        hierarchical_vote([("a", "b")], LEVELS, weights=[math.nan])


def called(name: str, arguments: object) -> dict[str, object]:
    """An assistant's message as the OpenAI protocol writes it."""
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def test_tool_calls_agree_on_the_tool_before_the_arguments() -> None:
    calls = [
        called("search", '{"q": "a"}'),
        called("search", '{"q": "b", "k": 1.0}'),
        called("search", '{"k": 1, "q": "b"}'),
        called("fetch", '{"url": "x"}'),
        called("search", '{"q": '),
        None,
    ]
    vote = tool_call_vote(calls)
    assert vote.item is calls[1]
    assert [str(answer) for answer in vote.path] == ["search", '{"q": "b", "k": 1.0}']
    assert vote.votes[0].counts == (4, 1)
    assert vote.votes[1].counts == (1, 2)
    assert (vote.votes[1].abstentions, vote.abstentions) == (1, 2)
    assert vote.share == pytest.approx(2 / 6)


@pytest.mark.parametrize(
    "call",
    [
        called("add", '{"x": 1, "y": 2}'),
        called("add", {"y": 2, "x": 1}),
        called("add", '{"y": 2, "x": 1}')["tool_calls"],
        {"name": "add", "arguments": {"x": 1.0, "y": 2}},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "add", "input": {"x": 1, "y": 2}}]},
        'I will add them: {"name": "add", "arguments": {"x": 1, "y": 2e0}}',
    ],
)
def test_a_call_is_the_same_however_it_is_written(call) -> None:
    vote = tool_call_vote([{"name": "add", "arguments": '{"x":1,"y":2}'}, call, {"name": "sub"}])
    assert [level.counts for level in vote.votes] == [(2, 1), (2,)]


def test_calls_made_together_are_compared_whatever_their_order() -> None:
    first, second = {"name": "f", "arguments": "{}"}, {"name": "g", "arguments": ""}
    vote = tool_call_vote([[first, second], [second, first], [first]])
    assert [level.counts for level in vote.votes] == [(2, 1), (2,)]


@pytest.mark.parametrize(
    "call",
    [None, "no call", {}, [], {"role": "assistant", "content": "Hi"}, {"name": 3}, [1], {"function": None}],
)
def test_what_calls_no_tool_abstains(call) -> None:
    assert tool_call_vote([call]).reason == "level 0: no readable answer in 1 sample"


@pytest.mark.parametrize("arguments", ["[1]", "nope", float("nan"), {1, 2}, "{'q': 1}"])
def test_arguments_that_are_no_json_object_abstain(arguments: object) -> None:
    vote = tool_call_vote([called("f", arguments)])
    assert str(vote.path[0]) == "f"
    assert vote.reason == "level 1: no readable answer in 1 sample"
