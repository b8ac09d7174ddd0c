"""Upper bounds on what calls use: requests, tokens and money."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce

from ..budget import Budget
from ..types import PICODOLLARS_PER_USD, Price, Usage

__all__ = ["FREE", "UNKNOWN", "Cost", "Rates", "cost_of", "limited", "priced"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What one call, or one token, takes at most among several calls; `math.inf` where that is not known.

    Attributes:
        prompt: Prompt tokens of a call.
        completion: Completion tokens of a call, over all choices.
        input: Picodollars of a prompt token.
        output: Picodollars of a completion token.
        request: Picodollars of a call besides those of its tokens.
    """

    prompt: float = math.inf
    completion: float = math.inf
    input: float = math.inf
    output: float = math.inf
    request: float = math.inf

    def __or__(self, other: Rates) -> Rates:
        """Those of the calls of both."""
        return Rates(
            prompt=max(self.prompt, other.prompt),
            completion=max(self.completion, other.completion),
            input=max(self.input, other.input),
            output=max(self.output, other.output),
            request=max(self.request, other.request),
        )

    def usd(self, cost: Cost) -> float:
        """US dollars that so many calls with so many tokens take at most, whichever these are."""
        if math.inf in (self.input, self.output, self.request):
            return math.inf
        kinds = [(self.input, cost.prompt_tokens), (self.output, cost.completion_tokens)]
        (price, tokens), (lower, others) = sorted(kinds, reverse=True)
        if cost.together is not None:  # the dearer ones first
            tokens = min(tokens, cost.together)
            others = min(others, cost.together - tokens)
        picodollars = _product(price, tokens) + _product(lower, others) + _product(self.request, cost.calls)
        return picodollars / PICODOLLARS_PER_USD


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Upper bounds on what calls use; `math.inf` where none is known. Adds up with `+`.

    Attributes:
        calls: Requests.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written, over all choices.
        usd: Money, in US dollars; `math.inf` also where a model's price is not known.
        candidates: Candidates that can come of them: choices drawn, texts that programs return as their own, and
            ballots of a vote.
        together: Prompt and completion tokens together, where these are fewer than the two bounds' sum, as a budget
            of all tokens makes them; else None.
        rates: What one of the calls, and one of the tokens, takes at most; None where nothing is known of them.
    """

    calls: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0
    usd: float = 0.0
    candidates: float = 0.0
    together: float | None = None
    rates: Rates | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.together is not None and self.together >= self.prompt_tokens + self.completion_tokens:
            object.__setattr__(self, "together", None)

    @property
    def total_tokens(self) -> float:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens if self.together is None else self.together

    @property
    def _takes(self) -> bool:
        return bool(self.calls or self.prompt_tokens or self.completion_tokens or self.usd)

    def __add__(self, other: Cost) -> Cost:
        return _each(operator.add, self, other)

    def times(self, number: float) -> Cost:
        """This cost `number` times; 0 times an unknown one is nothing."""
        return _each(lambda one, _: _product(one, number), self, self)

    def or_else(self, other: Cost) -> Cost:
        """The greater of two in each kind: what costs either this or `other`."""
        return _each(max, self, other)


def _product(one: float, other: float) -> float:
    """0 times what is not known is nothing."""
    return one * other if one and other else 0.0


def _each(joined: Callable[[float, float], float], one: Cost, other: Cost) -> Cost:
    return Cost(
        calls=joined(one.calls, other.calls),
        prompt_tokens=joined(one.prompt_tokens, other.prompt_tokens),
        completion_tokens=joined(one.completion_tokens, other.completion_tokens),
        usd=joined(one.usd, other.usd),
        candidates=joined(one.candidates, other.candidates),
        together=joined(one.total_tokens, other.total_tokens),
        rates=_rates_of(one, other),
    )


def _rates_of(*costs: Cost) -> Rates | None:
    """Those of all that takes anything."""
    rates = [cost.rates for cost in costs if cost._takes]
    known = [one for one in rates if one is not None]
    return reduce(operator.or_, known) if known and len(known) == len(rates) else None


FREE = Cost()
UNKNOWN = Cost(
    calls=math.inf, prompt_tokens=math.inf, completion_tokens=math.inf, usd=math.inf, candidates=math.inf
)


def cost_of(usage: Usage) -> Cost:
    """What was used, as a bound on itself."""
    return Cost(
        calls=usage.requests,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        usd=usage.picodollars / PICODOLLARS_PER_USD,
    )


def limited(cost: Cost, budget: Budget | None, *, spent: Cost = FREE) -> Cost:
    """What costs `cost` at most, inside `budget`, which is never overspent and of which `spent` is gone.

    Fewer calls have fewer tokens, as far as it is known what one has, and fewer calls and tokens cost less.
    """
    if budget is None:
        return cost
    rates = cost.rates or Rates()
    calls = min(cost.calls, _left(budget.requests, spent.calls))
    all_tokens = _left(budget.total_tokens, spent.total_tokens)
    prompt = min(all_tokens, _left(budget.prompt_tokens, spent.prompt_tokens), _of_calls(calls, rates.prompt))
    completion = min(
        all_tokens,
        _left(budget.completion_tokens, spent.completion_tokens),
        _of_calls(calls, rates.completion),
    )
    fewer = replace(
        cost,
        calls=calls,
        prompt_tokens=min(cost.prompt_tokens, prompt),
        completion_tokens=min(cost.completion_tokens, completion),
        together=min(cost.total_tokens, all_tokens),
    )
    usd = None if budget.picodollars is None else budget.picodollars / PICODOLLARS_PER_USD
    cheaper = cost.usd if fewer == cost else rates.usd(fewer)
    return replace(fewer, usd=min(cost.usd, cheaper, _left(usd, spent.usd)))


def _of_calls(calls: float, each: float) -> float:
    """Tokens of so many calls; without a bound where none is known of one."""
    return math.inf if each == math.inf else _product(calls, each)


def _left(limit: float | None, spent: float) -> float:
    return math.inf if limit is None else max(0.0, limit - spent)


def priced(
    price: Price | None,
    *,
    calls: float,
    prompt: float,
    completion: float,
    candidates: float = 0.0,
    of_calls: bool = True,
    most_prompt: float = math.inf,
    most_completion: float = math.inf,
) -> Cost:
    """`calls` requests with so many prompt tokens each, and so many completion tokens in all; without `of_calls`,
    parts of requests that are counted elsewhere. None of them has more prompt tokens than `most_prompt`, and more
    completion tokens than `most_completion`: where `prompt` is a mean, one can have more than that.
    """
    read = _product(calls, prompt)
    usd = math.inf if calls else 0.0
    rates = Rates(prompt=most_prompt, completion=most_completion)
    if price is not None:
        per_token = max(price.input, price.cached_input or 0)
        rates = replace(rates, input=per_token, output=price.output, request=price.request)
        picodollars = (
            _product(read, per_token) + _product(completion, price.output) + calls * price.request * of_calls
        )
        usd = picodollars / PICODOLLARS_PER_USD
    calls = calls if of_calls else 0.0
    return Cost(
        calls=calls,
        prompt_tokens=read,
        completion_tokens=completion,
        usd=usd,
        candidates=candidates,
        rates=rates,
    )
