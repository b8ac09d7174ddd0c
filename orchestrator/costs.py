"""What a program costs at most, and where, before anything is spent.

Worst cases are sums over the calls a program can make, each with its prompt and its cap on the answer. What sampling
again after a failure costs is not in them, nor what a server writes beyond its cap: the ledger holds those to the
budget while the program runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .context import Context
from .expressions import Size
from .types import Problem

__all__ = ["FREE", "UNKNOWN", "Cost", "Costing", "Size", "Spending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Upper bounds on what calls use; `math.inf` where none is known. Adds up with `+`.

    Attributes:
        calls: Requests.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written, over all choices.
        usd: Money, in US dollars; `math.inf` also where a model's price is not known.
    """

    calls: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0
    usd: float = 0.0

    @property
    def total_tokens(self) -> float:
        """Prompt plus completion tokens."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            usd=self.usd + other.usd,
        )

    def times(self, number: float) -> Cost:
        """This cost `number` times; 0 times an unknown one is nothing."""
        if number == 0:
            return FREE
        return Cost(
            calls=self.calls * number,
            prompt_tokens=self.prompt_tokens * number,
            completion_tokens=self.completion_tokens * number,
            usd=self.usd * number,
        )

    def at_most(self, other: Cost) -> Cost:
        """The lesser of two in each kind: what can cost both this and `other` at most."""
        return _each(min, self, other)

    def or_else(self, other: Cost) -> Cost:
        """The greater of two in each kind: what costs either this or `other`."""
        return _each(max, self, other)


def _each(pick: Callable[[float, float], float], one: Cost, other: Cost) -> Cost:
    return Cost(
        calls=pick(one.calls, other.calls),
        prompt_tokens=pick(one.prompt_tokens, other.prompt_tokens),
        completion_tokens=pick(one.completion_tokens, other.completion_tokens),
        usd=pick(one.usd, other.usd),
    )


FREE = Cost()
UNKNOWN = Cost(calls=math.inf, prompt_tokens=math.inf, completion_tokens=math.inf, usd=math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A part of a program with what it costs at most, its parts' costs included.

    Attributes:
        label: Its step in the path of its calls, or what it does where it makes none of its own.
        kind: Its key in files, such as `sample` or `self_consistency`.
        worst: What it costs at most each time it is reached.
        parts: What it consists of, in order.
        note: How `worst` comes from its parts, in a few words: `at most 3 rounds`, `one of these`.
    """

    label: str
    kind: str
    worst: Cost
    parts: tuple[Spending, ...] = ()
    note: str = ""


class Costing:
    """Works out what a program costs at most on one problem.

    Attributes:
        ctx: Knows the models, their settings and the prompt; nothing is sent.
        problem: The problem.
        sizes: How long the values of names are that prompts insert.
        rounds: Rounds of loops gone through so far.
    """

    def __init__(self, ctx: Context, problem: Problem, sizes: Mapping[str, Size] | None = None) -> None:
        self.ctx, self.problem = ctx, problem
        self.sizes: dict[str, Size] = dict(sizes or {})
        self.rounds = 0
