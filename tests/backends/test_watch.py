"""Choices that are cut while they are written, calls that are cancelled then: what is kept, charged and closed."""

import json
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import openai
import pytest
from backends.watches import CutAfter, in_turn
from faulty_server import Canned, Fault

from orchestrator import Budget, Controller, Model, Outcome
from orchestrator.backends import HttpBackend, Journaled, OpenAIBackend, RetryPolicy, ScriptedBackend
from orchestrator.backends.scripted import Scripted, tokens_of
from orchestrator.backends.watching import pieces_of, watched
from orchestrator.errors import BackendTimeoutError, ConnectionLostError
from orchestrator.events import CallFailed, CallSettled
from orchestrator.runtime import Journal
from orchestrator.types import Capabilities, Price, Progress, Request, Sample, TokenLogprob, Usage

WORDS = "One two three four five six seven eight"
CHAT = Request(messages=({"role": "user", "content": "count for me"},), max_tokens=20)
PLAIN = Request(prompt="count for me", max_tokens=20)
PRICE = Price(input=1, output=10, request=100)


def counting(body, choice):
    return WORDS


@asynccontextmanager
async def backend_of(kind, server, **options):
    """A backend of each kind that reaches a server, with what it needs closed afterwards."""
    if kind == "http":
        backend = HttpBackend(base_url=server.base_url, model="test", **options)
        yield backend
        await backend.aclose()
        return
    make = openai.AsyncOpenAI if kind == "openai" else openai.OpenAI
    client = make(base_url=server.base_url, api_key="sk", timeout=10, max_retries=0)
    yield OpenAIBackend(client, model="test", **options)
    await client.close() if kind == "openai" else client.close()


KINDS = pytest.mark.parametrize("kind", ["http", "openai", "openai in threads"])


# --- cutting ------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("request_", [CHAT, PLAIN], ids=["chat", "plain"])
async def test_a_cut_choice_ends_there_and_its_connection_is_closed(serve, kind, request_):
    server = await serve(answer=counting, pause_after=3)
    server.gate.clear()
    async with backend_of(kind, server, price=PRICE) as backend:
        [sample] = await backend.complete(request_.replace(watch=lambda: CutAfter(3)))
        await server.until(lambda server: not server.in_flight)
        prompt = await backend.count_prompt_tokens(request_)
    assert (sample.text, sample.finish_reason) == ("One two three", "cut: enough")
    assert (sample.cut, sample.truncated) == ("enough", True)
    assert sample.usage.completion_tokens == 3 == server.streamed
    assert (sample.usage.prompt_tokens, sample.usage.requests) == (prompt, 1)
    assert sample.usage.picodollars == prompt + 30 + 100
    assert sample.usage.estimated
    assert backend.capabilities.streaming is True


async def test_a_cut_choice_is_charged_the_prompt_that_the_server_has_counted_before(serve):
    server = await serve(answer=counting)
    async with backend_of("http", server) as backend:
        held = await backend.count_prompt_tokens(CHAT)
        [unknown] = await backend.complete(CHAT.replace(watch=lambda: CutAfter(3)))
        [whole] = await backend.complete(CHAT)
        [known] = await backend.complete(CHAT.replace(watch=lambda: CutAfter(3)))
        assert await backend.count_prompt_tokens(CHAT) == held, "what it may cost is still held"
    assert unknown.usage.prompt_tokens == held > 3
    assert whole.usage.prompt_tokens == known.usage.prompt_tokens == 3
    assert known.usage.estimated


@pytest.mark.parametrize("most", range(1, 9))
@pytest.mark.parametrize("flavour", ["plain", "llama.cpp", "vllm"])
async def test_a_cut_at_any_token_is_charged_what_came(serve, most, flavour):
    server = await serve(answer=counting, flavour=flavour, pause_after=most)
    server.gate.clear()
    async with backend_of("http", server) as backend:
        [sample] = await backend.complete(PLAIN.replace(watch=lambda: CutAfter(most)))
    assert sample.text == " ".join(WORDS.split()[:most])
    assert sample.usage.completion_tokens == most == server.streamed
    assert sample.usage.estimated


@KINDS
async def test_a_choice_that_nothing_cuts_is_the_same_as_without_a_watch(serve, kind):
    server = await serve(answer=counting)
    async with backend_of(kind, server) as backend:
        [plain] = await backend.complete(CHAT)
        watch = CutAfter()
        [shown] = await backend.complete(CHAT.replace(watch=lambda: watch))
    assert ["stream" in seen.body for seen in server.seen] == [False, True]
    assert (shown.text, shown.finish_reason, shown.cut) == (plain.text, "stop", None)
    assert shown.usage == Usage(prompt_tokens=3, completion_tokens=8, requests=1, seconds=shown.usage.seconds)
    assert "".join(chunk.text for chunk in watch.chunks) == WORDS


@KINDS
@pytest.mark.parametrize("flavour", ["plain", "llama.cpp"])
async def test_of_several_choices_the_stream_is_closed_when_the_last_is_done(serve, kind, flavour):
    # Side by side: when the third has said its five words the others have come as far, and nothing more is wanted.
    texts = [WORDS, WORDS, "One two three four five"]
    server = await serve(answer=lambda body, choice: texts[choice], flavour=flavour, pause_after=15)
    server.gate.clear()
    async with backend_of(kind, server) as backend:
        await backend.prepare()
        watch = in_turn(CutAfter(2), CutAfter(4), CutAfter())
        if flavour == "plain":  # which waits after the 15th token, before it says that the third has ended
            watch = in_turn(CutAfter(2), CutAfter(4), CutAfter(5))
        else:
            server.gate.set()
        samples = await backend.complete(CHAT.replace(n=3, watch=watch))
        await server.until(lambda server: not server.in_flight)
    assert [sample.text for sample in samples] == ["One two", "One two three four", "One two three four five"]
    assert [sample.cut for sample in samples][:2] == ["enough", "enough"]
    assert [sample.usage.completion_tokens for sample in samples] == [5, 5, 5]


async def test_choices_that_all_end_by_themselves_are_charged_what_the_server_counts(serve):
    server = await serve(answer=counting)
    async with backend_of("http", server) as backend:
        samples = await backend.complete(CHAT.replace(n=2, watch=in_turn(CutAfter(2), CutAfter())))
    assert [sample.text for sample in samples] == ["One two", WORDS]
    assert [sample.usage.completion_tokens for sample in samples] == [8, 8]
    assert not samples[0].usage.estimated
    assert samples[0].cut == "enough"


async def test_reasoning_that_is_streamed_apart_is_shown_and_cut(serve):
    server = await serve(answer=lambda body, choice: "Four .", reasoning=lambda body, choice: WORDS)
    async with backend_of("http", server) as backend:
        watch = CutAfter(10)
        [whole] = await backend.complete(CHAT.replace(watch=lambda: watch))
        [cut] = await backend.complete(CHAT.replace(watch=lambda: CutAfter(3)))
    assert [chunk.reasoning for chunk in watch.chunks[:2]] == ["One", " two"]
    assert [chunk.text for chunk in watch.chunks[8:]] == ["Four", " ."]
    assert (whole.reasoning, whole.text) == (WORDS, "Four .")
    assert (cut.reasoning, cut.text, cut.usage.completion_tokens) == ("One two three", "", 3)


async def test_tokens_with_log_probabilities_are_counted_by_them(serve):
    pieces = [[("One", -0.1), (" two", -0.2)], [(" three", -0.3)], [(" four", -0.4)]]
    events = [
        {
            "choices": [
                {
                    "index": 0,
                    "text": "".join(token for token, _ in piece),
                    "logprobs": {"content": [{"token": token, "logprob": value} for token, value in piece]},
                }
            ]
        }
        for piece in pieces
    ]
    body = (
        b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    )
    server = await serve(script=[Canned(body=body, headers={"Content-Type": "text/event-stream"})])
    async with backend_of("http", server) as backend:
        [sample] = await backend.complete(PLAIN.replace(logprobs=0, watch=lambda: CutAfter(2)))
    assert sample.text == "One two three"
    assert [token.logprob for token in sample.logprobs] == [-0.1, -0.2, -0.3]
    assert sample.usage.completion_tokens == 3


@pytest.mark.parametrize(("counted", "tokens", "estimated"), [(1, 3, True), (3, 3, False), (4, 4, False)])
async def test_a_count_that_came_before_the_cut_is_no_count_of_the_tokens_after_it(
    serve, counted, tokens, estimated
):
    events = [{"choices": [{"index": 0, "text": word}]} for word in ("One", " two", " three", " four")]
    events[0]["usage"] = {"prompt_tokens": 3, "completion_tokens": counted}
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    server = await serve(script=[Canned(body=body, headers={"Content-Type": "text/event-stream"})])
    async with backend_of("http", server) as backend:
        [sample] = await backend.complete(PLAIN.replace(watch=lambda: CutAfter(3)))
    assert (sample.usage.prompt_tokens, sample.usage.completion_tokens) == (3, tokens)
    assert sample.usage.estimated is estimated


@pytest.mark.parametrize(("piece", "tokens"), [("x" * 16, 1), ("x" * 17, 5), ("word " * 20, 25)])
async def test_a_piece_too_long_for_a_token_counts_as_several(serve, piece, tokens):
    server = await serve(answer=lambda body, choice: piece.replace(" ", "_") + " end", pause_after=1)
    server.gate.clear()
    async with backend_of("http", server) as backend:
        [sample] = await backend.complete(PLAIN.replace(watch=lambda: CutAfter(1)))
    assert sample.usage.completion_tokens == tokens


# --- servers that do not stream ------------------------------------------------------------------------------


@KINDS
async def test_an_answer_that_comes_whole_is_cut_after_the_fact_and_charged_in_full(serve, kind):
    server = await serve(answer=counting, streams=False)
    events = []
    async with backend_of(kind, server) as backend:
        attempt = Journaled(backend, emit=events.append)
        for _ in range(2):
            watch = CutAfter(1)
            [sample] = await attempt.complete(CHAT.replace(watch=lambda watch=watch: watch))
            assert [chunk.text for chunk in watch.chunks] == [WORDS]
    # Nothing in it can be told apart, so all of it is there when the watch ends it.
    assert (sample.text, sample.cut) == (WORDS, "enough")
    assert (sample.usage.completion_tokens, sample.usage.estimated) == (8, False)
    assert ["stream" in seen.body for seen in server.seen] == [True, False]
    assert [event.usage.completion_tokens for event in events if isinstance(event, CallSettled)] == [8, 8]
    assert backend.capabilities.streaming is False


async def test_a_server_known_not_to_stream_is_not_asked_to(serve):
    server = await serve(answer=counting, streams=False)
    async with backend_of("http", server, capabilities=Capabilities(streaming=False)) as backend:
        await backend.complete(CHAT.replace(watch=CutAfter))
    assert "stream" not in server.seen[0].body


async def test_a_backend_that_knows_nothing_of_watches_has_its_samples_shown_to_them():
    class Old(ScriptedBackend):
        async def complete(self, request):
            return await super().complete(request.replace(watch=None))

    logprobs = tuple(TokenLogprob(token=token, logprob=-0.5) for token in tokens_of(WORDS))
    backend = Old([Scripted(text=WORDS, logprobs=logprobs)])
    [sample] = await Journaled(backend, emit=lambda event: None).complete(
        CHAT.replace(logprobs=0, watch=lambda: CutAfter(3))
    )
    assert (sample.text, len(sample.logprobs), sample.cut) == ("One two three", 3, "enough")
    assert sample.usage.completion_tokens == 8


def test_a_whole_sample_is_shown_in_the_smallest_pieces_that_can_be_told_apart():
    tokens = (TokenLogprob(token="a", logprob=-1.0), TokenLogprob(token="b", logprob=-2.0))
    spelled = Sample(text="ab", reasoning="hm", logprobs=tokens, finish_reason="stop")
    assert [
        (piece.reasoning, piece.text, piece.logprobs, piece.finish_reason) for piece in pieces_of(spelled)
    ] == [
        ("hm", "", None, None),
        ("", "a", tokens[:1], None),
        ("", "b", tokens[1:], "stop"),
    ]
    other = Sample(text="a b", logprobs=tokens, index=2)
    assert [(piece.text, piece.logprobs, piece.index) for piece in pieces_of(other)] == [
        ("a b", None, 2),
        ("", tokens, 2),
    ]
    assert [piece.text for piece in pieces_of(Sample(text=""))] == [""]
    assert watched(spelled, CutAfter(2)) == Sample(
        text="a", reasoning="hm", logprobs=tokens[:1], finish_reason="cut: enough"
    )
    assert watched(spelled, CutAfter()) is spelled


# --- cancelling ---------------------------------------------------------------------------------------------


async def until_streamed(progress, tokens):
    """Waits until a backend has taken in so many tokens."""
    while (usage := progress.streamed and progress.streamed()) is None or usage.completion_tokens < tokens:
        await anyio.lowlevel.checkpoint()


@KINDS
@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("half", [False, True], ids=["between events", "inside an event"])
async def test_a_cancelled_stream_is_charged_what_came_and_closed(serve, kind, most, half):
    server = await serve(answer=counting, flavour="llama.cpp", pause_after=most, half=half)
    server.gate.clear()
    progress = Progress()
    async with backend_of(kind, server, price=PRICE) as backend:
        await backend.prepare()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(backend.complete, CHAT.replace(progress=progress))
            await until_streamed(progress, most)
            tasks.cancel_scope.cancel()
        await server.until(lambda server: not server.in_flight)
    usage = progress.streamed()
    assert usage.completion_tokens == most == server.streamed
    assert usage.estimated
    assert usage.picodollars == usage.prompt_tokens + 10 * most + 100


async def test_a_call_of_which_nothing_has_come_has_no_progress(serve):
    server = await serve(script=[Fault.STALL])
    progress = Progress()
    async with backend_of("http", server) as backend, anyio.create_task_group() as tasks:
        tasks.start_soon(backend.complete, CHAT.replace(progress=progress, watch=CutAfter))
        await server.until(lambda server: server.calls == 1)
        assert progress.streamed() is None
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def run_on(server, tmp_path):
    """A controller over a server, after which ledger, journal and outcome must agree and nothing may be held."""
    events = []
    backend = HttpBackend(base_url=server.base_url, model="test", price=PRICE)
    async with Controller(
        models={"m": Model(backend=backend, retry=RetryPolicy(attempts=1))},
        budget=Budget(total_tokens=100_000, requests=1000, usd="1"),
        journal=str(tmp_path / "run.db"),
        recorders=[events.append],
    ) as controller:
        controller.seen = events
        yield controller
        statistics = controller.ledger.statistics()
        assert statistics.holds == statistics.held.total_tokens == statistics.held.requests == 0
        spent = controller.ledger.spent
    told = sum((event.usage for event in events if isinstance(event, CallSettled | CallFailed)), Usage())
    journal = Journal(tmp_path / "run.db", resume=True)
    written = journal.charged()
    assert journal.counts().in_doubt == 0
    journal.close()
    for name in ("prompt_tokens", "completion_tokens", "requests", "picodollars", "estimated"):
        assert getattr(spent, name) == getattr(written, name) == getattr(told, name), name


@pytest.mark.parametrize("flavour", ["plain", "llama.cpp"])
@pytest.mark.parametrize("most", [1, 4, 7])
async def test_leaving_the_loop_charges_the_other_streams_what_they_brought(serve, tmp_path, most, flavour):
    # The first call says one word and ends; the others have said `most` when the loop is left.
    server = await serve(
        answer=lambda body, choice: WORDS if "long" in str(body["messages"]) else "4",
        flavour=flavour,
        pause_after=most,
    )
    server.gate.clear()

    async def program(ctx, problem):
        brought = anyio.Event()
        watches = [CutAfter(seen=lambda number: number == most and arrived()) for _ in range(3)]
        left = [3]

        def arrived():
            left[0] -= 1
            if not left[0]:
                brought.set()

        class Watching:
            name = "test"

            def watch(self):
                return watches.pop()

        samples = ctx.sample("a long one", n=3, monitors=[Watching()])
        async with samples, anyio.create_task_group() as tasks:
            tasks.start_soon(anext, samples)
            await brought.wait()
            tasks.cancel_scope.cancel()
        return Outcome()

    async with run_on(server, tmp_path) as controller:
        outcome = await controller.run(program, "?")
        assert outcome.usage.completion_tokens == 3 * most == server.streamed
        assert outcome.usage.estimated
        failed = [event for event in controller.seen if isinstance(event, CallFailed)]
        assert [event.usage.completion_tokens for event in failed] == [most] * 3


@pytest.mark.parametrize("most", range(0, 16))
async def test_cancelled_while_it_streams_nothing_stays_held_and_all_books_agree(serve, tmp_path, most):
    """A run of three calls of two choices each, cancelled when `most` chunks in all have been seen."""
    server = await serve(answer=counting, flavour="llama.cpp")
    seen = [0]
    async with run_on(server, tmp_path) as controller:
        with anyio.CancelScope() as scope:

            class Watching:
                name = "test"

                def watch(self):
                    return CutAfter(6, seen=count)

            def count(number):
                seen[0] += 1
                if seen[0] == 2 * most:
                    scope.cancel()

            async def program(ctx, problem):
                async for _ in ctx.sample("go", n=6, per_call=2, max_tokens=20, monitors=[Watching()]):
                    pass
                return Outcome()

            if most == 0:
                scope.cancel()
            await controller.run(program, "?")


async def test_a_call_cancelled_before_its_first_token_stays_at_its_worst_case(serve, tmp_path):
    server = await serve(script=[Fault.STALL])

    async def program(ctx, problem):
        samples = ctx.sample("go", n=1, max_tokens=50, monitors=[Never()])
        async with samples, anyio.create_task_group() as tasks:
            tasks.start_soon(anext, samples)
            await server.until(lambda server: server.calls == 1)
            tasks.cancel_scope.cancel()
        return Outcome()

    async with run_on(server, tmp_path) as controller:
        outcome = await controller.run(program, "?")
        assert outcome.usage.completion_tokens == 50


class Never:
    name = "never"

    def watch(self):
        return CutAfter()


class Twice:
    name = "twice"

    def watch(self):
        return CutAfter(2)


class Broken:
    name = "broken"

    def watch(self):
        return self

    def feed(self, chunk):
        if "three" in chunk.text:
            raise LookupError("mine")


@pytest.mark.parametrize("streams", [True, False])
async def test_a_watch_that_raises_is_the_callers_error_and_leaks_nothing(serve, tmp_path, streams):
    server = await serve(answer=counting, streams=streams)
    caught = []

    async def program(ctx, problem):
        try:
            await ctx.complete("go", monitors=[Broken()])
        except LookupError as error:
            caught.append(error)
        return Outcome()

    async with run_on(server, tmp_path) as controller:
        outcome = await controller.run(program, "?")
        await server.until(lambda server: not server.in_flight)
    assert [str(error) for error in caught] == ["mine"]
    assert outcome.usage.completion_tokens == (3 if streams else 8)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'data: {"choices": [{"index": 0, "delta": {"content": "One"}}]}\n\n', ConnectionLostError),
        (b'data: {"choices": [{"index": 0, "delta": {"content": "One', ConnectionLostError),
    ],
)
async def test_a_stream_that_breaks_off_is_charged_its_worst_case(serve, tmp_path, body, error):
    broken = Canned(body=body, headers={"Content-Type": "text/event-stream"})
    server = await serve(script=[broken] * 6)

    async def program(ctx, problem):
        with pytest.raises(error):
            await ctx.complete("go", max_tokens=9, monitors=[Never()])
        return Outcome()

    async with run_on(server, tmp_path) as controller:
        outcome = await controller.run(program, "?")
        assert outcome.usage.completion_tokens == 9


def said(index, *words, end=None):
    """Events of a stream: words of one choice, and how it ended."""
    told = [{"index": index, "delta": {"content": word}} for word in words]
    told += [{"index": index, "delta": {}, "finish_reason": end}] if end else []
    return b"".join(b"data: " + json.dumps({"choices": [one]}).encode() + b"\n\n" for one in told)


@KINDS
@pytest.mark.parametrize(
    "rest", [b"", b'data: {"choices": [{"ind'], ids=["between events", "inside an event"]
)
async def test_of_a_stream_that_breaks_off_the_choices_that_had_ended_are_kept(serve, kind, rest):
    body = said(0, "One", " two") + said(2, "One", end="stop") + said(1, "One", " two", " three") + rest
    server = await serve(script=[Canned(body=body, headers={"Content-Type": "text/event-stream"})])
    async with backend_of(kind, server, price=PRICE) as backend:
        watch = in_turn(CutAfter(2), CutAfter(), CutAfter())
        samples = await backend.complete(CHAT.replace(n=3, watch=watch))
        prompt = await backend.count_prompt_tokens(CHAT)
    assert [(sample.text, sample.finish_reason) for sample in samples] == [
        ("One two", "cut: enough"),
        ("One", "stop"),
    ]
    charged = sum((sample.usage for sample in samples), Usage())
    assert charged.completion_tokens == 2 + 1 + 3, "the one that was lost is paid for too"
    assert charged.picodollars == prompt + 60 + 100
    assert all(sample.usage.estimated for sample in samples)


async def test_choices_that_were_lost_are_asked_for_again_and_no_others(serve, tmp_path):
    body = said(0, "One", " two") + said(2, "Three", end="stop") + said(1, "Lost")
    server = await serve(
        script=[Canned(body=body, headers={"Content-Type": "text/event-stream"})], answer=counting
    )

    async def program(ctx, problem):
        async with ctx.sample("go", n=3, per_call=3, max_tokens=9, monitors=[Twice()]) as samples:
            texts = [sample.text async for sample in samples]
        assert (sorted(texts), samples.failures) == (["One two", "One two", "Three"], [])
        return Outcome()

    async with run_on(server, tmp_path) as controller:
        outcome = await controller.run(program, "?")
        assert outcome.usage.completion_tokens == 2 + 1 + 1 + 2
        assert [seen.body.get("n", 1) for seen in server.seen] == [3, 1]
        assert not [event for event in controller.seen if isinstance(event, CallFailed)]


async def test_a_time_limit_in_the_middle_of_a_stream_keeps_the_choices_that_had_ended(serve):
    texts = ["One", WORDS]
    server = await serve(answer=lambda body, choice: texts[choice], flavour="llama.cpp", pause_after=4)
    server.gate.clear()
    async with backend_of("http", server, timeout=0.2) as backend:
        [sample] = await backend.complete(CHAT.replace(n=2, watch=CutAfter))
    assert (sample.text, sample.finish_reason) == ("One", "stop")
    assert sample.usage.completion_tokens == 4


async def test_a_stream_without_end_is_left_when_it_is_cut_and_when_its_time_is_over(serve, tmp_path):
    server = await serve(answer=counting, pause_after=2)
    server.gate.clear()
    async with backend_of("http", server, timeout=0.2) as backend:
        [sample] = await backend.complete(CHAT.replace(watch=lambda: CutAfter(2)))
        assert sample.text == "One two"
        with pytest.raises(BackendTimeoutError):
            await backend.complete(CHAT.replace(watch=lambda: CutAfter(3)))


# --- the scripted model -------------------------------------------------------------------------------------


async def test_a_scripted_choice_is_cut_at_a_token_and_charged_to_there():
    backend = ScriptedBackend([WORDS], price=PRICE)
    [sample] = await backend.complete(PLAIN.replace(watch=lambda: CutAfter(3)))
    assert (sample.text, sample.cut) == ("One two three", "enough")
    assert sample.usage == Usage(prompt_tokens=3, completion_tokens=3, requests=1, picodollars=133)


async def test_scripted_choices_are_written_side_by_side_and_all_charged_until_the_last_ends():
    backend = ScriptedBackend([WORDS, WORDS, Scripted(text="five", reasoning="One two three four")])
    watch = in_turn(CutAfter(2), CutAfter(4), CutAfter())
    samples = await backend.complete(PLAIN.replace(n=3, watch=watch))
    assert [sample.text for sample in samples] == ["One two", "One two three four", "five"]
    assert [sample.usage.completion_tokens for sample in samples] == [5, 5, 5]
    assert [sample.usage.reasoning_tokens for sample in samples] == [0, 0, 4]


@pytest.mark.parametrize("most", range(1, 8))
async def test_a_scripted_stream_that_is_cancelled_has_told_how_far_it_came(most):
    progress = Progress()
    with anyio.CancelScope() as scope:
        watch = CutAfter(seen=lambda number: number == most and scope.cancel())
        await ScriptedBackend([WORDS]).complete(PLAIN.replace(watch=lambda: watch, progress=progress))
    assert scope.cancelled_caught
    assert progress.streamed() == Usage(prompt_tokens=3, completion_tokens=most, requests=1, estimated=True)
