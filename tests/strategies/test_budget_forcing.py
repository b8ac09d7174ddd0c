import pytest
from strategies.chains import is_a_chain, play, texts, turns

from orchestrator import Budget, Controller, Problem, StopReason
from orchestrator.answers import AnswerReader
from orchestrator.backends import Scripted, ScriptedBackend
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.events import StepTaken
from orchestrator.strategies import BudgetForcing
from orchestrator.types import Capabilities, Usage
from orchestrator.verifiers import Regex


async def test_thinking_that_ends_too_early_is_extended():
    # "It is 5." has 4 tokens, ", no, it is 4." has 7.
    program = BudgetForcing(min_tokens=10, max_tokens=50, waits=3)
    outcome, model = await play(program, ["It is 5.", ", no, it is 4."])
    assert turns(model.requests[1]) == [("u", "What is 2 + 2?"), ("a", "It is 5.\nWait")]
    assert outcome.answer.text == "4"  # one vote each: the latest
    assert texts(outcome) == ["It is 5.", "Wait, no, it is 4."]
    assert is_a_chain(outcome)
    assert outcome.detail == {
        "votes": [1, 1],
        "abstentions": 0,
        "thinking_tokens": 11,
        "extensions": 1,
        "ended": "stopped",
        "forced": False,
    }


async def test_thinking_that_is_long_enough_is_left_alone():
    outcome, model = await play(BudgetForcing(min_tokens=4, max_tokens=50), ["It is 4."])
    assert (outcome.answer.text, outcome.confidence, model.started) == ("4", 1.0, 1)


async def test_thinking_that_reaches_the_cap_is_cut_and_made_to_answer():
    program = BudgetForcing(min_tokens=0, max_tokens=6, answer_tokens=3)
    outcome, model = await play(program, ["One and one and one and one and one", " 4."])
    assert [request.max_tokens for request in model.requests] == [6, 3]
    assert turns(model.requests[1])[1] == ("a", "One and one and one and\nFinal answer:")
    assert outcome.answer.text == "4"
    assert texts(outcome) == ["One and one and one and", "Final answer: 4."]
    assert outcome.detail["ended"] == "cut"
    assert outcome.detail["forced"] is True
    assert outcome.detail["thinking_tokens"] == 6


async def test_an_extension_has_what_is_left_of_the_cap():
    program = BudgetForcing(min_tokens=10, max_tokens=10, waits=5)
    _, model = await play(program, ["It is 5.", " a b c d e f g h", " 4"])
    assert [request.max_tokens for request in model.requests] == [10, 6, 64]


async def test_there_are_at_most_so_many_extensions():
    program = BudgetForcing(min_tokens=40, max_tokens=50, waits=2)
    outcome, model = await play(program, ["It is 5.", ", 5.", ", 4."])
    assert model.started == 3
    assert outcome.answer.text == "5"
    assert outcome.detail["extensions"] == 2


async def test_thinking_without_an_answer_at_its_end_is_made_to_answer():
    program = BudgetForcing(min_tokens=0, max_tokens=50)
    outcome, model = await play(program, ["I do not know.", " 4"])
    assert turns(model.requests[1])[1] == ("a", "I do not know.\nFinal answer:")
    assert outcome.detail["ended"] == "stopped"
    assert outcome.detail["forced"] is True
    assert outcome.answer.text == "4"


async def test_the_forced_answer_breaks_ties_and_is_outvoted_by_more():
    program = BudgetForcing(min_tokens=100, max_tokens=200, waits=1)
    tie, _ = await play(program, ["It is 5.", ", hm, and so on.", " 4"])
    assert tie.answer.text == "4"
    longer = BudgetForcing(min_tokens=100, max_tokens=200, waits=2)
    outvoted, _ = await play(longer, ["It is 5.", ", 5.", ", hm.", " 4"])
    assert outvoted.answer.text == "5"


async def test_a_text_model_goes_on_with_its_text():
    base = ScriptedBackend([" It is 5.", ", 4."], capabilities=Capabilities(chat=False))
    await play(BudgetForcing(min_tokens=6, max_tokens=50), base)
    assert base.requests[1].prompt == "Question: What is 2 + 2?\nAnswer: It is 5.\nWait"


async def test_what_follows_the_end_of_thinking_is_dropped_before_it_goes_on():
    program = BudgetForcing(min_tokens=20, max_tokens=90, waits=1)
    script = ["<think>2 and 2.</think>It is 5.", ", 4.</think>It is 4."]
    outcome, model = await play(program, script)
    assert turns(model.requests[1])[1] == ("a", "<think>2 and 2.\nWait")
    assert [candidate.answer.text for candidate in outcome.candidates] == ["5", "4"]


async def test_thinking_that_is_cut_inside_its_tags_is_closed_first():
    program = BudgetForcing(min_tokens=0, max_tokens=8)
    outcome, model = await play(program, ["<think>one and one and one and one", " 4"])
    assert turns(model.requests[1])[1][1].endswith("</think>\n\nFinal answer:")
    assert outcome.answer.text == "4"


async def test_reasoning_reported_apart_counts_and_stands_in_for_missing_text():
    thought = Scripted(
        reasoning="one and one and",
        usage=Usage(prompt_tokens=5, completion_tokens=30, requests=1),
        finish_reason="length",
    )
    outcome, model = await play(BudgetForcing(min_tokens=0, max_tokens=30), [thought, " 4"])
    assert outcome.detail["thinking_tokens"] == 30
    assert turns(model.requests[1])[1] == ("a", "one and one and\nFinal answer:")
    assert outcome.answer.text == "4"


async def test_a_verifier_may_choose():
    program = BudgetForcing(min_tokens=8, max_tokens=50, verifier=Regex(pattern="5"))
    outcome, _ = await play(program, ["It is 5.", ", it is 4."])
    assert outcome.answer.text == "5"


async def test_a_call_that_fails_is_an_extension_less():
    program = BudgetForcing(min_tokens=40, max_tokens=50, waits=2)
    outcome, model = await play(program, [BackendError("down"), "It is 5.", ", 4."])
    assert texts(outcome) == ["It is 5.", "Wait, 4."]
    assert outcome.detail["extensions"] == 1
    assert len(turns(model.requests[1])) == 1


async def test_the_budget_ends_it_with_the_answers_so_far():
    program = BudgetForcing(min_tokens=40, max_tokens=50, waits=4)
    outcome, _ = await play(program, ["It is 5.", ", 4."], budget=Budget(requests=2))
    assert outcome.answer.text == "4"
    assert outcome.stop_reason is StopReason.BUDGET
    assert outcome.detail["forced"] is False


async def test_extending_and_forcing_are_told_as_steps():
    events = []
    program = BudgetForcing(min_tokens=10, max_tokens=10, waits=1)
    await play(program, ["It is 5.", " a b c d e f", " 4"], events=events)
    steps = [(event.step, event.reason) for event in events if isinstance(event, StepTaken)]
    assert steps == [("stopped", "after 4 tokens of at least 10"), ("forced", "after 10 tokens")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_tokens": -1},
        {"min_tokens": 2000},
        {"max_tokens": 0, "min_tokens": 0},
        {"waits": -1},
        {"answer_tokens": 0},
        {"wait": " "},
        {"end": ""},
        {"delimiter": ""},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        BudgetForcing(**wrong)


@pytest.mark.local_model
async def test_a_chat_model_on_this_machine_goes_on_with_its_reply():
    pytest.importorskip("xllamacpp")
    from orchestrator.backends.local import LocalBackend

    model = LocalBackend("smollm2-135m-instruct", parallel=1, context_length=512)
    problem = Problem(id="p", prompt="Count from one to ten.")
    async with Controller(models={"m": model}, answers=AnswerReader(kind="text")) as controller:
        seen = []

        async def go_on(ctx, problem):
            ask = ctx.ask(problem).continued("One, two, three, four, five, six,")
            seen.append(await ctx.complete(ask, temperature=0.0, max_tokens=6))
            program = BudgetForcing(min_tokens=30, max_tokens=30, waits=2, answer_tokens=8, temperature=0.0)
            return await program(ctx, problem)

        outcome = await controller.run(go_on, problem)
    assert seen[0].text.strip().startswith("seven, eight")
    assert not seen[0].usage.estimated
    assert (
        30
        == outcome.detail["thinking_tokens"]
        == sum(candidate.sample.usage.completion_tokens for candidate in outcome.candidates[:-1])
    )
    assert outcome.detail["forced"] is True
    assert outcome.candidates[-1].sample.usage.completion_tokens <= 8
