"""What a reply is charged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.backends.accounting import apportion, missing_counts, settle
from orchestrator.backends.wire import Choice, Reply, Reported
from orchestrator.types import Price, Request, Sample, TokenLogprob, Usage

ASK = Request(prompt="abc", max_tokens=50)
PRICE = Price(input=2, output=10, cached_input=1, request=5)


def reply(*choices: Choice, llama_cpp: bool = False, **reported: int) -> Reply:
    return Reply(choices=choices, reported=Reported(**reported), llama_cpp=llama_cpp)


def settled(
    answer: Reply, request: Request = ASK, *, counts: tuple[int | None, ...] = (), price: Price | None = PRICE
) -> list[Sample]:
    return settle(answer, request, prompt_tokens=99, counts=counts, price=price, seconds=1.5)


def written(samples: list[Sample]) -> list[int]:
    return [sample.usage.completion_tokens for sample in samples]


def text(value: str, finish: str = "stop", probabilities: int = 0, tokens: int | None = None) -> Choice:
    logprobs = tuple(TokenLogprob(token="x", logprob=-1.0) for _ in range(probabilities)) or None
    return Choice(text=value, finish_reason=finish, logprobs=logprobs, tokens=tokens)


def test_the_money_of_a_call_is_exact() -> None:
    answer = reply(text("a"), prompt_tokens=10, completion_tokens=7, cached_tokens=4, reasoning_tokens=3)
    [sample] = settled(answer)
    assert sample.usage == Usage(
        prompt_tokens=10,
        completion_tokens=7,
        requests=1,
        picodollars=6 * 2 + 4 * 1 + 7 * 10 + 5,
        cached_tokens=4,
        reasoning_tokens=3,
        seconds=1.5,
    )


def test_a_total_is_shared_by_length_and_adds_up() -> None:
    answer = reply(text("aa"), text("aaaaaa"), text(""), prompt_tokens=3, completion_tokens=9)
    samples = settled(answer, ASK.replace(n=3))
    assert written(samples) == [2, 7, 0]
    total = sum((sample.usage for sample in samples), Usage())
    assert total.picodollars == PRICE.cost(3, 9)


def test_llama_cpp_unstreamed_counts_one_choice_and_is_not_believed() -> None:
    choices = [text("w " * 200, "length")] * 4
    answer = reply(*choices, llama_cpp=True, prompt_tokens=3, completion_tokens=200)
    request = ASK.replace(n=4, max_tokens=200)
    assert missing_counts(answer, request) == [0, 1, 2, 3]
    samples = settled(answer, request, counts=(200, 200, 200, 200))
    assert sum(written(samples)) == 800
    assert all(sample.usage.estimated for sample in samples)
    # Without a tokenizer: the cap.
    assert sum(written(settled(answer, request))) == 800


def test_logprobs_count_tokens_and_show_a_total_that_cannot_be() -> None:
    answer = reply(
        text("a", probabilities=4), text("b", probabilities=6), prompt_tokens=3, completion_tokens=4
    )
    request = ASK.replace(n=2)
    assert missing_counts(answer, request) == []
    assert written(settled(answer, request)) == [4, 6]
    honest = reply(
        text("a", probabilities=4), text("b", probabilities=6), prompt_tokens=3, completion_tokens=10
    )
    samples = settled(honest, request)
    assert written(samples) == [4, 6]
    assert not samples[0].usage.estimated


def test_choices_cut_by_the_cap_show_a_total_that_cannot_be() -> None:
    answer = reply(text("a", "length"), text("b", "length"), prompt_tokens=3, completion_tokens=50)
    samples = settled(answer, ASK.replace(n=2))
    assert written(samples) == [50, 50]
    assert samples[1].usage.estimated


def test_choices_the_server_counted_are_exact() -> None:
    answer = reply(text("a", tokens=3), text("b", tokens=4), llama_cpp=True, prompt_tokens=3)
    samples = settled(answer, ASK.replace(n=2))
    assert written(samples) == [3, 4]
    assert not samples[0].usage.estimated


@pytest.mark.parametrize(
    ("cap", "counts", "tokens"),
    # The cap, the tokenizer's count and the end, the bytes of the text and the end.
    [(50, (), 50), (50, (7,), 8), (None, (), 6), (None, (None,), 6)],
)
def test_missing_usage_is_counted_or_taken_at_its_worst(
    cap: int | None, counts: tuple[int | None, ...], tokens: int
) -> None:
    [sample] = settled(reply(text("Grö!")), ASK.replace(max_tokens=cap), counts=counts)
    assert (sample.usage.completion_tokens, sample.usage.prompt_tokens) == (tokens, 99)
    assert sample.usage.estimated


def test_a_zero_that_cannot_be_is_missing() -> None:
    [sample] = settled(reply(text("words"), prompt_tokens=0, completion_tokens=0))
    assert (sample.usage.completion_tokens, sample.usage.prompt_tokens, sample.usage.estimated) == (
        50,
        99,
        True,
    )
    [empty] = settled(reply(text(""), prompt_tokens=3, completion_tokens=0))
    assert (empty.usage.completion_tokens, empty.usage.estimated) == (0, False)


def test_tokens_above_the_cap_are_charged_as_reported() -> None:
    [sample] = settled(reply(text("long"), prompt_tokens=3, completion_tokens=80))
    assert (sample.usage.completion_tokens, sample.usage.estimated) == (80, False)


def test_choices_beyond_those_asked_for_are_charged_and_not_returned() -> None:
    answer = reply(text("aa"), text("aa"), text("aa"), prompt_tokens=3, completion_tokens=30)
    samples = settled(answer, ASK.replace(n=2))
    assert written(samples) == [15, 15]


@given(st.integers(0, 10**6), st.lists(st.integers(0, 1000), min_size=1, max_size=8))
def test_parts_are_whole_add_up_and_keep_to_their_share(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    if sum(weights):
        exact = [total * weight / sum(weights) for weight in weights]
        assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=5),
    st.integers(0, 300),
    st.integers(1, 6),
)
def test_the_usages_of_all_samples_add_up_to_the_price_of_the_request(
    lengths: list[tuple[int, int]], total: int, n: int
) -> None:
    choices = [text("a" * length, probabilities=probabilities) for length, probabilities in lengths]
    samples = settled(reply(*choices, prompt_tokens=3, completion_tokens=total), ASK.replace(n=n))
    used = sum((sample.usage for sample in samples), Usage())
    assert len(samples) == min(n, len(lengths))
    assert used.picodollars == PRICE.cost(3, used.completion_tokens)
    assert used.completion_tokens == total or used.estimated
