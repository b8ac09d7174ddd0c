# ------------------------------------------------------------------------------------------------- ledger
# Figures per resource are lists in the order prompt_tokens, completion_tokens, total_tokens, requests,
# picodollars; times are nanoseconds. Numbers outside their range raise ValueError, those that are not
# whole numbers of 64 bits TypeError, and using a hold that has ended RuntimeError.

from collections.abc import Sequence

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
