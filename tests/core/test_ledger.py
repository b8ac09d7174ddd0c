"""The ledger in C++ against the plain one, and against real threads."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import _core

from ..reference import ledger as reference

LARGEST = reference.LARGEST
STATISTICS = (
    "spent",
    "held",
    "kept",
    "overrun",
    "cached_tokens",
    "reasoning_tokens",
    "microseconds",
    "estimated",
    "holds",
    "overruns",
    "refusals",
)
REFUSAL = ("height", "account", "resource", "requested", "remaining", "in_flight")

amount = st.one_of(st.integers(0, 60), st.sampled_from([-1, 0, LARGEST - 30, LARGEST]))
limit = st.one_of(st.none(), st.integers(0, 200), st.just(LARGEST))
limits = st.lists(limit, min_size=5, max_size=5)
deadline = st.one_of(st.none(), st.integers(0, 40))
charges = st.tuples(amount, amount, amount, amount, amount, amount, amount, st.booleans())
reservations = st.lists(amount, min_size=5, max_size=5)
which = st.integers(0, 10**6)

actions = st.one_of(
    st.tuples(st.just("reserve"), which, reservations),
    st.tuples(st.just("reserve"), which, st.lists(st.integers(0, 40), min_size=5, max_size=5)),
    st.tuples(st.just("keep"), which, reservations),
    st.tuples(st.just("keep"), which, st.lists(st.integers(0, 40), min_size=5, max_size=5)),
    st.tuples(st.just("give_up"), which, st.none()),
    st.tuples(st.just("commit"), which, charges),
    st.tuples(st.just("settle"), which, charges),
    st.tuples(st.just("charge"), which, charges),
    st.tuples(st.just("top_up"), which, st.none()),
    st.tuples(st.just("release"), which, st.none()),
)


class Both:
    """A run with two problems and a branch under the first, in C++ and in the plain model."""

    def __init__(self, all_limits: list[list[int | None]], deadlines: list[int | None]) -> None:
        self.fast: list[_core.Account] = []
        self.slow: list[reference.Account] = []
        for label, above, limits, end in zip(
            ("run", "one", "two", "branch"), (None, 0, 0, 1), all_limits, deadlines, strict=True
        ):
            self.fast.append(
                _core.Account(
                    label=label,
                    limits=limits,
                    deadline=end,
                    parent=None if above is None else self.fast[above],
                )
            )
            self.slow.append(
                reference.Account(label, limits, end, None if above is None else self.slow[above])
            )
        self.holds: list[tuple[_core.AccountHold, reference.Hold]] = []

    def do(self, action: str, which: int, numbers: Any, now: int) -> None:
        account = which % 4
        if action == "reserve":
            self.same(
                lambda: self.fast[account].reserve(*numbers, now),
                lambda: self.slow[account].reserve(list(numbers), now),
            )
        elif action == "keep":
            self.same(
                lambda: self.fast[account].keep(*numbers), lambda: self.slow[account].keep(list(numbers))
            )
        elif action == "give_up":
            self.same(self.fast[account].give_up, self.slow[account].give_up)
        elif action == "charge":
            up = self.slow[account].chain()
            below = [None, *up][which // 4 % (len(up) + 1)]
            fast_below = None if below is None else self.fast[self.slow.index(below)]
            self.same(
                lambda: self.fast[account].charge(fast_below, *numbers),
                lambda: self.slow[account].charge(below, reference.Charge(*numbers)),
            )
        elif self.holds:
            fast, slow = self.holds[which % len(self.holds)]
            if action == "top_up":
                self.same(lambda: fast.top_up(now), lambda: slow.top_up(now))
            elif action == "release":
                self.same(fast.release, slow.release)
            else:
                self.same(
                    lambda: getattr(fast, action)(*numbers),
                    lambda: getattr(slow, action)(reference.Charge(*numbers)),
                )

    def same(self, fast: Callable[[], Any], slow: Callable[[], Any]) -> None:
        expected, got = outcome(slow), outcome(fast)
        if isinstance(expected, reference.Hold):
            assert isinstance(got, _core.AccountHold)
            self.holds.append((got, expected))
        elif isinstance(expected, reference.Refusal):
            assert [getattr(got, name) for name in REFUSAL] == list(vars(expected).values())
        else:
            assert got == expected

    def compare(self) -> None:
        for fast, slow in zip(self.fast, self.slow, strict=True):
            state = fast.statistics()
            assert {name: getattr(state, name) for name in STATISTICS} == {
                name: getattr(slow, name) for name in STATISTICS
            }
            headroom = fast.headroom()
            assert (headroom.alone, headroom.free) == slow.headroom()
            for amounts in ([1] * 5, [0, 20, 20, 1, 0]):
                assert fast.covering(amounts) == slow.covering(amounts)
        for held, model in self.holds:
            assert (held.held, held.open, held.worst_case) == (model.held, model.open, model.worst_case)


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (ValueError, RuntimeError) as error:  # the core's is an InvalidInputError, a ValueError
        return isinstance(error, ValueError), str(error)


@given(
    st.lists(limits, min_size=4, max_size=4),
    st.lists(deadline, min_size=4, max_size=4),
    st.lists(actions, max_size=40),
)
def test_any_sequence_of_actions_does_what_the_plain_ledger_does(
    all_limits: list[list[int | None]], deadlines: list[int | None], sequence: list[Any]
) -> None:
    both = Both(all_limits, deadlines)
    for now, (action, which, numbers) in enumerate(sequence):
        both.do(action, which, numbers, now)
        both.compare()


def test_charging_below_an_account_that_is_not_above_is_an_error() -> None:
    run = _core.Account(label="run", limits=[None] * 5, deadline=None, parent=None)
    one = _core.Account(label="one", limits=[None] * 5, deadline=None, parent=run)
    two = _core.Account(label="two", limits=[None] * 5, deadline=None, parent=run)
    with pytest.raises(ValueError, match="cannot charge one below two"):
        one.charge(two, 1, 1, 1, 1, 0, 0, 0, False)
    assert run.statistics().spent == [0, 0, 0, 0, 0]


def test_a_negative_limit_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="requests must be at least 0, got -1"):
        _core.Account(label="run", limits=[None, None, None, -1, None], deadline=None, parent=None)


def test_threads_never_exceed_a_limit_and_balance_to_zero_held() -> None:
    limits = [None, None, 30_000, 1_500, None]
    run = _core.Account(label="run", limits=limits, deadline=None, parent=None)
    problems = [
        _core.Account(label=str(i), limits=[None, 9_000, None, None, None], deadline=None, parent=run)
        for i in range(3)
    ]
    books, refusals, above = [0] * 4, [0] * 4, []

    def work(me: int) -> None:
        chance, holds = random.Random(me), []
        for _ in range(2_000):
            if chance.random() < 0.5 or not holds:
                most = chance.randrange(100)
                problem = chance.choice(problems)
                if chance.random() < 0.3:
                    finishing = _core.Account(
                        label="finish", limits=[None] * 5, deadline=None, parent=problem
                    )
                    finishing.keep(0, most, most, 1, 0)
                    problem = chance.choice([problem, finishing])
                held = problem.reserve(0, most, most, 1, 0, 0)
                if isinstance(held, _core.Refusal):
                    refusals[me] += 1
                else:
                    holds.append((held, most))
                state = run.statistics()
                taken = [sum(figures) for figures in zip(state.spent, state.held, state.kept, strict=True)]
                if taken[2] > 30_000 or taken[3] > 1_500:
                    above.append(state)
                continue
            held, most = holds.pop(chance.randrange(len(holds)))
            if chance.random() < 0.5:
                used = chance.randint(0, most)
                held.commit(0, used, 1, 0, 0, 0, 0, False)
                books[me] += used
            elif chance.random() < 0.5:
                held.release()

    threads = [threading.Thread(target=work, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert above == []
    assert sum(refusals) > 0
    assert run.statistics().spent[2] == sum(books) == sum(p.statistics().spent[2] for p in problems)
    assert all(account.statistics().held == [0] * 5 for account in (run, *problems))
    assert all(account.statistics().kept == [0] * 5 for account in (run, *problems))
    assert run.statistics().holds == 0
