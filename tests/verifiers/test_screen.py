"""A rule before a judge: what it refuses is not shown, what it cannot tell passes."""

import pytest
from verifiers.test_judge import judged, values

from orchestrator.backends import ScriptedBackend
from orchestrator.budget import Budget
from orchestrator.contracts import compares
from orchestrator.errors import BackendError, BudgetExceededError, InvalidInputError
from orchestrator.verifiers import Judge, Predicate, Regex, Screen, SelfCertainty, StateVote

EVEN = Regex(pattern="[02468]")


async def test_what_the_first_refuses_is_0_and_the_second_never_sees_it():
    backend = ScriptedBackend(["10", "1"])
    scores, _, outcome = await judged(backend, Screen(first=EVEN, then=Judge()), "2", "3", "4")
    assert [score.value for score in scores] == [1.0, 0.0, 0.0]
    assert scores[1].reason == "refused by regex: the pattern is not found"
    assert outcome.usage.requests == 2


async def test_nothing_is_asked_when_all_are_refused():
    assert await values([], Screen(first=EVEN, then=Judge()), "1", "3") == [0.0, 0.0]


async def test_an_abstention_and_a_failure_of_the_first_pass():
    unsure = Predicate(function=lambda problem, candidate: None)
    assert await values(["10"], Screen(first=unsure, then=Judge()), "a") == [1.0]
    script = [BackendError("down"), "10"]
    assert await values(script, Screen(first=Judge(), then=Judge()), "a") == [1.0]


async def test_at_least_says_what_passes():
    script = {"harsh": ["5", "6"], "mild": ["10"]}
    first, then = (Judge(rubric=word, lowest=0, highest=10) for word in ("harsh", "mild"))
    assert await values(script, Screen(first=first, then=then, at_least=0.6), "a", "b") == [0.0, 1.0]


async def test_a_budget_that_leaves_the_second_nothing_keeps_what_was_refused():
    backend = ScriptedBackend(["10"])
    none = Budget(total_tokens=1)
    scores, _, _ = await judged(backend, Screen(first=EVEN, then=Judge()), "2", "3", budget=none)
    assert [score.value for score in scores] == [None, 0.0]
    with pytest.raises(BudgetExceededError):
        await judged(backend, Screen(first=EVEN, then=Judge()), "2", budget=none)


def test_it_compares_and_reads_log_probabilities_as_its_parts_do():
    assert not compares(Screen(first=EVEN, then=Judge()))
    assert compares(Screen(first=EVEN, then=StateVote()))
    assert Screen(first=EVEN, then=SelfCertainty()).logprobs == SelfCertainty().logprobs
    assert Screen(first=EVEN, then=EVEN).logprobs is None


@pytest.mark.parametrize("at_least", [0.0, 1.1, float("nan")])
def test_a_threshold_out_of_range_is_refused(at_least):
    with pytest.raises(InvalidInputError, match="at_least"):
        Screen(first=EVEN, then=EVEN, at_least=at_least)
