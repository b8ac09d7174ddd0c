"""Self-consistency: the most frequent answer of n samples. Cost: at most n calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..answers import Clusters
from ..context import Context
from ..costs import Costing, Spending, counted
from ..errors import InvalidInputError
from ..sampling import SampleStream
from ..stopping import FixedSize, LeadStop, Stop, StoppingRule, Tally
from ..types import Candidate, Outcome, Problem, StopReason
from ..voting import Vote, Weighting, majority_vote, weighted_vote
from .base import Strategy, at_least

__all__ = ["SelfConsistency"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfConsistency(Strategy):
    """Draws up to `n` samples side by side and answers with the largest cluster of equal answers.

    The vote is a plurality, argmax over answers a of the number of samples whose answer is a, or with `weights` of
    the sum of their weights; samples without a readable answer do not vote and count against the confidence, which
    is the leader's share of the samples drawn. Ties go to the answer seen first and are reported. Once `stop` fires,
    the calls in flight are cancelled; the confidence is then the share of those seen, which may be more or less than
    that of all `n` would be.

    Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models",
    arXiv 2203.11171, §2. Differs in stopping early where the rule allows.

    Cost: at most ceil(n / per_call) calls.

    Args:
        n: Samples at most, at least 1.
        stop: When to stop before `n`, asked about the counts of answers. None: `LeadStop`, which never changes the
            winner (it fires when the leader cannot be overtaken; of a tie the first), though it does its share, and
            `FixedSize`, all `n`, when votes have weights; in a tier of a cascade when it is settled what the tier's
            rule finds.
        weights: What each vote weighs, in place of 1.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.
        per_call: Samples drawn by one request.

    The outcome's `detail` has `votes` by cluster, `clusters` (that of each candidate, None where it abstains),
    `abstentions`, `margin` as a share of all samples drawn (of all weights), `planned`, the samples it
    stands for (`n`, or those drawn where a `stop` that was given found them enough),
    `stopped`, the rule's reason or None, and with `weights` the `totals` by cluster, or as `unweighted` why it was a
    plain vote: samples that came without the log-probabilities the weights are made from.
    """

    paper: ClassVar[str] = "Wang et al., arXiv 2203.11171; stopping: 2305.11860, 2401.10480"
    cost: ClassVar[str] = "ceil(n / per_call)"
    pays: ClassVar[str] = "answers that can be compared, a model right more often than it repeats one mistake"

    n: int = 16
    stop: StoppingRule | None = None
    weights: Weighting | None = None
    per_call: int = 1

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(1, n=self.n, per_call=self.per_call)

    @property
    def most_calls(self) -> int:
        """ceil(n / per_call)."""
        return -(-self.n // self.per_call)

    @property
    def choice(self) -> str:
        """The vote."""
        return f"the vote of {self.n}"

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        return self.most_calls

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Vote over up to `n` samples for `problem`."""
        samples = self.draw(
            ctx,
            ctx.ask(problem, model=self.model),
            n=self.n,
            per_call=self.per_call,
            logprobs=None if self.weights is None else self.weights.logprobs,
        )
        clusters, candidates = Clusters(), list[Candidate]()
        stopped = await self._collect(ctx, samples, candidates, clusters)
        vote, extra = self._vote(clusters, candidates)
        return Outcome(
            answer=vote.answer,
            confidence=vote.confidence,
            tied=vote.tied,
            candidates=tuple(candidates),
            stop_reason=StopReason.DECIDED if stopped else samples.stop_reason,
            detail=_detail(vote, stopped) | {"planned": self._planned(stopped, len(candidates))} | extra,
        )

    def _planned(self, stopped: Stop | None, drawn: int) -> int:
        """Samples that the vote stands for: all `n`, but where its own rule has found that those drawn are enough."""
        return self.n if stopped is None or self.stop is None else drawn

    async def _collect(
        self, ctx: Context, samples: SampleStream, candidates: list[Candidate], clusters: Clusters
    ) -> Stop | None:
        """Take samples until all are there or the rule fires, which is returned."""
        usual = (ctx.settling or LeadStop()) if self.weights is None else FixedSize()
        rule = self.stop or usual
        tally = Tally(planned=self.n)
        async with samples:
            async for sample in samples:
                candidates.append(candidate := ctx.read(sample))
                tally.add(clusters.add(candidate.answer))
                if len(candidates) < self.n and (stopped := rule.should_stop(tally)):
                    return stopped
        return None

    def _vote(self, clusters: Clusters, candidates: list[Candidate]) -> tuple[Vote, dict[str, Any]]:
        """The vote, and what to say of its weights."""
        if self.weights is None:
            return majority_vote(clusters=clusters), {}
        try:
            weights = self.weights.weights([candidate.sample for candidate in candidates])
        except InvalidInputError as error:  # the samples are paid for: a plain vote is better than none
            return majority_vote(clusters=clusters), {"unweighted": str(error)}
        vote = weighted_vote(weights=weights, clusters=clusters)
        return vote, {"totals": list(vote.totals)}

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        ask = costing.ask(self.model)
        note = f"at most {counted(self.n, 'sample')}"
        drawn = await self._drawing(costing, ask, n=self.n, per_call=self.per_call, alike=True, note=note)
        return self._spending(drawn)


def _detail(vote: Vote, stopped: Stop | None) -> dict[str, Any]:
    """The vote by cluster, the cluster of each candidate (None: it abstained), and why no more were drawn."""
    return {
        "votes": list(vote.counts),
        "clusters": list(vote.clusters),
        "abstentions": vote.abstentions,
        "margin": vote.margin,
        "stopped": None if stopped is None else stopped.reason,
    }
