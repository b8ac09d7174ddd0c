"""What an earlier run's journal says about a program's parts: every call is shown at exactly one of them."""

import asyncio
import math
import tempfile
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from primitives.playing import PROBLEM
from primitives.random_programs import programs, saying

from orchestrator import Controller, Model, Problem, load
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import prompt_text
from orchestrator.costs import FREE, Cost, Spending
from orchestrator.errors import BackendError
from orchestrator.programs.expected import Expected, RecordedCall, shares
from orchestrator.programs.explaining import rows
from orchestrator.runtime.earlier import EarlierRun

CASES = [
    case
    for module in sorted((Path(__file__).parents[1] / "strategies").glob("cases_*.py"))
    for case in import_module(f"strategies.{module.stem}").CASES
]
FIGURES = ("calls", "prompt_tokens", "completion_tokens", "usd")

COMPOSED = """\
version: 1
models: {small: {local: smollm2-135m-instruct}}
verifiers: {strict: {judge: {max_tokens: 5}}}
program:
  steps:
    - {id: drafts, sample: {n: 2, max_tokens: 5}}
    - {id: judged, score: {of: drafts, by: strict}}
    - let: {best: judged.best}
    - id: loop
      repeat:
        max: 3
        steps:
          - {id: better, revise: {of: best, max_tokens: 6}}
          - {id: review, score: {of: better, by: strict}}
          - set: {best: better}
    - id: pieces
      for_each:
        in: "['a', 'b']"
        as: piece
        steps: [{id: part, sample: {n: 1, prompt: "{{ piece }}", max_tokens: 4}}]
    - id: sides
      parallel:
        left: [{id: one, sample: {n: 1, max_tokens: 3}}]
        right: [{id: two, self_consistency: {n: 3, stop: fixed_size, max_tokens: 3}}]
    - id: last
      cascade:
        tiers:
          - {self_consistency: {n: 2, stop: fixed_size, max_tokens: 2}, accept: agreement >= 1}
          - {single: {max_tokens: 2}}
    - {id: sample_a, sample: {n: 1, max_tokens: 2}}
    - return:
        vote:
          of: [judged, pieces.each.part, sides.left.one, sides.right.two, last, sample_a, loop.review.candidate]
"""


async def recorded(program, problems, reply, journal, *, models=("m",), kind="number"):
    """What the program can cost on the first problem, and what a run of all of them has left in the journal."""
    backends = {
        name: Model(
            backend=ScriptedBackend(reply, name=name, price={"input": 1, "output": 2}),
            sampling={"max_tokens": 64},
            retry=RetryPolicy(attempts=1),
        )
        for name in models
    }
    async with Controller(models=backends, answers=AnswerReader(kind=kind), journal=journal) as controller:
        spending = await controller.costing(problems[0]).program(program)
        for problem in problems:
            with suppress(BackendError):
                await controller.run(program, problem)
    with EarlierRun(journal) as earlier:
        return spending, earlier.expected()


def summed(costs):
    return sum((cost for cost in costs if cost is not None), FREE)


def assert_alike(one, other):
    for figure in FIGURES:
        assert getattr(one, figure) == pytest.approx(getattr(other, figure)), figure


def assert_within_worst_cases(spending, expected):
    for row in rows(spending, expected):
        if row.expected is not None:
            for figure in FIGURES:
                most = getattr(row.spending.worst, figure)
                assert getattr(row.expected, figure) <= most * (1 + 1e-9), (row.path, figure)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_every_call_of_a_strategy_is_shown_once_and_within_the_worst_case_of_its_part(case, tmp_path):
    journal = tmp_path / "run.db"
    spending, expected = await recorded(
        case.program, [case.problem], case.reply, journal, models=case.models, kind=case.kind
    )
    assert expected.calls
    assert_alike(summed(shares(spending, expected.calls)), summed(call.cost for call in expected.calls))
    assert_within_worst_cases(spending, expected)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.integers(0, 2**32), st.sampled_from([0.0, 0.2]))
def test_every_call_of_a_random_program_is_shown_once_and_within_the_worst_case_of_its_part(
    program, seed, failing
):
    with tempfile.TemporaryDirectory() as folder:
        spending, expected = asyncio.run(
            recorded(program, [PROBLEM], saying(seed, failing=failing), Path(folder) / "run.db")
        )
    assert_alike(summed(shares(spending, expected.calls)), summed(call.cost for call in expected.calls))
    assert_within_worst_cases(spending, expected)


async def test_steps_in_loops_lists_blocks_and_programs_inside_each_show_their_own_calls(tmp_path):
    file = tmp_path / "program.yaml"
    file.write_text(COMPOSED)
    turns = iter(range(1000))

    def reply(request):
        if "agree" in prompt_text(request):
            return "no"
        return f"{next(turns)}"

    problems = [Problem(id="a", prompt="2 + 2?"), Problem(id="b", prompt="3 + 3?")]
    spending, expected = await recorded(load(file), problems, reply, tmp_path / "run.db", models=("small",))
    table = {row.path: row for row in rows(spending, expected)}
    found = {path: row.expected.calls for path, row in table.items() if row.expected is not None}
    assert found["drafts"] == 2
    assert found["#judged"] == found["#judged/judge"] == 2
    assert found["#loop"] == 6
    assert found["#loop/better"] == found["#loop#review/judge"] == 3
    assert found["#pieces/pieces-*"] == found["#pieces/pieces-*/part"] == 2
    assert found["#sides/left/one"] == 1
    assert found["#sides/right/two"] == found["#sides/right/two#answers"] == 3
    assert found["last"] == 3
    assert (found["last/tier0"], found["last/tier1"]) == (2, 1)
    assert found["sample_a"] == 1
    assert found[""] == sum(call.cost.calls for call in expected.calls) / 2 == 20
    assert_alike(
        summed(row.own for row in table.values()),
        summed(call.cost for call in expected.calls).times(1 / 2),
    )
    for path, row in table.items():
        assert row.expected is None or row.expected.calls == row.spending.worst.calls, path


def part(label, *parts, on_branch=True):
    worst = Cost(calls=math.inf)
    return Spending(label=label, kind="step", worst=worst, parts=parts, on_branch=on_branch)


def counts(spending, *paths):
    calls = [RecordedCall(problem="p", path=path, cost=Cost(calls=1)) for path in paths]
    return [None if cost is None else cost.calls for cost in shares(spending, calls)]


def test_a_verifier_that_is_asked_twice_has_its_branches_in_turn():
    program = part("steps", part("drafts"), part("judge"), part("better"), part("judge"))
    first, second = "judge-0123456789ab", "judge-ba9876543210"
    straight = ("drafts", f"{first}/aaaaaaaaaa", f"{first}/bbbbbbbbbb", "better", f"{second}/cccccccccc")
    assert counts(program, *straight) == [0, 1, 2, 1, 1]
    again = ("drafts~2", "judge-000000000000/a", "better~2", f"{first}~2/a")
    assert counts(program, *straight, *again) == [0, 2, 3, 2, 2]
    assert counts(program, "drafts", "better", f"{second}/a") == [0, 1, 0, 1, 1]


def test_the_very_label_goes_before_a_number_behind_a_shorter_one():
    program = part("steps", part("draft"), part("draft2"), part("item-*"))
    assert counts(program, "draft2", "draft~3", "item-1", "item-12") == [0, 1, 1, 2]


def test_numbered_nodes_of_a_search_are_passed_over_and_what_is_not_known_stays_where_it_was_made():
    program = part("mcts", part("steps", on_branch=False), part("rollout"), part("regex"))
    assert counts(program, "search/0", "search/0/rollout1", "search/12/rollout0", "elsewhere") == [0, 2, 2, 0]


def test_parts_that_draw_on_one_branch_are_not_told_apart():
    program = part(
        "critique_revise", part("draft", on_branch=False), part("critique"), part("revision", on_branch=False)
    )
    assert counts(program, "", "critique", "", "critique~2", "") == [3, None, 2, None]


def test_problems_without_calls_count_in_the_means(tmp_path):
    calls = [RecordedCall(problem="p", path="", cost=Cost(calls=3))]
    [row, _] = rows(part("steps", part("drafts")), Expected(calls=calls, problems=2))
    assert row.expected.calls == 1.5


def reached(flow, label, *parts):
    return replace(part(label, *parts, on_branch=False), flow=flow)


def told(program, *paths):
    """The calls of each part that is told apart from others, by its number."""
    return {at: calls for at, calls in enumerate(counts(program, *paths)) if calls is not None}


def arm(label, *parts):
    return part(label, *parts, on_branch=False)


def test_parts_of_one_label_in_blocks_of_which_one_is_made_are_not_told_apart():
    choice = reached("one", "if", arm("then", part("judge"), part("more")), arm("else", part("judge")))
    program = part("steps", part("drafts"), choice)
    #             0              1             2       3         4       5        6       7
    # steps, drafts, if, then, its judge and more, else, its judge
    assert told(program, "drafts", "judge-0123456789ab/aaaaaaaaaa") == {0: 0, 1: 1, 2: 1, 5: 0}


def test_a_block_that_may_not_be_made_leaves_parts_of_one_label_behind_it_open_and_not_those_before_it():
    choice = reached("one", "if", arm("then", part("judge")), arm("else"))
    assert told(part("steps", part("judge"), choice), "judge", "judge~2") == {
        0: 0,
        1: 1,
        2: 0,
        3: 0,
        4: 1,
        5: 0,
    }
    assert told(part("steps", choice, part("judge")), "judge") == {0: 1, 4: 0}
    rounds = part("steps", reached("rounds", "repeat", part("judge"), choice))
    assert told(rounds, "judge", "judge~2", "judge~3") == {0: 0, 1: 3, 6: 0}


def test_a_loop_has_its_first_part_again_before_one_of_that_label_outside():
    before = part("steps", part("judge"), reached("rounds", "repeat", part("judge"), part("better")))
    assert told(before, "judge", "judge~2", "better", "judge~3", "better~2") == {0: 0, 1: 1, 2: 0, 3: 2, 4: 2}
    behind = part("steps", reached("rounds", "repeat", part("better"), part("judge")), part("judge"))
    assert told(behind, "better", "judge", "better~2", "judge~2", "judge~3") == {0: 0, 1: 0, 2: 2, 3: 2, 4: 1}
    unsure = part("steps", reached("rounds", "repeat", part("judge"), part("better")), part("judge"))
    assert told(unsure, "judge", "better", "judge~2") == {0: 2, 3: 1}


def sides():
    return reached("together", "parallel", part("pro"), part("con"))


def test_blocks_side_by_side_have_their_branches_whichever_sends_first():
    program = part("steps", sides(), sides())
    # steps, parallel, pro, con, parallel, pro, con
    assert told(program, "con", "pro") == {0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 5: 0, 6: 0}
    assert told(program, "con", "pro", "con~2", "pro~2") == {0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 5: 1, 6: 1}
    assert told(program, "pro", "con", "pro~2", "con~2") == {0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 5: 1, 6: 1}


def test_a_block_that_makes_no_call_has_opened_its_branch():
    assert told(part("steps", sides(), sides()), "con", "pro~2", "con~2") == {
        0: 0, 1: 0, 2: 0, 3: 1, 4: 0, 5: 1, 6: 1,
    }  # fmt: skip


def test_blocks_side_by_side_in_a_loop_have_their_branches_in_each_round():
    before = part("steps", sides(), reached("rounds", "repeat", sides()))
    paths = ("con", "pro", "con~2", "pro~2", "pro~3", "con~3")
    assert told(before, *paths) == {0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 5: 0, 6: 2, 7: 2}
    both = part("steps", reached("rounds", "repeat", sides(), sides()))
    paths = ("con", "pro", "con~2", "pro~2", "con~3", "pro~3", "pro~4", "con~4")
    assert told(both, *paths) == {0: 0, 1: 0, 2: 0, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2}
