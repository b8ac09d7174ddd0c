"""Best-of-N: the sample a verifier likes best. Cost: at most n calls, plus the verifier's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..context import Context, Verifier
from ..errors import BackendError, BudgetExceededError, DeadlineExceededError, InvalidInputError
from ..types import Candidate, Outcome, Problem, Score, StopReason
from ..verifiers import name_of

__all__ = ["BestOfN"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfN:
    """Draws up to `n` samples side by side and answers with the one `verifier` scores highest.

    The choice is argmax over samples y of r(x, y), where r is the verifier's score in [0, 1]; ties go to
    the sample seen first. Each is scored as it arrives; the first at or above `threshold` ends the drawing
    and cancels the calls in flight. Equal texts are scored once. A sample without a readable answer is
    neither scored nor chosen, and one the verifier abstains on is not chosen; with no sample left there is
    no answer. Confidence is the chosen sample's score.

    Source: Cobbe et al., "Training Verifiers to Solve Math Word Problems", arXiv 2110.14168, §4; Snell et
    al., "Scaling LLM Test-Time Compute Optimally", arXiv 2408.03314, §5. Differs in stopping at
    `threshold`, which for a verifier that says only right or wrong never changes whether the answer is right.

    Args:
        n: Samples at most, at least 1.
        verifier: Scores the samples.
        threshold: A score in [0, 1] that is good enough to stop at; None draws all `n`.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.
        per_call: Samples drawn by one request.
    """

    n: int = 8
    verifier: Verifier
    threshold: float | None = 1.0
    model: str | None = None
    temperature: float | None = 0.7
    max_tokens: int | None = None
    per_call: int = 1

    def __post_init__(self) -> None:
        if self.n < 1 or self.per_call < 1:
            raise InvalidInputError(f"n and per_call must be at least 1, not {self.n} and {self.per_call}")
        if self.threshold is not None and not 0.0 <= self.threshold <= 1.0:
            raise InvalidInputError(f"threshold must be in [0, 1], not {self.threshold}")

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return -(-self.n // self.per_call)

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Choose among up to `n` samples for `problem`."""
        samples = ctx.sample(
            ctx.ask(problem, model=self.model),
            n=self.n,
            model=self.model,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            per_call=self.per_call,
        )
        name, scores = name_of(self.verifier), dict[str, Score]()
        candidates: list[Candidate] = []
        reason: StopReason | None = None
        async with samples:
            async for sample in samples:
                candidate = ctx.read(sample)
                try:
                    score = await self._score(ctx, problem, candidate, scores)
                except (BudgetExceededError, DeadlineExceededError) as error:
                    candidates.append(candidate)
                    budget = isinstance(error, BudgetExceededError)
                    reason = StopReason.BUDGET if budget else StopReason.DEADLINE
                    break
                candidates.append(replace(candidate, scores={name: score}))
                if self._good_enough(score) and len(candidates) < self.n:
                    reason = StopReason.DECIDED
                    break
        best = max(candidates, key=lambda candidate: _value(candidate, name), default=None)
        value = -1.0 if best is None else _value(best, name)
        return Outcome(
            answer=None if best is None or value < 0 else best.answer,
            confidence=max(0.0, value),
            tied=best is not None and any(_rivals(best, candidate, name) for candidate in candidates),
            candidates=tuple(candidates),
            stop_reason=reason or samples.stop_reason,
            detail={"score": None if value < 0 else value, "scored": len(scores)},
        )

    async def _score(
        self, ctx: Context, problem: Problem, candidate: Candidate, known: dict[str, Score]
    ) -> Score:
        if candidate.answer is None:
            return Score(value=None, reason="no readable answer")
        text = candidate.sample.text
        if text not in known:
            try:
                known[text] = (await ctx.score(self.verifier, problem, [candidate]))[0]
            except BackendError as error:  # one verdict fewer, not one problem
                return Score(value=None, reason=f"the verifier failed: {error}")
        return known[text]

    def _good_enough(self, score: Score) -> bool:
        return self.threshold is not None and score.value is not None and score.value >= self.threshold


def _value(candidate: Candidate, name: str) -> float:
    """The score in [0, 1], or -1 for a candidate that may not be chosen."""
    score = candidate.scores.get(name)
    return -1.0 if score is None or score.value is None or candidate.answer is None else score.value


def _rivals(best: Candidate, other: Candidate, name: str) -> bool:
    """Whether `other` has another answer with the same score."""
    same = best.answer is not None and other.answer is not None and best.answer.key == other.answer.key
    return not same and 0.0 <= _value(best, name) == _value(other, name)
