import pytest

from orchestrator.backends import FunctionBackend, Metered
from orchestrator.budget import Budget, Ledger
from orchestrator.errors import BudgetExceededError, InvalidInputError
from orchestrator.types import Capabilities, Price, Request, Sample, Usage

ASK = Request(prompt="twelve bytes", max_tokens=100)  # 14 tokens by the bound of its bytes
PROMPT = 14


def metered(budget, *, seen=None, price=None, context_length=None):
    async def answer(request):
        (seen if seen is not None else []).append(request)
        return [Sample(text="ok", usage=Usage(completion_tokens=1, requests=1))] * request.n

    backend = FunctionBackend(
        answer, price=price, capabilities=Capabilities(n=True, context_length=context_length)
    )
    account = Ledger(budget)
    return Metered(backend, account=account, emit=lambda event: None), account


async def test_the_worst_case_is_held_while_the_call_runs_and_given_back_after():
    held = []

    async def answer(request):
        held.append(request.hold.worst_case)
        return "ok"

    account = Ledger(Budget(total_tokens=1000))
    price = Price(input=2, output=3, request=5)
    backend = FunctionBackend(answer, price=price, capabilities=Capabilities(n=True))
    await Metered(backend, account=account, emit=lambda event: None).complete(ASK.replace(n=2))
    [worst] = held
    assert (worst.prompt_tokens, worst.completion_tokens, worst.requests) == (PROMPT, 200, 1)
    assert worst.picodollars == 2 * PROMPT + 3 * 200 + 5
    assert account.held == Usage()


@pytest.mark.parametrize(
    ("budget", "n", "max_tokens"),
    [
        (Budget(completion_tokens=300), 3, 100),
        (Budget(completion_tokens=299), 2, 100),
        (Budget(completion_tokens=99), 1, 99),
        (Budget(total_tokens=PROMPT + 250), 2, 100),
        (Budget(total_tokens=PROMPT + 16), 1, 16),
        (Budget(usd="0.000000001"), 1, 96),  # 1,000 picodollars: 2 x 14 the prompt, 5 the request, 967 left
    ],
)
async def test_what_does_not_fit_gets_fewer_choices_and_then_a_shorter_one(budget, n, max_tokens):
    seen = []
    backend, _ = metered(
        budget, seen=seen, price=Price(input=2, output=10, request=5) if budget.usd else None
    )
    await backend.complete(ASK.replace(n=3))
    expected = (n, max_tokens) if budget.usd is None else (1, (1000 - 2 * PROMPT - 5) // 10)
    assert (seen[0].n, seen[0].max_tokens) == expected


@pytest.mark.parametrize(
    ("budget", "resource"),
    [
        (Budget(requests=0), "requests"),
        (Budget(prompt_tokens=PROMPT - 1), "prompt_tokens"),
        (Budget(completion_tokens=15), "completion_tokens"),
        (Budget(total_tokens=PROMPT + 15), "total_tokens"),
        (Budget(usd="0.00000000003"), "usd"),  # less than the prompt alone costs
    ],
)
async def test_what_cannot_be_useful_even_shrunk_is_refused(budget, resource):
    seen = []
    backend, account = metered(budget, seen=seen, price=Price(input=3, output=1))
    with pytest.raises(BudgetExceededError) as caught:
        await backend.complete(ASK)
    assert caught.value.resource == resource
    assert seen == []
    assert account.held == Usage()


async def test_an_answer_is_capped_by_what_the_context_has_left():
    seen = []
    backend, _ = metered(None, seen=seen, context_length=PROMPT + 30)
    await backend.complete(ASK)
    assert seen[0].max_tokens == 30


async def test_a_prompt_that_fills_the_context_is_a_mistake_that_says_so():
    backend, _ = metered(None, context_length=PROMPT)
    with pytest.raises(InvalidInputError, match=r"the prompt has 14 tokens .* takes 14"):
        await backend.complete(ASK)


async def test_a_request_without_a_cap_has_no_worst_case():
    backend, _ = metered(None)
    with pytest.raises(InvalidInputError, match="max_tokens is missing"):
        await backend.complete(ASK.replace(max_tokens=None))
