"""What the ledger in C++ has to do, said plainly: one account at a time, integers without a size, no threads.

Figures are lists in the order prompt_tokens, completion_tokens, total_tokens, requests, picodollars.
"""

from __future__ import annotations

from dataclasses import dataclass, field

RESOURCES = ("prompt_tokens", "completion_tokens", "total_tokens", "requests", "picodollars")
LARGEST = 2**63 - 1


@dataclass
class Refusal:
    height: int
    account: str
    resource: str | None
    requested: int
    remaining: int
    in_flight: bool


@dataclass
class Charge:
    prompt_tokens: int
    completion_tokens: int
    requests: int
    picodollars: int
    cached_tokens: int
    reasoning_tokens: int
    microseconds: int
    estimated: bool

    def check(self) -> None:
        for name, value in vars(self).items():
            if value < 0:
                raise ValueError(f"{name} must be at least 0, got {value}")

    def amounts(self) -> list[int]:
        total = min(self.prompt_tokens + self.completion_tokens, LARGEST)
        return [self.prompt_tokens, self.completion_tokens, total, self.requests, self.picodollars]


@dataclass
class Account:
    label: str
    limits: list[int | None]
    deadline: int | None
    parent: Account | None
    spent: list[int] = field(default_factory=lambda: [0] * 5)
    held: list[int] = field(default_factory=lambda: [0] * 5)
    overrun: list[int] = field(default_factory=lambda: [0] * 5)
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    microseconds: int = 0
    estimated: int = 0
    holds: int = 0
    overruns: int = 0
    refusals: int = 0
    ceiling: list[int] = field(default_factory=lambda: [0] * 5)
    children: list[Account] = field(default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.parent is not None:
            self.parent.children.append(self)

    def unused(self, r: int) -> int:
        """What is kept for this account itself: up to `ceiling`, less what is used and kept further down."""
        return self.kept_in_all(r) - self.kept_below(r)

    def kept_below(self, r: int) -> int:
        return sum(child.kept_in_all(r) for child in self.children)

    def kept_in_all(self, r: int) -> int:
        below = self.kept_below(r)
        return below + max(0, self.ceiling[r] - self.spent[r] - self.held[r] - below)

    @property
    def kept(self) -> list[int]:
        return [self.kept_in_all(r) for r in range(5)]

    def remaining(self, r: int, asking: Account) -> int:
        """Limit less what is spent and kept, but for what is kept for `asking` and those between."""
        way = asking.chain()
        own = sum(account.unused(r) for account in way[: way.index(self) + 1])
        limit = LARGEST if self.limits[r] is None else self.limits[r]
        return limit - self.spent[r] - (self.kept_in_all(r) - own)

    def keep(self, amounts: list[int]) -> list[int]:
        for name, amount in zip(RESOURCES, amounts, strict=True):
            if amount < 0:
                raise ValueError(f"{name} must be at least 0, got {amount}")
        kept = []
        for r, amount in enumerate(amounts):
            free = [account.remaining(r, self) - account.held[r] - self.unused(r) for account in self.chain()]
            kept.append(max(0, min(amount, *free)))
        for r, more in enumerate(kept):
            self.ceiling[r] = min(LARGEST, self.spent[r] + self.held[r] + self.kept_in_all(r) + more)
        return kept

    def covering(self, amounts: list[int]) -> int | None:
        for height, account in enumerate(self.chain()):
            if any(amounts) and all(amount <= account.unused(r) for r, amount in enumerate(amounts)):
                return height
        return None

    def give_up(self) -> None:
        self.ceiling = [0] * 5

    def chain(self) -> list[Account]:
        return [self, *(self.parent.chain() if self.parent else [])]

    def reserve(self, amounts: list[int], now: int) -> Hold | Refusal:
        for name, amount in zip(RESOURCES, amounts, strict=True):
            if amount < 0:
                raise ValueError(f"{name} must be at least 0, got {amount}")
        refusal = self.refusal_of(amounts, [0] * 5, now)
        if refusal is not None:
            return refusal
        hold = Hold(self, list(amounts), [0] * 5)
        hold.take(amounts)
        for account in self.chain():
            account.holds += 1
        return hold

    def refusal_of(self, amounts: list[int], own: list[int], now: int) -> Refusal | None:
        """Why `amounts` does not fit beside `own`: a deadline, else what is lastingly short, else for now."""
        chain = list(enumerate(self.chain()))
        for height, account in chain:
            if account.deadline is not None and now >= account.deadline:
                return account.refuse(height, None, 0, 0, False)
        passing = None
        for height, account in chain:
            for r, amount in enumerate(amounts):
                held, limit = account.held[r] + amount, account.limits[r]
                if held > LARGEST:
                    sum_of = f"{amount} more than the {account.held[r]} held"
                    raise ValueError(f"{RESOURCES[r]}: {sum_of} do not fit into 64 bits")
                remaining = account.remaining(r, self)
                if limit is None or held <= remaining:
                    continue
                whole, remaining = own[r] + amount, max(remaining, -LARGEST - 1)
                if whole > remaining:
                    return account.refuse(height, RESOURCES[r], whole, remaining, False)
                passing = passing or (account, height, RESOURCES[r], whole, remaining)
        if passing is None:
            return None
        account, height, resource, whole, remaining = passing
        return account.refuse(height, resource, whole, remaining, True)

    def refuse(
        self, height: int, resource: str | None, requested: int, remaining: int, in_flight: bool
    ) -> Refusal:
        self.refusals += 1
        return Refusal(height, self.label, resource, requested, remaining, in_flight)

    def charge(self, below: Account | None, charge: Charge) -> None:
        charge.check()
        for account in self.chain():
            if account is below:
                return
            account.add(charge)
        if below is not None:
            raise AssertionError("the test charges below an ancestor only")

    def add(self, charge: Charge) -> None:
        for r, amount in enumerate(charge.amounts()):
            self.spent[r] = min(self.spent[r] + amount, LARGEST)
        self.cached_tokens = min(self.cached_tokens + charge.cached_tokens, LARGEST)
        self.reasoning_tokens = min(self.reasoning_tokens + charge.reasoning_tokens, LARGEST)
        self.microseconds = min(self.microseconds + charge.microseconds, LARGEST)
        self.estimated += charge.estimated

    def headroom(self) -> tuple[list[int | None], list[int | None]]:
        """The least `remaining`, and the least `remaining` - held, over the chain."""

        def least(r: int, held: bool) -> int | None:
            left = [
                account.remaining(r, self) - (account.held[r] if held else 0)
                for account in self.chain()
                if account.limits[r] is not None
            ]
            return max(min(left), -LARGEST - 1) if left else None

        return [least(r, False) for r in range(5)], [least(r, True) for r in range(5)]


@dataclass
class Hold:
    account: Account
    worst_case: list[int]
    held: list[int]
    open: bool = True

    def take(self, amounts: list[int]) -> None:
        for r, amount in enumerate(amounts):
            self.held[r] += amount
            for account in self.account.chain():
                account.held[r] += amount

    def commit(self, charge: Charge) -> None:
        charge.check()
        self.require_open("commit")
        if charge.requests == 0:
            charge.requests = self.held[3]
        self.settle(charge)
        self.release()

    def settle(self, charge: Charge) -> None:
        charge.check()
        self.require_open("settle")
        over = [max(0, actual - held) for actual, held in zip(charge.amounts(), self.held, strict=True)]
        self.take([-min(actual, held) for actual, held in zip(charge.amounts(), self.held, strict=True)])
        for account in self.account.chain():
            account.add(charge)
            account.overrun = [min(a + b, LARGEST) for a, b in zip(account.overrun, over, strict=True)]
            account.overruns += any(over)

    def release(self) -> None:
        if self.open:
            self.take([-held for held in self.held])
            self.open = False
            for account in self.account.chain():
                account.holds -= 1

    def top_up(self, now: int) -> Refusal | None:
        self.require_open("top up")
        missing = [worst - held for worst, held in zip(self.worst_case, self.held, strict=True)]
        refusal = self.account.refusal_of(missing, self.held, now)
        if refusal is None:
            self.take(missing)
        return refusal

    def require_open(self, action: str) -> None:
        if not self.open:
            raise RuntimeError(f"cannot {action} a hold that has ended")
