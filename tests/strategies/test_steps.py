"""Steps: where one ends, when it was the last, and how it is asked for."""

import math

import anyio
import pytest

from orchestrator import Controller, Model, Outcome, Problem, Prompt
from orchestrator.answers import AnswerReader
from orchestrator.backends import RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import Scripted
from orchestrator.errors import BackendError, InvalidInputError
from orchestrator.strategies import Single, Step, StepGenerator
from orchestrator.types import Capabilities, Sample, TokenLogprob

NO_N = Capabilities(chat=True, n=False, logprobs=True, seed=True, streaming=True, usage_is_exact=True)
PLAIN = Capabilities(chat=False, n=True, logprobs=True, seed=True, streaming=True, usage_is_exact=True)


BY_BLANK_LINES = StepGenerator()


async def drawn(script, generator=BY_BLANK_LINES, said="", *, capabilities=None, **asked):
    """The steps that a generator draws after `said`, and the requests it made."""
    model = ScriptedBackend(script, capabilities=capabilities)
    found = []

    async def program(ctx, problem):
        found.extend(await generator.draw(ctx, Single(), ctx.ask(problem), said, **asked))
        return Outcome()

    models = {"m": Model(backend=model, retry=RetryPolicy(attempts=1))}
    async with Controller(models=models, answers=AnswerReader(kind="number")) as controller:
        await controller.run(program, Problem(id="p", prompt="2 + 2?"))
        assert controller.ledger.statistics().holds == 0
    return found, model.requests


def written(steps):
    return [(step.text, step.complete) for step in steps]


async def test_a_step_that_states_no_answer_is_parted_from_the_next():
    steps, [request] = await drawn(["Two and two.", "Let us add."], n=2)
    assert written(steps) == [("Two and two.\n\n", False), ("Let us add.\n\n", False)]
    assert (request.n, request.stop, request.max_tokens) == (2, ("\n\n",), 128)
    assert [message["role"] for message in request.messages] == ["user"]


async def test_a_step_that_states_its_answer_is_the_last():
    steps, _ = await drawn(["So the answer is 4.", "That makes 4."], n=2)
    assert written(steps) == [("So the answer is 4.", True), ("That makes 4.\n\n", False)]


async def test_a_step_continues_the_reply_so_far():
    _, [request] = await drawn(["Then 4."], said="Two and two.\n\n")
    assert request.messages[-1] == {"role": "assistant", "content": "Two and two.\n\n"}


async def test_a_step_cut_by_its_cap_is_gone_on_from_where_it_was_cut():
    steps, _ = await drawn(["one two three four"], StepGenerator(tokens=2))
    assert written(steps) == [("one two", False)]


async def test_a_sentence_that_still_has_its_full_stop_was_ended_by_nothing_else_than_its_end():
    by_sentences = StepGenerator(stop=(". ",))
    steps, _ = await drawn(["Two and two", "That is it."], by_sentences, n=2)
    assert written(steps) == [("Two and two. ", False), ("That is it.", True)]
    steps, _ = await drawn(["That is it."], StepGenerator(stop=(". ", "\n")))
    assert written(steps) == [("That is it.\n", False)]  # it may have been the line that ended


async def test_steps_by_tokens_have_no_stop_and_a_shorter_one_is_the_last():
    steps, [request] = await drawn(["one two three", "one two"], StepGenerator(stop=(), tokens=2), n=2)
    assert written(steps) == [("one two", False), ("one two", True)]
    assert (request.stop, request.max_tokens) == ((), 2)


async def test_the_rest_of_a_solution_is_one_step():
    steps, [request] = await drawn(["Two.\n\nThen 4"], said="Let us add.\n\n", rest=True)
    assert written(steps) == [("Two.\n\nThen 4", True)]
    assert (request.stop, request.max_tokens) == ((), 512)


async def test_what_follows_the_end_of_thinking_is_one_step():
    said = "<think>Two and two.</think>\n\n"
    steps, [request] = await drawn(["It is\n\n4"], StepGenerator(rest_tokens=9), said)
    assert written(steps) == [("It is\n\n4", True)]
    assert (request.stop, request.max_tokens) == ((), 9)
    steps, [request] = await drawn(["It is"], StepGenerator(delimiter=None), said)
    assert (written(steps), request.stop) == ([("It is\n\n", False)], ("\n\n",))


async def test_where_nothing_follows_the_solution_has_ended():
    steps, requests = await drawn(["", "", "", ""], said="It is 4.\n\n", n=2)
    assert written(steps) == [("", True), ("", True)]
    assert [request.stop for request in requests] == [("\n\n",), ()]


async def test_where_some_find_nothing_to_add_for_these_it_has_ended():
    steps, requests = await drawn(["", "Or is it?"], said="It is 4.\n\n", n=2)
    assert written(steps) == [("", True), ("Or is it?\n\n", False)]
    assert len(requests) == 1


async def test_an_empty_first_step_is_an_empty_solution():
    steps, requests = await drawn([" "])
    assert written(steps) == [(" ", True)]
    assert len(requests) == 1


def trimming(*continuations):
    """A server whose template trims the end of a reply: the model first writes the blank line again."""
    texts = iter(continuations)

    def reply(request):
        return "" if request.stop else f"\n\n{next(texts)}"

    return reply


async def test_a_template_that_trims_the_reply_costs_one_more_call_and_no_sibling():
    script = trimming("Then four.\n\nDone.", "The answer is 4.\n\nOr 5.", "Then", "Then on and on")
    steps, requests = await drawn(script, StepGenerator(tokens=6), "Two and two.\n\n", n=4)
    assert written(steps) == [
        ("Then four.\n\n", False),
        ("The answer is 4.\n\n", True),
        ("Then", True),  # it ended without a stop
        ("Then on and on", True),
    ]
    assert [(request.n, request.max_tokens, request.stop) for request in requests] == [
        (4, 6, ("\n\n",)),
        (4, 6, ()),
    ]


async def test_a_step_drawn_once_more_may_be_cut_by_its_cap_as_well():
    steps, _ = await drawn(trimming("one two three"), StepGenerator(tokens=2), "Two and two.\n\n")
    assert written(steps) == [("one two", False)]


async def test_the_earliest_of_several_stops_ends_a_step_and_the_first_parts_it():
    generator = StepGenerator(stop=("\nStep", "\n\n"))
    steps, [request] = await drawn(["Add."], generator)
    assert (written(steps), request.stop) == ([("Add.\nStep", False)], ("\nStep", "\n\n"))
    steps, _ = await drawn(trimming("Add.\n\nThen\nStep 3"), generator, "Two.\nStep")
    assert written(steps) == [("Add.\nStep", False)]


async def test_a_server_that_gives_one_sample_a_request_is_asked_several_times():
    first, second = anyio.Event(), anyio.Event()

    def reply(request):
        if request.call.ordinal == 0:
            return Scripted(text="first", gate=first)
        second.set()
        return "second"

    async def let_go():
        await second.wait()
        first.set()  # the first answer comes last

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(let_go)
        steps, requests = await drawn(reply, n=2, capabilities=NO_N)
    assert written(steps) == [("first\n\n", False), ("second\n\n", False)]
    assert [request.n for request in requests] == [1, 1]


async def test_a_failed_call_is_a_step_fewer_and_when_all_fail_it_is_raised():
    down = BackendError("the model is down")
    steps, _ = await drawn([down, "Add."], n=2, capabilities=NO_N)
    assert written(steps) == [("Add.\n\n", False)]
    with pytest.raises(BackendError, match="is down"):
        await drawn([down, down], n=2, capabilities=NO_N)


async def test_a_plain_text_goes_on_as_text():
    generator = StepGenerator(stop=(". ",))
    steps, [request] = await drawn([" Two and two"], generator, capabilities=PLAIN)
    assert request.prompt == "Question: 2 + 2?\nAnswer:"
    assert request.stop == ("\nQuestion:", "\n\n", ". ")
    _, [request] = await drawn([" Then"], generator, steps[0].text, capabilities=PLAIN)
    assert request.prompt == "Question: 2 + 2?\nAnswer: Two and two. "


async def test_what_ends_a_plain_answer_ends_no_step():
    steps, [request] = await drawn([" Two and two."], capabilities=PLAIN)
    assert written(steps) == [(" Two and two.", True)]
    assert request.stop == ("\nQuestion:", "\n\n")
    steps, _ = await drawn([" Two and two."], StepGenerator(tokens=2), capabilities=PLAIN)
    assert written(steps) == [(" Two and", False)]


async def test_the_rest_ends_where_the_models_own_settings_say():
    model = ScriptedBackend(["It is 4"])

    async def program(ctx, problem):
        await StepGenerator().draw(ctx, Single(), ctx.ask(problem), "", rest=True)
        return Outcome()

    models = {"m": Model(backend=model, sampling={"stop": "\n"})}
    async with Controller(models=models, prompt=Prompt(system="Be brief.")) as controller:
        await controller.run(program, "2 + 2?")
    assert model.requests[0].stop == ("\n",)


def test_the_likelihood_of_a_step_is_the_mean_over_its_tokens():
    tokens = (
        TokenLogprob(token="a", logprob=math.log(0.5)),
        TokenLogprob(token="b", logprob=math.log(0.125)),
    )
    step = Step(text="ab", complete=False, sample=Sample(text="ab", logprobs=tokens))
    assert step.likelihood == pytest.approx(0.25)  # the root of 1/16
    assert Step(text="ab", complete=False, sample=Sample(text="ab")).likelihood is None


@pytest.mark.parametrize(
    ("logprobs", "likelihood"),
    [
        ((-math.inf, -1.0), 0.0),
        ((1e-7,), 1.0),  # single precision
        ((math.nan,), None),
        ((-math.inf, math.inf), None),
        ((-1.0, 1000.0), None),
    ],
)
def test_what_is_no_log_probability_has_no_likelihood(logprobs, likelihood):
    tokens = tuple(TokenLogprob(token="a", logprob=logprob) for logprob in logprobs)
    assert Step(text="a", complete=False, sample=Sample(text="a", logprobs=tokens)).likelihood == likelihood


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"tokens": 0}, "tokens must be at least 1"),
        ({"rest_tokens": 0}, "rest_tokens must be at least 1"),
        ({"stop": ("\n", "")}, "stop must be a list of texts"),
        ({"delimiter": " "}, "delimiter must be a text"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, says):
    with pytest.raises(InvalidInputError, match=says):
        StepGenerator(**wrong)
