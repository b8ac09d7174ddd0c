"""Best-of-N: the sample a verifier likes best. Cost: at most n calls, plus the verifier's own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import anyio
from anyio.abc import TaskGroup

from ..context import Context
from ..contracts import Verifier, compares, logprobs_for, name_of
from ..costs import Costing, Size, Spending, counted, repeated
from ..errors import most_telling
from ..types import Candidate, Outcome, Problem, Score, StopReason
from .attempts import Attempts
from .base import Strategy, at_least, in_unit
from .selection import best_scored, by_score, by_vote, value_of

__all__ = ["BestOfN"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfN(Strategy):
    """Draws up to `n` samples side by side and answers with the one `verifier` scores highest.

    The choice is argmax over samples y of r(x, y), where r is the verifier's score in [0, 1]; with `weighted` it is
    argmax over answers a of the sum of r(x, y) over the samples whose answer is a. Ties go to the sample seen first.
    Samples and scores are in flight together: each sample is scored as it arrives, and the first score at or above
    `threshold` ends the drawing and cancels the calls in flight, and that sample is chosen. A verifier that compares
    candidates gets all of them, unreadable ones too, when the last has arrived. Equal texts are scored once. A sample
    without a readable answer is not chosen (and not scored, unless by comparing), and one the verifier abstains on is
    not chosen; where it judged none, because it abstained, failed, or had nothing left to spend, the answer is the
    most frequent one. Confidence is the chosen sample's score, with `weighted` the answer's share of all scores, and
    of a vote its share.

    Source: Cobbe et al., "Training Verifiers to Solve Math Word Problems", arXiv 2110.14168, §4; Snell et al.,
    "Scaling LLM Test-Time Compute Optimally", arXiv 2408.03314, §5.1 (weighted). Differs in stopping at `threshold`,
    which for a verifier that says only right or wrong never changes whether the answer is right.

    Cost: at most ceil(n / per_call) calls, plus the verifier's for n candidates.

    Args:
        n: Samples at most, at least 1.
        verifier: Scores the samples.
        weighted: Add up the scores of equal answers.
        threshold: A score in [0, 1] that is good enough to stop at; None draws all `n`.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.
        per_call: Samples drawn by one request.

    The outcome's `detail` has the chosen sample's `score` (None when the verifier liked none), how many texts were
    `scored`, and with `weighted` the `totals` by answer; where it is the vote also `votes` and `abstentions`.
    """

    paper: ClassVar[str] = "Cobbe et al., arXiv 2110.14168; weighted: 2408.03314"
    cost: ClassVar[str] = "ceil(n / per_call)"
    pays: ClassVar[str] = "a check that is cheaper than an answer"

    n: int = 8
    verifier: Verifier
    weighted: bool = False
    threshold: float | None = 1.0
    per_call: int = 1

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(1, n=self.n, per_call=self.per_call)
        in_unit(threshold=self.threshold)

    @property
    def most_calls(self) -> int:
        """ceil(n / per_call)."""
        return -(-self.n // self.per_call)

    @property
    def choice(self) -> str:
        """The best."""
        return f"the best of {self.n}"

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return self.most_calls

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Choose among up to `n` samples for `problem`."""
        scoring = _Scoring(ctx=ctx, problem=problem, verifier=self.verifier, threshold=self.threshold)
        await self._collect(ctx, problem, scoring)
        attempts = scoring.attempts
        attempts.raise_if_empty()
        if compares(self.verifier):
            candidates = await attempts.score(ctx, self.verifier, problem, attempts.candidates)
        else:
            candidates = scoring.judged()
        reason = attempts.stop_reason
        called_off = len(candidates) < self.n or scoring.asked - scoring.known.keys()
        decided = reason is StopReason.COMPLETE and scoring.good is not None and called_off
        return self._outcome(candidates, scoring, StopReason.DECIDED if decided else reason)

    async def _collect(self, ctx: Context, problem: Problem, scoring: _Scoring) -> None:
        """Draw samples and score them as they arrive, until all are there or one is good enough."""
        samples = self.draw(
            ctx,
            ctx.ask(problem, model=self.model),
            n=self.n,
            per_call=self.per_call,
            logprobs=logprobs_for(self.verifier),
        )
        try:
            async with anyio.create_task_group() as tasks, samples:
                with scoring.attempts.surviving():
                    async for sample in samples:
                        scoring.add(ctx.read(sample), tasks)
        except BaseExceptionGroup as group:
            raise most_telling(group) from None
        if not scoring.attempts.ended:
            scoring.attempts.stop_reason = samples.stop_reason

    def _outcome(self, candidates: list[Candidate], scoring: _Scoring, reason: StopReason) -> Outcome:
        name = name_of(self.verifier)
        outcome = by_score(candidates, name, weighted=self.weighted)
        if outcome.answer is None:  # the samples are paid for: a vote is better than nothing
            vote = by_vote(candidates)
            scoring.ctx.step("voted", "the verifier judged none")
            outcome = replace(vote, detail={**outcome.detail, **vote.detail})
        if self.weighted and scoring.good is not None:  # past the threshold: that one, whatever the sums say
            best = best_scored(candidates, name)
            if best is not None:
                score = value_of(best, name)
                outcome = replace(outcome, answer=best.answer, detail={**outcome.detail, "score": score})
        texts = {one.sample.text for one in candidates if name in one.scores and one.answer is not None}
        return replace(outcome, stop_reason=reason, detail={**outcome.detail, "scored": len(texts)})

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        note = f"at most {counted(self.n, 'sample')}"
        drawn = await self._drawing(
            costing, costing.ask(self.model), n=self.n, per_call=self.per_call, alike=True, note=note
        )
        size = Size(tokens=self.longest_text(costing))
        together = compares(self.verifier)
        judged = await costing.scoring(self.verifier, self.n if together else 1, size)
        return self._spending(drawn, judged if together else repeated(judged, self.n))


@dataclass(slots=True, kw_only=True)
class _Scoring:
    """Scores of the candidates that have arrived, asked for side by side, each text once."""

    ctx: Context
    problem: Problem
    verifier: Verifier
    threshold: float | None
    attempts: Attempts = field(default_factory=Attempts)
    known: dict[str, Score] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    good: Score | None = None

    def add(self, candidate: Candidate, tasks: TaskGroup) -> None:
        """Keep a candidate and have it scored, unless it cannot be, or its text is known."""
        self.attempts.candidates.append(candidate)
        text = candidate.sample.text
        comparative = compares(self.verifier)
        if candidate.answer is None or comparative or text in self.asked:
            return
        self.asked.add(text)
        tasks.start_soon(self._score, candidate, tasks)

    async def _score(self, candidate: Candidate, tasks: TaskGroup) -> None:
        before = len(self.attempts.failures)
        with self.attempts.surviving():
            [score] = await self.ctx.score(self.verifier, self.problem, [candidate])
            self.known[candidate.sample.text] = score
            if self.threshold is not None and score.value is not None and score.value >= self.threshold:
                self.good = score
                tasks.cancel_scope.cancel()
            return
        # One verdict fewer, not one problem. After a limit as well: the calls in flight were granted, and are paid.
        error = self.attempts.failures[before]
        self.known[candidate.sample.text] = self._abstention(f"the verifier failed: {error}")

    def _abstention(self, reason: str) -> Score:
        return Score(value=None, reason=reason, by=self.verifier, problem=self.problem)

    def judged(self) -> list[Candidate]:
        """The candidates with the scores there are."""
        name = name_of(self.verifier)
        judged = []
        for candidate in self.attempts.candidates:
            score = self.known.get(candidate.sample.text)
            if candidate.answer is None:
                score = self._abstention("no readable answer")
            judged.append(candidate if score is None else replace(candidate, scores={name: score}))
        return judged
