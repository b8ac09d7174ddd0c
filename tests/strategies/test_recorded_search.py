"""Tree of Thoughts over the recorded search of GPT-4 in the Game of 24: it picks what was picked there."""

from collections import Counter
from pathlib import Path

import pytest
from strategies.game24_trace import (
    VOTES,
    WEIGHTS,
    calls_of,
    costs_of,
    played,
    problem_of,
    program,
    replies_of,
    rows_of,
    screened,
    solved,
    votes_for,
)

from orchestrator.types import Candidate, Sample, Usage
from orchestrator.verifiers import ArithmeticTarget

ROWS = rows_of(Path(__file__).parent.parent / "data" / "game24_tree.jsonl.gz")
NOT_BLANK = r"(?m)^(.*\S.*)$"

BLANK_LINES = {"902": 3, "906": 3, "972": 3}
"""Where the record kept a blank line of a reply as a thought: the steps by puzzle, from 0."""


def row_of(number):
    return next(row for row in ROWS if str(row["id"]) == number)


def recorded_states(row):
    """What the record went on from, in order, and its final states."""
    return [s.strip() for step in row["steps"] for s in step["beam_in"]], [s.strip() for s in row["final"]]


def states(player, outcome):
    """The same of a search: in the order of the expansions, whenever their calls were made."""
    expanded = [player.asked[number] for number in sorted(player.asked)]
    return expanded, [state.strip() for state in outcome.detail["kept"]]


async def is_right(row, answer):
    candidate = Candidate(sample=Sample(text="" if answer is None else answer.text), answer=answer)
    [score] = await ArithmeticTarget().score(None, problem_of(row), [candidate])
    return score.value == 1.0


def test_the_record_is_consistent():
    for row in ROWS:
        for step in row["steps"]:
            best = sorted(range(len(step["values"])), key=step["values"].__getitem__, reverse=True)[:5]
            assert step["selected"] == [step["candidates"][at] for at in best]
            assert sum(len(lines) for _, lines in replies_of(step)) == len(step["candidates"])
    assert sum(any(row["correct"]) for row in ROWS) == 69


def test_a_value_is_the_sum_of_the_votes_that_are_played_for_it():
    values = {value for row in ROWS for step in row["steps"] for value in step["values"]}
    for value in values:
        votes = votes_for(value)
        assert len(votes) == VOTES
        assert sum(WEIGHTS.get(vote, 0.0) for vote in votes) == pytest.approx(value)


async def test_all_400_steps_pick_the_recorded_states_and_69_puzzles_are_solved():
    number, chosen, calls, sums = 0, 0, Counter(), Counter()
    for row in ROWS:
        player, outcome = await played(row, program())
        assert states(player, outcome) == recorded_states(row), row["id"]
        assert player.missing == []
        number += solved(row, outcome.detail["kept"])
        chosen += await is_right(row, outcome.answer)
        calls.update(player.calls)
        sums.update(states=outcome.detail["nodes"], expansions=outcome.detail["expansions"])
    assert number == 69
    assert chosen == 65  # of the five states kept, the first with the highest value
    assert sums == {"states": 8412, "expansions": 1600}
    assert calls == {"propose": 1438, "answer": 162, "value": 7050, "last": 156, "finish": 25}


@pytest.mark.parametrize("number", BLANK_LINES)
async def test_without_blank_lines_as_thoughts_only_the_last_step_of_three_puzzles_differs(number):
    row = row_of(number)
    player, outcome = await played(row, program(thought=NOT_BLANK))
    expanded, kept = states(player, outcome)
    recorded, final = recorded_states(row)
    assert expanded == recorded
    parents = {state.strip() for state in row["steps"][3]["beam_in"]}
    assert [state for state in kept if state in final] == [state for state in final if state not in parents]
    assert parents.isdisjoint(kept)
    assert not solved(row, kept)
    assert not any(row["correct"])


def test_no_other_step_of_the_record_has_a_blank_line():
    blank = {
        (str(row["id"]), at)
        for row in ROWS
        for at, step in enumerate(row["steps"])
        for _, lines in replies_of(step)
        if not all(line.strip() for line in lines)
    }
    assert blank == set(BLANK_LINES.items())


async def test_a_rule_before_the_judge_solves_as_many_with_a_fifth_of_its_calls():
    costs = costs_of(ROWS)
    assert costs.fit[0] > 0.9999  # so the calls of the record are known
    assert costs.fit[1] > 0.94
    recorded = Counter()
    for made in calls_of(ROWS):
        recorded.update(made)
    assert {kind: recorded[kind] for kind in ("propose", "answer", "value", "last")} == {
        **{"propose": 1438, "answer": 162},
        **{"value": 2667, "last": 279},  # of prompts that were new in the whole run
    }
    number, chosen, missing, usage, calls, visited = 0, 0, 0, Usage(), Counter(), 0
    for row in ROWS:
        player, outcome = await played(row, screened(), costs)
        number += solved(row, outcome.detail["kept"])
        chosen += await is_right(row, outcome.answer)
        missing += len(player.missing)
        usage += outcome.usage
        visited += outcome.detail["nodes"]
        calls.update(player.calls)
    assert (number, chosen) == (69, 69)
    assert visited == 2912  # of 8412
    assert calls == {"propose": 527, "answer": 162, "value": 486, "last": 116, "finish": 25}
    assert missing == 76  # states that the recorded search did not go on from: these calls failed
    assert usage.requests == calls.total()
    spent = sum(row["prompt_tokens"] for row in ROWS), sum(row["completion_tokens"] for row in ROWS)
    assert spent == (1_387_936, 547_859)
    assert usage.prompt_tokens < 0.3 * spent[0]
    assert usage.completion_tokens < 0.25 * spent[1]
