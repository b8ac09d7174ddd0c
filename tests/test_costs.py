"""What calls cost at most, by hand."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from orchestrator import Budget, Controller, Model, Problem, SelfConsistency, Single, Steps
from orchestrator.backends import ScriptedBackend
from orchestrator.costs import FREE, UNKNOWN, Cost, limited, repeated
from orchestrator.errors import InvalidInputError
from orchestrator.expressions import Size
from orchestrator.monitors import ThinkingBudget
from orchestrator.primitives import Return
from orchestrator.strategies import Strategy
from orchestrator.types import Capabilities
from orchestrator.verifiers import Judge

PROBLEM = Problem(id="p", prompt="one two three")


def costing(*, price=None, sampling=None, **capabilities):
    known = Capabilities(**{"chat": True, "n": True, **capabilities})
    backend = ScriptedBackend([], price=price, capabilities=known)
    controller = Controller(models={"m": Model(backend=backend, sampling=sampling or {})})
    return controller.costing(PROBLEM)


async def test_samples_are_requests_of_per_call_choices_each():
    found = await costing().draw("a b c", n=5, per_call=2, max_tokens=10)
    assert (found.calls, found.prompt_tokens, found.completion_tokens, found.candidates) == (3, 9, 50, 5)


@pytest.mark.parametrize(("known", "calls"), [({"n": False}, 5), ({"n": None}, 5), ({"parallel": 3}, 2)])
async def test_choices_come_in_one_request_only_where_the_model_is_known_to_give_them(known, calls):
    assert (await costing(**known).draw("a", n=5, per_call=5, max_tokens=1)).calls == calls


async def test_settings_are_resolved_as_a_run_resolves_them():
    by_model = costing(sampling={"max_tokens": 7})
    assert (await by_model.draw("a")).completion_tokens == 7
    assert (await by_model.draw("a", max_tokens=3)).completion_tokens == 3
    assert (await costing().draw("a")).completion_tokens == 1024


async def test_money_is_that_of_the_dearest_reading():
    price = {"input": 1, "output": 2, "cached_input": 3, "request": 0.5}
    found = await costing(price=price).draw("a b", n=2, max_tokens=10)
    assert found.usd == pytest.approx((2 * 2 * 3 + 20 * 2) / 1e6 + 2 * 0.5)
    assert (await costing().draw("a", max_tokens=1)).usd == math.inf


async def test_what_is_not_written_yet_counts_wherever_it_is_put():
    cost = costing()
    said = cost.unknown(30)
    found = await cost.draw(f"first {said} again {said}", max_tokens=1)
    assert found.prompt_tokens == 3 + 60  # "first", "again" on a line of its own, the end of one; twice 30
    assert (await cost.draw("a", inserted=5, max_tokens=1)).prompt_tokens == 6


async def test_a_problem_with_inserted_text_counts_it_in_every_prompt():
    inside = costing().with_problem(Problem(id="q", prompt="x"), inserted=40)
    assert (await inside.program(Single(max_tokens=1))).worst.prompt_tokens == 1 + 1 + 40


async def test_a_monitor_that_lets_a_sample_go_on_makes_further_calls():
    program = SelfConsistency(n=3, max_tokens=20, monitors=(ThinkingBudget(tokens=5),))
    found = (await costing().program(program)).worst
    assert found.calls == 6
    assert found.completion_tokens == 60  # what is left of the cap is what goes on


class Unsaid:
    """A program that is a function."""

    @staticmethod
    async def solve(ctx, problem):
        raise NotImplementedError


async def test_programs_and_verifiers_that_do_not_say_are_unknown():
    async def own(ctx, problem):
        raise NotImplementedError

    class Own:
        async def score(self, ctx, problem, candidates):
            raise NotImplementedError

    assert (await costing().program(own)).worst == UNKNOWN
    assert (await costing().scoring(Own(), 1, Size(tokens=1))).worst == UNKNOWN
    assert (await costing().scoring(Own(), 0, Size(tokens=1))).worst == FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice(Strategy):
    """Runs another program two times; does not say what it costs."""

    cost: ClassVar[str] = "2"
    inner: Any
    named: Mapping[str, Any] = field(default_factory=dict)
    most_calls: ClassVar[int] = 2


@pytest.mark.parametrize("inside", [Single(), Steps(steps=(Return(value="'4'"),)), Unsaid.solve, [Single()]])
async def test_a_strategy_of_ones_own_with_a_program_inside_is_unknown_unless_it_says(inside):
    assert (await costing().program(Twice(inner=inside))).worst == UNKNOWN
    assert (await costing().program(Twice(inner=None, named={"a": inside}))).worst == UNKNOWN
    assert (
        await costing().program(Twice(inner=Judge(), max_tokens=3))
    ).worst.completion_tokens == 2 * 3 + 2 * 16


async def test_nothing_can_be_sent():
    cost = costing()
    backend, request = cost.ctx.request("a")
    with pytest.raises(InvalidInputError, match="before anything is sent"):
        await backend.complete(request)


async def test_a_part_within_a_budget_costs_no_more_than_that():
    cost = Cost(calls=9, prompt_tokens=50, completion_tokens=70, usd=math.inf)
    within = limited(cost, Budget(requests=4, total_tokens=60, usd=2))
    assert within == Cost(calls=4, prompt_tokens=50, completion_tokens=60, usd=2, together=60)
    assert within.total_tokens == (within + within).total_tokens / 2 == 60
    assert (within + FREE, within.times(1), within.or_else(FREE)) == (within, within, within)
    assert limited(cost, Budget(total_tokens=120)).together is None
    assert limited(cost, None) is cost


async def test_fewer_calls_have_fewer_tokens_and_these_cost_less():
    price = {"input": 1, "output": 2, "cached_input": 3, "request": 0.5}
    cost = costing(price=price)
    found = await cost.draw("a b", n=9, max_tokens=10, alike=True)
    found += await cost.draw("a b c d", n=2, max_tokens=5, alike=True)
    within = limited(found, Budget(requests=2))
    assert (within.calls, within.prompt_tokens, within.completion_tokens) == (2, 8, 20)
    assert within.usd == pytest.approx((8 * 3 + 20 * 2) / 1e6 + 2 * 0.5)
    within = limited(found, Budget(total_tokens=30))
    assert (within.prompt_tokens, within.completion_tokens, within.total_tokens) == (26, 30, 30)
    assert within.usd == pytest.approx((26 * 3 + 4 * 2) / 1e6 + 11 * 0.5)
    assert limited(found, Budget()) == limited(found, Budget(requests=11)) == found
    for unsaid in (Cost(calls=1, prompt_tokens=1, usd=1), UNKNOWN):
        tokens = (found + unsaid).prompt_tokens
        assert limited(found + unsaid, Budget(requests=2)).prompt_tokens == tokens
    assert limited(found + Cost(candidates=1), Budget(requests=2)).prompt_tokens == 8


async def test_of_fewer_calls_than_a_mean_is_taken_over_nothing_is_known():
    found = await costing(price={"input": 1, "output": 1}).draw("a", n=3, inserted=10, max_tokens=10)
    within = limited(found, Budget(requests=1))
    assert (within.calls, within.prompt_tokens, within.completion_tokens) == (1, 33, 30)
    program = SelfConsistency(n=3, max_tokens=20, monitors=(ThinkingBudget(tokens=5),))
    watched = (await costing().program(program)).worst
    assert limited(watched, Budget(requests=1)).completion_tokens == 60


async def test_a_request_may_have_all_choices_that_it_is_allowed():
    found = await costing(n=None).draw("a", n=6, per_call=4, max_tokens=10, alike=True)
    assert found.calls == 6
    assert limited(found, Budget(requests=1)).completion_tokens == 40


async def test_costs_add_up_and_no_times_what_is_unknown_is_nothing():
    one = Cost(calls=1, prompt_tokens=2, completion_tokens=3, usd=4, candidates=5)
    assert one + one == one.times(2)
    assert UNKNOWN.times(0) == FREE
    assert one.or_else(FREE) == one


async def test_a_repeated_part_says_how_often():
    [answers] = (await costing().program(Single(max_tokens=4))).parts
    thrice = repeated(answers, 3)
    assert (thrice.worst.calls, thrice.worst.completion_tokens) == (3, 12)
    assert thrice.note.startswith("3 times")


async def test_a_judge_costs_its_prompt_with_the_candidate_for_each_of_them():
    one = await costing().scoring(Judge(), 1, Size(tokens=0))
    more = await costing().scoring(Judge(), 3, Size(tokens=100))
    assert more.worst.calls == 3
    assert more.worst.completion_tokens == 3 * 16
    assert more.worst.prompt_tokens == 3 * (one.worst.prompt_tokens + 99)  # an empty one counts as a token


async def test_the_bound_is_reached_by_samples_that_fill_their_caps():
    backend = ScriptedBackend(lambda request: "word " * 50, price={"input": 1, "output": 2})
    async with Controller(models={"m": backend}) as controller:
        program = SelfConsistency(n=3, max_tokens=10)
        worst = (await controller.costing(PROBLEM).program(program)).worst
        spent = (await controller.run(program, PROBLEM)).usage
    assert (worst.calls, worst.prompt_tokens, worst.completion_tokens) == (
        spent.requests,
        spent.prompt_tokens,
        spent.completion_tokens,
    )
    assert worst.usd == pytest.approx(spent.picodollars / 1e12)
