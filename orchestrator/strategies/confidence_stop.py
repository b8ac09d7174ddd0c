"""Confidence stop (DeepConf): weak traces cut while they are written, sure ones voting. Cost: at most n calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import anyio

from ..asking import Ask, check_round
from ..concurrently import concurrently
from ..confidence import GroupAggregation
from ..context import Context
from ..costs import Costing, Spending, counted
from ..errors import InvalidInputError
from ..monitors import ConfidenceFloor
from ..sampling import SampleStream
from ..types import TOP_LOGPROBS, Candidate, Outcome, Problem, StopReason
from ..verifiers import GroupConfidence
from ..voting import Vote, majority_vote, weighted_vote
from ..voting.shares import reaches
from .attempts import Attempts
from .base import Strategy, at_least

__all__ = ["ConfidenceStop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceStop(Strategy):
    """Votes over the traces the model was sure of, and cuts the others while they are written.

    A trace's confidence C is that of its least sure group of tokens: C_i = -1/k * sum over the k most likely tokens j
    of log P_i(j) is a token's, a group is a window of `window` tokens and its confidence their mean. `warmup` traces
    are drawn in full and set the threshold s = percentile of their confidences at 100 * (1 - keep), so that the
    fraction `keep` of them passes (s is between the two nearest; whatever equals it passes). Each later trace is cut
    as soon as one of its groups falls below s: what it has used is charged, its vote is lost. Traces that pass, those
    of the warm-up included, vote with the weight C, and once the leader has the share `consensus` of their weights
    the rest is cancelled.

    Cut traces, and complete ones that do not pass, have no part in the vote: they are neither in the leader's share
    nor in the confidence, since the threshold cuts about 1 - keep of the traces of any question and so says nothing
    of this one. A passing trace without a readable answer counts against both. Where no passing trace has an answer,
    all complete traces vote, one vote each: a doubtful answer is better than none.

    Decisions do not depend on the order of arrival. The threshold is set when the last warm-up trace has ended; the
    consensus is asked for after each later trace in the order of asking, of the traces up to it, so that one that is
    still being written holds it up. Those that end after the one that decided are charged and not used; only how many
    these are, and which calls a spent budget or a passed deadline stops, depends on the order of arrival.

    With `online=False` nothing is cut: all n traces are drawn in full, those of the top fraction `keep` vote, and C
    may be another figure of the trace.

    Where the warm-up brings no top log-probabilities, there is no threshold: nothing is cut, every trace has one
    vote, and `detail` says why as `unweighted`. A single trace without them does not pass.

    Source: Fu et al., "Deep Think with Confidence", arXiv 2508.15260, §3: `keep=0.1` is DeepConf-low, 0.9
    DeepConf-high; warmup=16, consensus=0.95, window=2048 and k=20 are theirs. Differs in that a trace without an
    answer counts against the consensus, and that all later traces are asked for side by side, as many as the
    model's concurrency allows.

    Cost: at most ceil(full / per_call) + n - full calls, full being the traces that are drawn in full: warmup; n with
    `online=False`; none with a `threshold`, which needs no warm-up.

    Args:
        n: Traces at most, at least 1; those that nothing cuts, in at most 10,000 calls.
        warmup: Traces drawn first and in full, in [1, n], at most 10,000; with a `threshold`, none is. Fewer traces
            are no consensus.
        keep: The fraction of traces that is to pass, in (0, 1].
        threshold: s in nats, at least 0, in place of the one that the warm-up sets.
        consensus: The share of the weights that is enough to stop, in (0, 1]; None draws all. With `keep=0.1`, two of
            16 warm-up traces pass, and where they agree it ends with them.
        online: Whether traces are cut.
        window: Tokens in a group, at least 1. Nothing is cut before so many are written: it is to be well below the
            usual length of a trace.
        aggregation: What C is: `lowest`, or with `online=False` also `bottom`, `tail` and `mean`; see
            `verifiers.GroupConfidence`.
        share: For `bottom`, the share of the groups, in (0, 1].
        top: k, at least 1; most servers give up to 20.
        per_call: Traces drawn in full by one request.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each trace, in tokens; None leaves it to the model's settings.

    The outcome's candidates are in the order of asking; a cut one has no answer. Its `detail` has the `threshold` and
    the `confidences` of the candidates in nats (None: not measured), how many of them `passed` and were `cut`, and of
    the vote over those that passed the `votes` and `totals` by cluster, `abstentions` and `margin`, and `stopped`,
    why no more were drawn, or None.
    """

    paper: ClassVar[str] = "Fu et al., arXiv 2508.15260, §3"
    cost: ClassVar[str] = "ceil(full / per_call) + n - full"
    pays: ClassVar[str] = "long traces from a server that streams log-probabilities, many samples a question"

    n: int = 32
    warmup: int = 16
    keep: float = 0.9
    threshold: float | None = None
    consensus: float | None = 0.95
    online: bool = True
    window: int = 2048
    aggregation: GroupAggregation = "lowest"
    share: float = 0.1
    top: int = TOP_LOGPROBS
    per_call: int = 1

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(1, n=self.n, warmup=self.warmup, top=self.top, per_call=self.per_call)
        check_round(warmup=self.warmup)
        check_round(per_call=self.per_call, n=0 if self.online else self.n)
        if self.online and self.warmup > self.n:
            raise InvalidInputError(f"warmup must be at most n = {self.n}, not {self.warmup}")
        for name in ("keep", "consensus"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value <= 1.0:
                raise InvalidInputError(f"{name} must be in (0, 1], not {value}")
        if self.threshold is not None and not 0.0 <= self.threshold < math.inf:
            raise InvalidInputError(f"threshold must be at least 0 and finite, not {self.threshold}")
        if self.online and self.aggregation != "lowest":
            raise InvalidInputError(
                f"aggregation must be 'lowest', not {self.aggregation!r}: a trace is cut by its lowest group; "
                "others need online=False"
            )
        _ = self.signal  # checks the window, the aggregation and the share

    @property
    def signal(self) -> GroupConfidence:
        """What a trace's confidence is measured with."""
        return GroupConfidence(window=self.window, aggregation=self.aggregation, share=self.share)

    @property
    def drawn_in_full(self) -> int:
        """Traces that nothing cuts."""
        if not self.online:
            return self.n
        return self.warmup if self.threshold is None else 0

    @property
    def most_calls(self) -> int:
        """ceil(full / per_call) + n - full."""
        return -(-self.drawn_in_full // self.per_call) + self.n - self.drawn_in_full

    @property
    def choice(self) -> str:
        """The vote of the sure ones."""
        return f"the vote of the sure ones of {self.n}"

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight."""
        full = -(-self.drawn_in_full // self.per_call)
        return max(full, self.n - self.drawn_in_full)

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Vote over the traces for `problem` that the model was sure of."""
        ask = ctx.ask(problem, model=self.model)
        attempts, election = Attempts(), _Election(strategy=self, threshold=self.threshold)
        if self.drawn_in_full:
            await attempts.draw(
                ctx, self, ask, n=self.drawn_in_full, per_call=self.per_call, logprobs=self.top
            )
            election.warm_up(sorted(attempts.candidates, key=_asked))
            ctx.step("threshold", election.described())
        if self.online and not election.stopped and not attempts.ended:
            await self._draw_watched(ctx, ask, attempts, election)
        if not election.traces:
            attempts.raise_if_empty()
        if election.stopped is not None:
            ctx.step("stopped", election.stopped)
        return election.outcome(attempts.stop_reason)

    async def _draw_watched(self, ctx: Context, ask: Ask, attempts: Attempts, election: _Election) -> None:
        """Draw the later traces side by side, until all have ended or the election is decided."""
        if election.threshold is not None:
            floor = ConfidenceFloor(threshold=election.threshold, window=self.window, top=self.top)
            ctx = ctx.using(monitors=(floor,))
        streams = [self.draw(ctx, ask, logprobs=self.top) for _ in range(self.n - self.drawn_in_full)]

        async def follow(place: int, stream: SampleStream) -> None:
            candidate = None
            if not attempts.ended:
                with attempts.surviving():
                    candidate = ctx.read(await stream.first())
            election.ended(place, candidate)
            if election.stopped is not None:
                scope.cancel()

        with anyio.CancelScope() as scope:
            await concurrently(follow(place, stream) for place, stream in enumerate(streams))

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        ask, full, parts = costing.ask(self.model), self.drawn_in_full, []
        if full:
            parts.append(
                await self._drawing(
                    costing, ask, n=full, per_call=self.per_call, label="in full", note=counted(full, "trace")
                )
            )
        if later := self.n - full:
            note = f"at most {counted(later, 'trace')}"
            parts.append(await self._drawing(costing, ask, n=later, label="watched", note=note))
        return self._spending(*parts)


@dataclass(slots=True, kw_only=True)
class _Trace:
    """A trace that has ended, by its model or by the threshold."""

    candidate: Candidate
    confidence: float | None
    cut: bool


@dataclass(slots=True, kw_only=True)
class _Election:
    """The traces so far, in the order of asking, and what they decide. No waiting.

    Attributes:
        threshold: What a trace's confidence must reach; None until it is set, and where it cannot be.
        traces: Those before the first that has not ended, failed ones left out.
        later: Traces after the first that has not ended, by their place among the later ones; None: it failed.
        settled: Later traces before the first that has not ended, failed ones included.
        stopped: Why no more traces are wanted, or None.
        unweighted: Why no trace could be measured, or "".
    """

    strategy: ConfidenceStop
    threshold: float | None
    traces: list[_Trace] = field(default_factory=list)
    later: dict[int, Candidate | None] = field(default_factory=dict)
    settled: int = 0
    stopped: str | None = None
    unweighted: str = ""

    def warm_up(self, candidates: Sequence[Candidate]) -> None:
        """Take in the traces that were drawn in full, and set the threshold by them where none was given."""
        for candidate in candidates:
            self._add(candidate)
        confidences = [trace.confidence for trace in self.traces if trace.confidence is not None]
        if self.threshold is None and confidences:
            self.threshold = percentile(confidences, 1.0 - self.strategy.keep)
        elif self.threshold is None:
            signal, samples = self.strategy.signal, [trace.candidate.sample for trace in self.traces]
            reasons = (reason for sample in samples if (reason := signal.missing(sample)) is not None)
            self.unweighted = next(reasons, "no trace in the warm-up")
        self._ask_for_consensus()

    def ended(self, place: int, candidate: Candidate | None) -> None:
        """The later trace number `place` has ended; None: without a sample."""
        self.later[place] = candidate
        while self.stopped is None and self.settled in self.later:
            found = self.later.pop(self.settled)
            self.settled += 1
            if found is not None:
                self._add(found)
            self._ask_for_consensus()

    def vote(self) -> Vote:
        """The vote of the traces that pass, by their confidence where there is a threshold."""
        voters = [trace for trace in self.traces if self._passes(trace)]
        answers = [trace.candidate.answer for trace in voters]
        if self.threshold is None:
            return majority_vote(answers)
        return weighted_vote(answers, [trace.confidence or 0.0 for trace in voters])

    def outcome(self, reason: StopReason) -> Outcome:
        """What has been decided, `reason` being how the drawing ended."""
        vote, passed = self.vote(), sum(map(self._passes, self.traces))
        chosen = vote
        if vote.answer is None:
            chosen = majority_vote([trace.candidate.answer for trace in self.traces if not trace.cut])
        detail: dict[str, Any] = {
            "threshold": self.threshold,
            "confidences": [trace.confidence for trace in self.traces],
            "passed": passed,
            "cut": sum(trace.cut for trace in self.traces),
            "votes": list(chosen.counts),
            "totals": list(chosen.totals),
            "abstentions": chosen.abstentions,
            "margin": chosen.margin,
            "stopped": self.stopped,
        }
        unweighted = self.unweighted or ("" if chosen is vote else f"none that passed: {vote.reason}")
        return Outcome(
            answer=chosen.answer,
            confidence=chosen.confidence,
            tied=chosen.tied,
            candidates=tuple(trace.candidate for trace in self.traces),
            stop_reason=StopReason.DECIDED if self.stopped is not None else reason,
            detail=detail | ({"unweighted": unweighted} if unweighted else {}),
        )

    def described(self) -> str:
        """The threshold in words."""
        if self.threshold is None:
            return f"none: {self.unweighted}"
        return f"{self.threshold:.4g} nats by {len(self.traces)} traces"

    def _add(self, candidate: Candidate) -> None:
        sample = candidate.sample
        confidence = self.strategy.signal.confidence(sample)
        cut = (sample.cut or "").startswith(f"{ConfidenceFloor.name}:")
        # The beginning of an answer is no answer, whoever asks.
        kept = replace(candidate, answer=None) if cut else candidate
        self.traces.append(_Trace(candidate=kept, confidence=confidence, cut=cut))

    def _passes(self, trace: _Trace) -> bool:
        if trace.cut:
            return False
        return self.threshold is None or (trace.confidence is not None and trace.confidence >= self.threshold)

    def _ask_for_consensus(self) -> None:
        strategy, traces = self.strategy, len(self.traces)
        some_left = strategy.drawn_in_full + self.settled < strategy.n
        if strategy.consensus is None or traces < strategy.warmup or not some_left:
            return
        vote = self.vote()
        if vote.answer is not None and reaches(vote.share, strategy.consensus):
            self.stopped = f"one answer has {vote.share:.4g} of the weight of {traces} traces"


def percentile(values: Sequence[float], fraction: float) -> float:
    """The value below which `fraction` of `values` are, in [0, 1], between the two nearest by their distance."""
    ordered = sorted(values)
    # So that a tenth of ten steps is one step, whatever 1 - 0.9 is as a double.
    position = round(fraction * (len(ordered) - 1), 9)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return min(ordered[low] + (ordered[high] - ordered[low]) * (position - low), ordered[high])


def _asked(candidate: Candidate) -> tuple[str, int, int]:
    """Where a sample stands in the order of asking: its call, and its number among that call's."""
    call = candidate.sample.call
    return ("", 0, 0) if call is None else (call.path, call.ordinal, candidate.sample.index)
