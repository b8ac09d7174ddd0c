"""The native core. Call it through `orchestrator.budget`, `.answers`, `.voting`, `.stopping` and `.scaling`."""

from collections.abc import Callable, Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

# answers

def extract(text: str, *, kind: str, truncated: bool) -> tuple[str, str, str] | None: ...
def extract_keys(texts: Sequence[str | None], *, kind: str) -> list[str | None]: ...
def after_thinking(text: str) -> str | None: ...
def last_code_block(text: str) -> str | None: ...
def find_expression(text: str, /) -> tuple[str, str] | None: ...
def json_spans(text: str, *, limit: int) -> list[str]: ...
def normalize(answer: str, *, kind: str) -> str: ...
def cluster_keys(keys: Sequence[str | None]) -> list[int | None]: ...

class Clusters:
    def __init__(self) -> None: ...
    def add(self, key: str | None) -> int | None: ...
    @property
    def samples(self) -> int: ...
    @property
    def abstentions(self) -> int: ...
    @property
    def sizes(self) -> list[int]: ...
    @property
    def members(self) -> list[list[int]]: ...

# voting and stopping

class VoteCount:
    @property
    def leader(self) -> int | None: ...
    @property
    def share(self) -> float: ...
    @property
    def margin(self) -> float: ...
    @property
    def tied(self) -> bool: ...
    @property
    def abstentions(self) -> int: ...
    @property
    def counts(self) -> list[int]: ...
    @property
    def totals(self) -> list[float]: ...

def majority_vote(clusters: Sequence[int | None]) -> VoteCount: ...
def weighted_vote(clusters: Sequence[int | None], weights: Sequence[float]) -> VoteCount: ...
def leading(counts: Sequence[int]) -> int | None: ...
def lead_is_safe(counts: Sequence[int], *, remaining: int) -> bool: ...
def top_two_posterior(counts: Sequence[int]) -> float: ...
def window_agrees(clusters: Sequence[int | None], *, size: int) -> bool: ...

# estimators, bootstrap and replay: arrays must have the type named; ValueError for bad numbers

def pass_at_k(
    n: NDArray[np.uint64], c: NDArray[np.uint64], k: NDArray[np.uint64] | np.uint64
) -> NDArray[np.float64]: ...
def best_of_k(scores: NDArray[np.float64], correct: NDArray[np.float64], *, k: int) -> float: ...
def exact_maj_at_k(
    counts: NDArray[np.uint64],
    correct: NDArray[np.float64],
    *,
    abstentions: int,
    k: int,
    max_steps: float,
) -> float | None: ...
def bootstrap_means(
    sizes: NDArray[np.uint64],
    values: NDArray[np.float64],
    *,
    k: int,
    problems: bool,
    samples: bool,
    resamples: int,
    seed: int,
    threads: int,
) -> NDArray[np.float64]: ...

class StoppingRule: ...

class CallbackRule(StoppingRule):
    def __init__(
        self,
        decide: Callable[[tuple[int, ...], int, int | None, tuple[int, ...], float | None], bool],
    ) -> None: ...

class VoteKind(Enum):
    plurality = 0
    weighted = 1
    best = 2

class Recording:
    def __init__(
        self,
        sizes: NDArray[np.uint64],
        clusters: NDArray[np.int64],
        correct: NDArray[np.float64],
        scores: NDArray[np.float64] | None,
        costs: NDArray[np.float64] | None,
    ) -> None: ...

class ByProblem:
    @property
    def mean(self) -> NDArray[np.float64]: ...
    @property
    def variance(self) -> NDArray[np.float64]: ...

class ReplayTotals:
    @property
    def correct(self) -> ByProblem: ...
    @property
    def samples(self) -> ByProblem: ...
    @property
    def costs(self) -> ByProblem: ...
    @property
    def unanswered(self) -> NDArray[np.float64]: ...
    @property
    def ended(self) -> NDArray[np.float64]: ...
    @property
    def fired(self) -> NDArray[np.float64]: ...

def replay(
    tiers: Sequence[tuple[Recording, StoppingRule | None, int | None, float | None, bool]],
    *,
    vote: VoteKind,
    resamples: int,
    seed: int,
    shuffle: bool,
    threads: int,
) -> ReplayTotals: ...
def vote_curve(
    recording: Recording,
    ks: Sequence[int],
    *,
    vote: VoteKind,
    resamples: int,
    seed: int,
    threads: int,
) -> ByProblem: ...
def draw_order(*, seed: int, problem: int, resample: int, tier: int, size: int, count: int) -> list[int]: ...

# ledger
#
# Figures per resource are lists in the order prompt_tokens, completion_tokens, total_tokens, requests,
# picodollars; times are nanoseconds. Numbers outside their range raise ValueError, those that are not
# whole numbers of 64 bits TypeError, and using a hold that has ended RuntimeError.

class Account:
    def __init__(
        self,
        *,
        label: str,
        limits: Sequence[int | None],
        deadline: int | None,
        parent: Account | None,
    ) -> None: ...
    def reserve(
        self,
        prompt_tokens: int,
        completion_tokens: int,
        total_tokens: int,
        requests: int,
        picodollars: int,
        now: int,
        /,
    ) -> AccountHold | Refusal: ...
    def charge(
        self,
        below: Account | None,
        prompt_tokens: int,
        completion_tokens: int,
        requests: int,
        picodollars: int,
        cached_tokens: int,
        reasoning_tokens: int,
        microseconds: int,
        estimated: bool,
        /,
    ) -> None: ...
    def headroom(self) -> AccountHeadroom: ...
    def statistics(self) -> AccountStatistics: ...
    @property
    def label(self) -> str: ...
    @property
    def limits(self) -> list[int | None]: ...
    @property
    def deadline(self) -> int | None: ...

class AccountHold:
    def commit(
        self,
        prompt_tokens: int,
        completion_tokens: int,
        requests: int,
        picodollars: int,
        cached_tokens: int,
        reasoning_tokens: int,
        microseconds: int,
        estimated: bool,
        /,
    ) -> None: ...
    def settle(
        self,
        prompt_tokens: int,
        completion_tokens: int,
        requests: int,
        picodollars: int,
        cached_tokens: int,
        reasoning_tokens: int,
        microseconds: int,
        estimated: bool,
        /,
    ) -> None: ...
    def release(self) -> None: ...
    def top_up(self, now: int, /) -> Refusal | None: ...
    @property
    def worst_case(self) -> list[int]: ...
    @property
    def held(self) -> list[int]: ...
    @property
    def open(self) -> bool: ...

class Refusal:
    @property
    def height(self) -> int: ...
    @property
    def account(self) -> str: ...
    @property
    def resource(self) -> str | None: ...
    @property
    def requested(self) -> int: ...
    @property
    def remaining(self) -> int: ...
    @property
    def in_flight(self) -> bool: ...

class AccountHeadroom:
    @property
    def alone(self) -> list[int | None]: ...
    @property
    def free(self) -> list[int | None]: ...

class AccountStatistics:
    @property
    def spent(self) -> list[int]: ...
    @property
    def held(self) -> list[int]: ...
    @property
    def overrun(self) -> list[int]: ...
    @property
    def cached_tokens(self) -> int: ...
    @property
    def reasoning_tokens(self) -> int: ...
    @property
    def microseconds(self) -> int: ...
    @property
    def estimated(self) -> int: ...
    @property
    def holds(self) -> int: ...
    @property
    def overruns(self) -> int: ...
    @property
    def refusals(self) -> int: ...

# --------------------------------------------------------------------------------------------- end ledger
