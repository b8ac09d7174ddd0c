"""Chains of revisions side by side: breadth and depth under one budget. Cost: chains * length calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from ..concurrently import concurrently
from ..context import Context
from ..contracts import Verifier, name_of
from ..costs import Costing, Size, Spending, repeated
from ..prompts import fill
from ..types import Candidate, Outcome, Problem
from .attempts import Attempts
from .base import Strategy, at_least, at_most
from .chain import linked
from .revise import PROMPT, Revise
from .selection import by_score, by_vote, representative

__all__ = ["ParallelRevise"]

MOST_CHAINS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelRevise(Strategy):
    """Writes `chains` independent chains of `length` revisions side by side, and chooses among all their answers.

    With `hierarchical`, each chain first chooses within itself, then the choice is among the chains' answers; else
    it is among all chains * length answers at once. With `verifier`, each choice is argmax over answers a of the sum
    of the scores of the candidates that say a (`weighted`), or the best-scored candidate; without, it is the most
    frequent answer. Within a chain ties go to the latest, among chains to the first.

    Source: Snell et al., "Scaling LLM Test-Time Compute Optimally", arXiv 2408.03314, §6.2: a problem that is easy
    for the model is best spent on few long chains, a hard one on a balance of both. As there, the choice is by
    default hierarchical with a verifier, and flat for a vote, where a short chain has too few votes of its own.

    Cost: chains * length calls, plus the verifier's for as many candidates.

    Args:
        chains: Chains side by side, in 1..1000.
        length: Answers in each, in 1..1000.
        memory: Earlier answers of its chain that a revision is shown, at least 1.
        verifier: Scores the answers; None for a vote.
        weighted: Add up the scores of equal answers, instead of taking the best single candidate.
        hierarchical: Whether chains choose first; None: with a verifier.
        prompt: As for `Revise`.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.

    The outcome's candidates come chain by chain. Its `detail` has the `lengths` of the chains and what each of them
    chose as `choices` (None: nothing), with what the last choice says: `votes` and `abstentions`, or `score` (and
    `totals`).
    """

    paper: ClassVar[str] = "Snell et al., arXiv 2408.03314, §6.2"
    cost: ClassVar[str] = "chains * length"
    pays: ClassVar[str] = "a budget for several chains, problems of which it is not known how hard they are"

    chains: int = 4
    length: int = 4
    memory: int = 4
    verifier: Verifier | None = None
    weighted: bool = True
    hierarchical: bool | None = None
    prompt: str = PROMPT

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(1, chains=self.chains, length=self.length, memory=self.memory)
        at_most(MOST_CHAINS, chains=self.chains, length=self.length)
        fill(self.prompt, {"problem": "", "answer": ""}, of="`prompt`")

    @property
    def most_calls(self) -> int:
        """chains * length."""
        return self.chains * self.length

    @property
    def choice(self) -> str:
        """The choice among the chains."""
        return f"the choice among {self.chains} chains of {self.length}"

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight: one per chain."""
        return self.chains

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Choose among chains of answers to `problem`."""
        revise = self._revise()
        branches = [ctx.branch(label=f"chain-{number + 1}") for number in range(self.chains)]
        parts = await concurrently([revise.chain(branch, problem) for branch in branches])
        attempts = Attempts()
        for part in parts:
            attempts.join(part)
        attempts.raise_if_empty()
        if self.verifier is not None:
            attempts.candidates[:] = await attempts.score(ctx, self.verifier, problem, attempts.candidates)
        outcome = self._chosen(attempts.candidates, [len(part.candidates) for part in parts])
        return linked(replace(outcome, stop_reason=attempts.stop_reason))

    def _chosen(self, candidates: Sequence[Candidate], lengths: Sequence[int]) -> Outcome:
        """The choice among candidates that come chain by chain."""
        ends = [sum(lengths[: number + 1]) for number in range(len(lengths))]
        chains = [candidates[end - length : end] for end, length in zip(ends, lengths, strict=True)]
        choices = [self._choice(chain, latest=True) for chain in chains]
        hierarchical = self.verifier is not None if self.hierarchical is None else self.hierarchical
        if hierarchical:
            name = None if self.verifier is None else name_of(self.verifier)
            winners = [one for choice in choices if (one := representative(choice, name)) is not None]
            outcome = self._choice(winners, latest=False)
        else:
            outcome = self._choice(candidates, latest=True)
        chosen = [None if choice.answer is None else choice.answer.text for choice in choices]
        detail = {**outcome.detail, "lengths": list(lengths), "choices": chosen}
        return replace(outcome, candidates=tuple(candidates), detail=detail)

    def _choice(self, candidates: Sequence[Candidate], *, latest: bool) -> Outcome:
        """By the verifier where it scored any, else by vote."""
        if self.verifier is not None:
            name = name_of(self.verifier)
            outcome = by_score(candidates, name, weighted=self.weighted, latest=latest)
            if outcome.answer is not None:
                return outcome
        return by_vote(candidates, latest=latest)

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        revise = self._revise()
        chain = repeated(replace(await revise.writing(costing), label="chain", on_branch=True), self.chains)
        if self.verifier is None:
            return self._spending(chain)
        size = Size(tokens=self.longest_text(costing))
        return self._spending(chain, await costing.scoring(self.verifier, self.most_calls, size))

    def _revise(self) -> Revise:
        """One of the chains."""
        return Revise(
            length=self.length,
            memory=self.memory,
            verifier=self.verifier,
            prompt=self.prompt,
            model=self.model,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            monitors=self.monitors,
        )
