"""Cut and cancelled streams free their slots on llama.cpp's server, and are charged what came."""

import anyio
import anyio.lowlevel
import pytest
from backends.watches import CutAfter

from orchestrator import Budget, Controller, Outcome
from orchestrator.backends.local import LocalBackend
from orchestrator.events import CallFailed, CallSettled
from orchestrator.runtime import Journal
from orchestrator.types import Usage

pytestmark = pytest.mark.local_model

STORY = "Write a long story about a fox and a river."


class Counting:
    """A monitor for tests, which cuts each sample at a number of tokens, and counts those of all."""

    name = "counting"

    def __init__(self, most=None):
        self.most, self.tokens, self.news = most, 0, anyio.Event()

    def watch(self):
        return CutAfter(self.most, seen=self.count)

    def count(self, number):
        self.tokens += 1
        self.news.set()

    async def until(self, tokens):
        while self.tokens < tokens:
            self.news = anyio.Event()
            await self.news.wait()


async def slots(backend):
    """Which of the server's slots are working."""
    return [slot["is_processing"] for slot in await backend._http._probe("/slots")]


async def freed(backend):
    with anyio.fail_after(5):  # a story of 900 tokens takes longer than that
        while any(await slots(backend)):
            await anyio.lowlevel.checkpoint()


async def test_slots_are_freed_and_the_books_agree_on_what_was_streamed(tmp_path):
    pytest.importorskip("xllamacpp")
    backend = LocalBackend("smollm2-135m-instruct", parallel=2, context_length=1024)
    cut, cancelled, events, facts = Counting(12), Counting(), [], {}

    async def program(ctx, problem):
        options = {"max_tokens": 900, "temperature": 1.0}
        facts["cut"] = [s async for s in ctx.sample(STORY, n=2, monitors=[cut], **options)]
        await freed(backend)
        samples = ctx.sample(STORY, n=2, monitors=[cancelled], **options)
        async with samples, anyio.create_task_group() as tasks:
            tasks.start_soon(anext, samples)
            await cancelled.until(30)
            facts["working"] = await slots(backend)
            tasks.cancel_scope.cancel()
        await freed(backend)
        return Outcome()

    async with Controller(
        models={"m": backend},
        budget=Budget(total_tokens=20_000),
        journal=str(tmp_path / "run.db"),
        recorders=[events.append],
    ) as controller:
        outcome = await controller.run(program, "?")
        statistics, spent = controller.ledger.statistics(), controller.ledger.spent
    assert statistics.holds == statistics.held.total_tokens == 0
    assert facts["working"] == [True, True]
    assert [sample.cut for sample in facts["cut"]] == ["counting: enough"] * 2
    prompts = {sample.usage.prompt_tokens for sample in facts["cut"]}
    [failed, settled] = [
        sum((event.usage for event in events if isinstance(event, kind)), Usage())
        for kind in (CallFailed, CallSettled)
    ]
    assert settled.completion_tokens == cut.tokens == 24
    assert failed.completion_tokens == cancelled.tokens
    assert len(prompts) == 1
    assert failed.prompt_tokens == settled.prompt_tokens == 2 * prompts.pop()
    assert outcome.usage.completion_tokens == spent.completion_tokens == cut.tokens + cancelled.tokens
    journal = Journal(tmp_path / "run.db", resume=True)
    assert journal.charged().total_tokens == spent.total_tokens
    journal.close()
