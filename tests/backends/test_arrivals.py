"""Results on record have their turns in the order they came in, whatever order they are asked for in."""

import asyncio

import anyio
import pytest

from orchestrator.backends import arrivals as module
from orchestrator.backends.arrivals import SETTLING, Arrivals


async def passes(count=SETTLING + 5):
    for _ in range(count):
        await asyncio.sleep(0)


class Calls:
    """Calls that note when they have their turn."""

    def __init__(self, tasks, order=()):
        self.tasks, self.arrivals, self.seen = tasks, Arrivals((key, "") for key in order), []

    def ask(self, key, *, then=None, asked=""):
        async def call():
            await self.arrivals.recorded(key, asked)
            self.seen.append(key)
            if then is not None:
                then()

        return self.tasks.create_task(call())

    def come(self, key):
        async def call():
            await self.arrivals.new()
            self.seen.append(key)

        return self.tasks.create_task(call())

    def send(self, key):
        async def call():
            await self.arrivals.sending()
            self.seen.append(key)

        return self.tasks.create_task(call())


async def test_they_have_their_turns_in_the_order_they_came_in():
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "abcd")
        for key in "dbca":
            calls.ask(key)
    assert calls.seen == ["a", "b", "c", "d"]


async def test_one_that_is_asked_for_late_is_waited_for():
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "abc")
        calls.ask("c")
        calls.ask("b")
        await passes()
        assert calls.seen == []
        calls.ask("a")
    assert calls.seen == ["a", "b", "c"]


async def test_what_follows_from_a_result_comes_before_the_next():
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "abc")
        loser = calls.ask("b")
        calls.ask("c")
        calls.ask("a", then=lambda: tasks.create_task(after_ten_passes()))

        async def after_ten_passes():
            await passes(10)
            loser.cancel()

    assert calls.seen == ["a", "c"]


async def test_a_new_result_comes_after_those_on_record():
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "ab")
        calls.ask("a", then=lambda: calls.ask("b"))
        calls.come("new")
    assert calls.seen == ["a", "b", "new"]


async def test_a_call_is_sent_after_the_results_that_are_there():
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "ab")
        calls.send("loser").cancel()
        unwanted = calls.send("unwanted")
        calls.send("sent")
        calls.come("new")
        calls.ask("failed before")
        calls.ask("a", then=lambda: calls.ask("b", then=unwanted.cancel))
    assert calls.seen == ["a", "b", "new", "failed before", "sent"]


async def test_a_call_does_not_wait_for_a_result_that_nobody_asks_for():
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "ab")
        waiting = calls.ask("b")
        await asyncio.gather(*[calls.send(key) for key in "cd"])
        assert calls.seen == ["c", "d"]
        waiting.cancel()


async def test_a_new_result_does_not_wait_for_one_that_nobody_asks_for():
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "ab")
        waiting = calls.ask("b")
        await calls.come("new")
        assert calls.seen == ["new"]
        waiting.cancel()


async def test_new_results_alone_come_as_they_come():
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks)
        for key in "ba":
            calls.come(key)
        calls.ask("failed before")
    assert calls.seen == ["b", "a", "failed before"]


async def test_a_call_that_asks_something_else_now_is_not_waited_for():
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "ab")
        calls.ask("b")
        await passes()
        calls.arrivals.asked("a")
    assert calls.seen == ["b"]


@pytest.mark.parametrize(("asked", "seen"), [("one", "abcd"), ("other", "bcad")])
async def test_of_what_a_call_has_asked_only_what_it_asks_now_is_waited_for(asked, seen):
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks)
        order = [("a", "one"), ("b", ""), ("c", ""), ("a", "other"), ("d", "")]
        calls.arrivals = Arrivals(order)
        for key in "dcb":
            calls.ask(key)
        calls.ask("a", asked=asked)
    assert "".join(calls.seen) == seen


async def test_after_a_while_those_that_are_there_go_on_in_order(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "abcd")
        calls.ask("d")
        calls.ask("b")
    assert calls.seen == ["b", "d"]


@pytest.mark.parametrize("cancelled", ["a", "b", "c"])
async def test_one_that_is_cancelled_leaves_its_place(cancelled):
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(tasks, "abc")
        asked = {key: calls.ask(key) for key in "cb"}
        await passes()
        asked["a"] = calls.ask("a")
        asked[cancelled].cancel()
    assert calls.seen == [key for key in "abc" if key != cancelled]


async def test_two_thousand_asked_for_in_the_wrong_order_come_in_theirs():
    with anyio.fail_after(5):
        async with asyncio.TaskGroup() as tasks:
            calls = Calls(tasks, range(2000))
            for key in reversed(range(2000)):
                calls.ask(key)
    assert calls.seen == list(range(2000))
