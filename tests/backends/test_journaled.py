import anyio
import pytest

from orchestrator.backends import Journaled, ScriptedBackend
from orchestrator.backends.journaled import charge_for
from orchestrator.errors import (
    BackendTimeoutError,
    ConnectFailedError,
    ConnectionLostError,
    JournalError,
    MalformedResponseError,
    StatusError,
)
from orchestrator.types import Request, Usage

ASK = Request(messages=({"role": "user", "content": "hi"},), max_tokens=8)
WORST = Usage(prompt_tokens=10, completion_tokens=100, requests=1, picodollars=7)


class Written:
    """Awaited when somebody waits for a row; may be left alone, as the journal's futures may."""

    def __init__(self, rows):
        self.rows = rows

    def __await__(self):
        self.rows.append(("written",))
        yield from ()


class Log:
    """Keeps rows in order; `dead` from the first failure on."""

    def __init__(self):
        self.rows, self.dead = [], False

    def intend(self, request, *, model, price):
        self.rows.append(("intent", model))
        return len(self.rows), Written(self.rows)

    def finish(self, row, *, usage, samples=(), error=None, cancelled=False):
        if self.dead:
            raise JournalError("the disk is full")
        self.rows.append(("cancelled" if cancelled else "error" if error else "ok", usage))
        return Written(self.rows)


class Hold:
    worst_case = WORST

    def __init__(self, rows):
        self.rows = rows

    def commit(self, usage):
        self.rows.append(("commit", usage.completion_tokens))

    def settle(self, usage):
        self.rows.append(("settle", usage.completion_tokens))


def journaled(script, log):
    return Journaled(ScriptedBackend(script), log=log, emit=lambda event: None)


@pytest.mark.parametrize(
    "error", [StatusError.of(429, "slow"), StatusError.of(500, "oops"), ConnectFailedError("nobody there")]
)
def test_what_the_server_refused_or_never_got_costs_a_request_and_no_tokens(error):
    assert charge_for(error, WORST) == Usage(requests=1)


@pytest.mark.parametrize(
    "error", [ConnectionLostError("cut"), BackendTimeoutError("late"), MalformedResponseError("{")]
)
def test_a_lost_answer_is_charged_at_its_worst_case(error):
    charged = charge_for(error, WORST)
    assert (charged.prompt_tokens, charged.completion_tokens, charged.picodollars) == (10, 100, 7)
    assert charged.estimated


async def test_the_intent_is_written_before_the_call_and_the_result_before_its_sample_is_given_out():
    log = Log()
    [sample] = await journaled(["four"], log).complete(ASK.replace(hold=Hold(log.rows)))
    assert [row[0] for row in log.rows] == ["intent", "written", "commit", "ok", "written"]
    assert sample.text == "four"


async def test_a_failed_attempt_is_settled_and_recorded_and_says_what_it_cost():
    log = Log()
    with pytest.raises(ConnectionLostError) as caught:
        await journaled([ConnectionLostError("cut")], log).complete(ASK.replace(hold=Hold(log.rows)))
    assert [row[0] for row in log.rows] == ["intent", "written", "settle", "error"]
    assert caught.value.usage.completion_tokens == 100


async def test_a_cancelled_call_stays_cancelled_although_the_journal_is_dead():
    log, never = Log(), anyio.Event()

    class Stuck(ScriptedBackend):
        async def complete(self, request):
            await never.wait()

    backend = Journaled(Stuck([]), log=log, emit=lambda event: None)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(backend.complete, ASK.replace(hold=Hold(log.rows)))
            await anyio.wait_all_tasks_blocked()
            log.dead = True
            scope.cancel()
    assert scope.cancelled_caught
    assert log.rows[-1] == ("settle", 100)
