"""Tree of Thoughts: what is asked, what is read, what is judged once, and what is gone on from."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import pytest
from search.scripted_trees import rows, said_in
from strategies.cases_tot import thinker
from strategies.conformance import Case, Models, Standstill, controller_of

from orchestrator import Controller, Model, Problem, StopReason, TreeOfThoughts, load
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import Scripted, prompt_text, tokens_of
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.prompts import Prompt
from orchestrator.search import Tree
from orchestrator.strategies import StepGenerator
from orchestrator.types import Score
from orchestrator.verifiers import ArithmeticReachable, Regex, Screen, StateValue, StateVote

NUMBER = AnswerReader(kind="number")
PROBLEM = Problem(id="p", prompt="What is 2 + 2?")


@dataclass(frozen=True)
class Table:
    """Looks a text's value up by its last line; notes what it was asked, call by call."""

    values: object
    asked: list
    name = "table"

    async def score(self, ctx, problem, candidates):
        self.asked.append([candidate.sample.text for candidate in candidates])
        return [Score(value=self.values.get(one.sample.text.strip().split("\n")[-1])) for one in candidates]


def table(**values):
    return Table(values, [])


@pytest.fixture
def trees(monkeypatch):
    """The trees of the searches that are begun, the last one last."""
    begun, search = [], TreeOfThoughts.search

    def noted(self, seed):
        state = search(self, seed)
        begun.append(state.tree)
        return state

    monkeypatch.setattr(TreeOfThoughts, "search", noted)
    return begun


async def run(program, script, *, problem=PROBLEM, answers=NUMBER, prompt=None):
    backend = ScriptedBackend(script)
    models = {"m": Model(backend=backend, retry=RetryPolicy(attempts=1))}
    async with Controller(models=models, answers=answers, prompt=prompt or Prompt()) as controller:
        return await controller.run(program, problem), backend


def asked(backend):
    return [prompt_text(request) for request in backend.requests]


def texts(tree: Tree) -> list[str]:
    return [tree.text(node) for node in range(1, len(tree))]


# Breadth first ------------------------------------------------------------------------------------------------


async def test_thoughts_are_proposed_judged_and_the_best_gone_on_from(trees):
    verifier = table(a=0.2, b=0.9, c=0.5, x=0.1, y=0.3, z=0.4, **{"Answer: 3": 0.4, "Answer: 4": 0.8})
    program = TreeOfThoughts(
        verifier=verifier,
        breadth=2,
        thoughts=3,
        max_steps=3,
        prompt="{{ problem }}|{{ n }}|{{ thoughts }}|{{ state }}",
        answer_prompt="answer|{{ thoughts }}",
        state=".+",
    )
    outcome, backend = await run(program, ["a\nb\nc", "x\ny", "z", "Answer: 3", "Answer: 4"])
    assert asked(backend) == [
        "What is 2 + 2?|3|(none yet)|What is 2 + 2?",
        "What is 2 + 2?|3|b|b",
        "What is 2 + 2?|3|c|c",
        "answer|c\nz",
        "answer|b\ny",
    ]
    assert verifier.asked == [
        ["a\n", "b\n", "c\n"],
        ["b\nx\n", "b\ny\n", "c\nz\n"],
        ["c\nz\nAnswer: 3", "b\ny\nAnswer: 4"],
    ]
    assert outcome.answer.text == "4"
    assert outcome.confidence == 0.8
    assert texts(trees[-1])[-2:] == ["c\nz\nAnswer: 3\n", "b\ny\nAnswer: 4\n"]
    assert outcome.stop_reason is StopReason.COMPLETE
    assert outcome.detail["nodes"] == 8
    assert outcome.detail["expansions"] == 5
    assert outcome.detail["complete"] == 2
    assert outcome.detail["depth"] == 3
    assert not outcome.detail["forced"]


async def test_a_state_that_is_there_twice_is_judged_once_and_is_worth_0(trees):
    verifier = table(a=0.4, b=0.3)
    await run(TreeOfThoughts(verifier=verifier, breadth=1, max_steps=2), ["a\nb\na", "Answer: 4"])
    assert verifier.asked[0] == ["a\n", "b\n"]
    assert [trees[-1].value(node) for node in (1, 2, 3)] == [0.4, 0.3, 0.0]


async def test_an_equal_solution_keeps_its_vote():
    program = TreeOfThoughts(verifier=Regex(pattern="."), max_steps=1, choose="vote", answer_prompt="?")
    outcome, _ = await run(program, ["The answer is 4.\nThe answer is 5.\nThe answer is 4."])
    assert outcome.answer.text == "4"
    assert outcome.detail["votes"] == [2, 1]


async def test_the_states_of_a_level_are_compared_by_one_call():
    replies = iter(["ONE\nTWO", "THREE", "FOUR", "Answer: 3", "Answer: 4"])

    def model(request):
        text = prompt_text(request)
        return f"The best choice is {text.count('Choice ')}" if "Choice 1" in text else next(replies)

    program = TreeOfThoughts(verifier=StateVote(votes=1), breadth=2, max_steps=3)
    outcome, backend = await run(program, model)
    votes = [text for text in asked(backend) if "Choice 1" in text]
    assert [[word in text for word in ("ONE", "TWO", "THREE", "FOUR")] for text in votes[:2]] == [
        [True, True, False, False],
        [True, True, True, True],
    ]
    assert len(votes) == 3
    assert outcome.answer.text == "4"
    assert outcome.confidence == 1.0


async def test_a_rule_before_the_judge_spares_its_calls_and_closes_what_it_refuses(trees):
    def model(request):
        text = prompt_text(request)
        if text.startswith("judge"):
            return "sure"
        if text.startswith("answer"):
            return "Answer: 4 * 6 = 24"
        return "4 + 6 = 10 (left: 10)\n4 * 6 = 24 (left: 24)"

    program = TreeOfThoughts(
        verifier=Screen(first=ArithmeticReachable(), then=StateValue(votes=1, template="judge {{ state }}")),
        prune=0.01,
        max_steps=2,
        state=r"left: ([^)]*)",
        solved="24",
        answer_prompt="answer {{ problem }}",
    )
    problem = Problem(id="p", prompt="4 6", tests="4 6")
    answers = AnswerReader(kind="text", pattern=r"Answer: (.*)")
    outcome, backend = await run(program, model, problem=problem, answers=answers)
    assert sum(text.startswith("judge") for text in asked(backend)) == 2
    assert "answer 4 6" in asked(backend)
    assert [trees[-1].closed(node) for node in (1, 2)] == [True, False]
    assert outcome.answer.text == "4 * 6 = 24"
    assert outcome.detail["kept"] == ["4 * 6 = 24 (left: 24)\nAnswer: 4 * 6 = 24\n"]


async def test_elsewhere_than_in_solved_states_the_last_step_asks_for_thoughts_too():
    program = TreeOfThoughts(
        verifier=Regex(pattern="."), max_steps=2, state=".+", solved="done", prompt="on", answer_prompt="end"
    )
    _, backend = await run(program, lambda request: "more\ndone" if prompt_text(request) == "on" else "5")
    assert asked(backend)[:3] == ["on", "on", "end"]


async def test_a_good_solution_ends_the_search():
    verifier = table(a=0.9, **{"The answer is 4.": 0.8})
    program = TreeOfThoughts(verifier=verifier, threshold=0.8, max_steps=5)
    outcome, backend = await run(program, ["a\nThe answer is 4.", "never"])
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.DECIDED
    assert len(backend.requests) == 1


async def test_where_no_solution_has_an_answer_the_best_state_is_finished():
    verifier = table(a=0.9, b=0.1)
    program = TreeOfThoughts(verifier=verifier, max_steps=2, prune=0.95)
    outcome, backend = await run(program, ["a\nb", "so it is 4"])
    assert said_in(backend.requests[-1]) == "a\n"
    assert outcome.answer.text == "4"
    assert outcome.detail["forced"]


async def test_the_runs_system_message_is_kept_and_its_template_puts_the_problem():
    prompt = Prompt(system="Be brief.", template="Compute: {{ problem }}")
    program = TreeOfThoughts(verifier=Regex(pattern="."), max_steps=1, answer_prompt="{{ problem }}")
    _, backend = await run(program, ["The answer is 4."], prompt=prompt)
    assert asked(backend) == ["Be brief.\nCompute: What is 2 + 2?"]


# Depth first --------------------------------------------------------------------------------------------------


async def test_depth_first_goes_into_the_best_and_back_when_it_ends():
    replies = {"(none yet)": "a\nb\nc", "b": "x\ny", "b\ny": "Answer: 3", "a": "z", "a\nz": "Answer: 4"}
    verifier = table(a=0.5, b=0.9, c=0.1, x=0.1, y=0.6, z=0.7, **{"Answer: 3": 0.2, "Answer: 4": 0.9})
    program = TreeOfThoughts(
        order="depth_first",
        verifier=verifier,
        prune=0.2,
        max_steps=3,
        prompt="{{ thoughts }}",
        answer_prompt="{{ thoughts }}",
    )
    outcome, backend = await run(program, lambda request: replies[prompt_text(request)])
    assert asked(backend) == ["(none yet)", "b", "b\ny", "a", "a\nz"]  # x and c are below 0.2
    assert outcome.answer.text == "4"
    assert "kept" not in outcome.detail


async def test_depth_first_is_bounded():
    program = TreeOfThoughts(
        order="depth_first", verifier=Regex(pattern="."), max_expansions=7, max_steps=50, prompt="on"
    )
    outcome, backend = await run(
        program, lambda request: "a\nb" if request.call.path != "finish" else "It is 4."
    )
    assert len(backend.requests) == program.most_calls == 8
    assert outcome.answer.text == "4"


# Reading thoughts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "thoughts"),
    [
        ("one\ntwo", ["one", "two"]),
        ("- one\n* two\n• three", ["one", "two", "three"]),
        ("1. one\n2) two\n(3) three", ["one", "two", "three"]),
        ("\n  one  \n\n\n two\n", ["one", "two"]),
        ("-1 + 4 = 3\n4 - 1 = 3\n1.5 + 2 = 3.5", ["-1 + 4 = 3", "4 - 1 = 3", "1.5 + 2 = 3.5"]),
        ("one\r\ntwo\r\n", ["one", "two"]),
        ("", [""]),
        ("\n\n", [""]),
        ("{{ problem }}", ["{{ problem }}"]),
        ("a" + " " * 20_000 + "b", ["a" + " " * 20_000 + "b"]),
        ("\n".join(f"thought {number}" for number in range(500)), [f"thought {n}" for n in range(100)]),
    ],
)
async def test_each_line_is_a_thought_without_what_makes_it_an_entry_of_a_list(trees, reply, thoughts):
    program = TreeOfThoughts(verifier=Regex(pattern="."), max_steps=2, breadth=1, max_tokens=None)
    await run(program, lambda request: reply if request.call.path == "search/0" else "4")
    tree = trees[-1]
    assert [tree.spans[node] for node in tree.children(0)] == [f"{thought}\n" for thought in thoughts]


async def test_a_thought_may_be_what_a_pattern_says(trees):
    program = TreeOfThoughts(
        verifier=Regex(pattern="."), max_steps=2, thought=r"(?s)<plan>(.*?)</plan>", breadth=1
    )
    await run(program, ["Well: <plan>a\nb</plan> or <plan>c</plan>", "4"])
    assert texts(trees[-1])[:2] == ["a\nb\n", "c\n"]


async def test_the_last_thought_of_a_reply_that_was_cut_off_is_left_out(trees):
    reply = Scripted(text="first thought\nsecond thou", finish_reason="length")
    program = TreeOfThoughts(verifier=Regex(pattern="."), max_steps=2)
    await run(program, lambda request: reply if request.call.path == "search/0" else "4")
    assert [trees[-1].spans[node] for node in trees[-1].children(0)] == ["first thought\n"]


async def test_the_tokens_of_a_reply_are_shared_out_among_its_thoughts(trees):
    reply = "a\nb b b\nc c c c c c"
    program = TreeOfThoughts(verifier=Regex(pattern="."), max_steps=2, breadth=1)
    outcome, _ = await run(program, lambda request: reply if request.call.path == "search/0" else "Answer: 4")
    tree = trees[-1]
    assert sum(tree.tokens(node) for node in tree.children(0)) == len(tokens_of(reply))
    assert [tree.tokens(node) for node in tree.children(0)] == sorted(
        tree.tokens(node) for node in tree.children(0)
    )
    assert outcome.usage.completion_tokens == len(tokens_of(reply)) + len(tokens_of("Answer: 4"))


# Sampling thoughts --------------------------------------------------------------------------------------------


async def test_with_a_prompt_each_sample_is_one_thought(trees):
    replies = iter(["plan\none", "plan\ntwo", "plan\none", "Answer: 4"])
    program = TreeOfThoughts(
        generate="sample",
        thoughts=3,
        verifier=Regex(pattern="two"),
        breadth=1,
        max_steps=2,
        prompt="{{ problem }} Plan it.",
    )
    outcome, backend = await run(program, lambda request: next(replies))
    assert asked(backend)[0] == "What is 2 + 2? Plan it."
    assert [request.n for request in backend.requests] == [3, 1]
    assert [trees[-1].spans[node] for node in trees[-1].children(0)] == [
        *["plan\none\n", "plan\ntwo\n", "plan\none\n"]
    ]
    assert "plan\ntwo\n" in asked(backend)[1]
    assert outcome.answer.text == "4"


async def test_without_one_the_solution_is_continued_step_by_step():
    def model(request):
        return f"step {len(said_in(request))}" if request.stop else "so it is 4."

    program = TreeOfThoughts(
        generate="sample",
        thoughts=2,
        steps=StepGenerator(tokens=10, rest_tokens=10),
        verifier=Regex(pattern="."),
        breadth=1,
        max_steps=2,
    )
    outcome, backend = await run(program, model)
    assert [(said_in(request), request.n) for request in backend.requests] == [("", 2), ("step 0\n\n", 2)]
    assert outcome.answer.text == "4"


# Failures, and going on after them ----------------------------------------------------------------------------


async def test_a_judge_that_fails_leaves_the_level_in_its_order(trees):
    def model(request):
        text = prompt_text(request)
        if text == "judge":
            return BackendError("the judge is down")
        return "a\nb" if text == "on" else f"Answer: {4 if text == 'a' else 5}"

    program = TreeOfThoughts(
        verifier=StateValue(votes=1, template="judge{{ state }}", state="()"),
        breadth=1,
        max_steps=2,
        prompt="on",
        answer_prompt="{{ thoughts }}",
    )
    outcome, _ = await run(program, model)
    assert outcome.answer.text == "4"
    assert [trees[-1].value(node) for node in (1, 2)] == [None, None]
    assert outcome.detail["judged"] == 0


@pytest.mark.parametrize("order", ["breadth_first", "depth_first"])
@pytest.mark.parametrize("calls", [1, 4, 9, 20, 33])
async def test_a_search_killed_in_the_middle_goes_on_to_the_same_tree(tmp_path, trees, order, calls):
    program = TreeOfThoughts(
        order=order,
        width=3,
        max_expansions=8,
        verifier=StateValue(votes=2, max_tokens=10),
        breadth=3,
        max_steps=4,
        max_tokens=20,
        finish_tokens=20,
    )
    case = Case(name="tree_of_thoughts", program=program, reply=thinker, answer="4", calls=0)
    undisturbed = Models(case)
    async with controller_of(case, undisturbed) as controller:
        whole = await controller.run(program, case.problem)
    expected = rows(trees[-1])

    journal = str(tmp_path / "run.db")
    killed, standstill = Models(case, hanging_from=calls), Standstill(calls)
    killed.never = standstill
    async with controller_of(case, killed, journal=journal, events=standstill) as controller:
        task = asyncio.ensure_future(controller.run(program, case.problem))
        await standstill.reached.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    resumed = Models(case)
    async with controller_of(case, resumed, journal=journal, resume=True) as controller:
        again = await controller.run(program, case.problem)
    assert rows(trees[-1]) == expected
    assert again.answer == whole.answer
    assert again.detail == whole.detail
    assert resumed.calls == undisturbed.calls - calls  # what was answered before is not sent again


# Parameters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"breadth": 0}, "breadth"),
        ({"thoughts": 0}, "thoughts"),
        ({"max_steps": 0}, "max_steps"),
        ({"max_expansions": 0}, "max_expansions"),
        ({"width": 0}, "width"),
        ({"order": "best_first"}, "order"),
        ({"generate": "guess"}, "generate"),
        ({"threshold": 1.5}, "threshold"),
        ({"prune": -0.1}, "prune"),
        ({"prompt": "{{ answer }}"}, "prompt names {{ answer }}"),
        ({"answer_prompt": "{{ tests }}"}, "answer_prompt names {{ tests }}"),
        ({"state": "("}, "state"),
        ({"solved": "["}, "solved"),
        ({"thought": "*"}, "thought"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong, said):
    with pytest.raises(InvalidInputError, match=said):
        TreeOfThoughts(**wrong)


def test_the_formula_of_its_calls():
    assert TreeOfThoughts(breadth=5, max_steps=4).most_calls == 17
    assert TreeOfThoughts(breadth=5, max_steps=4).calls_at_once == 5
    depth_first = TreeOfThoughts(order="depth_first", max_expansions=30, width=2)
    assert (depth_first.most_calls, depth_first.calls_at_once) == (31, 2)


def test_it_is_built_from_a_file(tmp_path):
    (tmp_path / "file.yaml").write_text(
        """
version: 1
models: {m: {base_url: "http://127.0.0.1:1/v1", model: any}}
program:
  tree_of_thoughts:
    breadth: 3
    order: depth_first
    verifier:
      screen: {first: {arithmetic_reachable: {follow: true}}, then: {state_value: {votes: 1}}}
"""
    )
    assert load(str(tmp_path / "file.yaml")).strategy == TreeOfThoughts(
        model=None,
        breadth=3,
        order="depth_first",
        verifier=Screen(first=ArithmeticReachable(follow=True), then=StateValue(votes=1)),
    )


@pytest.mark.parametrize(
    ("settings", "longest"),
    [
        ({"max_tokens": 300}, 300),
        ({"max_tokens": None}, 1024),
        ({"generate": "sample", "steps": StepGenerator(tokens=40)}, 40),
        ({"generate": "sample", "prompt": "{{ state }}", "max_tokens": 32}, 32),
    ],
)
def test_what_ending_a_solution_may_take_is_reckoned_by_the_longest_thought(settings, longest):
    assert TreeOfThoughts(**settings).longest == longest
