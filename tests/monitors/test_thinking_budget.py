"""Thinking that reaches its budget is cut and made to answer, in any strategy."""

import json
import sqlite3

import pytest
from faulty_server import Canned

from orchestrator import Budget, Controller, Problem, SelfConsistency, Single, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import HttpBackend, Scripted, ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.monitors import RepetitionGuard, ThinkingBudget, monitoring
from orchestrator.programs.registries import MONITORS
from orchestrator.stopping import FixedSize
from orchestrator.types import Capabilities, Chunk, Sample, TokenLogprob

NUMBER = AnswerReader(kind="number")
ADDITION = Problem(id="p", prompt="What is 2 + 2?")
THOUGHT = "<think> one and one and one and one"  # 3 tokens for the mark, 7 words
FIVE = ThinkingBudget(tokens=5)


def fed(budget, *chunks):
    """The number of the chunk at which a watch of `budget` cuts, from 1, with why; None where it does not."""
    watch = budget.watch()
    for number, chunk in enumerate(chunks, start=1):
        reason = watch.feed(Chunk(text=chunk) if isinstance(chunk, str) else chunk)
        if reason is not None:
            return number, reason
    return None


async def solve(program, script, **options):
    model = script if isinstance(script, ScriptedBackend) else ScriptedBackend(script)
    async with Controller(models={"m": model}, answers=NUMBER, **options) as controller:
        outcome = await controller.run(program, ADDITION)
        assert controller.ledger.statistics().holds == 0
    return outcome, model


# --- counting -----------------------------------------------------------------------------------------------


def test_thinking_is_cut_at_the_token_that_reaches_the_budget():
    assert fed(ThinkingBudget(tokens=3), "a", " b", " c", " d") == (3, "3 tokens")
    assert fed(ThinkingBudget(tokens=3), "a", " b") is None


def test_pieces_count_by_their_log_probabilities_where_they_have_them():
    two = (TokenLogprob(token="a", logprob=-1.0), TokenLogprob(token=" b", logprob=-1.0))
    assert fed(ThinkingBudget(tokens=3), Chunk(text="a b", logprobs=two), " c") == (2, "3 tokens")


def test_what_comes_after_the_delimiter_is_not_counted():
    assert fed(ThinkingBudget(tokens=4), "<think>", "hm", "</think>", *"abcdefgh") is None
    assert fed(ThinkingBudget(tokens=4), "hm", "</", "thi", "nk> 4", *"abcdefgh") is None
    assert fed(ThinkingBudget(tokens=4), "hm", "</", "thi", "n", "k>") == (4, "4 tokens")


def test_without_a_delimiter_all_text_is_thinking():
    assert fed(ThinkingBudget(tokens=4, delimiter=None), "a", "</think>", "b", "c") == (4, "4 tokens")


def test_reasoning_that_comes_apart_is_the_thinking_and_the_text_after_it_is_not():
    thoughts = [Chunk(text="", reasoning=word) for word in ("a", "b", "c")]
    assert fed(ThinkingBudget(tokens=3), *thoughts) == (3, "3 tokens")
    assert fed(ThinkingBudget(tokens=4), *thoughts, "\n", "4") == (4, "4 tokens")
    assert fed(ThinkingBudget(tokens=5), *thoughts, "4", *"abcdefgh") is None


def test_thinking_that_ends_by_itself_at_the_budget_is_not_cut():
    assert fed(ThinkingBudget(tokens=2), "a", Chunk(text="b", finish_reason="stop")) is None


@pytest.mark.parametrize("wrong", [{"tokens": 0}, {"delimiter": " "}, {"end": ""}])
def test_a_budget_that_cannot_be_is_refused_by_name(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        ThinkingBudget(**wrong)


# --- going on -----------------------------------------------------------------------------------------------


async def test_a_chat_model_goes_on_after_its_cut_thinking():
    outcome, model = await solve(Single(max_tokens=20, monitors=(FIVE,)), [THOUGHT, " 4"])
    assert [request.max_tokens for request in model.requests] == [20, 15]
    assert model.requests[1].messages == (
        {"role": "user", "content": "What is 2 + 2?"},
        {"role": "assistant", "content": "<think> one and\n</think>\n\nFinal answer:"},
    )
    [candidate] = outcome.candidates
    assert candidate.sample.text == "<think> one and\n</think>\n\nFinal answer: 4"
    assert (candidate.sample.finish_reason, candidate.sample.resumptions) == ("stop", 1)
    assert outcome.answer.text == "4"
    assert candidate.sample.usage.completion_tokens == outcome.usage.completion_tokens == 6
    assert outcome.usage.requests == 2


async def test_a_plain_model_goes_on_with_its_text_as_it_stands():
    model = ScriptedBackend([" one and one", " 4"], capabilities=Capabilities(chat=False))
    budget = ThinkingBudget(tokens=2, delimiter=None)
    _, model = await solve(Single(monitors=(budget,)), model)
    assert model.requests[1].prompt == model.requests[0].prompt + " one and\nFinal answer:"


async def test_hidden_reasoning_is_given_back_as_the_beginning_of_the_reply():
    script = [Scripted(text="It is 5.", reasoning="one and one and one and one"), " 4"]
    outcome, model = await solve(Single(monitors=(FIVE,)), script)
    assert model.requests[1].messages[-1]["content"] == (
        "<think>\none and one and one\n</think>\n\nFinal answer:"
    )
    [candidate] = outcome.candidates
    assert (candidate.sample.text, candidate.sample.reasoning) == ("Final answer: 4", "one and one and one")


async def test_a_reply_that_was_begun_is_gone_on_with():
    async def program(ctx, problem):
        await ctx.complete(ctx.ask(problem).continued("<think> So"), monitors=[FIVE])
        return await Single()(ctx, problem)

    _, model = await solve(program, [" one and one and one and one", " 4", "4"])
    assert len(model.requests[1].messages) == 2
    assert model.requests[1].messages[-1]["content"] == (
        "<think> So one and one and one\n</think>\n\nFinal answer:"
    )


async def test_each_cut_choice_of_a_request_goes_on_in_a_call_of_its_own():
    def reply(request):
        last = request.messages[-1]
        return " 4" if last["role"] == "assistant" else THOUGHT

    program = SelfConsistency(n=3, per_call=3, stop=FixedSize(), max_tokens=20, monitors=(FIVE,))
    outcome, model = await solve(program, reply)
    assert (outcome.answer.text, outcome.detail["votes"]) == ("4", [3])
    assert [str(request.call) for request in model.requests] == ["p:#0", "p:#0#0#0", "p:#0#1#0", "p:#0#2#0"]
    assert len({request.digest for request in model.requests}) == 2


async def test_where_the_budget_does_not_allow_it_the_sample_stays_as_it_was_cut():
    program = Single(max_tokens=20, monitors=(FIVE,))
    outcome, model = await solve(program, [THOUGHT, " 4"], budget=Budget(requests=1))
    assert model.started == 1
    [candidate] = outcome.candidates
    assert candidate.sample.cut == "thinking_budget: 5 tokens"
    assert outcome.answer is None
    assert outcome.stop_reason is StopReason.BUDGET


async def test_where_going_on_fails_the_sample_stays_as_it_was_cut():
    program = SelfConsistency(n=2, per_call=2, stop=FixedSize(), monitors=(FIVE,))
    outcome, _ = await solve(program, [THOUGHT, THOUGHT, BackendError("gone"), " 4"])
    assert [candidate.sample.resumptions for candidate in outcome.candidates] == [0, 1]
    assert outcome.answer.text == "4"


async def test_what_goes_on_has_the_tokens_that_the_thinking_has_really_left(serve):
    # 40 words in one piece, which a watch takes for 50 tokens: 10 are left, and not the 55 beyond the budget.
    event = {"choices": [{"index": 0, "delta": {"content": "word " * 40}}]}
    body = b"data: " + json.dumps(event).encode() + b"\n\n"
    server = await serve(
        script=[Canned(body=body * 3, headers={"Content-Type": "text/event-stream"})],
        answer=lambda body, choice: "4 " * 60,
    )
    backend = HttpBackend(base_url=server.base_url, model="test")
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        outcome = await controller.run(Single(max_tokens=60, monitors=(FIVE,)), ADDITION)
    assert [seen.body["max_tokens"] for seen in server.seen] == [60, 10]
    assert outcome.usage.completion_tokens == 60


async def test_what_a_server_has_counted_goes_before_what_a_watch_has(serve):
    choice = {"index": 0, "delta": {"content": "word " * 40}}
    event = {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 55}}
    body = b"data: " + json.dumps(event).encode() + b"\n\n"
    body = Canned(body=body, headers={"Content-Type": "text/event-stream"})
    server = await serve(script=[body], answer=lambda body, choice: "4")
    backend = HttpBackend(base_url=server.base_url, model="test")
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        await controller.run(Single(max_tokens=60, monitors=(FIVE,)), ADDITION)
    assert server.seen[1].body["max_tokens"] == 5


async def test_a_choice_among_several_has_left_what_it_had_when_it_was_cut():
    def reply(request):
        if request.messages[-1]["role"] == "assistant":
            return " 4"
        return next(texts)

    texts = iter([THOUGHT, "</think>" + " and so" * 15 + " 4"])
    program = SelfConsistency(n=2, per_call=2, stop=FixedSize(), max_tokens=60, monitors=(FIVE,))
    outcome, model = await solve(program, reply)
    assert outcome.candidates[0].sample.usage.completion_tokens == 10 + 1, "all of it is charged"
    assert [request.max_tokens for request in model.requests] == [60, 55]


async def test_nothing_is_left_to_answer_with_when_the_budget_is_the_whole_cap():
    _, model = await solve(Single(max_tokens=5, monitors=(FIVE,)), [THOUGHT, " 4"])
    assert model.started == 1


async def test_the_answer_is_watched_by_the_other_monitors():
    guard = RepetitionGuard(repeats=3, characters=12)
    program = Single(max_tokens=50, monitors=(FIVE, guard))
    outcome, model = await solve(program, [THOUGHT, " 4" + " and so" * 9])
    [candidate] = outcome.candidates
    assert candidate.sample.cut == "repetition_guard: the same 7 bytes 3 times over"
    assert candidate.sample.text.endswith("Final answer: 4 and so and so and so")
    assert model.started == 2


async def test_a_resumed_run_sends_neither_the_cut_call_nor_the_one_it_went_on_in(tmp_path):
    def reply(request):
        return " 4" if request.messages[-1]["role"] == "assistant" else THOUGHT

    program = SelfConsistency(n=2, stop=FixedSize(), max_tokens=20, monitors=(FIVE,))
    path = str(tmp_path / "run.db")

    outcome, first = await solve(program, reply, journal=path)
    again, second = await solve(program, reply, journal=path, resume=True)
    assert (first.started, second.started) == (4, 0)
    assert again == outcome
    assert again.candidates[0].sample.text.endswith("Final answer: 4")


@pytest.mark.parametrize("kept", range(4))
async def test_a_run_killed_after_any_call_makes_the_others_alone(tmp_path, kept):
    def reply(request):
        return " 4" if request.messages[-1]["role"] == "assistant" else THOUGHT

    program = SelfConsistency(n=2, stop=FixedSize(), max_tokens=20, monitors=(FIVE,))
    path = str(tmp_path / "run.db")
    outcome, _ = await solve(program, reply, journal=path)
    with sqlite3.connect(path) as killed:
        killed.execute("DELETE FROM outcomes")
        for table, column in (("results", "call"), ("calls", "id")):
            killed.execute(
                f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM calls ORDER BY id LIMIT ?)",
                (kept,),
            )
    killed.close()
    again, model = await solve(program, reply, journal=path, resume=True)
    assert model.started == 4 - kept
    assert again.usage.completion_tokens == outcome.usage.completion_tokens
    assert sorted(c.sample.text for c in again.candidates) == sorted(
        c.sample.text for c in outcome.candidates
    )


async def test_over_http_the_thinking_that_is_streamed_apart_is_cut(serve):
    server = await serve(
        answer=lambda body, choice: " 4" if body["messages"][-1]["role"] == "assistant" else "It is 5.",
        reasoning=lambda body, choice: (
            "" if body["messages"][-1]["role"] == "assistant" else "one and one and one and one"
        ),
    )
    backend = HttpBackend(base_url=server.base_url, model="test")
    async with Controller(models={"m": backend}, answers=NUMBER) as controller:
        outcome = await controller.run(Single(monitors=(FIVE,)), ADDITION)
    [candidate] = outcome.candidates
    assert (candidate.sample.reasoning, candidate.sample.text) == ("one and one and one", "Final answer:4")
    assert outcome.usage.completion_tokens == 5 + 1


# --- where monitors apply -----------------------------------------------------------------------------------


async def test_samples_drawn_aside_are_not_watched_unless_the_call_says_so():
    async def program(ctx, problem):
        watched = ctx.using(monitors=[FIVE])
        aside = watched.branch(label="judge", aside=True)
        plain = await aside.complete("?")
        told = await aside.complete("?", monitors=[FIVE])
        inside = await watched.branch(label="part").complete("?")
        strategy = Single(monitors=(FIVE,))
        of_strategy = await strategy.draw(aside, "?").first()
        assert [sample.resumptions for sample in (plain, told, inside, of_strategy)] == [0, 1, 1, 0]
        return await Single()(ctx, problem)

    outcome, _ = await solve(program, [THOUGHT, THOUGHT, " 4", THOUGHT, " 4", THOUGHT, "4"])
    assert outcome.answer.text == "4"


async def test_samples_are_drawn_with_the_log_probabilities_a_monitor_wants():
    class Wants(RepetitionGuard):
        name = "wants"
        logprobs = 7

    async def program(ctx, problem):
        for options in ({}, {"logprobs": 3}, {"logprobs": 9}):
            await ctx.complete("?", monitors=[Wants()], **options)
        await ctx.complete("?", monitors=[RepetitionGuard()])
        return await Single()(ctx, problem)

    _, model = await solve(program, ["4"] * 5)
    assert [request.logprobs for request in model.requests] == [7, 7, 9, None, None]


def test_the_first_monitor_to_cut_gives_the_reason():
    watch = monitoring((RepetitionGuard(repeats=2, characters=4), ThinkingBudget(tokens=3)))()
    assert watch.feed(Chunk(text="ab")) is None
    assert watch.feed(Chunk(text="cab")) is None
    assert watch.feed(Chunk(text="cab")) == "repetition_guard: the same 3 bytes 2 times over"
    assert monitoring(()) is None


def test_a_cut_by_a_monitor_that_is_not_there_is_not_resumed():
    cut = Sample(text="a", finish_reason="cut: thinking_budget: 3 tokens")
    assert monitoring((RepetitionGuard(),)).resumption(cut) is None
    assert monitoring((FIVE,)).resumption(Sample(text="a", finish_reason="stop")) is None


def test_a_monitor_is_called_in_files_as_its_reasons_begin():
    assert {part.name: part for part in MONITORS.parts.values()} == dict(MONITORS.parts)
