"""Outcome and process reward models over HTTP, alone and under a strategy."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from faulty_server import FaultyServer
from reward_server import LLAMA_CPP, TEI, RewardServer

from orchestrator import BestOfN, Budget, Context, Controller, Model, Outcome, Problem, StopReason, load
from orchestrator.answers import AnswerReader
from orchestrator.backends import HttpBackend, RetryPolicy, ScriptedBackend
from orchestrator.errors import BudgetExceededError, InvalidInputError, ProgramFileError
from orchestrator.events import CallReplayed
from orchestrator.prompts import Prompt
from orchestrator.types import Candidate, Price, Sample, Score, Usage
from orchestrator.verifiers import REGISTRY, OutcomeRewardModel, ProcessRewardModel
from orchestrator.verifiers.rewards import reward
from orchestrator.verifiers.steps import aggregate, split_steps

NUMBER = AnswerReader(kind="number")
PROBLEM = Problem(id="p", prompt="What is 2 + 2?")


def is_four(text: str) -> float:
    """A reward that can be checked by eye."""
    return 0.9 if text.rstrip().endswith("4") else 0.2


def by_step(beginning: str) -> float:
    """The reward of a solution's beginning: 0.9, 0.5 when its last step is doubtful, 0.1 when it is wrong."""
    step = beginning.replace("<extra_0>", "\n").replace("ки", "").strip().splitlines()[-1]
    return 0.1 if "wrong" in step else 0.5 if "perhaps" in step else 0.9


class Judged:
    """A program that has texts scored once and keeps what came."""

    def __init__(self, verifier: Any, *texts: str) -> None:
        self.verifier, self.scores = verifier, list[Score]()
        self.candidates = [Candidate(sample=Sample(text=text), answer=None) for text in texts]

    async def __call__(self, ctx: Context, problem: Problem) -> Outcome:
        self.scores = await ctx.score(self.verifier, problem, self.candidates)
        return Outcome()

    @property
    def values(self) -> list[float | None]:
        return [None if score.value is None else round(score.value, 6) for score in self.scores]


async def judge(
    server: RewardServer, verifier: Any, *texts: str, problem: Problem = PROBLEM, **options: Any
) -> tuple[Judged, Outcome]:
    program = Judged(verifier, *texts)
    backend = HttpBackend(base_url=server.base_url, model="rm", price=options.pop("price", None))
    model = Model(backend=backend, retry=RetryPolicy(attempts=1))
    async with Controller(models={"rm": model}, **options) as controller:
        outcome = await controller.run(program, problem)
        assert controller.ledger.held == Usage()
    return program, outcome


# --- outcome reward models ----------------------------------------------------------------------------------


async def test_problem_and_solution_are_rated_together() -> None:
    async with RewardServer(reward=is_four) as server:
        judged, outcome = await judge(server, OutcomeRewardModel(), "It is 4", " It is 5\n", "It is 4")
    assert judged.values == [0.9, 0.2, 0.9]
    assert server.bodies == [
        {"model": "rm", "input": ["What is 2 + 2?\n\nIt is 4", "What is 2 + 2?\n\nIt is 5"]}
    ]
    assert outcome.usage.prompt_tokens == server.words_read


@pytest.mark.parametrize(
    "verifier", [OutcomeRewardModel(), ProcessRewardModel(convention="tagged"), OutcomeRewardModel(chat=True)]
)
async def test_the_question_is_rated_as_it_was_asked_columns_included(verifier: Any) -> None:
    problem = Problem(id="p", prompt="What is 2 + 2?", fields={"choices": "(A) 4 (B) 5"})
    async with RewardServer(reward=is_four) as server:
        prompt = Prompt(template="{{ problem }} {{ choices }}")
        await judge(server, verifier, "(A) 4", problem=problem, prompt=prompt)
    assert "What is 2 + 2? (A) 4 (B) 5" in str(server.bodies[0])


@pytest.mark.parametrize(
    ("verifier", "routes", "body"),
    [
        (
            OutcomeRewardModel(template="Q: {{ problem }} A: {{ solution }}"),
            {"/classify"},
            {"model": "rm", "input": ["Q: What is 2 + 2? A: 4"]},
        ),
        (
            OutcomeRewardModel(chat=True),
            {"/classify"},
            {
                "model": "rm",
                "messages": [
                    {"role": "user", "content": "What is 2 + 2?"},
                    {"role": "assistant", "content": "4"},
                ],
            },
        ),
        (
            OutcomeRewardModel(protocol="vllm_score"),
            {"/score"},
            {"model": "rm", "text_1": "What is 2 + 2?", "text_2": ["4"]},
        ),
        (
            OutcomeRewardModel(protocol="rerank"),
            LLAMA_CPP,
            {"model": "rm", "query": "What is 2 + 2?", "documents": ["4"]},
        ),
        (
            OutcomeRewardModel(
                protocol={"route": "/predict", "body": {"inputs": "{{ text }}"}, "scores": "[].score"}
            ),
            TEI,
            {"inputs": "What is 2 + 2?\n\n4"},
        ),
    ],
)
async def test_each_protocol_gets_problem_and_solution_its_own_way(
    verifier: OutcomeRewardModel, routes: set[str], body: dict[str, Any]
) -> None:
    async with RewardServer(reward=is_four, routes=routes) as server:
        judged, _ = await judge(server, verifier, "4")
    assert judged.values == [0.9]
    assert server.bodies == [body]


async def test_a_conversation_keeps_its_turns() -> None:
    turns = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2 + 2?"})
    async with RewardServer(reward=is_four) as server:
        await judge(server, OutcomeRewardModel(chat=True), "4", problem=Problem(id="p", messages=turns))
    assert server.bodies[0]["messages"] == [*turns, {"role": "assistant", "content": "4"}]


async def test_places_in_what_a_model_wrote_are_left_as_they_are() -> None:
    async with RewardServer(reward=is_four) as server:
        await judge(server, OutcomeRewardModel(), "{{ problem }} {{ texts }} 4")
    assert server.texts == ["What is 2 + 2?\n\n{{ problem }} {{ texts }} 4"]


async def test_raw_scores_become_rewards_by_the_activation() -> None:
    async with RewardServer(reward=is_four, raw=True) as server:
        judged, _ = await judge(server, OutcomeRewardModel(activation="sigmoid"), "4", "5")
        assert judged.values == [0.9, 0.2]
        with pytest.raises(InvalidInputError, match=r"gives 2\.19722, .* set activation to sigmoid"):
            await judge(server, OutcomeRewardModel(), "4")


@pytest.mark.parametrize(
    ("numbers", "activation", "label", "value"),
    [
        ([0.25], "identity", None, 0.25),
        ([0.25], "identity", 0, 0.25),
        ([0.25, 0.75], "identity", 1, 0.75),
        ([1.0000001], "identity", None, 1.0),
        ([-1e-9], "identity", None, 0.0),
        ([0.0], "sigmoid", None, 0.5),
        ([-1000.0], "sigmoid", None, 0.0),
        ([1000.0], "sigmoid", None, 1.0),
        ([0.0, math.log(3.0)], "softmax", 1, 0.75),
        ([1000.0, 1000.0], "softmax", 0, 0.5),
    ],
)
def test_what_a_model_gives_becomes_a_reward(numbers: Any, activation: Any, label: Any, value: float) -> None:
    assert reward(numbers, activation=activation, label=label) == pytest.approx(value)


@pytest.mark.parametrize(
    ("numbers", "activation", "label", "words"),
    [
        ([1.5], "identity", None, "gives 1.5, which is no reward in .0, 1.: set activation"),
        ([-0.1], "identity", None, "gives -0.1"),
        ([0.2, 0.8], "identity", None, r"gives 2 numbers: set label to the one .* \(0 to 1\)"),
        ([0.2, 0.8], "identity", 2, "label is 2, but the reward model gives 2 number"),
        ([0.2], "softmax", None, "softmax needs several classes"),
    ],
)
def test_what_cannot_be_a_reward_says_what_to_set(
    numbers: Any, activation: Any, label: Any, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        reward(numbers, activation=activation, label=label)


async def test_an_empty_text_is_an_abstention_and_costs_nothing() -> None:
    async with RewardServer(reward=is_four) as server:
        judged, _ = await judge(server, OutcomeRewardModel(), " \n", "4")
        nothing, outcome = await judge(server, OutcomeRewardModel(), "")
    assert judged.values == [None, 0.9]
    assert nothing.scores == [Score(value=None, reason="no text to score")]
    assert len(server.calls) == 1
    assert outcome.usage == Usage()


@pytest.mark.parametrize("score", [None, "0.5", math.nan, {}])
async def test_an_answer_that_is_no_score_is_an_abstention_with_the_reason(score: Any) -> None:
    reply = {"data": [{"index": 0, "score": score}]}
    async with RewardServer(reward=is_four, script=[(200, reply)]) as server:
        judged, outcome = await judge(server, OutcomeRewardModel(protocol="vllm_score"), "4")
    [abstained] = judged.scores
    assert abstained.value is None
    assert abstained.reason.startswith("the reward model failed: /score: a score that is not a number: ")
    assert outcome.usage.estimated  # the model may have done the work


async def test_one_failed_batch_is_an_abstention_on_its_texts_alone() -> None:
    script = [(500, {"error": "out of memory"}), None]
    async with RewardServer(reward=is_four, script=script) as server:
        judged, _ = await judge(server, OutcomeRewardModel(batch=2), "4", "5", "44", concurrency=1)
    assert judged.values == [None, 0.2, None]
    assert "out of memory" in judged.scores[0].reason


async def test_a_missing_route_says_how_to_start_the_server() -> None:
    async with RewardServer(reward=is_four, routes=()) as server:
        judged, _ = await judge(server, OutcomeRewardModel(), "4")
    assert (
        "was asked for /classify; start one that has it: vllm serve MODEL --runner pooling"
        in judged.scores[0].reason
    )


async def test_when_the_budget_allows_some_the_rest_are_abstentions() -> None:
    verifier = OutcomeRewardModel(batch=1)
    async with RewardServer(reward=is_four) as server:
        judged, outcome = await judge(server, verifier, "4", "5", budget=Budget(requests=1))
        assert judged.values == [0.9, None]
        assert "requests asked for" in judged.scores[1].reason
        assert outcome.stop_reason is StopReason.BUDGET
        with pytest.raises(BudgetExceededError):
            await judge(server, verifier, "4", budget=Budget(prompt_tokens=3))
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"protocol": "vllm"}, "no protocol 'vllm'"),
        ({"activation": "tanh"}, "activation must be one of identity, sigmoid, softmax"),
        ({"label": -1}, "label must be at least 0"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"template": "{{ problem }}"}, "template needs the place"),
        ({"template": "{{ solution }} {{ answer }}"}, "template needs the place"),
        ({"protocol": "rerank", "chat": True}, "chat is for vllm_classify and vllm_pooling"),
    ],
)
def test_an_outcome_reward_model_that_cannot_be_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        OutcomeRewardModel(**arguments)


# --- process reward models ----------------------------------------------------------------------------------

SOLUTION = "2 + 2 is a sum\n\nperhaps it is 5\n\nso it is 4"


async def test_qwen_reads_a_tag_after_each_step_and_the_last_steps_reward_counts() -> None:
    async with RewardServer(reward=by_step) as server:
        judged, outcome = await judge(server, ProcessRewardModel(), SOLUTION)
    [score] = judged.scores
    assert score.steps == pytest.approx((0.9, 0.5, 0.9))
    assert score.value == pytest.approx(0.9)
    assert server.bodies == [
        {
            "model": "rm",
            "input": [
                "<|im_start|>system\n"
                "Please reason step by step, and put your final answer within \\boxed{}.<|im_end|>\n"
                "<|im_start|>user\nWhat is 2 + 2?<|im_end|>\n"
                "<|im_start|>assistant\n"
                "2 + 2 is a sum<extra_0>perhaps it is 5<extra_0>so it is 4<extra_0><|im_end|>"
            ],
            "encoding_format": "float",
            "task": "token_classify",
        }
    ]
    assert outcome.usage.prompt_tokens == server.words_read


@pytest.mark.parametrize(
    ("aggregation", "value"), [("last", 0.9), ("min", 0.1), ("prod", 0.5 * 0.1 * 0.9), ("mean", 0.5)]
)
async def test_the_value_is_an_aggregation_of_the_steps(aggregation: Any, value: float) -> None:
    async with RewardServer(reward=by_step) as server:
        judged, _ = await judge(
            server, ProcessRewardModel(aggregation=aggregation), "perhaps\n\nwrong\n\nright"
        )
    assert judged.scores[0].value == pytest.approx(value)


async def test_raw_pairs_become_probabilities_by_softmax() -> None:
    async with RewardServer(reward=by_step, raw=True) as server:
        judged, _ = await judge(server, ProcessRewardModel(activation="softmax"), SOLUTION)
    assert judged.scores[0].steps == pytest.approx((0.9, 0.5, 0.9))


async def test_several_solutions_travel_together() -> None:
    async with RewardServer(reward=by_step) as server:
        judged, _ = await judge(server, ProcessRewardModel(batch=2), "right", "wrong", "right", "perhaps")
    assert judged.values == [0.9, 0.1, 0.9, 0.5]
    assert sorted(len(body["input"]) for body in server.bodies) == [1, 2]


async def test_a_solution_cannot_add_steps_by_writing_the_tag() -> None:
    async with RewardServer(reward=by_step) as server:
        judged, _ = await judge(server, ProcessRewardModel(), "wrong<extra_0>right\n\nright<extra_0>")
    assert judged.scores[0].steps == pytest.approx((0.1, 0.9))


async def test_another_number_of_scores_than_steps_is_an_abstention() -> None:
    reply = {"data": [{"index": 0, "data": [[0.2, 0.8]]}], "usage": {"prompt_tokens": 9}}
    async with RewardServer(reward=by_step, script=[(200, reply)]) as server:
        judged, _ = await judge(server, ProcessRewardModel(), "one\n\ntwo")
    assert judged.scores == [Score(value=None, reason="the reward model gave 1 scores for 2 steps")]


async def test_the_servers_own_template_gets_messages() -> None:
    async with RewardServer(reward=by_step) as server:
        judged, _ = await judge(server, ProcessRewardModel(chat=True), "right\n\nwrong")
    assert judged.scores[0].steps == pytest.approx((0.9, 0.1))
    [body] = server.bodies
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant"]
    assert body["messages"][-1]["content"] == "right<extra_0>wrong<extra_0>"
    assert "input" not in body


async def test_math_shepherd_tells_by_the_token_after_each_tag() -> None:
    verifier = ProcessRewardModel(convention="math-shepherd", aggregation="min")
    async with RewardServer(reward=by_step) as server:
        judged, outcome = await judge(
            server,
            verifier,
            "Step 1: right\nperhaps",
            "Step 1: right\nwrong ки",
            price=Price(input=1, output=10),
        )
    assert [score.steps for score in judged.scores] == [pytest.approx((0.9, 0.5)), pytest.approx((0.9, 0.1))]
    assert judged.values == [0.5, 0.1]
    first = "What is 2 + 2? Step 1: right ки"
    assert server.bodies == [
        {
            "model": "rm",
            "prompt": [first, f"{first}\nStep 2: perhaps ки", f"{first}\nStep 2: wrong ки"],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": 20,
        }
    ]
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens) == (server.words_read, 3)
    assert outcome.usage.picodollars == server.words_read + 3 * 10


async def test_a_failed_step_is_an_abstention_on_the_solutions_it_is_in() -> None:
    verifier = ProcessRewardModel(convention="math-shepherd", batch=1)
    script = [None, (500, {"error": "out of memory"}), None]
    async with RewardServer(reward=by_step, script=script) as server:
        judged, _ = await judge(server, verifier, "right\nwrong", "right\nperhaps", concurrency=1)
    assert judged.values == [0.1, None]


async def test_any_other_model_is_described_by_tag_template_and_route() -> None:
    verifier = ProcessRewardModel(
        convention="tagged",
        tag="<extra_0>",
        template="{{ problem }} | {{ solution }}",
        steps="lines",
        protocol={"route": "/pooling", "body": {"input": "{{ texts }}"}, "scores": "data[].data", "width": 2},
        label=1,
    )
    async with RewardServer(reward=by_step) as server:
        judged, _ = await judge(server, verifier, "right\nwrong")
    assert judged.scores[0].steps == pytest.approx((0.9, 0.1))
    assert server.bodies == [{"input": ["What is 2 + 2? | right<extra_0>wrong<extra_0>"]}]


@pytest.mark.parametrize(
    ("text", "how", "steps"),
    [
        ("a\nb\n\nc", "paragraphs", ["a\nb", "c"]),
        ("a\r\n\r\nb \n \t\n\n c\n\n", "paragraphs", ["a", "b", "c"]),
        ("a\n\nb\nc", "lines", ["a", "b", "c"]),
        (" \n\n", "paragraphs", []),
    ],
)
def test_a_solution_is_cut_into_steps(text: str, how: Any, steps: list[str]) -> None:
    assert split_steps(text, how) == steps


def test_the_steps_of_one_step_are_worth_that_step() -> None:
    assert {aggregate([0.25], how) for how in ("last", "min", "prod", "mean")} == {0.25}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"convention": "qwen"}, "convention must be one of qwen2.5-math-prm, math-shepherd, tagged"),
        ({"aggregation": "max"}, "aggregation must be one of last, min, prod, mean"),
        ({"steps": "words"}, "steps must be one of paragraphs, lines"),
        ({"tag": " "}, "tag must be a text"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"template": "{{ steps }}"}, "template needs the place"),
        ({"convention": "math-shepherd", "chat": True}, "chat is for models behind vLLM's /pooling"),
    ],
)
def test_a_process_reward_model_that_cannot_be_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        ProcessRewardModel(**arguments)


# --- under a strategy ---------------------------------------------------------------------------------------


def both(server: RewardServer, texts: Sequence[str]) -> dict[str, Any]:
    return {"m": ScriptedBackend(texts), "rm": HttpBackend(base_url=server.base_url, model="rm")}


@pytest.mark.parametrize("verifier", [OutcomeRewardModel(model="rm"), ProcessRewardModel(model="rm")])
async def test_best_of_n_answers_with_the_sample_a_reward_model_likes_best(verifier: Any) -> None:
    async with (
        RewardServer(reward=lambda text: is_four(text.removesuffix("<|im_end|>"))) as server,
        Controller(models=both(server, ["It is 3", "It is 4", "It is 3"]), answers=NUMBER) as controller,
    ):
        outcome = await controller.run(BestOfN(n=3, verifier=verifier, model="m"), PROBLEM)
        assert controller.ledger.held == Usage()
    assert outcome.answer is not None
    assert outcome.answer.text == "4"
    assert outcome.confidence == pytest.approx(0.9)
    assert outcome.detail["scored"] == 2
    assert len(server.calls) == 2  # equal texts are scored once
    assert outcome.usage.requests == 3 + 2


async def test_the_best_so_far_is_the_answer_when_the_budget_ends_the_scoring() -> None:
    verifier = OutcomeRewardModel(model="rm")
    async with (
        RewardServer(reward=is_four) as server,
        Controller(
            models=both(server, ["It is 4", "It is 5"]),
            answers=NUMBER,
            budget=Budget(requests=3),
            concurrency=1,
        ) as controller,
    ):
        outcome = await controller.run(BestOfN(n=2, verifier=verifier, model="m"), PROBLEM)
        assert controller.ledger.held == Usage()
    assert outcome.answer is not None
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.usage.requests == 3
    assert len(server.calls) == 1


async def test_a_run_cancelled_while_a_reward_model_is_asked_leaves_nothing_held() -> None:
    async with RewardServer(reward=is_four) as server:
        server.gate.clear()
        async with Controller(models=both(server, ["It is 4"]), answers=NUMBER) as controller:
            program = BestOfN(n=1, verifier=OutcomeRewardModel(model="rm"), model="m")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(controller.run, program, PROBLEM)
                await server.arrived.wait()
                tasks.cancel_scope.cancel()
            assert controller.ledger.held == Usage()
            spent = controller.ledger.spent
    assert spent.requests == 2
    assert spent.estimated


@pytest.mark.parametrize(
    "verifier", [OutcomeRewardModel(batch=1), ProcessRewardModel(convention="math-shepherd")]
)
async def test_cancelled_after_any_number_of_steps_leaves_nothing_held(verifier: Any) -> None:
    backend = ScriptedBackend(lambda request: Sample(text="", vector=(0.5,)))
    finished = 0
    for steps in range(40):
        program = Judged(verifier, "a", "b", "a\nb")
        async with Controller(models={"rm": backend}) as controller:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(controller.run, program, PROBLEM)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            assert controller.ledger.held == Usage()
        finished += bool(program.scores)
    assert 0 < finished < 40  # some were cancelled in the middle, some were too late


@pytest.mark.parametrize(
    "verifier", [OutcomeRewardModel(batch=2), ProcessRewardModel(convention="math-shepherd", batch=2)]
)
async def test_candidates_that_arrive_in_another_order_are_asked_about_alike(verifier: Any) -> None:
    async with RewardServer(reward=is_four) as server:
        one, _ = await judge(server, verifier, "It is 4", "It is 5", "It is 14")
        asked, server.calls = server.calls, []
        other, _ = await judge(server, verifier, "It is 14", "It is 4", "It is 5")
    assert sorted(map(repr, server.calls)) == sorted(map(repr, asked))
    assert sorted(map(repr, other.values)) == sorted(map(repr, one.values))


async def test_a_resumed_run_asks_no_reward_model_again(tmp_path: Path) -> None:
    path, events = tmp_path / "run.db", []
    program = BestOfN(n=3, verifier=ProcessRewardModel(model="rm", aggregation="min"), model="m")
    texts = ["right\n\nIt is 3", "wrong\n\nIt is 4", "perhaps\n\nIt is 5"]

    async def run(server: RewardServer, **options: Any) -> Outcome:
        async with Controller(
            models=both(server, texts), answers=NUMBER, journal=path, seed=1, **options
        ) as controller:
            return await controller.run(program, PROBLEM)

    async with RewardServer(reward=by_step) as server:
        first = await run(server, budget=Budget(requests=6))
        asked = len(server.calls)
        # A finished problem is not run again: forget that it was, so that its calls are replayed.
        with sqlite3.connect(path) as rows:
            rows.execute("DELETE FROM outcomes")
        rows.close()
        second = await run(server, budget=Budget(requests=6), resume=True, recorders=[events.append])
    assert len(server.calls) == asked == 3
    assert len([event for event in events if isinstance(event, CallReplayed)]) == 6
    assert second.answer == first.answer
    assert second.usage.requests == first.usage.requests == 6


FILE = """
version: 1
models:
  m: {{base_url: "{url}", model: m}}
  rm: {{base_url: "{url}", model: rm}}
program:
  best_of_n: {{model: m, n: 2, verifier: {{{verifier}}}}}
"""


@pytest.mark.parametrize(
    ("written", "verifier"),
    [
        (
            "outcome_reward_model: {model: rm, protocol: rerank, activation: sigmoid}",
            OutcomeRewardModel(model="rm", protocol="rerank", activation="sigmoid"),
        ),
        (
            "outcome_reward_model: {model: rm, protocol: {route: /predict, "
            "body: {model: '{{ model }}', inputs: '{{ text }}'}, scores: '[].score'}}",
            OutcomeRewardModel(
                model="rm",
                protocol={
                    "route": "/predict",
                    "body": {"model": "{{ model }}", "inputs": "{{ text }}"},
                    "scores": "[].score",
                },
            ),
        ),
        (
            "process_reward_model: {model: rm, convention: math-shepherd, aggregation: min, steps: lines, batch: 4}",
            ProcessRewardModel(
                model="rm", convention="math-shepherd", aggregation="min", steps="lines", batch=4
            ),
        ),
    ],
)
def test_a_program_file_names_reward_models(written: str, verifier: Any, tmp_path: Path) -> None:
    file = tmp_path / "program.yaml"
    file.write_text(FILE.format(url="http://127.0.0.1:9/v1", verifier=written))
    assert load(file).strategy == BestOfN(n=2, verifier=verifier, model="m")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("outcome_reward_model: {protocol: vllm}", "no protocol 'vllm'"),
        ("outcome_reward_model: {activation: tanh}", "activation"),
        ("process_reward_model: {aggregation: max}", "aggregation"),
        ("process_reward_model: {agregation: min}", "did you mean `aggregation`"),
    ],
)
def test_a_mistake_in_a_program_file_is_told_with_its_place(written: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "program.yaml"
    file.write_text(FILE.format(url="http://127.0.0.1:9/v1", verifier=written))
    with pytest.raises(ProgramFileError, match=words) as caught:
        load(file)
    assert "program.yaml:7:" in str(caught.value)


async def test_a_program_file_runs_with_a_reward_model(tmp_path: Path) -> None:
    file = tmp_path / "program.yaml"
    async with (
        FaultyServer(answer=lambda body, choice: "It is 4") as writer,
        RewardServer(reward=is_four, routes=LLAMA_CPP, raw=True) as server,
    ):
        text = FILE.format(
            url=writer.base_url,
            verifier="outcome_reward_model: {model: rm, protocol: rerank, activation: sigmoid}",
        )
        file.write_text(text.replace(f'"{writer.base_url}", model: rm', f'"{server.base_url}", model: rm'))
        program = load(file)
        async with Controller(models=program.models, answers=program.answers) as controller:
            outcome = await controller.run(program, PROBLEM)
    assert outcome.confidence == pytest.approx(0.9)
    assert len(server.calls) == 1


def test_both_have_their_name_as_their_key() -> None:
    assert REGISTRY["outcome_reward_model"] is OutcomeRewardModel
    assert REGISTRY["process_reward_model"] is ProcessRewardModel
    assert hash(ProcessRewardModel(model="rm")) == hash(ProcessRewardModel(model="rm"))


# --- llama.cpp itself ---------------------------------------------------------------------------------------


class Reranking:
    """llama.cpp's server as `llama-server --reranking` starts it."""

    def __init__(self) -> None:
        from orchestrator.serving.engines.llama_cpp import LlamaCpp

        self.engine = LlamaCpp()
        self.name, self.picks_port, self.grace = "reranking", True, self.engine.grace

    def launch(self, model: Any, **options: Any) -> Any:
        launch = self.engine.launch(model, **options)
        settings = json.loads(launch.command[-1]) | {"embedding": True, "pooling_type": 4}
        return replace(launch, command=(*launch.command[:-1], json.dumps(settings)))


@pytest.mark.local_model
async def test_llama_cpp_reranks_and_its_raw_scores_need_an_activation() -> None:
    pytest.importorskip("xllamacpp")
    from orchestrator.serving import Endpoint

    program = Judged(OutcomeRewardModel(protocol="rerank", activation="sigmoid"), "4", "It is 5", "4")
    async with Endpoint(
        "smollm2-135m-instruct", engine=Reranking(), parallel=1, context_length=256
    ) as endpoint:
        backend = HttpBackend(
            base_url=endpoint.base_url, model=endpoint.model, price={"input": 1, "output": 1}
        )
        async with Controller(models={"rm": backend}, budget=Budget(usd=1)) as controller:
            outcome = await controller.run(program, PROBLEM)
            with pytest.raises(InvalidInputError, match="set activation to sigmoid"):
                await controller.run(Judged(OutcomeRewardModel(protocol="rerank"), "4"), PROBLEM)
        await backend.aclose()
    first, second, again = program.values
    assert first == again
    assert first != second
    assert all(value is not None and 0.0 < value < 1.0 for value in program.values)
    assert outcome.usage.requests == 1
    assert 0 < outcome.usage.prompt_tokens < 100
    assert not outcome.usage.estimated


@pytest.mark.local_model
async def test_llama_cpp_gives_the_token_after_a_step_and_says_when_it_does_not_rerank() -> None:
    pytest.importorskip("xllamacpp")
    from orchestrator.serving import Endpoint

    examples = Problem(id="p", prompt="1 + 1 = 2 ки +\n1 + 1 = 3 ки -\n2 + 2 = 4 ки +\n2 + 2 = 5 ки -\n")
    steps = Judged(ProcessRewardModel(convention="math-shepherd"), "1 + 2 = 3\n3 + 1 = 4")
    refused = Judged(OutcomeRewardModel(protocol="rerank"), "4")
    async with Endpoint("smollm2-135m-instruct", parallel=1, context_length=256) as endpoint:
        backend = HttpBackend(base_url=endpoint.base_url, model=endpoint.model)
        async with Controller(models={"rm": backend}) as controller:
            await controller.run(steps, examples)
            await controller.run(refused, PROBLEM)
        await backend.aclose()
    [score] = steps.scores
    assert len(score.steps) == 2
    assert all(0.0 < step < 1.0 for step in score.steps)
    assert "Start it with `--reranking`" in refused.scores[0].reason
