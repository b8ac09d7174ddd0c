"""Upper bounds on what calls use: requests, tokens and money."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..budget import Budget
from ..types import PICODOLLARS_PER_USD, Price, Usage

__all__ = ["FREE", "UNKNOWN", "Cost", "cost_of", "limited", "priced"]


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
    """

    calls: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0
    usd: float = 0.0
    candidates: float = 0.0
    together: float | None = None

    def __post_init__(self) -> None:
        if self.together is not None and self.together >= self.prompt_tokens + self.completion_tokens:
            object.__setattr__(self, "together", None)

    @property
    def total_tokens(self) -> float:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens if self.together is None else self.together

    def __add__(self, other: Cost) -> Cost:
        return _each(operator.add, self, other)

    def times(self, number: float) -> Cost:
        """This cost `number` times; 0 times an unknown one is nothing."""
        return _each(lambda one, _: _product(one, number), self, self)

    def at_most(self, other: Cost) -> Cost:
        """The lesser of two in each kind: what can cost both this and `other` at most."""
        return _each(min, self, other)

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
    )


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
    """What costs `cost` at most, inside `budget`, which is never overspent and of which `spent` is gone."""
    if budget is None:
        return cost
    all_tokens = _left(budget.total_tokens, spent.total_tokens)
    usd = None if budget.picodollars is None else budget.picodollars / PICODOLLARS_PER_USD
    most = replace(
        UNKNOWN,
        calls=_left(budget.requests, spent.calls),
        prompt_tokens=min(all_tokens, _left(budget.prompt_tokens, spent.prompt_tokens)),
        completion_tokens=min(all_tokens, _left(budget.completion_tokens, spent.completion_tokens)),
        usd=_left(usd, spent.usd),
        together=all_tokens,
    )
    return cost.at_most(most)


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
) -> Cost:
    """`calls` requests with so many prompt tokens each, and so many completion tokens in all; without `of_calls`,
    parts of requests that are counted elsewhere.
    """
    read = _product(calls, prompt)
    usd = math.inf if calls else 0.0
    if price is not None:
        per_token = max(price.input, price.cached_input or 0)
        picodollars = (
            _product(read, per_token) + _product(completion, price.output) + calls * price.request * of_calls
        )
        usd = picodollars / PICODOLLARS_PER_USD
    calls = calls if of_calls else 0.0
    return Cost(calls=calls, prompt_tokens=read, completion_tokens=completion, usd=usd, candidates=candidates)
