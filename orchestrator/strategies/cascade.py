"""A cascade: what a cheap tier is not sure of goes on to a dearer one. Cost: at most the sum of the tiers' calls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..budget import Budget, Ledger
from ..context import Context
from ..contracts import ControlProgram, logprobs_for
from ..costs import FREE, Costing, Size, Spending, counted, limited
from ..errors import InvalidInputError
from ..stopping import FixedSize, StoppingRule
from ..types import Candidate, Outcome, Problem, StopReason
from .acceptance import (
    Acceptance,
    Agreement,
    examine,
    examining,
    missing_votes,
    settling_rule,
    verifier_of,
)
from .attempts import Attempts
from .base import Strategy
from .nested import (
    candidates_of,
    check_budgets,
    longest_text_of,
    most_calls_at_once,
    most_calls_of,
    run_nested,
)
from .selection import by_vote
from .self_consistency import SelfConsistency
from .single import Single

__all__ = ["Cascade", "Tier"]

USUAL_SAMPLES = 8
"""Samples a tier votes over when a cascade is made from the run's models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A step of a cascade: a program, and when its answer is good enough to end with.

    In a file the program stands in the tier itself: `{self_consistency: {n: 8}, accept: agreement >= 0.75}`.

    Args:
        strategy: Any control program.
        accept: When to end here; every tier but the last needs one, and the last's is not asked.
        carry: Vote over the samples of the tiers before and this one's together, instead of taking the program's own
            answer; `accept` is then asked about that vote, from which samples are missing that a tier before had
            planned and not drawn.
        budget: Limits of this tier, its verifier included, inside those of the problem; a tier that spends them is
            asked for what it has, and the next one goes on.
    """

    inline: ClassVar[str] = "strategy"

    strategy: ControlProgram
    accept: Acceptance | None = None
    carry: bool = False
    budget: Budget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade(Strategy):
    """Asks tier after tier and ends at the first whose answer is accepted; the last tier's always is.

    With tiers z_1 ... z_m and rules g_i(x, y) >= t_i, the answer is that of the first i with g_i(x, z_i(x)) >= t_i,
    else that of z_m. When budget or deadline end it, or the last tier fails or has no readable answer, the answer is
    that of the latest tier with one. A tier whose calls all fail is passed over. Samples of rejected tiers stay
    among the outcome's candidates. Its stop reason is `decided` when a tier before the last was accepted.

    A tier is judged by its full vote: a `SelfConsistency` without a `stop` (and without weights) is ended when it is
    settled what `accept` finds (`AgreementStop`), and draws all its samples where they are carried, or where it is
    inside another program. When its budget is spent or calls fail, `accept` sees a bound that is true of all `n`
    samples, and is not met where those drawn settle nothing. A `stop` of its own, such as `BetaStop` or `LeadStop`,
    says how many samples are enough: it is judged by those.

    Source: Chen, Zaharia, Zou, "FrugalGPT", arXiv 2305.05176, §3 (a scored cascade); Yue et al., "Large Language
    Model Cascades with Mixture of Thoughts Representations for Cost-efficient Reasoning", arXiv 2310.03094
    (agreement of samples as the rule). Differs in that tiers are any programs and may carry their samples on.

    Cost: at most the sum of the tiers' calls, plus those of verifiers in `accept`.

    Args:
        tiers: From the cheapest to the dearest. None given: a vote over 8 samples for each model of the run in
            order, accepted by an agreement of 0.75, and one sample of the last model.
        model: Not used: the tiers' programs name their models.
        temperature: Of the votes that are made when no tiers are given; None leaves it to the models' settings.
        max_tokens: Cap on each answer, in tokens, where neither a tier's program nor its model has one.

    The outcome's `detail` has as `tier` the number of the tier that gave the answer, from 0 (None: no tier did), as
    `of_program` that tier's own facts, and as `tiers`, for each tier that was asked, its `answer`, `confidence`,
    `decision` (`accepted`, `deferred` or `failed`) and `reason`, and the `calls` and `tokens` it used, its verifier's
    included: what has been settled when the cascade ends. Calls that the last tier to be asked cancelled just then
    are in the outcome's `usage` alone.
    """

    paper: ClassVar[str] = "Chen et al., arXiv 2305.05176; agreement: Yue et al., 2310.03094"
    cost: ClassVar[str] = "the sum of the tiers' calls"
    pays: ClassVar[str] = "a cheap model that is often right, and shows when it is not"

    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        if self.model is not None:
            raise InvalidInputError("a cascade has no model of its own: give one to each of its tiers")
        for number, tier in enumerate(self.tiers[:-1], 1):
            if tier.accept is None:
                raise InvalidInputError(
                    f"tiers: tier {number} of {len(self.tiers)} has no accept, so that none after it is ever asked: "
                    "give it one, such as agreement >= 0.75"
                )
            samples = _samples_of(tier.strategy)
            carried = tier.carry and number > 1
            if isinstance(tier.accept, Agreement) and not carried and samples < tier.accept.samples:
                raise InvalidInputError(
                    f"tiers: tier {number} of {len(self.tiers)} draws {counted(samples, 'sample')}, and agreement "
                    f"takes {tier.accept.samples}: it is never accepted; draw more, or accept it by a verifier"
                )

    @property
    def most_calls(self) -> int:
        """The sum over the tiers.

        Raises:
            InvalidInputError: There are no tiers, so that it depends on the run's models; or one does not say.
        """
        if not self.tiers:
            raise InvalidInputError("without tiers the calls depend on how many models the run has")
        return sum(most_calls_of(tier.strategy) for tier in self.tiers)

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        if not self.tiers:
            return USUAL_SAMPLES
        return most_calls_at_once(*(tier.strategy for tier in self.tiers))

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Answer `problem` at the first tier that is sure enough.

        Raises:
            UnknownPriceError: A budget in a tier limits money and a model's price is not known; no call was made.
        """
        check_budgets(ctx, self)
        tiers = self.tiers or self._usual(ctx.models)
        climbed: list[_Climbed] = []
        for number, tier in enumerate(tiers):
            branch = ctx.branch(label=f"tier{number}", budget=tier.budget or Budget()).using(
                monitors=self.monitors, settling=ctx.settling or _settling(tiers, number)
            )
            sampling = {"max_tokens": self.max_tokens}
            step = await _climb(branch, problem, tier, climbed, sampling, last=number == len(tiers) - 1)
            climbed.append(step)
            ctx.step(step.decision, f"tier {number}: {step.reason}")
            if step.decision == "accepted":
                break
        return _concluded(climbed, len(tiers))

    def _usual(self, models: Sequence[str]) -> tuple[Tier, ...]:
        *cheaper, dearest = models
        votes = [
            SelfConsistency(
                model=model,
                n=USUAL_SAMPLES,
                stop=FixedSize(),
                temperature=self.temperature,
                max_tokens=self.max_tokens,
            )
            for model in cheaper
        ]
        last = Tier(strategy=Single(model=dearest, max_tokens=self.max_tokens))
        return (*(Tier(strategy=vote, accept=Agreement()) for vote in votes), last)

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        inside = costing.using(sampling={"max_tokens": self.max_tokens}, monitors=self.monitors)
        tiers, parts, earlier = self.tiers or self._usual(costing.ctx.models), [], Size(count=0.0)
        for number, tier in enumerate(tiers):
            found = await inside.program(tier.strategy)
            own = candidates_of(found, tier.strategy, inside)
            earlier = Size(count=earlier.count + own.count, tokens=max(earlier.tokens, own.tokens))
            below, worst = [found], found.worst
            if number < len(tiers) - 1:
                size = earlier if tier.carry else own
                asked = await examining(costing, tier.accept, size.count, replace(size, count=1.0))
                worst += asked.worst
                below += [asked] if asked.worst != FREE else []
            within = limited(worst, tier.budget)
            note = found.note if within == worst else "at most its budget"
            alone = len(below) == 1
            parts.append(
                Spending(
                    label=f"tier{number}",
                    kind=found.kind if alone else "tier",
                    worst=within,
                    parts=found.parts if alone else tuple(replace(one, on_branch=False) for one in below),
                    note=note,
                )
            )
        whole = self._spending(*parts, note="each if those before it are not accepted")
        return replace(whole, longest=earlier.tokens)

    def longest_text(self, costing: Costing) -> float:
        """Tokens that the text of one of its candidates has at most."""
        inside = costing.using(sampling={"max_tokens": self.max_tokens}, monitors=self.monitors)
        tiers = self.tiers or self._usual(costing.ctx.models)
        return max(longest_text_of(tier.strategy, inside) for tier in tiers)


def _samples_of(program: ControlProgram) -> float:
    """Samples that `program` draws at most; infinite where that is not known."""
    program = getattr(program, "strategy", program)  # a program file's
    if isinstance(program, SelfConsistency):
        return program.n
    return 1 if isinstance(program, Single) else math.inf


def _settling(tiers: Sequence[Tier], number: int) -> StoppingRule | None:
    """When votes in a tier may stop; None where nothing will be asked about them.

    A vote that is the tier stops when what its rule finds is settled. Those whose samples are carried are drawn in
    full, and those inside other programs, of which nobody knows what they make of the samples.
    """
    tier = tiers[number]
    if any(one.carry for one in tiers[number:]):
        return FixedSize()
    rule = None if number == len(tiers) - 1 else settling_rule(tier.accept)
    program = getattr(tier.strategy, "strategy", tier.strategy)  # a program file's
    return rule if rule is None or isinstance(program, SelfConsistency) else FixedSize()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Climbed:
    """A tier that has been asked. `candidates` are its own, and `missing` the votes it had planned besides; `outcome`
    is None when it failed altogether.
    """

    outcome: Outcome | None
    candidates: Sequence[Candidate]
    missing: int
    attempts: Attempts
    decision: str
    reason: str
    ledger: Ledger

    @property
    def report(self) -> dict[str, Any]:
        outcome = self.outcome or Outcome()
        spent = self.ledger.spent
        return {
            "answer": None if outcome.answer is None else outcome.answer.text,
            "confidence": outcome.confidence,
            "decision": self.decision,
            "reason": self.reason,
            "calls": spent.requests,
            "tokens": spent.total_tokens,
        }


async def _climb(
    ctx: Context,
    problem: Problem,
    tier: Tier,
    before: Sequence[_Climbed],
    sampling: Mapping[str, Any],
    *,
    last: bool,
) -> _Climbed:
    """Ask a tier on a branch of its own, and its rule about what came out."""
    attempts = Attempts()
    rule = None if last else tier.accept
    asked = ctx.using(sampling={**sampling, "logprobs": logprobs_for(verifier_of(rule))})
    outcome = await run_nested(asked, tier.strategy, problem, attempts)
    candidates: Sequence[Candidate] = ()
    missing = 0
    if outcome is None:
        decision, reason = "failed", str(attempts.failures[0])
    else:
        candidates, missing = outcome.candidates, missing_votes(outcome)
        if tier.carry:
            outcome = _carried(outcome, before)
        if rule is None:
            decision, reason = "accepted", "it is the last"
        else:
            verdict = await examine(ctx, problem, outcome, attempts, rule)
            outcome = verdict.outcome
            decision, reason = "accepted" if verdict.accepted else "deferred", verdict.reason
            candidates = outcome.candidates[-len(candidates) :] if candidates else ()
    return _Climbed(
        outcome=outcome,
        candidates=candidates,
        missing=missing,
        attempts=attempts,
        decision=decision,
        reason=reason,
        ledger=ctx.ledger,
    )


def _carried(outcome: Outcome, before: Sequence[_Climbed]) -> Outcome:
    """`outcome` with the vote over its candidates and those of the tiers before; what one of them had planned and did
    not draw is missing from the vote of all.
    """
    candidates = [*(one for step in before for one in step.candidates), *outcome.candidates]
    if not candidates:
        return outcome
    vote = by_vote(candidates)
    missing = sum(step.missing for step in before) + missing_votes(outcome)
    detail = {**vote.detail, "planned": len(candidates) + missing}
    return replace(vote, stop_reason=outcome.stop_reason, error=outcome.error, detail=detail)


def _concluded(climbed: Sequence[_Climbed], tiers: int) -> Outcome:
    """The outcome of the latest tier with an answer, and how it all ended."""
    outcomes = [(number, step.outcome) for number, step in enumerate(climbed) if step.outcome is not None]
    if not outcomes:
        raise climbed[0].attempts.failures[0]
    answered = [(number, outcome) for number, outcome in outcomes if outcome.answer is not None]
    number, outcome = (answered or outcomes)[-1]
    last = climbed[-1]
    error = outcome.error
    if last.outcome is None:
        limited = last.attempts.ended
        reason = last.attempts.stop_reason if limited else StopReason.ERROR
        error = error if limited else last.reason
    else:
        ended = last.outcome.stop_reason
        done = StopReason.COMPLETE if ended is StopReason.DECIDED else ended
        reason = done if len(climbed) == tiers else StopReason.DECIDED
    return replace(
        outcome,
        candidates=tuple(candidate for step in climbed for candidate in step.candidates),
        stop_reason=reason,
        error=error,
        detail={
            "tier": number if outcome.answer is not None else None,
            "tiers": [step.report for step in climbed],
            "of_program": dict(outcome.detail),
        },
    )
