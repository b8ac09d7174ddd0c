"""What a strategy has so far: candidates, what failed, and whether budget and deadline let it go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

from ..asking import Ask
from ..context import Context
from ..contracts import Verifier
from ..errors import BackendError, BudgetExceededError, DeadlineExceededError
from ..sampling import SampleStream
from ..scores import score_by, unscored_by, with_score
from ..types import Candidate, Problem, Sample, Score, StopReason

__all__ = ["Attempts", "Drawing", "scored"]


class Drawing(Protocol):
    """What says how samples are drawn: a strategy, or a step of a program."""

    def draw(
        self, ctx: Context, ask: Ask, *, n: int = 1, model: str | None = None, **sampling: Any
    ) -> SampleStream:
        """`n` samples as its settings say; `model` and `sampling` override them."""


class Surviving:
    """See `Attempts.surviving`."""

    __slots__ = ("_attempts",)

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, BackendError | BudgetExceededError | DeadlineExceededError):
            return False
        self._attempts.note(error)
        return True


@dataclass(slots=True, kw_only=True)
class Attempts:
    """Collects candidates and turns failed calls, spent budgets and passed deadlines into facts.

    Attributes:
        candidates: What may be chosen from, in the order it came.
        stop_reason: `COMPLETE` while nothing ended it.
        failures: Errors of the calls that were given up.
    """

    candidates: list[Candidate] = field(default_factory=list)
    stop_reason: StopReason = StopReason.COMPLETE
    failures: list[Exception] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether budget or deadline allow no further call."""
        return self.stop_reason in (StopReason.BUDGET, StopReason.DEADLINE)

    def surviving(self) -> Surviving:
        """A block in which a failed call, a spent budget and a passed deadline are noted instead of raised."""
        return Surviving(self)

    def note(self, error: Exception) -> None:
        """Keep what a call failed with, and end when budget or deadline allow no more."""
        self.failures.append(error)
        if isinstance(error, BudgetExceededError):
            self.stop_reason = StopReason.BUDGET
        elif isinstance(error, DeadlineExceededError):
            self.stop_reason = StopReason.DEADLINE

    async def complete(
        self, ctx: Context, strategy: Drawing, ask: Ask, *, model: str | None = None, **sampling: Any
    ) -> Sample | None:
        """One sample as `strategy`'s settings say, or None when the call failed or nothing allows it."""
        if self.ended:
            return None
        with self.surviving():
            return await strategy.draw(ctx, ask, model=model, **sampling).first()
        return None

    async def draw(
        self, ctx: Context, strategy: Drawing, ask: Ask, *, n: int, model: str | None = None, **sampling: Any
    ) -> list[Candidate]:
        """Up to `n` candidates side by side, kept and returned; fewer when calls fail or nothing allows more."""
        found: list[Candidate] = []
        if self.ended:
            return found
        with self.surviving():
            async with strategy.draw(ctx, ask, n=n, model=model, **sampling) as samples:
                async for sample in samples:
                    found.append(candidate := ctx.read(sample))
                    self.candidates.append(candidate)
            self.limit(samples)
        return found

    def limit(self, stream: SampleStream) -> None:
        """End when budget or deadline kept back some of the samples `stream` was asked for."""
        if stream.stop_reason is not StopReason.COMPLETE:
            self.stop_reason = stream.stop_reason

    async def score(
        self, ctx: Context, verifier: Verifier, problem: Problem, candidates: Sequence[Candidate]
    ) -> list[Candidate]:
        """`candidates` with their scores by `verifier`; what it has said already stands, an abstention too, as
        `unscored_by` has it.

        It is asked even when budget or deadline have ended the drawing: rules make no calls, and a verdict may fit
        where an answer did not. Those that budget or deadline kept it from judging stay without a score: it may be
        asked about them again on an account that has more. What another verifier of its name has said moves under a
        name that says where that was: see `with_score`.
        """
        candidates, unscored = unscored_by(verifier, problem, candidates)
        scores: list[Score] | None = None
        if unscored:
            with self.surviving():
                scores = await ctx.score(verifier, problem, unscored)
            if scores is None and isinstance(error := self.failures[-1], BackendError):
                reason = f"the verifier failed: {error}"
                scores = [Score(value=None, reason=reason, by=verifier, problem=problem)] * len(unscored)
        return scored(ctx, verifier, problem, candidates, scores or ())

    def join(self, other: Attempts) -> None:
        """Take over what a part of the program has obtained."""
        self.candidates += other.candidates
        self.failures += other.failures
        if not self.ended:
            self.stop_reason = other.stop_reason

    def raise_if_empty(self) -> None:
        """Raise the first failure when there is nothing to show for it."""
        if not self.candidates and self.failures:
            raise self.failures[0]


def scored(
    ctx: Context,
    verifier: Verifier,
    problem: Problem,
    candidates: Iterable[Candidate],
    scores: Iterable[Score] = (),
) -> list[Candidate]:
    """`candidates` with what `verifier` has said of them under its name; those it has not judged yet are given one of
    `scores` each, in order, while there are some.
    """
    given, within = iter(scores), ctx.path.rpartition("/")[2] or "program"
    judged = []
    for one in candidates:
        known = score_by(one, verifier, problem)
        score = next(given, None) if known is None else known
        judged.append(with_score(one, verifier, score, within=within))
    return judged
