"""Self-consistency: the most frequent answer of n samples. Cost: at most n calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..answers import Clusters
from ..context import Context
from ..errors import InvalidInputError
from ..stopping import LeadStop, Stop, StoppingRule, Tally
from ..types import Candidate, Outcome, Problem, StopReason
from ..voting import Vote, majority_vote

__all__ = ["SelfConsistency"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfConsistency:
    """Draws up to `n` samples side by side and answers with the largest cluster of equal answers.

    The vote is a plurality, argmax over answers a of the number of samples whose answer is a; samples without a
    readable answer do not vote and count against the confidence, which is the leader's share of all samples. Ties
    go to the answer seen first and are reported. Once `stop` fires, the calls in flight are cancelled.

    Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models",
    arXiv 2203.11171, §2. Differs in stopping early where the rule allows.

    Args:
        n: Samples at most, at least 1.
        stop: When to stop before `n`. `LeadStop` never changes the vote: it fires when the leader cannot be
            overtaken; `FixedSize` always draws all `n`.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.
        per_call: Samples drawn by one request.

    The outcome's `detail` has `votes` by cluster, `clusters` (that of each candidate, None where it abstains),
    `abstentions`, `margin` as a share of all samples, and `stopped`, the rule's reason or None.
    """

    n: int = 16
    stop: StoppingRule = field(default_factory=LeadStop)
    model: str | None = None
    temperature: float | None = 0.7
    max_tokens: int | None = None
    per_call: int = 1

    def __post_init__(self) -> None:
        if self.n < 1 or self.per_call < 1:
            raise InvalidInputError(f"n and per_call must be at least 1, not {self.n} and {self.per_call}")

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return -(-self.n // self.per_call)

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Vote over up to `n` samples for `problem`."""
        samples = ctx.sample(
            ctx.ask(problem, model=self.model),
            n=self.n,
            model=self.model,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            per_call=self.per_call,
        )
        candidates: list[Candidate] = []
        clusters, tally = Clusters(), Tally(planned=self.n)
        stopped: Stop | None = None
        async with samples:
            async for sample in samples:
                candidates.append(candidate := ctx.read(sample))
                tally.add(clusters.add(candidate.answer))
                if len(candidates) < self.n and (stopped := self.stop.should_stop(tally)):
                    break
        vote = majority_vote(clusters=clusters)
        return Outcome(
            answer=vote.answer,
            confidence=vote.confidence,
            tied=vote.tied,
            candidates=tuple(candidates),
            stop_reason=StopReason.DECIDED if stopped else samples.stop_reason,
            detail=_detail(vote, stopped),
        )


def _detail(vote: Vote, stopped: Stop | None) -> dict[str, Any]:
    """The vote by cluster, the cluster of each candidate (None: it abstained), and why no more were drawn."""
    return {
        "votes": list(vote.counts),
        "clusters": list(vote.clusters),
        "abstentions": vote.abstentions,
        "margin": vote.margin,
        "stopped": None if stopped is None else stopped.reason,
    }
